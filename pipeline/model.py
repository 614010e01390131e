"""The values that travel between layers: frozen, plain, free of I/O. Times are aware datetimes in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True)
class ParsedEntry:
    """One item of a feed. `key` is its id, else its link, else a hash of title and summary."""

    key: str
    url: str | None
    title: str
    summary: str = ""  # plain text
    content: str = ""  # plain text, paragraphs parted by newlines; "" where the feed carries none
    author: str | None = None
    published: datetime | None = None
    source: str | None = None  # true origin of a syndicated item (RSS <source>, dc:publisher)
    language: str | None = None


@dataclass(frozen=True)
class ParsedFeed:
    """`problem` says in plain words why a document is hard to read although entries came out of it."""

    format: str  # rss, rdf, atom, json
    title: str
    entries: tuple[ParsedEntry, ...]
    language: str | None = None
    site_url: str | None = None
    ttl: timedelta | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Response:
    """What came back for one address. `body` is decoded (gzip, br, zstd) and within the cap.

    `url` is the address after redirects; `permanent_url` is where 301/308 alone led, or None.
    """

    status: int
    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    permanent_url: str | None = None
    elapsed: float = 0.0  # seconds


@dataclass(frozen=True)
class PollState:
    """What is remembered of a feed between two polls."""

    interval: timedelta
    failures: float = 0.0
    moved_to: str | None = None
    moved_sightings: int = 0


@dataclass(frozen=True)
class PollPlan:
    """What a poll's result means for the next one. `state` is "active" or "gone"."""

    next_poll_at: datetime
    poll: PollState
    state: str = "active"
    new_url: str | None = None


@dataclass(frozen=True)
class Document:
    """An article as extracted from a page. `paragraphs` are in the page's order, normalised, never empty.

    `precision` says whether `published` has a time of day ("time") or is a day, midnight UTC ("day"). The dateline
    stays in the text. `setting` is what found the text: precise, wide, json-ld, or entry where a feed gave it. Of a
    `partial` one the site shows the beginning only, to those who don't subscribe.
    """

    title: str
    paragraphs: tuple[str, ...]
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    precision: str | None = None
    language: str | None = None
    site_name: str | None = None
    description: str | None = None
    dateline: str | None = None
    canonical_url: str | None = None
    setting: str | None = None
    partial: bool = False


@dataclass(frozen=True)
class Message:
    """A mail before it becomes MIME: text and HTML say the same."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)
