"""The feeds: how each is doing, why, and when it is polled next."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from pipeline.web.filters import PAGE, FeedFilters
from pipeline.web.pages.common import DeskOf
from pipeline.web.pages.stories import Number
from pipeline.web.render import page

router = APIRouter(include_in_schema=False)

# The worst first, each with what it means.
HEALTH = {
    "gone": "the server says that the feed is no more",
    "failing": "the last poll went wrong",
    "silent": "answers, but brings far less than it used to",
    "unverified": "not polled until its address was checked",
    "new": "not polled yet",
    "paused": "paused by a person",
    "well": "answers and brings items",
}
DAYS = 42  # on a feed's own page
LATEST, TROUBLES = 40, 15


@router.get("/feeds")
def feeds(request: Request, desk: DeskOf, given: Annotated[FeedFilters, Depends()]) -> Response:
    found = desk.rows(
        "desk_feeds.all",
        health=given.health,
        lang=given.lang,
        country=given.country,
        family=given.family,
        most=PAGE,
        skipped=(given.page - 1) * PAGE,
    )
    return page(
        request,
        "feeds.html",
        feeds=found,
        pages=-(-found[0].total // PAGE) if found else 1,
        summary=desk.row("desk_feeds.summary"),
        health=HEALTH,
        filters=given,
    )


@router.get("/feeds/{feed_id}")
def feed(request: Request, desk: DeskOf, feed_id: Number) -> Response:
    found = desk.row("desk_feeds.one", feed_id=feed_id)
    if found is None:
        raise HTTPException(404, f"there is no feed {feed_id}")
    today = desk.now().astimezone(UTC).date()
    return page(
        request,
        "feed.html",
        feed=found,
        meaning=HEALTH[found.health],
        entries=desk.rows("desk_feeds.entries", feed_id=feed_id, most=LATEST, skipped=0),
        days=desk.row("desk_feeds.days", feed_id=feed_id, today=today, days=DAYS).counts,
        problems=desk.rows("desk_feeds.problems", feed_id=feed_id, most=TROUBLES),
    )
