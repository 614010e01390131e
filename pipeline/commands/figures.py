"""figures: the ledger of a claim's numbers, in the terminal and as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.adapters import charts
from pipeline.adapters.database import row, rows
from pipeline.commands.common import FormatOption, opened
from pipeline.commands.timeline import AsOf, KnownAt, moments_of
from pipeline.errors import ConfigurationError
from pipeline.logic import ledger
from pipeline.stages import drawing
from pipeline.terminal import Format, console, show

BAR = 24  # columns of a bar
COLUMNS = ["role", "low", "high", "modality", "authority", "authority_kind", "as_of", "denied", "increment", "earlier"]
COLUMNS += ["first_reported_at", "known_at", "articles", "families", "publisher", "quote", "url", "story_id"]
COLUMNS += ["revises_low", "revises_high", "corrected_at"]


def figures(
    claim: Annotated[str, typer.Argument(help="A claim's short name: see `claimwatch claims list`.")],
    role: Annotated[str | None, typer.Option(help="One role alone, such as killed.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    chart: Annotated[
        Path | None, typer.Option(help="Write a chart of the totals to this file, .svg or .png.", dir_okay=False)
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """How many, says who, as of when: a claim's figures by role, with who said the least and the most.

    A bar shows what a figure can mean: ● the figure, ━ its range, ┄ where it is open, as in "at least 100".
    """
    with opened() as (services, conn):
        moments = moments_of(services.clock.now(), as_of, known_at)
        state = row(conn, "tracking.state", claim_id=claim, **moments)
        if state is None:
            raise ConfigurationError(f"no claim is called {claim!r}: see `claimwatch claims list`")
        day = {**moments, "as_of": moments["as_of"].date()}
        found = rows(conn, "figures.shown", claim_id=claim, role=role, **day)
        if chart is not None:
            _draw(found, f"{claim}: {state.statement}", chart, day["as_of"])
        if form is not Format.table:
            show(COLUMNS, [[getattr(r, c) for c in COLUMNS] for r in found], form)
            return
        console.print(f"{claim}: {state.statement}", markup=False)
        if not found:
            console.print(f"no figure{f' of {role}' if role else ''} in its evidence")
        roles = list(dict.fromkeys(r.role for r in found))
        ranges = {r.role: r for r in rows(conn, "figures.ranges", claim_id=claim, roles=roles, **day)}
        for name, of_role in groupby(found, key=lambda r: r.role):
            _table(name, list(of_role), ranges.get(name))
        if chart is not None:
            console.print(f"wrote {chart}")


def _table(role: str, found: Sequence[Any], span: Any) -> None:
    said = ""
    if span is not None:
        least = ledger.quantity(span.low, span.low, span.low_modality)
        most = ledger.quantity(span.high, span.high, span.high_modality)
        said = (
            f"from {least} ({span.low_by}) to {most} ({span.high_by})" if least != most else f"{least} ({span.low_by})"
        )
        said += "" if span.agreed else "; not all of them can be right"
    top = max(float(r.high) for r in found)
    lines = [
        [
            r.as_of.isoformat(),
            r.authority or "nobody named",
            _said(r),
            _bar(r, top),
            r.articles,
            r.families,
            r.publisher,
            r.quote,
        ]
        for r in found
    ]
    scale = f"0 to {top:,.10g}".ljust(BAR)
    columns = ["as of", "says", role.replace("_", " "), scale, "articles", "families", "first in", "words"]
    show(columns, lines, title=f"{role.replace('_', ' ')}: {said}" if said else role.replace("_", " "), drawn=[scale])


def _said(r: Any) -> str:
    text = ledger.quantity(r.low, r.high, r.modality)
    marks = [name for name in ("denied", "earlier") if getattr(r, name)]
    if r.increment:
        text = f"another {text}"
    if r.revises_high is not None:
        marks.append(f"was {ledger.quantity(r.revises_low, r.revises_high, 'exact')}")
    if r.corrected_at is not None:
        marks.append("corrected since")
    return f"{text} ({', '.join(marks)})" if marks else text


def _bar(r: Any, top: float) -> str:
    """What the figure can mean, on a line from 0 to the highest figure of its role."""

    def column(value: float) -> int:
        return min(max(round(value / top * (BAR - 1)) if top else 0, 0), BAR - 1)

    least, most = ledger.bounds(float(r.low), float(r.high), r.modality)
    cells = [" "] * BAR
    begin, end = column(least), column(min(most, top))
    for place in range(begin, end + 1):
        cells[place] = "┄" if r.modality in (*ledger.OPEN_ABOVE, "up_to") else "━"
    for place in range(column(float(r.low)), column(float(r.high)) + 1):
        cells[place] = "━"
    cells[column(float(r.high))] = "●"
    cells[column(float(r.low))] = "●"
    return "".join(cells)


def _draw(found: Sequence[Any], title: str, path: Path, until: Any) -> None:
    chart = drawing.figures(found, until, title)
    if chart is None:
        raise ConfigurationError("there is no figure with an authority behind it to draw")
    charts.save(chart, path)
