"""backfill: older material from lists of addresses, sitemaps and web archives, read file by file.

    backfill_id = start(conn, deps, "warc", "/data/cc-news", options)
    for file_id in files(conn, deps, backfill_id):     # one mapped task each, under Airflow
        read(conn, deps, file_id)
    finish(conn, deps, backfill_id)

Every step may be repeated: what was listed stays listed, a file is read on from behind the last record that was stored.
Addresses are queued for fetch and archived pages for extract, so that the other stages take them like any article.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from psycopg.types.json import Jsonb

from pipeline.adapters import sourcefiles
from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.sourcefiles import is_address, open_file
from pipeline.adapters.warcread import Place, Unreadable
from pipeline.adapters.web import Web
from pipeline.errors import ClaimwatchError, ConfigurationError, PermanentError, TransientError
from pipeline.logic import backfills, sitemaps, urls
from pipeline.logic.backfills import Options
from pipeline.stages import backfill_warc
from pipeline.stages.backfill_store import Entry, Found, LimitReached, Publishers, Store
from pipeline.stages.work import WebDeps

MAX_LIST = 200 * 2**20  # bytes of a list of addresses
LOCK_SECONDS = 5.0
INDEX_DEPTH = 3  # an index of indexes of indexes; deeper ones are traps

log = structlog.get_logger()

Progress = Callable[[int, int | None, int], None]  # bytes read, bytes in all where known, records


@dataclass
class FileReport:
    """What reading a file did this time."""

    state: str
    records: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    problem: str | None = None


def start(
    conn: Connection,
    deps: WebDeps,
    kind: str,
    source: str,
    options: Options,
    *,
    publisher: str | None = None,
    request_key: str | None = None,
) -> int:
    """Ask for a backfill; the same `request_key` gets the same one. Raises ConfigurationError."""
    if kind == "warc" and not options.anything and not options.terms:
        backfill_warc.followed(conn)  # rather now than after an hour
    with conn.transaction():
        publisher_id = None
        if publisher:
            details = {"family": None, "country": None, "language": None, "kind": None}
            publisher_id = row(conn, "feeds.add_publisher", name=publisher, **details).publisher_id
        asked = {"kind": kind, "source": source, "options": Jsonb(options.stored()), "publisher_id": publisher_id}
        made = row(conn, "backfill.open", **asked, request_key=request_key, now=deps.clock.now())
        made = made or row(conn, "backfill.of_request", request_key=request_key)
    return int(made.backfill_id)


def files(conn: Connection, deps: WebDeps, backfill_id: int) -> list[int]:
    """List a backfill's files where that has not been done, and the numbers of those that are not read to their end.

    Raises ConfigurationError, PermanentError and TransientError; the backfill then says why.
    """
    asked = get(conn, backfill_id)
    if asked.state in ("listing", "failed"):
        try:
            if not rows(conn, "backfill.files", backfill_id=backfill_id):
                locations = _locations(deps, asked.kind, asked.source, Options.of(asked.options))
                with conn.transaction():
                    rows(conn, "backfill.add_files", backfill_id=backfill_id, locations=locations)
                    rows(conn, "backfill.listed", backfill_id=backfill_id)
        except ClaimwatchError as error:
            values = {"problem": str(error), "now": deps.clock.now()}
            rows(conn, "backfill.failed", backfill_id=backfill_id, **values)
            raise
    return [r.file_id for r in rows(conn, "backfill.reopen", backfill_id=backfill_id)]


def get(conn: Connection, backfill_id: int) -> Any:
    """The backfill's row. Raises ConfigurationError where there is none."""
    found = row(conn, "backfill.get", backfill_id=backfill_id)
    if found is None:
        raise ConfigurationError(f"there is no backfill {backfill_id}: see `claimwatch backfill list`")
    return found


def of_request(conn: Connection, request_key: str) -> int:
    """The backfill that a request has made."""
    found = row(conn, "backfill.of_request", request_key=request_key)
    if found is None:
        raise ConfigurationError(f"no backfill was made by {request_key}")
    return int(found.backfill_id)


