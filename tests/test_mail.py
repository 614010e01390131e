"""Mail: what an alert says, and how it gets to a server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from smtp_server import Server, certificate, login

from pipeline.adapters.mailer import Mailer
from pipeline.clock import FixedClock
from pipeline.errors import ClaimwatchError, ConfigurationError, PermanentError, TransientError
from pipeline.logic import mime
from pipeline.logic.coverage import Coverage
from pipeline.logic.mail import AlertContent, Evidence, Report, alert, operator_note
from pipeline.logic.tracking import Event
from pipeline.model import Message
from pipeline.settings import MailSettings

AT = datetime(2024, 12, 19, 8, 5, tzinfo=UTC)
CLOCK = FixedClock(datetime(2024, 12, 20, 22, tzinfo=UTC))
SENTENCE = "At least ninety of the soldiers fell near the village, the agency said."


def report(publisher: str = "The Tide", **changes: Any) -> Report:
    values = {
        "country": "GB",
        "language": "en",
        "title": "Losses near the border",
        "url": f"https://{publisher.lower().replace(' ', '')}.example/a?x=1&y=2",
        "published": AT,
        "from_entry": False,
    }
    return Report(publisher, **{**values, **changes})


def content(*reports: Report, sentence: str = SENTENCE, kind: str = "first_seen", **changes: Any) -> AlertContent:
    given = reports or (report(), report("Second Post", title="The same again", published=AT + timedelta(hours=1)))
    evidence = Evidence(sentence, f"Before it. {sentence} After it.", "supports", 0.934, given)
    values = {
        "claim_id": "killed-in-kursk",
        "statement": "Soldiers were killed.",
        "coverage": Coverage(3, 7, 3, 2, 4, AT),
    }
    events = [Event(kind, "", "quiet for 12 days before this")]
    return AlertContent(**{"events": events, "evidence": [evidence], **values, **changes})


class Reader(HTMLParser):
    """What a mail program would show, its links, and anything active."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_text_and_html_say_the_same() -> None:
    message = alert(content(), "desk@example.org", "<1@claimwatch>")
    shown = Reader(message.html)
    for said in (
        "Soldiers were killed.",
        SENTENCE,
        "The Tide",
        "Second Post",
        "Losses near the border",
        "The same again",
        "19 December 2024, 08:05 UTC",
        "19 December 2024, 09:05 UTC",
        "supports, probability 93 %",
        "The same report in 1 more article:",
        "So far on this claim, 3 stories, 2 families: 7 articles, 3 publishers, 4 origins, the first of 19 December",
        "killed-in-kursk",
    ):
        assert said in message.text, said
        assert said in shown.text, said
    assert "First report we have seen" in message.text
    assert "First report we have seen" in shown.text
    links = ["https://thetide.example/a?x=1&y=2", "https://secondpost.example/a?x=1&y=2"]
    assert shown.links == links
    assert re.findall(r"https?://\S+", message.text) == links
    assert message.subject == f"[claimwatch] killed-in-kursk: first report, The Tide: {SENTENCE}"


def test_one_report_of_the_feeds_own_text() -> None:
    given = content(report(from_entry=True, country=None), kind="fresh_coverage", coverage=Coverage(1, 1, 1, 1, 1))
    message = alert(given, "a@b.org", "<1@x>")
    for text in (message.text, Reader(message.html).text):
        assert "Fresh coverage" in text
        assert "Quiet for 12 days before this." in text
        assert "from the feed's own text (the page could not be read)" in text
        assert "1 story, 1 family: 1 article, 1 publisher, 1 origin." in text
        assert "The same report" not in text
        assert "(GB)" not in text


def test_each_quotation_says_why_whom_it_rests_on_and_how_sure() -> None:
    known = {"origins": ("NIS", "Reuters"), "why": "sentence 2 of 3: killed +\n kursk", "precision": 0.8, "labels": 312}
    first = Evidence(SENTENCE, f"Before it. {SENTENCE}", "supports", 0.934, [report()], **known)
    second = Evidence("They did not.", "They did not.", "refutes", 0.61, [report()], confirmed=True, labels=0)
    message = alert(content(evidence=[first, second]), "a@b.org", "<1@x>")
    for text in (message.text, Reader(message.html).text):
        for said in (
            "supports, probability 93 %, resting on NIS and Reuters",
            "Why: sentence 2 of 3: killed + kursk",
            "Of labelled pairs accepted at this setting, 80 % were right (312 labels).",
            "refutes, probability 61 %",
            "A reviewer confirmed it.",
        ):
            assert text.count(said) == 1, said
        assert text.count("Why:") == text.count("were right") == 1


