"""When a feed is polled next, decided from what is known of it and what just happened. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from pipeline.model import PollPlan, PollState
from pipeline.settings import PollSettings

# The interval's bounds (5 minutes, 24 hours; Miniflux) are PollSettings.min_interval and max_interval.
CHANGED_FACTOR = 0.8  # a feed with news is polled 20 % sooner (news-crawl)
UNCHANGED_FACTOR = 1.5  # one without 50 % later (news-crawl)
HARD_FAILURE = 1.0  # Media Cloud's weights of failures
SOFT_FAILURE = 0.5  # 404, 429, 5xx: the server is there and may recover
DNS_TEMPORARY_FAILURE = 0.25  # mostly our own resolver's trouble
MANY_FAILURES = 30.0  # beyond, the cap on the delay rises from MAX_DELAY to LONG_DELAY (Media Cloud)
MAX_DELAY = timedelta(hours=24)
LONG_DELAY = timedelta(days=30)  # never stopped for good: a feed that comes back is found within a month
MAX_RETRY_AFTER = timedelta(days=30)
MOVED_SIGHTINGS = 2  # a permanent redirect is believed when seen twice in a row
JITTER = 0.1  # at most this part of the delay is added, so that feeds added together drift apart


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
    ttl: timedelta | None = None,
    headers: Mapping[str, str] | None = None,
    permanent_url: str | None = None,
    jitter: float = 0.0,
) -> PollPlan:
    """The next poll. `headers` in lower case; `jitter` in 0..1, drawn by the caller; `permanent_url` is where
    301/308 alone led at this poll. The next poll is never nearer than `settings.min_interval`.
    """
    outcome = PollOutcome(outcome)
    headers = headers or {}
    floor = timedelta(seconds=settings.min_interval)
    ceiling = max(floor, timedelta(seconds=settings.max_interval))
    interval = min(max(state.interval, floor), ceiling)
    failures = max(0.0, state.failures)
    moved_to, sightings, new_url = state.moved_to, state.moved_sightings, None

    if outcome in (PollOutcome.CHANGED, PollOutcome.UNCHANGED):
        factor = CHANGED_FACTOR if outcome is PollOutcome.CHANGED else UNCHANGED_FACTOR
        interval = min(max(interval * factor, floor), ceiling)
        # A server's wish lengthens the wait, but a misconfigured one may not silence a feed for a year.
        delay = min(max(interval, ttl or floor, _freshness(headers, now)), ceiling)
        failures = 0.0
        sightings = (sightings + 1 if permanent_url == moved_to else 1) if permanent_url else 0
        moved_to = permanent_url
        if moved_to is not None and sightings >= MOVED_SIGHTINGS:
            new_url, moved_to, sightings = moved_to, None, 0
    elif outcome is PollOutcome.GONE:
        delay = LONG_DELAY
    else:
        failures += _WEIGHTS[outcome]
        cap = MAX_DELAY if failures <= MANY_FAILURES else LONG_DELAY
        # Never sooner than the feed's own rhythm: trouble is no reason to ask a server more often.
        seconds = min(interval.total_seconds() * max(1.0, failures), cap.total_seconds())
        delay = timedelta(seconds=seconds)

    delay = max(delay * (1 + JITTER * min(max(jitter, 0.0), 1.0)), floor)
    delay = max(delay, timedelta(seconds=retry_after(headers, now) or 0.0))
    return PollPlan(
        next_poll_at=now + delay,
        poll=PollState(interval, failures, moved_to, sightings),
        state="gone" if outcome is PollOutcome.GONE else "active",
        new_url=new_url,
    )


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
    """How long the server calls its answer fresh: Cache-Control max-age, else Expires against Date."""
    control = headers.get("cache-control", "").lower()
    if re.search(r"\bno-(cache|store)\b", control):
        return timedelta(0)
    age = re.search(r"(?<![\w-])max-age\s*=\s*\"?(\d{1,9})", control)
    if age:
        return timedelta(seconds=int(age.group(1)))
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
