"""Connections kept by site. httpcore's own pool looks through all its connections for every request, which with
hundreds of hosts costs more than the request."""

from __future__ import annotations

from collections import OrderedDict
from types import TracebackType
from typing import Any

import httpcore

KEPT_SITES = 256  # with open connections at a time; the one unused for longest is closed for a new one


class SitePools(httpcore.AsyncConnectionPool):
    """A connection pool of its own for every origin (scheme, host, port), made like the one it stands for.

    `max_connections` holds for each origin. How many requests run at a time altogether is for the caller to limit.
    """

    def __init__(self, *, kept: int = KEPT_SITES, **options: Any) -> None:
        self._options = options
        self._kept = kept
        self._pools: OrderedDict[str, httpcore.AsyncConnectionPool] = OrderedDict()

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        origin = str(request.url.origin)
        pool = self._pools.get(origin)
        if pool is None:
            await self._make_room()
            pool = self._pools[origin] = httpcore.AsyncConnectionPool(**self._options)
        self._pools.move_to_end(origin)
        return await pool.handle_async_request(request)

    async def _make_room(self) -> None:
        if len(self._pools) < self._kept:
            return
        for origin, pool in self._pools.items():
            if all(connection.is_idle() for connection in pool.connections):
                del self._pools[origin]
                await pool.aclose()
                return

    async def aclose(self) -> None:
        while self._pools:
            _, pool = self._pools.popitem()
            await pool.aclose()

    async def __aenter__(self) -> SitePools:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.aclose()
