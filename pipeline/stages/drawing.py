"""From rows of the database to charts: the same for pages, mail, packets and the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from pipeline.adapters import charts
from pipeline.adapters.charts import Band, Day, Mark
from pipeline.logic import ledger

KEPT = 256  # images that are remembered; some 40 kB each


def timeline(
    days: Sequence[Any],
    marks: Sequence[Any],
    until: date,
    title: str | None = None,
    theme: str = "light",
    width: str = "wide",
    since: date | None = None,
) -> Any | None:
    """Stories over time with events, from rows of desk_claims.days and .marks; None where there is nothing.

    The time that is shown begins with `since`, else with what there is.
    """
    if not days and not marks:
        return None
    return charts.timeline(
        [Day(r.day, r.supports, r.refutes, r.updates) for r in days],
        [Mark(r.happened_at, r.kind, r.reason) for r in marks],
        until,
        title,
        charts.THEMES[theme],
        charts.WIDTHS[width],
        since,
    )


def figures(
    found: Sequence[Any], until: date, title: str | None = None, theme: str = "light", width: str = "wide"
) -> Any | None:
    """Totals with an authority behind them, from rows of analysis.figures; None where there is none."""
    bands = []
    for r in found:
        if not r.authority or r.denied or r.increment or r.earlier:
            continue
        low, high = float(r.low), float(r.high)
        least, most = ledger.bounds(low, high, r.modality)
        text = ledger.quantity(low, high, r.modality)
        bands.append(Band(r.role, r.authority, r.as_of, low, high, least, most, text, r.revises_high is not None))
    return charts.figures(bands, title, until, charts.THEMES[theme], charts.WIDTHS[width]) if bands else None


@lru_cache(maxsize=KEPT)
def image(kind: str, draw: Callable[..., Any | None], *content: Any) -> bytes | None:
    """What `draw` makes of the content, as .svg or .png. The same content is drawn once: a chart takes some tenths of a
    second, and is asked for with every page. Rows come as tuples of rows.
    """
    chart = draw(*content)
    return None if chart is None else charts.drawn(chart, kind)
