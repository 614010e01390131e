"""robots.txt (RFC 9309): asked for once a day and site by all processes together, read by protego, believed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import httpx
from protego import Protego

from pipeline.errors import PermanentError, TransientError
from pipeline.model import Response

MAX_BODY = 500 * 1024  # bytes; RFC 9309, 2.5: at least 500 KiB, the rest is left unread
KEPT = 86_400.0  # seconds; RFC 9309, 2.4: not longer than 24 hours
UNREADABLE_FOR = 30 * 86_400.0  # seconds; RFC 9309, 2.3.1.4: 30 days, then an older copy counts, or no rules
RETRY = 900.0  # seconds until an unreadable one is asked for again, at first; rising to KEPT
MAX_CRAWL_DELAY = 120.0  # seconds; longer ones are set to this
TOO_MANY_REQUESTS = 429  # "not now" is not "there are no rules", although it is a 4xx
_NOT_ITS_OWN = frozenset({"not-its-turn", "address-refused", "bad-url"})  # they say as much of the page itself
AGENT = "claimwatch"  # the product token; RFC 9309, 2.2.1: it is part of the User-Agent


@dataclass(frozen=True)
class RobotsAnswer:
    """`reason` is "allowed", "disallowed", "no-robots" (4xx) or "robots-unreadable"; `detail` explains it."""

    allowed: bool
    crawl_delay: float | None
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Known:
    """What is known of a site's robots.txt. `outcome` is "rules", "none" or "unreadable"; `body` is the last text that
    could be read; times in seconds from now: until when it counts, and since when it could not be read.
    """

    outcome: str
    problem: str | None = None
    body: str | None = None
    fresh_for: float = KEPT
    unreadable_for: float | None = None


class Memory(Protocol):
    """Where all processes keep what they know."""

    def robots(self, origins: list[str]) -> dict[str, Known]: ...
    def keep_robots(self, origin: str, host: str, known: Known, crawl_delay: float | None) -> None: ...


class Forgetful:
    """For a process with no database."""

    def robots(self, origins: list[str]) -> dict[str, Known]:
        return {}

    def keep_robots(self, origin: str, host: str, known: Known, crawl_delay: float | None) -> None:
        pass


Get = Callable[[str], Awaitable[Response]]


@dataclass
class _Site:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    known: Known | None = None
    since: float = 0.0  # when `known` was known
    rules: Protego | None = None


class Robots:
    """Asks before a page is fetched. `get` fetches a robots.txt, in its host's turn. One per batch."""

    def __init__(self, get: Get, memory: Memory | None = None, *, now: Callable[[], float] = time.monotonic) -> None:
        self._get, self._now = get, now
        self._memory = Forgetful() if memory is None else memory
        self._sites: dict[str, _Site] = {}

    def look_up(self, urls: list[str]) -> None:
        """Fetch from memory what it knows of these pages' sites, at once."""
        places = {place[0] for place in map(_place, urls) if place is not None}
        for origin, known in self._memory.robots(sorted(places)).items():
            self._learn(self._sites.setdefault(origin, _Site()), known)

    async def allowed(self, url: str) -> RobotsAnswer:
        """Whether the page may be fetched. A robots.txt that can't be read means no; NotItsTurn passes."""
        place = _place(url)
        if place is None:
            raise PermanentError(f"{url!r} is not a usable address", code="bad-url")
        origin, host, path = place
        site = self._sites.setdefault(origin, _Site())
        async with site.turn:
            if not self._fresh(site):
                await self._renew(origin, host, site)
        known, rules = site.known, site.rules
        if known is None or (known.outcome == "unreadable" and not _long_unreadable(known)):
            return RobotsAnswer(False, None, "robots-unreadable", known.problem or "" if known else "")
        if rules is None:
            return RobotsAnswer(True, None, "no-robots", known.problem or "")
        delay = _crawl_delay(rules)
        if rules.can_fetch(url, AGENT):
            return RobotsAnswer(True, delay, "allowed")
        return RobotsAnswer(False, delay, "disallowed", f"{origin} does not allow {path}")

    def _fresh(self, site: _Site) -> bool:
        return site.known is not None and self._now() < site.since + site.known.fresh_for

    async def _renew(self, origin: str, host: str, site: _Site) -> None:
        elsewhere = self._memory.robots([origin]).get(origin)  # another process may have asked meanwhile
        if elsewhere is not None:
            self._learn(site, elsewhere)
            if self._fresh(site):
                return
        known = await self._ask(origin, site)
        self._learn(site, known)
        delay = None if site.rules is None else _crawl_delay(site.rules)
        self._memory.keep_robots(origin, host, known, delay)

    async def _ask(self, origin: str, site: _Site) -> Known:
        try:
            response = await self._get(origin)
        except (PermanentError, TransientError) as error:
            if error.code in _NOT_ITS_OWN:
                raise
            if error.code == "too-many-redirects":  # RFC 9309, 2.3.1.2: as if there were none
                return Known("none", str(error))
            return self._unreadable(str(error), site)
        status = response.status
        if 200 <= status < 300:
            return Known("rules", body=response.body.decode("utf-8-sig", "replace").replace("\0", "\ufffd"))
        if 400 <= status < 500 and status != TOO_MANY_REQUESTS:
            return Known("none", f"{origin} answered {status}")
        return self._unreadable(f"{origin} answered {status}", site)

    def _unreadable(self, problem: str, site: _Site) -> Known:
        """The longer it lasts, the less often it is asked for; the last text that could be read is kept."""
        before, lasts = site.known, 0.0
        if before is not None and before.unreadable_for is not None:
            lasts = before.unreadable_for + self._now() - site.since
        body = before.body if before is not None else None
        return Known("unreadable", problem, body, min(max(RETRY, lasts / 2), KEPT), unreadable_for=lasts)

    def _learn(self, site: _Site, known: Known) -> None:
        site.known, site.since = known, self._now()
        counts = known.outcome == "rules" or (known.outcome == "unreadable" and _long_unreadable(known))
        site.rules = Protego.parse(known.body) if counts and known.body is not None else None


def _long_unreadable(known: Known) -> bool:
    return (known.unreadable_for or 0.0) >= UNREADABLE_FOR


def _crawl_delay(rules: Protego) -> float | None:
    delay = rules.crawl_delay(AGENT)
    return min(float(delay), MAX_CRAWL_DELAY) if delay and delay > 0 else None


def _place(url: str) -> tuple[str, str, str] | None:
    """Address of the robots.txt, host, and path of a page."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return None
    origin = str(parts.copy_with(raw_path=b"/robots.txt", fragment=None, username=None, password=None))
    return origin, parts.raw_host.decode("ascii").lower().rstrip("."), parts.raw_path.decode("ascii")
