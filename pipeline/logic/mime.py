"""A message as the bytes that a mail server takes: MIME, in ASCII, no line longer than 998. Pure.

The same message, sender and date make the same bytes, so that a mail that is tried again is the same mail.
"""

from __future__ import annotations

import base64
import quopri
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from hashlib import sha256

from pipeline.logic.mailwords import continues
from pipeline.model import Message

NAME = "claimwatch"  # whom a mail is shown to be from
CID = "chart@claimwatch"
WIDTH = 76  # columns of plain text; characters of Korean, Chinese and Japanese take two
ENCODED = 36  # bytes in one encoded word of a header, or more where what is seen as one character needs them
LINE = 78  # what a header's lines should stay within (RFC 5322)
# Their values are addresses and ids, which programs read as they stand: they are folded between them, never encoded.
VERBATIM = frozenset(
    {"message-id", "in-reply-to", "references", "list-id", "list-unsubscribe", "list-unsubscribe-post"}
)
NO_BREAK_BEFORE = frozenset("、。，．：；！？）」』】〉》…・ー")


class _Policy(EmailPolicy):
    """Where the library reads encoded words out of what it is given, a publisher could write headers in code."""

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        if name.lower() == "subject" or name.lower() in VERBATIM:
            return name, value
        return super().header_store_parse(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in VERBATIM:
            return _folded(name, str(value).split()).encode("ascii")
        if name.lower() == "subject":  # the library's own folding loses spaces between foreign and other words
            return _folded(name, _words(str(value))).encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep=SMTP.linesep, max_line_length=LINE)


def build(message: Message, sender: str, date: datetime) -> bytes:
    """Raises ValueError where an address, id or header holds a line break."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = f"{NAME} <{sender}>"
    mail["To"] = message.to
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(date)
    mail["Message-ID"] = _verbatim(message.message_id)
    mail["Auto-Submitted"] = "auto-generated"
    for name, value in message.headers.items():
        mail[name] = _verbatim(value) if name.lower() in VERBATIM else value
    if any(_columns(line) > LINE for line in message.text.splitlines()):
        text, params = flowed(message.text), {"format": "flowed", "delsp": "yes"}
    else:
        text, params = message.text, {}
    mail.set_content(text, cte=_encoding(text), params=params)
    mail.add_alternative(message.html, subtype="html", cte=_encoding(message.html))
    if message.chart is not None:
        (html,) = (part for part in mail.iter_parts() if part.get_content_subtype() == "html")
        html.add_related(message.chart, "image", "png", cid=f"<{CID}>", filename="timeline.png", disposition="inline")
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        # "=_" stands in no quoted-printable and no base64 text.
        part.set_boundary(f"=_{sha256(f'{message.message_id}/{number}'.encode()).hexdigest()[:32]}")
    return mail.as_bytes()


def flowed(text: str) -> str:
    """Long lines broken so that programs can join them again: format=flowed with delsp=yes (RFC 3676)."""
    return "".join(f"{line}\n" for whole in text.splitlines() for line in _flow(whole))


def _flow(line: str) -> Iterator[str]:
    if line == "-- ":  # what follows is a signature
        yield line
        return
    quoted = re.match(r"(>+) ?", line)
    mark = f"{quoted[1]} " if quoted else ""
    rest = (line[quoted.end() :] if quoted else line).rstrip(" ")
    pieces = list(_pieces(rest, WIDTH - len(mark)))
    for number, piece in enumerate(pieces):
        stuffed = not mark and piece.startswith((" ", ">", "From "))
        soft = number < len(pieces) - 1
        yield f"{mark}{' ' if stuffed else ''}{piece}{' ' if soft else ''}".rstrip(" " if not soft else "")


def _pieces(text: str, width: int) -> Iterator[str]:
    """Parts of a text, broken behind spaces and between wide characters; a long word stays whole."""
    start = last = columns = 0
    for at, char in enumerate(text):
        if at > start and _may_break(text, at):
            last = at
        columns += _columns(char)
        if columns > width and char != " " and last > start:
            yield text[start:last]
            start, columns = last, _columns(text[last : at + 1])
    yield text[start:]


def _may_break(text: str, at: int) -> bool:
    char, before = text[at], text[at - 1]
    if before == " ":
        return char != " "
    wide = all(_columns(one) == 2 and not "가" <= one <= "힣" for one in (before, char))  # Korean has spaces
    return wide and char not in NO_BREAK_BEFORE and not continues(text, at)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _encoding(text: str) -> str:
    """The shorter one: Korean and Cyrillic in base64, mostly English text so that it can be read as it stands."""
    data = text.encode()
    return "base64" if len(base64.encodebytes(data)) < len(quopri.encodestring(data)) else "quoted-printable"


def _verbatim(value: str) -> str:
    if not (value.isascii() and value.isprintable()) or any(len(word) > 900 for word in value.split()):
        raise ValueError(f"invalid header value, a line break or a foreign character: {value[:200]!r}")
    return value


def _words(value: str) -> list[str]:
    """A header's text in words of ASCII; in encoded ones (RFC 2047) where it has others, or what looks like one."""
    plain = value.isascii() and value.isprintable() and "=?" not in value
    if plain and all(len(word) < LINE for word in value.split()):
        return value.split()
    found, start = [], 0
    for at in range(1, len(value) + 1):
        ends = at == len(value) or (len(value[start : at + 1].encode()) > ENCODED and not continues(value, at))
        if ends or len(value[start : at + 1].encode()) > 45:  # 75 characters are the most
            found.append(f"=?utf-8?b?{base64.b64encode(value[start:at].encode()).decode()}?=")
            start = at
    return found


def _folded(name: str, words: Sequence[str]) -> str:
    lines = [f"{name}:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > LINE and not lines[-1].endswith(":"):
            lines.append("")
        lines[-1] += f" {word}"
    return "".join(f"{line}\r\n" for line in lines)
