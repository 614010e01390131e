"""Whether addresses are feeds: checked without storing an entry, and found from a page's address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urljoin

import structlog

from pipeline.adapters.database import Connection, rows
from pipeline.adapters.http import FEED_ACCEPT
from pipeline.adapters.web import Web
from pipeline.errors import ClaimwatchError
from pipeline.logic import feeds, reasons, schedule, urls
from pipeline.model import Response
from pipeline.stages.sources import poll_at
from pipeline.stages.work import WebDeps

# Where feeds stand by custom, the most frequent first: WordPress, Hugo and Jekyll, Ghost, Substack, news sitemaps.
WELL_KNOWN = (
    "/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feeds", "/feed.json", "/index.rdf",
    "/rss/all", "/sitemap_news.xml", "/news-sitemap.xml", "/sitemap-news.xml",
)  # fmt: skip
MOST_LINKS = 6  # feeds named by a page that are looked at
PAGE_ACCEPT = "text/html,application/xhtml+xml;q=0.9," + FEED_ACCEPT

log = structlog.get_logger()


@dataclass(frozen=True)
class Checked:
    """What an address turned out to be. `how` is "given", "linked" by the page, or "guessed"."""

    url: str
    outcome: str  # "feed", or the code of what was wrong
    reason: str = ""
    problem: str = ""
    moved_to: str | None = None  # where 301/308 alone led
    title: str = ""
    format: str = ""
    entries: int = 0
    newest: datetime | None = None
    language: str | None = None
    how: str = "given"

    @property
    def good(self) -> bool:
        return self.outcome == "feed"


class Checker:
    """Asks addresses politely: per host few at a time and with a pause. Use `checker(deps)`."""

    def __init__(self, deps: WebDeps, web: Web) -> None:
        self._deps, self._web = deps, web

    async def check(self, url: str, how: str = "given") -> Checked:
        """Whether the address is a feed."""
        return (await self._look(url, how, FEED_ACCEPT))[0]

    async def discover(self, page: str) -> list[Checked]:
        """The feeds of a page or site: the address itself, those that the page names, then the places where feeds
        stand by custom. What was tried in vain is there as well, after the feeds.
        """
        itself, response = await self._look(page, "given", PAGE_ACCEPT)
        if itself.good or response is None or not 200 <= response.status < 300:
            return [itself]
        named = [url for url in feeds.discover(response.body, response.url) if urls.canonical(url)]
        linked = [await self.check(url, "linked") for url in named[:MOST_LINKS]]
        tried = [itself, *linked]
        if not any(one.good for one in linked):
            tried += await self._guess(response.url, set(named))
        good = [one for one in tried if one.good]
        good.sort(key=lambda one: "comment" in f"{one.url} {one.title}".lower())  # a blog's comments are no news
        return [*good, *(one for one in tried if not one.good)]

    async def _guess(self, page: str, tried: set[str]) -> list[Checked]:
        """The well-known places of a site, up to the first that is a feed. robots.txt is asked: nobody named them."""
        found = []
        for path in WELL_KNOWN:
            url = urljoin(page, path)
            if url in tried:
                continue
            found.append(await self.check(url, "guessed"))
            if found[-1].good:
                break
        return found

    async def _look(self, url: str, how: str, accept: str) -> tuple[Checked, Response | None]:
        response = None
        try:
            max_body = self._deps.settings.poll.max_body
            response = await self._web.get(url, ask_robots=how == "guessed", max_body=max_body, accept=accept)
            return _judge(url, how, response), response
        except ClaimwatchError as error:
            return _wrong(url, error.code, str(error), how), response
        except Exception as error:  # one address that trips a parser must not take the others with it
            log.exception("crashed", feed=url)
            return _wrong(url, "crashed", f"{type(error).__name__}: {error}", how), response


@asynccontextmanager
async def checker(deps: WebDeps) -> AsyncIterator[Checker]:
    robots = deps.settings.fetch.respect_robots
    async with Web(deps.http(), delay=deps.settings.poll.host_delay, robots=robots) as web:
        yield Checker(deps, web)


def check_all(deps: WebDeps, addresses: Sequence[str], told: Callable[[Checked], None] | None = None) -> list[Checked]:
    """Check many addresses, hosts side by side; `told` hears of each as it is done. In the order given."""

    async def run() -> list[Checked]:
        async with checker(deps) as ours:

            async def one(url: str) -> Checked:
                checked = await ours.check(url)
                if told:
                    told(checked)
                return checked

            return list(await asyncio.gather(*(one(url) for url in addresses)))

    return asyncio.run(run())


def discover(deps: WebDeps, page: str) -> list[Checked]:
    """`Checker.discover` on its own."""

    async def run() -> list[Checked]:
        async with checker(deps) as ours:
            return await ours.discover(page)

    return asyncio.run(run())


def record(conn: Connection, deps: WebDeps, checked: Sequence[Checked]) -> int:
    """Note what was found on the feeds that have these addresses; an unverified one that is a feed is polled from now
    on. How many became active.
    """
    now, activated = deps.clock.now(), 0
    for one in checked:
        found = [r for r in rows(conn, "feeds.named", word=one.url) if r.exact]
        for feed in rows(conn, "feeds.managed", feed_ids=[r.feed_id for r in found]):
            with conn.transaction():
                if not one.good:
                    wrong = {"outcome": one.outcome, "problem": one.problem, "reason": one.reason}
                    rows(conn, "feeds.checked_badly", feed_id=feed.feed_id, **wrong)
                    continue
                about = {"title": one.title or None, "format": one.format}
                rows(conn, "feeds.verified", feed_id=feed.feed_id, now=now, **about)
                if feed.state == "unverified":
                    poll_at(conn, deps, feed)
                    activated += 1
    return activated


def _judge(url: str, how: str, response: Response) -> Checked:
    moved = urls.canonical(response.permanent_url) if response.permanent_url else None
    if schedule.of_status(response.status) is not None:
        problem = f"the server answered {response.status} for {url}"
        return replace(_wrong(url, f"http-{response.status}", problem, how), moved_to=moved)
    try:
        parsed = feeds.parse(response.body, response.headers.get("content-type"), response.url)
    except ClaimwatchError as error:
        return replace(_wrong(url, error.code, str(error), how), moved_to=moved)
    return Checked(
        url=url,
        outcome="feed",
        moved_to=moved,
        title=parsed.title,
        format=parsed.format,
        entries=len(parsed.entries),
        newest=max((entry.published for entry in parsed.entries if entry.published), default=None),
        language=parsed.language,
        how=how,
    )


def _wrong(url: str, code: str, problem: str, how: str) -> Checked:
    return Checked(url, code, reason=str(reasons.explain(code, problem)), problem=problem, how=how)
