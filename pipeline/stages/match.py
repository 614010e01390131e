"""match: paragraphs x claims -> matches. Finds by vectors and terms, decides by the shared model (logic/matching),
and where an entailment model is set, that one judges the stance of what is stored (logic/stances).
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, execute_many, row, rows, vector_rows
from pipeline.logic.claimsfile import Claim
from pipeline.logic.decision import Tiers
from pipeline.logic.matching import ARTICLE, Decision, Matcher, Passage
from pipeline.logic.matching import run as decide
from pipeline.logic.stances import judged
from pipeline.logic.text import content_hash
from pipeline.settings import Settings
from pipeline.stages import embed, materials
from pipeline.stages.work import MatchDeps, ModelDeps, StageReport, begin


def run(conn: Connection, deps: MatchDeps, limit: int) -> StageReport:
    """Match up to `limit` paragraphs against the claims in force."""
    with begin(conn, deps, "match") as run:
        items = {item.item_id: item for item in run.claim(limit)}
        if not items:
            return run.report
        versions = rows(conn, "claims.in_force")
        model_id = embed.model(conn, deps)
        found = vector_rows(conn, "matches.to_match", model_id, paragraph_ids=list(items), characters=ARTICLE)
        decided: list[tuple[Any, Decision, str]] = []
        if versions and found:
            matcher = build(conn, deps, model_id, versions)
            passages = [_passage(r) for r in found]
            tiers, stale = tiers_of(deps.settings), _stale(conn, deps)
            worth: list[tuple[Decision, str]] = []
            for d in decide(matcher, passages, deps.encoder.encode)[1]:
                claim = versions[d.claim].claim_id
                known = {"stale": claim in stale, "subject": d.subject}
                tier = tiers.of(claim, d.probability, passages[d.passage].text, **known)
                if tier != "none":
                    worth.append((d, tier))
            decisions = judged([d for d, _ in worth], passages, matcher.claims, deps.entailment)
            decided = [(found[d.passage], d, tier) for d, (_, tier) in zip(decisions, worth, strict=True)]
        with run.settling(*(items[r.paragraph_id] for r in found)):
            superseded = rows(
                conn,
                "matches.supersede",
                claim_version_ids=[v.claim_version_id for v in versions],
                paragraph_ids=[r.paragraph_id for r in found],
                model_id=model_id,
                now=deps.clock.now(),
            )
            if superseded:
                run.report.counts["superseded"] += len(superseded)
            tracked = []
            for paragraph, decision, tier in decided:
                version = versions[decision.claim]
                stored = _store(conn, deps, model_id, version, paragraph.paragraph_id, decision, tier)
                if stored is not None and tier == "accepted":
                    tracked.append(stored)
                if stored is not None:
                    run.report.counts[tier] += 1
            run.queue("track", tracked)
            run.all_done([items[r.paragraph_id] for r in found], "matched" if versions else "no-claims")
        return run.report


def _passage(row: Any) -> Passage:
    return Passage(row.text, row.title, row.embedding.to_numpy().astype(np.float32), row.article)


def tiers_of(settings: Settings) -> Tiers:
    return Tiers(materials.load(settings).model, settings.match.accepted, settings.match.suggested)


def _stale(conn: Connection, deps: ModelDeps) -> frozenset[str]:
    """Claims that had evidence once and none for long: what comes now may well be something else."""
    since = deps.clock.now() - timedelta(days=deps.settings.match.stale_days)
    return frozenset(r.claim_id for r in rows(conn, "matches.stale_claims", since=since))


# The last Matcher of each connection, and what it was built of: a run of many batches builds it once.
_built: WeakKeyDictionary[Connection, tuple[tuple[Any, ...], Matcher]] = WeakKeyDictionary()


def build(conn: Connection, deps: ModelDeps, model_id: int, versions: list[Any]) -> Matcher:
    """A Matcher of the claims in force; vectors of phrases that are new are made and kept."""
    key = (materials.load(deps.settings).model.version, model_id, *(v.claim_version_id for v in versions))
    known = _built.get(conn)
    if known is None or known[0] != key:
        known = _built[conn] = key, _build(conn, deps, model_id, versions)
    return known[1]


def _build(conn: Connection, deps: ModelDeps, model_id: int, versions: list[Any]) -> Matcher:
    claims = [Claim.from_definition(v.claim_id, v.statement, v.definition) for v in versions]
    vectors = partial(_phrase_vectors, conn, deps, model_id)
    return materials.load(deps.settings).matcher(claims, vectors)


def _phrase_vectors(conn: Connection, deps: ModelDeps, model_id: int, texts: list[str]) -> list[Any]:
    hashes = {text: content_hash(text) for text in texts}
    known = vector_rows(conn, "models.known_phrases", model_id=model_id, hashes=list(hashes.values()))
    by_hash = {bytes(r.content_hash): r.embedding.to_numpy().astype(np.float32) for r in known}
    new = [text for text in texts if hashes[text] not in by_hash]
    made = dict(zip(new, deps.phrases.encode(new) if new else (), strict=True))
    stored = [{"model_id": model_id, "content_hash": hashes[t], "embedding": embed.half(v)} for t, v in made.items()]
    execute_many(conn, "models.store_phrase", stored)
    by_hash |= {hashes[text]: vector.astype(np.float16).astype(np.float32) for text, vector in made.items()}
    return [by_hash[hashes[text]] for text in texts]


def _store(
    conn: Connection,
    deps: ModelDeps,
    model_id: int,
    version: Any,
    paragraph_id: int,
    decision: Decision,
    tier: str,
) -> int | None:
    model = materials.load(deps.settings).model
    basis = tiers_of(deps.settings).basis(version.claim_id) if tier == "accepted" else None
    stored = row(
        conn,
        "matches.store",
        claim_id=version.claim_id,
        claim_version_id=version.claim_version_id,
        paragraph_id=paragraph_id,
        model_id=model_id,
        matcher=model.version,
        probability=decision.probability,
        tier=tier,
        stance=decision.stance,
        sentence=decision.sentence,
        features=Jsonb(decision.features),
        why=decision.why,
        precision=basis.precision if basis else None,
        labels=basis.labels if basis else None,
        now=deps.clock.now(),
    )
    return None if stored is None else int(stored.match_id)
