"""CSV for people: it opens in a spreadsheet with its letters right, and no cell of it is run there as a formula."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO

from pipeline.logic.written import moment

MARK = "\ufeff"  # byte order mark: without it Excel reads UTF-8 as the machine's own code page
# What spreadsheets take for the beginning of a formula, full-width forms included, also behind blanks.
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20|]|[\t\r\n]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def line(values: Iterable[object]) -> str:
    """One line with its end, as RFC 4180 has it."""
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([cell(value) for value in values])
    return out.getvalue()


def table(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A whole file."""
    return MARK + "".join([line(columns), *(line(row) for row in rows)])


def cell(value: object) -> str:
    """Numbers and times stand as they are, durations in seconds; a text gets an apostrophe before it where a
    spreadsheet would run it.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, datetime | date | timedelta):
        return _time(value)
    if isinstance(value, list | tuple) and not any(isinstance(part, dict) for part in value):
        value = "; ".join(part if isinstance(part, str) else cell(part) for part in value)
    elif not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return safe(value)


def _time(at: datetime | date | timedelta) -> str:
    if isinstance(at, datetime):
        return moment(at)
    return at.isoformat() if isinstance(at, date) else str(at.total_seconds())


def safe(text: str) -> str:
    text = _CONTROL.sub("", text)
    return f"'{text}" if _FORMULA.match(text) else text


def file_name(name: str) -> str:
    """Letters, digits, dots and hyphens alone: it stands in a header and becomes a file's name."""
    return "".join(c if c.isascii() and (c.isalnum() or c in ".-_") else "-" for c in name)[:120]
