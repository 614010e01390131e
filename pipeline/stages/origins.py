"""Origins in the database: the lexicon's authorities, and what each version of an article rests on.

The lexicon is a file; its authorities are brought into the database when `claimwatch migrate` runs and whenever a
process of the extract stage sees that the file has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.adapters.database import Connection, row, rows
from pipeline.clock import Clock
from pipeline.errors import ConfigurationError
from pipeline.logic import originsfile
from pipeline.logic.mentions import Finder
from pipeline.logic.origins import Found, find
from pipeline.logic.speakers import Publisher
from pipeline.settings import Settings, root
from pipeline.stages.work import Deps

BATCH = 200  # versions looked at again in one transaction


@dataclass(frozen=True)
class Lexicon:
    finder: Finder
    digest: bytes


def lexicon(settings: Settings) -> Lexicon:
    """The lexicon in force, read again when its file has changed."""
    path = settings.origins or root() / "claims" / "origins.yaml"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the lexicon of origins {path} can't be read: {error}") from error


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> Lexicon:
    content = path.read_text(encoding="utf-8")
    return Lexicon(Finder(originsfile.parse(content, str(path))), hashlib.sha256(content.encode()).digest())


def sync(conn: Connection, settings: Settings, clock: Clock) -> Lexicon:
    """Bring the lexicon's authorities into the database, where they are not there yet."""
    known = lexicon(settings)
    if row(conn, "origins.loaded", lexicon_hash=known.digest) is not None:
        return known
    found = list(known.finder.origins.values())
    ids, names = [o.origin_id for o in found], [o.name for o in found]
    with conn.transaction():
        row(conn, "origins.lock")
        rows(conn, "origins.rename", ids=ids, names=names)
        rows(
            conn,
            "origins.put",
            ids=ids,
            names=names,
            kinds=[o.kind for o in found],
            countries=[o.country for o in found],
            lexicon_hash=known.digest,
        )
        rows(conn, "origins.retire_others", lexicon_hash=known.digest, now=clock.now())
    return known


def store(conn: Connection, found: dict[int, Found]) -> None:
    """What was found, by version."""
    told = [(version, a) for version, one in found.items() for a in one.all()]
    rows(
        conn,
        "origins.store",
        versions=[version for version, _ in told],
        positions=[a.position for _, a in told],
        origins=[a.origin_id for _, a in told],
        sentences=[a.sentence for _, a in told],
        hows=[a.how for _, a in told],
        strengths=[a.strength for _, a in told],
    )


def of_version(
    known: Lexicon,
    title: str,
    paragraphs: Sequence[str],
    *,
    source: str | None,
    publisher: str,
    country: str | None,
    kind: str | None,
) -> Found:
    about = Publisher(publisher, country.upper() if country else None, kind)
    return find(known.finder, title, paragraphs, source=source, publisher=about)


def renew(conn: Connection, deps: Deps) -> int:
    """Look at every stored version again, after an edit of the lexicon; how many there were."""
    known = sync(conn, deps.settings, deps.clock)
    after, seen = 0, 0
    while batch := rows(conn, "origins.to_renew", after=after, batch=BATCH):
        found = {}
        for v in batch:
            at = dict(zip(v.positions or (), v.texts or (), strict=True))
            paragraphs = [at.get(position, "") for position in range(1, max(at, default=0) + 1)]
            about = {"source": v.source, "publisher": v.publisher, "country": v.country, "kind": v.kind}
            found[v.version_id] = of_version(known, v.title, paragraphs, **about)
        with conn.transaction():
            rows(conn, "origins.forget", versions=list(found))
            store(conn, found)
        after = batch[-1].version_id
        seen += len(batch)
    return seen
