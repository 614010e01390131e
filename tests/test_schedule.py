"""The polling schedule: its constants, and that no history makes it too fast or stops it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logic.schedule import LONG_DELAY, PollOutcome, of_error, of_status, plan, retry_after
from pipeline.model import PollPlan, PollState
from pipeline.settings import PollSettings

NOW = datetime(2024, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SETTINGS = PollSettings()
FLOOR, CEILING = timedelta(minutes=5), timedelta(hours=24)


def after(outcome: str, state: PollState | None = None, **kw: object) -> PollPlan:
    return plan(state or PollState(HOUR), outcome=outcome, now=NOW, settings=SETTINGS, **kw)  # type: ignore[arg-type]


def test_news_brings_a_feed_nearer_and_silence_moves_it_away() -> None:
    assert after("changed").poll.interval == timedelta(minutes=48)
    assert after("unchanged").poll.interval == timedelta(minutes=90)
    assert after("unchanged").next_poll_at == NOW + timedelta(minutes=90)
    assert after("changed", PollState(FLOOR)).poll.interval == FLOOR
    assert after("unchanged", PollState(CEILING)).poll.interval == CEILING


@pytest.mark.parametrize(
    ("kw", "wait"),
    [
        ({"ttl": timedelta(hours=3)}, 3),
        ({"headers": {"cache-control": "public, max-age=7200"}}, 2),
        ({"headers": {"cache-control": "s-maxage=90000"}}, 0.8),
        ({"headers": {"cache-control": "no-cache, max-age=7200"}}, 0.8),
        ({"headers": {"expires": "Fri, 01 Nov 2024 16:00:00 GMT"}}, 4),
        ({"headers": {"expires": "0"}}, 0.8),
        ({"headers": {"cache-control": "max-age=0", "expires": "Fri, 01 Nov 2024 16:00:00 GMT"}}, 0.8),
        (
            {
                "headers": {
                    "expires": "Fri, 01 Nov 2024 16:00:00 GMT",
                    "date": "Fri, 01 Nov 2024 15:00:00 GMT",
                }
            },
            1,
        ),
        ({"ttl": timedelta(days=365)}, 24),
        ({"headers": {"retry-after": "36000"}}, 10),
        ({"headers": {"retry-after": "Fri, 01 Nov 2024 17:00:00 GMT"}}, 5),
    ],
)
def test_a_server_may_ask_for_more_time(kw: dict[str, object], wait: float) -> None:
    got = after("changed", **kw)
    assert got.next_poll_at == NOW + wait * HOUR
    assert got.poll.interval == timedelta(minutes=48)  # its wish is not learnt


def test_failures_add_up_and_success_forgets_them() -> None:
    state, waits = PollState(HOUR), []
    for outcome in ("dns-temporary", "soft", "soft", "hard", "hard"):
        got = after(outcome, state)
        state = got.poll
        waits.append((state.failures, (got.next_poll_at - NOW) / HOUR))
    assert waits == [(0.25, 1), (0.75, 1), (1.25, 1.25), (2.25, 2.25), (3.25, 3.25)]
    assert state.interval == HOUR
    assert after("unchanged", state).poll.failures == 0


def test_many_failures_raise_the_cap_but_never_stop() -> None:
    assert after("hard", PollState(HOUR * 20, failures=28)).next_poll_at == NOW + CEILING
    assert after("hard", PollState(HOUR * 24, failures=30)).next_poll_at == NOW + LONG_DELAY
    worst = after("hard", PollState(CEILING, failures=1e300))
    assert (worst.next_poll_at, worst.state) == (NOW + LONG_DELAY, "active")


def test_gone_is_gone() -> None:
    got = after("gone")
    assert (got.state, got.next_poll_at) == ("gone", NOW + LONG_DELAY)


def test_a_move_is_believed_at_the_second_sighting() -> None:
    first = after("unchanged", permanent_url="https://new.example/f")
    assert (first.new_url, first.poll.moved_sightings) == (None, 1)
    other = after("changed", first.poll, permanent_url="https://else.example/f")
    assert (other.new_url, other.poll.moved_sightings) == (None, 1)
    failed = after("soft", first.poll)
    assert failed.poll.moved_to == "https://new.example/f"
    second = after("changed", failed.poll, permanent_url="https://new.example/f")
    assert second.new_url == "https://new.example/f"
    assert (second.poll.moved_to, second.poll.moved_sightings) == (None, 0)
    assert after("changed", first.poll).poll.moved_to is None


def test_statuses_and_errors() -> None:
    expected = {200: None, 304: "unchanged", 404: "soft", 429: "soft", 500: "soft", 403: "hard", 410: "gone"}
    assert {status: of_status(status) for status in expected} == expected
    assert of_error("dns-temporary") is PollOutcome.DNS_TEMPORARY
    assert of_error("not-a-feed") is PollOutcome.HARD


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 1.5 ", 1.5),
        ("99999999999", 30 * 86400),
        ("Fri, 01 Nov 2024 12:01:00 GMT", 60),
        ("Thu, 31 Oct 2024 12:01:00 GMT", 0),
        ("Fri, 01 Nov 9024 12:01:00 GMT", 30 * 86400),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("٣", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


_HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "cache-control", "expires", "date"]),
    st.one_of(
        st.text(max_size=30),
        st.integers(-5, 10**13).map(str),
        st.integers(0, 10**10).map("max-age={}".format),
        st.datetimes(timezones=st.just(UTC)).map(lambda d: format_datetime(d, usegmt=True)),
    ),
)
_STEP = st.tuples(
    st.sampled_from(list(PollOutcome)),
    st.one_of(st.none(), st.timedeltas()),
    _HEADERS,
    st.sampled_from([None, "https://a.example/", "https://b.example/"]),
    st.floats(0, 1),
)


@given(st.lists(_STEP, min_size=1, max_size=40), st.timedeltas(), st.floats(-10, 1e9))
@settings(max_examples=200, deadline=None)
def test_whatever_happens_the_next_poll_is_neither_too_near_nor_too_far(
    steps: list[tuple[PollOutcome, timedelta | None, dict[str, str], str | None, float]],
    interval: timedelta,
    failures: float,
) -> None:
    now, state = NOW, PollState(interval, failures)
    for outcome, ttl, headers, moved, jitter in steps:
        got = plan(
            state,
            outcome=outcome,
            now=now,
            settings=SETTINGS,
            ttl=ttl,
            headers=headers,
            permanent_url=moved,
            jitter=jitter,
        )
        assert FLOOR <= got.next_poll_at - now <= LONG_DELAY * 1.1
        assert (got.state == "gone") == (outcome is PollOutcome.GONE)
        assert FLOOR <= got.poll.interval <= CEILING
        assert got.poll.failures >= 0
        now, state = got.next_poll_at, got.poll


def test_a_feed_that_comes_back_after_a_dead_year_is_read_within_a_month_and_recovers() -> None:
    now, state, polls = NOW, PollState(HOUR), 0
    while now < NOW + timedelta(days=365):
        got = plan(state, outcome="hard", now=now, settings=SETTINGS)
        now, state, polls = got.next_poll_at, got.poll, polls + 1
    assert 30 < polls < 400
    assert now - NOW < timedelta(days=365 + 31)
    for _ in range(30):
        got = plan(state, outcome="changed", now=now, settings=SETTINGS)
        now, state = got.next_poll_at, got.poll
    assert (state.interval, state.failures) == (FLOOR, 0)
