"""poll: feeds -> entries and articles. Conditional GET; the next poll is planned from what came back."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, execute_many, row, rows
from pipeline.adapters.gate import NotItsTurn
from pipeline.adapters.http import FEED_ACCEPT
from pipeline.adapters.web import Web
from pipeline.errors import ClaimwatchError, PermanentError
from pipeline.logic import feeds, schedule, urls
from pipeline.logic.entries import unique
from pipeline.logic.schedule import PollOutcome
from pipeline.model import ParsedEntry, ParsedFeed, PollPlan, PollState, Response
from pipeline.stages import captures
from pipeline.stages.visits import polite, put_back, turns
from pipeline.stages.work import Item, LeaseLost, Postponed, Run, StageReport, WebDeps, begin

STORED_TOGETHER = 25  # feeds a transaction: one feed alone costs the database six times as much
FULL_AFTER = timedelta(hours=24)  # without the whole feed, whatever its ETag says
_GOOD = (PollOutcome.CHANGED, PollOutcome.UNCHANGED)

log = structlog.get_logger()


@dataclass(frozen=True)
class Polled:
    """One poll's result: `outcome` is the word that is recorded, `effect` what it means for the schedule."""

    outcome: str
    effect: PollOutcome
    response: Response | None = None
    parsed: ParsedFeed | None = None
    problem: str | None = None
    body_hash: bytes | None = None


def run(conn: Connection, deps: WebDeps, limit: int, *, shard: int = 0, shards: int = 1) -> StageReport:
    """Poll up to `limit` due feeds."""
    with begin(conn, deps, "poll", shard=shard, shards=shards) as run:
        items = {item.item_id: item for item in run.claim(limit, turns(deps.settings.poll.host_delay))}
        if items:
            deps.archive.ready()
            known = rows(conn, "feeds.to_poll", feed_ids=list(items))
            asyncio.run(_poll_all(run, deps, [(items[feed.feed_id], feed) for feed in known]))
        return run.report


@dataclass(frozen=True)
class Poll:
    """One feed and what its poll brought."""

    item: Item
    feed: Any
    polled: Polled


async def _poll_all(run: Run, deps: WebDeps, work: list[tuple[Item, Any]]) -> None:
    waiting: list[Poll] = []
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
                _store_all(run, deps, waiting)
                waiting = []
    _store_all(run, deps, waiting)


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
        return _read(feed, response)
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
        headers = response.headers
        parsed = feeds.parse(response.body, headers.get("content-type"), response.url, headers.get("content-language"))
    except PermanentError as error:
        return Polled(error.code, PollOutcome.HARD, response, problem=str(error))
    return Polled("changed", PollOutcome.CHANGED, response, parsed, parsed.problem, body_hash)


def _store_all(run: Run, deps: WebDeps, polls: list[Poll]) -> None:
    """Together, in one transaction; where that fails, one by one, so that the one that can't be stored stays alone."""
    try:
        with run.storing(), deps.archive.together():
            _store(run, deps, polls)
    except LeaseLost:
        pass
    except (ClaimwatchError, psycopg.OperationalError):
        raise
    except Exception as error:
        log.warning("stored one by one", feeds=len(polls), reason=f"{type(error).__name__}: {error}")
    else:
        return
    for poll in polls:
        with run.shield(poll.item), run.settling(poll.item):
            _store(run, deps, [poll])


def _store(run: Run, deps: WebDeps, polls: list[Poll]) -> None:
    now = deps.clock.now()
    _store_entries(run.conn, deps, polls, now)
    states, postponed = [], []
    for poll in polls:
        feed, polled = poll.feed, poll.polled
        plan = _plan(deps, feed, polled, now)
        states.append(_state(run.conn, feed, polled, plan, now))
        if plan.state == "gone":
            run.done(poll.item, polled.outcome, polled.problem)
        else:
            fresh = polled.effect in _GOOD
            postponed.append(Postponed(poll.item, polled.outcome, plan.next_poll_at, polled.problem, fresh))
    execute_many(run.conn, "feeds.polled", states)
    if postponed:
        run.all_again(postponed)