def finish(conn: Connection, deps: WebDeps, backfill_id: int) -> dict[str, Any]:
    """Note whether all files are done, and count what became of the records."""
    ended = row(conn, "backfill.finish", backfill_id=backfill_id, now=deps.clock.now())
    outcomes = {r.outcome: r.records for r in rows(conn, "backfill.outcomes", backfill_id=backfill_id)}
    counts = {"files": ended.files, "failed": ended.failed, "waiting": ended.waiting}
    return {"backfill": backfill_id, "state": ended.state, **counts, "outcomes": outcomes}


def read(conn: Connection, deps: WebDeps, file_id: int, progress: Progress | None = None) -> FileReport:
    """Read a file from where it was left to its end.

    What makes the file unreadable for good is noted with it. Raises TransientError where it may be better later, and
    where another process is reading the file.
    """
    if not _taken(conn, file_id):
        raise TransientError(f"file {file_id} is being read by another process", code="locked")
    try:
        file = row(conn, "backfill.file", file_id=file_id)
        if file is None:
            raise ConfigurationError(f"there is no file {file_id} of any backfill")
        if file.state in ("done", "limited"):
            return FileReport(file.state)
        return _read(conn, deps, file, progress)
    finally:
        if not conn.broken:
            rows(conn, "backfill.unlock", file_id=file_id)


def _taken(conn: Connection, file_id: int) -> bool:
    """Take the file for this session. The lock of a process that was killed goes when the server has noticed."""
    until = time.monotonic() + LOCK_SECONDS
    while not row(conn, "backfill.lock", file_id=file_id).taken:
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def _read(conn: Connection, deps: WebDeps, file: Any, progress: Progress | None) -> FileReport:
    options = Options.of(file.options)
    store = Store(conn, deps, file, options, Publishers(conn, file.publisher_id))
    reader = {"urls": _urls, "sitemap": _sitemap, "warc": _warc}[file.kind]
    state, problem, raised = "done", None, None
    try:
        reader(conn, deps, file, store, progress)
        store.flush()
    except LimitReached:
        state = "limited"
    except (PermanentError, Unreadable) as error:
        state, problem = "failed", str(error)
    except TransientError as error:
        state, problem, raised = "failed", str(error), error
    rows(conn, "backfill.ended", file_id=file.file_id, state=state, problem=problem, now=deps.clock.now())
    log.info("backfill", file=file.location, state=state, **dict(store.outcomes))
    if raised is not None:
        raise raised
    return FileReport(state, store.records - file.records, store.outcomes, problem)


# What a source names --------------------------------------------------------------------------------------------


def _locations(deps: WebDeps, kind: str, source: str, options: Options) -> list[str]:
    if kind == "urls":
        return [source]
    if kind == "warc":
        return _warc_locations(deps, source, options)
    body = _whole(deps, source, sitemaps.MAX_BODY)
    children = sitemaps.parse(body, source, options.since).children
    return [child.url for child in children] or [source]


def _warc_locations(deps: WebDeps, source: str, options: Options) -> list[str]:
    if is_address(source):
        if source.partition("?")[0].endswith((".warc", ".warc.gz")):
            return [source]
    elif (found := sourcefiles.warc_files(source)) is not None:
        return found
    return backfills.manifest(_whole(deps, source, backfills.MAX_MANIFEST), source, options.base)


def _whole(deps: WebDeps, location: str, cap: int) -> bytes:
    """All of a small file."""
    if is_address(location):
        return asyncio.run(_fetched(deps, location, cap))
    with open_file(location, deps.http) as file:
        body = b""
        while len(body) <= cap and (piece := file.read(cap + 1 - len(body))):
            body += piece
    if len(body) > cap:
        raise PermanentError(f"{location} is larger than {cap:,} bytes", code="too-large")
    return body


