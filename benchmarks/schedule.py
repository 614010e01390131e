"""Prints how late a feed's news are seen, and with how many requests, on the publication times of a real stream.

    python benchmarks/schedule.py [--data FOLDER] [--half first|second] [--sources]

Every source of items.jsonl.gz is played as one feed: an item can be seen from its publication on, and a poll sees all
that came since the poll before. Each policy begins on 12 August 2025 knowing nothing; counted are the items and polls
of one half: from 19 August (`first`, on which the rule's constants were chosen) or from 5 September on (`second`, the
default, kept back). Nothing fails and no server asks for more time.

`late` is the time from publication to the poll that sees it, over all items, and `middle feed` the median of the
feeds' medians. `waste` is mean lateness times requests an hour, the mean of all feeds: 0.5 for any fixed interval,
less where polls come when news do, so it compares policies that spend differently. `eager` is the adaptive rule with
so small a step after an empty poll that it makes as many requests as the learned rule. The last line is JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from pipeline.logic import schedule
from pipeline.model import PollState, Rhythm
from pipeline.settings import PollSettings

DATA = Path(__file__).parents[2] / "shared" / "data" / "stream"
START = datetime(2025, 8, 12, tzinfo=UTC)
MIDDLE = datetime(2025, 9, 5, tzinfo=UTC)
HALVES = {"first": (START + timedelta(days=7), MIDDLE), "second": (MIDDLE, datetime(2025, 9, 29, tzinfo=UTC))}
HOUR = timedelta(hours=1)

# state, dates of the new items, now, jitter -> the next poll, the state then
Feeds = dict[str, list[datetime]]
Policy = Callable[[PollState, list[datetime], datetime, float], tuple[datetime, PollState]]


@dataclass(frozen=True)
class Played:
    """One feed under one policy: its polls, and the minutes that each item waited."""

    polls: int
    minutes: list[float]
    hours: float

    @property
    def waste(self) -> float:
        return statistics.mean(self.minutes) / 60 * self.polls / self.hours


def fixed(interval: timedelta) -> Policy:
    return lambda state, _, now, jitter: (now + interval * (1 + schedule.JITTER * jitter), state)


def learned(settings: PollSettings) -> Policy:
    def policy(state: PollState, news: list[datetime], now: datetime, jitter: float) -> tuple[datetime, PollState]:
        outcome = "changed" if news else "unchanged"
        plan = schedule.plan(state, outcome=outcome, now=now, settings=settings, news=news, jitter=jitter)
        return plan.next_poll_at, plan.poll

    return policy


def adaptive(settings: PollSettings) -> Policy:
    """The rule of a feed's first days, for ever."""
    rule = learned(settings)

    def policy(state: PollState, news: list[datetime], now: datetime, jitter: float) -> tuple[datetime, PollState]:
        at, after = rule(state, news, now, jitter)
        return at, replace(after, rhythm=Rhythm())

    return policy


def eager(settings: PollSettings, step: float) -> Policy:
    """The adaptive rule with another step after an empty poll."""
    rule = adaptive(settings)

    def policy(state: PollState, news: list[datetime], now: datetime, jitter: float) -> tuple[datetime, PollState]:
        with patch.object(schedule, "UNCHANGED_FACTOR", step):
            return rule(state, news, now, jitter)

    return policy


def as_many(feeds: Feeds, settings: PollSettings, wanted: int, begin: datetime, end: datetime) -> Policy:
    """The eager rule that makes about `wanted` requests."""
    low, high = 1.0, schedule.UNCHANGED_FACTOR  # the smaller the step, the more requests
    for _ in range(10):
        middle = (low + high) / 2
        polls = sum(play(times, eager(settings, middle), begin, end).polls for times in feeds.values())
        low, high = (middle, high) if polls > wanted else (low, middle)
    return eager(settings, (low + high) / 2)


def play(times: list[datetime], policy: Policy, begin: datetime, end: datetime) -> Played:
    """`times` in order; the same draws of jitter for every policy."""
    draw, now, state, seen = random.Random(7), START, PollState(HOUR), bisect_right(times, START)
    polls, minutes = 0, []
    while now < end:
        upto = bisect_right(times, now)
        news, seen = times[seen:upto], upto
        polls += now >= begin
        minutes += [(now - time) / timedelta(minutes=1) for time in news if time >= begin]
        now, state = policy(state, news, now, draw.random())
    return Played(polls, minutes, (end - begin) / HOUR)


def load(folder: Path) -> Feeds:
    times: Feeds = {}
    with gzip.open(folder / "items.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            times.setdefault(item["source"], []).append(datetime.fromisoformat(item["published"]).astimezone(UTC))
    return {source: sorted(found) for source, found in sorted(times.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--half", choices=tuple(HALVES), default="second")
    parser.add_argument("--sources", action="store_true", help="each source as well")
    arguments = parser.parse_args()
    feeds, (begin, end), settings = load(arguments.data), HALVES[arguments.half], PollSettings()
    policies = {f"every {n:g} h": fixed(n * HOUR) for n in (0.5, 1, 2)}
    policies |= {"adaptive": adaptive(settings), "learned": learned(settings)}
    wanted = sum(play(times, policies["learned"], begin, end).polls for times in feeds.values())
    policies["eager"] = as_many(feeds, settings, wanted, begin, end)
    shown = {}
    days = (end - begin) / timedelta(days=1)
    print(f"{len(feeds)} feeds, {days:g} days; lateness in minutes")
    for name, policy in policies.items():
        played = {source: play(times, policy, begin, end) for source, times in feeds.items()}
        minutes = [m for one in played.values() for m in one.minutes]
        shown[name] = {
            "polls_a_day": round(sum(one.polls for one in played.values()) / days / len(feeds), 1),
            "late_median": round(statistics.median(minutes), 1),
            "late_mean": round(statistics.mean(minutes), 1),
            "late_p90": round(statistics.quantiles(minutes, n=10)[-1], 1),
            "middle_feed": round(statistics.median(statistics.median(one.minutes) for one in played.values()), 1),
            "waste": round(statistics.mean(one.waste for one in played.values()), 3),
        }
        s = shown[name]
        print(
            f"{name:<10} {s['polls_a_day']:5.1f} polls a feed and day   late: median {s['late_median']:5.1f}  mean "
            f"{s['late_mean']:5.1f}  p90 {s['late_p90']:5.1f}  middle feed {s['middle_feed']:5.1f}   "
            f"waste {s['waste']:.3f}"
        )
        if arguments.sources:
            for source, one in played.items():
                median, mean = statistics.median(one.minutes), statistics.mean(one.minutes)
                print(
                    f"    {source:<12} {len(one.minutes):>5} items {one.polls / days:6.1f} polls a day   "
                    f"median {median:6.1f}  mean {mean:6.1f}   waste {one.waste:.3f}"
                )
    print(json.dumps({"benchmark": "schedule", "half": arguments.half, "feeds": len(feeds), "policies": shown}))


if __name__ == "__main__":
    main()
