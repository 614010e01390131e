"""RSS, RDF, Atom and CDF: feedparser reads the document, and here its result becomes ours."""

from __future__ import annotations

import io
import re
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from pipeline.logic import charsets, feeddates, markup, saxreader, text
from pipeline.logic.entries import absolute, language_tag, link, make_entry, not_a_feed, telling
from pipeline.model import ParsedEntry, ParsedFeed

HARMLESS = ("CharacterEncodingOverride", "NonXMLContentType")  # feedparser's; the feed was read all the same
_DATES = ("published", "updated", "created")
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}  # hours
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SKIPPED = re.compile(rb"<skip(hours|days)\b[^>]{0,200}>", re.IGNORECASE)
_SKIPPED_LENGTH = 4_000  # bytes; 24 hours with their tags take a quarter
_SKIPPED_ONE = re.compile(rb"<(?:hour|day)\b[^>]*>\s*(\w+)\s*<", re.IGNORECASE)
_CHANNEL = re.compile(rb"<(?:\w+:)?channel\b", re.IGNORECASE)
_ITEM = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_DESCRIPTION = re.compile(rb"<(/?)media:description\b[^<>]*?(/?)>", re.IGNORECASE)
_NOT_TEXT = ("image/", "audio/", "video/", "font/", "application/pdf", "application/zip")
_UTF8 = "application/xml; charset=utf-8"

# feedparser's values under the names that they are stored by: its own look-up tries old names first.
_get = dict.get


def parse_xml(body: bytes, content_type: str | None, url: str, content_language: str | None) -> ParsedFeed:
    """As feeds.parse, for a body that is neither JSON nor a web page."""
    import feedparser.api

    source = body.decode("latin-1")  # only to count tags
    if markup.too_many_attributes(source) or markup.too_deep(source):
        raise not_a_feed(url, "its tags are nested too deeply or have too many attributes")
    del source
    body, content_type = _in_utf8(body, content_type)
    # No base address: it would go into entries' ids, and these would change when the feed moves.
    headers = {"content-type": content_type or "application/xml"}
    if content_language:
        headers["content-language"] = content_language
    if feedparser.api.PREFERRED_XML_PARSERS != [saxreader.NAME]:
        feedparser.api.PREFERRED_XML_PARSERS[:] = [saxreader.NAME]
    body = markup.readable_references(body)
    try:
        parsed = _run(body, headers)
        if _problem(parsed) and b"<media:description" in body:  # only the strict reader knows whose description it is
            body = _DESCRIPTION.sub(rb"<\1media:caption\2>", body)
            parsed = _run(body, headers)
        if _problem(parsed) and (lost := _lost(parsed, body)):
            parsed = _mended(parsed, lost, body, content_type)
    except (RecursionError, ValueError, LookupError, AssertionError, TypeError, AttributeError) as error:
        raise not_a_feed(url, f"it could not be read ({type(error).__name__})") from error
    version = parsed.get("version") or ""
    if not version and not parsed.entries and not (parsed.feed and _CHANNEL.search(body[:8192])):
        raise not_a_feed(url, f"no feed format was recognised{_trouble(parsed)}")
    return _feed(parsed, version, body, url, language_tag(content_language))


def _run(body: bytes, headers: dict[str, str]) -> Any:
    import feedparser

    # A stream, never a string: feedparser would open a string as an address or a file.
    return feedparser.parse(
        io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )


def _lost(parsed: Any, body: bytes) -> int:
    """How many entries a broken document begins beyond those that have something in them."""
    return max(0, len(_ITEM.findall(body)) - sum(bool(item) for item in parsed.entries))


