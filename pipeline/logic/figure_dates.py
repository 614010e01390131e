"""The dates that a sentence names, as days: what a figure's statement was made on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.logic.figure_text import Mark, Marks

_DAY_OF_MONTH = re.compile(r"(?<![\d.,])(\d{1,2})(?:st|nd|rd|th|-го)?\s$")
_DAY_BEHIND = re.compile(r"\w*\.?\s(\d{1,2})(?:st|nd|rd|th)?(?![\d%])(?:,?\s(\d{4})\b)?")
_YEAR_BEHIND = re.compile(r"\w*\.?,?\s(\d{4})\b")
_ASIAN = re.compile(r"(?:(\d{4})[年년]\s?)?(?:(\d{1,2})[月월]\s?)?(?<!\d)(\d{1,2})[日일](?![間간本])")
_ISO = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")
# A beginning or an end of what is told, not the day it was told on.
_BOUND = re.compile(
    r"(?:\b(?:since|from|between|until|till|by|before|after|с|со|из|до|к|після|після|від|з|до|depuis|avant|d'ici)\s(?:the\s)?|从|自)$"
)
_BOUND_BEHIND = re.compile(
    r"\s?(?:부터|까지|から|まで|以降|至|到|起|以来|前|~|～|〜|사이|の発表から|に比べ|발표보다|발표 때|の発表の)"
)


@dataclass(frozen=True)
class Dated:
    start: int
    end: int
    day: date


def dates(marks: Marks, published: date) -> list[Dated]:
    """Days named in the text that are not after `published`, in order; bounds of periods are left out."""
    found = sorted(_all(marks, published), key=lambda d: (d.start, -d.end))
    kept: list[Dated] = []
    for dated in found:
        overlaps = kept and dated.start < kept[-1].end
        bound = _BOUND.search(marks.text[: dated.start]) or _BOUND_BEHIND.match(marks.text, dated.end)
        if not overlaps and not bound and dated.day <= published:
            kept.append(dated)
    return kept


def _all(marks: Marks, published: date) -> Iterator[Dated]:
    text = marks.text
    for match in _ISO.finditer(text):
        if day := _date(*map(int, match.groups())):
            yield Dated(match.start(), match.end(), day)
    for match in _ASIAN.finditer(text):
        year, month, number = (int(part) if part else None for part in match.groups())
        if day := _nearest(published, year, month, number or 0):
            yield Dated(match.start(), match.end(), day)
    for month in range(12):
        for mark in marks.of(f"months {month}"):
            if dated := _in_month(text, mark, month + 1, published):
                yield dated
    for weekday in range(7):
        for mark in marks.of(f"days {weekday}"):
            yield Dated(mark.start, mark.end, published - timedelta((published.weekday() - weekday) % 7))
    for mark in marks.of("yesterday"):
        yield Dated(mark.start, mark.end, published - timedelta(1))


def _in_month(text: str, mark: Mark, month: int, published: date) -> Dated | None:
    """As "28 October 2024", "October 28, 2024"."""
    before, behind = _DAY_OF_MONTH.search(text[: mark.start]), _DAY_BEHIND.match(text, mark.end)
    if before:
        year = _YEAR_BEHIND.match(text, mark.end)
        number, written, start, end = before.group(1), year and year.group(1), before.start(), mark.end
    elif behind:
        number, written, start, end = behind.group(1), behind.group(2), mark.start, behind.end()
    else:
        return None
    day = _nearest(published, int(written) if written else None, month, int(number))
    return Dated(start, end, day) if day else None


def _nearest(published: date, year: int | None, month: int | None, number: int) -> date | None:
    """The last such day that is not after `published`."""
    if year is not None:
        return _date(year, month or 0, number)
    if month is not None:
        day = _date(published.year, month, number)
        return day if day is None or day <= published else _date(published.year - 1, month, number)
    day = _date(published.year, published.month, number)
    if day is not None and day <= published:
        return day
    last = published.replace(day=1) - timedelta(1)
    return _date(last.year, last.month, number)


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None
