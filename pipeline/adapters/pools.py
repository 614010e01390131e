"""Connections kept by host. httpcore's own pool looks through all its connections for every request, which with
hundreds of hosts costs more than the request.
"""

from __future__ import annotations

from collections import OrderedDict
from types import TracebackType
from typing import Any

import httpcore

KEPT_HOSTS = 256  # with connections at a time; those of the one unused for longest are closed for a new one


def host_of_origin(origin: httpcore.Origin) -> str:
    """The host as the gate and the work queue know it."""
    return origin.host.decode("ascii").lower().rstrip(".")


class HostPools(httpcore.AsyncConnectionPool):
    """A connection pool for every origin (scheme, host, port), made with the given options.

    How many requests run at a time, to one host and altogether, is for the caller to limit.
    """

    def __init__(self, *, kept: int = KEPT_HOSTS, **options: Any) -> None:
        self._options = options
        self._kept = kept
        self._hosts: OrderedDict[str, dict[str, httpcore.AsyncConnectionPool]] = OrderedDict()

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        host, origin = host_of_origin(request.url.origin), str(request.url.origin)
        pools = self._hosts.get(host)
        if pools is None:
            await self._make_room()
            pools = self._hosts.setdefault(host, {})
        self._hosts.move_to_end(host)
        pool = pools.get(origin)
        if pool is None:
            pool = pools[origin] = httpcore.AsyncConnectionPool(**self._options)
        return await pool.handle_async_request(request)

    def connections_to(self, host: str) -> list[httpcore.AsyncConnectionInterface]:
        return [connection for pool in self._hosts.get(host, {}).values() for connection in pool.connections]

    async def _make_room(self) -> None:
        if len(self._hosts) < self._kept:
            return
        for host, pools in self._hosts.items():
            if all(connection.is_idle() for connection in self.connections_to(host)):
                del self._hosts[host]
                for pool in pools.values():
                    await pool.aclose()
                return

    async def aclose(self) -> None:
        while self._hosts:
            _, pools = self._hosts.popitem()
            for pool in pools.values():
                await pool.aclose()

    async def __aenter__(self) -> HostPools:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.aclose()
