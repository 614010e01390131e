"""Whether a reader is told of an event, when, and why not."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.logic import news, tracking
from pipeline.logic.news import News, Told, Wishes
from pipeline.logic.tracking import Event

NOW = datetime(2024, 12, 20, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAILY = [NOW - n * DAY for n in range(30, 0, -1)]  # a claim with a story a day rests for three


def item(kind: str = "surge", key: str = "7", **values: object) -> News:
    about = {"happened_at": NOW, "probability": 0.9, "languages": frozenset({"ko", "en"})} | values
    return News(1, Event(kind, key, "said"), "killed-in-kursk", "nk-russia", **about)  # type: ignore[arg-type]


def test_who_has_heard_nothing_is_told_at_once() -> None:
    decision = news.decide(item(), Wishes(), None, DAILY, NOW)
    assert (decision.decision, decision.due_at) == ("told", NOW)


def test_who_has_just_heard_is_told_of_what_is_new_in_kind_alone() -> None:
    told = Told(NOW - DAY)
    held = news.decide(item(), Wishes(), told, DAILY, NOW)
    assert held == news.Decision("held", "24 hours after what was told last; this claim rests for 3 days")
    for kind in sorted(tracking.MAILED):
        decision = news.decide(item(kind), Wishes(), told, DAILY, NOW).decision
        assert decision == ("held" if kind in ("surge", "fresh_coverage", "silence", "contradiction") else "told"), kind
    assert news.decide(item("contradiction", "first/refutes"), Wishes(), told, DAILY, NOW).decision == "told"
    assert news.decide(item("contradiction", "turn/refutes/9"), Wishes(), told, DAILY, NOW).decision == "held"
    assert news.decide(item(), Wishes(), Told(NOW - 3 * DAY), DAILY, NOW).decision == "told"


@given(st.sampled_from(sorted(tracking.MAILED)), st.integers(0, 14), st.integers(1, 40))
def test_fresh_coverage_is_never_held_by_the_story_before(kind: str, days: int, stories: int) -> None:
    """It comes after a quiet time, and the cooldown is as long as that."""
    times = [NOW - (days + n) * DAY for n in range(stories, 0, -1)]
    report = tracking.Report(1, NOW, True, "supports", "The A", "A")
    (event, *_) = tracking.of_new_story(report, tracking.Past(times, told=True))
    decision = news.decide(item(event.kind), Wishes(), Told(times[-1]), times, NOW)
    if event.kind == "fresh_coverage":
        assert decision.decision == "told"


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        (Wishes(min_probability=0.95), "probability 0.90, below the 0.95 asked for"),
        (Wishes(languages=frozenset({"ru", "uk"})), "reported in en, ko, not in ru, uk"),
        (Wishes(paused_until=NOW + HOUR), "paused until 20 December 2024, 13:00 UTC"),
    ],
)
def test_what_a_reader_does_not_ask_for(wishes: Wishes, reason: str) -> None:
    assert news.decide(item("first_seen"), wishes, None, [], NOW) == news.Decision("skipped", reason)


def test_a_probability_that_is_just_reached() -> None:
    single = 0.8999999761581421  # 0.9 as the database returns it
    assert news.unasked(item(probability=single), Wishes(min_probability=0.9)) is None


def test_a_silence_has_neither_probability_nor_language() -> None:
    asked = Wishes(min_probability=0.99, languages=frozenset({"ja"}))
    silent = item("silence", probability=None, languages=frozenset())
    assert news.decide(silent, asked, None, DAILY, NOW).decision == "told"


@pytest.mark.parametrize(
    ("now", "zone", "begin", "until", "due"),
    [
        ("2024-12-20T12:00", "UTC", "22:00", "07:00", "2024-12-20T12:00"),
        ("2024-12-20T22:00", "UTC", "22:00", "07:00", "2024-12-21T07:00"),
        ("2024-12-21T06:59", "UTC", "22:00", "07:00", "2024-12-21T07:00"),
        ("2024-12-21T07:00", "UTC", "22:00", "07:00", "2024-12-21T07:00"),
        ("2024-12-20T14:00", "Asia/Seoul", "22:00", "07:00", "2024-12-20T22:00"),  # 23:00 there
        ("2024-12-20T12:30", "UTC", "12:00", "13:00", "2024-12-20T13:00"),
        ("2025-03-29T23:00", "Europe/Berlin", "22:00", "07:00", "2025-03-30T05:00"),  # the night is an hour shorter
        ("2024-10-26T22:00", "Europe/Berlin", "22:00", "07:00", "2024-10-27T06:00"),  # and one is longer
        ("2025-03-30T00:30", "Europe/Berlin", "01:00", "02:30", "2025-03-30T01:30"),  # 2:30 is left out that night
    ],
)
def test_quiet_hours(now: str, zone: str, begin: str, until: str, due: str) -> None:
    wishes = Wishes(zone=zone, quiet_from=time.fromisoformat(begin), quiet_until=time.fromisoformat(until))
    at, then = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, due))
    assert news.after_quiet(wishes, at) == then
    decision = news.decide(item(), wishes, None, DAILY, at)
    assert decision.due_at == then
    assert ("waits" in decision.reason) == (then > at)


@given(
    st.floats(0, 730).map(lambda days: datetime(2024, 1, 1, tzinfo=UTC) + days * DAY),
    st.sampled_from(["UTC", "Asia/Seoul", "America/St_Johns", "Europe/Kyiv", "Australia/Lord_Howe", "Pacific/Apia"]),
    st.times(),
    st.times(),
)
def test_whoever_is_not_told_at_once_is_told_outside_quiet_hours(
    now: datetime, zone: str, begin: time, until: time
) -> None:
    wishes = Wishes(zone=zone, quiet_from=begin, quiet_until=until)
    due = news.after_quiet(wishes, now)
    assert now <= due <= now + DAY + 2 * HOUR
    if due > now and due.astimezone(ZoneInfo(zone)).utcoffset() == now.astimezone(ZoneInfo(zone)).utcoffset():
        assert due.astimezone(ZoneInfo(zone)).time() == until


@pytest.mark.parametrize(
    ("rhythm", "hour", "weekday", "zone", "after", "due"),
    [
        ("daily", 8, 1, "UTC", "2024-12-20T07:59", "2024-12-20T08:00"),
        ("daily", 8, 1, "UTC", "2024-12-20T08:00", "2024-12-21T08:00"),
        ("daily", 7, 1, "Asia/Seoul", "2024-12-20T12:00", "2024-12-20T22:00"),
        ("weekly", 8, 1, "UTC", "2024-12-20T12:00", "2024-12-23T08:00"),  # a Friday, and the Monday after
        ("weekly", 8, 5, "UTC", "2024-12-20T07:00", "2024-12-20T08:00"),
        ("weekly", 8, 5, "UTC", "2024-12-20T08:00", "2024-12-27T08:00"),
        ("daily", 8, 1, "Europe/Berlin", "2025-03-29T12:00", "2025-03-30T06:00"),  # summer time begins
    ],
)
def test_the_next_digest(rhythm: str, hour: int, weekday: int, zone: str, after: str, due: str) -> None:
    at, then = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (after, due))
    assert news.next_digest(Wishes(rhythm, hour, weekday, zone), at) == then


@given(
    st.floats(0, 730).map(lambda days: datetime(2024, 1, 1, tzinfo=UTC) + days * DAY),
    st.sampled_from(["daily", "weekly"]),
    st.integers(0, 23),
    st.integers(1, 7),
    st.sampled_from(["UTC", "Asia/Seoul", "America/St_Johns", "Europe/Kyiv", "Australia/Lord_Howe"]),
)
def test_digests_come_once_a_day_or_week(now: datetime, rhythm: str, hour: int, weekday: int, zone: str) -> None:
    wishes = Wishes(rhythm, hour, weekday, zone)
    first = news.next_digest(wishes, now)
    second = news.next_digest(wishes, first)
    length = 7 * DAY if rhythm == "weekly" else DAY
    assert now < first <= now + length + HOUR
    assert abs(second - first - length) <= HOUR


def test_what_leads() -> None:
    kinds = ["silence", "fresh_coverage", "new_story", "contradiction", "first_seen"]
    ordered = [e.kind for e in news.by_weight([Event(kind, "", "") for kind in kinds])]
    assert ordered == ["first_seen", "contradiction", "fresh_coverage", "silence", "new_story"]
