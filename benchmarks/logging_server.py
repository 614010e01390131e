"""Sites on loopback that write down who asked them what and when, in a process of their own.

Every site is a host name with an address of its own in 127.77.0.0/16, so that connections can be counted by site. A
site has feeds, whose entries lead to articles of the same site; every tenth of these is a redirect to an article of
the next site. Some sites have a robots.txt, and of these some ask for a longer delay.

    with LoggingServer(sites=50, feeds=500, entries=4) as server:
        ...
        log = server.log()
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import socket
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing.connection import Connection as Pipe
from typing import Any

DOMAIN = "soak.example"
LATENCY = (0.002, 0.03)  # seconds until an answer begins
MOVED_EVERY = 10  # every tenth article lies with the next site
PATIENT_EVERY = 5  # every fifth site has a robots.txt with a crawl-delay


@dataclass
class Log:
    """What the sites saw. A request is (moment, path); moments are the server's, in seconds."""

    requests: dict[int, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    connections: dict[int, int] = field(default_factory=dict)  # most at a time

    def asked(self) -> Counter[str]:
        """How often each page was asked for, robots.txt apart."""
        return Counter(
            f"{site}{path}" for site, seen in self.requests.items() for _, path in seen if path != "/robots.txt"
        )

    def gaps(self, feed: float, article: float, patient: float) -> float:
        """The least by which a distance between two requests to a site was longer than it had to be, in seconds."""
        least = 1e9
        for site, seen in self.requests.items():
            page = max(article, patient if is_patient(site) else 0.0)
            known = False  # a crawl-delay is known from the first robots.txt on
            for (before, first), (after, second) in pairwise(sorted(seen)):
                known = known or first == "/robots.txt"
                kinds = {kind(first), kind(second)}
                if "article" in kinds:
                    wanted = page if known else article
                elif "robots" in kinds:
                    wanted = article
                else:
                    wanted = feed
                least = min(least, after - before - wanted)
        return least

    def repeats(self) -> list[float]:
        """Seconds between two requests for the same page."""
        times: dict[str, list[float]] = defaultdict(list)
        for site, seen in self.requests.items():
            for moment, path in seen:
                if path != "/robots.txt":
                    times[f"{site}{path}"].append(moment)
        return [after - before for seen in times.values() for before, after in pairwise(sorted(seen))]


def kind(path: str) -> str:
    return "robots" if path == "/robots.txt" else path.split("/")[1]


def is_patient(site: int) -> bool:
    return site % PATIENT_EVERY == 0


def name(site: int) -> str:
    return f"site{site}.{DOMAIN}"


def address(site: int) -> str:
    return f"127.77.{site // 250}.{site % 250 + 1}"


def article_text(site: int, article: str) -> str:
    return f"<html><body><article><p>Article {article} of site {site}.</p></article></body></html>"


class LoggingServer:
    """`entries` a feed; the feeds are dealt out over the sites."""

    def __init__(self, sites: int, feeds: int, entries: int, *, crawl_delay: float = 0.0) -> None:
        self.sites, self.feeds, self.entries, self.crawl_delay = sites, feeds, entries, crawl_delay

    def __enter__(self) -> LoggingServer:
        context = multiprocessing.get_context("fork")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_run, args=(self, other), daemon=True)
        self._process.start()
        self.port = int(self._pipe.recv())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join(10)

    def log(self) -> Log:
        self._pipe.send("log")
        found: Log = self._pipe.recv()
        return found

    def host_map(self) -> dict[str, str]:
        return {name(site): f"{address(site)}:{self.port}" for site in range(self.sites)}

    def feed_urls(self) -> list[str]:
        return [f"http://{name(n % self.sites)}/feed/{n}" for n in range(self.feeds)]

    def article_urls(self) -> list[str]:
        """All that the feeds announce."""
        return [
            f"http://{name(n % self.sites)}/article/{n}-{m}" for n in range(self.feeds) for m in range(self.entries)
        ]

    def moved(self, article: str) -> bool:
        feed, _, entry = article.partition("-")
        return (int(feed) * self.entries + int(entry)) % MOVED_EVERY == 0

    def respond(self, site: int, path: str) -> bytes:
        what, _, which = path[1:].partition("/")
        if path == "/robots.txt":
            if not is_patient(site):
                return _answer(404, b"")
            return _answer(200, f"User-agent: *\nCrawl-delay: {self.crawl_delay:g}\n".encode(), "text/plain")
        if what == "feed":
            items = (
                f"<item><title>Item {which}-{m}</title><guid>{which}-{m}</guid>"
                f"<link>http://{name(site)}/article/{which}-{m}</link></item>"
                for m in range(self.entries)
            )
            feed = f'<rss version="2.0"><channel><title>Feed {which}</title>{"".join(items)}</channel></rss>'
            return _answer(200, feed.encode(), "application/rss+xml")
        if not which.endswith("-moved") and self.moved(which):
            place = f"http://{name((site + 1) % self.sites)}/article/{which}-moved"
            return _answer(302, b"", location=place)
        return _answer(200, article_text(site, which).encode())


def _answer(status: int, body: bytes, content_type: str = "text/html", **headers: str) -> bytes:
    headers |= {"content-type": content_type, "content-length": str(len(body))}
    head = "\r\n".join([f"HTTP/1.1 {status} X", *(f"{k}: {v}" for k, v in headers.items())])
    return head.encode() + b"\r\n\r\n" + body


def _run(server: LoggingServer, pipe: Pipe) -> None:
    asyncio.run(_serve(server, pipe))


async def _serve(server: LoggingServer, pipe: Pipe) -> None:
    log, ours = Log(), {address(site): site for site in range(server.sites)}
    open_now: dict[int, set[Any]] = defaultdict(set)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        site = ours[connection.getsockname()[0]]
        # Connections that the other side has closed are not open, although we may not have got round to them.
        live = {each for each in open_now[site] if not _ended(each)}
        open_now[site] = live | {connection}
        log.connections[site] = max(log.connections.get(site, 0), len(open_now[site]))
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                log.requests[site].append((time.monotonic(), path))
                await asyncio.sleep(random.uniform(*LATENCY))
                writer.write(server.respond(site, path))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            open_now[site].discard(connection)
            writer.close()

    started = await asyncio.start_server(talk, "0.0.0.0", 0, backlog=500)
    pipe.send(started.sockets[0].getsockname()[1])
    loop = asyncio.get_running_loop()
    loop.add_reader(pipe.fileno(), lambda: pipe.send((pipe.recv(), log)[1]))
    await started.serve_forever()


def _ended(connection: Any) -> bool:
    """Whether the other side has closed it: an end of the stream is there to be read, or an error."""
    try:
        found = socket.socket(fileno=socket.dup(connection.fileno()))
    except OSError:
        return True
    with found:
        try:
            return found.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
