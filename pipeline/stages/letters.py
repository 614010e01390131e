"""letters: what a message in the outbox says, put together from what the database knows of its events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import structlog

from pipeline.adapters.database import Connection, row, rows
from pipeline.logic import mail
from pipeline.logic.coverage import Coverage
from pipeline.logic.links import Links
from pipeline.logic.mail import AlertContent, History, MailLinks, Thread
from pipeline.logic.news import by_weight
from pipeline.model import Message
from pipeline.stages import digests, drawing
from pipeline.stages.quoting import Deps, event_of, evidence_of, standings, title_of

log = structlog.get_logger()

SHOWN = timedelta(days=90)  # in a mail's chart


def message(conn: Connection, deps: Deps, alert: Any) -> Message | None:
    """The message of a row of alerts.to_send; None where there is nothing to tell any more."""
    match alert.kind:
        case "operator":
            return mail.operator_note(alert.subject, alert.body, alert.email, alert.message_id)
        case "confirmation":
            return _confirmation(conn, deps, alert)
        case "digest":
            content = digests.content(conn, deps, alert, links_of(deps.links, alert))
            return mail.digest(content, alert.email, alert.message_id)
        case _:
            return _alert(conn, deps, alert)


def _alert(conn: Connection, deps: Deps, alert: Any) -> Message | None:
    told = rows(conn, "alerts.told", alert_id=alert.alert_id)
    events = by_weight([event_of(r) for r in told])
    weight = {(event.kind, event.key): place for place, event in enumerate(events)}
    told.sort(key=lambda r: weight[r.kind, r.event_key])
    stories = list(dict.fromkeys(r.story_id for r in told if r.story_id is not None))
    found = rows(conn, "alerts.evidence", claim_id=alert.claim_id, story_ids=stories)
    if stories and not found:
        return None
    today = deps.clock.now().date()
    days = rows(conn, "desk_claims.days", claim=alert.claim_id)
    content = AlertContent(
        events,
        alert.claim_id,
        alert.statement,
        evidence_of(found, deps, alert),
        Coverage(*row(conn, "alerts.coverage", claim_id=alert.claim_id, without=[])),
        chart=_chart(conn, alert.claim_id, days, today) if deps.settings.mail.chart else None,
        title=title_of(alert),
        known=Coverage(*row(conn, "alerts.coverage", claim_id=alert.claim_id, without=stories)),
        figures=standings(conn, alert.claim_id),
        held=[event_of(r) for r in rows(conn, "alerts.held", alert_id=alert.alert_id)],
        links=links_of(deps.links, alert),
        zone=alert.timezone or "UTC",
        history=History(today, [(r.day, r.supports + r.refutes + r.updates) for r in days], SHOWN.days),
    )
    earlier = rows(conn, "alerts.thread", claim_id=alert.claim_id, email=alert.email, alert_id=alert.alert_id)
    thread = Thread(f"<claim.{alert.claim_id}@{deps.settings.mail.domain}>", [r.message_id for r in earlier])
    return mail.alert(content, alert.email, alert.message_id, thread)


def _confirmation(conn: Connection, deps: Deps, alert: Any) -> Message | None:
    found = row(conn, "alerts.subscription", subscription_id=alert.subscription_id)
    link = deps.links.confirm(alert.subscription_id)
    if found is None or link is None:
        return None
    return mail.confirmation(digests.scope(conn, found), found.rhythm, link, alert.email, alert.message_id)


def links_of(links: Links, alert: Any) -> MailLinks:
    if alert.subscription_id is None:
        return MailLinks()
    number = alert.subscription_id
    claim = None if alert.claim_id is None else links.page(f"/claims/{alert.claim_id}")
    return MailLinks(claim, links.manage(number), links.unsubscribe(number), links.pause(number))


def _chart(conn: Connection, claim_id: str, days: Iterable[Any], until: date) -> bytes | None:
    """The claim's stories of late; None where it can't be drawn: news does not wait for a picture."""
    since = until - SHOWN
    late = tuple(r for r in days if r.day > since)
    marks = tuple(r for r in rows(conn, "desk_claims.marks", claim=claim_id) if r.happened_at.date() > since)
    try:
        return drawing.image("png", drawing.timeline, late, marks, until, None, "light", "mail", since)
    except (ValueError, OSError) as error:  # vl-convert raises ValueError
        log.warning("no chart in a mail", claim=claim_id, error=str(error))
        return None
