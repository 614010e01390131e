"""Other people's servers, asked politely: the client, the gate and robots.txt together.

    async with Web(settings, client, table, delay=5.0, robots=True) as web:
        response = await web.get(url, max_body=...)

Every request takes its host's turn, those of redirects and for robots.txt too, and a redirect to another site asks that
site's robots.txt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Protocol

import httpx

from pipeline.adapters import robots as robots_txt
from pipeline.adapters.gate import HostGate, Hosts
from pipeline.adapters.http import HttpClient, host_of
from pipeline.adapters.robots import Memory, Robots
from pipeline.errors import PermanentError, TransientError
from pipeline.model import Response

DEFAULT_PAUSE = 60.0  # seconds that a host is left alone after a 429 that names no time


class Table(Hosts, Memory, Protocol):
    """What processes share; hosts.HostTable is the real one."""


class Web:
    """One batch's way to other servers. `deadline` is when its last fetch may begin, by the event loop's clock; what it
    takes besides, robots.txt and redirects, may begin until `late`: to break off there means to ask again.
    """

    def __init__(
        self,
        client: HttpClient,
        table: Table | None = None,
        *,
        delay: float = 0.0,
        robots: bool = False,
        deadline: float | None = None,
        late: float | None = None,
    ) -> None:
        self.client, self._delay, self._deadline, self._late = client, delay, deadline, late or deadline
        self.gate = HostGate(client.settings, table, close_idle=client.close_idle)
        self.robots = Robots(self._robots_txt, table) if robots else None

    async def __aenter__(self) -> Web:
        await self.gate.__aenter__()
        await self.client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.client.__aexit__(kind, error, trace)  # no host is given back with a connection open
        finally:
            await self.gate.__aexit__(kind, error, trace)

    async def get(self, url: str, *, ask_robots: bool = True, **how: Any) -> Response:
        """HttpClient.get in turn. Raises its errors, NotItsTurn, `robots` and `robots-unreadable`."""
        begun = False

        @asynccontextmanager
        async def visit(hop: httpx.URL) -> AsyncIterator[Callable[[], None]]:
            nonlocal begun
            deadline = self._late if begun else self._deadline
            async with self._visit(hop, deadline) if ask_robots else self._plain_visit(hop, deadline) as answered:
                begun = True
                yield answered

        return await self.client.get(url, visit=visit, **how)

    def pause(self, response: Response, seconds: float | None) -> None:
        """The host that answered wants to be left alone (429)."""
        wait = DEFAULT_PAUSE if seconds is None else seconds
        self.gate.pause(host_of(httpx.URL(response.url)), wait, f"it answered {response.status} for {response.url}")

    @asynccontextmanager
    async def _visit(self, url: httpx.URL, deadline: float | None) -> AsyncIterator[Callable[[], None]]:
        delay, host = self._delay, host_of(url)
        if self.robots is not None:
            answer = await self.robots.allowed(str(url))
            if not answer.allowed:
                if answer.reason == "robots-unreadable":
                    raise TransientError(
                        f"robots.txt of {host} can't be read, so its pages are left alone for now: {answer.detail}",
                        code=answer.reason,
                    )
                raise PermanentError(f"robots.txt of {host} does not allow it: {answer.detail}", code="robots")
            delay = max(delay, answer.crawl_delay or 0.0)
        async with self._turn(host, delay, deadline) as answered:
            yield answered

    @asynccontextmanager
    async def _plain_visit(self, url: httpx.URL, deadline: float | None) -> AsyncIterator[Callable[[], None]]:
        async with self._turn(host_of(url), self._delay, deadline) as answered:
            yield answered

    @asynccontextmanager
    async def _turn(self, host: str, delay: float, deadline: float | None) -> AsyncIterator[Callable[[], None]]:
        async with self.gate(host, delay, deadline) as answered:
            try:
                yield answered
            except (httpx.TimeoutException, httpx.NetworkError, TransientError, asyncio.CancelledError):
                self.gate.went(host, well=False)  # cancelled: the fetch's whole time is over
                raise
            self.gate.went(host, well=True)

    async def _robots_txt(self, url: str) -> Response:
        response = await self.client.get(
            url,
            max_body=robots_txt.MAX_BODY,
            accept="text/plain,*/*;q=0.1",
            truncate=True,
            visit=lambda hop: self._plain_visit(hop, self._late),
        )
        if response.status == robots_txt.TOO_MANY_REQUESTS:
            self.pause(response, None)
        return response