def _mended(parsed: Any, lost: int, body: bytes, content_type: str | None) -> Any:
    """The document read again with its tags closed by libxml2, if that brings entries back."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    reader = etree.XMLParser(encoding="utf-8", recover=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(charsets.decode(body, content_type).encode("utf-8", "replace"), reader)
    except (etree.XMLSyntaxError, ValueError):
        return parsed
    if root is None:
        return parsed
    again = _run(etree.tostring(root, encoding="utf-8"), {"content-type": _UTF8})
    if _lost(again, body) >= lost:
        return parsed
    again.update(bozo=True, bozo_exception=parsed.get("bozo_exception"))
    return again


def _in_utf8(body: bytes, content_type: str | None) -> tuple[bytes, str | None]:
    """What feedparser is given: UTF-8 under that name, since labels are often wrong and its own guess is Latin.

    Where there is one label, and it fits, reading it is left to feedparser.
    """
    encoding = charsets.charset(body, content_type)
    wide = body.startswith((b"\xff\xfe", b"\xfe\xff")) or encoding.startswith(("utf-16", "utf-32"))
    if not wide and b"\0" in body[:4]:  # another one of four bytes
        return body, content_type
    if not wide and b"\0" in body:
        body = body.replace(b"\0", b"")  # dirt
    if b"\x1b" in body or body.isascii():  # ISO-2022 is ASCII to the eye
        return body, content_type
    named = set(charsets.labels(body, content_type))
    if encoding != "utf-8" and named == {encoding} and charsets.lost(body, encoding) == 0:
        return body, content_type
    return charsets.decode(body, content_type).encode("utf-8", "replace"), _UTF8


def _feed(parsed: Any, version: str, body: bytes, url: str, spoken: str | None) -> ParsedFeed:
    feed = parsed.feed
    language = language_tag(_get(feed, "language")) or spoken
    site_url = link(_get(feed, "link"), url) or _site(feed, url)
    atom = version.startswith("atom")
    base = _base(feed, site_url, url, atom=atom)
    hours, days = _skipped(body) if "skiphours" in feed or "skipdays" in feed else (frozenset(), frozenset())
    return ParsedFeed(
        format=_format(version),
        title=text.line(_text(feed, "title")),
        entries=telling(_entry(item, base, language, atom=atom) for item in parsed.entries),
        language=language,
        site_url=site_url,
        ttl=_ttl(feed),
        problem=_problem(parsed),
        skip_hours=hours,
        skip_days=days,
    )


def _format(version: str) -> str:
    if version in ("rss090", "rss10"):
        return "rdf"
    return "atom" if version.startswith("atom") else "rss"


def _site(feed: Any, url: str) -> str | None:
    """The feed's page from its links, where a link without an address hides it."""
    for each in _get(feed, "links") or ():
        if _get(each, "rel", "alternate") == "alternate" and (found := link(_get(each, "href"), url)):
            return found
    return None


def _base(feed: Any, site_url: str | None, url: str, *, atom: bool) -> str:
    """What relative links are relative to, where no xml:base says so.

    RSS has no rule; its channel's link is what its writers have in mind, and most readers take it. Atom's rule is the
    address of the feed itself, which a file on disk has only in its own link.
    """
    own = next((_get(each, "href") for each in _get(feed, "links") or () if _get(each, "rel") == "self"), None)
    if atom:
        return url if absolute(url) else (link(own, url) or site_url or url)
    return site_url or (url if absolute(url) else (link(own, url) or url))


def _entry(item: Any, base: str, feed_language: str | None, *, atom: bool) -> ParsedEntry | None:
    if not item:
        return None
    contents = [(_get(c, "value"), c) for c in _get(item, "content") or () if _is_text(_get(c, "type"))]
    # The longest text is the whole one; feedparser knows which of them are plain.
    content = max((_typed(value, _get(c, "type")) for value, c in contents), key=len, default="")
    details = [c for _, c in contents]
    details += [detail for name in ("summary_detail", "title_detail") if (detail := _get(item, name))]
    language = _language(item, details, feed_language, atom=atom)
    source, source_url = _source(item, base)
    return make_entry(
        key=_key(item, base),
        url=_entry_link(item, base) or (None if atom else _own_link(item)),
        title=_text(item, "title"),
        summary=_text(item, "summary") or text.strip_html(_string(_get(item, saxreader.CAPTION))),
        content=content,
        author=_author(item),
        published=_published(item, language),
        source=source,
        source_url=source_url,
        language=language,
    )


def _language(item: Any, details: list[Any], feed_language: str | None, *, atom: bool) -> str | None:
    """The language of the entry's texts, the longest kind first."""
    spoken = [_get(item, "language"), *(_get(detail, "language") for detail in details)]
    if atom and details:  # xml:lang is inherited, so none at all was taken back by an empty one
        feed_language = None
    return next((tag for value in spoken if (tag := language_tag(value))), feed_language)


def _text(holder: Any, name: str) -> str:
    """A text construct, its markup read as text."""
    return _typed(_get(holder, name), _get(_get(holder, name + "_detail") or {}, "type"))


def _typed(value: object, media_type: object) -> str:
    if not isinstance(value, str):
        return ""
    return text.plain(value) if media_type == "text/plain" else text.strip_html(value)


def _key(item: Any, base: str) -> str:
    key = _string(_get(item, "id"))
    if key.startswith("/") and not key.startswith("//"):  # a link in all but name
        return link(key, base) or key
    return key