async def _fetched(deps: WebDeps, url: str, cap: int) -> bytes:
    async with Web(deps.http(), delay=deps.settings.fetch.host_delay) as web:
        response = await web.get(url, max_body=cap)
    if response.status == 200:
        return response.body
    problem = f"{url}: the server answered {response.status}"
    if response.status in (408, 425, 429) or response.status >= 500:
        raise TransientError(problem, code=f"http-{response.status}")
    raise PermanentError(problem, code=f"http-{response.status}")


# Kinds of files -------------------------------------------------------------------------------------------------


def _urls(conn: Connection, deps: WebDeps, file: Any, store: Store, progress: Progress | None) -> None:
    """A list of addresses. A place in it is a line."""
    body = _whole(deps, file.location, MAX_LIST)
    begin = _same(conn, deps, file, body)
    lines = body.decode("utf-8", "replace").splitlines()
    for number, address in backfills.addresses(lines):
        if number <= begin:
            continue
        url, after = urls.canonical(address), Place(number)
        if url is None:
            problem = f"{address[:200]!r} is no web address (http:// or https://)"
            store.add(Entry("bad-url", after, url=address, problem=problem, record=number))
        else:
            store.add(Entry("queued", after, Found(url), record=number))
        if progress:
            progress(number, len(lines), store.records)


def _sitemap(conn: Connection, deps: WebDeps, file: Any, store: Store, progress: Progress | None) -> None:
    """A sitemap. A place in it is a page; the document is taken from the beginning where it has changed."""
    pages: list[sitemaps.SitemapPage] = []
    body = _whole(deps, file.location, sitemaps.MAX_BODY)
    begin = _same(conn, deps, file, body)
    left = [(file.location, body, 1)]
    seen = {file.location}
    while left:
        url, content, depth = left.pop()
        parsed = sitemaps.parse(content, url)
        pages += parsed.pages  # older ones, too: each has its outcome
        for child in parsed.children if depth < INDEX_DEPTH else ():
            old = store.options.since and child.modified and child.modified < store.options.since
            if child.url not in seen and not old:
                seen.add(child.url)
                left.append((child.url, _whole(deps, child.url, sitemaps.MAX_BODY), depth + 1))
    for number, page in enumerate(pages, start=1):
        if number > begin:
            store.add(_of_sitemap(page, number, store.options))
            if progress:
                progress(number, len(pages), store.records)


def _of_sitemap(page: sitemaps.SitemapPage, number: int, options: Options) -> Entry:
    url, after = urls.canonical(page.url), Place(number)
    if url is None:
        return Entry("bad-url", after, url=page.url, problem=f"{page.url[:200]!r} is no usable address", record=number)
    if not options.covers(page.date):
        return Entry("date", after)
    if options.languages and page.language and page.language not in options.languages:
        return Entry("language", after)
    found = Found(url, title=page.title or None, language=page.language, published_at=page.date)
    return Entry("queued", after, found, record=number)


def _same(conn: Connection, deps: WebDeps, file: Any, body: bytes) -> int:
    """How much of the document was stored before, where it is still the same document."""
    validator = hashlib.sha256(body).hexdigest()
    now = deps.clock.now()
    rows(conn, "backfill.started", file_id=file.file_id, validator=validator, size=len(body), now=now)
    return int(file.byte_offset) if validator == file.validator else 0


def _warc(conn: Connection, deps: WebDeps, file: Any, store: Store, progress: Progress | None) -> None:
    given = backfill_warc.wanted(conn, store.options, deps.settings.fetch.max_body)
    with open_file(file.location, deps.http, file.validator) as source:
        source.seek(file.byte_offset)
        source.read(0)  # a server has told by then which file it is
        told = {"validator": source.validator, "size": source.size}
        rows(conn, "backfill.started", file_id=file.file_id, **told, now=deps.clock.now())

        def add(entry: Entry) -> None:
            store.add(entry)
            if progress:
                progress(entry.after.offset, source.size, store.records)

        backfill_warc.entries(source, Place(file.byte_offset, file.skip), given, add)


def problems(conn: Connection, backfill_id: int, limit: int) -> Sequence[Any]:
    """Records of a backfill that could not be used although they should have been."""
    return rows(conn, "backfill.problems", backfill_id=backfill_id, limit=limit)
