"""What a backfill has found is stored in batches, each in one transaction with how far its file has been read.

So a killed run goes on behind the last record that was stored: none is lost, and none is stored twice.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.warcread import Place
from pipeline.errors import TransientError
from pipeline.logic import urls
from pipeline.logic.backfills import Options
from pipeline.model import Response
from pipeline.stages import captures
from pipeline.stages.work import ArchiveDeps

BATCH = 200  # articles stored together
BATCH_RECORDS = 5_000  # records after which progress is stored although nothing was found in them
BATCH_BYTES = 16 * 2**20  # of pages
BATCH_SECONDS = 15.0
MOST_PROBLEMS = 1_000  # rows of ingest.backfill_problems that a file may have


@dataclass(frozen=True)
class Page:
    """A page as an archive has it."""

    url: str  # as it was fetched
    status: int
    headers: dict[str, str]
    body: bytes
    at: datetime | None = None  # when its crawler had it


@dataclass(frozen=True)
class Found:
    """An article that a file names; `page` where the file holds that too."""

    url: str  # canonical
    byte_offset: int | None = None
    title: str | None = None
    language: str | None = None
    published_at: datetime | None = None
    page: Page | None = None


@dataclass(frozen=True)
class Entry:
    """What one record came to; `after` is where the next begins."""

    outcome: str
    after: Place
    found: Found | None = None
    url: str | None = None
    byte_offset: int | None = None
    problem: str | None = None
    record: int | None = None  # its number or line, where that is not its place among the records


class LimitReached(Exception):
    """The backfill has as many articles as it was to have."""


@dataclass
class Store:
    """Collects what a file's records came to, and stores it."""

    conn: Connection
    deps: ArchiveDeps
    file: Any
    options: Options
    publishers: Publishers
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.records: int = self.file.records  # stored
        self._entries: list[Entry] = []
        self._found = self._bytes = 0
        self._since = time.monotonic()

    def add(self, entry: Entry) -> None:
        """Raises LimitReached when what is stored fills the backfill's limit."""
        self._entries.append(entry)
        if entry.found is not None:
            self.publishers.of(entry.found.url)  # made outside the batch's transaction, which may be rolled back
            self._found += 1
            self._bytes += len(entry.found.page.body) if entry.found.page else 0
        if (
            self._found >= BATCH
            or self._bytes >= BATCH_BYTES
            or len(self._entries) >= BATCH_RECORDS
            or time.monotonic() - self._since >= BATCH_SECONDS
        ):
            self.flush()

    def flush(self) -> None:
        while self._entries:
            with self.conn.transaction(), self.deps.archive.together():
                stored = self._store(self._within_limit())
            self.outcomes += stored
            self.records += sum(stored.values())
        self._found = self._bytes = 0
        self._since = time.monotonic()

    def _within_limit(self) -> list[Entry]:
        """The entries that may be stored now; those after them wait for the next round."""
        if self.options.limit is None:
            return self._taken(len(self._entries))
        named = row(self.conn, "backfill.room", backfill_id=self.file.backfill_id).articles
        room = self.options.limit - int(named)
        if room <= 0:
            raise LimitReached
        places = [at for at, entry in enumerate(self._entries) if entry.found]
        return self._taken(len(self._entries) if len(places) <= room else places[room - 1] + 1)

    def _taken(self, count: int) -> list[Entry]:
        taken, self._entries = self._entries[:count], self._entries[count:]
        return taken

    def _store(self, entries: list[Entry]) -> Counter[str]:
        now = self.deps.clock.now()
        found = {e.found.url: e.found for e in reversed(entries) if e.found}  # the first of several with one address
        known = {r.url for r in rows(self.conn, "backfill.known", backfill_id=self.file.backfill_id, urls=list(found))}
        new = {url: each for url, each in found.items() if url not in known}
        became = self._add(list(new.values()), now) if new else {}
        outcomes: Counter[str] = Counter()
        for entry in entries:
            if entry.found is None:
                outcomes[entry.outcome] += 1
            else:
                outcomes[became.pop(entry.found.url, "duplicate")] += 1
        self._problems(entries)
        last = entries[-1].after
        moved = rows(
            self.conn,
            "backfill.progress",
            file_id=self.file.file_id,
            byte_offset=last.offset,
            skip=last.skip,
            before=self.records,
            read=len(entries),
            outcomes=Jsonb(dict(outcomes)),
            now=now,
        )
        if not moved:
            raise TransientError(f"another process has read on in {self.file.location}", code="lease-lost")
        return outcomes

    def _add(self, found: list[Found], now: datetime) -> dict[str, str]:
        """Store articles, and the pages of those that have no text yet; the outcome of each address."""
        fetched = self.file.kind != "warc"
        given = [
            {
                "url": each.url,
                "host": urls.host(each.url),
                "publisher_id": self.publishers.of(each.url),
                "byte_offset": each.byte_offset,
                "title": each.title,
                "language": each.language,
                "published_at": each.published_at.isoformat() if each.published_at else None,
            }
            for each in found
        ]
        ids = {"backfill_id": self.file.backfill_id, "file_id": self.file.file_id}
        added = rows(self.conn, "backfill.add_articles", **ids, articles=Jsonb(given), fetched=fetched, now=now)
        state = {r.url: r for r in added}
        with_page = [(state[each.url].article_id, each.page) for each in found if not state[each.url].has_text]
        for article_id, page in with_page:
            if page is not None:
                store_page(self.conn, self.deps, article_id, page, now)
        if not fetched:
            ready = [article_id for article_id, _ in with_page]
            rows(self.conn, "work.add_all", stage="extract", item_ids=ready, due_at=now)
        return {url: "known" if r.has_text else "queued" if fetched else "stored" for url, r in state.items()}

    def _problems(self, entries: list[Entry]) -> None:
        given = [
            {
                "record": entry.record or self.records + at,
                "byte_offset": entry.byte_offset,
                "url": _storable(entry.url) if entry.url else None,
                "outcome": entry.outcome,
                "problem": _storable(entry.problem),
            }
            for at, entry in enumerate(entries, start=1)
            if entry.problem is not None
        ]
        if given:
            values = {"file_id": self.file.file_id, "problems": Jsonb(given), "most": MOST_PROBLEMS}
            rows(self.conn, "backfill.add_problems", **values)


