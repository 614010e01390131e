"""poll: feeds -> entries and articles. Conditional GET; the next poll is planned from what came back."""

from __future__ import annotations

import asyncio
import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.gate import NotItsTurn
from pipeline.adapters.http import FEED_ACCEPT
from pipeline.adapters.web import Web
from pipeline.errors import ClaimwatchError, PermanentError
from pipeline.logic import feeds, schedule, urls
from pipeline.logic.schedule import PollOutcome
from pipeline.model import ParsedFeed, Response
from pipeline.stages import sitemap_index
from pipeline.stages.poll_store import Poll, Polled, store
from pipeline.stages.visits import polite, put_back, turns
from pipeline.stages.work import Item, Run, StageReport, WebDeps, begin

STORED_TOGETHER = 25  # feeds a transaction: one feed alone costs the database six times as much
FULL_AFTER = timedelta(hours=24)  # without the whole feed, whatever its ETag says

NEW_OBJECTS = 20_000  # between two such looks; Python's own number is 700

log = structlog.get_logger()


def run(conn: Connection, deps: WebDeps, limit: int, *, shard: int = 0, shards: int = 1) -> StageReport:
    """Poll up to `limit` due feeds."""
    with begin(conn, deps, "poll", shard=shard, shards=shards) as run:
        items = {item.item_id: item for item in run.claim(limit, turns(deps.settings.poll.host_delay))}
        if items:
            deps.archive.ready()
            known = rows(conn, "feeds.to_poll", feed_ids=list(items))
            with _seldom_collected():
                asyncio.run(_poll_all(run, deps, [(items[feed.feed_id], feed) for feed in known]))
        return run.report


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Parsing makes many objects that soon go by themselves; looking among them for cycles took an eighth of a poll."""
    usual = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


async def _poll_all(run: Run, deps: WebDeps, work: list[tuple[Item, Any]]) -> None:
    waiting: list[Poll] = []
    work = sorted(work, key=lambda pair: pair[0].host)  # a connection serves its host's feeds one after another
    async with polite(run, deps, delay=deps.settings.poll.host_delay) as web:

        async def one(item: Item, feed: Any) -> tuple[Item, Any, Polled | NotItsTurn]:
            return item, feed, await _poll(web, deps, feed)

        for task in asyncio.as_completed([one(item, feed) for item, feed in work]):
            item, feed, polled = await task
            if isinstance(polled, NotItsTurn):
                put_back(run, item, polled)
                continue
            waiting.append(Poll(item, feed, polled))
            if len(waiting) == STORED_TOGETHER:
                # In a thread: while the database is at it, other feeds are asked and read.
                await asyncio.to_thread(store, run, deps, waiting)
                waiting = []
    store(run, deps, waiting)


async def _poll(web: Web, deps: WebDeps, feed: Any) -> Polled | NotItsTurn:
    # Some servers' ETags never change while the feed does: now and then the whole of it is asked for.
    told = feed.last_full_at is not None and deps.clock.now() - feed.last_full_at < FULL_AFTER
    try:
        response = await web.get(
            feed.url,
            etag=feed.etag if told else None,
            last_modified=feed.last_modified if told else None,
            max_body=deps.settings.poll.max_body,
            accept=FEED_ACCEPT,
        )
        if response.status == 429:
            web.pause(response, schedule.retry_after(response.headers, deps.clock.now()))
        if response.status == 304 and not (told and (feed.etag or feed.last_modified)):
            problem = f"the server answered 304 (not modified) for {feed.url} although it was asked for the whole feed"
            return Polled("http-304", PollOutcome.SOFT, response, problem=problem)
        polled = _read(feed, response)
        named = polled.parsed.children if polled.parsed else ()
        if named or (feed.children and polled.effect is PollOutcome.UNCHANGED):
            read = await sitemap_index.read(web, deps.settings.poll.max_body, feed, named)
            polled = _with_children(polled, read)
        return polled
    except NotItsTurn as error:
        return error
    except ClaimwatchError as error:
        return Polled(error.code, schedule.of_error(error.code), problem=str(error))
    except Exception as error:  # a feed that trips a parser must not take the other feeds with it
        log.exception("crashed", feed=feed.url)
        return Polled("crashed", PollOutcome.HARD, problem=f"{type(error).__name__}: {error}")


def _read(feed: Any, response: Response) -> Polled:
    effect = schedule.of_status(response.status)
    if effect is PollOutcome.UNCHANGED:
        return Polled("unchanged", effect, response)
    if effect is not None:
        problem = f"the server answered {response.status} for {feed.url}"
        return Polled(f"http-{response.status}", effect, response, problem=problem)
    body_hash = hashlib.sha256(response.body).digest()
    if feed.body_hash is not None and bytes(feed.body_hash) == body_hash:
        return Polled("unchanged", PollOutcome.UNCHANGED, response, body_hash=body_hash)
    try:
        parsed = feeds.parse(response.body, response.headers.get("content-type"), response.url)
    except PermanentError as error:
        return Polled(error.code, PollOutcome.HARD, response, problem=str(error))
    return Polled("changed", PollOutcome.CHANGED, response, parsed, parsed.problem, body_hash)


def _with_children(polled: Polled, read: sitemap_index.Read) -> Polled:
    """An index itself has no entries, and may stay the same while its sitemaps change."""
    if read.entries is None:
        effect = PollOutcome.SOFT if read.problem else PollOutcome.UNCHANGED
        outcome = "sitemaps-unreadable" if read.problem else "unchanged"
        return replace(polled, outcome=outcome, effect=effect, parsed=None, problem=read.problem, children=read.seen)
    parsed = polled.parsed or ParsedFeed("sitemap", "", ())
    parsed = replace(parsed, entries=read.entries)
    return replace(
        polled, outcome="changed", effect=PollOutcome.CHANGED, parsed=parsed, problem=read.problem, children=read.seen
    )


def add_feed(conn: Connection, deps: WebDeps, url: str, **publisher: str | None) -> int | None:
    """Add a feed and queue its first poll at once; None where the address is known already.

    `publisher` has name, family, country, language, kind; the name defaults to the address's host.
    """
    address = urls.canonical(url)
    if address is None:
        raise PermanentError(f"{url!r} is not a web address (http:// or https://)", code="bad-url")
    names = {key: publisher.get(key) for key in ("name", "family", "country", "language", "kind")}
    names["name"] = names["name"] or urls.host(address)
    now = deps.clock.now()
    with conn.transaction():
        publisher_id = row(conn, "feeds.add_publisher", **names).publisher_id
        interval = timedelta(seconds=deps.settings.poll.min_interval)
        added = row(conn, "feeds.add", url=address, publisher_id=publisher_id, title=None, interval=interval, now=now)
        if added is None:
            return None
        rows(conn, "work.add", stage="poll", item_id=added.feed_id, host=urls.host(address), due_at=now)
        return int(added.feed_id)
