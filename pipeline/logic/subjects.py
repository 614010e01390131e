"""Subjects say the news: "Killed in Kursk: NIS now says about 600, was 300". Pure; given text is cleaned already."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.logic.coverage import counted
from pipeline.logic.mailcontent import DigestContent, Evidence, Moved
from pipeline.logic.mailwords import cut, isolate
from pipeline.logic.tracking import Event, headline

TITLE = 60  # characters of a claim's name
LENGTH = 120  # of all: lists of mails show 50 to 90
SAID = 30  # of a quotation, at the least
# A story that came: who tells it is part of the news, and what.
STORIES = frozenset({"first_seen", "fresh_coverage"})


def news(event: Event, best: Evidence | None) -> str:
    """An event in a few words."""
    told = event.headline or headline(event.kind, event.key)
    if event.kind in STORIES and best is not None:
        return f"{told}, by {best.first.publisher}"
    return told


def alert(title: str, events: Sequence[Event], best: Evidence | None) -> str:
    """`events` with what matters most first."""
    told = _told(title, events[0], best)
    for event in events[1:]:
        more = news(event, None)
        if event.kind not in STORIES and more not in told and len(told) + len(more) + 2 <= LENGTH:
            told += f"; {isolate(more)}"
    room = LENGTH - len(told) - 2
    if events[0].kind in STORIES and best is not None and room >= SAID:
        told += f": {isolate(cut(best.sentence, room))}"
    return told


def digest(name: str, content: DigestContent, moved: Sequence[Moved]) -> str:
    """`moved` with what matters most first."""
    if moved:
        first = moved[0]
        more = f" (and {counted(len(moved) - 1, 'claim', 'claims')} more)" if len(moved) > 1 else ""
        told = _told(first.title or first.claim_id, first.events[0], first.best, LENGTH - len(name) - 2 - len(more))
        return f"{name}: {told}{more}"
    claims = counted(len(content.quiet), "claim", "claims")
    told = f"{name}: nothing new on {claims}" if content.quiet else f"{name}: nothing new"
    return cut(f"{told}, but {content.health[0]}", LENGTH) if content.health else told


def _told(title: str, event: Event, best: Evidence | None, length: int = LENGTH) -> str:
    name = cut(title, TITLE)
    return f"{isolate(name)}: {isolate(cut(news(event, best), max(length - len(name) - 2, SAID)))}"