def _storable(told: str) -> str:
    return told[:2000].replace("\0", "\ufffd")


def store_page(conn: Connection, deps: ArchiveDeps, article_id: int, page: Page, now: datetime) -> None:
    """Store a page as one that was fetched, with a copy in the archive. `now` and not the day of the crawl is what its
    retention counts from.
    """
    response = Response(page.status, page.url, page.body, page.headers)
    kept = captures.copied(deps, article_id, response, page.at or now)
    rows(
        conn,
        "articles.store_page",
        article_id=article_id,
        now=now,
        status=page.status,
        url=page.url,
        content_type=kept.content_type,
        etag=page.headers.get("etag"),
        last_modified=page.headers.get("last-modified"),
        body_hash=kept.digest,
        capture_id=captures.add(conn, kept),
    )


class Publishers:
    """Who publishes a page: the one named, else whose feeds come from its host or site, else one named by the host."""

    def __init__(self, conn: Connection, named: int | None) -> None:
        self._conn, self._named = conn, named
        self._of_host: dict[str, int] = {}
        self._of_site: dict[str, set[int]] = {}
        if named is None:
            for feed in rows(conn, "backfill.feed_publishers"):
                self._of_host.setdefault(urls.host(feed.url), feed.publisher_id)
                self._of_site.setdefault(urls.site(feed.url), set()).add(feed.publisher_id)

    def of(self, url: str) -> int:
        if self._named is not None:
            return self._named
        host = urls.host(url)
        if host not in self._of_host:
            of_site = self._of_site.get(urls.site(url), set())
            # A site with feeds of several publishers says nothing about a host of its own.
            self._of_host[host] = next(iter(of_site)) if len(of_site) == 1 else self._made(url, host)
        return self._of_host[host]

    def _made(self, url: str, host: str) -> int:
        name = host.removeprefix("www.")
        for _ in range(2):  # another process may make it at the same time
            made = row(self._conn, "backfill.publisher_of_site", name=name, family=urls.site(url) or name)
            if made is not None:
                return int(made.publisher_id)
        raise TransientError(f"no publisher could be made for {name}")
