"""Sitemaps: Google News' and plain ones, indexes of sitemaps, gzipped or not, and lists of addresses as text.

A news sitemap holds two days of articles with title, date and language, and is as good as a feed. A plain one may hold
all pages that a site ever had, so only its recent ones are read as entries.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.errors import PermanentError
from pipeline.logic import charsets, feeddates, text
from pipeline.logic.entries import absolute, language_tag, link, make_entry, not_a_feed
from pipeline.model import ParsedFeed

MAX_BODY = 50 * 2**20  # bytes after decompression; the protocol's own limit of a sitemap (sitemaps.org, 50 MB)
MAX_PAGES = 50_000  # of one sitemap, as the protocol has it
MAX_ENTRIES = 1_000  # of a sitemap that is read as a feed: Google News' own limit
RECENT = timedelta(days=3)  # Google News keeps two days; one more for outlets on the other side of the date line

_GZIP = b"\x1f\x8b"
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(urlset|sitemapindex)\b", re.IGNORECASE)
_OTHER_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf|channel|html)\b", re.IGNORECASE)
_FIELDS = {
    "loc": "url",
    "lastmod": "modified",
    "publication_date": "published",
    "title": "title",
    "language": "language",
    "name": "publication",
    "keywords": "keywords",
}
_CONTAINERS = frozenset({"urlset", "sitemapindex", "news", "publication"})


@dataclass(frozen=True)
class SitemapPage:
    """One page. `published` and what follows stand in news sitemaps only; `modified` is lastmod."""

    url: str
    modified: datetime | None = None
    published: datetime | None = None
    title: str = ""
    language: str | None = None
    publication: str | None = None
    keywords: tuple[str, ...] = ()

    @property
    def date(self) -> datetime | None:
        return self.published or self.modified


@dataclass(frozen=True)
class SitemapChild:
    """A sitemap that an index names."""

    url: str
    modified: datetime | None = None


@dataclass(frozen=True)
class ParsedSitemap:
    """Pages of a sitemap or children of an index, in the document's order, each address once."""

    pages: tuple[SitemapPage, ...] = ()
    children: tuple[SitemapChild, ...] = ()
    problem: str | None = None


def opened(body: bytes, url: str, max_body: int = MAX_BODY) -> bytes:
    """The body, decompressed where it is gzip. Raises PermanentError (too-large, not-a-feed)."""
    if not body.startswith(_GZIP):
        return body
    content, rest = b"", body
    while rest.startswith(_GZIP):  # a file of several members is all of them, one after the other
        decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            content += decoder.decompress(rest, max_body + 1 - len(content))
        except zlib.error as error:
            if content:  # the first members are readable, and what stands behind a file is often rubbish
                break
            raise not_a_feed(url, f"it begins like gzip and can't be decompressed ({error})") from error
        if len(content) > max_body:
            raise PermanentError(f"{url}: decompressed it is larger than {max_body:,} bytes", code="too-large")
        rest = decoder.unused_data
    return content


def looks_like_one(body: bytes) -> bool:
    """Whether an opened body is a sitemap, an index of them or a list of addresses."""
    head = body[:4096].replace(b"\0", b"")
    root = _ROOT.search(head)
    if root is not None:
        other = _OTHER_ROOT.search(head)
        return other is None or root.start() < other.start()
    return head.lstrip(b"\xef\xbb\xbf \r\n\t")[:8].lower().startswith((b"http://", b"https://")) and b"<" not in head


def parse(body: bytes, url: str, since: datetime | None = None) -> ParsedSitemap:
    """Read a sitemap; `url` is where it came from.

    `since` leaves out pages and children that are known to be older; those without a date stay. Raises
    PermanentError (not-a-feed, too-large). What stands before a break in the XML is kept, and `problem` says so.
    """
    body = opened(body, url)
    if not looks_like_one(body):
        raise not_a_feed(url, "it is no sitemap")
    if _ROOT.search(body[:4096].replace(b"\0", b"")) is None:
        lines = charsets.decode(body).splitlines()[: 2 * MAX_PAGES]
        addresses = [link(line, url) for line in lines if absolute(line.strip())]
        pages = {each: SitemapPage(each) for each in addresses if each}
        return ParsedSitemap(pages=tuple(pages.values())[:MAX_PAGES])
    pages, children, problem = _read(body, url)
    return ParsedSitemap(
        pages=tuple(page for page in pages.values() if since is None or page.date is None or page.date >= since),
        children=tuple(c for c in children.values() if since is None or c.modified is None or c.modified >= since),
        problem=problem,
    )


