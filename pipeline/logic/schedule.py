"""When a feed is polled next, decided from what is known of it and what just happened. Pure.

    base     the learned wait (rhythm.py); in a feed's first days the adaptive interval
    asked    the longest of base, ttl and the answer's freshness, at most the ceiling; skipHours and skipDays on top
    failed   base times the weight of failures in a row, at most a day, after many at most a month
    gone     410: once a month

Every wait is at least the floor, and jitter is added to it. Retry-After is honoured over everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from pipeline.logic import rhythm
from pipeline.model import PollPlan, PollState, Wishes
from pipeline.settings import PollSettings

# The bounds of a wait (5 minutes, 24 hours; Miniflux) are PollSettings.min_interval and max_interval.
CHANGED_FACTOR = 0.8  # until the rhythm is known, a feed with news is polled 20 % sooner (news-crawl)
UNCHANGED_FACTOR = 1.5  # and one without 50 % later (news-crawl)
OVERRUN_FACTOR = 0.5  # of the time since the last poll, where the list may have been too short for it
HARD_FAILURE = 1.0  # Media Cloud's weights of failures
SOFT_FAILURE = 0.5  # 404, 429, 5xx: the server is there and may recover
DNS_TEMPORARY_FAILURE = 0.25  # mostly our own resolver's trouble
MANY_FAILURES = 30.0  # beyond, the cap on the delay rises from MAX_DELAY to LONG_DELAY (Media Cloud)
MAX_DELAY = timedelta(hours=24)
LONG_DELAY = timedelta(days=30)  # never stopped for good: a feed that comes back is found within a month
NOW = timedelta(0)
MAX_RETRY_AFTER = timedelta(days=30)
MAX_SKIP = timedelta(days=3)  # skipHours and skipDays are meant for nights and weekends; longer ones are a mistake
MOVED_SIGHTINGS = 2  # a permanent redirect is believed when seen twice in a row
JITTER = 0.15  # at most this part of the delay is added, so that feeds that were asked together drift apart
SKIP_SPREAD = timedelta(minutes=30)  # feeds that skip the same hours are asked within this time after them


class PollOutcome(StrEnum):
    """How a poll ended, as far as the schedule cares."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    HARD = "hard"
    SOFT = "soft"
    DNS_TEMPORARY = "dns-temporary"
    GONE = "gone"


_WEIGHTS = {
    PollOutcome.HARD: HARD_FAILURE,
    PollOutcome.SOFT: SOFT_FAILURE,
    PollOutcome.DNS_TEMPORARY: DNS_TEMPORARY_FAILURE,
}


def of_status(status: int) -> PollOutcome | None:
    """The outcome an HTTP status alone decides; None for 2xx, where the body decides if anything changed."""
    if 200 <= status < 300:
        return None
    if status == 304:
        return PollOutcome.UNCHANGED
    if status == 410:
        return PollOutcome.GONE
    return PollOutcome.SOFT if status in (404, 429) or status >= 500 else PollOutcome.HARD


def of_error(code: str) -> PollOutcome:
    """The outcome of an error that came instead of a response or a readable feed, by its code."""
    return PollOutcome.DNS_TEMPORARY if code == "dns-temporary" else PollOutcome.HARD


