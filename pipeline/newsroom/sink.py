"""A local mail sink: takes any mail by SMTP and appends it to one mbox file.

    python -m pipeline.newsroom.sink --port 1025 --mbox PATH

A 250 means that the message is on the disk. If it can't be written, the sender is told so with a temporary
452 and the file is as it was before. The format is mboxrd: body lines that look like a separator get one `>`
more on the way in, and `read` takes it off again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import mailbox
import os
import re
import signal
import stat
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from email.header import Header
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aiosmtpd.smtp import SMTP

from pipeline.errors import ConfigurationError
from pipeline.newsroom.loopback import require_loopback

STORED = "250 2.0.0 Message stored"
FULL = "452 4.3.1 Insufficient system storage"
SIZE_LIMIT = 32 * 1024 * 1024


class Envelope(Protocol):
    """What this module needs of aiosmtpd's envelope."""

    mail_from: str | None
    rcpt_tos: list[str]
    content: bytes | None


class Sink:
    """aiosmtpd's handler: one mbox file. The writes block the loop, which also keeps them in line."""

    def __init__(self, mbox: Path) -> None:
        self.mbox = mbox

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
        message = entry(envelope.mail_from or "", envelope.rcpt_tos, envelope.content or b"")
        try:
            append(self.mbox, message)
        except OSError as error:
            print(f"sink: can't write {self.mbox}: {error.strerror}", file=sys.stderr, flush=True)
            return FULL
        return STORED


def entry(sender: str, recipients: Sequence[str], content: bytes) -> bytes:
    """One message as it stands in the mbox: separator, envelope headers, escaped message, empty line."""
    separator = f"From MAILER-DAEMON {datetime.now(UTC):%a %b %d %H:%M:%S %Y}\n"
    envelope = f"X-Envelope-From: {_header(sender)}\nX-Envelope-To: {_header(', '.join(recipients))}\n"
    message = content.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
    escaped = re.sub(rb"^(>*From )", rb">\1", message, flags=re.MULTILINE)
    return separator.encode() + envelope.encode() + escaped + b"\n"


def append(mbox: Path, message: bytes) -> None:
    """Add `message` and put it on the disk. Raises OSError, with a regular file cut back to its old size."""
    handle = os.open(mbox, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        before = os.fstat(handle)
        try:
            rest = memoryview(message)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        except OSError:
            if stat.S_ISREG(before.st_mode):
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, before.st_size)
            raise
    finally:
        os.close(handle)


if TYPE_CHECKING:
    _Policy = EmailPolicy[EmailMessage]
else:
    _Policy = EmailPolicy  # generic for type checkers only


class _Utf8Headers(_Policy):
    """The default policy, reading headers in raw UTF-8 (SMTPUTF8, RFC 6532) as such."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        lines = [line.encode("ascii", "surrogateescape").decode("utf-8", "replace") for line in sourcelines]
        return super().header_source_parse(lines)


def read(mbox_path: Path) -> list[EmailMessage]:
    """The messages of a sink's mbox, in order of arrival; none if the file does not exist yet."""
    if not mbox_path.exists():
        return []
    parser: BytesParser[EmailMessage] = BytesParser(policy=_Utf8Headers())
    box = mailbox.mbox(mbox_path, create=False)
    try:
        raw = [box.get_bytes(key) for key in box.keys()]  # noqa: SIM118 - iterating a mailbox gives messages
    finally:
        box.close()
    return [parser.parsebytes(re.sub(rb"^>(>*From )", rb"\1", text, flags=re.MULTILINE)) for text in raw]


async def serve(mbox: Path, bind: str = "127.0.0.1", port: int = 0) -> asyncio.Server:
    """A listening sink. Raises ConfigurationError for an address off this machine or a missing folder."""
    require_loopback(bind)
    if not mbox.parent.is_dir():
        raise ConfigurationError(f"there is no folder {mbox.parent} to keep the mail in", code="mbox")
    loop, sink = asyncio.get_running_loop(), Sink(mbox)

    def protocol() -> asyncio.Protocol:
        session: asyncio.Protocol = SMTP(
            sink,
            hostname="localhost",
            ident="claimwatch mail sink",
            enable_SMTPUTF8=True,
            data_size_limit=SIZE_LIMIT,
            loop=loop,
        )
        return session

    return await loop.create_server(protocol, bind, port)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take mail until SIGINT or SIGTERM. Exit status 2 if it can't start as asked."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.newsroom.sink", description="A mail sink.")
    parser.add_argument("--port", type=int, default=1025, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--bind", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--mbox", type=Path, required=True, help="the file to append to")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_run(options.mbox, options.bind, options.port))
    except (ConfigurationError, OSError) as error:
        print(f"sink: {error}", file=sys.stderr)
        return 2
    return 0


async def _run(mbox: Path, bind: str, port: int) -> None:
    server, stop = await serve(mbox, bind, port), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host, taken = server.sockets[0].getsockname()[:2]
    print(f"sink ready on smtp://{host}:{taken}, writing {mbox}", flush=True)
    await stop.wait()
    server.close()


def _header(value: str) -> str:
    """`value` as a header body: an encoded word where it is not plain ASCII."""
    return value if value.isascii() else Header(value, "utf-8", maxlinelen=0).encode()


if __name__ == "__main__":
    sys.exit(main())
