"""A claim's events as an Atom feed (RFC 4287), for any feed reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import UUID, uuid5

from pipeline.logic.written import is_link, moment, short

if TYPE_CHECKING:
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
LONGEST_TITLE = 300  # characters
LONGEST_TEXT = 4000
# Entries' ids are made in this namespace, of what no move of the desk to another address changes.
_NAMESPACE = UUID("0e6f6f3e-5a6b-5c8b-9d0f-6f1f2a3b4c5d")
# XML 1.0 has no place for these, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Entry:
    """One event of a claim, with the best sentence of its story where it has one."""

    event_id: int
    kind: str
    happened_at: datetime
    known_at: datetime
    reason: str
    sentence: str | None = None
    language: str | None = None
    direction: str = "auto"  # ltr, rtl or auto: how the sentence is written
    stance: str | None = None
    title: str | None = None
    publisher: str | None = None
    country: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Feed:
    claim_id: str
    statement: str
    since: datetime  # when the claim was loaded: the feed is as old as its newest entry, or as this
    entries: Sequence[Entry]

    @property
    def updated(self) -> datetime:
        return max([self.since, *(entry.known_at for entry in self.entries)])


def document(feed: Feed, public_url: str, own_address: str) -> bytes:
    """The feed, the latest entry first. The same events give the same bytes.

    `public_url` is where readers find the desk, `own_address` the feed's own path there.
    """
    from lxml import etree

    page = f"{public_url}/claims/{quote(feed.claim_id, safe='')}"
    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    _add(root, "id", f"urn:uuid:{uuid5(_NAMESPACE, f'claim {feed.claim_id} {moment(feed.since)}')}")
    _add(root, "title", short(feed.statement, LONGEST_TITLE))
    _add(root, "subtitle", "What happened to this claim, as claimwatch noticed it")
    _add(root, "updated", moment(feed.updated))
    _add(_add(root, "author"), "name", "claimwatch")
    _add(root, "link", rel="self", type=MEDIA_TYPE, href=public_url + own_address)
    _add(root, "link", rel="alternate", type="text/html", href=page)
    for entry in sorted(feed.entries, key=lambda e: (e.known_at, e.event_id), reverse=True):
        _entry(_add(root, "entry"), feed.claim_id, entry, page)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True))


def _entry(parent: etree._Element, claim_id: str, entry: Entry, page: str) -> None:
    known = moment(entry.known_at)
    what = entry.kind.replace("_", " ").capitalize()
    _add(parent, "id", f"urn:uuid:{uuid5(_NAMESPACE, f'event {claim_id} {entry.event_id} {known}')}")
    _add(parent, "title", short(f"{what}: {entry.sentence or entry.reason}", LONGEST_TITLE))
    _add(parent, "updated", known)
    _add(parent, "published", moment(min(entry.happened_at, entry.known_at)))
    _add(parent, "link", rel="alternate", type="text/html", href=f"{page}#event-{entry.event_id}")
    if is_link(entry.url):
        _add(parent, "link", rel="related", href=entry.url or "")
    _add(parent, "category", term=entry.kind)
    if entry.stance:
        _add(parent, "category", term=entry.stance)
    _add(parent, "content", _content(entry), type="html")


def _content(entry: Entry) -> str:
    """HTML; all that others wrote is escaped."""
    parts = [f"<p>{escape(short(entry.reason, LONGEST_TEXT))}</p>"]
    if entry.sentence:
        language = f' lang="{escape(entry.language)}"' if entry.language else ""
        sentence = escape(short(entry.sentence, LONGEST_TEXT))
        parts.append(f'<blockquote{language} dir="{escape(entry.direction)}">{sentence}</blockquote>')
    if entry.publisher:
        title = f"<bdi>{escape(short(entry.title or 'the article', LONGEST_TITLE))}</bdi>"
        if is_link(entry.url):
            title = f'<a href="{escape(entry.url or "")}">{title}</a>'
        country = f" ({escape(short(entry.country, 8))})" if entry.country else ""
        stance = f", {escape(entry.stance)} the claim" if entry.stance in ("supports", "refutes", "updates") else ""
        parts.append(f"<p>{escape(short(entry.publisher, LONGEST_TITLE))}{country}{stance}: {title}</p>")
    return "".join(parts)


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    from lxml import etree

    made = etree.SubElement(parent, f"{{{ATOM}}}{name}", {key: _plain(value) for key, value in attributes.items()})
    made.text = None if text is None else _plain(text)
    return made


def _plain(text: str) -> str:
    return _NOT_XML.sub("", text)
