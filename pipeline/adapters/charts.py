"""Charts as SVG or PNG, from one Vega-Lite specification each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigurationError

KINDS = ("svg", "png")
LASTS = timedelta(days=45)  # of a figure that its authority neither repeats nor revises
OPEN = 1.08  # where a band without an upper end is cut, of the highest figure
PNG_SCALE = 2  # dots per pixel, for screens that have two
STANCES = ("supports", "refutes", "updates")
# Browsers have one with Arial's widths: the places of labels are measured here, and they are drawn there.
FONT = "Arial, 'Liberation Sans', 'Noto Sans', 'Noto Sans CJK KR', sans-serif"
# Columns of a timeline: days while there is room for them, else weeks, else months.
DAYS, WEEKS = 92, 2 * 366


@dataclass(frozen=True)
class Theme:
    """Colours of a chart. Text has a contrast of 4.5 or more to the ground, marks 3; they are the desk's own."""

    ground: str
    text: str
    quiet: str
    line: str
    supports: str
    refutes: str
    updates: str
    series: tuple[str, ...]


LIGHT = Theme(
    *("#ffffff", "#1b1e23", "#5a606b", "#d9d9d2", "#2f8557", "#c03b43", "#6c61b5"),
    ("#0b6a96", "#b4531f", "#2f8557", "#8a4fa0", "#8a6d00", "#a3242c", "#4a5bb5", "#5a606b"),
)
DARK = Theme(
    *("#1b1f25", "#e6e7e9", "#a4abb6", "#353b44", "#5cb583", "#f07f7f", "#9c92ea"),
    ("#6cb8e0", "#f0a070", "#5cb583", "#d39ae6", "#d9bd4a", "#f07f7f", "#9fb0ff", "#a4abb6"),
)
THEMES = {"light": LIGHT, "dark": DARK}
WIDTHS = {"wide": 1000, "mail": 520, "narrow": 330}  # pixels in all: a page's column, a mail, a phone


@dataclass(frozen=True)
class Day:
    """Stories of one day, by how they stand to the claim."""

    day: date
    supports: int
    refutes: int
    updates: int


@dataclass(frozen=True)
class Mark:
    """Something that happened to a claim."""

    at: datetime
    kind: str
    text: str


@dataclass(frozen=True)
class Band:
    """One figure of an authority, as it is drawn. `most` is infinite where the figure is open above."""

    role: str
    authority: str
    as_of: date
    low: float
    high: float
    least: float
    most: float
    text: str
    revised: bool


