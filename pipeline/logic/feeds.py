"""Feeds as they come: RSS, RDF and Atom through feedparser, JSON Feed and sitemaps through readers of our own."""

from __future__ import annotations

import re

from pipeline.errors import PermanentError
from pipeline.logic import charsets, sitemaps
from pipeline.logic.entries import link, not_a_feed
from pipeline.logic.jsonfeed import parse_json
from pipeline.logic.markup import too_many_attributes
from pipeline.logic.xmlfeeds import parse_xml
from pipeline.model import ParsedFeed

_FEED_TYPES = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/feed+json",
        "text/rss+xml",
    }
)
# JSON Feed 1.0's own name, and what careless templates say; sites name other things by them, too.
_PERHAPS_FEEDS = frozenset({"application/json", "application/xml", "text/xml"})
_NO_FEED = re.compile(r"/wp-json/|oembed", re.IGNORECASE)
_HTML_START = re.compile(rb"<(html|head|body)\b", re.IGNORECASE)
_HTML_DOCTYPE = re.compile(rb"<!doctype\s+html\b", re.IGNORECASE)
_FEED_START = re.compile(rb"<([\w.-]+:)?(rss|feed|rdf|channel)\b", re.IGNORECASE)
_OPML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<[?!][^>]*>\s*)*<opml\b", re.IGNORECASE)
_CHALLENGE = re.compile(
    rb"challenge-platform|cf-chl|cf_chl|<title>\s*just a moment|attention required!|_incapsula_|ddos-guard|"
    rb"captcha|datadome|verify(ing)? (that )?you are (a )?human|checking your browser",
    re.IGNORECASE,
)


def parse(body: bytes, content_type: str | None, url: str, content_language: str | None = None) -> ParsedFeed:
    """Read a feed; `url` is where it came from, for relative links, and the headers are those it came with.

    Raises PermanentError (not-a-feed, too-large) in plain words. Dates are kept as given, the future included.
    Entries stand as in the document, repeated ones, too: `entries.unique` leaves the first of each key. A feed
    without entries is a feed; so is a sitemap, gzipped or not.
    """
    body = sitemaps.opened(body, url)
    start = body.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if not start:
        raise not_a_feed(url, "the answer is empty")
    if start in (b"{", b"["):
        return parse_json(body, content_type, url)
    if sitemaps.looks_like_one(body):
        return sitemaps.as_feed(body, url)
    if _OPML.match(body[:4096]):
        raise not_a_feed(url, "it is a list of feeds (OPML); `claimwatch feeds import` takes such a file")
    if _looks_like_html(body):
        raise not_a_feed(url, _describe_html(body, url))
    try:
        return parse_xml(body, content_type, url, content_language)
    except PermanentError:
        if _CHALLENGE.search(body[:200_000]):
            raise not_a_feed(url, _describe_html(body, url)) from None
        raise


def discover(html: bytes, url: str) -> list[str]:
    """Addresses of the feeds named in a page's <link rel="alternate"> tags, in the page's order; those whose type could
    be another thing's come last.
    """
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]
    from lxml import html as lxml_html

    source = charsets.decode(html).replace("\0", "")
    if too_many_attributes(source):
        return []
    try:
        parser = lxml_html.HTMLParser(encoding="utf-8")
        root = lxml_html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return []
    base = url
    for element in root.iter("base"):
        base = link(element.get("href"), url) or url
        break
    found: list[str | None] = []
    perhaps: list[str | None] = []
    for element in root.iter("link"):
        media_type = (element.get("type") or "").partition(";")[0].strip().lower()
        relations = (element.get("rel") or "").lower().split()
        if "alternate" in relations and media_type in _FEED_TYPES:
            found.append(link(element.get("href"), base))
        elif "alternate" in relations and media_type in _PERHAPS_FEEDS and not _NO_FEED.search(element.get("href", "")):
            perhaps.append(link(element.get("href"), base))
    return list(dict.fromkeys(address for address in [*found, *perhaps] if address))


def _looks_like_html(body: bytes) -> bool:
    head = re.sub(rb"<!--.*?-->", b"", body[:8192], flags=re.DOTALL).replace(b"\0", b"")
    html = _HTML_START.search(head)
    feed = _FEED_START.search(head)
    if html is None:  # some feeds carry the DOCTYPE of a web page
        return feed is None and _HTML_DOCTYPE.search(head) is not None
    return feed is None or html.start() < feed.start()


def _describe_html(body: bytes, url: str) -> str:
    if _CHALLENGE.search(body[:200_000]):
        return "the server sent a page that checks for a human reader instead"
    feeds = discover(body, url)
    if feeds:
        best = min(feeds, key=lambda address: "comment" in address.lower())  # the first that has a blog's entries
        return f"it is a web page; the page names this feed: {best}"
    return "it is a web page, and it names no feed"
