"""The gate: turns, distances, and whose a host is, in one process and between several."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Any

import pytest
from conftest import Bench, make_settings

from pipeline.adapters import gate as module
from pipeline.adapters.database import Connection, rows, session
from pipeline.adapters.gate import HostGate, NotItsTurn, Returned, Taken
from pipeline.adapters.hosts import HostTable
from pipeline.adapters.robots import Known
from pipeline.settings import FetchSettings, Settings
from pipeline.stages import maintain

FETCH = FetchSettings(total_timeout=0.4)


class Time:
    """A clock that sleeping moves, so that spacing is measured without waiting."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


def test_starts_are_spaced_per_host() -> None:
    async def run() -> list[tuple[str, float]]:
        world, starts = Time(), []
        gate = HostGate(FetchSettings(), now=world.now, sleep=world.sleep)

        async def fetch(host: str, delay: float) -> None:
            async with gate(host, delay):
                starts.append((host, world.at - 1000))

        for _ in range(3):
            await fetch("a", 5)
        await fetch("b", 5)
        for _ in range(2):
            await fetch("b", 20)  # keeps its own distance before and after
        await fetch("b", 0)
        gate.pause("a", 60)
        assert gate.wait_for("a") == 60
        assert gate.wait_for("unknown") == 0
        await fetch("a", 1)
        return starts

    starts = asyncio.run(run())
    expected = [("a", 0), ("a", 5), ("a", 10), ("b", 10), ("b", 30), ("b", 50), ("b", 70), ("a", 130)]
    assert starts == expected


def test_the_distance_is_counted_from_the_answer() -> None:
    """A connection that takes long to open must not bring the next request nearer at the server."""

    async def run() -> list[float]:
        gate, starts = HostGate(FetchSettings()), []

        async def fetch() -> None:
            async with gate("a", 0.1) as answered:
                await asyncio.sleep(0.2)
                starts.append(time.monotonic())
                answered()
                await asyncio.sleep(0.3)  # the body

        await asyncio.gather(*(fetch() for _ in range(3)))
        return starts

    first, second, third = asyncio.run(run())
    assert 0.3 <= second - first < 0.45
    assert 0.3 <= third - second < 0.6


def test_a_host_gets_few_at_a_time_and_the_slot_back_after_an_error() -> None:
    async def run() -> None:
        gate = HostGate(FetchSettings(per_host=2))
        running = most = 0

        async def fetch(fail: bool) -> None:
            nonlocal running, most
            async with gate("a"):
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.01)
                running -= 1
                if fail:
                    raise ValueError

        got = await asyncio.gather(*(fetch(n % 2 == 0) for n in range(8)), return_exceptions=True)
        assert sum(isinstance(each, ValueError) for each in got) == 4
        assert most == 2

    asyncio.run(run())


def test_hosts_that_hang_leave_places_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """All places taken: whoever waits for one waits outside its time, and gets the next."""
    monkeypatch.setattr(module, "AT_ONCE", 3)

    async def run() -> int:
        gate, most, now = HostGate(FetchSettings()), 0, 0

        async def fetch(n: int) -> None:
            nonlocal most, now
            async with gate(f"host{n}"):
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.01)
                now -= 1

        await asyncio.gather(*(fetch(n) for n in range(12)))
        return most

    assert asyncio.run(run()) == 3


def test_a_pause_holds_those_who_already_wait() -> None:
    async def run() -> float:
        gate = HostGate(FetchSettings())
        async with gate("a", 0.1):
            pass

        async def fetch() -> float:
            async with gate("a", 0.1):
                return time.monotonic()

        waiting = asyncio.create_task(fetch())
        await asyncio.sleep(0.02)
        paused = time.monotonic()
        gate.pause("a", 0.3)
        return await waiting - paused

    assert asyncio.run(run()) >= 0.29


def test_a_turn_that_can_not_come_in_time_is_not_waited_for() -> None:
    async def run() -> None:
        gate = HostGate(FetchSettings())
        gate.pause("a", 500)
        begun = time.monotonic()
        with pytest.raises(NotItsTurn) as soon:
            async with gate("a", 0, time.monotonic() + 60):
                pass
        assert soon.value.retry_after == pytest.approx(500, abs=1)
        async with gate("b", 30):
            with pytest.raises(NotItsTurn) as late:
                async with gate("b", 30, time.monotonic() + 0.05):
                    pass
        assert late.value.retry_after == pytest.approx(30, abs=1)
        assert time.monotonic() - begun < 1
        gate.pause("a", 10**9)
        assert gate.wait_for("a") <= module.MAX_PAUSE

    asyncio.run(run())


# --- between processes ---


def gate_of(conn: Connection, settings: Settings, **options: Any) -> HostGate:
    table = HostTable(conn, uuid.uuid4(), settings)
    return HostGate(settings.fetch, table, **options)


@pytest.fixture
def quick(settings: Settings, dsn: str) -> Settings:
    """A host is held for a second: 2.5 total time-outs."""
    return make_settings(settings.home, dsn, fetch={"total_timeout": 0.4, "host_delay": 0.3}, poll={"host_delay": 0.2})


