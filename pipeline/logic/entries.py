"""What every feed reader shares: entries with clean texts and keys, links, language tags, the one error."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
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
) -> ParsedEntry | None:
    """An entry with clean texts and a key; None where there is nothing in it at all."""
    title = text.line(text.strip_html(title))
    summary, content = text.strip_html(summary), text.strip_html(content)
    if content == summary:
        summary = ""
    key = text.line(key or "") or url
    if not key:
        if not (title or summary or content):
            return None
        key = "sha256:" + _digest(f"{title}\n{summary or content}")
    elif len(key) > MAX_KEY:
        key = "sha256:" + _digest(key)
    return ParsedEntry(
        key=key,
        url=url,
        title=title,
        summary=summary,
        content=content,
        author=text.line(text.strip_html(author or "")) or None,
        published=published,
        source=text.line(text.strip_html(source or "")) or None,
        language=language,
    )


def unique(entries: Iterable[ParsedEntry | None]) -> tuple[ParsedEntry, ...]:
    """The entries without later ones of the same key."""
    first: dict[str, ParsedEntry] = {}
    for entry in entries:
        if entry is not None:
            first.setdefault(entry.key, entry)
    return tuple(first.values())


def language_tag(value: object) -> str | None:
    """The primary part of a language tag in lower case: "ko-KR" is "ko"."""
    match = re.match(r"\s*([A-Za-z]{2,3})(?![A-Za-z])", value) if isinstance(value, str) else None
    return match.group(1).lower() if match else None


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
