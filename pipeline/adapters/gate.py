"""Politeness: few requests at a time to one host, a distance between two starts, and one process at a time a host.

The last is what makes the others hold however many processes run: a host is taken before it is asked, in the table
that all of them share (hosts.py), and given back when this process has closed its connections to it. Inside the
process, semaphores and a monotonic clock do the rest, so a request costs no look into the database: hosts are taken,
prolonged and given back many at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

from pipeline.errors import TransientError
from pipeline.settings import FetchSettings

HOLD = 2.5  # a host is taken for this many total time-outs: its holder can stand still for one and a half of them
RENEWED = 0.5  # and prolonged after this part of one
PATIENCE = 20.0  # seconds that a request waits for a host that another process has; the item is put back then
ASK_AGAIN = 0.5  # seconds between two attempts to take such a host; all hosts are looked after as often
IDLE = 1.0  # seconds without a request or waiter after which a host is given back before the batch ends
MAX_PAUSE = 86_400.0  # seconds; a longer Retry-After is kept by the item, but a typo must not silence a host for good
FAILURES = 3  # requests in a row that bring no answer, then the host is left alone
DOWN = 300.0  # seconds; as long as an article waits for its second attempt
AT_ONCE = 64  # requests at a time to all hosts together; each has a connection of its own at most


class NotItsTurn(TransientError):
    """The host is not free in time: another process has it, it asked for a pause, or its queue is too long."""

    code = "not-its-turn"


@dataclass(frozen=True)
class Taken:
    """A host as it was taken: seconds since its last request began, the distance after it, and a pause's rest."""

    since_start: float | None = None
    spacing: float = 0.0
    pause: float = 0.0


@dataclass(frozen=True)
class Returned:
    """A host as it is given back; `age` is None where no request was made."""

    age: float | None
    spacing: float


class Hosts(Protocol):
    """Who may ask which host, agreed between processes."""

    def take(self, hosts: list[str]) -> dict[str, Taken]: ...
    def renew(self, hosts: list[str]) -> set[str]: ...
    def give_back(self, hosts: dict[str, Returned]) -> None: ...
    def pause(self, host: str, seconds: float, reason: str) -> None: ...


class Alone:
    """For a process with no database, which has every host to itself."""

    def take(self, hosts: list[str]) -> dict[str, Taken]:
        return dict.fromkeys(hosts, Taken())

    def renew(self, hosts: list[str]) -> set[str]:
        return set(hosts)

    def give_back(self, hosts: dict[str, Returned]) -> None:
        pass

    def pause(self, host: str, seconds: float, reason: str) -> None:
        pass


@dataclass
class _Host:
    slots: asyncio.Semaphore
    users: int = 0  # that ask or wait
    idle_since: float = 0.0
    held_until: float | None = None  # None: not ours
    started: float | None = None  # the last request
    spacing: float = 0.0  # after it
    paused_until: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    refused_at: float = -ASK_AGAIN  # somebody else had it
    refused_since: float | None = None
    failures: int = 0  # in a row
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # whose it is


