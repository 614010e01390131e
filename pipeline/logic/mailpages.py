"""What all mails share: how values become text and HTML, their headers, and the links that act for the reader. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.logic import mailstyle, subjects
from pipeline.logic import mailwords as words
from pipeline.logic.coverage import counted
from pipeline.logic.mailcontent import Evidence, MailLinks
from pipeline.logic.tracking import Event
from pipeline.logic.written import is_link

if TYPE_CHECKING:
    from jinja2 import Environment

HEADER = 900  # characters; a longer address is no use to a mail program


@dataclass(frozen=True)
class Point:
    """An event in words. Without a headline where the mail's own has said it."""

    headline: str
    reason: str


@dataclass(frozen=True)
class Action:
    """Something that the reader may do, by opening an address."""

    words: str
    url: str


def points(events: Sequence[Event], best: Evidence | None, *, leading: bool = True) -> list[Point]:
    """What happened, one point an event. The first is the mail's headline, where it is `leading`."""
    found = []
    for place, event in enumerate(events):
        headline = subjects.news(event, best if leading and place == 0 else None)
        reason = words.sentence(event.reason) if _says_more(event, headline) else ""
        said = (leading and place == 0) or reason.lower().startswith(headline.lower())
        point = Point("" if said else words.sentence(headline), reason)
        if point.headline or point.reason:
            found.append(point)
    return list(dict.fromkeys(found))


def _says_more(event: Event, headline: str) -> bool:
    """Whether an event's reason tells what its headline does not."""
    if event.kind == "first_seen" or (event.kind == "fresh_coverage" and event.headline):
        return False
    return bool(event.reason) and event.reason.lower() not in headline.lower()


def notes(item: Evidence) -> list[str]:
    """How sure it is, why it is here and what that is worth: one line each."""
    resting = f", resting on {listed(item.origins)}" if item.origins else ""
    feed = ", from the feed's own text (the page could not be read)" if item.first.from_entry else ""
    lines = [f"Probability {words.percent(item.probability)}{resting}{feed}."]
    if item.confirmed:
        lines.append("A reviewer confirmed it.")
    if item.why:
        lines.append(f"Why it matched: {item.why}")
    if item.precision is not None and item.labels:
        share, pairs = words.percent(item.precision), counted(item.labels, "labelled pair", "labelled pairs")
        lines.append(f"Estimated precision of this setting: {share}, from {pairs} accepted at it.")
    return lines


def listed(names: Sequence[str], most: int = 4) -> str:
    """ "NIS, Reuters and 3 more" """
    given = list(names[:most]) + ([f"{len(names) - most} more"] if len(names) > most else [])
    return given[0] if len(given) == 1 else f"{', '.join(given[:-1])} and {given[-1]}"


def actions(links: MailLinks) -> list[Action]:
    given = (
        ("Change this subscription", links.manage),
        ("Pause", links.pause),
        ("Unsubscribe", links.unsubscribe),
    )
    return [Action(said, url) for said, url in given if url is not None and is_link(url)]


def headers(message_id: str, links: MailLinks) -> dict[str, str]:
    """That it is no person who writes, which list it is, and how to leave it by one click (RFC 2369, 2919, 8058)."""
    given = {"Precedence": "bulk", "X-Auto-Response-Suppress": "All"}
    domain = message_id.rpartition("@")[2].rstrip(">")
    if re.fullmatch(r"[A-Za-z0-9.-]+", domain):
        given["List-Id"] = f"claimwatch <claimwatch.{domain}>"
    leave = links.unsubscribe or ""
    if is_link(leave) and re.fullmatch(r"[!-;=?-~]+", leave) and len(leave) <= HEADER:
        given["List-Unsubscribe"] = f"<{leave}>"
        given["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return given


def is_id(text: str) -> bool:
    """Whether a header may name it as a Message-ID."""
    return re.fullmatch(r"<[!-;=?-~]+@[!-;=?-~]+>", text) is not None and len(text) <= HEADER


def teller(zone: str) -> Callable[[datetime], str]:
    """Tells moments by a reader's clock."""
    return lambda at: words.moment(at, zone)


def rendered(name: str, values: Mapping[str, Any], forms: Sequence[str] = ("txt", "html")) -> tuple[str, str]:
    """Text and HTML."""
    made = {form: _environment().get_template(f"{name}.{form}").render(values) for form in forms}
    # Parts that are left out leave empty lines and spaces behind; "-- " begins a signature.
    text = re.sub(r"(?<!^--) +$", "", made.get("txt", ""), flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"
    return text, made.get("html", "")


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
    environment.tests["link"] = is_link
    environment.globals.update(style=mailstyle.style, by_stance=mailstyle.by_stance, sheet=mailstyle.sheet)
    environment.filters.update(
        counted=counted,
        cut=words.cut,
        day=words.day,
        direction=words.direction,
        isolate=words.isolate,
        language=words.language,
        notes=notes,
        sentence=words.sentence,
        tail=words.tail,
    )
    return environment