def figures(
    bands: Sequence[Band], title: str | None, until: date, theme: Theme = LIGHT, width: int = WIDTHS["wide"]
) -> Any:
    """Bands over time by role, one colour an authority; a diamond marks a figure that revises the authority's former.

    A band lasts until the same authority's next figure, the last ones until `until`, none longer than LASTS.
    """
    import altair as alt

    top = {role: OPEN * max(b.high for b in bands if b.role == role) for role in {b.role for b in bands}}
    data = [
        {
            "role": band.role.replace("_", " "),
            "authority": band.authority,
            "from": band.as_of.isoformat(),
            "to": ends.isoformat(),
            "low": band.low,
            "high": band.high,
            "least": band.least,
            "most": min(band.most, top[band.role]),
            "figure": band.text,
            "revised": band.revised,
        }
        for band, ends in _lasting(bands, until)
    ]
    x = alt.X("from:T", title=None, axis=alt.Axis(format="%-d %b %Y", labelAngle=-30))
    columns = max(width // 230, 1)
    legend = alt.Legend(orient="bottom", columns=columns, symbolOpacity=1, labelLimit=width // columns - 30)
    colour = alt.Color("authority:N", title="says", legend=legend, scale=alt.Scale(range=list(theme.series)))
    tooltip = ["authority:N", "figure:N", "from:T"]
    base = alt.Chart().encode(color=colour, tooltip=tooltip)
    band = base.mark_rect(opacity=0.12).encode(x=x, x2="to:T", y=alt.Y("least:Q", title=None), y2="most:Q")
    line = base.mark_rule(strokeWidth=2).encode(x=x, x2="to:T", y=alt.Y("high:Q", title=None))
    point = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x,
        y=alt.Y("high:Q", title=None, axis=alt.Axis(format=",")),
        shape=alt.Shape("revised:N", scale=alt.Scale(domain=[False, True], range=["circle", "diamond"]), legend=None),
    )
    panel = alt.layer(band, line, point).properties(width=width - 80, height=190)
    chart = (
        panel.facet(alt.Facet("role:N", title=None), columns=1, data=alt.Data(values=data))
        .resolve_scale(y="independent", x="shared")
        .properties(**({"title": alt.TitleParams(title, anchor="start")} if title else {}))
    )
    return _themed(chart, theme)


def timeline(
    days: Sequence[Day],
    marks: Sequence[Mark],
    until: date,
    title: str | None = None,
    theme: Theme = LIGHT,
    width: int = WIDTHS["wide"],
    since: date | None = None,
) -> Any:
    """Stories over time as columns, by stance; below them a line of dots for each kind of event.

    Columns are days, weeks or months, by how long a time there is to show: it ends with `until`, and
    begins with `since`, else with what there is.
    """
    import altair as alt

    begins = since or min([d.day for d in days] + [m.at.date() for m in marks], default=until)
    until = max([until] + [d.day for d in days])
    unit = _unit((until - begins).days, width)
    counts: Counter[tuple[date, str]] = Counter()
    for one in days:
        for stance in STANCES:
            counts[_floor(one.day, unit), stance] += getattr(one, stance)
    values: list[dict[str, Any]] = []
    highest = 1
    for at in sorted({at for at, _ in counts}):
        base = 0
        for stance in STANCES:
            top = base + counts[at, stance]
            column = {"from": at.isoformat(), "to": _ceiling(at, unit).isoformat(), "stance": stance}
            values += [{**column, "base": base, "top": top}] if top > base else []
            base = top
        highest = max(highest, base)
    domain = [_floor(begins, unit).isoformat(), _ceiling(until, unit).isoformat()]
    steps = _steps(highest)
    scale = alt.Scale(type="utc", domain=domain, nice=False)
    axis = alt.Axis(format="%-d %b %Y", labelAngle=0, tickCount=width // 130, grid=False, labelOverlap=True)
    colours = alt.Scale(domain=list(STANCES), range=[theme.supports, theme.refutes, theme.updates])
    kinds = list(dict.fromkeys(m.kind for m in sorted(marks, key=lambda m: m.at)))
    inner = width - 120 if width > 500 else width - 92
    columns = (
        alt.Chart(alt.Data(values=values))
        .mark_rect(x2Offset=-0.8)
        .encode(
            x=alt.X("from:T", title=None, scale=scale, axis=axis),
            x2="to:T",
            y=alt.Y(
                "base:Q",
                title=f"stories a {unit}",
                scale=alt.Scale(domain=[0, steps[-1]], nice=False),
                axis=alt.Axis(values=steps, format="d", titleFontWeight="normal"),
            ),
            y2="top:Q",
            color=alt.Color("stance:N", scale=colours, legend=alt.Legend(orient="top", title=None, offset=4)),
        )
        .properties(width=inner, height=130)
    )
    if not kinds:
        return _themed(columns, theme, title)
    dots = (
        alt.Chart(
            alt.Data(values=[{"at": m.at.isoformat(), "kind": m.kind.replace("_", " "), "text": m.text} for m in marks])
        )
        .mark_point(filled=True, size=46, opacity=0.85)
        .encode(
            x=alt.X("at:T", title=None, scale=scale, axis=None),
            y=alt.Y(
                "kind:N",
                title=None,
                sort=[kind.replace("_", " ") for kind in kinds],
                axis=alt.Axis(grid=True, ticks=False, domain=False, labelLimit=110),
            ),
            color=alt.value(theme.text),
            description="text:N",
        )
        .properties(width=inner, height=18 * len(kinds))
    )
    return _themed(alt.vconcat(columns, dots, spacing=10), theme, title)


def _steps(top: int) -> list[int]:
    """Whole numbers for an axis from 0 to `top` or a little more: five at most beside the 0."""
    step = next(n * 10**power for power in count() for n in (1, 2, 5) if 4 * n * 10**power >= top)
    return list(range(0, -(-top // step) * step + 1, step))


def _themed(chart: Any, theme: Theme, title: str | None = None) -> Any:
    import altair as alt

    if title:
        chart = chart.properties(title=alt.TitleParams(title, anchor="start"))
    words = {"labelColor": theme.quiet, "titleColor": theme.quiet, "labelFontSize": 12, "titleFontSize": 12}
    return (
        chart.configure(background=theme.ground, font=FONT, padding=6)
        .configure_view(stroke=None)
        .configure_axis(gridColor=theme.line, domainColor=theme.line, tickColor=theme.line, **words)
        .configure_legend(**words)
        .configure_header(labelColor=theme.text, labelFontSize=13)
        .configure_title(color=theme.text, fontSize=14)
    )


def _unit(span: int, width: int) -> str:
    """What one column stands for, where `span` days are shown."""
    room = width / WIDTHS["wide"]
    return "day" if span <= DAYS * room else "week" if span <= WEEKS * room else "month"


def _floor(day: date, unit: str) -> date:
    """The first day of the day's column; weeks begin on Monday."""
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit == "week" else day


def _ceiling(first: date, unit: str) -> date:
    """The first day of the next column."""
    if unit == "month":
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if unit == "week" else 1)


def _lasting(bands: Sequence[Band], until: date) -> list[tuple[Band, date]]:
    """Each band with the day on which it ends."""
    found = []
    for role, authority in dict.fromkeys((b.role, b.authority) for b in bands):
        own = sorted((b for b in bands if (b.role, b.authority) == (role, authority)), key=lambda b: b.as_of)
        found += [(a, b.as_of) for a, b in pairwise(own)]
        last = own[-1].as_of
        found.append((own[-1], min(max(until, last + timedelta(days=1)), last + LASTS)))
    return found


def save(chart: Any, path: Path) -> None:
    """Raises ConfigurationError where the file's ending is neither svg nor png."""
    kind = path.suffix.lstrip(".").lower()
    if kind not in KINDS:
        raise ConfigurationError(f"{path}: a chart is written as .svg or .png")
    path.write_bytes(drawn(chart, kind))


def drawn(chart: Any, kind: str) -> bytes:
    """The chart as a file of this kind."""
    import vl_convert

    if kind == "svg":
        svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
        return svg.encode()
    png: bytes = vl_convert.vegalite_to_png(chart.to_dict(), scale=PNG_SCALE)
    return png
