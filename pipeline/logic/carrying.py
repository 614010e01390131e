"""Which passage carries what a mail tells: the one that denies, the one that gives the figure. Pure.

A mail's first quotation has to be the passage that its subject is about, which is not always the likeliest one, and
the next ones have to say something else: outlets that share a wire report change little in its sentences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from difflib import SequenceMatcher

from pipeline.logic.ledger import key_of
from pipeline.logic.mailcontent import Evidence
from pipeline.logic.tracking import Event

ALIKE = 0.8  # from this ratio on two sentences are one: a dateline, a spelling or the outlet's name apart
COMPARED = 300  # characters of them; more would cost time and tell nothing


def ordered(evidence: Sequence[Evidence], event: Event) -> list[Evidence]:
    """What carries the event before all else; among equals as it was, the best first."""
    begin, _, rest = event.key.partition("/")
    if event.kind == "contradiction":
        stance = rest.partition("/")[0]
        if begin == "first":
            return sorted(evidence, key=lambda item: (item.stance != stance, not _named(item, event), _told(item)))
        return sorted(evidence, key=lambda item: item.stance != stance)
    if event.kind == "first_seen":
        first = min(map(_told, evidence), default=None)
        return sorted(evidence, key=lambda item: _told(item) != first)
    return sorted(evidence, key=lambda item: not _carries(item, event))


def distinct(evidence: Sequence[Evidence], most: int) -> list[Evidence]:
    """Up to so many that say something else than those before them and the titles of their articles."""
    kept: list[Evidence] = []
    for item in evidence:
        if len(kept) == most:
            break
        said = [text for other in kept for text in (other.sentence, other.first.title)]
        if not any(_alike(item.sentence, text) for text in said):
            kept.append(item)
    return kept


def _alike(one: str, other: str) -> bool:
    """Whether sentences are worded alike. Where each has a number that the other lacks they tell different things."""
    numbers, others = (set(re.findall(r"\d+", text)) for text in (one, other))
    if not (numbers <= others or others <= numbers):
        return False
    matcher = SequenceMatcher(None, one[:COMPARED], other[:COMPARED], autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def _named(item: Evidence, event: Event) -> bool:
    """Whether the event's headline says who told it: "first denial, by The Tide"."""
    return any(event.headline.endswith(f", by {report.publisher}") for report in item.reports)


def _told(item: Evidence) -> datetime:
    return item.first.published


def _carries(item: Evidence, event: Event) -> bool:
    """Whether the passage gives the event's figure or rests on its authority; any does where it is about neither."""
    match event.kind:
        case "new_origin":
            return event.key in item.origin_ids
        case "first_official_figure":
            return any(figure.role == event.key for figure in item.figures)
        case "new_maximum":
            return any(key_of(figure.role, figure.high) == event.key for figure in item.figures)
        case "new_minimum":
            least = event.key.rpartition("/")[0]
            return any(key_of(figure.role, figure.low) == least for figure in item.figures)
        case _:
            return True
