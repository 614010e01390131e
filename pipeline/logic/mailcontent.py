"""What mails tell: the values that their words are made of. Pure, plain, frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pipeline.logic.coverage import Coverage
from pipeline.logic.tracking import Event


@dataclass(frozen=True)
class Report:
    """One article that carries the evidence."""

    publisher: str
    country: str | None
    language: str | None
    title: str
    url: str
    published: datetime
    from_entry: bool  # the page could not be had; the text is the feed's own
    archived: str | None = None  # the text as we keep it, on the desk


@dataclass(frozen=True)
class Quantity:
    """A total that a passage states."""

    role: str
    low: float
    high: float


@dataclass(frozen=True)
class Evidence:
    """The sentence that matched, in its paragraph, and every article that carries that paragraph."""

    sentence: str
    paragraph: str
    stance: str
    probability: float
    reports: Sequence[Report]
    origins: Sequence[str] = ()  # whom it rests on, by name
    origin_ids: Sequence[str] = ()
    figures: Sequence[Quantity] = ()
    why: str | None = None  # what the matcher says of itself
    precision: float | None = None  # of labelled pairs accepted at this setting, the share that was right
    labels: int | None = None  # how many those are
    confirmed: bool = False  # a reviewer said yes
    confirm: str | None = None  # signed links; None without a public address
    reject: str | None = None

    @property
    def before(self) -> str:
        """What stands before the sentence in its paragraph; nothing where it is not to be found there."""
        before, found, _ = self.paragraph.partition(self.sentence)
        return before if found else ""

    @property
    def after(self) -> str:
        return self.paragraph.partition(self.sentence)[2]

    @property
    def first(self) -> Report:
        return self.reports[0]


@dataclass(frozen=True)
class Standing:
    """What an authority says of how many, and what it said before."""

    authority: str
    role: str
    told: str  # "about 600"
    as_of: date
    before: str | None = None


@dataclass(frozen=True)
class MailLinks:
    """Into the desk; None without a public address."""

    claim: str | None = None
    manage: str | None = None
    unsubscribe: str | None = None
    pause: str | None = None


@dataclass(frozen=True)
class Thread:
    """The Message-ID that all mails on a claim hang from, and those of the reader's earlier ones, oldest first."""

    root: str
    references: Sequence[str] = ()


@dataclass(frozen=True)
class History:
    """Stories a day over the time that the chart shows, up to `until`; days without any may be left out."""

    until: date
    days: Sequence[tuple[date, int]]
    length: int = 90  # days


@dataclass(frozen=True)
class AlertContent:
    """The news on one claim. `events` are all that are told, at least one; a silence comes without evidence."""

    events: Sequence[Event]
    claim_id: str
    statement: str
    evidence: Sequence[Evidence]  # that of the leading event's story first, the best first
    coverage: Coverage  # with this news
    chart: bytes | None = None  # the claim's stories over the last 90 days, as PNG
    title: str = ""  # the claim in a few words
    known: Coverage | None = None  # without it
    figures: Sequence[Standing] = ()  # as they stand now
    held: Sequence[Event] = ()  # what was kept back since the last mail
    links: MailLinks = MailLinks()
    zone: str = "UTC"  # the reader's
    history: History | None = None  # the chart in words


@dataclass(frozen=True)
class Moved:
    """A claim with news, in a digest."""

    claim_id: str
    title: str
    statement: str
    events: Sequence[Event]
    best: Evidence | None
    coverage: Coverage
    new_stories: int
    link: str | None = None


@dataclass(frozen=True)
class DigestContent:
    """What moved within a span of time, and what did not. `health` says what could not be read."""

    rhythm: str  # daily or weekly
    scope: str  # what the subscription is about
    since: datetime
    until: datetime
    moved: Sequence[Moved]
    quiet: Sequence[str]  # titles of claims without news
    health: Sequence[str]
    links: MailLinks = MailLinks()
    zone: str = "UTC"
