"""How mail gets to a server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mail_samples
import pytest
from smtp_server import Server, certificate, login

from pipeline.adapters.mailer import Mailer
from pipeline.clock import FixedClock
from pipeline.errors import ClaimwatchError, ConfigurationError, PermanentError, TransientError
from pipeline.logic import mime
from pipeline.logic.mail import alert
from pipeline.model import Message
from pipeline.settings import MailSettings

CLOCK = FixedClock(datetime(2024, 12, 20, 22, tzinfo=UTC))


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    if made.thread.is_alive():
        made.stop()


@pytest.fixture
def connect(server: Server) -> Callable[..., Mailer]:
    def made(**settings: Any) -> Mailer:
        values = {"host": "127.0.0.1", "port": server.start(), "sender": "watch@example.org", "timeout": 5.0}
        return Mailer(MailSettings(**{**values, **settings}), CLOCK, mime.build)

    return made


def message(to: str = "desk@example.org", **changes: Any) -> Message:
    values = {"subject": "One", "text": "Text.\n", "html": "<p>Text.</p>", "message_id": "<abc@claimwatch>"}
    return Message(to, **{**values, **changes})


def test_a_mail_arrives_whole(server: Server, connect: Callable[..., Mailer]) -> None:
    given = alert(mail_samples.denied(), "desk@example.org", "<abc@claimwatch>")
    with connect() as mailer:
        mailer.send(given)
    (mail,) = server.parsed()
    assert (mail["Subject"], mail["Message-ID"]) == (given.subject, "<abc@claimwatch>")
    assert (mail["From"], mail["To"]) == ("claimwatch <watch@example.org>", "desk@example.org")
    assert mail["Date"].datetime == CLOCK.at
    assert server.mails[0][1] == mime.build(given, "watch@example.org", CLOCK.at)


def test_the_same_mail_twice_has_one_message_id(server: Server, connect: Callable[..., Mailer]) -> None:
    with connect() as mailer:
        for _ in range(2):
            mailer.send(message())
    first, second = server.mails
    assert re.findall(rb"Message-ID: (.*)\r\n", first[1]) == re.findall(rb"Message-ID: (.*)\r\n", second[1])


def test_no_header_can_be_smuggled_in(server: Server, connect: Callable[..., Mailer]) -> None:
    with connect() as mailer:
        mailer.send(message(subject="One\r\nBcc: all@example.org"))
        for bad in (
            message("a@b.org\r\nBcc: all@example.org"),
            message(headers={"X-Claimwatch-Claim": "x\r\nBcc: all@example.org"}),
            message(message_id="<a@b>\r\nBcc: all@example.org"),
        ):
            with pytest.raises(ValueError, match=r"linefeed|newline|[Ii]nvalid|line"):
                mailer.send(bad)
    (mail,) = server.parsed()
    assert mail["Bcc"] is None
    assert mail["Subject"] == "One Bcc: all@example.org"
    assert server.mails[0][0] == ["desk@example.org"]


def test_lines_that_look_like_the_protocol(server: Server, connect: Callable[..., Mailer]) -> None:
    text = ".\n..\nFrom me\nQUIT\n.\n"
    with connect() as mailer:
        mailer.send(message(text=text))
    body = server.parsed()[0].get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == text.splitlines()


def test_one_connection_for_a_batch(server: Server, connect: Callable[..., Mailer]) -> None:
    with connect() as mailer:
        for number in range(5):
            mailer.send(message(subject=str(number)))
    assert [mail["Subject"] for mail in server.parsed()] == list("01234")
    assert server.connections == 1


@pytest.mark.parametrize(
    ("command", "answer", "kind", "code"),
    [
        ("RCPT", "450 4.2.1 Mailbox busy", TransientError, "smtp-450"),
        ("RCPT", "550 5.1.1 No such user", PermanentError, "smtp-550"),
        ("DATA", "452 4.3.1 Disk full", TransientError, "smtp-452"),
        ("DATA", "554 5.7.1 Spam", PermanentError, "smtp-554"),
        ("MAIL", "451 4.7.1 Greylisted", TransientError, "smtp-451"),
        ("MAIL", "552 5.3.4 Too big", PermanentError, "smtp-552"),
        ("MAIL", "530 5.7.0 Authentication required", ConfigurationError, "configuration"),
        ("MAIL", "550 5.1.8 Sender rejected", ConfigurationError, "configuration"),
        ("RCPT", "421 4.3.2 Shutting down", TransientError, "smtp-421"),
    ],
)
def test_refusals(
    command: str,
    answer: str,
    kind: type[ClaimwatchError],
    code: str,
    server: Server,
    connect: Callable[..., Mailer],
) -> None:
    server.answers[command] = [answer]
    with connect() as mailer:
        with pytest.raises(kind, match=answer[:3]) as raised:
            mailer.send(message())
        assert raised.value.code == code
        mailer.send(message(subject="after"))  # one refusal says nothing of the next mail
    assert [mail["Subject"] for mail in server.parsed()] == ["after"]


def test_a_connection_dropped_in_the_middle(server: Server, connect: Callable[..., Mailer]) -> None:
    server.hang_up = 1
    with connect() as mailer:
        with pytest.raises(TransientError, match="did not answer") as raised:
            mailer.send(message(subject="cut off"))
        assert raised.value.code == "smtp-unanswered"
        mailer.send(message(subject="after"))
        server.cut()  # between two mails: nothing is lost by it
        mailer.send(message(subject="again"))
    assert [mail["Subject"] for mail in server.parsed()] == ["after", "again"]
    assert server.connections == 3


def test_nobody_listens(connect: Callable[..., Mailer], server: Server) -> None:
    mailer = connect()
    server.stop()
    with mailer, pytest.raises(TransientError, match=r"no mail server at 127\.0\.0\.1:") as raised:
        mailer.send(message())
    assert raised.value.code == "smtp-down"


def test_addresses_beyond_ascii(server: Server, connect: Callable[..., Mailer]) -> None:
    with connect() as mailer:
        mailer.send(message("박@예.example"))
    assert server.mails[0][0] == ["박@예.example"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_login(server: Server, connect: Callable[..., Mailer]) -> None:
    server.options = login("watch", "right")
    with connect(username="watch", password="right") as mailer:
        mailer.send(message())
    assert len(server.mails) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"username": "watch", "password": "wrong-secret"}, "refused the login of watch"),
        ({}, "takes no mail from"),
    ],
)
def test_a_wrong_or_missing_login_is_a_setting(
    settings: dict[str, str], said: str, server: Server, connect: Callable[..., Mailer]
) -> None:
    server.options = login("watch", "right")
    with connect(**settings) as mailer, pytest.raises(ConfigurationError, match=said) as raised:
        mailer.send(message())
    assert "wrong-secret" not in str(raised.value)


def test_a_server_that_offers_less_than_was_set(server: Server, connect: Callable[..., Mailer]) -> None:
    """No mail is given up, and none goes out in clear text."""
    with connect(security="starttls") as mailer, pytest.raises(ConfigurationError, match="CLAIMWATCH_MAIL__SECURITY"):
        mailer.send(message())
    assert not server.mails


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("trusted", [True, False])
def test_tls(
    security: str,
    trusted: bool,
    server: Server,
    connect: Callable[..., Mailer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pem, context = certificate(tmp_path, "localhost")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    if security == "tls":
        server.tls = context
    else:
        server.options = {"tls_context": context, "require_starttls": True}
    with connect(security=security, host="localhost") as mailer:
        if trusted:
            mailer.send(message())
        else:
            with pytest.raises(ConfigurationError, match="certificate of the mail server"):
                mailer.send(message())
    assert len(server.mails) == trusted
