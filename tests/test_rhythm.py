"""The learned rhythm of a feed: what is counted, and how long it makes us wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logic.rhythm import HALF_LIFE, LEARNING, hourly, learn, per_week, sparkline, wait
from pipeline.model import Rhythm

NOW = datetime(2024, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def watched(days: int, hours: dict[int, int], step: int = 1) -> tuple[Rhythm, datetime]:
    """A feed that brings so many entries at each hour of the day, polled every `step` hours."""
    rhythm, seen, now = learn(Rhythm(), [], None, NOW), NOW, NOW
    while now < NOW + timedelta(days=days):
        now += step * HOUR
        past = [now - back * HOUR for back in range(step, 0, -1)]
        news = [at + HOUR / 2 for at in past for _ in range(hours.get(at.hour, 0))]
        rhythm, seen = learn(rhythm, news, seen, now), now
    return rhythm, now


def test_nothing_is_said_of_the_first_days() -> None:
    assert wait(Rhythm(), NOW, DAY) is None
    first = learn(Rhythm(), [NOW - HOUR] * 50, None, NOW)
    assert sum(first.counts) == 0  # the length of a list is no rate
    early = learn(first, [NOW + HOUR], NOW, NOW + LEARNING - HOUR)
    assert (wait(early, NOW + LEARNING - HOUR, DAY), sparkline(early, NOW + LEARNING - HOUR)) == (None, "")
    assert wait(early, NOW + LEARNING, DAY) is not None


def test_the_wait_follows_the_rate_by_its_root() -> None:
    for entries in (1, 4, 16):
        rhythm, now = watched(60, dict.fromkeys(range(24), entries))
        got = wait(rhythm, now, DAY)
        assert got is not None
        assert got / HOUR == pytest.approx(entries**-0.5, rel=0.05)
        assert per_week(rhythm, now) == pytest.approx(entries * 168, rel=0.05)


def test_nights_are_left_alone_and_mornings_met() -> None:
    rhythm, now = watched(40, dict.fromkeys(range(8, 20), 3))
    midnight = now.replace(hour=0)
    assert wait(rhythm, now.replace(hour=12), DAY) < 0.7 * HOUR  # type: ignore[operator]
    woken = midnight + wait(rhythm, midnight, DAY)  # type: ignore[operator]
    assert 3 < woken.hour < 9
    assert wait(rhythm, midnight, HOUR) == HOUR  # never longer than asked for
    assert set(sparkline(rhythm, now)[9:19]) == {"█"}
    assert set(sparkline(rhythm, now)[:6]) == {"▁"}


def test_polls_far_apart_learn_the_same_from_dates() -> None:
    often, now = watched(40, {9: 6, 15: 2}, step=1)
    seldom, _ = watched(40, {9: 6, 15: 2}, step=24)
    assert hourly(often, now) == pytest.approx(hourly(seldom, now), abs=0.1)


def test_dates_that_lie_are_spread() -> None:
    begun = learn(Rhythm(), [], None, NOW)
    lies = [None, NOW - 30 * DAY, NOW + 30 * DAY, NOW]
    got = learn(begun, lies, NOW, NOW + 3 * HOUR)
    assert got.counts[13:16] == pytest.approx((4 / 3,) * 3, abs=1e-3)
    assert sum(got.counts) == pytest.approx(4, abs=1e-3)


def test_old_news_fade_and_a_new_habit_is_learned() -> None:
    rhythm, now = watched(60, {3: 5})
    assert learn(rhythm, [], now, now + HALF_LIFE).counts[3] == pytest.approx(rhythm.counts[3] / 2)
    for _ in range(60):
        rhythm = learn(rhythm, [now.replace(hour=15)] * 5, now, now + DAY)
        now += DAY
    rates = hourly(rhythm, now)
    assert rates is not None
    assert rates[15] > 5 * rates[3]


def test_a_clock_that_was_put_back_begins_anew() -> None:
    rhythm, now = watched(10, {3: 5})
    back = learn(rhythm, [now], now, NOW - DAY)
    assert (back.since, sum(back.counts)) == (NOW - DAY, 0)
    assert learn(rhythm, [], now + HOUR, now).counts == rhythm.counts  # by little: nothing fades


_TIMES = st.timedeltas(timedelta(days=-13000), timedelta(days=25000)).map(lambda delta: NOW + delta)
_COUNTS = st.lists(st.floats() | st.floats(0, 1e5), min_size=0, max_size=30).map(tuple)


@given(st.builds(Rhythm, _COUNTS, st.none() | _TIMES), st.lists(st.none() | _TIMES), st.none() | _TIMES, _TIMES)
@settings(max_examples=300, deadline=None)
def test_whatever_is_stored_or_claimed_stays_finite(
    rhythm: Rhythm, news: list[datetime | None], seen_at: datetime | None, now: datetime
) -> None:
    got = learn(rhythm, news, seen_at, now)
    assert len(got.counts) == 24
    assert all(0 <= count <= 1e6 for count in got.counts)
    longest = timedelta(hours=24)
    for one in (rhythm, got):
        waited = wait(one, now, longest)
        assert waited is None or timedelta(0) < waited <= longest
        assert len(sparkline(one, now)) in (0, 24)
