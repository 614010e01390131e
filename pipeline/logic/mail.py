"""Mails: subject, text and HTML, made of values. Pure; foreign text is cleaned once, here, and escaped by templates.

Text and HTML tell the same. What acts in the reader's name stands at the end, where it is easily left out of what is
forwarded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.logic import carrying, subjects
from pipeline.logic import mailwords as words
from pipeline.logic.coverage import Coverage, counted
from pipeline.logic.digestmail import digest
from pipeline.logic.mailcontent import (
    AlertContent,
    DigestContent,
    Evidence,
    History,
    MailLinks,
    Moved,
    Quantity,
    Report,
    Standing,
    Thread,
)
from pipeline.logic.mailpages import actions, headers, is_id, points, rendered, teller
from pipeline.logic.news import by_weight
from pipeline.model import Message

__all__ = [
    "AlertContent",
    "DigestContent",
    "Evidence",
    "History",
    "MailLinks",
    "Moved",
    "Quantity",
    "Report",
    "Standing",
    "Thread",
    "alert",
    "confirmation",
    "digest",
    "operator_note",
]

PASSAGES = 3  # quoted in full; the rest are counted
COPIES = 8  # other articles that are named
COUNTED = {
    **{"story": "stories", "article": "articles", "publisher": "publishers"},
    **{"family": "families", "origin": "origins"},
}
EXPLAINED = "Publishers of one owner are a family; an origin is an authority that reports rest on."
RHYTHMS = {"instant": "as it happens", "daily": "once a day", "weekly": "once a week"}


@dataclass(frozen=True)
class Number:
    """One of the counts of what is known: now, and before this news."""

    label: str
    now: int
    was: str


def alert(content: AlertContent, to: str, message_id: str, thread: Thread | None = None) -> Message:
    """The news on one claim to one reader."""
    content = words.cleaned(content)
    events = by_weight(content.events)
    evidence = carrying.ordered(content.evidence, events[0])
    quoted = carrying.distinct(evidence, PASSAGES)
    shown = [_plainly(item, quoted[:place]) for place, item in enumerate(quoted)]
    best = evidence[0] if evidence else None
    news = subjects.news(events[0], best)
    history = _history(content.history) if content.history else []
    subject = subjects.alert(content.title or content.claim_id, events, best)
    counts, before = _known(content.coverage, content.known, content.zone)
    values = {
        "subject": subject,
        "preview": best.sentence if best else events[0].reason,
        "content": content,
        "name": content.title or content.claim_id,
        "claim_id": content.claim_id,
        "news": news[:1].upper() + news[1:],
        "points": points(events, best),
        # Of an edit, the evidence is what stood there before, or still stands elsewhere.
        "reported": "The story as it was reported" if events[0].kind == "edited" else "What is reported",
        "shown": shown,
        "unshown": len(evidence) - len(shown),
        "copies": _copies(evidence, shown),
        "most": COPIES,
        "counts": counts,
        "before": before,
        "numbers": _numbers(content.coverage, content.known),
        "explained": EXPLAINED,
        "held": points(by_weight(content.held), None, leading=False),
        "history": history,
        "alternative": _alternative(content, history),
        "reviews": [item for item in shown if item.confirm or item.reject],
        "actions": actions(content.links),
        "when": teller(content.zone),
    }
    text, html = rendered("alert", values)
    given = {"X-Claimwatch-Claim": content.claim_id, **_threaded(thread), **headers(message_id, content.links)}
    return Message(to, subject, text, html, message_id, given, content.chart)


def confirmation(scope: str, rhythm: str, link: str, to: str, message_id: str) -> Message:
    """Asks whoever has the address whether the subscription is wanted."""
    scope = words.cut(words.clean(scope), words.MOST["scope"])
    often = RHYTHMS.get(rhythm, rhythm)
    subject = f"Please confirm: news on {words.isolate(scope)}, {often}"
    wish = f"tell {words.clean(to)} of news on {words.isolate(scope)}, {often}"
    values = {
        "subject": subject,
        "preview": "Nothing is sent before you say yes.",
        "lines": [
            f"Somebody, probably you, asked claimwatch to {wish}.",
            "Nothing is sent before you say yes. The link opens a page with one button.",
        ],
        "link": link,
        "otherwise": "If it was not you, do nothing: this is the only mail that you get.",
    }
    text, html = rendered("confirmation", values)
    return Message(to, subject, text, html, message_id, headers(message_id, MailLinks()))


def operator_note(subject: str, body: str, to: str, message_id: str) -> Message:
    """A mail to whoever runs the pipeline."""
    lines = [words.clean(line) for line in body.splitlines()]
    subject = words.cut(words.clean(subject), words.MOST["title"])
    values = {"subject": subject, "preview": next(iter(lines), ""), "lines": lines}
    _, html = rendered("note", values, forms=("html",))
    return Message(to, f"[claimwatch] {subject}", "\n".join(lines) + "\n", html, message_id)


def _plainly(item: Evidence, before: Sequence[Evidence]) -> Evidence:
    """What was said of the evidence before it need not be said again."""
    same = any((item.precision, item.labels) == (other.precision, other.labels) for other in before)
    return replace(item, precision=None) if same else item


def _copies(evidence: Sequence[Evidence], shown: Sequence[Evidence]) -> list[Report]:
    """Every article that no quotation names, each once, the first first."""
    named = {item.first.url for item in shown}
    reports = {report.url: report for item in evidence for report in item.reports if report.url not in named}
    return sorted(reports.values(), key=lambda report: report.published)


def _known(now: Coverage, known: Coverage | None, zone: str) -> tuple[str, str]:
    """A heading and a sentence for the counts: what was known before, where the news changed them."""
    if known is None or _counts(known) == _counts(now):
        return "What is known", f"So far on this claim{_span(now, zone)}:"
    if not known.stories:
        return "What changed", "Nothing was known of this claim before. Now:"
    stories = counted(known.stories, "story", "stories")
    return "What changed", f"Before this we knew of {stories}{_span(known, zone)}. Now:"


def _counts(coverage: Coverage) -> list[int]:
    return [getattr(coverage, many) for many in COUNTED.values()]


def _span(coverage: Coverage, zone: str) -> str:
    first, last = coverage.first_at, coverage.last_at
    told = f", the first of {words.day(words.local(first, zone))}" if first else ""
    return told + (f", the latest of {words.moment(last, zone)}" if last and last != first else "")


def _numbers(now: Coverage, known: Coverage | None) -> list[Number]:
    found = []
    for one, many in COUNTED.items():
        count = getattr(now, many)
        was = getattr(known, many) if known is not None and known.stories else count
        told = f"{was:,} before" if was != count else ""
        found.append(Number(one if count == 1 else many, count, told))
    return found


def _history(history: History) -> list[str]:
    """The chart in words: how many stories when, and how many a week."""
    weeks = [0] * -(-history.length // 7)
    days = [(on, stories) for on, stories in history.days if 0 <= (history.until - on).days < history.length]
    for on, stories in days:
        weeks[-1 - (history.until - on).days // 7] += stories
    total = sum(weeks)
    if not total:
        return [f"No story in the {history.length} days to {words.day(history.until)}."]
    most = max(days, key=lambda day: (day[1], day[0]))
    busiest = f", most on {words.day(most[0])} ({most[1]})" if most[1] > 1 else f", the latest on {words.day(most[0])}"
    return [
        f"{counted(total, 'story', 'stories')} in the {history.length} days to {words.day(history.until)}{busiest}.",
        f"Stories a week, the latest last: {' '.join(map(str, weeks))}.",
    ]


def _alternative(content: AlertContent, history: Sequence[str]) -> str:
    told = " ".join(history) or f"In all {counted(content.coverage.stories, 'story', 'stories')}."
    return f"Chart: stories on this claim over time, by how they stand to it, and what happened to it. {told}"


def _threaded(thread: Thread | None) -> dict[str, str]:
    """As RFC 5322 has it: what the mail hangs from, and the way there."""
    if thread is None:
        return {}
    ids = [found for found in dict.fromkeys((thread.root, *thread.references)) if is_id(found)]
    return {"In-Reply-To": ids[-1], "References": " ".join(ids)} if ids else {}
