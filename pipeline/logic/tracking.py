"""What happens to a claim: events from plain values. Pure; the clock is an argument.

A claim's past is the publication times of its stories. The same past and report give the same events, in whatever
batches they came; docs/tracking.md says in words what each kind means.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import SequenceMatcher
from itertools import pairwise
from statistics import median

from pipeline.logic.coverage import counted

DAY = timedelta(days=1)

COVERAGE = frozenset({"first_seen", "fresh_coverage", "new_story", "archive"})  # each story brings one of these
SAYS = frozenset({"supports", "refutes"})  # stances that take a side
# What may be mailed as it happens; logic/news decides for each reader.
MAILED = frozenset(
    {
        "first_seen",
        "fresh_coverage",
        "surge",
        "contradiction",
        "silence",
        "edited",
        "new_origin",
        "new_maximum",
        "new_minimum",
        "first_official_figure",
        "figure_edited",
    }
)

# Quiet: three times the claim's usual gap between stories. Were stories independent, a gap of that length would be
# one in eight (the median gap is 0.69 of the mean: e^-2.1); with fewer gaps than three there is no rhythm to speak of.
RHYTHM = 20  # gaps that count, the latest: a rhythm of last winter says nothing of today
RHYTHM_MIN = 3
QUIET_FACTOR = 3
QUIET_DEFAULT = timedelta(days=4)  # between floor and ceiling, for a claim without a rhythm yet
QUIET_FLOOR = timedelta(days=2)  # a report's own follow-ups and translations come within two days
QUIET_CEILING = timedelta(days=7)  # after a week any story is news; whoever is away for a week misses none

# Surge: a count that the claim's own rate would bring on one day in a thousand, about once in three years.
SURGE_TAIL = 0.001
SURGE_MIN = 4  # stories in a day; fewer are one event with its follow-ups
SURGE_FACTOR = 3  # and "far above" in plain words too, where a high rate makes small excesses rare
SURGE_BASE = timedelta(days=28)  # the past that the rate comes from: four weeks, so that weekends average out
SURGE_BASE_MIN = timedelta(days=7)
SURGE_PRIOR = 0.5  # stories added to the base, so that an empty past is no rate of zero

# Contradiction: by how many publisher families the other side has to lead before the balance has turned. With one it
# would turn back and forth with every report.
TURN_LEAD = 2

# Silence: the claim's own rate makes so long a time without a story a chance of one in a hundred, and it is longer
# than any of the claim's last gaps, counted in days with stories. Only days on which feeds were read count.
SILENCE_CHANCE = 0.01
SILENCE_MIN_DAYS = 5  # days with stories; with fewer, a burst for instance, nothing is to be expected
SILENCE_FLOOR = 3  # days, a long weekend
SILENCE_CEILING = 60  # days: where the rate is too low to expect a story in two months, quiet is all one can say
UP_SHARE = 0.5  # of a day's polls, or of the claim's own sources, that have to succeed

SIMILAR = 0.5  # from this ratio on a sentence is the old one changed, not another one


@dataclass(frozen=True)
class Event:
    """`key` makes it one of its kind for the claim; `reason` says it in plain words, `headline` in a few."""

    kind: str
    key: str
    reason: str
    headline: str = ""  # as a subject tells it: "NIS now says about 600, was 300"

    @property
    def mailed(self) -> bool:
        return self.kind in MAILED


@dataclass(frozen=True)
class Report:
    """A story as one accepted match shows it. `fresh`: published within the freshness window."""

    story_id: int
    published: datetime
    fresh: bool
    stance: str
    publisher: str
    family: str


@dataclass(frozen=True)
class Past:
    """A claim's stories before a report: publication times in order. `told`: readers have heard of it before.

    `alike` is when the latest evidence was published that says what the report says: that supports the claim, or denies
    it. None where there is none, or where that is not asked.
    """

    stories: Sequence[datetime]
    told: bool = False
    last_surge: datetime | None = None
    alike: datetime | None = None


@dataclass(frozen=True)
class Voice:
    """A publisher family with a stance that it has taken, and when it took it last."""

    family: str
    stance: str
    last_at: datetime


def of_new_story(report: Report, past: Past) -> list[Event]:
    """The events of a story that the claim has not had: exactly one of COVERAGE, then perhaps a surge."""
    key = str(report.story_id)
    if not report.fresh:
        return [Event("archive", key, "older than the freshness window when it was matched")]
    if not past.stories:
        return [Event("first_seen", "", "the first report we have seen")]
    gap, before = nearest(past.stories, report.published)
    quiet = quiet_time(past.stories)
    if not past.told:
        reason = f"the first fresh report since we follow it; {len(past.stories)} older in the archive"
        events = [Event("fresh_coverage", key, reason)]
    elif gap >= quiet:
        reason = f"quiet for {span(gap)} before this" if before else f"{span(gap)} before anything else we know of"
        headline = f"new report after {span(gap)} of quiet" if before else ""
        events = [Event("fresh_coverage", key, reason, headline)]
    elif past.alike is not None and report.stance in SAYS and report.published - past.alike >= quiet:
        since = span(report.published - past.alike)
        reason = f"no report that {_verb(report.stance)} it for {since} before this; other coverage went on"
        headline = f"first report in {since} that {_verb(report.stance)} it"
        events = [Event("fresh_coverage", key, reason, headline)]
    else:
        reason = f"{span(gap)} {'after' if before else 'before'} another story; quiet would be {span(quiet)}"
        events = [Event("new_story", key, reason)]
    times = sorted([*past.stories, report.published])
    surge = _surge(times, report.published, past.last_surge)
    return [*events, Event("surge", key, surge, surge)] if surge else events


def nearest(times: Sequence[datetime], at: datetime) -> tuple[timedelta, bool]:
    """Distance to the nearest story, and whether that was published before (or at) `at`.

    Both sides count: a report that reaches us late, between two stories of one burst, is no fresh coverage.
    """
    place = bisect_right(times, at)
    sides = [(at - times[place - 1], True)] if place else []
    if place < len(times):
        sides.append((times[place] - at, False))
    return min(sides, key=lambda side: side[0])


def quiet_time(times: Sequence[datetime]) -> timedelta:
    """How long a claim with stories at these times (in order) has to be without one to be quiet.

    The same stands in SQL as ingest.quiet_time; a test holds the two together.
    """
    gaps = [b - a for a, b in pairwise(times)][-RHYTHM:]
    if len(gaps) < RHYTHM_MIN:
        return QUIET_DEFAULT
    usual = timedelta(seconds=median(gap.total_seconds() for gap in gaps))
    return min(max(QUIET_FACTOR * usual, QUIET_FLOOR), QUIET_CEILING)


def _surge(times: Sequence[datetime], at: datetime, last: datetime | None) -> str | None:
    """Why the stories of the day before `at` are a surge; None where they are not, or one that was told."""
    if not far_above(times, at) or (last is not None and _same_surge(times, at, last)):
        return None
    recent, usual = _rates(times, at)
    return f"{recent} stories within a day, {recent / usual:.0f} times its usual {usual:.2g} a day"


def far_above(times: Sequence[datetime], at: datetime) -> bool:
    """Whether the day up to `at` has far more stories than the four weeks before it let one expect."""
    if at - DAY - times[0] < SURGE_BASE_MIN:
        return False
    recent, usual = _rates(times, at)
    return recent >= max(SURGE_MIN, SURGE_FACTOR * usual) and poisson_tail(recent, usual) < SURGE_TAIL


def _rates(times: Sequence[datetime], at: datetime) -> tuple[int, float]:
    """Stories in the day up to `at`, and stories a day in the time before it."""
    day_before = bisect_right(times, at - DAY)
    begin = max(times[0], at - SURGE_BASE)
    base = day_before - bisect_left(times, begin)
    return bisect_right(times, at) - day_before, (base + SURGE_PRIOR) / ((at - DAY - begin) / DAY)


def _same_surge(times: Sequence[datetime], at: datetime, last: datetime) -> bool:
    """Whether the rate stayed far above all the time between the two."""
    begin, end = min(at, last), max(at, last)
    between = times[bisect_left(times, begin) : bisect_right(times, end)]
    steps = [begin, *between, end]
    if any(b - a >= DAY for a, b in pairwise(steps)):
        return False
    return all(far_above(times, t) for t in between if t > begin)


def poisson_tail(count: int, rate: float) -> float:
    """The chance of `count` or more where `rate` are expected."""
    if count <= 0:
        return 1.0
    below = math.fsum(math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)) for k in range(count))
    return max(0.0, 1.0 - below)


def contradiction(report: Report, voices: Collection[Voice], turned: str | None = None) -> Event | None:
    """Whether the report turns the evidence. `voices` are those before it; `turned` is the key of the last turn.

    First: some family takes the other side of what another family says, and none did before. Later: the other side
    has come to lead, by publisher families, each with its latest stance.
    """
    if report.stance not in ("supports", "refutes"):
        return None
    now = [*voices, Voice(report.family, report.stance, report.published)]
    opposite = "supports" if report.stance == "refutes" else "refutes"
    if not contested(voices):
        if not contested(now):
            return None
        others = {voice.family for voice in voices if voice.stance == opposite} - {report.family}
        reason = (
            f"first report that {_verb(report.stance)} it, by {report.publisher}, after "
            f"{counted(len(others), 'publisher family', 'publisher families')} that {_verb(opposite, len(others))} it"
        )
        first = "denial" if report.stance == "refutes" else "report that supports it"
        return Event("contradiction", f"first/{report.stance}", reason, f"first {first}, by {report.publisher}")
    if _side(voices, turned) != opposite:
        return None
    count = _balance(now)
    if count[report.stance] < count[opposite] + TURN_LEAD:
        return None
    reason = (
        f"the balance has turned: {counted(count[report.stance], 'publisher family', 'publisher families')} now "
        f"{_verb(report.stance, count[report.stance])} it, {count[opposite]} {_verb(opposite, count[opposite])} it"
    )
    return Event("contradiction", f"turn/{report.stance}/{report.story_id}", reason, reason)


def contested(voices: Iterable[Voice]) -> bool:
    """Whether one family says what another denies; one that reports both is no contradiction by itself."""
    sides: dict[str, set[str]] = {"supports": set(), "refutes": set()}
    for voice in voices:
        if voice.stance in sides:
            sides[voice.stance].add(voice.family)
    return bool(sides["supports"] and sides["refutes"]) and len(sides["supports"] | sides["refutes"]) > 1


def _balance(voices: Collection[Voice]) -> Counter[str]:
    """Families by their latest stance."""
    latest = {v.family: v.stance for v in sorted(voices, key=lambda v: v.last_at) if v.stance != "updates"}
    return Counter(latest.values())


def _side(voices: Collection[Voice], turned: str | None) -> str | None:
    """The side that was told last; without any, the one that leads."""
    if turned is not None:
        kind, stance = turned.split("/")[:2]
        return stance if kind == "turn" else ("supports" if stance == "refutes" else "refutes")
    count = _balance(voices)
    if count["supports"] == count["refutes"]:
        return None
    return max(count, key=lambda stance: count[stance])


def _verb(stance: str, number: int = 1) -> str:
    one, many = {"supports": ("supports", "support"), "refutes": ("denies", "deny")}[stance]
    return one if number == 1 else many


def silence(stories: Sequence[tuple[datetime, int]], today: date, up_days: Collection[date]) -> Event | None:
    """Whether the claim's expected coverage did not come. Stories are (publication, number) in order.

    `up_days` are days on which feeds could be read. The day of the last story and today don't count: neither is whole.
    """
    days = sorted({at.date() for at, _ in stories})[-RHYTHM - 1 :]
    if len(days) < SILENCE_MIN_DAYS:
        return None
    quiet = sum(1 for day in set(up_days) if days[-1] < day < today)
    gaps = [(b - a).days for a, b in pairwise(days)]
    usual = sum(gaps) / len(gaps)
    if not max(SILENCE_FLOOR, *gaps) < quiet <= SILENCE_CEILING or math.exp(-quiet / usual) > SILENCE_CHANCE:
        return None
    reason = (
        f"no story for {counted(quiet, 'day', 'days')} on which feeds were read; "
        f"with its usual rhythm one was to be expected every {span(timedelta(days=usual))}"
    )
    headline = f"no story for {counted(quiet, 'day', 'days')}"
    return Event("silence", str(stories[-1][1]), reason, headline)


def new_origins(origins: Iterable[tuple[str, str]], publisher: str) -> list[Event]:
    """A report rests on authorities, (id, name), that no earlier evidence on the claim rests on."""
    return [
        Event("new_origin", origin_id, f"the first evidence that rests on {name}, by {publisher}", f"now also {name}")
        for origin_id, name in origins
    ]


def is_up(good: int, total: int) -> bool:
    """Whether feeds could be read: by a day's polls, or by how many of a claim's sources answered lately."""
    return total > 0 and good >= UP_SHARE * total


def edited(sentence: str, sentences: Sequence[str], version_id: int, publisher: str) -> Event | None:
    """Whether the sentence that carried evidence is gone from an article's next text, given as sentences.

    A paragraph that was changed around the sentence is no event.
    """
    old = " ".join(sentence.split())
    new = [" ".join(text.split()) for text in sentences]
    if any(old in text for text in new) or old in " ".join(new):
        return None
    near = max(((SequenceMatcher(None, old, text).ratio(), text) for text in new), default=(0.0, ""))
    done = f"changed “{old}” to “{near[1]}”" if near[0] >= SIMILAR else f"took out “{old}”"
    return Event("edited", str(version_id), f"{publisher} {done}", f"{publisher} edited its report")


def headline(kind: str, key: str) -> str:
    """What a mail's subject calls the event."""
    if kind == "contradiction":
        turn, stance = key.split("/")[:2]
        if turn == "turn":
            return "the balance has turned"
        return f"first report that {_verb(stance)} it"
    return {"first_seen": "first report", "edited": "edited after publication"}.get(kind, kind.replace("_", " "))


def span(time: timedelta) -> str:
    """In the largest unit of which there are two, rounded down: "12 days", "30 hours", "40 minutes"."""
    for unit, length in (("days", DAY), ("hours", timedelta(hours=1))):
        if time >= 2 * length:
            return f"{time // length} {unit}"
    return f"{time // timedelta(minutes=1)} minutes"
