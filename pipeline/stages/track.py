"""track: matches -> claim events -> alerts in the outbox, in one transaction.

An event belongs to a claim and a story: copies of a story raise no second one. Only items published within the
freshness window can alert; older material that a new claim, feed or backfill brings is told as one archive event.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from pipeline.adapters.database import Connection, row, rows
from pipeline.stages.work import Deps, Run, StageReport, begin

KNOWN = "known-story"
STORY_WAIT = timedelta(minutes=1)  # for the article's story; grouping queues the match anyway when it has one


def run(conn: Connection, deps: Deps, limit: int) -> StageReport:
    """Track up to `limit` accepted matches, in the order of publication."""
    with begin(conn, deps, "track") as run:
        items = {item.item_id: item for item in run.claim(limit)}
        found = rows(conn, "matches.to_track", match_ids=list(items)) if items else []
        window = timedelta(days=deps.settings.match.freshness_days)
        by_match: dict[int, list[Any]] = {m.match_id: [] for m in found if m.story_id is None}
        for match in sorted(
            (m for m in found if m.story_id is not None), key=lambda m: (m.published_at, m.story_id, m.match_id)
        ):
            by_match.setdefault(match.match_id, []).append(match)
        for match_id, in_stories in by_match.items():
            item = items[match_id]
            with run.shield(item), run.settling(item):
                if in_stories:
                    outcomes = [_track(run, deps, match, window) for match in in_stories]
                    run.done(item, next((outcome for outcome in outcomes if outcome != KNOWN), KNOWN))
                else:
                    run.again(item, "waiting-for-story", deps.clock.now() + STORY_WAIT, fresh=True)
        return run.report


def _track(run: Run, deps: Deps, match: Any, window: timedelta) -> str:
    """What the match does to its claim in one of the stories that carry it."""
    now = deps.clock.now()
    rows(run.conn, "matches.lock_claim", claim_id=match.claim_id)
    before = row(run.conn, "matches.seen_before", claim_id=match.claim_id, story_id=match.story_id)
    fresh = match.published_at >= match.matched_at - window
    if before.story:
        return KNOWN
    if not fresh:
        _add_event(run, match, "archive", str(match.story_id), now)
        return "archive"
    kind = "fresh_coverage" if before.claim else "first_seen"
    event_id = _add_event(run, match, kind, str(match.story_id) if before.claim else "", now)
    if event_id is not None:
        _alert(run, event_id, match.claim_id, now)
        run.report.counts[kind] += 1
    return kind


def _add_event(run: Run, match: Any, kind: str, key: str, now: datetime) -> int | None:
    added = row(
        run.conn,
        "matches.add_event",
        claim_id=match.claim_id,
        kind=kind,
        event_key=key,
        story_id=match.story_id,
        happened_at=match.published_at,
        now=now,
    )
    return None if added is None else int(added.event_id)


def _alert(run: Run, event_id: int, claim_id: str, now: datetime) -> None:
    for reader in rows(run.conn, "alerts.readers", claim_id=claim_id):
        queue_mail(run.conn, f"event/{event_id}/{reader.email.lower()}", reader.email, now, event_id=event_id)


def queue_mail(
    conn: Connection,
    delivery_key: str,
    email: str,
    now: datetime,
    *,
    event_id: int | None = None,
    subject: str | None = None,
    body: str | None = None,
) -> bool:
    """Put one mail into the outbox; False where its delivery key is there already. Call inside a transaction.

    The Message-ID follows from the key alone: whatever happens, the same mail has the same one.
    """
    digest = hashlib.sha256(delivery_key.encode()).hexdigest()[:32]
    added = row(
        conn,
        "alerts.add",
        delivery_key=delivery_key,
        event_id=event_id,
        email=email,
        subject=subject,
        body=body,
        now=now,
        message_id=f"<{digest}@claimwatch>",
    )
    if added is None:
        return False
    domain = email.rpartition("@")[2].lower()
    rows(conn, "work.add", stage="notify", item_id=added.alert_id, host=domain, due_at=now)
    return True
