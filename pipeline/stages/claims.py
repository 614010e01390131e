"""Loads a claims file into the database, with history: only what changed gets a new version."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, row, rows
from pipeline.errors import ConfigurationError
from pipeline.logic import claimsfile
from pipeline.stages.work import Deps


@dataclass
class Loaded:
    """What loading did, by claim id."""

    topic: str
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)


def load(conn: Connection, deps: Deps, path: Path, *, match_archive: bool = True) -> Loaded:
    """Load the file, all or nothing. After a change every paragraph of the archive is matched again."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the claims file {path} can't be read: {error}") from error
    topic = claimsfile.parse(content, str(path))
    now = deps.clock.now()
    loaded = Loaded(topic.topic_id)
    with conn.transaction():
        rows(conn, "claims.put_topic", topic_id=topic.topic_id, name=topic.name, now=now)
        for position, claim in enumerate(topic.claims):
            _put(conn, loaded, topic.topic_id, position, claim, deps)
        kept = [claim.claim_id for claim in topic.claims]
        retired = rows(conn, "claims.retire_others", topic_id=topic.topic_id, kept=kept, now=now)
        loaded.retired = [r.claim_id for r in retired]
        if match_archive and (loaded.added or loaded.changed):
            rematch(conn, deps)
    return loaded


def rematch(conn: Connection, deps: Deps) -> None:
    """Queue every embedded paragraph for matching. Known matches stay as they are."""
    active = row(conn, "models.active")
    if active is not None:
        rows(conn, "claims.rematch_all", active.model_id, now=deps.clock.now())


def _put(conn: Connection, loaded: Loaded, topic_id: str, position: int, claim: claimsfile.Claim, deps: Deps) -> None:
    now = deps.clock.now()
    owner = row(conn, "claims.topic_of", claim_id=claim.claim_id)
    if owner is not None and owner.topic_id != topic_id:
        raise ConfigurationError(f"the claim {claim.claim_id!r} belongs to topic {owner.topic_id!r} already")
    put = {"claim_id": claim.claim_id, "topic_id": topic_id, "position": position, "title": claim.title}
    rows(conn, "claims.put_claim", **put, now=now)
    current = row(conn, "claims.current", claim_id=claim.claim_id)
    digest = claim.definition_hash()
    if current is not None and bytes(current.definition_hash) == digest:
        loaded.unchanged.append(claim.claim_id)
        return
    rows(
        conn,
        "claims.add_version",
        claim_id=claim.claim_id,
        statement=claim.statement,
        definition=Jsonb(claim.definition()),
        definition_hash=digest,
        now=now,
    )
    (loaded.added if current is None else loaded.changed).append(claim.claim_id)
