"""From the outbox to a mail server or a service: real servers, real answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from conftest import ROOT, Bench, MovableClock, make_settings
from smtp_server import HANG_UP, Server, certificate, login

from pipeline.adapters import database
from pipeline.adapters.database import Connection, row
from pipeline.adapters.mailer import Mailer
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.services import Messenger
from pipeline.errors import ConfigurationError
from pipeline.logic.news import Wishes
from pipeline.logic.smtpconnection import SmtpConnection, mail_settings
from pipeline.model import Message
from pipeline.settings import MailSettings
from pipeline.stages import announce, letters, notify
from pipeline.stages.subscriptions import add_subscription

Delivering = Callable[..., Bench]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    if made.thread.is_alive():
        made.stop()


@pytest.fixture
def delivering(bench: Bench, server: Server) -> Delivering:
    """A bench that mails to the server; sections of settings by name."""

    def made(mail: dict[str, Any] | None = None, **sections: Any) -> Bench:
        values = {"host": "127.0.0.1", "port": server.start(), "sender": "watch@desk.example", "timeout": 2.0}
        dsn = bench.settings.database.dsn
        assert dsn is not None
        settings = make_settings(
            bench.settings.home, dsn.get_secret_value(), mail={**values, **(mail or {})}, **sections
        )
        return Bench(settings, bench.clock, bench.encoder)  # type: ignore[arg-type]

    return made


def queue(conn: Connection, bench: Bench, *readers: str, channel: str = "mail") -> None:
    note: Any = {"subject": "A note", "body": "Some words.", "channel": channel}
    with conn.transaction():
        for to in readers:
            announce.queue(conn, bench.settings, f"{channel}/{to}", to, bench.clock.now(), "operator", **note)


def outcomes(conn: Connection, bench: Bench) -> dict[str, int]:
    return dict(bench.run(conn, "notify")["notify"].outcomes)


def alerts(conn: Connection) -> dict[str, Any]:
    return {r.email: r for r in conn.execute("select * from ingest.alerts").fetchall()}


def waiting(conn: Connection) -> int:
    return int(conn.execute("select count(*) from ingest.work where stage = 'notify'").fetchone()[0])  # type: ignore[index]


def ids(server: Server) -> list[str]:
    return [str(mail["Message-ID"]) for mail in server.parsed()]


# What the server answers -----------------------------------------------------------------------------------------


def test_a_greylisted_mail_comes_later_and_once(
    delivering: Delivering, conn: Connection, clock: MovableClock, server: Server
) -> None:
    bench = delivering()
    queue(conn, bench, "desk@tide.example")
    server.answers["RCPT"] = ["451 4.7.1 Greylisted"] * 2
    for wait in (1, 2):
        assert outcomes(conn, bench) == {"smtp-451": 1}
        found = alerts(conn)["desk@tide.example"]
        assert (found.state, found.problem) == (
            "pending",
            "the mail server answered 451 for desk@tide.example: 4.7.1 Greylisted",
        )
        clock.move(minutes=wait, seconds=-1)
        assert outcomes(conn, bench) == {}
        clock.move(seconds=1)
    assert outcomes(conn, bench) == {"sent": 1}
    found = alerts(conn)["desk@tide.example"]
    assert (found.state, found.problem, found.tries, found.sent_at) == ("sent", None, 3, clock.now())
    assert ids(server) == [found.message_id]
    assert waiting(conn) == 0


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_what_may_pass_is_tried_again_until_it_is_given_up(
    command: str, delivering: Delivering, conn: Connection, clock: MovableClock, server: Server
) -> None:
    bench = delivering({"max_attempts": 3})
    queue(conn, bench, "desk@tide.example")
    server.answers[command] = ["452 4.3.1 Full"] * 9
    for _ in range(3):
        assert outcomes(conn, bench) == {"smtp-452": 1}
        clock.move(hours=1)
    found = alerts(conn)["desk@tide.example"]
    assert (found.state, found.tries) == ("failed", 3)
    assert "given up after 3 attempts: the mail server answered 452" in found.problem
    assert outcomes(conn, bench) == {}
    assert not server.mails


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_what_will_not_pass_is_given_up_at_once(
    command: str, delivering: Delivering, conn: Connection, server: Server
) -> None:
    bench = delivering()
    queue(conn, bench, "gone@tide.example", "there@tide.example")
    server.answers[command] = ["550 5.1.1 No such user"]
    assert outcomes(conn, bench) == {"smtp-550": 1, "sent": 1}
    found = alerts(conn)
    assert found["gone@tide.example"].state == "failed"
    assert "550" in found["gone@tide.example"].problem
    assert found["there@tide.example"].state == "sent"


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_hangs_up(
    command: str, delivering: Delivering, conn: Connection, clock: MovableClock, server: Server
) -> None:
    bench = delivering()
    queue(conn, bench, "a@tide.example", "b@tide.example")
    server.answers[command] = [HANG_UP]
    report = outcomes(conn, bench)
    assert report == {"sent": 1, "smtp-unanswered" if command == "DATA" else "smtp-cut": 1}
    clock.move(minutes=1)
    assert outcomes(conn, bench) == {"sent": 1}
    assert sorted(ids(server)) == sorted(r.message_id for r in alerts(conn).values())


def test_a_server_that_is_down_costs_no_mail_however_long(
    delivering: Delivering, conn: Connection, clock: MovableClock, server: Server
) -> None:
    """It is asked twice a run, not once a mail."""
    bench = delivering({"max_attempts": 2})
    queue(conn, bench, *(f"{n}@tide.example" for n in range(6)))
    server.stop()
    for _ in range(5):
        assert outcomes(conn, bench) == {"smtp-down": 6}
        assert {(r.state, r.tries) for r in alerts(conn).values()} == {("pending", 0)}
        assert all("no mail server at" in r.problem for r in alerts(conn).values())
        clock.move(minutes=1)
    tried = [r.tried_at for r in alerts(conn).values() if r.tried_at]
    assert 2 <= len(tried) <= 6
    again = Server()
    try:
        mail = bench.settings.mail.model_copy(update={"port": again.start()})
        settings = bench.settings.model_copy(update={"mail": mail})
        assert outcomes(conn, Bench(settings, clock, bench.encoder)) == {"sent": 6}  # type: ignore[arg-type]
    finally:
        again.stop()


def test_a_server_that_takes_the_mail_and_does_not_say_so(
    delivering: Delivering, conn: Connection, clock: MovableClock, server: Server
) -> None:
    """Nobody can ask it: the mail is sent again, and readers' programs know it by its Message-ID."""
    bench = delivering()
    queue(conn, bench, "desk@tide.example")
    server.keep_silent = 1
    with structlog.testing.capture_logs() as said:
        assert outcomes(conn, bench) == {"smtp-unanswered": 1}
    assert [line["event"] for line in said if line["log_level"] == "warning"] == ["mail unanswered"]
    assert "had the whole mail and did not answer" in alerts(conn)["desk@tide.example"].problem
    clock.move(minutes=1)
    assert outcomes(conn, bench) == {"sent": 1}
    assert ids(server) == [alerts(conn)["desk@tide.example"].message_id] * 2


