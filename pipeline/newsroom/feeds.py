"""An outlet's feed at a moment, in the format that outlet uses: RSS 2.0, RSS 1.0 (RDF), Atom or JSON Feed.

A feed's bytes depend on what is published and on nothing else, so that a server can derive a stable ETag.
Prefixes are written into the element names and their namespaces declared on the root: ElementTree's own
prefix registry is global to the process.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from pipeline.newsroom.content import Content, Outlet, Shown

LIMIT = 15
SUMMARY_LENGTH = 200
FULL_TEXT = frozenset({"turret-ring"})
"""Outlets whose feed carries the whole text, as blogs do."""
ENCODINGS = {"vestovoy": "windows-1251"}
"""Outlets whose feed is not in UTF-8."""
BEFORE_ANYTHING = datetime(2024, 1, 1, tzinfo=UTC)
"""A feed without items still needs a date in Atom."""

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
DCTERMS = "http://purl.org/dc/terms/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RSS1 = "http://purl.org/rss/1.0/"

MEDIA_TYPES = {
    "rss2": "application/rss+xml",
    "rss1": "application/rdf+xml",
    "atom": "application/atom+xml",
    "jsonfeed": "application/feed+json",
}


@dataclass(frozen=True)
class Feed:
    """A rendered feed. `modified` is the newest change among its items; None when it has none."""

    body: bytes
    media_type: str
    charset: str
    modified: datetime | None


def render(content: Content, outlet: Outlet, now: datetime, limit: int = LIMIT) -> Feed:
    """The newest `limit` items of `outlet` at `now`, in its own feed format."""
    items = content.visible(now, outlet)[:limit]
    charset = ENCODINGS.get(outlet.slug, "utf-8")
    if outlet.feed_format == "jsonfeed":
        body = _json_feed(outlet, items)
    else:
        tree = {"rss2": _rss2, "rss1": _rss1, "atom": _atom}[outlet.feed_format](outlet, items)
        ET.indent(tree)
        body = ET.tostring(tree, encoding=charset, xml_declaration=True)
    modified = max((item.updated for item in items), default=None)
    return Feed(body, MEDIA_TYPES[outlet.feed_format], charset, modified)


def summary(item: Shown, length: int = SUMMARY_LENGTH) -> str:
    """The first paragraph, cut to about `length` characters at the end of a word."""
    text = item.version.paragraphs[0]
    if len(text) <= length:
        return text
    head, _, _ = text[:length].rpartition(" ")
    return (head if len(head) > length / 2 else text[:length]).rstrip(" .,;:-–—") + "…"


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _description(outlet: Outlet) -> str:
    return f"{outlet.name} ({outlet.host})"


def _newest(items: Sequence[Shown]) -> datetime:
    return max((item.updated for item in items), default=BEFORE_ANYTHING)


def _guid(item: Shown) -> tuple[str, bool]:
    """(id, whether it is the link too): agencies number their items, papers point to the page."""
    if item.article.outlet.kind in {"wire", "state"}:
        return item.article.id, False
    return item.article.url, True


def _rss2(outlet: Outlet, items: Sequence[Shown]) -> ET.Element:
    root = ET.Element("rss", {"version": "2.0", "xmlns:atom": ATOM, "xmlns:dc": DC})
    channel = _add(root, "channel")
    _add(channel, "title", outlet.name)
    _add(channel, "link", outlet.base_url + "/")
    _add(channel, "description", _description(outlet))
    _add(channel, "language", outlet.language)
    _add(channel, "atom:link", rel="self", type=MEDIA_TYPES["rss2"], href=outlet.feed_url)
    _add(channel, "lastBuildDate", format_datetime(_newest(items)))
    _add(channel, "ttl", "5")
    for item in items:
        entry = _add(channel, "item")
        guid, is_link = _guid(item)
        _add(entry, "title", item.version.title)
        _add(entry, "link", item.article.url)
        _add(entry, "guid", guid, isPermaLink="true" if is_link else "false")
        _add(entry, "pubDate", format_datetime(item.article.published))
        if item.edited:
            _add(entry, "atom:updated", item.updated.isoformat())
        _add(entry, "dc:creator", item.version.byline)
        _add(entry, "dc:language", item.version.language)
        _add(entry, "description", summary(item))
    return root


def _rss1(outlet: Outlet, items: Sequence[Shown]) -> ET.Element:
    namespaces = {"xmlns": RSS1, "xmlns:rdf": RDF, "xmlns:dc": DC, "xmlns:dcterms": DCTERMS}
    root = ET.Element("rdf:RDF", {**namespaces, "xml:lang": outlet.language})
    channel = _add(root, "channel", **{"rdf:about": outlet.feed_url})
    _add(channel, "title", outlet.name)
    _add(channel, "link", outlet.base_url + "/")
    _add(channel, "description", _description(outlet))
    _add(channel, "dc:language", outlet.language)
    _add(channel, "dc:date", _newest(items).isoformat())
    order = _add(_add(channel, "items"), "rdf:Seq")
    for item in items:
        _add(order, "rdf:li", **{"rdf:resource": item.article.url})
        entry = _add(root, "item", **{"rdf:about": item.article.url})
        _add(entry, "title", item.version.title)
        _add(entry, "link", item.article.url)
        _add(entry, "description", summary(item))
        _add(entry, "dc:creator", item.version.byline)
        _add(entry, "dc:date", item.article.published.isoformat())
        if item.edited:
            _add(entry, "dcterms:issued", item.article.published.isoformat())
            _add(entry, "dcterms:modified", item.updated.isoformat())
        _add(entry, "dc:language", item.version.language)
    return root


def _atom(outlet: Outlet, items: Sequence[Shown]) -> ET.Element:
    root = ET.Element("feed", {"xmlns": ATOM, "xml:lang": outlet.language})
    _add(root, "id", outlet.base_url + "/")
    _add(root, "title", outlet.name)
    _add(root, "subtitle", _description(outlet))
    _add(root, "updated", _newest(items).isoformat())
    _add(root, "link", rel="self", type=MEDIA_TYPES["atom"], href=outlet.feed_url)
    _add(root, "link", rel="alternate", type="text/html", href=outlet.base_url + "/")
    for item in items:
        entry = _add(root, "entry", **{"xml:lang": item.version.language})
        _add(entry, "id", f"tag:{outlet.host},{item.article.published:%Y-%m-%d}:{item.article.id}")
        _add(entry, "title", item.version.title)
        _add(entry, "link", rel="alternate", type="text/html", href=item.article.url)
        _add(entry, "published", item.article.published.isoformat())
        _add(entry, "updated", item.updated.isoformat())
        _add(_add(entry, "author"), "name", item.version.byline)
        _add(entry, "summary", summary(item), type="text")
    return root


def _json_feed(outlet: Outlet, items: Sequence[Shown]) -> bytes:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.name,
        "description": _description(outlet),
        "home_page_url": outlet.base_url + "/",
        "feed_url": outlet.feed_url,
        "language": outlet.language,
        "items": [_json_item(item) for item in items],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _json_item(item: Shown) -> dict[str, object]:
    short = summary(item)
    full = item.article.outlet.slug in FULL_TEXT
    entry: dict[str, object] = {
        "id": item.article.url,
        "url": item.article.url,
        "title": item.version.title,
        "summary": short,
        "content_text": "\n\n".join(item.version.paragraphs) if full else short,
        "date_published": item.article.published.isoformat(),
        "authors": [{"name": item.version.byline}],
        "language": item.version.language,
    }
    if item.edited:
        entry["date_modified"] = item.updated.isoformat()
    return entry
