"""The polling schedule: its constants and rules. What they come to over years stands in test_schedule_years.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.logic.schedule import LONG_DELAY, SKIP_SPREAD, PollOutcome, of_error, of_status, plan, retry_after
from pipeline.model import PollPlan, PollState, Wishes
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
        ({"wishes": Wishes(timedelta(hours=3))}, 3),
        ({"headers": {"cache-control": "public, max-age=7200"}}, 2),
        ({"headers": {"cache-control": "max-age=7200", "age": "1800"}}, 1.5),
        ({"headers": {"cache-control": "max-age=7200", "age": "9000"}}, 0.8),
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
        ({"wishes": Wishes(timedelta(days=365))}, 24),
        ({"headers": {"retry-after": "36000"}}, 10),
        ({"headers": {"retry-after": "Fri, 01 Nov 2024 17:00:00 GMT"}}, 5),
    ],
)
def test_a_server_may_ask_for_more_time(kw: dict[str, object], wait: float) -> None:
    got = after("changed", **kw)  # type: ignore[arg-type]
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
    assert (worst.next_poll_at, worst.poll.gone) == (NOW + LONG_DELAY, False)


def test_a_gone_feed_is_asked_once_a_month_and_comes_back() -> None:
    got = after("gone")
    assert (got.poll.gone, got.next_poll_at) == (True, NOW + LONG_DELAY)
    still = after("hard", got.poll)
    assert (still.poll.gone, still.next_poll_at, still.poll.failures) == (True, NOW + LONG_DELAY, 0)
    back = after("changed", got.poll)
    assert (back.poll.gone, back.next_poll_at) == (False, NOW + timedelta(minutes=48))


def test_a_feed_is_left_alone_when_it_asks_for_it() -> None:
    """NOW is a Friday at noon, GMT."""
    lunch = after("unchanged", wishes=Wishes(skip_hours=frozenset({13, 14})), jitter=0.5)
    assert lunch.next_poll_at == NOW + timedelta(hours=3) + SKIP_SPREAD / 2
    kept = after("unchanged", lunch.poll)  # an answer without a body says nothing new of it
    assert kept.next_poll_at == NOW + timedelta(hours=3)  # not at 14:15
    weekend = after("unchanged", PollState(timedelta(hours=10)), wishes=Wishes(skip_days=frozenset({5, 6})))
    assert weekend.next_poll_at == datetime(2024, 11, 4, tzinfo=UTC)
    for mistaken in (Wishes(skip_days=frozenset(range(7))), Wishes(skip_hours=frozenset(range(24)))):
        assert after("unchanged", wishes=mistaken).next_poll_at == NOW + timedelta(minutes=90)
    assert after("soft", kept.poll).next_poll_at > NOW + timedelta(hours=2)


def test_a_list_that_was_too_short_is_asked_sooner() -> None:
    state = PollState(8 * HOUR, seen_at=NOW - 3 * HOUR)
    assert after("changed", state, overrun=True).next_poll_at == NOW + 1.5 * HOUR
    assert after("changed", state).next_poll_at == NOW + 6.4 * HOUR
    assert after("changed", PollState(8 * HOUR), overrun=True).next_poll_at == NOW + 6.4 * HOUR  # the first poll
    for seen_at in (NOW, NOW + HOUR, NOW - timedelta(minutes=2)):
        assert after("changed", PollState(HOUR, seen_at=seen_at), overrun=True).next_poll_at == NOW + FLOOR


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