def _plan(deps: WebDeps, feed: Any, polled: Polled, now: datetime) -> PollPlan:
    response = polled.response
    moved = None
    if response is not None and response.permanent_url is not None:
        moved = urls.canonical(response.permanent_url)
    return schedule.plan(
        PollState(feed.poll_interval, feed.failures, feed.moved_to, feed.moved_sightings),
        outcome=polled.effect,
        now=now,
        settings=deps.settings.poll,
        jitter=_jitter(feed.feed_id, now),
        ttl=polled.parsed.ttl if polled.parsed else None,
        headers=response.headers if response else {},
        permanent_url=moved,
    )


def _state(conn: Connection, feed: Any, polled: Polled, plan: PollPlan, now: datetime) -> dict[str, Any]:
    """What the poll leaves behind in the feed's row."""
    new_url = plan.new_url
    if new_url and row(conn, "feeds.url_taken", url=new_url, feed_id=feed.feed_id):
        new_url = None  # the address it moved to is polled as a feed of its own
    headers = polled.response.headers if polled.response else {}
    return {
        "feed_id": feed.feed_id,
        "new_url": new_url,
        "state": plan.state if feed.state == "active" else feed.state,
        "title": (polled.parsed.title or None) if polled.parsed else None,
        "format": polled.parsed.format if polled.parsed else None,
        "answered": polled.effect is PollOutcome.CHANGED,
        "full": polled.response is not None and 200 <= polled.response.status < 300,
        "etag": headers.get("etag"),
        "last_modified": headers.get("last-modified"),
        "body_hash": polled.body_hash,
        "interval": plan.poll.interval,
        "failures": plan.poll.failures,
        "moved_to": plan.poll.moved_to,
        "moved_sightings": plan.poll.moved_sightings,
        "now": now,
        "success": polled.effect in _GOOD,
        "outcome": polled.outcome,
        "problem": polled.problem,
    }


def _store_entries(conn: Connection, deps: WebDeps, polls: list[Poll], now: datetime) -> None:
    """Store the entries that are new to their feed, and the documents that brought them. A document that differs in a
    date or an advertisement alone proves nothing, and is not kept.
    """
    listed = [(poll, _usable(poll.polled.parsed)) for poll in polls if poll.polled.parsed]
    keys = [{"feed_id": poll.feed.feed_id, "entry_key": entry.key} for poll, entries in listed for entry in entries]
    known = {(r.feed_id, r.entry_key) for r in rows(conn, "feeds.known_keys", entries=Jsonb(keys))} if keys else set()
    given: list[dict[str, Any]] = []
    for poll, entries in listed:
        feed, response, capture_id = poll.feed, poll.polled.response, None
        new = [entry for entry in entries if (feed.feed_id, entry.key) not in known]
        if new and response is not None and deps.settings.archive.feeds:
            capture_id = captures.add(conn, captures.feed(deps, feed, response))
        given += [{**_given(feed, entry), "capture_id": capture_id} for entry in new]
    if given:
        given = [{**entry, "place": place} for place, entry in enumerate(given)]
        rows(conn, "feeds.add_entries", entries=Jsonb(given), now=now)


def _usable(parsed: ParsedFeed) -> list[ParsedEntry]:
    return [entry for entry in unique(parsed.entries) if not entry.is_empty]


def _given(feed: Any, entry: ParsedEntry) -> dict[str, Any]:
    address = urls.canonical(entry.url) if entry.url else None
    return {
        "feed_id": feed.feed_id,
        "publisher_id": feed.publisher_id,
        "entry_key": entry.key,
        "address": address or _urn(feed.feed_id, entry.key),
        "host": urls.host(address) if address else "",
        "fetchable": address is not None,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "content": entry.content,
        "author": entry.author,
        "source": entry.source,
        "source_url": entry.source_url,
        "language": entry.language,
        "published_at": entry.published.isoformat() if entry.published else None,
    }


def _urn(feed_id: int, key: str) -> str:
    return f"urn:claimwatch:{feed_id}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _jitter(feed_id: int, now: datetime) -> float:
    """0 to 1, different for each feed and poll, the same when a poll is repeated after a crash."""
    seed = hashlib.sha256(f"{feed_id} {now.isoformat()}".encode()).digest()
    return int.from_bytes(seed[:4], "big") / 2**32


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