def _read(body: bytes, url: str) -> tuple[dict[str, SitemapPage], dict[str, SitemapChild], str | None]:
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    pages: dict[str, SitemapPage] = {}
    children: dict[str, SitemapChild] = {}
    found: dict[str, str] = {}
    source = io.BytesIO(charsets.decode(body).replace("\0", "").encode("utf-8", "replace"))
    events = etree.iterparse(
        source,
        events=("end",),
        encoding="utf-8",
        recover=True,
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
    )
    try:
        for _, element in events:
            name = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
            if name in ("url", "sitemap"):
                address = link(found.get("url"), url)
                if address and name == "url" and len(pages) < MAX_PAGES:
                    pages.setdefault(address, _page(address, found))
                elif address and name == "sitemap" and len(children) < MAX_PAGES:
                    children.setdefault(address, SitemapChild(address, feeddates.read(found.get("modified"))))
                found = {}
                _forget(element)
            elif name in _FIELDS and "image" not in element.tag and "video" not in element.tag:
                found.setdefault(_FIELDS[name], (element.text or "").strip())
    except etree.XMLSyntaxError as error:
        if not pages and not children:
            raise not_a_feed(url, f"the sitemap can't be read: {error}") from error
    broken = next(iter(getattr(events, "error_log", ())), None)
    problem = f"the sitemap is not well-formed: {text.line(broken.message)} (line {broken.line})" if broken else None
    return pages, children, problem


def _forget(element: Any) -> None:
    """A large sitemap is read without being kept."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _page(address: str, found: dict[str, str]) -> SitemapPage:
    language = language_tag(found.get("language"))
    keywords = (text.line(word) for word in found.get("keywords", "").split(","))
    return SitemapPage(
        url=address,
        modified=feeddates.read(found.get("modified"), language),
        published=feeddates.read(found.get("published"), language),
        title=text.line(text.plain(found.get("title", ""))),
        language=language,
        publication=text.line(found.get("publication", "")) or None,
        keywords=tuple(word for word in keywords if word),
    )


def recent(pages: Sequence[SitemapPage], within: timedelta = RECENT, most: int = MAX_ENTRIES) -> list[SitemapPage]:
    """The newest pages, newest first: those dated within that time of the sitemap's newest.

    Its own newest date and not the clock: a site that rests for a week keeps its last days, and the result depends on
    the document alone. The newest hundredth is not asked, so that one date in the future does not hide everything.
    Undated pages are left out unless none has a date: in a sitemap of all pages they are the ones that never change.
    """
    dated = sorted(((page.date, at, page) for at, page in enumerate(pages) if page.date), key=lambda e: (e[0], -e[1]))
    if not dated:
        return list(pages[:most])
    newest = dated[-1 - len(dated) // 100][0]
    return [page for date, _, page in reversed(dated) if date >= newest - within][:most]


def as_feed(body: bytes, url: str) -> ParsedFeed:
    """A sitemap as a feed: the pages of a news sitemap, the recent ones of a plain one; an index has children only."""
    sitemap = parse(body, url)
    news = [page for page in sitemap.pages if page.published or page.title]
    shown = news[:MAX_ENTRIES] if news else recent(sitemap.pages)
    children = sorted(sitemap.children, key=lambda child: child.modified.timestamp() if child.modified else 0.0)
    languages = {page.language for page in shown}
    names = {page.publication for page in shown if page.publication}
    return ParsedFeed(
        format="sitemap",
        title=names.pop() if len(names) == 1 else "",
        entries=tuple(
            make_entry(
                key=page.url,
                url=page.url,
                title=page.title,
                summary="",
                content="",
                author=None,
                published=page.date,
                source=None,
                language=page.language,
            )
            for page in shown
        ),
        language=languages.pop() if len(languages) == 1 else None,
        problem=sitemap.problem,
        children=tuple(child.url for child in reversed(children)),
    )
