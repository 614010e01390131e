"""What an alert says: subject, text and HTML from a claim event and its evidence. Pure; everything is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

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


@dataclass(frozen=True)
class Evidence:
    """The sentence that matched, in its paragraph, and every article that carries that paragraph."""

    sentence: str
    paragraph: str
    stance: str
    probability: float
    reports: Sequence[Report]

    @property
    def before(self) -> str:
        return self.paragraph.partition(self.sentence)[0]

    @property
    def after(self) -> str:
        return self.paragraph.partition(self.sentence)[2]


@dataclass(frozen=True)
class Coverage:
    """How much evidence the claim has in all."""

    stories: int
    articles: int
    families: int
    first_at: datetime | None


@dataclass(frozen=True)
class AlertContent:
    kind: str
    claim_id: str
    statement: str
    evidence: Sequence[Evidence]  # the best first
    coverage: Coverage


def alert(content: AlertContent, to: str, message_id: str) -> Message:
    """The mail of one event to one reader."""
    best = content.evidence[0]
    first = best.reports[0]
    news = "first report" if content.kind == "first_seen" else "fresh coverage"
    subject = _line(f"[claimwatch] {content.claim_id}: {news}, {first.publisher}: {_short(best.sentence, 90)}")
    environment = _environment()
    values = {"content": content, "best": best, "first": first, "copies": _copies(content.evidence)}
    return Message(
        to=to,
        subject=subject,
        text=environment.get_template("alert.txt").render(values),
        html=environment.get_template("alert.html").render(values),
        message_id=message_id,
        headers={"X-Claimwatch-Claim": content.claim_id},
    )


def operator_note(subject: str, body: str, to: str, message_id: str) -> Message:
    """A mail to whoever runs the pipeline."""
    environment = _environment()
    html = environment.get_template("note.html").render(subject=subject, lines=body.splitlines())
    return Message(to, _line(f"[claimwatch] {subject}"), body + "\n", html, message_id)


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
    environment.filters["percent"] = lambda p: f"{100 * p:.0f} %"
    return environment
