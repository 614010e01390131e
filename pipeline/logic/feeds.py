"""Feeds as they come: RSS, RDF and Atom through feedparser, JSON Feed through a reader of our own."""

from __future__ import annotations

import io
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.logic import text
from pipeline.logic.entries import language_tag, link, make_entry, not_a_feed, unique
from pipeline.logic.jsonfeed import parse_json
from pipeline.logic.markup import too_deep, too_many_attributes
from pipeline.model import ParsedEntry, ParsedFeed

_FEED_TYPES = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/feed+json",
        "text/rss+xml",
    }
)
_HTML_START = re.compile(rb"<(html|head|body)\b", re.IGNORECASE)
_HTML_DOCTYPE = re.compile(rb"<!doctype\s+html\b", re.IGNORECASE)
_FEED_START = re.compile(rb"<([\w.-]+:)?(rss|feed|rdf|channel)\b", re.IGNORECASE)
_CHALLENGE = re.compile(
    rb"challenge-platform|cf-chl|cf_chl|<title>\s*just a moment|attention required!|_incapsula_|ddos-guard|"
    rb"captcha|datadome|verify(ing)? (that )?you are (a )?human|checking your browser",
    re.IGNORECASE,
)
_HARMLESS = ("CharacterEncodingOverride", "NonXMLContentType")  # feedparser's; the feed was read all the same
_DATES = ("published_parsed", "updated_parsed", "created_parsed")
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}  # hours


def parse(body: bytes, content_type: str | None, url: str) -> ParsedFeed:
    """Read a feed; `url` is where it came from, for relative links.

    Raises PermanentError (not-a-feed) in plain words. Dates are kept as given, the future included. Of
    entries with the same key the first wins. A feed without entries is a feed.
    """
    start = body.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if not start:
        raise not_a_feed(url, "the answer is empty")
    if start in (b"{", b"["):
        return parse_json(body, content_type, url)
    if _looks_like_html(body):
        raise not_a_feed(url, _describe_html(body, url))
    return _parse_xml(body, content_type, url)


def discover(html: bytes, url: str) -> list[str]:
    """Addresses of the feeds named in a page's <link rel="alternate"> tags, in the page's order."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]
    from lxml import html as lxml_html

    source = text.decode(html).replace("\0", "")
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
    found = []
    for element in root.iter("link"):
        media_type = (element.get("type") or "").partition(";")[0].strip().lower()
        relations = (element.get("rel") or "").lower().split()
        if "alternate" in relations and media_type in _FEED_TYPES:
            found.append(link(element.get("href"), base))
    return list(dict.fromkeys(address for address in found if address))


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
        return f"it is a web page; the page names this feed: {feeds[0]}"
    return "it is a web page, and it names no feed"


def _parse_xml(body: bytes, content_type: str | None, url: str) -> ParsedFeed:
    import feedparser

    markup = body.decode("latin-1")  # only to count tags
    if too_many_attributes(markup) or too_deep(markup):
        raise not_a_feed(url, "its tags are nested too deeply or have too many attributes")
    if b"\0" in body and not body.startswith((b"\xff\xfe", b"\xfe\xff")) and body[:4].count(0) == 0:
        body = body.replace(b"\0", b"")  # not UTF-16 or UTF-32, so they are dirt
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):  # feedparser reads UTF-16 only where it is declared
        body, content_type = text.decode(body).encode("utf-8", "replace"), "application/xml; charset=utf-8"
    # No base address: it would go into entries' ids, and these would change when the feed moves.
    headers = {"content-type": content_type or "application/xml"}
    try:
        # A stream, never a string: feedparser would open a string as an address or a file.
        parsed = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except (RecursionError, ValueError, LookupError, AssertionError, TypeError, AttributeError) as error:
        raise not_a_feed(url, f"it could not be read ({type(error).__name__})") from error
    if not parsed.get("version") and not parsed.entries:
        if _CHALLENGE.search(body[:200_000]):
            raise not_a_feed(url, _describe_html(body, url))
        raise not_a_feed(url, f"no feed format was recognised{_trouble(parsed)}")
    feed = parsed.feed
    language = language_tag(feed.get("language"))
    site_url = link(feed.get("link"), url)
    return ParsedFeed(
        format=_format(parsed.get("version") or ""),
        title=text.line(text.strip_html(_string(feed.get("title")))),
        entries=unique(_entry(item, url, language) for item in parsed.entries),
        language=language,
        site_url=site_url,
        ttl=_ttl(feed),
        problem=_problem(parsed),
    )


def _format(version: str) -> str:
    if version in ("rss090", "rss10"):
        return "rdf"
    return "atom" if version.startswith("atom") else "rss"


def _problem(parsed: Any) -> str | None:
    if not parsed.get("bozo"):
        return None
    if type(parsed.get("bozo_exception")).__name__ in _HARMLESS:
        return None
    return f"the feed is not well-formed{_trouble(parsed)}"


def _trouble(parsed: Any) -> str:
    error = parsed.get("bozo_exception")
    if error is None or type(error).__name__ in _HARMLESS:
        return ""
    message = error.getMessage() if hasattr(error, "getMessage") else str(error)
    line = error.getLineNumber() if hasattr(error, "getLineNumber") else None
    return f": {text.line(str(message))[:200]}" + (f" (line {line})" if line else "")


def _entry(item: Any, url: str, feed_language: str | None) -> ParsedEntry | None:
    contents = [c for c in item.get("content") or () if _is_text(c.get("type"))]
    content = max((_string(c.get("value")) for c in contents), key=len, default="")
    source = item.get("source")
    origin = source.get("title") if hasattr(source, "get") else source
    spoken = [item.get("language"), *(c.get("language") for c in contents)]
    spoken.append((item.get("title_detail") or {}).get("language"))
    return make_entry(
        key=_string(item.get("id")),
        url=_entry_link(item, url),
        title=_string(item.get("title")),
        summary=_string(item.get("summary")),
        content=content,
        author=_string(item.get("author")),
        published=next((date for name in _DATES if (date := _date(dict.get(item, name)))), None),
        source=_string(origin) or _string(item.get("publisher")),
        language=next((tag for value in spoken if (tag := language_tag(value))), feed_language),
    )


def _entry_link(item: Any, url: str) -> str | None:
    stated = item.get("link")
    if item.get("guidislink") and not _string(stated).lower().startswith("http"):
        stated = None  # an id that is called a link by default only
    candidates = [item.get("feedburner_origlink"), stated]
    for each in item.get("links") or ():
        if each.get("rel", "alternate") == "alternate":
            candidates.append(each.get("href"))
    return next((found for value in candidates if (found := link(value, url))), None)


def _is_text(media_type: object) -> bool:
    return not isinstance(media_type, str) or "html" in media_type or media_type.startswith("text")


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _date(value: object) -> datetime | None:
    if not isinstance(value, time.struct_time):
        return None
    try:
        return datetime(*value[:6], tzinfo=UTC)
    except ValueError:
        return None


def _ttl(feed: Any) -> timedelta | None:
    minutes = _string(feed.get("ttl")).strip()
    if re.fullmatch(r"\d{1,7}", minutes, re.ASCII) and int(minutes) > 0:
        return timedelta(minutes=int(minutes))
    hours = _PERIODS.get(_string(feed.get("sy_updateperiod")).strip().lower())
    if hours is None:
        return None
    times = _string(feed.get("sy_updatefrequency")).strip()
    frequency = int(times) if re.fullmatch(r"\d{1,4}", times, re.ASCII) and int(times) > 0 else 1
    return timedelta(hours=hours) / frequency
