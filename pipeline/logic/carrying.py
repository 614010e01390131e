"""Which passage carries what a mail tells: the one that denies, the one that gives the figure. Pure.

A mail's first quotation has to be the passage that its subject is about, which is not always the likeliest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.logic.mailcontent import Evidence
from pipeline.logic.tracking import Event


def ordered(evidence: Sequence[Evidence], event: Event) -> list[Evidence]:
    """What carries the event before all else; among equals as it was, the best first."""
    begin, _, rest = event.key.partition("/")
    if event.kind == "contradiction":
        stance = rest.partition("/")[0]
        return sorted(evidence, key=lambda item: (item.stance != stance, _told(item) if begin == "first" else 0))
    if event.kind == "first_seen":
        first = min(map(_told, evidence), default=None)
        return sorted(evidence, key=lambda item: _told(item) != first)
    return sorted(evidence, key=lambda item: not _carries(item, event))


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
            return any(f"{figure.role}/{figure.high:g}" == event.key for figure in item.figures)
        case "new_minimum":
            return any(f"{figure.role}/{figure.low:g}" == event.key.rpartition("/")[0] for figure in item.figures)
        case _:
            return True
