"""A claim: how it stands, its chart, its evidence story by story, its figures and what happened to it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from pipeline.stages import drawing
from pipeline.web.desk import Desk
from pipeline.web.filters import PAGE, Filters
from pipeline.web.pages.board import looked
from pipeline.web.pages.common import DeskOf
from pipeline.web.pages.reviews import flash
from pipeline.web.render import page

router = APIRouter(include_in_schema=False)

COPIES = 25  # articles of a story that are listed under it; the story's page has all
EVENTS = 40
SHOWN = 8  # figures of a role that are shown at once
# What we knew of is all that we know: a review is dated by the database's clock, which a moved clock may not have
# reached.
EVER = "infinity"

ClaimId = Annotated[str, Path(max_length=200)]
TheseFilters = Annotated[Filters, Depends()]
Kind = Literal["svg", "png"]
MEDIA = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True)
class Look:
    """How a chart is drawn."""

    theme: Literal["light", "dark"] = "light"
    width: Literal["wide", "narrow"] = "wide"


LookOf = Annotated[Look, Depends()]


@router.get("/claims/{claim_id}")
def claim(request: Request, desk: DeskOf, claim_id: ClaimId, filters: TheseFilters) -> Response:
    found = known(desk, claim_id)
    listed = desk.rows("desk_claims.page", **chosen(claim_id, filters, PAGE))
    evidence = [e for e in listed if e.story_id is not None]
    stories = [e.story_id for e in evidence]
    copies = defaultdict(list)
    for copy in desk.rows("desk_claims.copies", stories=stories, most=COPIES) if stories else ():
        copies[copy.story_id].append(copy)
    reviewed = [e.match_id for e in evidence if e.review]
    verdicts = {v.match_id: v for v in desk.rows("desk_claims.verdicts", matches=reviewed)} if reviewed else {}
    ledger = desk.rows("desk_claims.figures", claim=claim_id)
    return page(
        request,
        "claim.html",
        claim=found,
        filters=filters,
        evidence=evidence,
        total=evidence[0].total if evidence else 0,
        pages=-(-evidence[0].total // PAGE) if evidence else 1,
        copies=copies,
        verdicts=verdicts,
        choices=choices(listed[0].choices or {}, filters),
        figures=_by_role(desk, claim_id, ledger),
        drawable=any(f.authority and not (f.denied or f.increment or f.earlier) for f in ledger),
        shown=SHOWN,
        events=desk.rows("desk_claims.events", claim=claim_id, most=EVENTS),
        since=looked(request, desk.now()),
        flash=flash(request),
    )


@router.get("/claims/{claim_id}/timeline.{kind}")
def timeline(request: Request, desk: DeskOf, claim_id: ClaimId, kind: Kind, look: LookOf) -> Response:
    """The claim's stories over time with its events, as an image."""
    days, marks = desk.rows("desk_claims.days", claim=claim_id), desk.rows("desk_claims.marks", claim=claim_id)
    return _image(request, desk, claim_id, kind, drawing.timeline, look, tuple(days), tuple(marks))


@router.get("/claims/{claim_id}/figures.{kind}")
def figures(request: Request, desk: DeskOf, claim_id: ClaimId, kind: Kind, look: LookOf) -> Response:
    """The claim's totals over time by who gives them, as an image."""
    rows = desk.rows("desk_claims.figures", claim=claim_id)
    return _image(request, desk, claim_id, kind, drawing.figures, look, tuple(rows))


def _image(
    request: Request, desk: Desk, claim_id: str, kind: str, draw: Callable[..., Any], look: Look, *rows: Any
) -> Response:
    """It loads beside the page, and a browser that has it already is told so."""
    # A picture that travels says what it is of.
    title = known(desk, claim_id).statement if kind == "png" else None
    image = drawing.image(kind, draw, *rows, desk.now().date(), title, look.theme, look.width)
    if image is None:
        raise HTTPException(404, f"there is nothing to draw on a claim called {claim_id}")
    tag = f'"{hashlib.sha256(image).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(image, media_type=MEDIA[kind], headers=headers)


@router.get("/matches/{match_id}/why")
def why(request: Request, desk: DeskOf, match_id: Annotated[int, Path(ge=1, lt=2**63)]) -> Response:
    """Why a match is one: loaded into the claim page where it is asked for, a page of its own without JavaScript."""
    found = desk.rows("desk_claims.why", match=match_id)
    if not found:
        raise HTTPException(404, f"there is no match {match_id}")
    parts = [(part, list(rows)) for part, rows in groupby(found, key=lambda r: r.part)]
    return page(request, "why.html", parts=parts, match_id=match_id, bare="fetch" in request.query_params)


def known(desk: Desk, claim_id: str) -> Any:
    """The claim with its state, or 404."""
    found = desk.row("desk_claims.claim", claim=claim_id, as_of=desk.now(), known_at=EVER)
    if found is None:
        raise HTTPException(404, f"no claim is called {claim_id}")
    return found


def chosen(claim_id: str, filters: Filters, most: int | None) -> dict[str, Any]:
    """Values for desk_claims.page and .evidence; no `most` stands for every row."""
    return {
        "claim": claim_id,
        "since": filters.starts,
        "until": filters.ends,
        **{name: getattr(filters, name) for name in ("lang", "country", "family", "origin", "stance", "tier")},
        "most": most,
        "skipped": (filters.page - 1) * (most or 0),
    }


def choices(found: dict[str, list[list[Any]]], filters: Filters) -> dict[str, list[tuple[str, int]]]:
    """What there is to filter by: {"lang": [("ko", 12), ...], ...}. What an address asks for is among them."""
    made = {name: [(value, stories) for value, stories in options] for name, options in found.items()}
    for name, value in filters.given.items():
        if name in ("lang", "country", "family", "origin") and value not in dict(made.setdefault(name, [])):
            made[name].append((value, 0))
    return made


def _by_role(desk: Desk, claim_id: str, ledger: list[Any]) -> list[tuple[str, Any, list[Any]]]:
    """(role, who says the least and the most or None, its figures)"""
    roles = list(dict.fromkeys(f.role for f in ledger))
    if not roles:
        return []
    values = {"claim_id": claim_id, "roles": roles, "as_of": desk.now().date(), "known_at": EVER}
    ranges = {r.role: r for r in desk.rows("figures.ranges", **values)}
    return [(role, ranges.get(role), list(rows)) for role, rows in groupby(ledger, key=lambda f: f.role)]
