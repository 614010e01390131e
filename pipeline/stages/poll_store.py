"""What polls brought is stored many at a time, in one transaction: entries, articles, when each feed is due again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
import structlog
from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, execute_many, row, rows
from pipeline.errors import ClaimwatchError
from pipeline.logic import reasons, schedule, urls
from pipeline.logic.entries import unique
from pipeline.logic.schedule import PollOutcome
from pipeline.model import ParsedEntry, ParsedFeed, PollPlan, PollState, Response, Rhythm, Wishes
from pipeline.settings import PollSettings
from pipeline.stages import captures
from pipeline.stages.work import Item, LeaseLost, Postponed, Run, WebDeps

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
    children: dict[str, Any] | None = None  # of a sitemap index: see sitemap_index.py; None where none were read


@dataclass(frozen=True)
class Poll:
    """One feed (a row of feeds.to_poll) and what its poll brought."""

    item: Item
    feed: Any
    polled: Polled


def store(run: Run, deps: WebDeps, polls: list[Poll]) -> None:
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
    news = store_entries(run.conn, deps, polls, now)
    states, postponed = [], []
    for poll, new in zip(polls, news, strict=True):
        polled, plan = poll.polled, _plan(deps.settings.poll, poll.feed, poll.polled, new, now)
        states.append(_left_behind(run.conn, poll.feed, polled, plan, now))
        fresh = polled.effect in _GOOD
        postponed.append(Postponed(poll.item, polled.outcome, plan.next_poll_at, polled.problem, fresh))
    execute_many(run.conn, "feeds.polled", states)
    run.report.counts["entries"] += sum(map(len, news))
    run.all_again(postponed)


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
        overrun=parsed is not None and bool(new) and len(new) == len(_usable(parsed)),
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


def _left_behind(conn: Connection, feed: Any, polled: Polled, plan: PollPlan, now: datetime) -> dict[str, Any]:
    """What is written to the feed's row."""
    headers = polled.response.headers if polled.response else {}
    after, parsed = plan.poll, polled.parsed
    new_url = plan.new_url
    if new_url and row(conn, "feeds.url_taken", url=new_url, feed_id=feed.feed_id):
        after = replace(after, moved_to=new_url)  # a feed of its own: `feeds show` tells, and a person decides
        new_url = None
    return {
        "feed_id": feed.feed_id,
        "new_url": new_url,
        "state": _next_state(feed.state, after.gone),
        "title": (parsed.title or None) if parsed else None,
        "format": parsed.format if parsed else None,
        "answered": polled.effect is PollOutcome.CHANGED,
        "full": polled.response is not None and 200 <= polled.response.status < 300,
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
        "now": now,
        "success": polled.effect in _GOOD,
    }


def _next_state(state: str, gone: bool) -> str:
    """A poll may find a feed gone, or back; what a person has set stays."""
    return state if state not in ("active", "gone") else "gone" if gone else "active"


def _reason(polled: Polled, plan: PollPlan) -> str | None:
    if polled.effect in _GOOD:
        return None
    until = plan.next_poll_at if "retry-after" in (polled.response.headers if polled.response else {}) else None
    return str(reasons.explain(polled.outcome, polled.problem or "", until=until))


def store_entries(conn: Connection, deps: WebDeps, polls: list[Poll], now: datetime) -> list[list[ParsedEntry]]:
    """Store the entries that are new to their feed, and the documents that brought them; the new ones of each poll. A
    document that differs in a date or an advertisement alone proves nothing, and is not kept.
    """
    listed = [_usable(poll.polled.parsed) if poll.polled.parsed else [] for poll in polls]
    keys = [
        {"feed_id": poll.feed.feed_id, "entry_key": entry.key}
        for poll, entries in zip(polls, listed, strict=True)
        for entry in entries
    ]
    known = {(r.feed_id, r.entry_key) for r in rows(conn, "feeds.known_keys", entries=Jsonb(keys))} if keys else set()
    news = [
        [entry for entry in entries if (poll.feed.feed_id, entry.key) not in known]
        for poll, entries in zip(polls, listed, strict=True)
    ]
    captured = _captured(conn, deps, [poll for poll, new in zip(polls, news, strict=True) if new])
    given = [
        {**_given(poll.feed, entry), "capture_id": captured.get(poll.feed.feed_id)}
        for poll, new in zip(polls, news, strict=True)
        for entry in new
    ]
    if given:
        given = [{**entry, "place": place} for place, entry in enumerate(given)]
        rows(conn, "feeds.add_entries", entries=Jsonb(given), now=now)
    return news


def _captured(conn: Connection, deps: WebDeps, polls: list[Poll]) -> dict[int, int]:
    """The documents in the archive: feed to capture."""
    if not deps.settings.archive.feeds:
        return {}
    answered = [(poll.feed, poll.polled.response) for poll in polls if poll.polled.response]
    kept = {feed.feed_id: captures.feed(deps, feed, response) for feed, response in answered}
    return dict(zip(kept, captures.add_all(conn, list(kept.values())), strict=True)) if kept else {}


def _usable(parsed: ParsedFeed) -> list[ParsedEntry]:
    return [entry for entry in unique(parsed.entries) if not entry.is_empty]


def _given(feed: Any, entry: ParsedEntry) -> dict[str, Any]:
    """An entry as feeds.add_entries takes it."""
    address = urls.canonical(entry.url) if entry.url else None
    return {
        "feed_id": feed.feed_id,
        "publisher_id": feed.publisher_id,
        "entry_key": entry.key,
        "address": address or _urn(feed.feed_id, entry.key),
        "host": urls.host(address) if address else "",
        "fetchable": address is not None and feed.read_pages,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "content": entry.content,
        "author": entry.author,
        "source": entry.source,
        "source_url": entry.source_url,
        "language": feed.language or entry.language,
        "published_at": entry.published.isoformat() if entry.published else None,
    }


def _urn(feed_id: int, key: str) -> str:
    return f"urn:claimwatch:{feed_id}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _jitter(feed_id: int, now: datetime) -> float:
    """0 to 1, different for each feed and poll, the same when a poll is repeated after a crash."""
    seed = hashlib.sha256(f"{feed_id} {now.isoformat()}".encode()).digest()
    return int.from_bytes(seed[:4], "big") / 2**32