def test_a_server_that_thinks_for_long_gets_no_second_mail(
    delivering: Delivering, conn: Connection, clock: MovableClock, server: Server
) -> None:
    """Its answer to the text may take longer than any other: virus scanners sit there."""
    bench = delivering({"timeout": 0.3})
    queue(conn, bench, "a@tide.example")
    server.slow = 1.0
    assert outcomes(conn, bench) == {"sent": 1}
    assert len(server.mails) == 1
    server.slow = 2.0
    mail = bench.settings.mail.model_copy(update={"answer_timeout": 0.3})
    settings = bench.settings.model_copy(update={"mail": mail})
    bench = Bench(settings, clock, bench.encoder)  # type: ignore[arg-type]
    queue(conn, bench, "b@tide.example")
    assert outcomes(conn, bench) == {"smtp-unanswered": 1}


def test_one_connection_a_batch_and_another_where_the_server_has_had_enough(
    delivering: Delivering, conn: Connection, server: Server
) -> None:
    bench = delivering()
    queue(conn, bench, *(f"{n}@tide.example" for n in range(6)))
    server.answers["MAIL"] = ["250 OK", "250 OK", "421 4.7.0 Enough for one connection", "250 OK", HANG_UP]
    assert outcomes(conn, bench) == {"sent": 6}
    assert server.connections == 3
    assert {r.tries for r in alerts(conn).values()} == {1}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_encrypted_connection_with_a_login(
    security: str,
    delivering: Delivering,
    conn: Connection,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pem, context = certificate(tmp_path, "localhost")
    server.options = login("watch", "right")
    if security == "tls":
        server.tls = context
    else:
        server.options |= {"tls_context": context, "require_starttls": True, "auth_require_tls": True}
    bench = delivering({"security": security, "host": "localhost", "username": "watch", "password": "right"})
    queue(conn, bench, "desk@tide.example")
    with pytest.raises(ConfigurationError, match="certificate of the mail server"):
        bench.run(conn, "notify")
    assert (alerts(conn)["desk@tide.example"].state, waiting(conn)) == ("pending", 1)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    assert outcomes(conn, bench) == {"sent": 1}  # the setting is right now: the mail goes at once
    assert len(server.mails) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_wrong_login_costs_no_mail_and_holds_no_service_up(
    delivering: Delivering, conn: Connection, server: Server, hook: Hook
) -> None:
    server.options = login("watch", "right")
    bench = delivering({"username": "watch", "password": "wrong"}, alerts={"services": {"team": hook.address()}})
    queue(conn, bench, "desk@tide.example")
    queue(conn, bench, "team", channel="service")
    with pytest.raises(ConfigurationError, match="refused the login of watch"):
        bench.run(conn, "notify")
    assert (alerts(conn)["team"].state, len(hook.bodies)) == ("sent", 1)
    assert alerts(conn)["desk@tide.example"].state == "pending"
    attempts = conn.execute("select attempts, lease_token from ingest.work where stage = 'notify'").fetchall()
    assert attempts == [(0, None)]
    assert alerts(conn)["desk@tide.example"].tries == 0
    assert "refused the login" in alerts(conn)["desk@tide.example"].problem


# The window, leases ----------------------------------------------------------------------------------------------


def test_between_the_servers_answer_and_the_commit_lies_one_prepared_statement(
    delivering: Delivering, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, after, send, execute = delivering(), [], Mailer.send, type(conn).execute
    queue(conn, bench, "a@tide.example", "b@tide.example")
    query = "select count(*) from pg_prepared_statements where statement like '%set state = ''sent''%'"
    prepared: list[int] = []

    def noted(self: Mailer, message: Message) -> None:
        prepared.append(execute(conn, query).fetchone()[0])  # type: ignore[index]
        send(self, message)
        after.append("250")

    def seen(self: Connection, statement: Any, *given: Any, **options: Any) -> Any:
        after.append("prepared" if options.get("prepare") else "statement")
        return execute(self, statement, *given, **options)

    monkeypatch.setattr(Mailer, "send", noted)
    monkeypatch.setattr(type(conn), "execute", seen)
    with structlog.testing.capture_logs() as said:
        bench.run(conn, "notify")
    assert prepared == [1, 1]
    for place in (n for n, what in enumerate(after) if what == "250"):
        assert after[place + 1] == "prepared"
        assert conn.info.transaction_status == 0
    assert [line["event"] for line in said][:4] == ["mail accepted", "mail sent"] * 2
    assert len({line["message_id"] for line in said[:4]}) == 2


def steal(settings: Any) -> None:
    """Another process takes everything over."""
    with database.connect(settings) as other:
        other.execute("update ingest.work set lease_token = gen_random_uuid() where stage = 'notify'")


def test_what_went_out_is_noted_although_the_lease_was_lost(
    delivering: Delivering, conn: Connection, server: Server
) -> None:
    bench = delivering()
    queue(conn, bench, "desk@tide.example")
    server.while_sending = lambda: steal(bench.settings)
    assert outcomes(conn, bench) == {"sent": 1}
    assert (alerts(conn)["desk@tide.example"].state, waiting(conn)) == ("sent", 0)


def test_what_went_out_is_noted_although_the_database_was_lost(
    delivering: Delivering, conn: Connection, server: Server, pg: EmbeddedServer
) -> None:
    """Its server was restarted between the mail server's answer and our statement."""
    bench = delivering()
    queue(conn, bench, "desk@tide.example")

    def cut() -> None:
        with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
            admin.execute("select pg_terminate_backend(%s)", [conn.info.backend_pid])

    server.while_sending = cut
    with database.session(bench.settings) as other:
        with pytest.raises(psycopg.OperationalError):
            bench.run(conn, "notify")
        assert (alerts(other)["desk@tide.example"].state, waiting(other)) == ("sent", 0)
    assert len(server.mails) == 1


def test_what_was_taken_over_before_is_not_sent(
    delivering: Delivering, conn: Connection, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, words = delivering(), letters.message
    queue(conn, bench, "desk@tide.example")

    def late(*given: Any) -> Any:
        steal(bench.settings)
        return words(*given)

    monkeypatch.setattr(letters, "message", late)
    assert outcomes(conn, bench) == {"lease-lost": 1}
    assert not server.mails
    assert alerts(conn)["desk@tide.example"].tried_at is None


def test_a_mail_in_the_making_is_held_as_long_as_a_conversation_may_last(
    delivering: Delivering, conn: Connection, clock: MovableClock, server: Server
) -> None:
    bench = delivering({"timeout": 5.0, "answer_timeout": 100.0}, lease=20.0)
    queue(conn, bench, "a@tide.example", "b@tide.example")
    held: list[timedelta] = []

    def look() -> None:
        with database.connect(bench.settings) as other:
            found = other.execute("select lease_until from ingest.work where stage = 'notify' order by item_id")
            held.append(found.fetchone()[0] - clock.now())  # type: ignore[index]

    server.while_sending = look
    assert outcomes(conn, bench) == {"sent": 2}
    assert held == [timedelta(seconds=160)] * 2


def test_a_slow_server_does_not_outlast_the_lease(delivering: Delivering, conn: Connection, server: Server) -> None:
    """After half of it the rest goes back into the queue, untried; another process may have it at once."""
    bench = delivering(lease=2.5)
    queue(conn, bench, *(f"{n}@tide.example" for n in range(4)))
    server.slow = 0.7
    report = notify.run(conn, bench, 100)
    assert report.outcomes["sent"] in {1, 2}
    assert report.outcomes["again"] == 4 - report.outcomes["sent"]
    free = conn.execute("select count(*) from ingest.work where attempts = 0 and lease_token is null").fetchone()
    assert free == (report.outcomes["again"],)
    server.slow = 0.0
    assert outcomes(conn, bench) == {"sent": report.outcomes["again"]}


def test_digests_that_are_due_are_put_into_the_outbox_first(
    delivering: Delivering, conn: Connection, clock: MovableClock
) -> None:
    """This one is paused, so it only goes on to its next day."""
    bench, now = delivering(), clock.now()
    wishes = Wishes("daily", hour=8, paused_until=now + timedelta(days=9))
    number = add_subscription(conn, "desk@tide.example", now, wishes)
    conn.execute("update ingest.subscriptions set paused_until = %s", [now + timedelta(days=9)])
    clock.move(days=1)
    assert outcomes(conn, bench) == {}
    assert row(conn, "alerts.subscription", subscription_id=number).next_digest_at > clock.now()


def digest(conn: Connection, bench: Bench, number: int, reader: str) -> int:
    """One that waits in the outbox."""
    now = bench.clock.now()
    span: Any = {"subscription_id": number, "since": now - timedelta(days=1), "until": now}
    with conn.transaction():
        queued = announce.queue(conn, bench.settings, f"digest/{number}/{now}", reader, now, "digest", **span)
    assert queued is not None
    return queued


def test_a_mail_that_waits_when_its_reader_pauses_waits_on(
    delivering: Delivering, conn: Connection, clock: MovableClock
) -> None:
    bench, reader = delivering(), "desk@tide.example"
    number = add_subscription(conn, reader, clock.now(), Wishes("weekly"))
    assert number is not None
    until = clock.now() + timedelta(hours=5)
    row(conn, "alerts.pause", subscription_id=number, until=until, now=clock.now())
    digest(conn, bench, number, reader)
    assert outcomes(conn, bench) == {"not-now": 1}
    clock.move(hours=5, seconds=-1)
    assert outcomes(conn, bench) == {}
    clock.move(seconds=1)
    assert outcomes(conn, bench) == {"sent": 1}


def test_a_mail_that_was_held_up_into_the_quiet_hours_waits_for_their_end(
    delivering: Delivering, conn: Connection, clock: MovableClock, server: Server
) -> None:
    bench, reader, now = delivering(), "desk@tide.example", clock.now()
    quiet = Wishes(quiet_from=(now + timedelta(minutes=1)).time(), quiet_until=(now + timedelta(hours=6)).time())
    number = add_subscription(conn, reader, now, quiet)
    assert number is not None
    digest(conn, bench, number, reader)
    server.answers["RCPT"] = ["451 4.7.1 Greylisted"]
    assert outcomes(conn, bench) == {"smtp-451": 1}
    clock.move(minutes=1)
    assert outcomes(conn, bench) == {"not-now": 1}
    clock.move(hours=6, minutes=-1, seconds=-1)
    assert outcomes(conn, bench) == {}
    clock.move(seconds=1)
    assert outcomes(conn, bench) == {"sent": 1}


def test_what_failed_is_sent_once_more_where_it_is_still_wanted(
    delivering: Delivering, conn: Connection, clock: MovableClock, server: Server
) -> None:
    bench = delivering()
    queue(conn, bench, "note@tide.example")
    numbers = {}
    for reader in ("told@tide.example", "ended@tide.example", "waits@tide.example"):
        number = add_subscription(conn, reader, clock.now(), Wishes("weekly"))
        assert number is not None
        numbers[reader] = (number, digest(conn, bench, number, reader))
    server.answers["RCPT"] = ["550 5.1.1 No such user"] * 4
    assert outcomes(conn, bench) == {"smtp-550": 4}
    clock.move(minutes=1)
    digest(conn, bench, numbers["told@tide.example"][0], "told@tide.example")  # a later one that tells what this would
    row(conn, "alerts.end", subscription_id=numbers["ended@tide.example"][0], now=clock.now())
    assert outcomes(conn, bench) == {"sent": 1}

    def again(*those: int) -> set[int]:
        queued = database.rows(conn, "alerts.again", alert_ids=list(those) or None, now=clock.now())
        return {r.alert_id for r in queued}

    note, waits = alerts(conn)["note@tide.example"], numbers["waits@tide.example"][1]
    assert again(note.alert_id) == {note.alert_id}
    assert again() == {waits}
    assert again() == set()
    assert outcomes(conn, bench) == {"sent": 2}
    assert note.message_id in ids(server)


# The rate of a domain --------------------------------------------------------------------------------------------


def rated(delivering: Delivering, rate: int = 2) -> Bench:
    return delivering(alerts={"domain_rate": rate})


def test_a_domain_gets_so_many_mails_a_minute(
    delivering: Delivering, conn: Connection, clock: MovableClock, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run waits for it with nothing in its hands, and other domains don't."""
    bench, slept = rated(delivering), Counter[bool]()

    def sleep(seconds: float) -> None:
        leased = conn.execute("select count(*) from ingest.work where lease_token is not null").fetchone()[0]  # type: ignore[index]
        slept[leased > 0] += 1
        clock.move(seconds=seconds)

    monkeypatch.setattr(notify.time, "sleep", sleep)
    begun = clock.now()
    queue(conn, bench, *(f"{n}@Tide.example" for n in range(5)), "desk@post.example")
    report = outcomes(conn, bench)
    assert report["sent"] == 6
    assert not slept[True]
    sent = sorted(r.sent_at - begun for to, r in alerts(conn).items() if "Tide" in to)
    assert [round(moment.total_seconds()) for moment in sent] == [0, 0, 60, 60, 120]
    assert alerts(conn)["desk@post.example"].sent_at == begun
    assert {r.tries for r in alerts(conn).values()} == {1}  # waiting is no attempt


def test_the_rate_is_kept_over_a_restart_and_counts_refusals(
    delivering: Delivering, conn: Connection, clock: MovableClock, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = rated(delivering)
    monkeypatch.setattr(notify, "_wait", lambda *_: None)  # somebody ends it meanwhile
    server.answers["RCPT"] = ["451 4.7.1 Greylisted"]
    queue(conn, bench, *(f"{n}@tide.example" for n in range(4)))
    assert outcomes(conn, bench) == {"smtp-451": 1, "sent": 1, "rate": 2}
    clock.move(seconds=59)
    assert outcomes(conn, bench) == {}
    clock.move(seconds=1)
    with database.session(bench.settings) as other:
        assert bench.run(other, "notify")["notify"].outcomes["sent"] == 2


def test_the_rate_is_kept_by_several_senders(
    delivering: Delivering, conn: Connection, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = rated(delivering, rate=5)
    monkeypatch.setattr(notify, "_wait", lambda *_: None)
    queue(conn, bench, *(f"{n}@tide.example" for n in range(24)))
    ready, reports = threading.Barrier(4), []

    def send() -> None:
        with database.session(bench.settings) as own:
            ready.wait(10)
            reports.append(bench.run(own, "notify")["notify"])

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(server.mails) == 5
    assert sum(report.outcomes["sent"] for report in reports) == 5
    assert waiting(conn) == 19


def test_a_clock_that_was_put_back_holds_nothing_up(
    delivering: Delivering, conn: Connection, clock: MovableClock
) -> None:
    bench = rated(delivering, rate=1)
    queue(conn, bench, "a@tide.example")
    assert outcomes(conn, bench) == {"sent": 1}
    clock.move(days=-3)
    queue(conn, bench, "b@tide.example")
    assert outcomes(conn, bench) == {"sent": 1}


# Other services --------------------------------------------------------------------------------------------------


class Hook:
    """A web server that takes JSON as chats do; its answers can be chosen."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.answers: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.paths.append(self.path)
                hook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(hook.answers.pop(0) if hook.answers else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def address(self, secret: str = "hush-token") -> str:
        return f"json://user:{secret}-password@127.0.0.1:{self.server.server_port}/{secret}/room"


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_service_gets_the_mails_text(delivering: Delivering, conn: Connection, hook: Hook, server: Server) -> None:
    bench = delivering(alerts={"services": {"team": hook.address()}})
    queue(conn, bench, "team", channel="service")
    queue(conn, bench, "desk@tide.example")
    assert outcomes(conn, bench) == {"sent": 2}
    (got,), (mail,) = hook.bodies, server.parsed()
    body = BytesParser(policy=default).parsebytes(server.mails[0][1]).get_body(("plain",))  # type: ignore[arg-type]
    assert got["title"] == mail["Subject"]
    assert got["message"].strip().splitlines() == body.get_content().strip().splitlines()
    assert hook.paths == ["/hush-token/room"]
    found = alerts(conn)["team"]
    assert (found.state, found.subject) == ("sent", "[claimwatch] A note")


def test_a_services_secrets_are_told_to_nobody(
    delivering: Delivering,
    conn: Connection,
    clock: MovableClock,
    hook: Hook,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    closed = "json://user:hush-password@127.0.0.1:9/hush-token"
    unreadable = "nonesuch://hush-token/hush"
    services = {"team": hook.address(), "closed": closed, "unreadable": unreadable}
    bench = delivering(alerts={"services": services}, mail={"max_attempts": 2})
    queue(conn, bench, "team", "closed", "unreadable", "nobody", channel="service")
    hook.answers = [403, 500]
    assert outcomes(conn, bench) == {"service-refused": 2, "service-unusable": 1, "service-unknown": 1}
    found = alerts(conn)
    assert found["team"].problem == "the service 'team' did not take the message: it answered 403"
    assert found["closed"].problem == "the service 'closed' did not take the message"
    assert found["unreadable"].problem == (
        "Apprise can't read the address of the service 'unreadable' in [alerts.services]"
    )
    assert (found["nobody"].state, found["nobody"].problem) == (
        "failed",
        "no service is called 'nobody' in [alerts.services]: closed, team, unreadable",
    )
    clock.move(minutes=1)
    outcomes(conn, bench)
    assert {r.state for r in alerts(conn).values()} == {"failed"}
    said = capfd.readouterr()
    told = [said.out, said.err, caplog.text, repr(bench.settings)]
    told += [str(r) for table in ("alerts", "outcomes") for r in conn.execute(f"select * from ingest.{table}")]
    assert not any("hush" in text for text in told)


def test_without_apprise_a_service_waits_and_mails_go_on(
    delivering: Delivering, conn: Connection, hook: Hook, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    bench = delivering(alerts={"services": {"team": hook.address()}})
    queue(conn, bench, "team", channel="service")
    queue(conn, bench, "desk@tide.example")
    assert outcomes(conn, bench) == {"sent": 1, "service-unusable": 1}
    assert "pip install 'claimwatch[services]'" in alerts(conn)["team"].problem
    with pytest.raises(ConfigurationError, match=r"claimwatch\[services\]"):
        Messenger(bench.settings.alerts.services).check("team")


def test_check_mail(
    command: Callable[..., tuple[int, str, str]], server: Server, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMWATCH_MAIL__PORT", str(server.start()))
    monkeypatch.setenv("CLAIMWATCH_ALERTS__SERVICES", json.dumps({"team": hook.address()}))
    status, said, _ = command("check-mail")
    assert status == 0
    assert "ready (not encrypted, without a login); mails come from claimwatch@localhost" in said
    assert "service team: JSON" in said
    assert not server.mails
    assert not hook.bodies
    server.stop()
    monkeypatch.setenv("CLAIMWATCH_ALERTS__SERVICES", json.dumps({"team": "nonesuch://hush"}))
    status, said, wrong = command("check-mail")
    assert status == 1
    assert "no mail server at 127.0.0.1" in said
    assert "Apprise can't read the address of the service 'team'" in said
    assert "hush" not in said + wrong


# Airflow's connection --------------------------------------------------------------------------------------------


def connection(**changes: Any) -> SmtpConnection:
    values = {
        "kind": "smtp",
        "host": "mx.tide.example",
        "port": None,
        "login": "watch",
        "password": "hush",
        "extra": {},
    }
    return SmtpConnection("smtp_default", **{**values, **changes})


@pytest.mark.parametrize(
    ("extra", "port", "security"),
    [
        ({}, 465, "tls"),
        ({"disable_tls": True}, 465, "tls"),
        ({"disable_ssl": True}, 25, "starttls"),
    ],
)
def test_a_connection_is_read_as_airflows_provider_reads_it(extra: dict[str, Any], port: int, security: str) -> None:
    mail = MailSettings(connection="smtp_default", timeout=7.0)
    found = mail_settings(mail, connection(extra=extra))
    assert (found.host, found.port, found.security, found.username) == ("mx.tide.example", port, security, "watch")
    assert found.password is not None
    assert found.password.get_secret_value() == "hush"
    assert (found.timeout, found.connection, found.sender) == (7.0, None, "claimwatch@localhost")
    given = connection(port=587, extra={**extra, "timeout": "9", "from_email": "alerts@tide.example"})
    found = mail_settings(mail, given)
    assert (found.port, found.timeout, found.sender, found.domain) == (587, 9.0, "alerts@tide.example", "tide.example")
    own = MailSettings(connection="smtp_default", sender="watch@desk.example")
    assert mail_settings(own, given).sender == "watch@desk.example"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"extra": {"disable_ssl": True, "disable_tls": True}}, "clear text"),
        ({"extra": {"ssl_context": "none"}}, "check of certificates off"),
        ({"extra": {"auth_type": "oauth2"}}, "oauth2"),
        ({"extra": {"timeout": "hush"}}, "timeout"),
        ({"kind": "http"}, "type http"),
        ({"host": None}, "no host"),
    ],
)
def test_a_connection_that_cannot_be_used(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as raised:
        mail_settings(MailSettings(), connection(**changes))
    assert "hush" not in str(raised.value)


def test_the_command_line_cannot_read_airflows_connections(
    delivering: Delivering, conn: Connection, server: Server
) -> None:
    bench = delivering({"connection": "smtp_default"})
    queue(conn, bench, "desk@tide.example")
    with pytest.raises(ConfigurationError, match="leave them to the DAG `alert`"):
        bench.run(conn, "notify")
    assert (alerts(conn)["desk@tide.example"].state, waiting(conn), server.connections) == ("pending", 1, 0)


SEND = """
import sys
from pipeline import airflow_glue
print("FOUND", airflow_glue.run_stage("notify"))
"""


def test_a_dag_sends_by_airflows_connection(
    delivering: Delivering, conn: Connection, server: Server, tmp_path: Path
) -> None:
    bench = delivering()
    queue(conn, bench, "desk@tide.example")
    dsn = bench.settings.database.dsn
    assert dsn is not None
    port, extra = bench.settings.mail.port, "?disable_ssl=true&disable_tls=true&from_email=alerts%40tide.example"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(tmp_path),
        "CLAIMWATCH_HOME": str(tmp_path),
        "CLAIMWATCH_DATABASE__DSN": dsn.get_secret_value(),
        "CLAIMWATCH_MAIL__CONNECTION": "the_desk",
    }
    command = [sys.executable, "-c", SEND]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Airflow has no such connection" in done.stderr
    assert "AIRFLOW_CONN_THE_DESK" in done.stderr
    environment["AIRFLOW_CONN_THE_DESK"] = f"smtp://127.0.0.1:{port}/{extra}"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "FOUND {'claimed': 1, 'sent': 1}" in done.stdout, done.stderr[-2000:]
    assert server.parsed()[0]["From"].addresses[0].addr_spec == "alerts@tide.example"
