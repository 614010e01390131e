"""notify: alerts -> mail or another service. An outbox: an alert is leased, sent, and marked as sent.

A crash between the server's 250 and the one statement that notes it is the one place of ours where a mail can double;
its Message-ID stays the same, so that readers' programs can fold the pair. docs/alerts.md says what is promised.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

import psycopg
import structlog

from pipeline.adapters.database import Connection, prepared, row, rows
from pipeline.adapters.mailer import DOWN, UNANSWERED, Mailer
from pipeline.adapters.services import Messenger
from pipeline.errors import ConfigurationError, PermanentError, TransientError
from pipeline.logic import news
from pipeline.model import Message
from pipeline.settings import MailSettings
from pipeline.stages import announce, digests, letters, quoting
from pipeline.stages.work import Item, Run, StageReport, backoff, begin

log = structlog.get_logger()

FIRST_RETRY = timedelta(minutes=1)
RETRY_CAP = timedelta(hours=4)  # 1, 2, 4, ... 240 minutes: 12 attempts span 16 hours
DOWN_RETRY = timedelta(minutes=1)  # while no mail server can be reached, however long that lasts
ENOUGH = 2  # so many times a run knocks at a mail server's closed door
STEPS = 12  # of a conversation with a mail server, each of which may last as long as its time-out
RECONNECTS = (0.5, 2.0, 8.0, 20.0)  # seconds between tries to note a mail that went out, where the database is gone
LOOK = 1.0  # seconds between two looks for something else to do while all that is left waits for its domain's rate


class Deps(quoting.Deps, Protocol):
    def mailer(self) -> Mailer: ...
    def messenger(self) -> Messenger: ...
    def session(self) -> AbstractContextManager[Connection]: ...


def run(conn: Connection, deps: Deps, limit: int) -> StageReport:
    """Send up to `limit` due alerts. Where all that is left waits for the rate of its domain, so does the run, a
    minute at most.
    """
    digests.queue_due(conn, deps)
    with begin(conn, deps, "notify") as run:
        items = {item.item_id: item for item in run.claim(limit, a_host=deps.settings.alerts.domain_rate)}
        if items:
            sending = _Sending(run, deps)
            _prepare(run, max(items))
            alerts = rows(conn, "alerts.to_send", alert_ids=list(items))
            _services(sending, deps, items, [alert for alert in alerts if alert.channel != "mail"])
            _mails(sending, deps, items, [alert for alert in alerts if alert.channel == "mail"])
    if items and sending.free_at:
        _wait(conn, deps, min(sending.free_at))
    return run.report


def _services(sending: _Sending, deps: Deps, items: dict[int, Item], alerts: list[Any]) -> None:
    """First, since trouble with the mail server is no trouble of theirs."""
    messenger = deps.messenger()
    for alert in alerts:
        with sending.run.shield(items[alert.alert_id]):
            sending.deliver(items[alert.alert_id], alert, lambda message: messenger.send(message.to, message))


def _mails(sending: _Sending, deps: Deps, items: dict[int, Item], alerts: list[Any]) -> None:
    if alerts:
        with deps.mailer() as mailer:
            for alert in alerts:
                with sending.run.shield(items[alert.alert_id]):
                    sending.deliver(items[alert.alert_id], alert, mailer.send)


class _Sending:
    """One batch: each alert goes out, waits, or is given up."""

    def __init__(self, run: Run, deps: Deps) -> None:
        self.run, self._deps = run, deps
        self.free_at: list[datetime] = []  # when the domains of those that wait for their rate take mail again
        self._ahead = Counter[str]()
        self._knocked = 0
        self._down = ""  # why no mail server can be reached
        # A server that hangs costs each mail a time-out. After half of the lease the rest goes back into the queue,
        # for whoever comes first.
        self._deadline = time.monotonic() + deps.settings.lease / 2

    def deliver(self, item: Item, alert: Any, send: Any) -> None:
        if time.monotonic() >= self._deadline:
            with self.run.settling(item):
                self.run.again(item, "again", self._deps.clock.now(), fresh=True)
            return
        if self._knocked >= ENOUGH and alert.channel == "mail":
            self._not_offered(item, self._down)
            return
        wanted = self._wanted_from(alert)
        if wanted is not None and wanted > self._deps.clock.now():
            with self.run.settling(item):
                self.run.again(item, "not-now", wanted, fresh=True)
            return
        message = letters.message(self.run.conn, self._deps, alert) if wanted is not None else None
        if message is None:
            self._give_up(
                item, "withdrawn", "its evidence was withdrawn, or the subscription ended, before it went out"
            )
        elif tries := self._start(item):
            self._send(item, message, send, tries)

    def _wanted_from(self, alert: Any) -> datetime | None:
        """From when on the reader wants to hear of it, as things are now; None where they do not any more."""
        now = self._deps.clock.now()
        if alert.subscription_id is None:
            return now
        asking = rows(self.run.conn, "alerts.still_wanted", alert_id=alert.alert_id)
        return min((news.wanted_from(announce.wishes(r), now) for r in asking), default=None)

    def _start(self, item: Item) -> int:
        """Take the mail's place in the rate of its domain, and the time that the longest conversation may last; all
        senders see both. Which attempt this is; 0 where the mail has to wait, or is another's by now.
        """
        run, settings, now = self.run, self._deps.settings, self._deps.clock.now()
        tries, busy = 0, None
        with run.settling(item):
            rows(run.conn, "alerts.take_turn", domain=item.host)
            ahead, rate = self._ahead[item.host], settings.alerts.domain_rate
            busy = row(run.conn, "alerts.domain_free", domain=item.host, now=now, rate=rate, ahead=ahead)
            if busy is not None:
                run.again(item, "rate", busy.at, fresh=True)
            else:
                run.renew(item, now + timedelta(seconds=max(settings.lease, _longest(settings.mail))))
                tries = row(run.conn, "alerts.tried", alert_id=item.item_id, now=now).tries
        if busy is not None:
            self._ahead[item.host] += 1
            self.free_at.append(busy.at)
        return int(tries)

    def _send(self, item: Item, message: Message, send: Any, tries: int) -> None:
        try:
            send(message)
        except ConfigurationError as error:
            rows(self.run.conn, "alerts.untried", alert_id=item.item_id, problem=str(error))
            raise
        except TransientError as error:
            if error.code == DOWN:
                self._knocked, self._down = self._knocked + 1, str(error)
                self._not_offered(item, str(error), tried=True)
                return
            self._knocked = 0
            if error.code == UNANSWERED:
                log.warning("mail unanswered", alert=item.item_id, message_id=message.message_id)
            if tries < self._deps.settings.mail.max_attempts:
                wait = backoff(FIRST_RETRY, tries, RETRY_CAP)
                with self.run.settling(item):
                    rows(self.run.conn, "alerts.waiting", alert_id=item.item_id, problem=str(error))
                    self.run.again(item, error.code, self._deps.clock.now() + wait, str(error))
                return
            self._give_up(item, error.code, f"given up after {tries} attempts: {error}")
        except PermanentError as error:
            self._give_up(item, error.code, str(error))
        else:
            self._knocked = 0
            log.info("mail accepted", alert=item.item_id, message_id=message.message_id)
            self._note(item, message)
            log.info("mail sent", alert=item.item_id, message_id=message.message_id)

    def _not_offered(self, item: Item, problem: str, *, tried: bool = False) -> None:
        """No mail is given up for a server that is down."""
        with self.run.settling(item):
            name = "alerts.untried" if tried else "alerts.waiting"
            rows(self.run.conn, name, alert_id=item.item_id, problem=problem)
            self.run.again(item, DOWN, self._deps.clock.now() + DOWN_RETRY, problem)

    def _note(self, item: Item, message: Message) -> None:
        """That it went out; where the connection to the database is lost in this moment, by another one."""
        sent = {"alert_id": item.item_id, "subject": message.subject, "now": self._deps.clock.now()}
        try:
            self.run.finish(item, "sent", "alerts.sent", **sent)
        except psycopg.OperationalError:
            if not self.run.conn.broken:
                raise
            for wait in (*RECONNECTS, None):
                try:
                    with self._deps.session() as other:
                        rows(other, "alerts.sent", **sent)
                    log.info("mail sent", alert=item.item_id, message_id=message.message_id)
                    break
                except (psycopg.OperationalError, ConfigurationError):
                    if wait is None:
                        log.error("mail sent and not noted", alert=item.item_id, message_id=message.message_id)
                        raise
                    time.sleep(wait)
            raise

    def _give_up(self, item: Item, outcome: str, problem: str) -> None:
        with self.run.settling(item):
            rows(self.run.conn, "alerts.failed", alert_id=item.item_id, problem=problem)
            self.run.done(item, outcome, problem)


def _prepare(run: Run, alert_id: int) -> None:
    """Have the server read the statement that follows a 250 before it matters; there is no such alert."""
    prepared(run.conn, "alerts.sent", alert_id=-alert_id, subject="", now=run.clock.now())


def _longest(mail: MailSettings) -> float:
    """Seconds that a mail may take: a lease that runs out meanwhile would let another send it too."""
    return STEPS * mail.timeout + mail.answer_timeout


def _wait(conn: Connection, deps: Deps, until: datetime) -> None:
    """Until then, a minute at most, or until something else is due; nothing is leased meanwhile."""
    left = min((until - deps.clock.now()).total_seconds(), 60.0)
    while left > 0 and not any(r.due for r in rows(conn, "work.pending", now=deps.clock.now()) if r.stage == "notify"):
        time.sleep(min(left, LOOK))
        left -= LOOK
