"""A server that misbehaves, each host name in its own way, byte for byte over real sockets. For test_hostile.py.

A handler gets the connection after the request's head was read; what it returns is sent, and the connection goes on;
None closes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import brotli
import h2.config
import h2.connection
import h2.events
import zstandard
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ADDRESS = "127.9.9.9"  # allowed in these tests; the rest of 127.0.0.0/8 is not
TEXT = "The minister told reporters on Tuesday that the talks would go on for as long as they were useful to both. "
PAGE = f"<html><head><title>Talks</title></head><body><article><p>{TEXT * 3}</p></article></body></html>"
FEED = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>'
    "<item><title>{0}</title><guid>{0}</guid><description>Text of {0}.</description></item></channel></rss>"
)


@dataclass
class Peer:
    """One request as the server sees it."""

    host: str
    path: str
    headers: dict[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seen: int = 0  # requests to this host and path before

    @property
    def content(self) -> bytes:
        return (FEED.format("one") if self.path.startswith("/feed") else PAGE).encode()

    @property
    def type(self) -> str:
        return "application/rss+xml" if self.path.startswith("/feed") else "text/html"

    async def drip(self, data: bytes, pause: float = 0.05) -> None:
        while True:
            for n in range(len(data)):
                self.writer.write(data[n : n + 1])
                await self.writer.drain()
                await asyncio.sleep(pause)


Handler = Callable[[Peer], Awaitable[bytes | None]]
HANDLERS: dict[str, Handler] = {}


def answer(peer: Peer, status: int = 200, body: bytes | None = None, **headers: str) -> bytes:
    body = peer.content if body is None else body
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    names.setdefault("content-length", str(len(body)))
    names.setdefault("content-type", peer.type)
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in names.items() if value)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def hostile(name: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS[name] = handler
        return handler

    return register


def says(name: str, **how: object) -> None:
    async def handler(peer: Peer) -> bytes:
        return answer(peer, **how)  # type: ignore[arg-type]

    HANDLERS[name] = handler


def leads_to(name: str, location: str) -> None:
    says(name, status=302, body=b"", location=location)


# Time ---------------------------------------------------------------------------------------------------------


@hostile("silent")
async def _silent(peer: Peer) -> bytes | None:
    await asyncio.sleep(30)
    return None


@hostile("slow-headers")
async def _slow_headers(peer: Peer) -> bytes | None:
    peer.writer.write(b"HTTP/1.1 200 OK\r\n")
    await peer.drip(b"x-slow: 1\r\n")
    return None


@hostile("slow-body")
async def _slow_body(peer: Peer) -> bytes | None:
    peer.writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: " + peer.type.encode() + b"\r\n\r\n")
    await peer.drip(b"x")
    return None


@hostile("early-hints")
async def _early_hints(peer: Peer) -> bytes | None:
    while True:
        peer.writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await peer.writer.drain()
        await asyncio.sleep(0.02)


# Size ---------------------------------------------------------------------------------------------------------


@hostile("endless")
async def _endless(peer: Peer) -> bytes | None:
    peer.writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: " + peer.type.encode() + b"\r\n\r\n")
    while True:
        peer.writer.write(b"<p>" * 20_000)
        await peer.writer.drain()


@hostile("endless-error")
async def _endless_error(peer: Peer) -> bytes | None:
    peer.writer.write(b"HTTP/1.1 500 X\r\n\r\n")
    while True:
        peer.writer.write(b"x" * 60_000)
        await peer.writer.drain()


BOMB = b"\0" * 200_000_000
says("gzip-bomb", body=gzip.compress(BOMB, 1), content_encoding="gzip")
says("brotli-bomb", body=brotli.compress(BOMB, quality=1), content_encoding="br")
says("zstd-bomb", body=zstandard.compress(BOMB), content_encoding="zstd")
del BOMB
says("huge-header", x_huge="h" * 2**20)
says("many-headers", **{f"x_{n}": "v" for n in range(10_000)})
says("said-to-be-huge", content_length=str(10**12))


# The shape of an answer ---------------------------------------------------------------------------------------


@hostile("length-too-long")
async def _too_long(peer: Peer) -> bytes | None:
    peer.writer.write(answer(peer, content_length=str(len(peer.content) + 500)))
    return None


@hostile("length-too-short")
async def _too_short(peer: Peer) -> bytes:
    """The rest looks like an answer of its own: whoever reads on takes it for the next page."""
    good = answer(peer)
    return good + answer(peer, body=b"<html><body><p>forged</p></body></html>")


@hostile("cut")
async def _cut(peer: Peer) -> bytes | None:
    peer.writer.write(answer(peer)[:-40])
    return None


@hostile("reset")
async def _reset(peer: Peer) -> bytes | None:
    peer.writer.transport.abort()
    return None


@hostile("bad-chunks")
async def _bad_chunks(peer: Peer) -> bytes | None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: " + peer.type.encode()
    peer.writer.write(head + b"\r\n\r\nfoo\r\nnot a chunk\r\n")
    return None


@hostile("no-http")
async def _no_http(peer: Peer) -> bytes | None:
    peer.writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    return None


says("empty", body=b"")
says("not-modified", status=304, body=b"", content_length="", content_type="")
says("false-charset", body=None, content_type="text/html; charset=utf-32-klingon")


# Redirects ----------------------------------------------------------------------------------------------------


@hostile("loop")
async def _loop(peer: Peer) -> bytes:
    return answer(peer, 302, b"", location=f"{peer.path}?{peer.seen}")


@hostile("cookie-loop")
async def _cookie_loop(peer: Peer) -> bytes:
    return answer(peer, 302, b"", location=peer.path, set_cookie=f"seen{peer.seen}={'c' * 500}; Path=/")


REFUSED = {
    "to-metadata": "http://169.254.169.254/latest/meta-data/",
    "to-loopback": "http://127.0.0.1:1/",
    "to-name-inside": "http://inside.test/",
    "to-mapped": "http://[::ffff:127.0.0.1]/",
    "to-6to4": "http://[2002:7f00:1::]/",
    "to-teredo": "http://[2001:0:7f00:1::]/",
    "to-nat64": "http://[64:ff9b::7f00:1]/",
    "to-carrier-nat": "http://100.64.0.1/",
    "to-zero": "http://0.0.0.0/",
    "to-decimal": "http://2130706433/",
    "to-hex": "http://0x7f000001/",
    "to-short": "http://127.1/",
    "to-private": "http://192.168.1.1/",
    "to-v6-loopback": "http://[::1]/",
    "to-link-local": "http://[fe80::1]/",
}
for _name, _target in REFUSED.items():
    leads_to(_name, _target)
leads_to("to-octal", "http://0177.0.0.1/")  # no address at all for httpx
leads_to("to-file", "file:///etc/passwd")
leads_to("to-password", "http://user:pw@good.example/")


# Asking less --------------------------------------------------------------------------------------------------

says("busy-seconds", status=429, retry_after="3600")


@hostile("busy-date")
async def _busy_date(peer: Peer) -> bytes:
    return answer(peer, 429, retry_after=format_datetime(BUSY_UNTIL, usegmt=True))


BUSY_UNTIL = datetime(2024, 12, 20, 23, tzinfo=UTC)  # an hour from the clock that tests begin with


says("down", status=503, body=b"later", retry_after="120")


@hostile("lying-etag")
async def _lying_etag(peer: Peer) -> bytes:
    """The content changes with every answer, the ETag never, and whoever names it is told that nothing is new."""
    if "if-none-match" in peer.headers:
        return answer(peer, 304, b"", content_length="", etag='"same"')
    return answer(peer, body=FEED.format(f"item {peer.seen}").encode(), etag='"same"')


@hostile("deaf-etag")
async def _deaf_etag(peer: Peer) -> bytes:
    """One that never says 304."""
    return answer(peer, etag='"same"')


says("good")


# HTTP/2 -------------------------------------------------------------------------------------------------------

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
    import psutil

    process = psutil.Process()
    while not stop.is_set():
        peak[0] = max(peak[0], process.memory_info().rss)
        time.sleep(0.005)
