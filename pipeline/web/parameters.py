"""The filters as parameters of the API: the pages' own names, each with what it means."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query
from pydantic import BeforeValidator, Field

from pipeline.web.filters import Filters, _empty_is_none

_EMPTY = BeforeValidator(_empty_is_none)  # the address of a page's form names every field that was left empty

Since = Annotated[date | None, _EMPTY, Query(description="From this day on (UTC).")]
Until = Annotated[date | None, _EMPTY, Query(description="Until this day, which counts (UTC).")]
Lang = Annotated[Annotated[str, Field(max_length=8)] | None, _EMPTY, Query(description="A language, two letters.")]
Country = Annotated[
    Annotated[str, Field(max_length=8)] | None, _EMPTY, Query(description="A publisher's country, two letters.")
]
Family = Annotated[Annotated[str, Field(max_length=200)] | None, _EMPTY, Query(description="A publisher family.")]
Origin = Annotated[Annotated[str, Field(max_length=200)] | None, _EMPTY, Query(description="An authority, by name.")]
Stance = Annotated[
    Literal["supports", "refutes", "updates"] | None, _EMPTY, Query(description="How it bears on the claim.")
]
Tier = Annotated[
    Literal["accepted", "suggested", "rejected"] | None, _EMPTY, Query(description="How sure we are; else accepted.")
]
Health = Annotated[
    Annotated[str, Field(max_length=20)] | None, _EMPTY, Query(description="well, failing, silent and so on.")
]
Publisher = Annotated[Annotated[str, Field(max_length=200)] | None, _EMPTY, Query(description="One publisher alone.")]
Way = Annotated[
    Literal["meaning", "words"] | None, _EMPTY, Query(description="By meaning or words alone; else by both.")
]
OneClaim = Annotated[Annotated[str, Field(max_length=200)] | None, _EMPTY, Query(description="One claim alone.")]
Claim = Annotated[str, Path(max_length=200, description="A claim's short name.")]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


def _all(
    since: Since = None,
    until: Until = None,
    lang: Lang = None,
    country: Country = None,
    family: Family = None,
    origin: Origin = None,
    stance: Stance = None,
    tier: Tier = None,
) -> Filters:
    return Filters(since, until, lang, country, family, origin, stance, tier)


def _days(since: Since = None, until: Until = None) -> Filters:
    return Filters(since=since, until=until)


def _voices(lang: Lang = None, country: Country = None, family: Family = None) -> Filters:
    return Filters(lang=lang, country=country, family=family)


FiltersOf = Annotated[Filters, Depends(_all)]
DaysOf = Annotated[Filters, Depends(_days)]
VoicesOf = Annotated[Filters, Depends(_voices)]


def evidence_values(filters: Filters) -> dict[str, Any]:
    """What the statement of a claim's evidence takes."""
    return {
        **days_values(filters),
        **voices_values(filters),
        "origin": filters.origin,
        "stance": filters.stance,
        "tier": filters.tier,
    }


def days_values(filters: Filters) -> dict[str, Any]:
    return {"since": filters.starts, "until": filters.ends}


def voices_values(filters: Filters) -> dict[str, Any]:
    return {"lang": filters.lang, "country": filters.country, "family": filters.family}
