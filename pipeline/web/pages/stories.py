"""A story: who carried it, in order of time, what each is in it, and which claims it bears on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from pipeline.web.desk import Desk
from pipeline.web.filters import PAGE, Filters
from pipeline.web.pages.common import DeskOf
from pipeline.web.render import page

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
DOTS = 400  # articles on the strip above the list


@router.get("/stories/{story_id}")
def story(request: Request, desk: DeskOf, story_id: Number, given: Annotated[Filters, Depends()]) -> Response:
    found = desk.row("desk_stories.one", story_id=story_id)
    if found is None:
        raise HTTPException(404, f"there is no story {story_id}")
    told = articles(desk, story_id, given)
    spread = desk.rows("desk_stories.spread", story_id=story_id, most=DOTS)
    placed = dots(spread)
    return page(
        request,
        "story.html",
        story=found,
        articles=told,
        total=told[0].total if told else 0,
        pages=-(-told[0].total // PAGE) if told else 1,
        language=spread[0].language if spread else None,
        dots=placed,
        strip_height=20 + 9 * max((row for _, row, _ in placed), default=0),
        evidence=desk.rows("desk_stories.evidence", story_id=story_id),
        choices=desk.row("desk_stories.filters", story_id=story_id),
        filters=given,
    )


def articles(desk: Desk, story_id: int, given: Filters) -> list[Any]:
    return desk.rows(
        "desk_stories.articles",
        story_id=story_id,
        since=given.starts,
        until=given.ends,
        lang=given.lang,
        country=given.country,
        family=given.family,
        origin=given.origin,
        most=PAGE,
        skipped=(given.page - 1) * PAGE,
    )


def dots(told: Sequence[Any], width: int = 720) -> list[tuple[float, int, str]]:
    """Each article's place on a strip of time: how far from the left, how many lie there already, its kind."""
    if not told:
        return []
    first, span = told[0].published_at, max(told[-1].published_at - told[0].published_at, timedelta(minutes=1))
    rows: dict[int, int] = {}
    placed = []
    for article in told:
        share = (article.published_at - first) / span
        x = round(share * width, 1)
        column = int(x // 9)
        placed.append((x, rows.get(column, 0), article.relation or "copy"))
        rows[column] = rows.get(column, 0) + 1
    return placed
