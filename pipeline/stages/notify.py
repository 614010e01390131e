"""notify: alerts -> mail. An outbox: the alert is leased, sent, and marked in the transaction that ends its work.

A crash between the server's 250 and our commit is the one place where a mail can double; its Message-ID stays the
same, so that readers' programs can fold the pair.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Protocol

import structlog

from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.mailer import Mailer
from pipeline.clock import Clock
from pipeline.errors import PermanentError, TransientError
from pipeline.logic import mail
from pipeline.logic.coverage import Coverage
from pipeline.logic.mail import AlertContent, Evidence, Report
from pipeline.logic.tracking import Event
from pipeline.model import Message
from pipeline.settings import Settings
from pipeline.stages import drawing
from pipeline.stages.work import Item, Run, StageReport, begin

log = structlog.get_logger()

FIRST_RETRY = timedelta(minutes=1)
RETRY_CAP = timedelta(hours=4)  # 1, 2, 4, ... 240 minutes: 12 attempts span about a day


class Deps(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    def mailer(self) -> Mailer: ...


def run(conn: Connection, deps: Deps, limit: int) -> StageReport:
    """Send up to `limit` due alerts."""
    with begin(conn, deps, "notify") as run:
        items = {item.item_id: item for item in run.claim(limit)}
        # A server that hangs costs each mail a time-out. A mail whose lease ran out meanwhile could go out twice, so
        # after half of the lease the rest goes back into the queue.
        deadline = time.monotonic() + deps.settings.lease / 2
        if items:
            with deps.mailer() as mailer:
                for alert in rows(conn, "alerts.to_send", alert_ids=list(items)):
                    item = items[alert.alert_id]
                    with run.shield(item):
                        if time.monotonic() < deadline:
                            _deliver(run, deps, mailer, item, alert)
                        else:
                            with run.settling(item):
                                run.again(item, "again", deps.clock.now(), fresh=True)
        return run.report


def _deliver(run: Run, deps: Deps, mailer: Mailer, item: Item, alert: Any) -> None:
    message = _message(run.conn, deps, alert)
    if message is None:
        with run.settling(item):
            problem = "its evidence was withdrawn before the mail went out"
            rows(run.conn, "alerts.failed", alert_id=alert.alert_id, problem=problem)
            run.done(item, "withdrawn", problem)
        return
    try:
        mailer.send(message)
    except TransientError as error:
        if item.attempts < deps.settings.mail.max_attempts:
            wait = min(FIRST_RETRY * 2 ** (item.attempts - 1), RETRY_CAP)
            with run.settling(item):
                rows(run.conn, "alerts.waiting", alert_id=alert.alert_id, problem=str(error))
                run.again(item, error.code, deps.clock.now() + wait, str(error))
            return
        _give_up(run, item, alert, error.code, f"given up after {item.attempts} attempts: {error}")
    except PermanentError as error:
        _give_up(run, item, alert, error.code, str(error))
    else:
        with run.settling(item):
            rows(
                run.conn,
                "alerts.sent",
                alert_id=alert.alert_id,
                subject=message.subject,
                now=deps.clock.now(),
            )
            run.done(item, "sent")


def _give_up(run: Run, item: Item, alert: Any, outcome: str, problem: str) -> None:
    with run.settling(item):
        rows(run.conn, "alerts.failed", alert_id=alert.alert_id, problem=problem)
        run.done(item, outcome, problem)


def _message(conn: Connection, deps: Deps, alert: Any) -> Message | None:
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
