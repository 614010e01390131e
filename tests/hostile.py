"""A server that misbehaves, each host name in its own way, byte for byte over real sockets. For test_hostile.py.

A handler gets the connection after the request's head was read; what it returns is sent, and the connection goes on;
None closes it.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

import brotli
import zstandard

ADDRESS = "127.9.9.9"  # allowed in these tests; the rest of 127.0.0.0/8 is not
TEXT = "The minister told reporters on Tuesday that the talks would go on for as long as they were useful to both. "
PAGE = f"<html><head><title>Talks</title></head><body><article><p>{TEXT * 3}</p></article></body></html>"
FEED = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>'
    "<item><title>{0}</title><guid>{0}</guid><description>Text of {0}.</description></item></channel></rss>"
)


@dataclass
class Peer:
    """One request as the server sees it."""

    host: str
    path: str
    headers: dict[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seen: int = 0  # requests to this host and path before

    @property
    def content(self) -> bytes:
        return (FEED.format("one") if self.path.startswith("/feed") else PAGE).encode()

    @property
    def type(self) -> str:
        return "application/rss+xml" if self.path.startswith("/feed") else "text/html"

    async def drip(self, data: bytes, pause: float = 0.05) -> None:
        while True:
            for n in range(len(data)):
                self.writer.write(data[n : n + 1])
                await self.writer.drain()
                await asyncio.sleep(pause)


Handler = Callable[[Peer], Awaitable[bytes | None]]
HANDLERS: dict[str, Handler] = {}


def answer(peer: Peer, status: int = 200, body: bytes | None = None, **headers: str) -> bytes:
    body = peer.content if body is None else body
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    names.setdefault("content-length", str(len(body)))
    names.setdefault("content-type", peer.type)
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in names.items() if value)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def hostile(name: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS[name] = handler
        return handler

    return register


def says(name: str, **how: object) -> None:
    async def handler(peer: Peer) -> bytes:
        return answer(peer, **how)  # type: ignore[arg-type]

    HANDLERS[name] = handler


def leads_to(name: str, location: str) -> None:
    says(name, status=302, body=b"", location=location)


# Time ---------------------------------------------------------------------------------------------------------


@hostile("silent")
async def _silent(peer: Peer) -> bytes | None:
    await asyncio.sleep(30)
    return None


@hostile("slow-headers")
async def _slow_headers(peer: Peer) -> bytes | None:
    peer.writer.write(b"HTTP/1.1 200 OK\r\n")
    await peer.drip(b"x-slow: 1\r\n")
    return None


@hostile("slow-body")
async def _slow_body(peer: Peer) -> bytes | None:
    peer.writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: " + peer.type.encode() + b"\r\n\r\n")
    await peer.drip(b"x")
    return None


@hostile("early-hints")
async def _early_hints(peer: Peer) -> bytes | None:
    while True:
        peer.writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await peer.writer.drain()
        await asyncio.sleep(0.02)


# Size ---------------------------------------------------------------------------------------------------------


@hostile("endless")
async def _endless(peer: Peer) -> bytes | None:
    peer.writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: " + peer.type.encode() + b"\r\n\r\n")
    while True:
        peer.writer.write(b"<p>" * 20_000)
        await peer.writer.drain()


@hostile("endless-error")
async def _endless_error(peer: Peer) -> bytes | None:
    peer.writer.write(b"HTTP/1.1 500 X\r\n\r\n")
    while True:
        peer.writer.write(b"x" * 60_000)
        await peer.writer.drain()


BOMB = b"\0" * 200_000_000
says("gzip-bomb", body=gzip.compress(BOMB, 1), content_encoding="gzip")
says("brotli-bomb", body=brotli.compress(BOMB, quality=1), content_encoding="br")
says("zstd-bomb", body=zstandard.compress(BOMB), content_encoding="zstd")
del BOMB
says("huge-header", x_huge="h" * 2**20)
says("many-headers", **{f"x_{n}": "v" for n in range(10_000)})
says("said-to-be-huge", content_length=str(10**12))


# The shape of an answer ---------------------------------------------------------------------------------------


@hostile("length-too-long")
async def _too_long(peer: Peer) -> bytes | None:
    peer.writer.write(answer(peer, content_length=str(len(peer.content) + 500)))
    return None


@hostile("length-too-short")
async def _too_short(peer: Peer) -> bytes:
    """The rest looks like an answer of its own: whoever reads on takes it for the next page."""
    good = answer(peer)
    return good + answer(peer, body=b"<html><body><p>forged</p></body></html>")


@hostile("cut")
async def _cut(peer: Peer) -> bytes | None:
    peer.writer.write(answer(peer)[:-40])
    return None


@hostile("reset")
async def _reset(peer: Peer) -> bytes | None:
    peer.writer.transport.abort()
    return None


@hostile("bad-chunks")
async def _bad_chunks(peer: Peer) -> bytes | None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: " + peer.type.encode()
    peer.writer.write(head + b"\r\n\r\nfoo\r\nnot a chunk\r\n")
    return None


@hostile("no-http")
async def _no_http(peer: Peer) -> bytes | None:
    peer.writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    return None


says("empty", body=b"")
says("not-modified", status=304, body=b"", content_length="", content_type="")
says("false-charset", body=None, content_type="text/html; charset=utf-32-klingon")


# Redirects ----------------------------------------------------------------------------------------------------


@hostile("loop")
async def _loop(peer: Peer) -> bytes:
    return answer(peer, 302, b"", location=f"{peer.path}?{peer.seen}")


@hostile("cookie-loop")
async def _cookie_loop(peer: Peer) -> bytes:
    return answer(peer, 302, b"", location=peer.path, set_cookie=f"seen{peer.seen}={'c' * 500}; Path=/")


REFUSED = {
    "to-metadata": "http://169.254.169.254/latest/meta-data/",
    "to-loopback": "http://127.0.0.1:1/",
    "to-name-inside": "http://inside.test/",
    "to-mapped": "http://[::ffff:127.0.0.1]/",
    "to-6to4": "http://[2002:7f00:1::]/",
    "to-teredo": "http://[2001:0:7f00:1::]/",
    "to-nat64": "http://[64:ff9b::7f00:1]/",
    "to-carrier-nat": "http://100.64.0.1/",
    "to-zero": "http://0.0.0.0/",
    "to-decimal": "http://2130706433/",
    "to-hex": "http://0x7f000001/",
    "to-short": "http://127.1/",
    "to-private": "http://192.168.1.1/",
    "to-v6-loopback": "http://[::1]/",
    "to-link-local": "http://[fe80::1]/",
}
for _name, _target in REFUSED.items():
    leads_to(_name, _target)
leads_to("to-octal", "http://0177.0.0.1/")  # no address at all for httpx
leads_to("to-file", "file:///etc/passwd")
leads_to("to-password", "http://user:pw@good.example/")


# Asking less --------------------------------------------------------------------------------------------------

says("busy-seconds", status=429, retry_after="3600")


@hostile("busy-date")
async def _busy_date(peer: Peer) -> bytes:
    return answer(peer, 429, retry_after=format_datetime(BUSY_UNTIL, usegmt=True))


BUSY_UNTIL = datetime(2024, 12, 20, 23, tzinfo=UTC)  # an hour from the clock that tests begin with


says("down", status=503, body=b"later", retry_after="120")


@hostile("lying-etag")
async def _lying_etag(peer: Peer) -> bytes:
    """The content changes with every answer, the ETag never, and whoever names it is told that nothing is new."""
    if "if-none-match" in peer.headers:
        return answer(peer, 304, b"", content_length="", etag='"same"')
    return answer(peer, body=FEED.format(f"item {peer.seen}").encode(), etag='"same"')


@hostile("deaf-etag")
async def _deaf_etag(peer: Peer) -> bytes:
    """One that never says 304."""
    return answer(peer, etag='"same"')


says("good")