def test_one_process_at_a_time_asks_a_host(conn: Connection, quick: Settings) -> None:
    """Four of them, taking turns: never more than two requests at once, never two starts nearer than the delay."""

    async def run() -> None:
        running = most = 0
        starts: list[float] = []
        with session(quick) as second, session(quick) as third, session(quick) as fourth:
            async with AsyncExitStack() as stack:
                gates = [
                    await stack.enter_async_context(gate_of(each, quick)) for each in (conn, second, third, fourth)
                ]

                async def fetch(gate: HostGate) -> None:
                    nonlocal running, most
                    async with gate("paper.test", 0.05):
                        running += 1
                        most = max(most, running)
                        starts.append(time.monotonic())
                        await asyncio.sleep(0.02)
                        running -= 1

                await asyncio.gather(*(fetch(gate) for gate in gates for _ in range(3)))
        assert len(starts) == 12
        assert most <= 2
        assert min(b - a for a, b in pairwise(starts)) >= 0.05

    asyncio.run(run())


def test_a_host_is_prolonged_while_it_is_used(conn: Connection, quick: Settings) -> None:
    async def run() -> None:
        with session(quick) as second:
            async with gate_of(conn, quick) as mine, gate_of(second, quick) as others:
                begun = time.monotonic()

                async def work() -> None:
                    for _ in range(15):
                        async with mine("paper.test"):
                            await asyncio.sleep(0.1)

                async def wait() -> float:
                    await asyncio.sleep(0.05)
                    async with others("paper.test"):
                        return time.monotonic() - begun

                _, waited = await asyncio.gather(work(), wait())
                assert waited > 1.5  # beyond the second for which it was taken at first

    asyncio.run(run())


def take(conn: Connection, settings: Settings, *hosts: str) -> dict[str, Taken]:
    return HostTable(conn, uuid.uuid4(), settings).take(list(hosts))


def test_a_killed_process_keeps_its_hosts_until_its_time_is_over(conn: Connection, quick: Settings) -> None:
    """And what it may have asked until then counts as asked."""
    assert take(conn, quick, "a.test", "b.test") == {"a.test": Taken(), "b.test": Taken()}
    assert take(conn, quick, "a.test", "c.test") == {"c.test": Taken()}
    time.sleep(1.05)
    found = take(conn, quick, "a.test")["a.test"]
    assert 0.0 <= found.since_start < 0.3  # type: ignore[operator]
    assert found.spacing == 0.3


def test_a_host_that_was_given_back_is_known_by_its_last_request(conn: Connection, quick: Settings) -> None:
    first = HostTable(conn, uuid.uuid4(), quick)
    first.take(["a.test", "b.test"])
    first.give_back({"a.test": Returned(7.0, 20.0), "b.test": Returned(None, 0.0)})
    assert first.renew(["a.test"]) == set()
    found = take(conn, quick, "a.test", "b.test")
    assert found["a.test"].since_start == pytest.approx(7.0, abs=0.5)
    assert found["a.test"].spacing == 20.0
    assert found["b.test"] == Taken()
    first.give_back({"a.test": Returned(0.0, 1.0)})  # it is another's now
    assert take(conn, quick, "a.test") == {}


def test_a_pause_is_everybody_s(conn: Connection, quick: Settings) -> None:
    table = HostTable(conn, uuid.uuid4(), quick)
    table.pause("a.test", 100.0, "it answered 429")
    table.pause("a.test", 50.0, "it answered 429")  # the longer one holds
    assert take(conn, quick, "a.test")["a.test"].pause == pytest.approx(100, abs=2)
    assert [(r.host, r.pause_reason) for r in rows(conn, "hosts.paused")] == [("a.test", "it answered 429")]


def test_hosts_that_nobody_asked_for_long_are_forgotten(bench: Bench, conn: Connection, quick: Settings) -> None:
    table = HostTable(conn, uuid.uuid4(), quick)
    table.take(["old.test", "held.test", "paused.test", "new.test"])
    table.keep_robots("http://old.test/robots.txt", "old.test", Known("none"), None)
    table.give_back(dict.fromkeys(["old.test", "paused.test", "new.test"], Returned(0.0, 0.0)))
    table.pause("paused.test", 100.0, "it answered 429")
    conn.execute("update ingest.hosts set taken_at = taken_at - interval '91 days' where host <> 'new.test'")
    assert maintain.run(conn, bench).deleted["hosts"] == 1
    left = conn.execute("select host from ingest.hosts order by host").fetchall()
    assert [r.host for r in left] == ["held.test", "new.test", "paused.test"]
    assert conn.execute("select count(*) as n from ingest.robots").fetchone().n == 0  # type: ignore[union-attr]


def test_a_clock_that_was_put_back_freezes_no_host(conn: Connection, quick: Settings) -> None:
    table = HostTable(conn, uuid.uuid4(), quick)
    table.take(["a.test"])
    table.pause("a.test", 100.0, "it answered 429")
    conn.execute(
        "update ingest.hosts set held_until = held_until + interval '9 years', "
        "last_start_at = now() + interval '9 years', paused_at = paused_at + interval '9 years', "
        "paused_until = paused_until + interval '9 years'"
    )
    assert take(conn, quick, "a.test")["a.test"] == Taken(0.0, 0.3, 0.0)


def test_trouble_with_the_database_ends_every_wait(quick: Settings) -> None:
    class Broken(module.Alone):
        def take(self, hosts: list[str]) -> dict[str, Taken]:
            raise ConnectionError("the database is gone")

    async def run() -> None:
        async with HostGate(quick.fetch, Broken()) as gate:
            for _ in range(2):
                with pytest.raises(ConnectionError):
                    async with gate("a"):
                        pass

    asyncio.run(run())
