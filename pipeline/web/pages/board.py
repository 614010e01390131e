"""The board: every claim at a glance, and what is new since the visitor last looked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request, Response

from pipeline.web.pages.common import DeskOf
from pipeline.web.render import counted, page, plain

router = APIRouter(include_in_schema=False)

AWAY = timedelta(minutes=30)  # who comes back later than this has looked before, and starts a new visit
FIRST = timedelta(days=1)  # how far "new" reaches for who has never been here


# What is told by the count of new stories already.
PLAIN_EVENTS = ("new_story", "archive")


@dataclass(frozen=True)
class Line:
    """A claim on the board."""

    row: Any

    @property
    def events(self) -> list[str]:
        """Kinds of events since the last visit, each once, the latest first."""
        return [kind for kind in dict.fromkeys(reversed(self.row.new_events)) if kind not in PLAIN_EVENTS]

    @property
    def moved(self) -> bool:
        return bool(self.row.new_stories or self.row.new_articles or self.events)

    @property
    def said(self) -> str:
        """ "2 new stories, 5 articles; surge" """
        counts = [
            counted(self.row.new_stories, "new story", "new stories") if self.row.new_stories else "",
            counted(self.row.new_articles, "article" if self.row.new_stories else "new article")
            if self.row.new_articles
            else "",
        ]
        return "; ".join(filter(None, [", ".join(filter(None, counts)), ", ".join(map(plain, self.events))]))


@router.get("/")
def board(request: Request, desk: DeskOf) -> Response:
    now = desk.now()
    since = looked(request, now)
    claims = [Line(r) for r in desk.rows("desk.board", since=since, as_of=now)]
    topics = [(topic, list(of_topic)) for topic, of_topic in groupby(claims, key=lambda line: line.row.topic)]
    return page(request, "board.html", claims=claims, topics=topics, since=since)


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
