"""Rows as the API gives them. What a column means is said once, in the database's own comments; they are read from the
files that make the analysts' views, so that the API's documentation says the same as `\\d+`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from pipeline.settings import root

_COMMENT = re.compile(r"^comment on column analysis\.(\w+)\.\"?(\w+)\"? is '((?:[^']|'')*)';", re.MULTILINE)


@cache
def comments() -> dict[tuple[str, str], str]:
    """{(view, column): what it is}."""
    files = sorted((root() / "sql" / "api").glob("*.sql"))
    found = [match for file in files for match in _COMMENT.finditer(file.read_text(encoding="utf-8"))]
    return {(match[1], match[2]): match[3].replace("''", "'") for match in found}


class Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


One = TypeVar("One", bound=Row)


def described(views: str) -> Callable[[type[One]], type[One]]:
    """Gives a row's fields their meaning, as the first of these views has it that has such a column."""

    def tell(row: type[One]) -> type[One]:
        said = comments()
        for name, field in row.model_fields.items():
            field.description = field.description or next(
                (said[view, name] for view in views.split() if (view, name) in said), None
            )
        row.model_rebuild(force=True)
        return row

    return tell


class Listed(BaseModel, Generic[One]):
    """A page of a list."""

    rows: list[One]
    page: int = Field(description="Which page it is, from 1.")
    next: str | None = Field(description="Address of the next page; empty on the last.")
    note: str | None = Field(
        None, description="What to know of this answer, such as that a search went by words alone."
    )


class Problem(BaseModel):
    """What was wrong, in words."""

    error: str
