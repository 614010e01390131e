"""The sitemaps that a sitemap index names, read as if they were the feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.adapters.gate import NotItsTurn
from pipeline.adapters.http import FEED_ACCEPT
from pipeline.adapters.web import Web
from pipeline.errors import ClaimwatchError
from pipeline.logic import feeds, urls
from pipeline.model import ParsedEntry

MOST = 3  # sitemaps of an index that are read: news stand in the newest, the others are the archive


@dataclass(frozen=True)
class Read:
    """`entries` of the sitemaps that changed, None where none did; `seen` is what to remember of each."""

    entries: tuple[ParsedEntry, ...] | None
    seen: dict[str, Any]
    problem: str | None = None


async def read(web: Web, max_body: int, feed: Any, named: tuple[str, ...]) -> Read:
    """Ask for the first sitemaps of the index, or, where it has not changed (`named` is empty), for those of last time.

    Sitemaps of another site are left alone: an index that anybody can edit may not send us anywhere.
    """
    known: dict[str, Any] = feed.children
    addresses = [url for url in named if urls.same_site(url, feed.url)][:MOST] or list(known)[:MOST]
    entries: list[ParsedEntry] | None = None
    seen: dict[str, Any] = {}
    problems = []
    for url in addresses:
        before = known.get(url) or {}
        seen[url] = before
        try:
            response = await web.get(
                url,
                etag=before.get("etag"),
                last_modified=before.get("last_modified"),
                max_body=max_body,
                accept=FEED_ACCEPT,
            )
            if response.status == 304:
                continue
            if not 200 <= response.status < 300:
                problems.append(f"the server answered {response.status} for {url}")
                continue
            parsed = feeds.parse(response.body, response.headers.get("content-type"), response.url)
        except NotItsTurn:
            raise
        except ClaimwatchError as error:
            problems.append(str(error))
            continue
        entries = [*(entries or []), *parsed.entries]
        seen[url] = {name: response.headers.get(name.replace("_", "-")) for name in ("etag", "last_modified")}
    problem = f"{len(problems)} of {len(addresses)} sitemaps could not be read: {problems[0]}" if problems else None
    return Read(None if entries is None else tuple(_unique(entries)), seen, problem)


def _unique(entries: list[ParsedEntry]) -> list[ParsedEntry]:
    return list({entry.key: entry for entry in reversed(entries)}.values())[::-1]
