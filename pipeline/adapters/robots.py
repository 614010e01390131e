"""robots.txt (RFC 9309): fetched once a day per site, read by protego, believed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
from protego import Protego

from pipeline.adapters.http import HttpClient
from pipeline.clock import Clock
from pipeline.errors import PermanentError, TransientError

MAX_BODY = 500 * 1024  # bytes; RFC 9309 asks for at least 500 KiB, the rest is left unread
KEPT = timedelta(hours=24)  # RFC 9309, 2.4
RETRY = timedelta(minutes=15)  # an unreadable robots.txt is asked for again after this time
MAX_CRAWL_DELAY = 120.0  # seconds; longer ones are set to this
_KEPT_SITES = 10_000
AGENT = "claimwatch"


@dataclass(frozen=True)
class RobotsAnswer:
    """`reason` is "allowed", "disallowed", "no-robots" (4xx) or "robots-unreadable"; `detail` explains it."""

    allowed: bool
    crawl_delay: float | None
    reason: str
    detail: str = ""


@dataclass
class _Site:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: datetime | None = None
    rules: Protego | None = None
    fixed: RobotsAnswer | None = None


class Robots:
    """Asks before a page is fetched. One per process and event loop."""

    def __init__(self, client: HttpClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._sites: dict[str, _Site] = {}

    async def allowed(self, url: str) -> RobotsAnswer:
        """Whether the page may be fetched. Never raises for a site's robots.txt: unreadable means no."""
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise PermanentError(f"{url!r} is not a usable address: {error}", code="bad-url") from error
        origin = str(parts.copy_with(raw_path=b"/robots.txt", fragment=None, username=None, password=None))
        site = self._site(origin)
        async with site.turn:
            now = self._clock.now()
            if site.until is None or not now < site.until <= now + KEPT:  # a clock moved back counts as old
                await self._read(origin, site, now)
        if site.rules is None:
            return site.fixed or RobotsAnswer(False, None, "robots-unreadable")
        delay = site.rules.crawl_delay(AGENT)
        delay = min(float(delay), MAX_CRAWL_DELAY) if delay and delay > 0 else None
        if site.rules.can_fetch(url, AGENT):
            return RobotsAnswer(True, delay, "allowed")
        return RobotsAnswer(False, delay, "disallowed", f"{origin} does not allow {parts.raw_path.decode('ascii')}")

    async def _read(self, origin: str, site: _Site, now: datetime) -> None:
        site.rules, site.until = None, now + KEPT
        try:
            response = await self._client.get(origin, max_body=MAX_BODY, accept="text/plain,*/*;q=0.1", truncate=True)
        except (PermanentError, TransientError) as error:
            if error.code == "too-many-redirects":  # RFC 9309, 2.3.1.2: as if there were none
                site.fixed = RobotsAnswer(True, None, "no-robots", str(error))
            else:
                site.fixed = RobotsAnswer(False, None, "robots-unreadable", str(error))
                site.until = now + RETRY
            return
        status = response.status
        if 200 <= status < 300:
            site.rules = Protego.parse(response.body.decode("utf-8-sig", "replace"))
        elif 400 <= status < 500 and status != 429:  # 429 says "not now", not "there are no rules"
            site.fixed = RobotsAnswer(True, None, "no-robots", f"{origin} answered {status}")
        else:
            site.fixed = RobotsAnswer(False, None, "robots-unreadable", f"{origin} answered {status}")
            site.until = now + RETRY

    def _site(self, origin: str) -> _Site:
        found = self._sites.get(origin)
        if found is None:
            if len(self._sites) >= _KEPT_SITES:
                now = self._clock.now()
                busy = {k: v for k, v in self._sites.items() if v.until is None or v.until > now}
                self._sites = busy if len(busy) < _KEPT_SITES else {}
            found = self._sites[origin] = _Site()
        return found
