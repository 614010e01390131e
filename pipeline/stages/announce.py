"""announce: claim events -> alerts in the outbox, inside the transaction that raises the event.

Whether a reader is told is decided by logic/news; here it is given the event and its readers, and every decision is
kept with its reason. What happens while a mail on the claim still waits is told in that mail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pipeline.adapters.database import Connection, row, rows
from pipeline.logic import news
from pipeline.logic.news import Decision, News, Told, Wishes
from pipeline.logic.tracking import Event
from pipeline.settings import Settings


def announce(conn: Connection, settings: Settings, event_id: int, now: datetime) -> None:
    """Tell every reader whose subscription asks for it; one mail a reader, however many subscriptions cover it."""
    (found,) = rows(conn, "alerts.news", event_ids=[event_id])
    stories = [r.at for r in rows(conn, "tracking.stories", claim_id=found.claim_id, at=found.happened_at)]
    readers: dict[tuple[str, str], list[Any]] = {}
    for subscription in rows(conn, "alerts.instant", claim_id=found.claim_id, topic_id=found.topic_id):
        readers.setdefault((subscription.channel, subscription.email.lower()), []).append(subscription)
    for subscriptions in readers.values():
        _decide(conn, settings, news_of(found), subscriptions, stories, now)


def _decide(
    conn: Connection,
    settings: Settings,
    item: News,
    subscriptions: list[Any],
    stories: list[datetime],
    now: datetime,
) -> None:
    first = subscriptions[0]
    reader = {"claim_id": item.claim_id, "channel": first.channel, "email": first.email}
    told = told_of(row(conn, "alerts.told_last", **reader))
    decided = [(s, news.decide(item, wishes(s), told, stories, now)) for s in subscriptions]
    telling = [(s, decision) for s, decision in decided if decision.due_at is not None]
    alert_id = None
    if telling:
        subscription, decision = min(telling, key=lambda pair: pair[1].due_at or now)
        alert_id = _mail(conn, settings, item, subscription, decision, reader, now)
    for subscription, decision in decided:
        rows(
            conn,
            "alerts.note",
            event_id=item.event_id,
            subscription_id=subscription.subscription_id,
            decision=decision.decision,
            reason=decision.reason,
            alert_id=alert_id if decision.due_at is not None else None,
            now=now,
        )


def _mail(
    conn: Connection,
    settings: Settings,
    item: News,
    subscription: Any,
    decision: Decision,
    reader: dict[str, str],
    now: datetime,
) -> int | None:
    """The event goes into the reader's mail on the claim that has not gone out yet, else into one of its own."""
    waiting = row(conn, "alerts.waiting_mail", **reader)
    if waiting is None:
        key = f"event/{item.event_id}/{subscription.email.lower()}"
        alert_id = queue(
            conn,
            settings,
            key if subscription.channel == "mail" else f"{subscription.channel}/{key}",
            subscription.email,
            now,
            event_id=item.event_id,
            claim_id=item.claim_id,
            subscription_id=subscription.subscription_id,
            channel=subscription.channel,
            due_at=decision.due_at,
        )
        if alert_id is not None:
            rows(conn, "alerts.take_held", **reader, alert_id=alert_id)
        return alert_id
    rows(conn, "alerts.tell_too", alert_id=waiting.alert_id, event_id=item.event_id)
    return int(waiting.alert_id)


def noticed(conn: Connection, since: datetime, until: datetime, kinds: Iterable[str]) -> list[Any]:
    """Rows of alerts.news: events of these kinds that were noticed in a span of time, in that order."""
    found = rows(conn, "alerts.noticed", since=since, until=until, kinds=sorted(kinds))
    return rows(conn, "alerts.news", event_ids=[r.event_id for r in found])


def news_of(found: Any) -> News:
    """A row of alerts.news."""
    event = Event(found.kind, found.event_key, found.reason or "", found.headline or "")
    return News(
        found.event_id,
        event,
        found.claim_id,
        found.topic_id,
        found.happened_at,
        found.probability,
        frozenset(found.languages or ()),
    )


def told_of(found: Any) -> Told | None:
    return Told(found.happened_at) if found is not None else None


def wishes(found: Any) -> Wishes:
    """What a row of ingest.subscriptions asks for."""
    return Wishes(
        found.rhythm,
        found.hour,
        found.weekday,
        found.timezone,
        found.quiet_from,
        found.quiet_until,
        found.min_probability,
        frozenset(found.languages) if found.languages else None,
        found.paused_until,
    )


def queue(
    conn: Connection,
    settings: Settings,
    delivery_key: str,
    email: str,
    now: datetime,
    kind: str = "alert",
    *,
    due_at: datetime | None = None,
    channel: str = "mail",
    event_id: int | None = None,
    claim_id: str | None = None,
    subscription_id: int | None = None,
    subject: str | None = None,
    body: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int | None:
    """Put one message into the outbox; None where its delivery key is there already. Call inside a transaction.

    The Message-ID follows from the key alone: whatever happens, the same mail has the same one.
    """
    digest = hashlib.sha256(delivery_key.encode()).hexdigest()[:32]
    added = row(
        conn,
        "alerts.add",
        delivery_key=delivery_key,
        email=email,
        kind=kind,
        channel=channel,
        event_id=event_id,
        claim_id=claim_id,
        subscription_id=subscription_id,
        subject=subject,
        body=body,
        since=since,
        until=until,
        now=now,
        message_id=f"<{digest}@{settings.mail.domain}>",
    )
    if added is None:
        return None
    domain = email.rpartition("@")[2].lower()
    rows(conn, "work.add", stage="notify", item_id=added.alert_id, host=domain, due_at=due_at or now)
    return int(added.alert_id)
