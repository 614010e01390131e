"""Messages as bytes: what any MIME parser reads out of them is what was put in, and no line is too long."""

from __future__ import annotations

from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import mail_samples
import pytest

from pipeline.logic import mime
from pipeline.logic.mail import Thread, alert, digest, operator_note
from pipeline.logic.mailwords import clean
from pipeline.model import Message

AT = datetime(2025, 1, 13, 6, 40, tzinfo=UTC)
SENDER = "watch@example.org"


def message(**changes: Any) -> Message:
    values = {"to": "desk@example.org", "subject": "One", "text": "Text.\n", "html": "<p>Text.</p>"}
    return Message(**{**values, "message_id": "<abc@example.org>", **changes})


def parsed(given: Message) -> EmailMessage:
    raw = mime.build(given, SENDER, AT)
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(map(len, lines)) <= 998
    mail: EmailMessage = BytesParser(policy=policy.default).parsebytes(raw)  # type: ignore[arg-type,assignment]
    assert not [part.defects for part in mail.walk() if part.defects]
    assert not [value.defects for _, value in mail.items() if value.defects]
    return mail


def unflowed(text: str) -> str:
    """Joined again, as RFC 3676 tells readers to."""
    found: list[str] = []
    soft = None  # the mark of a line that goes on
    for line in text.splitlines():
        mark = line[: len(line) - len(line.lstrip(">"))]
        words = line[len(mark) :].removeprefix(" ")
        goes_on = words.endswith(" ") and line != "-- "
        if soft == mark:
            found[-1] += words
        else:
            found.append(f"{mark} {words}" if mark else words)
        if goes_on:
            found[-1] = found[-1][:-1]
        soft = mark if goes_on else None
    return "".join(f"{line}\n" for line in found)


