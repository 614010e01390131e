"""letters: what an alert in the outbox says, put together from what the database knows of its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any

import structlog

from pipeline.adapters.database import Connection, row, rows
from pipeline.logic import mail
from pipeline.logic.coverage import Coverage
from pipeline.logic.mail import AlertContent, Evidence, Report
from pipeline.logic.tracking import Event
from pipeline.model import Message
from pipeline.stages import drawing
from pipeline.stages.work import Deps

log = structlog.get_logger()


def message(conn: Connection, deps: Deps, alert: Any) -> Message | None:
    """The mail of a row of alerts.to_send; None where the evidence that it would tell was withdrawn."""
    if alert.event_id is None:
        return mail.operator_note(alert.subject, alert.body, alert.email, alert.message_id)
    found = rows(conn, "alerts.evidence_of_story", claim_id=alert.claim_id, story_id=alert.story_id)
    if not found:
        return None
    told = rows(conn, "alerts.told", alert_id=alert.alert_id)
    events = [Event(r.kind, r.event_key, r.reason or "") for r in told]
    coverage = Coverage(*row(conn, "alerts.coverage", claim_id=alert.claim_id))
    content = AlertContent(events, alert.claim_id, alert.statement, _evidence(found), coverage)
    if deps.settings.mail.chart:
        content = replace(content, chart=_chart(conn, alert.claim_id, deps.clock.now().date()))
    return mail.alert(content, alert.email, alert.message_id)


def _chart(conn: Connection, claim_id: str, until: date) -> bytes | None:
    """The claim's stories over time; None where it can't be drawn: news does not wait for a picture."""
    days, marks = (tuple(rows(conn, name, claim=claim_id)) for name in ("desk_claims.days", "desk_claims.marks"))
    try:
        return drawing.image("png", drawing.timeline, days, marks, until, None, "light", "mail")
    except (ValueError, OSError) as error:  # vl-convert raises ValueError
        log.warning("no chart in a mail", claim=claim_id, error=str(error))
        return None


def _evidence(found: Iterable[Any]) -> list[Evidence]:
    """Rows of alerts.evidence_of_story, one an appearance, as evidence with its reports."""
    evidence = []
    for (sentence, paragraph), group in groupby(found, key=lambda r: (r.sentence, r.paragraph)):
        same = list(group)
        reports = {
            r.url: Report(r.publisher, r.country, r.language, r.title, r.url, r.published_at, r.source == "entry")
            for r in reversed(same)
        }
        ordered = sorted(reports.values(), key=lambda report: report.published)
        best = same[0]
        origins = tuple(dict.fromkeys(origin for r in same for origin in r.origins))
        known = {"why": best.why, "precision": best.precision, "labels": best.labels, "confirmed": best.confirmed}
        evidence.append(Evidence(sentence, paragraph, best.stance, best.probability, ordered, origins, **known))
    return evidence
