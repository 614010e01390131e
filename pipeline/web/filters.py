"""Filters that live in the address: the same names on pages, in exports and in the API."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BeforeValidator, Field

PAGE = 50  # rows of a list on one page


def _empty_is_none(value: object) -> object:
    """A form sends every field that was left empty."""
    return None if value == "" else value


Day = Annotated[date | None, BeforeValidator(_empty_is_none)]
# The length is the text's own: of a union it would be asked of None too.
Code = Annotated[Annotated[str, Field(max_length=8)] | None, BeforeValidator(_empty_is_none)]
Name = Annotated[Annotated[str, Field(max_length=200)] | None, BeforeValidator(_empty_is_none)]
Stance = Annotated[Literal["supports", "refutes", "updates"] | None, BeforeValidator(_empty_is_none)]
Tier = Annotated[Literal["accepted", "suggested", "rejected"] | None, BeforeValidator(_empty_is_none)]


Health = Annotated[
    Literal["gone", "failing", "silent", "unverified", "new", "paused", "well"] | None, BeforeValidator(_empty_is_none)
]
Page = Annotated[int, Query(ge=1, le=10_000)]


@dataclass(frozen=True)
class _Addressed:
    """Fields that stand in an address under their own names."""

    @property
    def given(self) -> dict[str, str]:
        """Those that are set, as they stand in an address; without the page."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "page"}
        return {name: str(value) for name, value in values.items() if value is not None}

    def address(self, **changes: object) -> str:
        """These filters, some of them changed, as the query of an address: "?lang=ko&page=2" or nothing."""
        changed: Any = replace(self, **({"page": 1} | changes))
        query = urlencode(changed.given | ({"page": str(changed.page)} if changed.page > 1 else {}))
        return f"?{query}" if query else ""


@dataclass(frozen=True)
class _Dated(_Addressed):
    """Days are UTC; `until` is the last day shown."""

    since: Day = None
    until: Day = None

    @property
    def starts(self) -> datetime | None:
        return None if self.since is None else datetime.combine(self.since, time(), UTC)

    @property
    def ends(self) -> datetime | None:
        """The first moment after the last day."""
        if self.until is None:
            return None
        return datetime.combine(date.fromordinal(min(self.until.toordinal() + 1, date.max.toordinal())), time(), UTC)


@dataclass(frozen=True)
class Filters(_Dated):
    """What of the evidence is shown."""

    lang: Code = None
    country: Code = None
    family: Name = None
    origin: Name = None
    stance: Stance = None
    tier: Tier = None
    page: Page = 1


@dataclass(frozen=True)
class FeedFilters(_Addressed):
    """Which feeds are shown."""

    health: Health = None
    lang: Code = None
    country: Code = None
    family: Name = None
    page: Page = 1


@dataclass(frozen=True)
class SearchFilters(_Dated):
    """What is searched for, where, and how: by meaning and words together unless `way` says otherwise."""

    lang: Code = None
    country: Code = None
    publisher: Name = None
    q: Annotated[str, Query(max_length=1000)] = ""
    way: Annotated[Literal["meaning", "words"] | None, BeforeValidator(_empty_is_none)] = None
    page: Annotated[int, Query(ge=1, le=10)] = 1


@dataclass(frozen=True)
class QueueFilters(_Dated):
    """What of the reviewers' queue is shown."""

    lang: Code = None
    stance: Stance = None
    claim: Name = None
    page: Page = 1