SAMPLES = {
    "korean": alert(mail_samples.alert_content(), "desk@example.org", "<1@example.org>", Thread("<claim@example.org>")),
    "scripts": alert(mail_samples.denied(), "desk@example.org", "<2@example.org>"),
    "digest": digest(mail_samples.digest_content(), "desk@example.org", "<3@example.org>"),
    "note": operator_note("stalled", "fetch has not run\n\nsince noon", "desk@example.org", "<4@example.org>"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_mails_come_out_as_they_went_in(name: str) -> None:
    given = SAMPLES[name]
    mail = parsed(given)
    assert mail.get_content_type() == "multipart/alternative"
    assert (mail["Subject"], mail["Message-ID"], mail["From"]) == (
        given.subject,
        given.message_id,
        f"claimwatch <{SENDER}>",
    )
    assert mail["Date"].datetime == AT
    assert mail["Auto-Submitted"] == "auto-generated"
    for header, value in given.headers.items():
        assert mail[header] == value
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert {part.get_content_charset() for part in (plain, html)} == {"utf-8"}
    assert html.get_content().splitlines() == given.html.splitlines()
    text = plain.get_content()
    told = unflowed(text) if plain.get_param("format") == "flowed" else text
    assert told.splitlines() == given.text.splitlines()


def test_lines_of_plain_text_are_short_but_for_addresses() -> None:
    for given in SAMPLES.values():
        body = parsed(given).get_body(("plain",))
        assert body is not None
        for line in body.get_content().splitlines():
            assert mime._columns(line) <= 78 or "://" in line, line


def test_the_shorter_encoding() -> None:
    def encodings(given: Message) -> list[str]:
        return [str(part["Content-Transfer-Encoding"]) for part in parsed(given).iter_parts()]

    assert encodings(message()) == ["quoted-printable", "quoted-printable"]
    assert encodings(message(text="국정원이 밝혔다.\n")) == ["base64", "quoted-printable"]
    assert encodings(message(text="Потери, — сказано там.\n", html="<p>Потери, — сказано там.</p>")) == ["base64"] * 2
    assert encodings(message(text="By 새벽일보: " + "the report goes on. " * 9)) == ["quoted-printable"] * 2


SUBJECTS = [
    "Killed in Kursk: NIS now says about 600, was 300",
    "쿠르스크 전사자: 국정원은 약 600명이라고 밝혔다, 두 달 전에는 약 300명이라고 했다. 부상자는 따로 집계하지 않았다",
    "Killed in Kursk: first denial, by Вечерний вестник; NIS now says about 600 killed",
    "by \u2068صحيفة المرسى\u2069 (and 3 claims more)",
    "👨‍👩‍👧" * 40,
    "e\u0301" * 300,
    "x" * 10_000,
    "word " * 2_000 + "end",
    "=?utf-8?b?QmNjOiBhbGxAZXhhbXBsZS5vcmc=?= is no word of ours",
    "a =?us-ascii?q?hidden?= b",
    '(a comment) "quotes" <angles> @ , ; :',
    "a",
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_any_subject_arrives(subject: str) -> None:
    given = message(subject=subject)
    assert parsed(given)["Subject"] == subject
    head = mime.build(given, SENDER, AT).split(b"\r\n\r\n")[0].decode()
    raw = head.split("Subject:")[1].split("\r\nDate:")[0]
    assert max(len(line) for line in f"Subject:{raw}".split("\r\n")) <= 78
    assert str(make_header(decode_header(raw.replace("\r\n", "").strip()))) == subject  # another decoder
    for word in raw.split():
        if word.startswith("=?"):
            assert len(word) <= 75
            word.encode("ascii")
            str(make_header(decode_header(word))).encode()  # each word is whole characters


def test_ids_and_addresses_are_folded_but_never_encoded() -> None:
    ids = [f"<{'0123456789abcdef' * 4}.{n}@mail.example.org>" for n in range(12)]
    link = f"https://desk.example.org/mail/unsubscribe?{'a' * 600}"
    headers = {"References": " ".join(ids), "In-Reply-To": ids[-1], "List-Unsubscribe": f"<{link}>"}
    given = message(headers=headers, message_id=ids[0])
    raw = mime.build(given, SENDER, AT)
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in raw
    assert "\r\nReferences: {}\r\n".format("\r\n ".join(ids)).encode() in raw
    assert b"=?" not in raw.split(b"\r\n\r\n")[0]
    assert parsed(given)["References"] == headers["References"]


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "a@b.org\r\nBcc: all@example.org"},
        {"message_id": "<a@b>\r\nBcc: all@example.org"},
        {"headers": {"X-Claimwatch-Claim": "x\r\nBcc: all@example.org"}},
        {"headers": {"References": "<a@b>\r\nBcc: all@example.org"}},
        {"headers": {"References": "<a@b>\x0b<c@d>"}},
        {"headers": {"List-Unsubscribe": "<https://예.example/>"}},
        {"headers": {"List-Unsubscribe": f"<https://a.example/{'x' * 1000}>"}},
    ],
)
def test_no_header_can_be_smuggled_in(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline|[Ii]nvalid|line"):
        mime.build(message(**changes), SENDER, AT)


@pytest.mark.parametrize("breaking", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028", "\x1c"])
def test_a_subject_stays_one_header(breaking: str) -> None:
    mail = parsed(message(subject=f"One{breaking}Bcc: all@example.org"))
    assert mail["Bcc"] is None
    assert mail["Subject"] == "One Bcc: all@example.org"


def test_a_chart_travels_with_the_html() -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    given = alert(mail_samples.alert_content(chart=picture), "desk@example.org", "<abc@claimwatch>")
    plain, related = parsed(given).iter_parts()
    assert (plain.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    html, image = related.iter_parts()
    assert 'src="cid:chart@claimwatch"' in html.get_content()
    assert "29 stories" in html.get_content().split("<img")[1].split(">")[0]
    assert (image["Content-ID"], image.get_content_type()) == ("<chart@claimwatch>", "image/png")
    assert image.get_content_disposition() == "inline"
    assert image.get_content() == picture


def test_the_same_message_is_the_same_bytes() -> None:
    given = alert(mail_samples.alert_content(chart=b"x"), "desk@example.org", "<abc@claimwatch>")
    assert mime.build(given, SENDER, AT) == mime.build(given, SENDER, AT)


@pytest.mark.parametrize(
    "line",
    [
        "word " * 40,
        "> " + "quoted words " * 20,
        "> " + "국정원은 쿠르스크에서 북한군 사망자가 약 600명에 이른다고 밝혔다. " * 4,
        "漢字" * 100,
        "> " + "漢字、" * 60,
        "👨‍👩‍👧" * 60,
        "https://a.example/" + "x" * 2_000,
        "From here on " + "and on " * 20,
        " indented " + "and on " * 20,
        "a  b   c " * 30,
        "-- ",
        "",
    ],
)
def test_flowed_text_can_be_joined_again(line: str) -> None:
    text = f"before\n{line}\nafter\n"
    flowed = mime.flowed(text)
    assert unflowed(flowed) == f"before\n{line if line == '-- ' else line.rstrip()}\nafter\n"
    for part in flowed.splitlines():
        assert mime._columns(part.rstrip()) <= 78 or "://" in part
        assert part == "" or not part.isspace()
    if "👨" in line:
        assert all(part.strip() == "👨‍👩‍👧" * part.count("👨") for part in flowed.splitlines()[1:-1])


def test_words_of_korean_stay_whole() -> None:
    line = "국정원은 쿠르스크에서 북한군 사망자가 약 600명에 이른다고 밝혔다. " * 4
    assert {word for part in mime.flowed(line).splitlines() for word in part.split()} == set(line.split())


def test_cleaning_leaves_nothing_that_a_header_cannot_carry() -> None:
    every = clean("".join(f"a{chr(number)}" for number in [*range(0x10000), 0xE0041, 0x10FFFF]))
    assert every.startswith("a")
    for start in range(0, len(every), 2_000):
        subject = " ".join(every[start : start + 2_000].split())
        assert parsed(message(subject=subject))["Subject"] == subject
