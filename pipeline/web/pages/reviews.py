"""What waits for a yes or no, and the verdicts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from pipeline.adapters import database
from pipeline.web.filters import QueueFilters
from pipeline.web.pages.common import DeskOf
from pipeline.web.render import page
from pipeline.web.security import check_form, local_path

router = APIRouter(include_in_schema=False)

WAITING, GIVEN = 25, 20  # rows on a page
STATEMENTS = {
    "confirmed": "desk_reviews.confirm",
    "rejected": "desk_reviews.reject",
    "withdrawn": "desk_reviews.withdraw",
}

Stance = Literal["supports", "refutes", "updates"]


@router.get("/reviews")
def queue(request: Request, desk: DeskOf, filters: Annotated[QueueFilters, Depends()]) -> Response:
    found = desk.rows(
        "desk_reviews.queue",
        claim=filters.claim,
        since=filters.starts,
        until=filters.ends,
        lang=filters.lang,
        stance=filters.stance,
        most=WAITING,
        skipped=(filters.page - 1) * WAITING,
    )
    waiting = desk.rows("desk_reviews.waiting")
    total = found[0].total if found else 0
    return page(
        request,
        "reviews.html",
        queue=found,
        total=total,
        pages=max(-(-total // WAITING), 1),
        waiting=waiting,
        filters=filters,
        given=desk.rows("desk_reviews.given", claim=filters.claim, most=GIVEN),
        flash=flash(request),
    )


@router.post("/reviews")
def review(
    request: Request,
    desk: DeskOf,
    token: Annotated[str, Form(max_length=100)],
    match: Annotated[int, Form(ge=1, lt=2**63)],
    verdict: Annotated[Literal["confirmed", "rejected", "withdrawn"], Form()],
    stance: Annotated[Stance | Literal[""], Form()] = "",
    note: Annotated[str, Form(max_length=2000)] = "",
    after: Annotated[str, Form(alias="next", max_length=2000)] = "/reviews",
) -> Response:
    """One verdict. The page's script takes JSON; a plain form goes back to where it came from."""
    check_form(request, token)
    values: dict[str, Any] = {"match": match, "note": note.strip() or None}
    if verdict == "confirmed":
        values["stance"] = stance or None
    with desk.reviewer() as conn:
        database.row(conn, STATEMENTS[verdict], **values)
    if request.headers.get("accept", "").startswith("application/json"):
        return JSONResponse({"match": match, "verdict": verdict})
    request.session["flash"] = [match, verdict]
    return RedirectResponse(local_path(after), 303)


def flash(request: Request) -> tuple[int, str] | None:
    """The verdict just given by a plain form, shown once: (match, verdict)."""
    found = request.session.pop("flash", None)
    return (int(found[0]), str(found[1])) if found else None
