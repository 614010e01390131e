"""Whether a claim event is told to a reader as it happens, when, and why not. Pure; docs/alerts.md says it in words.

An alert is worth having when it is rare: of what happens to a claim after a reader has been told of it, only what is
new in kind is mailed at once. The rest is kept for the next mail on the claim, and digests tell all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.logic.tracking import DAY, Event, quiet_time, span

# What a mail that tells several events leads with, and the order of a digest.
WEIGHT = (
    "first_seen",
    "contradiction",
    "new_maximum",
    "new_minimum",
    "new_origin",
    "surge",
    "fresh_coverage",
    "first_official_figure",
    "edited",
    "figure_edited",
    "figures_disagree",
    "silence",
)
# Told even to a reader who has just heard of the claim: what nobody had said before, and what puts right what was told.
NEW_IN_KIND = frozenset(
    {"first_seen", "new_origin", "new_maximum", "new_minimum", "first_official_figure", "edited", "figure_edited"}
)


@dataclass(frozen=True)
class News:
    """A claim event as a reader may be told of it. `probability` is that of the story's best evidence."""

    event_id: int
    event: Event
    claim_id: str
    topic_id: str
    happened_at: datetime
    probability: float | None = None  # None: it rests on no story
    languages: frozenset[str] = frozenset()  # of the articles that tell the story


@dataclass(frozen=True)
class Wishes:
    """What a subscription asks for, beyond what it is about."""

    rhythm: str = "instant"
    hour: int = 8
    weekday: int = 1  # of a weekly digest, 1 is Monday
    zone: str = "UTC"
    quiet_from: time | None = None
    quiet_until: time | None = None
    min_probability: float | None = None
    languages: frozenset[str] | None = None
    paused_until: datetime | None = None


@dataclass(frozen=True)
class Told:
    """What a reader has been told of a claim last: when that had happened."""

    happened_at: datetime


@dataclass(frozen=True)
class Decision:
    """`decision` is told, held or skipped; a mail that tells it is due at `due_at`."""

    decision: str
    reason: str
    due_at: datetime | None = None


def decide(news: News, wishes: Wishes, told: Told | None, stories: Sequence[datetime], now: datetime) -> Decision:
    """What becomes of an event for one instant subscription. `stories` are the claim's publication times, in order."""
    if wishes.paused_until is not None and now < wishes.paused_until:
        return Decision("skipped", f"paused until {wishes.paused_until:%-d %B %Y, %H:%M} UTC")
    beside = unasked(news, wishes)
    if beside is not None:
        return Decision("skipped", beside)
    kept = _cooling(news, told, stories)
    if kept is not None:
        return Decision("held", kept)
    due_at = after_quiet(wishes, now)
    reason = "sent at once" if due_at == now else f"waits for the end of the reader's quiet hours, {due_at:%H:%M} UTC"
    return Decision("told", reason, due_at)


def unasked(news: News, wishes: Wishes) -> str | None:
    """Why the subscription does not ask for it; None where it does."""
    # Both come from the database in single precision: 0.9 asked for is 0.9 reached.
    least = round(wishes.min_probability or 0.0, 6)
    if news.probability is not None and round(news.probability, 6) < least:
        return f"probability {news.probability:.2f}, below the {least:.2f} asked for"
    if wishes.languages and news.probability is not None and not news.languages & wishes.languages:
        spoken = ", ".join(sorted(news.languages)) or "an unknown language"
        return f"reported in {spoken}, not in {', '.join(sorted(wishes.languages))}"
    return None


def is_new_in_kind(event: Event) -> bool:
    """Whether nothing like it has been said of the claim before."""
    return event.kind in NEW_IN_KIND or (event.kind == "contradiction" and event.key.startswith("first/"))


def _cooling(news: News, told: Told | None, stories: Sequence[datetime]) -> str | None:
    """Why a reader who heard of the claim lately need not hear of this at once."""
    if told is None or is_new_in_kind(news.event):
        return None
    since, cooldown = abs(news.happened_at - told.happened_at), quiet_time(stories)
    if since >= cooldown:
        return None
    return f"{span(since)} after what was told last; this claim rests for {span(cooldown)}"


def wanted_from(wishes: Wishes, now: datetime) -> datetime:
    """When a mail that is ready may go out: after a pause and quiet hours; a digest has an hour of its own."""
    at = max(now, wishes.paused_until or now)
    return after_quiet(wishes, at) if wishes.rhythm == "instant" else at


def after_quiet(wishes: Wishes, now: datetime) -> datetime:
    """`now`, or the end of the reader's quiet hours where it falls into them."""
    if wishes.quiet_from is None or wishes.quiet_until is None or wishes.quiet_from == wishes.quiet_until:
        return now
    zone = ZoneInfo(wishes.zone)
    local = now.astimezone(zone)
    begin, end, at = wishes.quiet_from, wishes.quiet_until, local.time().replace(tzinfo=None)
    if begin < end:
        within, day = begin <= at < end, local.date()
    else:  # over midnight
        within, day = at >= begin or at < end, local.date() + (DAY if at >= begin else timedelta(0))
    return max(now, _moment(day, end, zone)) if within else now


def next_digest(wishes: Wishes, after: datetime) -> datetime:
    """The first moment later than `after` at which the digest is due, by the reader's clock."""
    zone = ZoneInfo(wishes.zone)
    day, hour = after.astimezone(zone).date(), time(wishes.hour)
    for _ in range(9):  # a day or a week on, and one for a clock that was put back
        if wishes.rhythm != "weekly" or day.isoweekday() == wishes.weekday:
            at = _moment(day, hour, zone)
            if at > after:
                return at
        day += DAY
    raise ValueError(f"no digest hour within a week of {after}")


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A time on a reader's clock; one that summer time leaves out is the moment at which it would have been."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def by_weight(events: Sequence[Event]) -> list[Event]:
    """What matters most first; kinds that no mail leads with last."""
    return sorted(events, key=lambda e: WEIGHT.index(e.kind) if e.kind in WEIGHT else len(WEIGHT))
