"""Rows for what the archive keeps. First the record, on disk; then, in the transaction with the result, its row: a
row's record is always there, and a record without a row harms nobody.

    kept = captures.page(conn, deps, article, response)          # outside any transaction
    with run.settling(item):
        capture_id = captures.add(conn, kept)
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.warc import Original, Place, RecordMissing, files
from pipeline.model import Response
from pipeline.stages.work import ArchiveDeps


@dataclass(frozen=True)
class Kept:
    """A record on disk that has no row yet. `digest` is its body's; None for a 304."""

    owner: dict[str, int | None]
    kind: str
    at: datetime
    url: str
    final_url: str
    status: int | None
    content_type: str | None
    digest: bytes | None
    size: int | None
    original: int | None  # the capture that holds the body, where this one does not
    place: Place


def page(conn: Connection, deps: ArchiveDeps, article: Any, response: Response) -> Kept:
    """Keep a page's answer: whole, or as a revisit of the same body."""
    now = deps.clock.now()
    owner: dict[str, int | None] = {"article_id": article.article_id, "feed_id": None}
    if response.status == 304:
        known = row(conn, "captures.of_page", article_id=article.article_id)
        kind, digest = "not-modified", None
    else:
        digest = hashlib.sha256(response.body).digest()
        known = row(conn, "captures.with_digest", article_id=article.article_id, digest=digest)
        kind = "revisit" if known else "response"
    at = response.exchange.at if response.exchange else now
    if kind == "response" and digest is not None:
        return _whole(deps, owner, article.url, response, digest, now)
    original = Original(known.final_url, known.captured_at, bytes(known.digest)) if known else None
    place = deps.archive.revisit(response, at, now, original=original)
    size = None if digest is None else len(response.body)
    told = (article.url, response.url, response.status, response.headers.get("content-type"), digest, size)
    return Kept(owner, kind, at, *told, known.capture_id if known else None, place)


def feed(deps: ArchiveDeps, feed: Any, response: Response) -> Kept:
    """Keep a feed's document: for the entries that are new in it, it may be all that we ever have of an article."""
    digest = hashlib.sha256(response.body).digest()
    return _whole(deps, {"article_id": None, "feed_id": feed.feed_id}, feed.url, response, digest, deps.clock.now())


def copied(deps: ArchiveDeps, article_id: int, response: Response, at: datetime) -> Kept:
    """Keep a copy of an answer that another crawler had at `at`."""
    owner: dict[str, int | None] = {"article_id": article_id, "feed_id": None}
    digest = hashlib.sha256(response.body).digest()
    return _whole(deps, owner, response.url, response, digest, deps.clock.now(), at)


def add(conn: Connection, kept: Kept) -> int:
    """Store the row; the capture that holds the body: this one, or the one that it revisits."""
    return add_all(conn, [kept])[0]


def add_all(conn: Connection, records: Sequence[Kept]) -> list[int]:
    """Store the rows; for each the capture that holds the body."""
    given = [
        {
            "position": position,
            **kept.owner,
            "kind": kept.kind,
            "captured_at": kept.at.isoformat(),
            "url": kept.url,
            "final_url": kept.final_url,
            "status": kept.status,
            "content_type": kept.content_type,
            "digest": kept.digest.hex() if kept.digest is not None else None,
            "size": kept.size,
            "revisit_of": kept.original,
            "warc_file": kept.place.file,
            "warc_offset": kept.place.offset,
            "warc_length": kept.place.length,
        }
        for position, kept in enumerate(records)
    ]
    added = [r.capture_id for r in rows(conn, "captures.add", records=Jsonb(given))]
    return [capture if kept.original is None else kept.original for kept, capture in zip(records, added, strict=True)]


def body(deps: ArchiveDeps, article: Any) -> bytes | None:
    """An article's page (a row of articles.to_extract), checked against its digest; None where there is none.

    Raises RecordMissing, RecordDamaged, and ArchiveUnavailable where the whole archive is not there.
    """
    if article.warc_file is not None:
        place = Place(article.warc_file, article.warc_offset, article.warc_length)
        return deps.archive.body(place, bytes(article.body_hash))
    return None if article.body is None else zlib.decompress(article.body)


def move_bodies(conn: Connection, deps: ArchiveDeps, chunk: int) -> int:
    """Move page bodies that still lie in the database to the archive; how many. Safe to break off."""
    total = 0
    while True:
        found = rows(conn, "captures.to_move", chunk=chunk)
        now = deps.clock.now()
        for p in found:
            content, digest = zlib.decompress(p.body), bytes(p.body_hash)
            place = deps.archive.resource(p.url, content, p.content_type, p.fetched_at, now)
            owner: dict[str, int | None] = {"article_id": p.article_id, "feed_id": None}
            told = (p.url, p.url, None, p.content_type, digest, len(content))
            with conn.transaction():
                capture_id = add(conn, Kept(owner, "resource", p.fetched_at, *told, None, place))
                rows(conn, "captures.moved", page_id=p.page_id, capture_id=capture_id, digest=digest)
        total += len(found)
        if len(found) < chunk:
            return total


def expire(conn: Connection, deps: ArchiveDeps) -> int:
    """Delete the files of days past retention; how many. Records that texts with matches rest on are copied to where
    they stay. The new place is stored before the file goes, so that a crash between two steps costs nothing.
    """
    now = deps.clock.now()
    last = f"{now - timedelta(days=deps.settings.retention.bodies_days + 1):%Y-%m-%d}"
    old = [path for path in files(deps.archive.folder) if path.parent.name < last]  # "kept" comes after all days
    for path in old:
        name = f"{path.parent.name}/{path.name}"
        stay = {}
        for r in rows(conn, "captures.expiring", warc_file=name):
            with contextlib.suppress(RecordMissing):  # then there is nothing to copy
                if r.kept:
                    stay[r.capture_id] = deps.archive.keep(Place(name, r.warc_offset, r.warc_length), now)
        with conn.transaction():
            for capture_id, place in stay.items():
                values = {"warc_file": place.file, "warc_offset": place.offset, "warc_length": place.length}
                rows(conn, "captures.keep", capture_id=capture_id, **values)
            rows(conn, "captures.expire", warc_file=name, now=now)
        path.unlink()
    for folder in {path.parent for path in old}:
        with contextlib.suppress(OSError):  # it holds something else
            folder.rmdir()
    return len(old)


def _whole(
    deps: ArchiveDeps,
    owner: dict[str, int | None],
    url: str,
    response: Response,
    digest: bytes,
    now: datetime,
    at: datetime | None = None,
) -> Kept:
    at = at or (response.exchange.at if response.exchange else now)
    place = deps.archive.response(response, at, now, digest=digest)
    told = (url, response.url, response.status, response.headers.get("content-type"), digest, len(response.body))
    return Kept(owner, "response", at, *told, None, place)
