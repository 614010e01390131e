"""What every feed reader shares: entries with clean texts and keys, links, language tags, the one error."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from pipeline.errors import PermanentError
from pipeline.logic import text
from pipeline.model import ParsedEntry

MAX_KEY = 500  # characters; a longer id is kept as its hash, since the database indexes it


def make_entry(
    *,
    key: str | None,
    url: str | None,
    title: str,
    summary: str,
    content: str,
    author: str | None,
    published: datetime | None,
    source: str | None,
    language: str | None,
    source_url: str | None = None,
) -> ParsedEntry:
    """An entry with clean texts and a key. title, summary and content come as text, without markup.

    An entry with neither address nor text is kept for those who look at a feed, and is not stored (`is_empty`).
    """
    title, author, source = text.line(title), _name(author), _name(source)
    summary, content = text.clean(summary), text.clean(content)
    if content == summary:
        summary = ""
    key = text.line(key or "") or url
    if not key:
        said = f"{title}\n{summary or content}"
        if said == "\n":
            said = f"{author or ''}\n{published or ''}\n{source or ''}"
        key = "sha256:" + _digest(said)
    key = _short(key)
    return ParsedEntry(
        key=key,
        url=url,
        title=title,
        summary=summary,
        content=content,
        author=author,
        published=published,
        source=source,
        source_url=source_url,
        language=language,
    )


def _short(key: str) -> str:
    return key if len(key) <= MAX_KEY else "sha256:" + _digest(key)


def _name(value: str | None) -> str | None:
    return text.line(text.plain(value)) or None if value else None


def telling(entries: Iterable[ParsedEntry | None]) -> tuple[ParsedEntry, ...]:
    """The entries, each known by its link where the feed gives one id to several pages."""
    kept = [entry for entry in entries if entry is not None]
    pages: dict[str, set[str]] = {}
    for entry in kept:
        if entry.url:
            pages.setdefault(entry.key, set()).add(entry.url)
    shared = {key for key, links in pages.items() if len(links) > 1}
    if not shared:
        return tuple(kept)
    return tuple(replace(e, key=_short(e.url)) if e.key in shared and e.url else e for e in kept)


def unique(entries: Iterable[ParsedEntry]) -> tuple[ParsedEntry, ...]:
    """The entries without later ones of the same key."""
    first: dict[str, ParsedEntry] = {}
    for entry in entries:
        first.setdefault(entry.key, entry)
    return tuple(first.values())


def language_tag(value: object) -> str | None:
    """The primary part of a language tag in lower case: "ko-KR" is "ko"."""
    match = re.match(r"\s*([A-Za-z]{2,3})(?![A-Za-z])", value) if isinstance(value, str) else None
    return match.group(1).lower() if match else None


def absolute(address: str) -> bool:
    return address.lower().startswith(("http://", "https://"))


def link(value: object, base: str) -> str | None:
    """An absolute http(s) address or None."""
    if not isinstance(value, str) or not value.strip():
        return None
    value = text.line(value)
    try:
        address = urljoin(base, value)
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return address if usable else None


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


def not_a_feed(url: str, why: str) -> PermanentError:
    return PermanentError(f"{url} is not a feed: {why}", code="not-a-feed")
