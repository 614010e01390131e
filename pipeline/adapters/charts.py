"""Charts as SVG or PNG, from one Vega-Lite specification each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigurationError

KINDS = ("svg", "png")
LASTS = timedelta(days=45)  # of a figure that its authority neither repeats nor revises
OPEN = 1.08  # where a band without an upper end is cut, of the highest figure
PNG_SCALE = 2  # dots per pixel, for screens that have two


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


def figures(bands: Sequence[Band], title: str, until: date) -> Any:
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
    colour = alt.Color("authority:N", title="says", legend=alt.Legend(orient="bottom", columns=4, symbolOpacity=1))
    tooltip = ["authority:N", "figure:N", "from:T"]
    base = alt.Chart().encode(color=colour, tooltip=tooltip)
    band = base.mark_rect(opacity=0.12).encode(x=x, x2="to:T", y=alt.Y("least:Q", title=None), y2="most:Q")
    line = base.mark_rule(strokeWidth=2).encode(x=x, x2="to:T", y=alt.Y("high:Q", title=None))
    point = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x,
        y=alt.Y("high:Q", title=None, axis=alt.Axis(format=",")),
        shape=alt.Shape("revised:N", scale=alt.Scale(domain=[False, True], range=["circle", "diamond"]), legend=None),
    )
    panel = alt.layer(band, line, point).properties(width=640, height=190)
    return (
        panel.facet(alt.Facet("role:N", title=None), columns=1, data=alt.Data(values=data))
        .resolve_scale(y="independent", x="shared")
        .properties(title=alt.TitleParams(title, anchor="start"))
    )


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
    import vl_convert

    kind = path.suffix.lstrip(".").lower()
    if kind not in KINDS:
        raise ConfigurationError(f"{path}: a chart is written as .svg or .png")
    spec = chart.to_dict()
    if kind == "svg":
        path.write_text(vl_convert.vegalite_to_svg(spec), encoding="utf-8")
    else:
        path.write_bytes(vl_convert.vegalite_to_png(spec, scale=PNG_SCALE))
