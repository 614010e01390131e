"""JSON Feed 1.0 and 1.1 (jsonfeed.org), read leniently."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pipeline.logic import charsets, text
from pipeline.logic.entries import language_tag, link, make_entry, not_a_feed, telling
from pipeline.model import ParsedEntry, ParsedFeed


def parse_json(body: bytes, content_type: str | None, url: str) -> ParsedFeed:
    """As feeds.parse, for a body that begins like JSON."""
    try:
        content = json.loads(_decoded(body, content_type), strict=False)
    except (ValueError, RecursionError) as error:
        raise not_a_feed(url, f"it begins like JSON and can't be read as such ({error})") from error
    if not isinstance(content, dict) or not isinstance(content.get("items"), list):
        raise not_a_feed(url, "it is JSON, but not a JSON Feed: there is no list of items")
    version = content.get("version")
    known = isinstance(version, str) and "jsonfeed.org/version/" in version
    if not known and not (content.get("title") or content.get("feed_url")):
        raise not_a_feed(url, "it is JSON, but not a JSON Feed: there is no version and no title")
    language = language_tag(content.get("language"))
    site = link(content.get("home_page_url"), url)
    base = site or url
    return ParsedFeed(
        format="json",
        title=text.line(_string(content.get("title"))),
        entries=telling(_entry(item, base, content, language) for item in content["items"]),
        language=language,
        site_url=site,
        problem=None if known else "the feed does not name the JSON Feed version it follows",
    )


def _decoded(body: bytes, content_type: str | None) -> str:
    if body[:4].count(0):  # UTF-16 or UTF-32, with or without BOM
        encoding = json.detect_encoding(body)
        return body.decode(encoding, "replace")
    return charsets.decode(body, content_type).replace("\0", "")


def _entry(item: Any, base: str, feed: dict[str, Any], language: str | None) -> ParsedEntry | None:
    if not isinstance(item, dict) or not item:
        return None
    identity = item.get("id")
    if isinstance(identity, int | float) and not isinstance(identity, bool):
        identity = f"{identity:g}" if isinstance(identity, float) else str(identity)
    return make_entry(
        key=_string(identity),
        url=link(item.get("url"), base) or link(item.get("external_url"), base) or _own_link(identity),
        title=text.plain(_string(item.get("title"))),
        summary=text.plain(_string(item.get("summary"))),
        content=text.strip_html(_string(item.get("content_html"))) or _string(item.get("content_text")),
        author=_authors(item) or _authors(feed),
        published=_date(item.get("date_published")) or _date(item.get("date_modified")),
        source=None,
        language=language_tag(item.get("language")) or language,
    )


def _own_link(identity: object) -> str | None:
    """Many feeds use the article's address as its id and leave `url` out."""
    if isinstance(identity, str) and identity.startswith(("http://", "https://")):
        return link(identity, identity)
    return None


def _authors(holder: dict[str, Any]) -> str:
    listed = holder.get("authors")
    people = listed if isinstance(listed, list) and listed else [holder.get("author")]
    names = [_string(person.get("name")) for person in people if isinstance(person, dict)]
    return ", ".join(name for name in names if name)


def _date(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        date = datetime.fromisoformat(value.strip())
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
