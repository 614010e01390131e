"""What an alert says: subject, text and HTML of a story's claim events and evidence. Pure; everything is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING

from pipeline.logic.coverage import Coverage, counted
from pipeline.logic.news import by_weight
from pipeline.logic.tracking import Event, headline
from pipeline.model import Message

if TYPE_CHECKING:
    from jinja2 import Environment


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
class Evidence:
    """The sentence that matched, in its paragraph, and every article that carries that paragraph."""

    sentence: str
    paragraph: str
    stance: str
    probability: float
    reports: Sequence[Report]
    origins: Sequence[str] = ()  # whom it rests on, by name
    why: str | None = None  # what the matcher says of itself
    precision: float | None = None  # of labelled pairs accepted at this setting, the share that was right
    labels: int | None = None  # how many those are
    confirmed: bool = False  # a reviewer said yes
    confirm: str | None = None  # signed links; None without a public address
    reject: str | None = None

    @property
    def before(self) -> str:
        return self.paragraph.partition(self.sentence)[0]

    @property
    def after(self) -> str:
        return self.paragraph.partition(self.sentence)[2]

    @property
    def notes(self) -> list[str]:
        """What it is, why it is here and how far that can be trusted: one line each."""
        resting = f", resting on {_line(' and '.join(self.origins))}" if self.origins else ""
        feed = ", from the feed's own text (the page could not be read)" if self.reports[0].from_entry else ""
        lines = [f"{self.stance}, probability {_percent(self.probability)}{resting}{feed}"]
        if self.why:
            lines.append(_line(f"Why: {self.why}"))
        if self.confirmed:
            lines.append("A reviewer confirmed it.")
        if self.precision is not None and self.labels:
            pairs = counted(self.labels, "label", "labels")
            right = _percent(self.precision)
            lines.append(f"Of labelled pairs accepted at this setting, {right} were right ({pairs}).")
        return lines


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
class AlertContent:
    """The news on one claim. `events` are all that are told, at least one; a silence comes without evidence."""

    events: Sequence[Event]
    claim_id: str
    statement: str
    evidence: Sequence[Evidence]  # that of the leading event's story first, the best first
    coverage: Coverage  # with this news
    chart: bytes | None = None  # the claim's stories over time, as PNG
    title: str = ""  # the claim in a few words
    known: Coverage | None = None  # without it
    figures: Sequence[Standing] = ()  # as they stand now
    held: Sequence[Event] = ()  # what was kept back since the last mail
    links: MailLinks = MailLinks()
    zone: str = "UTC"  # the reader's


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


def alert(content: AlertContent, to: str, message_id: str, thread: Thread | None = None) -> Message:
    """The mail on one story to one reader."""
    events = by_weight(content.events)
    evidence = _ordered(content.evidence, events)
    best = evidence[0]
    first = best.reports[0]
    news = " and ".join(dict.fromkeys(headline(event.kind, event.key) for event in events))
    told = f"{news}, {first.publisher}: {_short(best.sentence, 90)}"
    if events[0].kind == "edited":  # who changed what, and that need not be the best evidence's publisher
        told = _short(events[0].reason, 130)
    subject = _line(f"[claimwatch] {content.claim_id}: {told}")
    environment = _environment()
    values = {
        "content": content,
        "evidence": evidence,
        "first": first,
        "copies": _copies(evidence),
        "news": "First report we have seen" if events[0].kind == "first_seen" else _sentence(news),
        "reasons": [f"{_sentence(e.reason)}." for e in events if e.reason and e.kind != "first_seen"],
        "edited": events[0].kind == "edited",
    }
    return Message(
        to=to,
        subject=subject,
        text=environment.get_template("alert.txt").render(values),
        html=environment.get_template("alert.html").render(values),
        message_id=message_id,
        headers={"X-Claimwatch-Claim": content.claim_id},
        chart=content.chart,
    )


def digest(content: DigestContent, to: str, message_id: str) -> Message:
    """What moved, to one reader."""
    raise NotImplementedError


def confirmation(scope: str, rhythm: str, link: str, to: str, message_id: str) -> Message:
    """Asks whoever has the address whether the subscription is wanted."""
    raise NotImplementedError


def operator_note(subject: str, body: str, to: str, message_id: str) -> Message:
    """A mail to whoever runs the pipeline."""
    environment = _environment()
    html = environment.get_template("note.html").render(subject=subject, lines=body.splitlines())
    return Message(to, _line(f"[claimwatch] {subject}"), body + "\n", html, message_id)


def _ordered(evidence: Sequence[Evidence], events: Sequence[Event]) -> list[Evidence]:
    """The best first; where the evidence turned, what turned it before all else."""
    wanted = {event.key.split("/")[1] for event in events if event.kind == "contradiction"}
    return sorted(evidence, key=lambda item: item.stance not in wanted)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _copies(evidence: Sequence[Evidence]) -> list[Report]:
    """Every article of the story but the first, each once."""
    reports = {report.url: report for item in evidence for report in item.reports}
    first = evidence[0].reports[0].url
    return [report for url, report in sorted(reports.items(), key=lambda pair: pair[1].published) if url != first]


def _line(text: str) -> str:
    """On one line, whatever a publisher's name brings: a line break would begin another header."""
    return " ".join(text.split())


def _short(text: str, length: int) -> str:
    text = _line(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _moment(when: datetime) -> str:
    return when.strftime("%-d %B %Y, %H:%M UTC")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("pipeline.logic", "templates"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["link"] = lambda url: url.startswith(("http://", "https://"))
    environment.filters["moment"] = _moment
    return environment
