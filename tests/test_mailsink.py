"""The local mail sink: what it takes it keeps, and what it can't keep it refuses."""

from __future__ import annotations

import mailbox
import os
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from pipeline.newsroom import sink

ROOT = Path(__file__).parents[1]


def mail(subject: str, body: str, to: str = "desk@monitor.example") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "claimwatch@monitor.example"
    message["To"] = to
    message["Subject"] = subject
    message.set_content(body, cte="8bit")
    return message


@contextmanager
def running(mbox: Path) -> Iterator[smtplib.SMTP]:
    """The command on a free port, writing to `mbox`; ended by SIGTERM, which it must take as a normal end."""
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "pipeline.newsroom.sink",
        "--port",
        "0",
        "--mbox",
        str(mbox),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = process.stdout.readline()
        assert ready.startswith("sink ready on smtp://127.0.0.1:"), process.stderr.read()
        port = int(ready.split(",")[0].rsplit(":", 1)[1])
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            yield client
        process.terminate()
        assert process.wait(10) == 0
        assert "Traceback" not in process.stderr.read()


def test_mail_is_kept_as_it_came(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    assert sink.read(path) == []
    subject = "[경보] 북한군 전사자 600명, 국정원 확인"
    body = "국정원은 전사자가 600명이라고 밝혔다.\n\nFrom Seoul, a line like a separator.\n>From quoted.\n.dot\n"
    with running(path) as client:
        # not send_message: smtplib itself puts a `>` before "From " there
        client.sendmail("claimwatch@monitor.example", "desk@monitor.example", mail(subject, body).as_bytes(policy=SMTP))
        client.send_message(mail("둘째", "끝\n", "분석@모니터.example"), mail_options=["SMTPUTF8"])
        client.sendmail("a@b.example", ["c@d.example", "e@d.example"], b"Subject: bare\r\n\r\nno newline at the end")
        written = path.read_bytes()
    first, second, third = sink.read(path)
    assert (first["Subject"], first.get_content()) == (subject, body)
    assert first["X-Envelope-From"] == "claimwatch@monitor.example"
    assert (second["Subject"], second["To"]) == ("둘째", "분석@모니터.example")
    assert second["X-Envelope-To"] == "분석@모니터.example"
    assert third["X-Envelope-To"] == "c@d.example, e@d.example"
    assert third.get_content() == "no newline at the end\n"
    assert written == path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_other_readers_of_mbox_see_the_same_messages(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    for number in range(3):
        sink.append(path, sink.entry("a@b.example", ["c@d.example"], f"Subject: {number}\n\nFrom x\n".encode()))
    box = mailbox.mbox(path, create=False)
    assert [message["Subject"] for message in box] == ["0", "1", "2"]
    box.close()


def test_a_full_disk_is_a_temporary_refusal(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    path.symlink_to("/dev/full")
    with running(path) as client:
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            client.send_message(mail("x", "y\n"))
        assert refusal.value.smtp_code == 452
        assert refusal.value.smtp_error == b"4.3.1 Insufficient system storage"
        client.rset()
        path.unlink()  # there is room again: the same session goes on
        client.send_message(mail("later", "y\n"))
    assert [message["Subject"] for message in sink.read(path)] == ["later"]


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_a_failed_write_leaves_no_half_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    path, write = tmp_path / "mail.mbox", os.write
    sink.append(path, sink.entry("a@b.example", ["c@d.example"], b"Subject: kept\n\nx\n"))
    before, calls = path.read_bytes(), []

    def half(handle: int, data: memoryview) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(handle, data[: len(data) // 2])

    def no_sync(handle: int) -> None:
        raise OSError(5, "Input/output error")

    broken: dict[str, Callable[..., object]] = {"write": half, "fsync": no_sync}
    monkeypatch.setattr(os, failing, broken[failing])
    with pytest.raises(OSError, match=r"No space|Input/output"):
        sink.append(path, sink.entry("a@b.example", ["c@d.example"], b"Subject: lost\n\nx\n"))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "arguments", [["--bind", "0.0.0.0", "--mbox", "x"], ["--port", "0", "--mbox", "/nowhere/at/all/x"]]
)
def test_it_refuses_to_start_where_it_must_not(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert sink.main(arguments) == 2
    assert capsys.readouterr().err.startswith("sink: ")
