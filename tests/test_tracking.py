"""Claim events as pure decisions: what has to hold for any past."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.logic import tracking
from pipeline.logic.coverage import Coverage
from pipeline.logic.tracking import DAY, Event, Past, Report, Voice

T0 = datetime(2024, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

moments = st.integers(0, 90 * 24 * 60).map(lambda minutes: T0 + timedelta(minutes=minutes))
pasts = st.lists(moments, max_size=40).map(sorted)
stances = st.sampled_from(["supports", "refutes", "updates"])
families = st.sampled_from("ABCDE")
voices = st.lists(st.builds(Voice, families, stances, moments), max_size=12)


def report(
    published: datetime, story_id: int = 1, *, fresh: bool = True, stance: str = "supports", family: str = "A"
) -> Report:
    return Report(story_id, published, fresh, stance, f"The {family}", family)


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def played(times: list[datetime], order: list[int] | None = None) -> dict[int, list[Event]]:
    """The events of stories at these times, arriving in the order given."""
    found: dict[int, list[Event]] = {}
    seen: list[datetime] = []
    told, surge = False, None
    for number in order or range(len(times)):
        at = times[number]
        found[number] = tracking.of_new_story(report(at, number), Past(sorted(seen), told, surge))
        told = True
        if "surge" in kinds(found[number]):
            surge = max(at, surge or at)
        seen.append(at)
    return found


# New stories


@given(pasts, moments, st.booleans(), st.booleans())
def test_a_story_brings_one_event_of_coverage(past: list[datetime], at: datetime, fresh: bool, told: bool) -> None:
    events = tracking.of_new_story(report(at, fresh=fresh), Past(past, told))
    assert kinds(events)[0] in tracking.COVERAGE
    assert set(kinds(events)[1:]) <= {"surge"}
    assert all(event.reason for event in events)
    assert (events[0].kind == "archive") == (not fresh)
    if not fresh:
        assert not any(event.mailed for event in events)
    elif not past:
        assert events == [Event("first_seen", "", "the first report we have seen")]
    elif not told:
        assert events[0].kind == "fresh_coverage"


@given(st.lists(moments, min_size=2, max_size=40, unique=True).map(sorted))
def test_fresh_coverage_follows_a_quiet_time_and_nothing_else_does(times: list[datetime]) -> None:
    for number, events in played(times).items():
        if number == 0:
            continue
        quiet = tracking.quiet_time(times[:number])
        gap = times[number] - times[number - 1]
        assert events[0].kind == ("fresh_coverage" if gap >= quiet else "new_story")
        assert tracking.QUIET_FLOOR <= quiet <= tracking.QUIET_CEILING


@given(st.lists(moments, min_size=2, max_size=25, unique=True).map(sorted), st.randoms())
def test_a_burst_is_told_once_in_whatever_order_it_comes(times: list[datetime], random: object) -> None:
    """Between two mails of fresh coverage lies a quiet time, also where reports come late."""
    order = list(range(len(times)))
    random.shuffle(order)  # type: ignore[attr-defined]
    events = played(times, order)
    told = sorted(times[n] for n, found in events.items() if found[0].kind in ("first_seen", "fresh_coverage"))
    assert all(b - a >= tracking.QUIET_FLOOR for a, b in pairwise(told))
    assert sum(found[0].kind == "first_seen" for found in events.values()) == 1


def test_a_late_report_inside_a_burst_is_no_fresh_coverage() -> None:
    past = [T0, T0 + 10 * DAY, T0 + 10 * DAY + 30 * HOUR]
    late = tracking.of_new_story(report(T0 + 9 * DAY), Past(past, told=True))
    assert kinds(late) == ["new_story"]
    assert late[0].reason == "24 hours before another story; quiet would be 4 days"
    assert kinds(tracking.of_new_story(report(T0 + 5 * DAY), Past(past, told=True))) == ["fresh_coverage"]


@pytest.mark.parametrize(
    ("gaps", "quiet"),
    [
        ([], 4 * DAY),
        ([DAY, DAY], 4 * DAY),
        ([DAY, DAY, DAY], 3 * DAY),
        ([HOUR] * 5, 2 * DAY),
        ([9 * DAY] * 4, 7 * DAY),
        ([9 * DAY] * 30 + [DAY] * 20, 3 * DAY),  # the last twenty gaps count
        ([DAY, DAY, 2 * DAY, 2 * DAY], 4.5 * DAY),
    ],
)
def test_quiet_time(gaps: list[timedelta], quiet: timedelta) -> None:
    times = [T0]
    for gap in gaps:
        times.append(times[-1] + gap)
    assert tracking.quiet_time(times) == quiet


def test_reasons_say_how_long() -> None:
    fresh = tracking.of_new_story(report(T0 + 12 * DAY + 5 * HOUR), Past([T0], told=True))
    assert fresh == [Event("fresh_coverage", "1", "quiet for 12 days before this", "new report after 12 days of quiet")]
    first = tracking.of_new_story(report(T0 + HOUR), Past([T0], told=False))
    assert first[0].reason == "the first fresh report since we follow it; 1 older in the archive"


# Surges


@given(st.integers(0, 200), st.floats(0.01, 50))
def test_poisson_tail(count: int, rate: float) -> None:
    assert 0 <= tracking.poisson_tail(count, rate) <= 1
    assert tracking.poisson_tail(count + 1, rate) <= tracking.poisson_tail(count, rate) + 1e-9
    assert tracking.poisson_tail(0, rate) == 1
    assert math.isclose(tracking.poisson_tail(1, rate), 1 - math.exp(-rate), abs_tol=1e-9)


def daily(days: int, per_day: int = 1, start: datetime = T0) -> list[datetime]:
    return [start + day * DAY + n * DAY / per_day for day in range(days) for n in range(per_day)]


def test_a_surge_is_told_once_and_again_after_it_has_ended() -> None:
    usual = daily(20)
    wave = [T0 + 20 * DAY + n * HOUR for n in range(12)]
    rest = daily(10, start=T0 + 22 * DAY)
    second = [T0 + 33 * DAY + n * HOUR for n in range(12)]
    events = played([*usual, *wave, *rest, *second])
    surges = [n for n, found in events.items() if "surge" in kinds(found)]
    assert len(surges) == 2
    assert 20 <= surges[0] < 32 < 42 <= surges[1]
    assert events[surges[0]][-1].reason == "6 stories within a day, 6 times its usual 1.1 a day"


@given(st.integers(1, 6), st.integers(8, 40))
def test_a_steady_rate_is_no_surge(per_day: int, days: int) -> None:
    events = played(daily(days, per_day))
    assert not any("surge" in kinds(found) for found in events.values())


def test_a_young_claims_first_wave_is_no_surge() -> None:
    events = played([T0 + n * HOUR for n in range(30)])
    assert not any("surge" in kinds(found) for found in events.values())


@given(pasts, moments)
def test_what_is_far_above_is_many(past: list[datetime], at: datetime) -> None:
    times = sorted([*past, at])
    if tracking.far_above(times, at):
        assert sum(at - DAY < t <= at for t in times) >= tracking.SURGE_MIN


# Contradictions


def test_the_first_denial_by_another_family() -> None:
    said = [Voice("A", "supports", T0), Voice("B", "supports", T0)]
    denial = report(T0 + DAY, 7, stance="refutes", family="C")
    event = tracking.contradiction(denial, said)
    assert event == Event(
        "contradiction",
        "first/refutes",
        "first report that denies it, by The C, after 2 publisher families that support it",
        "first denial, by The C",
    )
    assert tracking.headline(event.kind, event.key) == "first report that denies it"
    assert (
        tracking.contradiction(report(T0 + 2 * DAY, stance="refutes", family="D"), [*said, Voice("C", "refutes", T0)])
        is None
    )


def test_the_reverse() -> None:
    event = tracking.contradiction(report(T0, family="B"), [Voice("A", "refutes", T0)])
    assert event is not None
    assert event.key == "first/supports"
    assert event.reason == "first report that supports it, by The B, after 1 publisher family that denies it"


def test_one_family_that_reports_both_sides_is_no_contradiction() -> None:
    assert tracking.contradiction(report(T0, stance="refutes", family="A"), [Voice("A", "supports", T0)]) is None
    both = [Voice("A", "supports", T0), Voice("A", "refutes", T0)]
    assert tracking.contradiction(report(T0, stance="refutes", family="B"), both) is not None


def test_the_balance_turns_with_a_lead_of_two_families() -> None:
    said = [Voice("A", "supports", T0), Voice("B", "refutes", T0 + HOUR)]
    first = "first/refutes"
    c = report(T0 + DAY, 3, stance="refutes", family="C")
    assert tracking.contradiction(c, said, first) is None  # two to one
    said.append(Voice("C", "refutes", T0 + DAY))
    turn = tracking.contradiction(report(T0 + 2 * DAY, 4, stance="refutes", family="D"), said, first)
    assert turn is not None
    assert turn.key == "turn/refutes/4"
    assert turn.reason == "the balance has turned: 3 publisher families now deny it, 1 supports it"
    said.append(Voice("D", "refutes", T0 + 2 * DAY))
    # Not again for every further denial, and back only by as clear a lead.
    assert tracking.contradiction(report(T0 + 3 * DAY, 5, stance="refutes", family="E"), said, turn.key) is None
    assert tracking.contradiction(report(T0 + 3 * DAY, 5, family="E"), said, turn.key) is None


@given(voices, stances, families, moments)
def test_contradictions_need_two_families(known: list[Voice], stance: str, family: str, at: datetime) -> None:
    event = tracking.contradiction(report(at, stance=stance, family=family), known)
    if event is not None:
        assert stance in ("supports", "refutes")
        assert event.key.split("/")[1] == stance
        now = [*known, Voice(family, stance, at)]
        assert tracking.contested(now)
        assert event.key.startswith("first/") == (not tracking.contested(known))


@given(st.lists(st.tuples(stances, families, moments), max_size=20))
def test_it_is_first_contradicted_once(said: list[tuple[str, str, datetime]]) -> None:
    known: list[Voice] = []
    events: list[Event] = []
    for number, (stance, family, at) in enumerate(said):
        given_report = report(at, number, stance=stance, family=family)
        event = tracking.contradiction(given_report, known, events[-1].key if events else None)
        events += [event] if event else []
        known.append(Voice(family, stance, at))
    assert sum(event.key.startswith("first/") for event in events) == tracking.contested(known)
    assert len({event.key for event in events}) == len(events)
    turns = [event.key.split("/")[1] for event in events if event.key.startswith("turn/")]
    assert all(a != b for a, b in pairwise(turns)), "a side that leads is not told again"


@given(st.lists(st.builds(Voice, families, stances, moments), max_size=5))
def test_contested_does_not_depend_on_the_order(known: list[Voice]) -> None:
    assert len({tracking.contested(order) for order in permutations(known)}) == 1


# Silence


def numbered(times: list[datetime]) -> list[tuple[datetime, int]]:
    return list(zip(times, range(len(times)), strict=True))


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def test_silence_is_counted_in_days_with_feeds() -> None:
    stories = numbered(daily(10))  # the last on 10 October
    after = date(2024, 10, 11)
    today = date(2024, 10, 25)
    assert tracking.silence(stories, today, []) is None
    assert tracking.silence(stories, today, days(after, 4)) is None  # e^-4: one in fifty
    event = tracking.silence(stories, today, days(after, 5))
    assert event == Event(
        "silence",
        "9",
        "no story for 5 days on which feeds were read; with its usual rhythm one was to be expected every 24 hours",
        "no story for 5 days",
    )
    assert event.mailed
    assert tracking.silence(stories, date(2024, 10, 15), days(after, 20)) is None  # the future is not silent


def test_a_burst_is_no_rhythm() -> None:
    burst = numbered([T0 + n * HOUR for n in range(20)])
    assert tracking.silence(burst, date(2024, 10, 30), days(date(2024, 10, 2), 28)) is None


@given(pasts, st.sets(st.integers(0, 150).map(lambda n: T0.date() + timedelta(days=n))), st.integers(0, 150))
def test_silence_is_longer_than_any_gap_of_the_rhythm(past: list[datetime], up: set[date], day: int) -> None:
    today = T0.date() + timedelta(days=day)
    event = tracking.silence(numbered(past), today, up)
    if event is not None:
        with_stories = sorted({at.date() for at in past})[-tracking.RHYTHM - 1 :]
        quiet = len([d for d in up if with_stories[-1] < d < today])
        assert len(with_stories) >= tracking.SILENCE_MIN_DAYS
        assert quiet > max((b - a).days for a, b in pairwise(with_stories))
        assert event.key == str(len(past) - 1)
        # More days with feeds don't make it less silent, fewer never make one.
        assert tracking.silence(numbered(past), today, set()) is None


@pytest.mark.parametrize(("good", "total", "up"), [(0, 0, False), (1, 2, True), (1, 3, False), (12, 13, True)])
def test_feeds_are_up_when_half_of_them_answer(good: int, total: int, up: bool) -> None:
    assert tracking.is_up(good, total) is up


# Edits

SENTENCE = "At least 100 North Korean soldiers were killed, the agency said."


def test_what_still_stands_is_not_edited() -> None:
    assert tracking.edited(SENTENCE, ["Added.", SENTENCE], 5, "The Tide") is None
    assert tracking.edited(SENTENCE, [f"{SENTENCE} And more."], 5, "The Tide") is None
    assert (
        tracking.edited(SENTENCE, ["At  least 100 North Korean", "soldiers were killed, the agency said."], 5, "x")
        is None
    )


def test_a_changed_sentence_is_told_with_what_it_became() -> None:
    new = "At least 30 North Korean soldiers were killed, the agency said."
    event = tracking.edited(SENTENCE, ["Rain is coming.", new], 5, "The Tide")
    assert event == Event("edited", "5", f"The Tide changed “{SENTENCE}” to “{new}”", "The Tide edited its report")
    gone = tracking.edited(SENTENCE, ["Rain is coming."], 6, "The Tide")
    assert gone == Event("edited", "6", f"The Tide took out “{SENTENCE}”", "The Tide edited its report")
    assert tracking.edited(SENTENCE, [], 6, "The Tide") == gone


@given(st.text(min_size=1, max_size=80).filter(str.strip), st.lists(st.text(max_size=80), max_size=5))
def test_edited_means_no_longer_there(sentence: str, texts: list[str]) -> None:
    there = " ".join(sentence.split()) in " ".join(" ".join(" ".join(t.split()) for t in texts).split())
    event = tracking.edited(sentence, texts, 1, "x")
    if event is not None:
        assert sentence not in texts
    if not there:
        assert event is not None


# Words


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(0), "0 minutes"),
        (119 * timedelta(minutes=1), "119 minutes"),
        (2 * HOUR, "2 hours"),
        (47 * HOUR, "47 hours"),
        (12.9 * DAY, "12 days"),
    ],
)
def test_spans(time: timedelta, said: str) -> None:
    assert tracking.span(time) == said


def test_every_mailed_kind_has_a_place_in_the_mail() -> None:
    from pipeline.logic.news import WEIGHT

    assert set(WEIGHT) >= tracking.MAILED


def test_coverage_line() -> None:
    assert Coverage(12, 41, 9, 7, 2).line() == "12 stories, 7 families: 41 articles, 9 publishers, 2 origins"
    assert Coverage(1, 1, 1, 1, 1).line() == "1 story, 1 family: 1 article, 1 publisher, 1 origin"


def test_a_side_nobody_has_taken_lately_is_fresh_coverage() -> None:
    """Denials and partial news go on every day; the first who says that it is so again is told."""
    times = [T0 + n * DAY for n in range(30)]
    at = times[-1] + HOUR
    after = Past(times, told=True, alike=T0)
    (event,) = tracking.of_new_story(report(at, stance="supports"), after)
    assert event.kind == "fresh_coverage"
    assert event.reason == "no report that supports it for 29 days before this; other coverage went on"
    assert event.headline == "first report in 29 days that supports it"
    (lately,) = tracking.of_new_story(report(at, stance="supports"), Past(times, told=True, alike=at - DAY))
    assert lately.kind == "new_story"
    (partial,) = tracking.of_new_story(report(at, stance="updates"), after)
    assert partial.kind == "new_story"