def test_long_sentences_are_cut_in_the_subject_alone() -> None:
    long = "word " * 60 + "end."
    message = alert(content(sentence=long), "a@b.org", "<1@x>")
    assert len(message.subject) < 160
    assert message.subject.endswith("…")
    assert "end." in message.text


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</b></blockquote><a href='javascript:alert(1)'>x</a>",
    "{{ 7 * 7 }} {% raw %} &amp; <b>",
]


@pytest.mark.parametrize("evil", HOSTILE)
def test_html_escapes_what_publishers_write(evil: str) -> None:
    reports = [report(publisher=evil, title=evil, country=evil)]
    evidence = [Evidence(evil, f"Before it. {evil}", evil, 0.9, reports, origins=(evil,), why=evil)]
    given = content(evidence=evidence, statement=evil)
    message = alert(given, "a@b.org", "<1@x>")
    shown = Reader(message.html)
    assert shown.tags <= {"html", "body", "p", "h2", "b", "br", "a", "blockquote", "span", "small", "ul", "li"}
    assert shown.text.count(" ".join(evil.split())) >= 7
    assert message.text.count(evil) >= 7  # plain text is not escaped
    assert all(link.startswith("https://") for link in shown.links)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "urn:claimwatch:1:ab", "JavaScript:x", "//x"]
)
def test_only_web_addresses_become_links(url: str) -> None:
    message = alert(content(report(url=url), report("Other")), "a@b.org", "<1@x>")
    shown = Reader(message.html)
    assert shown.links == ["https://other.example/a?x=1&y=2"]
    assert url in shown.text  # told all the same, as text
    assert url in message.text


def test_quotes_in_an_address_stay_inside_it() -> None:
    url = 'https://x.example/?q="onclick="alert(1)&b=\'<i>'
    assert Reader(alert(content(report(url=url)), "a@b.org", "<1@x>").html).links == [url]


@pytest.mark.parametrize("breaking", ["\r\nBcc: all@example.org", "\nX: y", "\u2028X: y", "\x0bX", "\x85X"])
def test_subjects_are_one_line(breaking: str) -> None:
    given = content(report(publisher=f"The Tide{breaking}"), sentence=f"One.{breaking}")
    for message in (alert(given, "a@b.org", "<1@x>"), operator_note(f"stalled{breaking}", "body", "a@b.org", "<1@x>")):
        assert len(message.subject.splitlines()) == 1


def test_operator_note() -> None:
    message = operator_note("the pipeline has stalled", "fetch: 3 <due>\n\nmore", "a@b.org", "<1@x>")
    assert message.subject == "[claimwatch] the pipeline has stalled"
    assert message.text == "fetch: 3 <due>\n\nmore\n"
    assert "fetch: 3 <due>" in Reader(message.html).text


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


def test_a_chart_travels_with_the_html(server: Server, connect: Callable[..., Mailer]) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    given = alert(replace(content(report()), chart=picture), "desk@example.org", "<abc@claimwatch>")
    with connect() as mailer:
        mailer.send(given)
    (mail,) = server.parsed()
    plain, related = mail.iter_parts()
    assert (plain.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    html, image = related.iter_parts()
    assert 'src="cid:chart@claimwatch"' in html.get_content()
    assert "alt=" in html.get_content().split("<img")[1].split(">")[0]
    assert (image["Content-ID"], image.get_content_type()) == ("<chart@claimwatch>", "image/png")
    assert image.get_content() == picture
    assert mail.get_body(("plain",)).get_content().splitlines() == given.text.splitlines()


def test_a_mail_arrives_whole(server: Server, connect: Callable[..., Mailer]) -> None:
    sentence = "북한군 병사 100명이 전사했다고 국정원이 밝혔다. Потери, — сказано там. From here on"
    given = alert(content(report(publisher="새벽일보"), sentence=sentence), "desk@example.org", "<abc@claimwatch>")
    with connect() as mailer:
        mailer.send(given)
    (mail,) = server.parsed()
    assert mail["Subject"] == given.subject
    assert "새벽일보" in mail["Subject"]
    assert (mail["From"], mail["To"], mail["Message-ID"]) == (
        "watch@example.org",
        "desk@example.org",
        "<abc@claimwatch>",
    )
    assert mail["Date"].datetime == CLOCK.at
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Claimwatch-Claim"] == "killed-in-kursk"
    assert mail.get_content_type() == "multipart/alternative"
    for part, text in (("plain", given.text), ("html", given.html)):
        body = mail.get_body((part,))
        assert body is not None
        assert body.get_content_charset() == "utf-8"
        assert body.get_content().splitlines() == text.splitlines()
    raw = server.mails[0][1]
    assert raw.isascii()
    assert "cid:" not in given.html
    assert max(len(line) for line in raw.splitlines()) <= 998


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
