"""Feed lists in OPML 2.0, read and written. Pure: bytes in, feeds out, and back.

Any list is read: the folders that a feed stands in become its tags, as does OPML's own `category`. What we know beyond
OPML stands in attributes of our namespace, which other readers leave alone:

    publisher, family, country, language, kind     of who publishes it
    state, verified                                active, paused, unverified or gone; when it was seen to be a feed
    note, feedLanguage, minInterval, maxInterval   (minutes), pages ("no": the entries' own texts are used)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.entities import name2codepoint
from typing import Any

from pipeline.errors import PermanentError
from pipeline.logic import charsets
from pipeline.logic.text import clean, line

NAMESPACE = "urn:claimwatch:opml"
STATES = ("active", "paused", "unverified", "gone")
KINDS = ("wire", "newspaper", "broadcaster", "state", "blog", "think-tank", "other")
MOST_TAGS = 20
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=30)  # of an interval that somebody may set
_DEEPEST = 20  # folders in folders that become tags
_FEED_SCHEME = re.compile(r"^feed:(?://)?(https?://)?", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?!#\d+;|#x[0-9a-fA-F]+;)(?:(\w+);)?")
_IN_XML = frozenset(("amp", "lt", "gt", "quot", "apos"))


@dataclass(frozen=True)
class Outline:
    """One feed of the list, with everything that people decide about it."""

    url: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    publisher: str | None = None
    family: str | None = None
    country: str | None = None
    language: str | None = None
    kind: str | None = None
    state: str = "active"
    verified_at: datetime | None = None
    note: str | None = None
    feed_language: str | None = None
    min_interval: timedelta | None = None
    max_interval: timedelta | None = None
    read_pages: bool = True


def parse(content: bytes) -> list[Outline]:
    """The feeds of an OPML file, each address once. Raises PermanentError (code not-opml)."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    # Lists are often written by hand: addresses with a bare &, HTML's names, a charset that is not the one named.
    source = _REFERENCE.sub(_readable, charsets.decode(content).replace("\0", ""))
    parser = etree.XMLParser(encoding="utf-8", recover=True, resolve_entities=False, no_network=True, huge_tree=False)
    try:
        tree = etree.fromstring(source.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise PermanentError(f"not an OPML file: {error}", code="not-opml") from error
    # Not by QName, which refuses what the recovering parser lets through: an element named ":".
    if tree is None or str(tree.tag).rpartition("}")[2].lower() != "opml":
        raise PermanentError("not an OPML file: it has no <opml> element", code="not-opml")
    found: dict[str, Outline] = {}
    for element in tree.iter("outline"):
        feed = _outline(element)
        if feed is not None and feed.url not in found:
            found[feed.url] = feed
    return list(found.values())


def write(feeds: Iterable[Outline], title: str, now: datetime) -> bytes:
    """An OPML file of these feeds, in folders by their first tag. `parse` gives the same feeds back."""
    from lxml import etree

    root = etree.Element("opml", {"version": "2.0"}, nsmap={"claimwatch": NAMESPACE})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = _xml(line(title))
    etree.SubElement(head, "dateCreated").text = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    body = etree.SubElement(root, "body")
    folders: dict[str, Any] = {}
    for feed in feeds:
        parent = body
        if feed.tags:
            parent = folders.get(feed.tags[0])
            if parent is None:
                parent = folders[feed.tags[0]] = etree.SubElement(body, "outline", {"text": _xml(feed.tags[0])})
        etree.SubElement(parent, "outline", {name: _xml(value) for name, value in _attributes(feed)})
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return text


def tag(text: str) -> str:
    """A tag in its one spelling: small letters, no commas or slashes, which part tags in OPML."""
    return " ".join(re.sub(r"[,/]", " ", clean(text)).split()).lower()


def tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Each tag once, in order."""
    return tuple(dict.fromkeys(found for text in texts if (found := tag(text))))[:MOST_TAGS]


def country_code(text: str | None) -> str | None:
    """Two capital letters, or None."""
    code = (text or "").strip().upper()
    return code if re.fullmatch(r"[A-Z]{2}", code) else None


def language_code(text: str | None) -> str | None:
    """The language alone, two or three small letters ("en" of "en-us"), or None."""
    code = re.split(r"[-_]", (text or "").strip().lower())[0]
    return code if re.fullmatch(r"[a-z]{2,3}", code) else None


def _outline(element: Any) -> Outline | None:
    plain = {name.lower(): value for name, value in element.attrib.items() if not name.startswith("{")}
    own = {
        name.partition("}")[2]: value for name, value in element.attrib.items() if name.startswith(f"{{{NAMESPACE}}}")
    }
    url = _FEED_SCHEME.sub(_web_scheme, clean(plain.get("xmlurl", "")))
    if not url:
        return None
    categories = [part for entry in plain.get("category", "").split(",") for part in entry.split("/")]
    state, kind = own.get("state", "active"), own.get("kind")
    return Outline(
        url=url,
        title=line(plain.get("title") or plain.get("text") or "") or None,
        tags=tags([*_folders(element), *categories]),
        publisher=line(own.get("publisher", "")) or None,
        family=line(own.get("family", "")) or None,
        country=country_code(own.get("country")),
        language=language_code(own.get("language") if own else plain.get("language")),
        kind=kind if kind in KINDS else None,
        state=state if state in STATES else "active",
        verified_at=_time(own.get("verified")),
        note=clean(own.get("note", "")) or None,
        feed_language=language_code(own.get("feedLanguage")),
        min_interval=_minutes(own.get("minInterval")),
        max_interval=_minutes(own.get("maxInterval")),
        read_pages=own.get("pages", "yes") != "no",
    )


def _web_scheme(scheme: re.Match[str]) -> str:
    """feed://host and feed:https://host are what browsers once handed to feed readers."""
    return scheme[1] or "http://"


def _readable(reference: re.Match[str]) -> str:
    name = reference[1]
    if name is None:
        return "&amp;"
    if name in _IN_XML:
        return reference[0]
    return f"&#{name2codepoint[name]};" if name in name2codepoint else f"&amp;{name};"


def _folders(element: Any) -> list[str]:
    """The names of the folders that a feed stands in, the outermost first."""
    names: list[str] = []
    parent = element.getparent()
    while parent is not None and parent.tag == "outline" and len(names) < _DEEPEST:
        names.insert(0, parent.get("text") or parent.get("title") or "")
        parent = parent.getparent()
    return names


def _attributes(feed: Outline) -> Iterator[tuple[str, str]]:
    yield "type", "rss"
    yield "text", feed.title or feed.publisher or feed.url
    if feed.title:
        yield "title", feed.title
    yield "xmlUrl", feed.url
    if feed.feed_language or feed.language:
        yield "language", feed.feed_language or feed.language or ""
    if feed.tags:
        yield "category", ",".join(feed.tags)
    own = {
        "publisher": feed.publisher,
        "family": feed.family,
        "country": feed.country,
        "language": feed.language,
        "kind": feed.kind,
        "state": None if feed.state == "active" else feed.state,
        "verified": feed.verified_at and feed.verified_at.astimezone(UTC).isoformat(),
        "note": feed.note,
        "feedLanguage": feed.feed_language,
        "minInterval": feed.min_interval and f"{feed.min_interval / timedelta(minutes=1):.15g}",
        "maxInterval": feed.max_interval and f"{feed.max_interval / timedelta(minutes=1):.15g}",
        "pages": None if feed.read_pages else "no",
    }
    for name, value in own.items():
        if value:
            yield f"{{{NAMESPACE}}}{name}", value


def _xml(text: str) -> str:
    """Two characters that `clean` keeps have no place in XML."""
    return re.sub("[\ufffe\uffff]", "\ufffd", text)


def _minutes(text: str | None) -> timedelta | None:
    try:
        minutes = float(text or "")
    except ValueError:
        return None
    if not math.isfinite(minutes) or not SHORTEST <= timedelta(minutes=min(max(minutes, 0), 1e6)) <= LONGEST:
        return None
    return timedelta(minutes=minutes)


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
