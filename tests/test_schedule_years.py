"""The polling schedule over simulated years: servers that fail, lie and come back, clocks that jump, many feeds.

What must hold: never faster than the floor, never stopped for good, back to the normal rhythm after success, no herd
after an outage, a state that stays finite.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logic.schedule import JITTER, LONG_DELAY, MAX_SKIP, SKIP_SPREAD, PollOutcome, plan
from pipeline.model import PollPlan, PollState, Rhythm, Wishes
from pipeline.settings import PollSettings

NOW = datetime(2024, 11, 1, 12, tzinfo=UTC)
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
SETTINGS = PollSettings()
FLOOR, CEILING = timedelta(minutes=5), timedelta(hours=24)
LONGEST = LONG_DELAY * (1 + JITTER) + SKIP_SPREAD

_DATES = st.timedeltas(-10_000 * DAY, 25_000 * DAY).map(lambda delta: NOW + delta)
_HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "cache-control", "expires", "date", "age"]),
    st.one_of(
        st.text(max_size=30),
        st.integers(-5, 10**13).map(str),
        st.integers(0, 10**10).map("max-age={}".format),
        _DATES.map(lambda d: format_datetime(d, usegmt=True)),
    ),
    max_size=3,
)
_WISHES = st.builds(
    Wishes,
    st.none() | st.timedeltas(),
    st.frozensets(st.integers(0, 23)),
    st.frozensets(st.integers(0, 6)),
)
_STEP = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(list(PollOutcome)),
        "news": st.lists(st.none() | _DATES, max_size=5),
        "overrun": st.booleans(),
        "wishes": st.none() | _WISHES,
        "headers": _HEADERS,
        "permanent_url": st.sampled_from([None, "https://a.example/", "https://b.example/"]),
        "jitter": st.floats(0, 1),
    }
)
_JUMPS = st.just(timedelta(0)) | st.timedeltas(-400 * DAY, 400 * DAY)  # of our own clock, before a poll


def check(got: PollPlan, now: datetime, outcome: str) -> None:
    assert now + FLOOR <= got.next_poll_at <= now + LONGEST
    if outcome in ("changed", "unchanged"):
        assert not got.poll.gone
    assert FLOOR <= got.poll.interval <= CEILING
    assert math.isfinite(got.poll.failures)
    assert got.poll.failures >= 0
    assert all(math.isfinite(count) for count in got.poll.rhythm.counts)
    assert len(got.poll.rhythm.counts) in (0, 24)


@given(st.lists(st.tuples(_STEP, _JUMPS), min_size=1, max_size=40), st.timedeltas(), st.floats(-10, 1e9))
@settings(max_examples=200, deadline=None)
def test_whatever_happens_the_next_poll_is_neither_too_near_nor_too_far(
    steps: list[tuple[dict[str, object], timedelta]], interval: timedelta, failures: float
) -> None:
    now, state = NOW, PollState(interval, failures)
    for step, jump in steps:
        now += jump
        got = plan(state, now=now, settings=SETTINGS, **step)  # type: ignore[arg-type]
        check(got, now, str(step["outcome"]))
        if "retry-after" not in step["headers"] and not got.poll.gone and got.poll.failures == 0:  # type: ignore[operator]
            assert got.next_poll_at <= now + CEILING * (1 + JITTER) + MAX_SKIP + SKIP_SPREAD
        now, state = got.next_poll_at, got.poll


class Server:
    """A feed with news by the hour and a history of trouble, as a poll sees it. Times are hours since NOW."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.rate = 10 ** self.draw.uniform(-2.5, 1)  # entries an hour
        self.night = self.draw.choice([0.0, 0.1, 1.0])
        self.lies = self.draw.choice([None, timedelta(hours=9), -400 * DAY, 400 * DAY])  # of its clock
        self.headers = self.draw.choice(
            [{}, {"cache-control": "max-age=600"}, {"expires": "0"}, {"cache-control": "max-age=99999999"}]
        )
        self.wishes = self.draw.choice([Wishes(), Wishes(HOUR), Wishes(None, frozenset(range(6)), frozenset({6}))])
        self.outages = [
            (at, at + 10 ** self.draw.uniform(-1, 3)) for at in (self.draw.uniform(0, 17520) for _ in range(8))
        ]
        self.last = 0.0

    def poll(self, now: datetime) -> tuple[str, dict[str, object]]:
        at = (now - NOW) / HOUR
        if any(begin <= at < end for begin, end in self.outages):
            trouble = self.draw.choice(["hard", "soft", "dns-temporary"])
            retry = {"retry-after": "3600"} if trouble == "soft" and self.draw.random() < 0.3 else {}
            return trouble, {"headers": retry}
        hours = max(0.0, at - self.last)
        share = 1.0 if 6 <= now.hour < 22 else self.night
        mean = min(self.rate * hours * share, 200.0)
        entries = sum(self.draw.random() < mean / 200 for _ in range(200))
        dates = [now - HOUR * hours * self.draw.random() for _ in range(entries)]
        news = [date + self.lies if self.lies else date for date in dates]
        self.last = at
        told = {"headers": self.headers, "wishes": self.wishes, "news": news}
        return ("changed" if entries else "unchanged"), told


