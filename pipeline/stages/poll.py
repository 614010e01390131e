"""poll: feeds -> entries and articles. Conditional GET; the next poll is planned from what came back."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.gate import HostGate
from pipeline.adapters.http import FEED_ACCEPT, HttpClient
from pipeline.errors import ClaimwatchError, PermanentError
from pipeline.logic import feeds, reasons, schedule, urls
from pipeline.logic.schedule import PollOutcome
from pipeline.model import ParsedEntry, ParsedFeed, PollPlan, PollState, Response, Rhythm, Wishes
from pipeline.settings import PollSettings
from pipeline.stages import sitemap_index
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
    children: dict[str, Any] | None = None  # of a sitemap index: see sitemap_index.py; None where none were read


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
        polled = _read(feed, response)
        named = polled.parsed.children if polled.parsed else ()
        if named or (feed.children and polled.effect is PollOutcome.UNCHANGED):
            read = await sitemap_index.read(client, gate, deps.settings.poll.max_body, feed, named)
            polled = _with_children(polled, read)
        return polled
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


def _store(run: Run, deps: WebDeps, item: Item, feed: Any, polled: Polled) -> None:
    """One transaction: the new entries, what the poll left behind, and when the next one is due."""
    now = deps.clock.now()
    good = polled.effect in (PollOutcome.CHANGED, PollOutcome.UNCHANGED)
    with run.settling(item):
        new = store_entries(run.conn, feed, polled.parsed, now) if polled.parsed else []
        plan = _plan(deps.settings.poll, feed, polled, new, now)
        rows(run.conn, "feeds.polled", **_left_behind(run.conn, feed, polled, plan), now=now, success=good)
        run.report.counts["entries"] += len(new)
        run.again(item, polled.outcome, plan.next_poll_at, polled.problem, fresh=good)


def _plan(settings: PollSettings, feed: Any, polled: Polled, new: list[ParsedEntry], now: datetime) -> PollPlan:
    """The schedule's answer for this feed, with its own limits."""
    effect = polled.effect
    if effect is PollOutcome.CHANGED and not new:
        effect = PollOutcome.UNCHANGED  # another date or advertisement in the same list
    parsed, response = polled.parsed, polled.response
    limits = {"min_interval": feed.min_interval, "max_interval": feed.max_interval}
    own = {name: limit.total_seconds() for name, limit in limits.items() if limit is not None}
    return schedule.plan(
        _state(feed),
        outcome=effect,
        now=now,
        settings=settings.model_copy(update=own),
        news=[entry.published for entry in new],
        overrun=parsed is not None and bool(new) and len(new) == len(parsed.entries),
        wishes=Wishes(parsed.ttl, parsed.skip_hours, parsed.skip_days) if parsed else None,
        headers=response.headers if response else {},
        permanent_url=urls.canonical(response.permanent_url) if response and response.permanent_url else None,
        jitter=_jitter(feed.feed_id, now),
    )


def _state(feed: Any) -> PollState:
    return PollState(
        interval=feed.poll_interval,
        failures=feed.failures,
        moved_to=feed.moved_to,
        moved_sightings=feed.moved_sightings,
        gone=feed.state == "gone",
        seen_at=feed.last_success_at,
        rhythm=Rhythm(tuple(feed.rhythm), feed.rhythm_since),
        wishes=Wishes(feed.ttl, frozenset(feed.skip_hours), frozenset(feed.skip_days)),
    )


def _left_behind(conn: Connection, feed: Any, polled: Polled, plan: PollPlan) -> dict[str, Any]:
    """What is written to the feed's row."""
    headers = polled.response.headers if polled.response else {}
    after, parsed = plan.poll, polled.parsed
    new_url = plan.new_url
    if new_url and row(conn, "feeds.url_taken", url=new_url, feed_id=feed.feed_id):
        new_url = None  # the address it moved to is polled as a feed of its own
    return {
        "feed_id": feed.feed_id,
        "new_url": new_url,
        "state": _next_state(feed.state, after.gone),
        "title": (parsed.title or None) if parsed else None,
        "format": parsed.format if parsed else None,
        "answered": polled.effect is PollOutcome.CHANGED,
        "etag": headers.get("etag"),
        "last_modified": headers.get("last-modified"),
        "body_hash": polled.body_hash,
        "interval": after.interval,
        "failures": after.failures,
        "moved_to": after.moved_to,
        "moved_sightings": after.moved_sightings,
        "rhythm": list(after.rhythm.counts),
        "rhythm_since": after.rhythm.since,
        "ttl": after.wishes.ttl,
        "skip_hours": sorted(after.wishes.skip_hours),
        "skip_days": sorted(after.wishes.skip_days),
        "children": Jsonb(feed.children if polled.children is None else polled.children),
        "outcome": polled.outcome,
        "problem": polled.problem,
        "reason": _reason(polled, plan),
    }


def _next_state(state: str, gone: bool) -> str:
    """A poll may find a feed gone, or back; what a person has set stays."""
    return state if state not in ("active", "gone") else "gone" if gone else "active"


def _reason(polled: Polled, plan: PollPlan) -> str | None:
    if polled.effect in (PollOutcome.CHANGED, PollOutcome.UNCHANGED):
        return None
    until = plan.next_poll_at if "retry-after" in (polled.response.headers if polled.response else {}) else None
    return str(reasons.explain(polled.outcome, polled.problem or "", until=until))


def store_entries(conn: Connection, feed: Any, parsed: ParsedFeed, now: datetime) -> list[ParsedEntry]:
    """Store the entries that are new to this feed; which. Call inside a transaction."""
    keys = [entry.key for entry in parsed.entries]
    known = {r.entry_key for r in rows(conn, "feeds.known_keys", feed_id=feed.feed_id, keys=keys)}
    new = [entry for entry in parsed.entries if entry.key not in known]
    if new:
        given = Jsonb([_given(feed, entry, parsed.language) for entry in new])
        row(
            conn,
            "feeds.add_entries",
            feed_id=feed.feed_id,
            publisher_id=feed.publisher_id,
            entries=given,
            now=now,
        )
    return new


def _given(feed: Any, entry: ParsedEntry, language: str | None) -> dict[str, Any]:
    """An entry as feeds.add_entries takes it."""
    address = urls.canonical(entry.url) if entry.url else None
    fields = asdict(entry)
    fields["entry_key"] = fields.pop("key")
    published = fields.pop("published")
    fields["published_at"] = published.isoformat() if published else None
    fields["language"] = feed.language or entry.language or language
    fields["fetchable"] = address is not None and feed.read_pages
    fields["host"] = urls.host(address) if address else ""
    fields["article_url"] = address or _urn(feed.feed_id, entry.key)
    return fields


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
