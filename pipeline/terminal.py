"""How tables, JSON and CSV are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

WIDTH = 150  # columns where nobody's terminal says otherwise, in a log file for instance

console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)


class Format(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"


def show(
    columns: Sequence[str],
    found: Sequence[Sequence[Any]],
    form: Format = Format.table,
    title: str = "",
    drawn: Sequence[str] = (),
) -> None:
    """Print rows as a table for people, or as JSON Lines or CSV for programs. `drawn` columns are not folded."""
    if form is Format.json:
        for line in found:
            sys.stdout.write(json.dumps(dict(zip(columns, map(_plain, line), strict=True)), ensure_ascii=False) + "\n")
    elif form is Format.csv:
        import csv

        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows([_plain(v) for v in line] for line in found)
    else:
        table = Table(
            title=title or None, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD
        )
        for name in columns:
            table.add_column(name, overflow="fold", min_width=min(len(name), 12), no_wrap=name in drawn)
        for line in found:
            table.add_row(*(_text(v) for v in line))
        console.print(table)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, int | float | str | bool) else str(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3f}"
    # A title may hold what a terminal would obey, or what rich would take for markup.
    printable = "".join(c if c.isprintable() or c == "\n" else " " for c in str(value))
    return printable.replace("[", r"\[")
