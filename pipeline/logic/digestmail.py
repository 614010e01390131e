"""The digest: what moved, sorted by what matters; what did not, in a line; and whether anything could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.logic import mailwords as words
from pipeline.logic import subjects
from pipeline.logic.coverage import counted
from pipeline.logic.mailcontent import DigestContent, Evidence, Moved
from pipeline.logic.mailpages import Point, actions, headers, points, rendered, teller
from pipeline.logic.news import WEIGHT, by_weight
from pipeline.logic.tracking import Event
from pipeline.model import Message

FULL = 10  # claims that are told with a quotation; mail programs cut what is longer than 100 kB
POINTS = 5  # events of one of them
REASON = 300  # characters
NAMES = {"daily": "Daily digest", "weekly": "Weekly digest"}
WELL = "Everything was read: no feed is down, and nothing waits."


@dataclass(frozen=True)
class Section:
    """A claim as the digest tells it."""

    title: str
    link: str | None
    news: str
    points: Sequence[Point]
    best: Evidence | None
    coverage: str


def digest(content: DigestContent, to: str, message_id: str) -> Message:
    """What moved, to one reader."""
    content = words.cleaned(content)
    moved = _sorted(content.moved)
    sections = [_section(claim) for claim in moved]
    name = NAMES.get(content.rhythm, "Digest")
    subject = subjects.digest(name, content, moved)
    values = {
        "subject": subject,
        "preview": "; ".join(f"{s.title}: {s.news}" for s in sections[:3]) or "; ".join(content.health) or WELL,
        "content": content,
        "name": name,
        "claim_id": None,
        "news": f"{counted(len(moved), 'claim has', 'claims have')} news" if moved else "No claim has news",
        "all_well": WELL,
        "full": sections[:FULL],
        "brief": sections[FULL:],
        "quiet": _quiet(content.quiet),
        "actions": actions(content.links),
        "reviews": [],
        "when": teller(content.zone),
    }
    text, html = rendered("digest", values)
    return Message(to, subject, text, html, message_id, headers(message_id, content.links))


def _sorted(moved: Sequence[Moved]) -> list[Moved]:
    """By the weightiest thing that happened, then by how much is new; each claim's events in the same order."""
    ordered = [replace(claim, events=by_weight(claim.events)) for claim in moved]
    return sorted(ordered, key=lambda claim: (_weight(claim.events[0]), -claim.new_stories))


def _weight(event: Event) -> int:
    return WEIGHT.index(event.kind) if event.kind in WEIGHT else len(WEIGHT)


def _section(claim: Moved) -> Section:
    news = subjects.news(claim.events[0], claim.best)
    return Section(
        claim.title or claim.claim_id,
        claim.link,
        news[:1].upper() + news[1:],
        [Point(p.headline, words.cut(p.reason, REASON)) for p in points(claim.events, claim.best)[:POINTS]],
        claim.best,
        _standing(claim),
    )


def _standing(claim: Moved) -> str:
    now = claim.coverage
    total = f"{counted(now.stories, 'story', 'stories')} from {counted(now.families, 'family', 'families')}"
    told = f"{total}, in {counted(now.articles, 'article', 'articles')}."
    if not claim.new_stories:
        return f"In all {told}"
    if claim.new_stories >= now.stories:
        return f"New: {told}"
    return f"{counted(claim.new_stories, 'new story', 'new stories')}; in all {told}"


def _quiet(titles: Sequence[str]) -> str:
    """In one line."""
    return f"{counted(len(titles), 'claim', 'claims')}: {'; '.join(titles)}." if titles else ""