def _author(item: Any) -> str:
    """All authors where a feed names several, the one that feedparser put together else."""
    names = [_string(_get(person, "name")) for person in _get(item, "authors") or () if isinstance(person, dict)]
    names = list(dict.fromkeys(name for name in names if name))
    return ", ".join(names) if len(names) > 1 else _string(_get(item, "author"))


def _source(item: Any, base: str) -> tuple[str, str | None]:
    """Who the item is from, where the feed is not its origin: RSS <source>, Atom source, dc:publisher."""
    stated = _get(item, "source")
    if not isinstance(stated, dict):
        return _string(stated) or _string(_get(item, "publisher")), None
    title = _text(stated, "title") or _string(_get(item, "publisher"))
    return title, link(_get(stated, "link") or _get(stated, "href"), base)


def _entry_link(item: Any, base: str) -> str | None:
    stated = _get(item, "link")
    if _get(item, "guidislink") and not _string(stated).lower().startswith("http"):
        stated = None  # an id that is called a link by default only
    links = [each for each in _get(item, "links") or () if isinstance(each, dict)]
    alternate = [_get(each, "href") for each in links if _get(each, "rel", "alternate") == "alternate"]
    if alternate and any(_get(each, "href") == stated for each in links) and stated not in alternate:
        stated = None  # an enclosure's or the like
    # What FeedBurner counts clicks for stands beside its own link.
    candidates = [_get(item, "feedburner_origlink"), stated, *alternate]
    return next((found for value in candidates if (found := link(value, base))), None)


def _own_link(item: Any) -> str | None:
    """An RSS id that is an address, beside an empty link: all there is."""
    key = _string(_get(item, "id"))
    return link(key, key) if dict.__contains__(item, "link") and absolute(key) else None


def _is_text(media_type: object) -> bool:
    return not isinstance(media_type, str) or not media_type.startswith(_NOT_TEXT)


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _published(item: Any, language: str | None) -> datetime | None:
    for name in _DATES:
        if date := feeddates.read(_get(item, name), language) or _read_date(_get(item, name + "_parsed")):
            return date
    return None


def _read_date(value: object) -> datetime | None:
    if not isinstance(value, time.struct_time):
        return None
    try:
        return feeddates.plausible(datetime(*value[:6], tzinfo=UTC))
    except ValueError:
        return None


def _ttl(feed: Any) -> timedelta | None:
    minutes = _string(_get(feed, "ttl")).strip()
    if re.fullmatch(r"\d{1,7}", minutes, re.ASCII) and int(minutes) > 0:
        return timedelta(minutes=int(minutes))
    hours = _PERIODS.get(_string(_get(feed, "sy_updateperiod")).strip().lower())
    if hours is None:
        return None
    times = _string(_get(feed, "sy_updatefrequency")).strip()
    frequency = int(times) if re.fullmatch(r"\d{1,4}", times, re.ASCII) and int(times) > 0 else 1
    return timedelta(hours=hours) / frequency


def _skipped(body: bytes) -> tuple[frozenset[int], frozenset[int]]:
    """RSS skipHours (0 to 23, GMT; RSS 0.91 counted to 24) and skipDays (Monday 0)."""
    hours: set[int] = set()
    days: set[int] = set()
    for block in islice(_SKIPPED.finditer(body), 8):
        listed = re.split(
            rb"</skip", body[block.end() : block.end() + _SKIPPED_LENGTH], maxsplit=1, flags=re.IGNORECASE
        )
        for one in _SKIPPED_ONE.findall(listed[0]):
            word = one.decode("latin-1").lower()
            if block.group(1).lower() == b"hours" and word.isascii() and word.isdecimal() and int(word) <= 24:
                hours.add(int(word) % 24)
            elif word[:3] in _DAYS:
                days.add(_DAYS.index(word[:3]))
    return frozenset(hours), frozenset(days)


def _problem(parsed: Any) -> str | None:
    if not parsed.get("bozo"):
        return None
    if type(parsed.get("bozo_exception")).__name__ in HARMLESS:
        return None
    return f"the feed is not well-formed{_trouble(parsed)}"


def _trouble(parsed: Any) -> str:
    error = parsed.get("bozo_exception")
    if error is None or type(error).__name__ in HARMLESS:
        return ""
    message = error.getMessage() if hasattr(error, "getMessage") else str(error)
    line = error.getLineNumber() if hasattr(error, "getLineNumber") else None
    return f": {text.line(str(message))[:200]}" + (f" (line {line})" if line else "")
