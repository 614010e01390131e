"""A real SMTP server whose answers a test chooses."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

HANG_UP = "hang up"  # an answer of a server that is gone


class Server:
    """An SMTP server whose answers a test chooses; keeps what it took and counts connections."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self.connections = 0
        self.answers: dict[str, list[str]] = {}  # command to the answers it gives first
        self.options: dict[str, Any] = {}
        self.tls: ssl.SSLContext | None = None
        self.hang_up = 0  # so many mails are cut off when all their text was sent
        self.keep_silent = 0  # so many mails are taken, and the connection is cut before the answer
        self.slow = 0.0  # seconds before the answer to a mail's text
        self.while_sending: Callable[[], None] = lambda: None  # called when a mail's text is there
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.protocols: list[SMTP] = []

    def _answer(self, command: str, otherwise: str) -> str:
        left = self.answers.get(command)
        answer = left.pop(0) if left else otherwise
        if answer == HANG_UP:
            self.protocols[-1].transport.abort()
        return answer

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._answer("MAIL", "250 OK")

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:
        answer = self._answer("RCPT", "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        if self.hang_up:
            self.hang_up -= 1
            server.transport.abort()
            return "250 never heard"
        await asyncio.sleep(self.slow)
        await asyncio.to_thread(self.while_sending)
        answer = self._answer("DATA", "250 OK")
        if answer.startswith("250"):
            self.mails.append((envelope.rcpt_tos, envelope.content))
        if self.keep_silent:
            self.keep_silent -= 1
            server.transport.abort()
        return answer

    def _protocol(self) -> SMTP:
        self.connections += 1
        self.protocols.append(SMTP(self, hostname="mx.test", loop=self.loop, enable_SMTPUTF8=True, **self.options))
        return self.protocols[-1]

    def start(self) -> int:
        async def listen() -> asyncio.Server:
            return await self.loop.create_server(self._protocol, "127.0.0.1", 0, ssl=self.tls)

        self.thread.start()
        self.server = asyncio.run_coroutine_threadsafe(listen(), self.loop).result(10)
        return int(self.server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Drop every open connection."""
        self.loop.call_soon_threadsafe(lambda: [p.transport.abort() for p in self.protocols if p.transport])

    def stop(self) -> None:
        async def end() -> None:
            self.server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def parsed(self) -> list[EmailMessage]:
        return [BytesParser(policy=policy.default).parsebytes(raw) for _, raw in self.mails]  # type: ignore[misc]


def login(name: str, password: str) -> dict[str, Any]:
    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (name.encode(), password.encode())
        return AuthResult(success=good, handled=False)

    return {"authenticator": check, "auth_require_tls": False, "auth_required": True}


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A self-made certificate for `name`: its file, and a server's context with it."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return pem, context