def plan(
    state: PollState,
    *,
    outcome: PollOutcome | str,
    now: datetime,
    settings: PollSettings,
    news: Sequence[datetime | None] = (),
    overrun: bool = False,
    wishes: Wishes | None = None,
    headers: Mapping[str, str] | None = None,
    permanent_url: str | None = None,
    jitter: float = 0.0,
) -> PollPlan:
    """The next poll; never nearer than `settings.min_interval`.

    `news` are the dates of the entries that were new; `overrun` says that not one was known, so that others may have
    come and gone since the last poll; `wishes` what the feed asks for, None where it was not read;
    `headers` in lower case; `permanent_url` is where 301/308 alone led at this poll; `jitter` in 0..1, drawn by the
    caller.
    """
    outcome, headers, jitter = PollOutcome(outcome), headers or {}, min(max(jitter, 0.0), 1.0)
    floor = timedelta(seconds=settings.min_interval)
    ceiling = max(floor, timedelta(seconds=settings.max_interval))
    state = replace(
        state,
        interval=min(max(state.interval, floor), ceiling),
        failures=min(max(0.0, state.failures), MANY_FAILURES * 100),
        wishes=state.wishes if wishes is None else wishes,
    )
    new_url, after = None, None
    if outcome in (PollOutcome.CHANGED, PollOutcome.UNCHANGED):
        seen_at = state.seen_at
        state, new_url = _moved(_answered(state, outcome, news, now, floor, ceiling), permanent_url)
        if overrun and seen_at is not None:
            state = replace(state, interval=max(floor, min(state.interval, (now - seen_at) * OVERRUN_FACTOR)))
        # A server's wish lengthens the wait, but a misconfigured one may not silence a feed for a year.
        delay = min(max(state.interval, state.wishes.ttl or floor, _freshness(headers, now)), ceiling)
        after = state.wishes
    elif outcome is PollOutcome.GONE or state.gone:
        state, delay = replace(state, gone=True), LONG_DELAY
    else:
        state = replace(state, failures=state.failures + _WEIGHTS[outcome])
        cap = MAX_DELAY if state.failures <= MANY_FAILURES else LONG_DELAY
        # Never sooner than the feed's own rhythm: trouble is no reason to ask a server more often.
        delay = min(state.interval * max(1.0, state.failures), cap)

    at = now + max(delay * (1 + JITTER * jitter), floor)
    if after is not None:
        at = _allowed(at, after, jitter)
    at = max(at, now + timedelta(seconds=retry_after(headers, now) or 0.0))
    return PollPlan(next_poll_at=at, poll=state, new_url=new_url)


def _answered(
    state: PollState,
    outcome: PollOutcome,
    news: Sequence[datetime | None],
    now: datetime,
    floor: timedelta,
    ceiling: timedelta,
) -> PollState:
    """What is remembered after a good answer: the rhythm with its news, and the interval that follows from it."""
    learned = rhythm.learn(state.rhythm, news, state.seen_at, now)
    base = rhythm.wait(learned, now, ceiling)
    if base is None:
        base = state.interval * (CHANGED_FACTOR if outcome is PollOutcome.CHANGED else UNCHANGED_FACTOR)
    interval = min(max(base, floor), ceiling)
    return replace(state, interval=interval, failures=0.0, gone=False, seen_at=now, rhythm=learned)


def _moved(state: PollState, permanent_url: str | None) -> tuple[PollState, str | None]:
    """Counts the sightings of a permanent redirect; the new address when it is believed."""
    sightings = (state.moved_sightings + 1 if permanent_url == state.moved_to else 1) if permanent_url else 0
    if sightings >= MOVED_SIGHTINGS:
        return replace(state, moved_to=None, moved_sightings=0), permanent_url
    return replace(state, moved_to=permanent_url, moved_sightings=sightings), None


def _allowed(at: datetime, wishes: Wishes, jitter: float) -> datetime:
    """The time itself, or where the feed wants to be left alone then, the next hour when it does not."""
    hour = at.astimezone(UTC)
    if not _skipped(hour, wishes):
        return at
    hour = hour.replace(minute=0, second=0, microsecond=0)
    for ahead in range(1, int(MAX_SKIP / timedelta(hours=1)) + 1):
        later = hour + timedelta(hours=ahead)
        if not _skipped(later, wishes):
            return later + SKIP_SPREAD * jitter
    return at


def _skipped(at: datetime, wishes: Wishes) -> bool:
    return at.hour in wishes.skip_hours or at.weekday() in wishes.skip_days


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds asked for by Retry-After, a number or a date, at most MAX_RETRY_AFTER; None where none is."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,12}(\.\d+)?", value, re.ASCII):
        seconds = float(value)
    else:
        date = _http_date(value)
        if date is None:
            return None
        seconds = (date - now).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER.total_seconds())


def _freshness(headers: Mapping[str, str], now: datetime) -> timedelta:
    """How long the answer stays fresh: Cache-Control max-age less Age, else Expires against Date (RFC 9111, 4.2)."""
    control = headers.get("cache-control", "").lower()
    if re.search(r"\bno-(cache|store)\b", control):
        return timedelta(0)
    age = re.search(r"(?<![\w-])max-age\s*=\s*\"?(\d{1,9})", control)
    if age:
        spent = re.fullmatch(r"\s*(\d{1,9})\s*", headers.get("age", ""), re.ASCII)
        return max(timedelta(0), timedelta(seconds=int(age.group(1)) - (int(spent.group(1)) if spent else 0)))
    expires = _http_date(headers.get("expires", ""))
    if expires is None:
        return timedelta(0)
    return max(timedelta(0), expires - (_http_date(headers.get("date", "")) or now))


def _http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value.strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
