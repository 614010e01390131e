"""match: paragraphs x claims -> matches. Finds by vectors and terms, decides by the shared model (logic/matching)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, row, rows, vector_rows
from pipeline.adapters.encoder import Encoder
from pipeline.logic.claimsfile import Claim
from pipeline.logic.matching import Decision, DecisionModel, Matcher, Passage, phrases
from pipeline.logic.text import content_hash
from pipeline.settings import Settings, package_data
from pipeline.stages import embed
from pipeline.stages.work import ModelDeps, StageReport, begin


def run(conn: Connection, deps: ModelDeps, limit: int) -> StageReport:
    """Match up to `limit` paragraphs against the claims in force."""
    with begin(conn, deps, "match") as run:
        items = {item.item_id: item for item in run.claim(limit)}
        if not items:
            return run.report
        versions = rows(conn, "claims.in_force")
        model_id = embed.model(conn, deps)
        found = vector_rows(conn, "matches.to_match", model_id, paragraph_ids=list(items))
        decided: list[tuple[Any, Decision]] = []
        if versions and found:
            matcher = build(conn, deps, model_id, versions)
            passages = [Passage(r.text, r.title, r.embedding.to_numpy().astype(np.float32)) for r in found]
            decisions = decide(matcher, passages, deps.encoder)
            decided = [(found[d.passage], d) for d in decisions]
        accepted, suggested = operating_points(deps.settings, load_model())
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
            for paragraph, decision in decided:
                if decision.probability < suggested:
                    continue
                tier = "accepted" if decision.probability >= accepted else "suggested"
                stored = _store(conn, deps, model_id, versions[decision.claim], paragraph.paragraph_id, decision, tier)
                if stored is not None and tier == "accepted":
                    tracked.append(stored)
                if stored is not None:
                    run.report.counts[tier] += 1
            run.queue("track", tracked)
            run.all_done([items[r.paragraph_id] for r in found], "matched" if versions else "no-claims")
        return run.report


@cache
def load_model() -> DecisionModel:
    return DecisionModel.load(package_data("matcher.json"))


def operating_points(settings: Settings, model: DecisionModel) -> tuple[float, float]:
    """(accepted, suggested): the settings' where given, else the model's own."""
    return settings.match.accepted or model.accepted, settings.match.suggested or model.suggested


# The last Matcher of each connection, and what it was built of: a run of many batches builds it once.
_built: WeakKeyDictionary[Connection, tuple[tuple[int, ...], Matcher]] = WeakKeyDictionary()


def build(conn: Connection, deps: ModelDeps, model_id: int, versions: list[Any]) -> Matcher:
    """A Matcher of the claims in force; vectors of phrases that are new are made and kept."""
    key = (model_id, *(v.claim_version_id for v in versions))
    known = _built.get(conn)
    if known is None or known[0] != key:
        known = _built[conn] = key, _build(conn, deps, model_id, versions)
    return known[1]


def _build(conn: Connection, deps: ModelDeps, model_id: int, versions: list[Any]) -> Matcher:
    claims = [Claim.from_definition(v.claim_id, v.statement, v.definition) for v in versions]
    vectors = _phrase_vectors(conn, deps, model_id, phrases(claims))
    return Matcher(claims, vectors, load_model())


def decide(matcher: Matcher, passages: list[Passage], encoder: Encoder) -> list[Decision]:
    found = matcher.find(passages)
    wanted = found.sentences()
    vectors = dict(zip(wanted, encoder.encode(wanted), strict=True)) if wanted else {}
    return matcher.decide(found, vectors)


def _phrase_vectors(conn: Connection, deps: ModelDeps, model_id: int, texts: list[str]) -> Mapping[str, Any]:
    hashes = {text: content_hash(text) for text in texts}
    known = vector_rows(conn, "models.known_phrases", model_id=model_id, hashes=list(hashes.values()))
    by_hash = {bytes(r.content_hash): r.embedding.to_numpy().astype(np.float32) for r in known}
    new = [text for text in texts if hashes[text] not in by_hash]
    for text, vector in zip(new, deps.encoder.encode(new) if new else (), strict=True):
        rows(
            conn,
            "models.store_phrase",
            model_id=model_id,
            content_hash=hashes[text],
            embedding=embed.half(vector),
        )
        by_hash[hashes[text]] = vector.astype(np.float16).astype(np.float32)
    return {text: by_hash[digest] for text, digest in hashes.items()}


def _store(
    conn: Connection,
    deps: ModelDeps,
    model_id: int,
    version: Any,
    paragraph_id: int,
    decision: Decision,
    tier: str,
) -> int | None:
    stored = row(
        conn,
        "matches.store",
        claim_id=version.claim_id,
        claim_version_id=version.claim_version_id,
        paragraph_id=paragraph_id,
        model_id=model_id,
        matcher=load_model().version,
        probability=decision.probability,
        tier=tier,
        stance=decision.stance,
        sentence=decision.sentence,
        features=Jsonb(decision.features),
        now=deps.clock.now(),
    )
    return None if stored is None else int(stored.match_id)
