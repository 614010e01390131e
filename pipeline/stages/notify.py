"""notify: alerts -> mail. An outbox: the alert is leased, sent, and marked in the transaction that ends its work.

A crash between the server's 250 and our commit is the one place where a mail can double; its Message-ID stays the
same, so that readers' programs can fold the pair.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, Protocol

from pipeline.adapters.database import Connection, rows
from pipeline.adapters.mailer import Mailer
from pipeline.errors import PermanentError, TransientError
from pipeline.stages import letters, quoting
from pipeline.stages.work import Item, Run, StageReport, begin

FIRST_RETRY = timedelta(minutes=1)
RETRY_CAP = timedelta(hours=4)  # 1, 2, 4, ... 240 minutes: 12 attempts span about a day


class Deps(quoting.Deps, Protocol):
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
    message = letters.message(run.conn, deps, alert)
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
