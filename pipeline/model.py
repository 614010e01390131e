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
    skip_hours: frozenset[int] = frozenset()  # GMT; RSS skipHours
    skip_days: frozenset[int] = frozenset()  # Monday is 0; RSS skipDays
    children: tuple[str, ...] = ()  # a sitemap index's sitemaps, the newest first where it says how old they are


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
class Rhythm:
    """When a feed's news come: `counts` of new entries by hour of the day (UTC), older ones counting ever less.

    `since` is when counting began; without it nothing has been counted.
    """

    counts: tuple[float, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True)
class Wishes:
    """What a feed itself asks for: RSS ttl, skipHours (GMT) and skipDays (Monday is 0)."""

    ttl: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True)
class PollState:
    """What is remembered of a feed between two polls. `seen_at` is the last poll that was answered well."""

    interval: timedelta
    failures: float = 0.0
    moved_to: str | None = None
    moved_sightings: int = 0
    gone: bool = False
    seen_at: datetime | None = None
    rhythm: Rhythm = Rhythm()
    wishes: Wishes = Wishes()


@dataclass(frozen=True)
class PollPlan:
    """What a poll's result means for the next one."""

    next_poll_at: datetime
    poll: PollState
    new_url: str | None = None


@dataclass(frozen=True)
class Document:
    """An article as extracted from a page. `paragraphs` are in the page's order, normalised, never empty."""

    title: str
    paragraphs: tuple[str, ...]
    author: str | None = None
    published: datetime | None = None
    language: str | None = None
    canonical_url: str | None = None


@dataclass(frozen=True)
class Message:
    """A mail before it becomes MIME: text and HTML say the same."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)
