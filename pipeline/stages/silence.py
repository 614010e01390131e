"""silence: claims whose expected coverage did not come, looked for by maintain. Days without feeds are no silence."""

from __future__ import annotations

from datetime import date, timedelta

from pipeline.adapters.database import Connection, rows
from pipeline.logic import tracking
from pipeline.stages.announce import announce
from pipeline.stages.track import add_event
from pipeline.stages.work import Deps

LOOK_BACK = timedelta(days=tracking.SILENCE_CEILING + 1)


def run(conn: Connection, deps: Deps) -> int:
    """Raise every silence that is due, each once, and tell readers; how many are new."""
    now = deps.clock.now()
    polled = rows(conn, "tracking.up_days", since=now - LOOK_BACK)
    up_days = {r.day for r in polled if tracking.is_up(r.good or 0, r.polls)}
    return sum(_look(conn, deps, claim.claim_id, up_days) for claim in rows(conn, "claims.in_force"))


def _look(conn: Connection, deps: Deps, claim_id: str, up_days: set[date]) -> bool:
    now = deps.clock.now()
    with conn.transaction():
        rows(conn, "tracking.lock_claim", claim_id=claim_id)
        stories = [(r.at, r.story_id) for r in rows(conn, "tracking.stories", claim_id=claim_id, at=now)]
        event = tracking.silence(stories, now.date(), up_days)
        if event is None:
            return False
        # The feeds that carried the claim: with these down, the others' good health says nothing.
        answered = now - 2 * timedelta(seconds=deps.settings.poll.max_interval)
        sources = [r.answered for r in rows(conn, "tracking.sources", claim_id=claim_id, since=answered)]
        if not tracking.is_up(sum(sources), len(sources)):
            return False
        event_id = add_event(conn, claim_id, event, None, now, now)
        if event_id is None:
            return False
        announce(conn, deps.settings, event_id, now)
        return True
