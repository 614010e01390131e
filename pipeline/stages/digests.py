"""digests: one message a day or week with what moved, what did not, and what could not be read."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from pipeline.adapters.database import Connection, row, rows
from pipeline.logic import carrying, news
from pipeline.logic.coverage import Coverage, counted
from pipeline.logic.mail import DigestContent, MailLinks, Moved
from pipeline.logic.tracking import DAY
from pipeline.stages import announce, quoting
from pipeline.stages.work import Deps

EVERYTHING = "all claims"
DOWN = 3  # failed polls in a row after which a feed is told to be down


def queue_due(conn: Connection, deps: Deps) -> int:
    """Put every digest that is due into the outbox, each once, and set its next; how many."""
    now, queued = deps.clock.now(), 0
    with conn.transaction():
        for subscription in rows(conn, "digests.due", now=now):
            wishes = announce.wishes(subscription)
            due = subscription.next_digest_at
            after = news.next_digest(wishes, now)
            if wishes.paused_until is None or wishes.paused_until <= now:
                since = subscription.last_until or max(subscription.created_at, due - _length(wishes.rhythm))
                since = max(since, wishes.paused_until or since)  # what happened in a pause is not told later
                queued += None is not announce.queue(
                    conn,
                    deps.settings,
                    f"digest/{subscription.subscription_id}/{due:%Y-%m-%dT%H:%M}",
                    subscription.email,
                    now,
                    "digest",
                    channel=subscription.channel,
                    subscription_id=subscription.subscription_id,
                    since=since,
                    until=now,
                )
            rows(conn, "digests.next", subscription_id=subscription.subscription_id, at=after)
    return queued


def _length(rhythm: str) -> timedelta:
    return 7 * DAY if rhythm == "weekly" else DAY


def content(conn: Connection, deps: quoting.Deps, alert: Any, links: MailLinks) -> DigestContent:
    """What a digest says: everything that was noticed in its span, on the claims that the subscription is about."""
    subscription = row(conn, "digests.subscription", subscription_id=alert.subscription_id)
    about = {"claim_id": subscription.claim_id, "topic_id": subscription.topic_id}
    asked = announce.wishes(subscription)
    found = announce.noticed(conn, alert.since, alert.until, news.WEIGHT)
    claims = {r.claim_id: r for r in rows(conn, "digests.claims", **about, since=alert.since, until=alert.until)}
    items = [r for r in found if r.claim_id in claims and news.unasked(announce.news_of(r), asked) is None]
    items.sort(key=lambda r: claims[r.claim_id].position)
    moved = [
        _moved(conn, deps, alert, claims[claim_id], list(same))
        for claim_id, same in groupby(items, key=lambda r: r.claim_id)
    ]
    told = {m.claim_id for m in moved}
    quiet = [quoting.title_of(claim) for claim in claims.values() if claim.claim_id not in told]
    return DigestContent(
        subscription.rhythm,
        scope(conn, subscription),
        alert.since,
        alert.until,
        moved,
        quiet,
        health(conn, deps.clock.now()),
        links,
        subscription.timezone,
    )


def _moved(conn: Connection, deps: quoting.Deps, alert: Any, claim: Any, items: list[Any]) -> Moved:
    events = news.by_weight([quoting.event_of(r) for r in items])
    leading = next(r for r in items if (r.kind, r.event_key) == (events[0].kind, events[0].key))
    stories = [leading.story_id] if leading.story_id is not None else []
    found = rows(conn, "alerts.evidence", claim_id=claim.claim_id, story_ids=stories)
    evidence = carrying.ordered(quoting.evidence_of(found, deps, alert), events[0])
    return Moved(
        claim.claim_id,
        quoting.title_of(claim),
        claim.statement,
        events,
        evidence[0] if evidence else None,
        Coverage(*row(conn, "alerts.coverage", claim_id=claim.claim_id, without=[])),
        claim.new_stories,
        deps.links.page(f"/claims/{claim.claim_id}"),
    )


def scope(conn: Connection, subscription: Any) -> str:
    """What a subscription is about, in words."""
    if subscription.claim_id is None and subscription.topic_id is None:
        return EVERYTHING
    found = row(conn, "digests.scope", claim_id=subscription.claim_id, topic_id=subscription.topic_id)
    return str(found.name) if subscription.topic_id else quoting.title_of(found)


def health(conn: Connection, now: datetime) -> list[str]:
    """What could not be read, in words: no line means that silence is silence."""
    lines = []
    down = rows(conn, "digests.down", failures=DOWN, now=now)
    if down:
        since = min(r.since for r in down)
        names = ", ".join(r.name for r in down[:3]) + (f" and {len(down) - 3} more" if len(down) > 3 else "")
        has = "has" if len(down) == 1 else "have"
        lines.append(f"{counted(len(down), 'feed', 'feeds')} {has} been down since {since:%A, %-d %B}: {names}")
    stalled = rows(conn, "digests.waiting", since=now - DAY)
    lines += [f"{r.stage}: {counted(r.items, 'item waits', 'items wait')} since {r.since:%A, %-d %B}" for r in stalled]
    return lines
