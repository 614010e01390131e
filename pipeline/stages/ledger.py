"""The ledger of figures: what an accepted match's paragraph says of how many, and what that brings to the claim.

Called by track, inside its transaction. A paragraph is read in the text in which its story tells it first, so that
copies bring nothing new; a later text of the same article that has other figures puts the earlier ones right.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from pipeline.adapters.database import Connection, row, rows
from pipeline.logic import ledger
from pipeline.logic.figure_records import Figure
from pipeline.logic.figures import Figures
from pipeline.logic.ledger import Entry
from pipeline.logic.roles import Roles
from pipeline.logic.speakers import Publisher
from pipeline.logic.tracking import Event
from pipeline.settings import Settings
from pipeline.stages import figure_materials
from pipeline.stages.origins import lexicon

# What an editor writes who says that a text was changed.
NOTED = re.compile(
    r"correct(?:ion|ed)|clarification|earlier version|updated|정정|바로잡|수정|исправлен|уточнен|виправлен|уточнен|"
    r"訂正|更正|修正|rectificatif|corrig",
    re.IGNORECASE,
)


def read(
    conn: Connection, settings: Settings, match_id: int, story_id: int, now: datetime, *, fresh: bool
) -> list[Event]:
    """Store the figures of a match's paragraph as a story tells it; the claim events that they bring, where `fresh`."""
    found = row(conn, "figures.context", match_id=match_id, story_id=story_id)
    if found is None or not found.claimed:
        return []
    reader = figure_materials.reader(Roles.of(found.roles), lexicon(settings).finder)
    figures = [figure for figure in _figures(reader, found) if figure.role in found.claimed]
    ids = sorted({origin for figure in figures for origin in figure.attributed_to})
    origins = {r.origin_id: r for r in rows(conn, "figures.authority", ids=ids)} if ids else {}
    told = [
        (figure, origin)
        for figure in figures
        for origin in [origins[o] for o in figure.attributed_to if o in origins] or [None]
    ]
    rows(
        conn,
        "figures.forget",
        claim_id=found.claim_id,
        version_id=found.version_id,
        paragraph_id=found.paragraph_id,
        roles=[figure.role for figure, _ in told],
        begins=[figure.start for figure, _ in told],
        origins=[origin.origin_id if origin else None for _, origin in told],
        lows=[figure.low for figure, _ in told],
        highs=[figure.high for figure, _ in told],
        modalities=[figure.modality for figure, _ in told],
    )
    added = [
        (figure_id, entry)
        for figure, origin in told
        if (figure_id := _add(conn, found, figure, origin, now)) is not None
        and (entry := _entry(figure, origin, found)) is not None
    ]
    events = _corrections(conn, found, added, now)
    for figure_id, entry in added:
        known = rows(conn, "figures.known", claim_id=found.claim_id, role=entry.role, figure_id=figure_id)
        events += ledger.events(entry, [_known(entry.role, r) for r in known]) if fresh else []
    return events


def _figures(reader: Figures, found: Any) -> list[Figure]:
    """The figures of one paragraph or of the title, read in the whole article."""
    at = dict(zip(found.positions or (), found.texts or (), strict=True))
    paragraphs = [at.get(position, "") for position in range(1, max(at, default=0) + 1)]
    publisher = Publisher(found.publisher, found.country.upper() if found.country else None, found.kind)
    about: dict[str, Any] = {"published": found.published_at, "language": found.language, "publisher": publisher}
    readings = reader.article(found.title, paragraphs, source=found.source, **about)
    if found.position == 0:
        return list(reader.title(found.title, paragraphs, readings, **about))
    return list(readings[found.position - 1].figures)


def _add(conn: Connection, found: Any, figure: Figure, origin: Any, now: datetime) -> int | None:
    added = row(
        conn,
        "figures.add",
        claim_id=found.claim_id,
        paragraph_id=found.paragraph_id,
        version_id=found.version_id,
        role=figure.role,
        unit=figure.unit,
        low=figure.low,
        high=figure.high,
        modality=figure.modality,
        denied=figure.denied,
        increment=figure.increment,
        earlier=figure.earlier,
        origin_id=origin.origin_id if origin else None,
        as_of=figure.as_of or found.published_at.date(),
        begins=figure.start,
        ends=figure.end,
        span=figure.span,
        now=now,
    )
    return None if added is None else int(added.figure_id)


def _entry(figure: Figure, origin: Any, found: Any) -> Entry | None:
    """The figure as a total that stands; None where it is none."""
    if figure.denied or figure.increment or figure.earlier:
        return None
    who = (origin.origin_id, origin.name, origin.kind) if origin else ("", "", "")
    as_of = figure.as_of or found.published_at.date()
    return Entry(figure.role, figure.low, figure.high, figure.modality, as_of, *who)


def _known(role: str, r: Any) -> Entry:
    return Entry(role, r.low, r.high, r.modality, r.as_of, r.authority, r.name, r.kind)


def _corrections(conn: Connection, found: Any, added: list[tuple[int, Entry]], now: datetime) -> list[Event]:
    """Figures of the article's earlier texts in whose place these stand."""
    where = {"claim_id": found.claim_id, "article_id": found.article_id, "version_id": found.version_id}
    before = [(r.figure_id, _known(r.role, r)) for r in rows(conn, "figures.replaced", **where)] if added else []
    noted = any(NOTED.search(text) for text in found.texts or ())
    events = []
    for new_id, new in added:
        near = min(before, key=lambda pair: ledger.replaces(new, pair[1]), default=None)
        if near is None or ledger.replaces(new, near[1]) > 1:
            continue
        before.remove(near)
        rows(conn, "figures.correct", old=near[0], new=new_id, now=now)
        event = ledger.edited(near[1], new, found.publisher, found.version_id, noted=noted)
        events += [event] if event and not found.reextracted else []
    return events
