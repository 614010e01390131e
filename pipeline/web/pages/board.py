"""The board: every claim at a glance, and what is new since the visitor last looked."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response

from pipeline.web.pages.common import DeskOf
from pipeline.web.render import page

router = APIRouter(include_in_schema=False)

AWAY = timedelta(minutes=30)  # who comes back later than this has looked before, and starts a new visit
FIRST = timedelta(days=1)  # how far "new" reaches for who has never been here


@router.get("/")
def board(request: Request, desk: DeskOf) -> Response:
    since = looked(request, desk.now())
    return page(request, "board.html", claims=desk.rows("desk.board", since=since), since=since)


def looked(request: Request, now: datetime) -> datetime:
    """When the visitor's last visit ended; this one is noted in the session."""
    seen, since = _time(request, "seen"), _time(request, "since")
    if seen is None or seen > now:  # never here, or the clock was put back
        since = now - FIRST
    elif since is None or since > seen or now - seen > AWAY:
        since = seen
    request.session["seen"], request.session["since"] = now.isoformat(), since.isoformat()
    return since


def _time(request: Request, key: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(request.session[key]))
    except (KeyError, ValueError):
        return None
    return at if at.tzinfo else None
