"""Runs what hostile.py describes: plain, over TLS good and bad, and over HTTP/2, in a thread. For test_hostile.py."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hostile import ADDRESS, FEED, HANDLERS, PAGE, Peer, answer

HTTP2 = ("h2", "h2-goaway", "h2-reset", "h2-headers", "h2-cut", "h2-garbage", "h2-stalled")


async def http2(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    conn.initiate_connection()
    writer.write(conn.data_to_send())
    while data := await reader.read(65_536):
        for event in conn.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                asked = dict(event.headers)
                host, path, stream = str(asked[":authority"]), str(asked[":path"]), event.stream_id
                body = (FEED.format("one") if path.startswith("/feed") else PAGE).encode()
                head = [(":status", "200"), ("content-type", "text/html")]
                if path == "/robots.txt":
                    conn.send_headers(stream, [(":status", "404")], end_stream=True)
                elif host.startswith("h2-goaway"):
                    conn.close_connection(last_stream_id=0)
                elif host.startswith("h2-reset"):
                    conn.reset_stream(stream)
                elif host.startswith("h2-headers"):
                    for n in range(300):
                        head.append((f"x-{n}", "v" * 1000))
                    conn.send_headers(stream, head, end_stream=True)
                elif host.startswith("h2-cut"):
                    conn.send_headers(stream, head)
                    conn.send_data(stream, body[:50])
                    writer.write(conn.data_to_send())
                    return
                elif host.startswith("h2-garbage"):
                    writer.write(b"\xff" * 100)
                else:
                    conn.send_headers(stream, head)
                    if not host.startswith("h2-stalled"):
                        conn.send_data(stream, body, end_stream=True)
        writer.write(conn.data_to_send())
        await writer.drain()


# Serving ------------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """In a thread of its own. `ports` by kind; `counts` is how often each host and path was asked."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def __enter__(self) -> Server:
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(20)
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            for server in self._servers:
                server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        self.authority = _authority(self.folder)
        kinds = {
            "http": (self._http, None),
            "https": (self._http, self._context("https.example")),
            "expired": (self._http, self._context("expired.example", days=-1)),
            "wrong-name": (self._http, self._context("other.example")),
            "h2": (http2, self._context(*(f"{name}.example" for name in HTTP2), h2=True)),
            "no-tls": (_no_tls, None),
            "half-tls": (_half_tls, None),
            "cut-tls": (_cut_tls, None),
        }
        self._servers = []
        for kind, (serve, context) in kinds.items():
            server = await asyncio.start_server(self._kept(serve), ADDRESS, 0, ssl=context)
            self._servers.append(server)
            self.ports[kind] = server.sockets[0].getsockname()[1]

    def _kept(self, serve: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            self._tasks.add(task)
            try:
                await serve(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, h2.exceptions.H2Error):
                pass
            finally:
                self._tasks.discard(task)
                with contextlib.suppress(Exception):
                    writer.close()

        return run

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readuntil(b"\r\n\r\n"):
            first, *rest = request.decode("latin-1").split("\r\n")
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in rest) if k}
            host, path = headers["host"].partition(":")[0], first.split(" ")[1]
            where = host, path.partition("?")[0]
            peer = Peer(host, path, headers, reader, writer, self.counts.get(where, 0))
            self.counts[where] = peer.seen + 1
            if path == "/robots.txt":
                writer.write(answer(peer, 404, b"none"))
            else:
                data = await HANDLERS.get(host.partition(".")[0], HANDLERS["good"])(peer)
                if data is None:
                    await writer.drain()
                    return
                writer.write(data)
            await writer.drain()

    def _context(self, *names: str, days: int = 1, h2: bool = False) -> ssl.SSLContext:
        file = self.folder / f"{names[0]}.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        issuer, issuer_key = self.authority
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .sign(issuer_key, hashes.SHA256())
        )
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if h2:
            context.set_alpn_protocols(["h2"])
        return context


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A certificate authority of the test's own, in folder/authority.pem."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "authority.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


async def _no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\nconnection: close\r\n\r\n")
    await writer.drain()


async def _half_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"\x16\x03\x03\x00\x7a\x02")  # a ServerHello begins, and no more comes
    await writer.drain()
    await asyncio.sleep(30)


async def _cut_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"\x16\x03\x03\x00\x7a\x02")
    await writer.drain()


def watch_memory(stop: threading.Event, peak: list[int]) -> None:
    """Resident bytes of this process, at most, until `stop`."""
    process = psutil.Process()
    while not stop.is_set():
        peak[0] = max(peak[0], process.memory_info().rss)
        time.sleep(0.005)
