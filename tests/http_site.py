"""A web server on loopback that answers what a test wants, byte for byte, and a client that reaches it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pipeline.adapters.http import HttpClient
from pipeline.errors import PermanentError, TransientError
from pipeline.settings import FetchSettings

LOOPBACK = ["127.0.0.0/8", "::1/128"]
Handler = Callable[[str, dict[str, str], asyncio.StreamWriter], Awaitable[bytes | None]]


def answer(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    names.setdefault("content-length", str(len(body)))
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in names.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Site:
    """A server whose handler gets the path and headers and gives the whole answer, or None to be cut off."""

    def __init__(self, handler: Handler) -> None:
        self.handler, self.seen, self.port = handler, [], 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                first, *rest = request.decode("latin-1").split("\r\n")
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in rest) if k}
                path = first.split(" ")[1]
                self.seen.append((path, headers, time.monotonic()))
                data = await self.handler(path, headers, writer)
                if data is None:
                    break
                writer.write(data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(handler: Handler, **options: Any):
    site = Site(handler)
    tasks: set[asyncio.Task[None]] = set()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await site.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    values = {
        "host_map": {"*.test": f"127.0.0.1:{site.port}"},
        "allow_networks": LOOPBACK,
        "total_timeout": 5.0,
        "idle_timeout": 2.0,
        "connect_timeout": 1.0,
        **options,
    }
    try:
        async with HttpClient(FetchSettings(**values)) as client:
            yield site, client
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def fixed(data: bytes) -> Handler:
    async def handler(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        return data

    return handler


def routes(table: dict[str, bytes]) -> Handler:
    async def handler(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        return table.get(path) or answer(404, b"nothing here")

    return handler


def get(handler: Handler, url: str = "http://paper.test/a", *, options: dict[str, Any] | None = None, **kw: Any):
    async def run():
        async with serving(handler, **(options or {})) as (_, client):
            return await client.get(url, **{"max_body": 10_000, **kw})

    return asyncio.run(run())


def code(handler: Handler, url: str = "http://paper.test/a", **kw: Any) -> str:
    with pytest.raises((TransientError, PermanentError)) as caught:
        get(handler, url, **kw)
    return caught.value.code
