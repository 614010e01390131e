"""poll: feeds -> entries and articles. Conditional GET; the next poll is planned from what came back."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.gate import HostGate
from pipeline.adapters.http import FEED_ACCEPT, HttpClient
from pipeline.errors import ClaimwatchError, PermanentError
from pipeline.logic import feeds, schedule, urls
from pipeline.logic.entries import unique
from pipeline.logic.schedule import PollOutcome
from pipeline.model import ParsedFeed, PollState, Response
from pipeline.stages.work import Item, Run, StageReport, WebDeps, begin

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
        items = {item.item_id: item for item in run.claim(limit)}
        if items:
            known = rows(conn, "feeds.to_poll", feed_ids=list(items))
            asyncio.run(_poll_all(run, deps, [(items[feed.feed_id], feed) for feed in known]))
        return run.report


async def _poll_all(run: Run, deps: WebDeps, work: list[tuple[Item, Any]]) -> None:
    gate = HostGate(deps.settings.fetch, deps.starts)
    async with deps.http() as client:

        async def one(item: Item, feed: Any) -> tuple[Item, Any, Polled]:
            return item, feed, await _poll(client, gate, deps, feed)

        for task in asyncio.as_completed([one(item, feed) for item, feed in work]):
            item, feed, polled = await task
            with run.shield(item):
                _store(run, deps, item, feed, polled)


async def _poll(client: HttpClient, gate: HostGate, deps: WebDeps, feed: Any) -> Polled:
    try:
        # A feed is one small request: hosts are spared by concurrency; the delay is for articles.
        async with gate(urls.host(feed.url), 0):
            response = await client.get(
                feed.url,
                etag=feed.etag,
                last_modified=feed.last_modified,
                max_body=deps.settings.poll.max_body,
                accept=FEED_ACCEPT,
            )
        return _read(feed, response)
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


def _store(run: Run, deps: WebDeps, item: Item, feed: Any, polled: Polled) -> None:
    now = deps.clock.now()
    response = polled.response
    moved = None
    if response is not None and response.permanent_url is not None:
        moved = urls.canonical(response.permanent_url)
    plan = schedule.plan(
        PollState(feed.poll_interval, feed.failures, feed.moved_to, feed.moved_sightings),
        outcome=polled.effect,
        now=now,
        settings=deps.settings.poll,
        jitter=_jitter(feed.feed_id, now),
        ttl=polled.parsed.ttl if polled.parsed else None,
        headers=response.headers if response else {},
        permanent_url=moved,
    )
    good = polled.effect in (PollOutcome.CHANGED, PollOutcome.UNCHANGED)
    with run.settling(item):
        if polled.parsed is not None:
            store_entries(run.conn, feed.feed_id, feed.publisher_id, polled.parsed, now)
        new_url = plan.new_url
        if new_url and row(run.conn, "feeds.url_taken", url=new_url, feed_id=feed.feed_id):
            new_url = None  # the address it moved to is polled as a feed of its own
        headers = response.headers if response else {}
        rows(
            run.conn,
            "feeds.polled",
            feed_id=feed.feed_id,
            new_url=new_url,
            state=plan.state if feed.state == "active" else feed.state,
            title=(polled.parsed.title or None) if polled.parsed else None,
            format=polled.parsed.format if polled.parsed else None,
            answered=polled.effect is PollOutcome.CHANGED,
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
            body_hash=polled.body_hash,
            interval=plan.poll.interval,
            failures=plan.poll.failures,
            moved_to=plan.poll.moved_to,
            moved_sightings=plan.poll.moved_sightings,
            now=now,
            success=good,
            outcome=polled.outcome,
            problem=polled.problem,
        )
        if plan.state == "gone":
            run.done(item, polled.outcome, polled.problem)
        else:
            run.again(item, polled.outcome, plan.next_poll_at, polled.problem, fresh=good)


def store_entries(conn: Connection, feed_id: int, publisher_id: int, parsed: ParsedFeed, now: datetime) -> int:
    """Store the entries that are new to this feed; how many. Call inside a transaction."""
    entries = [entry for entry in unique(parsed.entries) if not entry.is_empty]
    keys = [entry.key for entry in entries]
    known = {r.entry_key for r in rows(conn, "feeds.known_keys", feed_id=feed_id, keys=keys)}
    given = []
    for entry in entries:
        if entry.key in known:
            continue
        address = urls.canonical(entry.url) if entry.url else None
        fields = asdict(entry)
        fields["entry_key"] = fields.pop("key")
        published = fields.pop("published")
        fields["published_at"] = published.isoformat() if published else None
        fields["fetchable"] = address is not None
        fields["host"] = urls.host(address) if address else ""
        fields["article_url"] = address or _urn(feed_id, entry.key)
        given.append(fields)
    if not given:
        return 0
    stored = row(conn, "feeds.add_entries", feed_id=feed_id, publisher_id=publisher_id, entries=Jsonb(given), now=now)
    return int(stored.entries)


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
