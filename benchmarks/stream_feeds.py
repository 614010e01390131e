"""Serves the stream's items on loopback as the feeds they came from, at a moment that the benchmark sets.

    python benchmarks/stream_feeds.py ITEMS.jsonl.gz     prints its port; PUT http://127.0.0.1:PORT/_now moves the time

Every outlet has a host name of its own below DOMAIN, and so has every site that its items link to: an item at
https://www.example.org/a?b=1 is announced as http://www.example.org.DOMAIN/a?b=1. The name is reserved, so that no
mistake can lead to the outlet itself. The pages are not in the data: whoever asks for one gets a 404.
"""

from __future__ import annotations

import argparse
import bisect
import gzip
import hashlib
import html
import json
import socket
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

DOMAIN = "stream.example"
WINDOW = 100  # items that a feed shows
KEY = "stream-"  # an item's id in its feed is this and its number
ATOM_EVERY = 3  # every third outlet speaks Atom, the others RSS 2.0
ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"


@dataclass(frozen=True)
class StreamItem:
    """One feed item; `text` is its summary."""

    id: int
    published: datetime
    source: str
    language: str
    url: str
    title: str
    text: str

    @property
    def link(self) -> str:
        parts = urlsplit(self.url)
        return urlunsplit(("http", f"{parts.hostname}.{DOMAIN}", parts.path, parts.query, ""))


def read(path: Path) -> list[StreamItem]:
    """The items in the order of publication."""
    items = []
    for line in gzip.decompress(path.read_bytes()).decode().split("\n"):
        if line.strip():
            raw = json.loads(line)
            published = datetime.fromisoformat(raw["published"]).astimezone(UTC)
            text = raw["summary"] or ""
            items.append(StreamItem(raw["id"], published, raw["source"], raw["lang"], raw["url"], raw["title"], text))
    return sorted(items, key=lambda item: (item.published, item.id))


@dataclass(frozen=True)
class Outlet:
    """One source and all its items, in the order of publication."""

    source: str
    items: list[StreamItem]
    atom: bool

    @property
    def url(self) -> str:
        return f"http://{self.source}.{DOMAIN}/feed"

    @cached_property
    def language(self) -> str:
        return Counter(item.language for item in self.items).most_common(1)[0][0]

    @cached_property
    def _moments(self) -> list[datetime]:
        return [item.published for item in self.items]

    def shown(self, now: datetime) -> list[StreamItem]:
        """What its feed shows at `now`: the newest WINDOW items, newest first."""
        end = bisect.bisect_right(self._moments, now)
        return self.items[max(0, end - WINDOW) : end][::-1]

    def feed(self, now: datetime) -> bytes:
        root = self._atom(self.shown(now)) if self.atom else self._rss(self.shown(now))
        return ET.tostring(root, encoding="utf-8", xml_declaration=True)

    def _rss(self, items: list[StreamItem]) -> ET.Element:
        root = ET.Element("rss", {"version": "2.0", "xmlns:dc": DC})
        channel = ET.SubElement(root, "channel")
        _add(channel, "title", self.source)
        _add(channel, "link", f"http://{self.source}.{DOMAIN}/")
        _add(channel, "language", self.language)
        for item in items:
            entry = _add(channel, "item")
            _add(entry, "title", html.escape(item.title, quote=False))
            _add(entry, "link", item.link)
            _add(entry, "guid", f"{KEY}{item.id}", isPermaLink="false")
            _add(entry, "pubDate", format_datetime(item.published))
            _add(entry, "dc:language", item.language)
            _add(entry, "description", html.escape(item.text, quote=False))
        return root

    def _atom(self, items: list[StreamItem]) -> ET.Element:
        root = ET.Element("feed", {"xmlns": ATOM, "xml:lang": self.language})
        _add(root, "id", self.url)
        _add(root, "title", self.source)
        _add(root, "updated", (items[0].published if items else datetime(2024, 1, 1, tzinfo=UTC)).isoformat())
        for item in items:
            entry = _add(root, "entry", **{"xml:lang": item.language})
            _add(entry, "id", f"{KEY}{item.id}")
            _add(entry, "title", html.escape(item.title, quote=False), type="html")
            _add(entry, "link", rel="alternate", href=item.link)
            _add(entry, "published", item.published.isoformat())
            _add(entry, "updated", item.published.isoformat())
            _add(entry, "summary", html.escape(item.text, quote=False), type="html")
        return root


def outlets(items: list[StreamItem]) -> list[Outlet]:
    by_source: dict[str, list[StreamItem]] = defaultdict(list)
    for item in items:
        by_source[item.source].append(item)
    return [Outlet(name, by_source[name], k % ATOM_EVERY == 0) for k, name in enumerate(sorted(by_source))]


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def create_app(items: list[StreamItem]) -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    by_host = {f"{outlet.source}.{DOMAIN}": outlet for outlet in outlets(items)}
    at = [datetime(2000, 1, 1, tzinfo=UTC)]

    async def respond(request: Request) -> Response:
        host = request.headers.get("host", "").partition(":")[0]
        outlet = by_host.get(host)
        if outlet is None or request.url.path != "/feed":
            return PlainTextResponse("not here\n", 404)
        body = outlet.feed(at[0])
        tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        kind = "atom" if outlet.atom else "rss"
        return Response(body, headers={"etag": tag, "content-type": f"application/{kind}+xml; charset=utf-8"})

    async def move(request: Request) -> Response:
        at[0] = datetime.fromisoformat((await request.body()).decode())
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/_now", move, methods=["PUT"]),
            Route("/{path:path}", respond),
        ]
    )


def main() -> None:
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("items_file", type=Path)
    parser.add_argument("--items", type=int, help="serve the first so many")
    arguments = parser.parse_args()
    app = create_app(read(arguments.items_file)[: arguments.items])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
