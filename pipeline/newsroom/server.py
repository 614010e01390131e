"""All outlets of the newsroom on one port, told apart by the Host header, as they stand at the clock's now.

One outlet's feed is slow and one outlet is out of order, so that a reader of feeds meets both. Every request
is logged in memory; http://newsroom.localhost/_requests gives the log as JSON to tests of politeness.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.clock import Clock
from pipeline.newsroom import feeds, pages
from pipeline.newsroom.conditional import answer
from pipeline.newsroom.content import BROKEN, Content, Outlet, feed_urls, load

__all__ = ["CONTROL_HOST", "FEED_DELAYS", "create_app", "feed_urls"]

CONTROL_HOST = "newsroom.localhost"
FEED_DELAYS = {"minato-nippo": 1.5}
"""Seconds that an outlet takes to answer for its feed."""
LOG_LENGTH = 10_000
HTML = "text/html; charset=utf-8"

Logged = tuple[float, str, str, int]


def create_app(clock: Clock, content: Content | None = None, delays: Mapping[str, float] = FEED_DELAYS) -> Starlette:
    """The newsroom at `clock`'s now.

    `app.state.requests` holds the last 10,000 requests as (monotonic time of arrival, host, path, status),
    `app.state.counts` the number of requests by host.
    """
    held = content or load()
    app = Starlette(
        routes=[Route("/{path:path}", _respond, methods=["GET", "HEAD"])],
        middleware=[Middleware(_RequestLog)],
    )
    app.state.clock = clock
    app.state.content = held
    app.state.delays = delays
    app.state.outlets = {outlet.host: outlet for outlet in (*held.outlets, BROKEN)}
    app.state.requests = deque(maxlen=LOG_LENGTH)
    app.state.counts = Counter()
    return app


async def _respond(request: Request) -> Response:
    state, path = request.app.state, request.scope["path"]
    host = _host(request.headers.get("host", ""))
    if host == CONTROL_HOST and path == "/_requests":
        return JSONResponse({"counts": dict(state.counts), "requests": list(state.requests)})
    outlet: Outlet | None = state.outlets.get(host)
    if outlet is None:
        return PlainTextResponse(f"No site is served here under the name {host!r}.\n", 404)
    if path == "/robots.txt":
        return answer(request, pages.robots(outlet), "text/plain; charset=utf-8", max_age=3600)
    if path == outlet.feed_path:
        return await _feed(request, state.content, outlet)
    return _page(request, state.content, outlet)


async def _feed(request: Request, content: Content, outlet: Outlet) -> Response:
    if outlet == BROKEN:
        return answer(request, pages.out_of_order(content, outlet).body, HTML, status=500)
    await asyncio.sleep(request.app.state.delays.get(outlet.slug, 0.0))
    feed = feeds.render(content, outlet, request.app.state.clock.now())
    content_type = f"{feed.media_type}; charset={feed.charset}"
    return answer(request, feed.body, content_type, modified=feed.modified)


def _page(request: Request, content: Content, outlet: Outlet) -> Response:
    """An article, the home page or a section; anything else, and anything not published yet, is a 404."""
    now, path = request.app.state.clock.now(), request.scope["path"]
    section = path.strip("/")
    if path == "/":
        page = pages.listing(content, outlet, now)
    elif path == f"/{section}/" and section in content.sections(outlet):
        page = pages.listing(content, outlet, now, section)
    else:
        found = (a.at(now) for a in content.articles if a.outlet == outlet and a.path == path)
        shown = next(found, None)
        if shown is None:
            return answer(request, pages.not_found(content, outlet).body, HTML, status=404)
        page = pages.article(content, shown, now)
    return answer(request, page.body, HTML, modified=page.modified)


def _host(header: str) -> str:
    """The host name of a Host header, without port; "" for one that makes no sense."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


class _RequestLog:
    """Notes every request to an outlet, at the time it came in, once its status is known."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        arrived, state = time.monotonic(), scope["app"].state
        host = _host(Headers(scope=scope).get("host", ""))

        async def note_and_send(message: Message) -> None:
            if message["type"] == "http.response.start" and host != CONTROL_HOST:
                entry: Logged = (arrived, host, scope["path"], message["status"])
                state.requests.append(entry)
                state.counts[host] += 1
            await send(message)

        await self.app(scope, receive, note_and_send)