class HostGate:
    """`async with gate(host, delay):` around a request; itself an async context manager. Times are monotonic.

    `close_idle` closes this process's idle connections to a host; it is called before the host is given back.
    """

    def __init__(
        self,
        settings: FetchSettings,
        hosts: Hosts | None = None,
        *,
        close_idle: Callable[[str], Awaitable[None]] | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings, self._now, self._sleep = settings, now, sleep
        self._shared = Alone() if hosts is None else hosts
        self._close_idle = close_idle
        self._hosts: dict[str, _Host] = {}
        self._all = asyncio.Semaphore(AT_ONCE)
        self._wake = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._trouble: BaseException | None = None

    async def __aenter__(self) -> HostGate:
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives every host back. All connections have to be closed by now."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._trouble is None:
            self._give_back([name for name, entry in self._hosts.items() if entry.held_until is not None])

    @asynccontextmanager
    async def __call__(
        self, host: str, delay: float = 0.0, deadline: float | None = None
    ) -> AsyncIterator[Callable[[], None]]:
        """Wait for this host's turn: `delay` seconds after the last request, and as long after ours nobody starts.

        Gives a function to call when the server begins to answer. Until then, where there is a delay, no other request
        starts, and the distance is counted from then: so it holds at the server, however long a connection takes.

        Raises NotItsTurn, with the seconds to wait, where the turn can't be before `deadline`.
        """
        entry = self._entry(host)
        entry.users += 1
        try:
            async with contextlib.AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout_at(deadline):
                        await stack.enter_async_context(entry.slots)
                        await entry.turn.acquire()  # in order of arrival
                        try:
                            await self._turn(host, entry, delay, deadline)
                        except BaseException:
                            entry.turn.release()
                            raise
                except TimeoutError:
                    wait = self.wait_for(host, delay)
                    raise NotItsTurn(f"the turn of {host} did not come", retry_after=wait) from None
                stack.callback(self._all.release)
                entry.started, entry.spacing, turn_is_over = self._now(), delay, False

                def answered() -> None:
                    nonlocal turn_is_over
                    if not turn_is_over:
                        turn_is_over, entry.started = True, self._now()
                        entry.turn.release()

                if not delay:
                    answered()
                try:
                    yield answered
                finally:
                    answered()
        finally:
            entry.users -= 1
            entry.idle_since = self._now()
            if not entry.users:
                entry.refused_since = None

    async def _turn(self, host: str, entry: _Host, delay: float, deadline: float | None) -> None:
        """Until a request may start; a place among all requests is taken then."""
        while True:
            await self._hold(host, entry)
            wait = self.wait_for(host, delay)
            if wait > 0:
                if deadline is not None and self._now() + wait > deadline:
                    raise NotItsTurn(f"{host} may not be asked for {wait:.0f} seconds", retry_after=wait)
                await self._sleep(wait)  # a pause set or a host lost meanwhile is seen afterwards
                continue
            await self._all.acquire()
            if self._ours(entry) and not self.wait_for(host, delay):
                return
            self._all.release()

    def pause(self, host: str, seconds: float, reason: str = "") -> None:
        """Nobody starts a request to this host within the next `seconds` (Retry-After), MAX_PAUSE at most."""
        seconds = min(max(0.0, seconds), MAX_PAUSE)
        entry = self._entry(host)
        entry.paused_until = max(entry.paused_until, self._now() + seconds)
        self._shared.pause(host, seconds, reason)

    def went(self, host: str, *, well: bool) -> None:
        """How a request ended. A host that fails FAILURES times in a row is paused: it is down, and each further
        attempt would hold up the batch for a time-out.
        """
        entry = self._entry(host)
        entry.failures = 0 if well else entry.failures + 1
        if entry.failures >= FAILURES:
            entry.failures = 0
            self.pause(host, DOWN, f"it did not answer {FAILURES} times in a row")

    def wait_for(self, host: str, delay: float = 0.0) -> float:
        """Seconds until a request to this host may start, as far as this process knows; 0.0 means now."""
        entry = self._hosts.get(host)
        if entry is None:
            return 0.0
        free = entry.paused_until
        if entry.started is not None:
            free = max(free, entry.started + max(entry.spacing, delay))
        return max(0.0, free - self._now())

    def _ours(self, entry: _Host) -> bool:
        """Whether a request that starts now ends before the host may be somebody else's."""
        return entry.held_until is not None and entry.held_until - self._now() >= self._settings.total_timeout

    async def _hold(self, host: str, entry: _Host) -> None:
        """Until the host is ours."""
        while not self._ours(entry):
            if self._trouble is not None:
                raise self._trouble
            if entry.refused_since is not None and self._now() > entry.refused_since + PATIENCE:
                raise NotItsTurn(f"another process asks {host}", retry_after=PATIENCE)
            entry.changed.clear()
            if self._keeper is None:
                self._settle()
            else:
                self._wake.set()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        await entry.changed.wait()

    async def _keep(self) -> None:
        """Takes the hosts that are waited for, prolongs those that are held, gives idle ones back."""
        try:
            while True:
                self._settle()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ASK_AGAIN):
                        await self._wake.wait()
                self._wake.clear()
                idle = self._idle()
                if self._close_idle is not None:
                    for name in idle:
                        await self._close_idle(name)
                self._give_back([name for name in idle if not self._hosts[name].users])
        except Exception as error:
            self._trouble = error
            for entry in self._hosts.values():
                entry.changed.set()

    def _settle(self) -> None:
        now, hold = self._now(), self._settings.total_timeout * HOLD
        ends = {name: entry.held_until for name, entry in self._hosts.items() if entry.held_until is not None}
        if ends and min(ends.values()) - now < hold - self._settings.total_timeout * RENEWED:
            kept = self._shared.renew(list(ends))
            for name in ends:
                self._hosts[name].held_until = now + hold if name in kept else None
                self._hosts[name].changed.set()
        wanted = [
            name
            for name, entry in self._hosts.items()
            if entry.users and entry.held_until is None and now >= entry.refused_at + ASK_AGAIN
        ]
        taken = self._shared.take(wanted) if wanted else {}
        then = self._now()  # ages and waits are told as of the statement: counted from its end they are kept in full
        for name in wanted:
            entry, found = self._hosts[name], taken.get(name)
            if found is None:
                entry.refused_at = now
                entry.refused_since = now if entry.refused_since is None else entry.refused_since
                entry.changed.set()
                continue
            entry.held_until, entry.refused_since = now + hold, None
            if found.since_start is not None and (entry.started is None or then - found.since_start > entry.started):
                entry.started, entry.spacing = then - found.since_start, found.spacing
            entry.paused_until = max(entry.paused_until, then + found.pause)
            entry.changed.set()

    def _idle(self) -> list[str]:
        old = self._now() - IDLE
        return [n for n, e in self._hosts.items() if e.held_until is not None and not e.users and e.idle_since <= old]

    def _give_back(self, names: list[str]) -> None:
        if not names:
            return
        now, back = self._now(), {}
        for name in names:
            entry = self._hosts[name]
            entry.held_until = None
            age = None if entry.started is None else now - entry.started
            back[name] = Returned(age, entry.spacing)
        self._shared.give_back(back)

    def _entry(self, host: str) -> _Host:
        found = self._hosts.get(host)
        if found is None:
            found = self._hosts[host] = _Host(asyncio.Semaphore(self._settings.per_host), idle_since=self._now())
        return found
