"""Politeness between requests: few at a time to one host, and a pause between two starts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pipeline.settings import FetchSettings

_KEPT_HOSTS = 10_000  # idle hosts remembered before those whose time has passed are forgotten


@dataclass
class _Host:
    slots: asyncio.Semaphore
    users: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class HostGate:
    """`async with gate(host, crawl_delay):` around a request. One per event loop; times are monotonic.

    `starts` holds when each host may be asked next; a process hands the same one to its later gates, so that a new
    batch keeps the distance to the one before.
    """

    def __init__(
        self,
        settings: FetchSettings,
        starts: dict[str, float] | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings, self._now, self._sleep = settings, now, sleep
        self._starts = {} if starts is None else starts
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def __call__(self, host: str, delay: float | None = None) -> AsyncIterator[None]:
        """Wait for this host's turn. Starts are at least max(settings.host_delay, delay) seconds apart."""
        entry = self._entry(host)
        entry.users += 1
        try:
            async with entry.slots:
                async with entry.turn:  # in order of arrival; a pause set meanwhile is seen here
                    while (wait := self.wait_for(host)) > 0:
                        await self._sleep(wait)
                    self._starts[host] = self._now() + max(self._settings.host_delay, delay or 0.0)
                yield
        finally:
            entry.users -= 1

    def pause(self, host: str, seconds: float) -> None:
        """No request to this host starts within the next `seconds` (Retry-After)."""
        self._starts[host] = max(self._starts.get(host, 0.0), self._now() + max(0.0, seconds))

    def wait_for(self, host: str) -> float:
        """Seconds until a request to this host may start; 0.0 means now."""
        return max(0.0, self._starts[host] - self._now()) if host in self._starts else 0.0

    def _entry(self, host: str) -> _Host:
        found = self._hosts.get(host)
        if found is None:
            if len(self._hosts) >= _KEPT_HOSTS:
                self._hosts = {k: v for k, v in self._hosts.items() if v.users or self.wait_for(k)}
                for name in [name for name in self._starts if name not in self._hosts]:
                    del self._starts[name]
            found = self._hosts[host] = _Host(asyncio.Semaphore(self._settings.per_host))
        return found
