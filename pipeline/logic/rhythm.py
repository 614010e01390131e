"""When a feed's news usually come, and how long to wait for the next. Pure.

New entries are counted by hour of the day (UTC), and a count loses half its weight in HALF_LIFE. From the counts comes
a rate for each hour, λ(t) entries an hour, and from the rate the wait until the next poll: as long as

    PACE = integral of sqrt(λ(t)) dt from now on.

The root is what makes a number of polls worth most. A feed that is asked every T hours shows its news T/2 late on
average, λT/2 hours of lateness an hour for 1/T requests; for a fixed number of requests the sum of lateness over all
feeds and hours is least where T goes with 1/sqrt(λ). A feed with four entries an hour is asked every half hour, one
with an entry a day every five hours, and at night, when an hour brings a tenth of the usual, a third as often.
`make bench-schedule` measures it beside a fixed interval and the plain adaptive rule; halving or doubling HALF_LIFE and
PRIOR, a count apart for weekends and one for each hour of the week made no difference there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pipeline.model import Rhythm

HOURS = 24
HALF_LIFE = timedelta(days=14)
LEARNING = timedelta(days=3)  # before, too few hours were seen twice
PACE = 1.0  # in sqrt(entries * hours)
PRIOR = 8.0  # entries, spread evenly over the day: a few entries make no pattern
_HOUR = timedelta(hours=1)
_LN2 = math.log(2)
_MOST = 1e6  # a count's bound, far above any feed's


def learn(rhythm: Rhythm, news: Sequence[datetime | None], seen_at: datetime | None, now: datetime) -> Rhythm:
    """The rhythm after a poll that was answered well. `news` are the dates of the entries that are new since `seen_at`.

    A date that lies elsewhere than between the two polls says nothing about when the entry came, so it is spread over
    the hours between. The first poll's entries count for nothing: they are a list's length, not a rate.
    """
    if seen_at is None or rhythm.since is None or not _valid(rhythm) or rhythm.since > now:
        return Rhythm((0.0,) * HOURS, now)
    elapsed = max(timedelta(0), now - seen_at)
    fade = 0.5 ** (elapsed / HALF_LIFE)
    counts = [count * fade for count in rhythm.counts]
    between = max(1, min(HOURS, math.ceil(elapsed / _HOUR)))
    for date in news:
        if date is not None and seen_at < date <= now:
            counts[date.astimezone(UTC).hour] += 1
        else:
            for back in range(between):
                counts[(now.hour - back) % HOURS] += 1 / between
    return Rhythm(tuple(round(min(count, _MOST), 4) for count in counts), rhythm.since)


def wait(rhythm: Rhythm, now: datetime, longest: timedelta) -> timedelta | None:
    """How long to wait for the next poll, at most `longest`; None while too little is known."""
    rates = hourly(rhythm, now)
    if rates is None:
        return None
    left, at, end = PACE, now, now + longest
    while at < end:
        until = min(at.replace(minute=0, second=0, microsecond=0) + _HOUR, end)
        pace = math.sqrt(rates[at.hour])
        part = pace * ((until - at) / _HOUR)
        if left <= part:
            return at - now + left / pace * _HOUR
        left, at = left - part, until
    return longest


def hourly(rhythm: Rhythm, now: datetime) -> list[float] | None:
    """Entries to be expected in each hour of the day; None while too little is known."""
    if not _valid(rhythm) or rhythm.since is None or now - rhythm.since < LEARNING:
        return None
    counts = rhythm.counts
    # Neighbouring hours lend each other: news do not keep to the hour.
    smooth = [(counts[h - 1] + 2 * counts[h] + counts[(h + 1) % HOURS]) / 4 for h in range(HOURS)]
    total, days = sum(counts), _days(rhythm.since, now)
    shares = [(count + PRIOR / HOURS) / (total + PRIOR) for count in smooth]
    return [(total + 0.5) / (days + 0.5) * share for share in shares]  # half an entry in half a day, before any is seen


def per_week(rhythm: Rhythm, now: datetime) -> float | None:
    """Entries a week at the learned rate."""
    rates = hourly(rhythm, now)
    return None if rates is None else sum(rates) * 7


def sparkline(rhythm: Rhythm, now: datetime) -> str:
    """The day as 24 small bars, from 0 to 23 h UTC; empty while too little is known."""
    rates = hourly(rhythm, now)
    if not rates:
        return ""
    bars = "▁▂▃▄▅▆▇█"
    return "".join(bars[min(len(bars) - 1, int(rate / max(rates) * len(bars)))] for rate in rates)


def _valid(rhythm: Rhythm) -> bool:
    return len(rhythm.counts) == HOURS and all(0 <= count <= _MOST for count in rhythm.counts)


def _days(since: datetime, now: datetime) -> float:
    """Days observed, older ones counting less, as their entries do."""
    half = HALF_LIFE.total_seconds()
    fade: float = 0.5 ** ((now - since).total_seconds() / half)
    return (1 - fade) * half / _LN2 / 86400
