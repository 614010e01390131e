"""Templates: everything escaped, times in UTC, languages and countries in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from pipeline import __version__
from pipeline.logic import ledger
from pipeline.logic.written import is_link
from pipeline.web import durations, highlights
from pipeline.web.security import form_token

if TYPE_CHECKING:
    from babel import Locale
    from jinja2 import Environment

FOLDER = Path(__file__).parent
# Scripts that are written from right to left, by language.
RIGHT_TO_LEFT = {"ar", "fa", "he", "ur", "yi", "ps", "ckb", "sd", "ug"}

LONGEST = 5000  # characters of a title, name, sentence or reason; the paragraphs of an article are shown whole
# Embeddings, overrides and isolates of Unicode's bidirectional algorithm, each with the mark that ends it.
_EMBEDDING_ENDS, _ISOLATE_ENDS = "\u202c", "\u2069"
_OPENS = dict.fromkeys("\u202a\u202b\u202d\u202e", _EMBEDDING_ENDS) | dict.fromkeys("\u2066\u2067\u2068", _ISOLATE_ENDS)
_TURNS = re.compile(f"[{''.join(_OPENS)}{_EMBEDDING_ENDS}{_ISOLATE_ENDS}]")


def page(request: Request, template: str, /, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of the desk. `values` are what the template names."""
    guard, desk = request.app.state.guard, request.app.state.desk
    text = (
        environment()
        .get_template(template)
        .render(
            request=request,
            path=request.url.path,
            now=desk.now(),
            version=__version__,
            token=form_token(request) if not guard.closed or guard.known(request) else "",
            may_log_out=guard.closed and "login" in request.session,
            **values,
        )
    )
    return HTMLResponse(text, status_code=status)


@cache
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=printed,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(day=day, moment=moment, percent=percent, link=link, direction=direction, plain=plain)
    made.filters.update(span=durations.span, since=durations.since, size=durations.size, pieces=highlights.pieces)
    made.filters.update(language=language_name, country=country_name, counted=counted, date=date_of)
    made.filters.update(quantity=quantity, marks=marks)
    made.globals.update(sparkline=sparkline, marked=marked, balance=balance, figure=figure)
    made.globals.update(language_name=language_name, country_name=country_name, highlights=highlights)
    return made


def printed(value: Any) -> Any:
    """Everything that a template prints goes through here: a title of a megabyte is cut, and its invisible marks stay
    its own.
    """
    if isinstance(value, str) and not isinstance(value, Markup) and len(value) > LONGEST:
        value = value[:LONGEST] + "…"
    return kept_apart(value)


def kept_apart(value: Any) -> Any:
    """A text whose invisible marks turn the direction of reading, and that leaves it turned, gets what ends them: it
    would turn the words of ours after it too.
    """
    if not isinstance(value, str) or value.isascii() or not _TURNS.search(value):
        return value
    open_marks: list[str] = []
    for mark in _TURNS.findall(value):
        if mark in _OPENS:
            open_marks.append(_OPENS[mark])
        elif mark == _ISOLATE_ENDS and mark in open_marks:  # it also ends what was opened inside the isolate
            while open_marks.pop() != mark:
                pass
        elif open_marks[-1:] == [mark]:  # the end of an embedding never reaches out of an isolate
            open_marks.pop()
    ends = "".join(reversed(open_marks))
    return value + (Markup(ends) if isinstance(value, Markup) else ends)  # noqa: S704 - these marks alone


def day(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%-d %b %Y}"


def date_of(day: date | None) -> str:
    return "" if day is None else f"{day:%-d %b %Y}"


def moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%-d %b %Y, %H:%M}"


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def link(url: str | None) -> str | None:
    """The address where it is one that a browser may safely follow, else None: no javascript: or data: links."""
    return url if is_link(url) else None


def direction(language: str | None) -> str:
    """Value of `dir` for a text in this language."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr" if language else "auto"


def plain(word: str) -> str:
    """first_official_figure -> first official figure."""
    return word.replace("_", " ").replace("-", " ")


@cache
def _english() -> Locale:
    from babel import Locale

    return Locale("en")


def language_name(code: str | None) -> str:
    """ko -> Korean; a code that nobody knows stays as it is."""
    return str(_english().languages.get(code or "", code or ""))


def country_name(code: str | None) -> str:
    """KR -> South Korea."""
    return str(_english().territories.get((code or "").upper(), code or ""))


def counted(number: int, one: str, many: str | None = None) -> str:
    """1 story, 12 stories: counted(12, "story", "stories")."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def figure(number: Any, modality: str) -> str:
    """at least 10,000"""
    return ledger.quantity(float(number), float(number), modality)


def quantity(figure: Any) -> str:
    """A row of analysis.figures in words: about 10,000 to 12,000."""
    words = ledger.quantity(float(figure.low), float(figure.high), figure.modality)
    return f"another {words}" if figure.increment else words


def marks(figure: Any) -> list[str]:
    """What else is to be known of a figure."""
    found = [name for name in ("denied", "earlier") if getattr(figure, name)]
    if figure.revises_high is not None:
        found.append(f"was {ledger.quantity(float(figure.revises_low), float(figure.revises_high), 'exact')}")
    if figure.corrected_at is not None:
        found.append("corrected since")
    return found


def marked(paragraph: str, sentence: str | None) -> Markup:
    """The paragraph with the sentence in <mark>, both escaped."""
    before, found, after = paragraph.partition(sentence) if sentence else (paragraph, "", "")
    return Markup("{}<mark>{}</mark>{}").format(before, found, after) if found else Markup("{}").format(paragraph)


def sparkline(counts: Sequence[int], width: int = 160, height: int = 28) -> Markup:
    """A small column chart, oldest first. Its text alternative stands beside it in the page."""
    top = max([*counts, 1])
    step = width / max(len(counts), 1)
    bars = [
        f'<rect x="{i * step:.1f}" y="{height - height * n / top:.1f}" width="{max(step - 0.5, 0.8):.1f}"'
        f' height="{height * n / top:.1f}"/>'
        for i, n in enumerate(counts)
        if n
    ]
    return Markup(  # noqa: S704 - numbers alone
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}" aria-hidden="true">'
        f'<line x1="0" x2="{width}" y1="{height - 0.5}" y2="{height - 0.5}"/>{"".join(bars)}</svg>'
    )


def balance(supports: int, refutes: int, updates: int, width: int = 120, height: int = 8) -> Markup:
    """How stories stand to a claim, as one bar. The numbers stand beside it in the page."""
    total, at, bars = max(supports + refutes + updates, 1), 0.0, []
    for name, n in (("supports", supports), ("refutes", refutes), ("updates", updates)):
        if n:
            wide = width * n / total
            bars.append(f'<rect class="{name}" x="{at:.1f}" y="0" width="{wide:.1f}" height="{height}"/>')
            at += wide
    return Markup(  # noqa: S704 - numbers alone
        f'<svg class="balance" viewBox="0 0 {width} {height}" width="{width}" height="{height}" aria-hidden="true">'
        f'<rect class="empty" width="{width}" height="{height}"/>{"".join(bars)}</svg>'
    )
