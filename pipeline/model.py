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
    source_url: str | None = None  # the origin's address, where the feed names one

    @property
    def is_empty(self) -> bool:
        """Whether it has neither an address nor a text: nothing to store."""
        return not (self.url or self.title or self.summary or self.content)


@dataclass(frozen=True)
class ParsedFeed:
    """`problem` says in plain words why a document is hard to read although entries came out of it."""

    format: str  # rss, rdf, atom, json, sitemap
    title: str
    entries: tuple[ParsedEntry, ...]
    language: str | None = None
    site_url: str | None = None
    ttl: timedelta | None = None
    problem: str | None = None
    skip_hours: frozenset[int] = frozenset()  # hours (GMT) in which the feed asks not to be polled
    skip_days: frozenset[int] = frozenset()  # and days, Monday 0
    children: tuple[str, ...] = ()  # sitemaps that a sitemap index names, the most recent first


@dataclass(frozen=True)
class Exchange:
    """One request and its answer as the wire had them, for the archive. Headers in order, repeated ones included."""

    at: datetime  # when it was asked
    method: str
    target: str  # path and query, as sent
    request_headers: tuple[tuple[str, str], ...]
    protocol: str  # HTTP/1.0, HTTP/1.1 or HTTP/2
    status: int
    reason: str
    response_headers: tuple[tuple[str, str], ...]
    address: str | None = None  # the peer's


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
    exchange: Exchange | None = None  # the last one, where redirects led


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
    chart: bytes | None = None  # a PNG that the HTML shows as cid:chart@claimwatch
