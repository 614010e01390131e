"""Serves feeds from many hosts on loopback, as cheaply as it can, and keeps a log of who asked when.

    python benchmarks/poll_server.py FEEDS HOSTS LATENCY      prints its port

Host k is the address 127.0.1.k (Linux answers on all of 127/8). Feed n stands on host n % HOSTS at /feed/n.xml, 20
entries, with an ETag and a Last-Modified, so that the second round is answered with 304. Every answer comes LATENCY
seconds after the request. GET /_log on any host gives the log as JSON and begins a new one:
{"requests": [[host, seconds, status], ...], "connections": {host: most at a time}}.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

ENTRIES = 20
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
LEXICON = """
report front line delegation border convoy shells ministry spokesman drone unit training ground river village statement
winter supply bridge road column talks envoy harvest railway harbour weather
"""
WORDS = LEXICON.split()


def feed(number: int, host: str, port: int) -> bytes:
    """One feed of a size as news have it: some 600 characters an entry."""
    parts = [
        f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>Feed {number}</title><link>http://{host}:{port}/</link><language>en</language>"
    ]
    for k in range(ENTRIES):
        seed = number * ENTRIES + k
        words = [WORDS[(seed * 7 + j * (1 + seed % 5)) % len(WORDS)] for j in range(60)]
        title, text = " ".join(words[:9]), " ".join(words)
        date = format_datetime(BEGUN + timedelta(minutes=seed))
        parts.append(
            f"<item><title>{title} {seed}</title><link>http://{host}:{port}/news/{seed}.html?utm_source=rss</link>"
            f'<guid isPermaLink="false">item-{seed}</guid><pubDate>{date}</pubDate><dc:creator>Desk</dc:creator>'
            f"<description>&lt;p&gt;{text}&lt;/p&gt;&lt;p&gt;&lt;b&gt;{title}&lt;/b&gt;&lt;/p&gt;</description></item>"
        )
    return ("".join(parts) + "</channel></rss>").encode()


class Log:
    def __init__(self) -> None:
        self.requests: list[tuple[str, float, int]] = []
        self.most: Counter[str] = Counter()
        self.open: Counter[str] = Counter()

    def taken(self) -> bytes:
        content = {"requests": self.requests, "connections": dict(self.most)}
        self.requests, self.most = [], Counter(self.open)
        return json.dumps(content).encode()


class Serving(asyncio.Protocol):
    """One connection: requests without bodies, answered in order."""

    def __init__(self, feeds: dict[tuple[str, str], tuple[bytes, bytes]], latency: float, log: Log) -> None:
        self._feeds, self._latency, self._log = feeds, latency, log
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._host = transport.get_extra_info("sockname")[0]
        self._log.open[self._host] += 1
        self._log.most[self._host] = max(self._log.most[self._host], self._log.open[self._host])

    def connection_lost(self, error: Exception | None) -> None:
        self._log.open[self._host] -= 1

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while b"\r\n\r\n" in self._waiting:
            head, _, self._waiting = self._waiting.partition(b"\r\n\r\n")
            self._asked(head)

    def _asked(self, head: bytes) -> None:
        path = head.split(b" ", 2)[1].decode()
        if path == "/_log":
            self._answer(_message(b"200 OK", b"Content-Type: application/json\r\n", self._log.taken()))
            return
        found = self._feeds.get((self._host, path))
        if found is None:
            status, message = 404, _message(b"404 Not Found", b"", b"")
        elif b'if-none-match: "1"' in head.lower():
            status, message = 304, found[1]
        else:
            status, message = 200, found[0]
        self._log.requests.append((self._host, time.monotonic(), status))
        asyncio.get_running_loop().call_later(self._latency, self._answer, message)

    def _answer(self, message: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(message)  # type: ignore[attr-defined]


def _message(status: bytes, headers: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, headers, len(body), body)


def host_of(number: int, hosts: int) -> str:
    return f"127.0.{1 + number % hosts // 250}.{1 + number % hosts % 250}"


async def serve(count: int, hosts: int, latency: float) -> None:
    feeds: dict[tuple[str, str], tuple[bytes, bytes]] = {}
    log = Log()
    server = await asyncio.get_running_loop().create_server(
        lambda: Serving(feeds, latency, log), "0.0.0.0", 0, backlog=1000
    )
    port = server.sockets[0].getsockname()[1]
    marks = b'ETag: "1"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n'
    unchanged = b"HTTP/1.1 304 Not Modified\r\n" + marks + b"\r\n"
    for number in range(count):
        host = host_of(number, hosts)
        body = feed(number, host, port)
        headers = b"Content-Type: application/rss+xml; charset=utf-8\r\n" + marks
        feeds[host, f"/feed/{number}.xml"] = (_message(b"200 OK", headers, body), unchanged)
    print(port, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
