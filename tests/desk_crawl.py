"""Follows the desk's own links, as a reader would, to find an example or two of each kind of page."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from fastapi.routing import APIRoute
from lxml import html as lxml_html
from starlette.routing import Match

EXAMPLES = 3  # of each kind of page
MOST = 400


@dataclass(frozen=True)
class Found:
    """One address that a page links to."""

    path: str  # with its query
    route: str  # "/claims/{claim_id}"
    status: int
    type: str
    first: bool  # the first of its kind
    html: bool
    body: bytes


def routes(app: Any) -> list[APIRoute]:
    return [route for route in _flat(app.routes) if isinstance(route, APIRoute) and "GET" in (route.methods or ())]


def _flat(given: Any) -> list[Any]:
    """Routes, also those of routers that were included as a whole."""
    found = []
    for route in given:
        inner = getattr(route, "routes", None)
        found += _flat(inner) if inner and not isinstance(route, APIRoute) else [route]
    return found


def pages_of(app: Any) -> set[str]:
    """The kinds of pages for people: what is no API."""
    return {route.path for route in routes(app) if not route.path.startswith("/api/")}


def route_of(app: Any, path: str) -> str | None:
    """The route that answers a path."""
    scope = {"type": "http", "path": path, "method": "GET", "root_path": "", "headers": []}
    for route in routes(app):
        if route.matches(scope)[0] is Match.FULL:
            return route.path
    return None


def links(text: str, base: str) -> list[str]:
    """Addresses on this desk that a page leads to: links, and forms as they would be sent unchanged."""
    tree = lxml_html.fromstring(text)
    found = [a.get("href") for a in tree.iter("a", "link") if a.get("href") and a.get("rel") != "stylesheet"]
    found += [image.get("src") or image.get("srcset") for image in tree.iter("img", "source")]
    targets = [urljoin(base, one) for one in found if not one.startswith("#")]
    home = urlsplit(base).netloc
    inside = [urlsplit(one) for one in targets if urlsplit(one).netloc == home]
    return [one.path + (f"?{one.query}" if one.query else "") for one in inside]


def crawl(client: httpx.Client, app: Any, start: str = "/", examples: int = EXAMPLES) -> list[Found]:
    """Breadth first; only a few examples of each kind are asked for."""
    base = str(client.base_url).rstrip("/")
    waiting, seen, found = deque([start, "/search?q=soldiers"]), {start}, []
    counted: Counter[str] = Counter()
    while waiting and len(found) < MOST:
        path = waiting.popleft()
        route = route_of(app, urlsplit(path).path)
        if path.startswith("/static/"):
            continue
        kind = route or path
        if counted[kind] >= examples:
            continue
        counted[kind] += 1
        answer = client.get(path, follow_redirects=False)
        html = answer.headers.get("content-type", "").startswith("text/html")
        found.append(
            Found(
                path,
                kind,
                answer.status_code,
                answer.headers.get("content-type", ""),
                counted[kind] == 1,
                html and answer.status_code == 200,
                answer.content,
            )
        )
        if html and answer.status_code == 200:
            for one in links(answer.text, base + path):
                if one not in seen:
                    seen.add(one)
                    waiting.append(one)
    return found