@given(st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_two_years_of_a_feed(seed: int) -> None:
    server, now, state, good = Server(seed), NOW, PollState(HOUR), NOW
    polls = 0
    while now < NOW + 730 * DAY:
        outcome, told = server.poll(now)
        got = plan(state, outcome=outcome, now=now, settings=SETTINGS, jitter=server.draw.random(), **told)  # type: ignore[arg-type]
        check(got, now, outcome)
        up = not any(begin <= (now - NOW) / HOUR < end for begin, end in server.outages)
        if up:
            assert got.poll.failures == 0
            # Found again within a month of its return, within about two days after a short trouble.
            back = max((NOW + end * HOUR for _, end in server.outages if NOW + end * HOUR <= now), default=NOW)
            since = max(good, back)
            assert now - since <= LONGEST + MAX_SKIP
            good = now
            assert got.next_poll_at - now <= CEILING * (1 + JITTER) + MAX_SKIP + SKIP_SPREAD
        polls += 1
        now, state = got.next_poll_at, got.poll
    assert 730 / 31 < polls <= 730 * DAY / FLOOR


@pytest.mark.parametrize("rhythm", [Rhythm(), Rhythm((4.0,) * 24, NOW - 30 * DAY)], ids=["new", "learned"])
def test_a_feed_that_comes_back_after_a_dead_year_is_read_within_a_month_and_recovers(rhythm: Rhythm) -> None:
    now, state, polls = NOW, PollState(HOUR, rhythm=rhythm, seen_at=NOW), 0
    while now < NOW + 365 * DAY:
        got = plan(state, outcome="hard", now=now, settings=SETTINGS)
        now, state, polls = got.next_poll_at, got.poll, polls + 1
    assert 30 < polls < 400
    assert now - NOW < timedelta(days=365 + 31)
    # Dates of the outage are no rhythm; a few weeks of news every half hour are.
    for _ in range(20 * 48):
        got = plan(state, outcome="changed", now=now, settings=SETTINGS, news=[now - MINUTE] * 2)
        assert got.poll.failures == 0
        state, now = got.poll, now + HOUR / 2
    assert timedelta(minutes=20) < state.interval < timedelta(minutes=40)


def test_a_clock_that_jumps_a_year_and_back_does_no_lasting_harm() -> None:
    state = PollState(HOUR, rhythm=Rhythm((10.0,) * 24, NOW - 30 * DAY), seen_at=NOW)
    usual = plan(state, outcome="changed", now=NOW + HOUR, settings=SETTINGS, news=[NOW]).poll.interval
    ahead = plan(state, outcome="changed", now=NOW + 365 * DAY, settings=SETTINGS, news=[NOW]).poll
    now, state = NOW + 2 * HOUR, ahead
    for _ in range(24 * 20):
        state = plan(state, outcome="changed", now=now, settings=SETTINGS, news=[now - MINUTE]).poll
        now += HOUR
    assert usual / 2 < state.interval < usual * 2


@pytest.mark.parametrize("kind", ["ours", "theirs"])
def test_no_herd_after_an_outage(kind: str) -> None:
    """4,000 feeds, six hours without a network (every poll fails) or without us (all are overdue and asked at once, a
    thousand a minute). From an hour after the end on no minute has twice its share of polls.
    """
    draw, feeds = random.Random(3), 4000
    end, stop, down = NOW + 4 * DAY, NOW + 5 * DAY, 6 * HOUR
    polls: Counter[int] = Counter()
    for feed in range(feeds):
        rate = 10 ** draw.uniform(-1, 0.5)
        since = NOW - 30 * DAY
        counts = tuple(rate * 19.0 for _ in range(24))  # half of 30 days' worth: the decay of 14 days
        state = PollState(HOUR, rhythm=Rhythm(counts, since), seen_at=NOW)
        now = NOW + 3 * DAY + draw.random() * 3 * HOUR
        state = replace(state, seen_at=now - HOUR)
        while now < stop:
            if end - down <= now < end:
                if kind == "ours":
                    now = end + MINUTE * (feed / 1000)
                    continue
                outcome, news = "hard", []
            else:
                hours = (now - (state.seen_at or now)) / HOUR
                entries = sum(draw.random() < min(1.0, rate * hours / 30) for _ in range(30))
                outcome, news = ("changed" if entries else "unchanged"), [now - MINUTE] * entries
            got = plan(state, outcome=outcome, now=now, settings=SETTINGS, news=news, jitter=draw.random())
            if now >= end:
                polls[int((now - end) / MINUTE)] += 1
            now, state = got.next_poll_at, got.poll
    settled = [polls[minute] for minute in range(60, 24 * 60)]
    mean = sum(settled) / len(settled)  # 50 a minute: chance alone makes a peak of 1.5 in a day
    assert mean > 30
    assert max(settled) < 2 * mean
