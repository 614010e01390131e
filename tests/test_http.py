"""The HTTP client, robots.txt and the gate, against real servers on loopback."""

from __future__ import annotations

import asyncio
import gzip
import resource
import socket
import time
import zlib
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.adapters import bodies
from pipeline.adapters.addresses import AddressPolicy, HostMap
from pipeline.adapters.gate import HostGate
from pipeline.adapters.http import HttpClient, article_types
from pipeline.adapters.robots import KEPT, RETRY, Robots
from pipeline.clock import FixedClock
from pipeline.errors import ConfigurationError, PermanentError, TransientError
from pipeline.settings import FetchSettings

LOOPBACK = ["127.0.0.0/8", "::1/128"]
Handler = Callable[[str, dict[str, str], asyncio.StreamWriter], Awaitable[bytes | None]]


def answer(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    names.setdefault("content-length", str(len(body)))
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in names.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Site:
    """A server whose handler gets the path and headers and gives the whole answer, or None to be cut off."""

    def __init__(self, handler: Handler) -> None:
        self.handler, self.seen, self.port = handler, [], 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                first, *rest = request.decode("latin-1").split("\r\n")
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in rest) if k}
                path = first.split(" ")[1]
                self.seen.append((path, headers, time.monotonic()))
                data = await self.handler(path, headers, writer)
                if data is None:
                    break
                writer.write(data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(handler: Handler, **options: Any):
    site = Site(handler)
    tasks: set[asyncio.Task[None]] = set()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await site.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    values = {
        "host_map": {"*.test": f"127.0.0.1:{site.port}"},
        "allow_networks": LOOPBACK,
        "total_timeout": 5.0,
        "idle_timeout": 2.0,
        "connect_timeout": 1.0,
        **options,
    }
    try:
        async with HttpClient(FetchSettings(**values)) as client:
            yield site, client
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def fixed(data: bytes) -> Handler:
    async def handler(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        return data

    return handler


def routes(table: dict[str, bytes]) -> Handler:
    async def handler(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        return table.get(path) or answer(404, b"nothing here")

    return handler


def get(handler: Handler, url: str = "http://paper.test/a", *, options: dict[str, Any] | None = None, **kw: Any):
    async def run():
        async with serving(handler, **(options or {})) as (_, client):
            return await client.get(url, **{"max_body": 10_000, **kw})

    return asyncio.run(run())


def code(handler: Handler, url: str = "http://paper.test/a", **kw: Any) -> str:
    with pytest.raises((TransientError, PermanentError)) as caught:
        get(handler, url, **kw)
    return caught.value.code


def test_a_plain_answer() -> None:
    got = get(fixed(answer(200, b"hello", content_type="text/html", ETag='"1"', set_cookie="a=b")))
    assert (got.status, got.body, got.url, got.permanent_url) == (200, b"hello", "http://paper.test/a", None)
    assert got.headers["etag"] == '"1"'
    assert "set-cookie" not in got.headers
    assert got.elapsed > 0


@pytest.mark.parametrize("status", [304, 404, 410, 429, 500, 503])
def test_statuses_are_returned_not_raised(status: int) -> None:
    body = b"" if status == 304 else b"why"
    got = get(fixed(answer(status, body, retry_after="7")), content_types=article_types)
    assert (got.status, got.body, got.headers["retry-after"]) == (status, body, "7")


def test_conditions_and_name_are_sent() -> None:
    async def run() -> None:
        async with serving(fixed(answer(304)), contact="https://desk.example") as (site, client):
            await client.get("http://a.test/", etag='W/"x"', last_modified="Mon, 07 Oct 2024 00:00:00 GMT", max_body=1)
            headers = site.seen[0][1]
            assert headers["if-none-match"] == 'W/"x"'
            assert headers["if-modified-since"] == "Mon, 07 Oct 2024 00:00:00 GMT"
            assert headers["user-agent"] == "claimwatch/0.1.0 (+https://desk.example)"
            assert headers["host"] == "a.test"

    asyncio.run(run())


def test_cookies_do_not_outlive_a_fetch_but_serve_its_redirects() -> None:
    async def handler(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        if "cookie" in headers:
            return answer(200, b"in")
        return answer(302, location="/a", set_cookie="seen=1; Path=/")

    async def run() -> None:
        async with serving(handler) as (site, client):
            for _ in range(2):
                assert (await client.get("http://a.test/a", max_body=10)).body == b"in"
            assert [("cookie" in headers) for _, headers, _ in site.seen] == [False, True, False, True]

    asyncio.run(run())


# --- size ---


def test_a_declared_length_over_the_cap_is_refused_unread() -> None:
    assert code(fixed(answer(200, b"", content_length="99999999"))) == "too-large"


def test_a_body_that_grows_over_the_cap_is_cut_off() -> None:
    async def endless(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 1000)
            await writer.drain()

    assert code(endless) == "too-large"
    assert len(get(endless, truncate=True).body) == 10_000


def _packed(encoding: str, size: int) -> bytes:
    plain = b"\0" * size
    if encoding == "gzip":
        return gzip.compress(plain)
    if encoding == "deflate":
        return zlib.compress(plain)
    return brotli.compress(plain, quality=1) if encoding == "br" else zstandard.compress(plain)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_stops_at_the_cap(encoding: str) -> None:
    bomb = _packed(encoding, 200_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.monotonic()
    assert code(fixed(answer(200, bomb, content_encoding=encoding)), max_body=1_000_000) == "too-large"
    assert time.monotonic() - begun < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KiB


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_decoder_never_gives_out_much_at_once(encoding: str) -> None:
    pieces = bodies.decoder(encoding).feed(_packed(encoding, 50_000_000))
    assert max(len(piece) for piece in pieces) <= 3 * 2**20


@given(
    st.binary(max_size=5000),
    st.integers(1, 700),
    st.sampled_from(["gzip", "deflate", "raw", "br", "zstd", "2"]),
)
@example(b"\0", 1, "2")
@settings(max_examples=60, deadline=None)
def test_decoders_give_back_what_was_packed(data: bytes, step: int, how: str) -> None:
    data *= 40  # repetition makes decoders hold output back
    if how == "raw":
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        packed, name, step = packer.compress(data) + packer.flush(), "deflate", max(step, 2)
    elif how == "2":
        packed, name = gzip.compress(data) + gzip.compress(data) + b"\0\0", "gzip"
        data += data
    else:
        name = how
        packed = {
            "gzip": gzip.compress,
            "deflate": zlib.compress,
            "br": brotli.compress,
            "zstd": zstandard.compress,
        }[how](data)
    decoder = bodies.decoder(name)
    got = b"".join(p for i in range(0, len(packed), step) for p in decoder.feed(packed[i : i + step]))
    assert got == data
    assert decoder.done()


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate", "compress", "gzip, br"])
def test_what_is_not_packed_as_it_says_is_a_protocol_error(encoding: str) -> None:
    assert code(fixed(answer(200, b"\x99plain text", content_encoding=encoding))) == "protocol"


def test_a_packed_body_that_ends_too_soon_is_a_protocol_error() -> None:
    cut = gzip.compress(bytes(range(256)) * 50)[:-20]
    assert code(fixed(answer(200, cut, content_encoding="gzip")), max_body=10**6) == "protocol"


# --- time ---


def test_a_server_that_says_nothing_times_out() -> None:
    async def hang(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    begun = time.monotonic()
    assert code(hang, options={"idle_timeout": 0.2}) == "timeout"
    assert time.monotonic() - begun < 2


def test_a_trickle_ends_at_the_total() -> None:
    async def trickle(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    begun = time.monotonic()
    assert code(trickle, options={"total_timeout": 0.4}) == "timeout"
    assert time.monotonic() - begun < 2


def test_trouble_on_the_wire() -> None:
    async def cut(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        return None

    assert code(cut) == "protocol"
    assert code(fixed(b"SSH-2.0-OpenSSH\r\n\r\n")) == "protocol"
    assert code(fixed(b""), "https://paper.test/", options={"connect_timeout": 0.2}) == "timeout"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert code(fixed(b""), options={"host_map": {"paper.test": f"127.0.0.1:{port}"}}) == "connect"


def test_a_server_that_does_not_speak_tls() -> None:
    async def run() -> str:
        async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        options = FetchSettings(allow_networks=LOOPBACK, host_map={"a.test": f"127.0.0.1:{port}"})
        async with server, HttpClient(options) as client:
            with pytest.raises(TransientError) as caught:
                await client.get("https://a.test/", max_body=1)
        return caught.value.code

    assert asyncio.run(run()) == "tls"


# --- types ---


def test_types() -> None:
    assert code(fixed(answer(200, b"x", content_type="video/mp4")), content_types=article_types) == "wrong-type"
    for kind in ("text/html; charset=x", "application/xhtml+xml", "text/xml", "application/rss+xml"):
        assert get(fixed(answer(200, b"x", content_type=kind)), content_types=article_types).body == b"x"
    assert get(fixed(answer(200, b"x")), content_types=("text/html",)).body == b"x"
    assert code(fixed(answer(200, b"x", content_type="image/png")), content_types=("text/html",)) == "wrong-type"


# --- redirects ---


def test_redirects_and_where_the_permanent_ones_led() -> None:
    table = {
        "/a": answer(301, location="http://other.test/b"),
        "/b": answer(308, location="/c#part"),
        "/c": answer(302, location="d"),
        "/d": answer(301, location="/e"),
        "/e": answer(200, b"end"),
        "/t": answer(302, location="/a"),
    }
    got = get(routes(table))
    assert (got.url, got.permanent_url, got.body) == ("http://other.test/e", "http://other.test/c", b"end")
    assert get(routes(table), "http://paper.test/t").permanent_url is None
    assert get(routes({"/a": answer(302)})).status == 302  # without a Location it is the answer


def test_redirect_loops_end() -> None:
    assert code(fixed(answer(302, location="/a"))) == "too-many-redirects"


@pytest.mark.parametrize(
    "target",
    [
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:99/",
        "http://[::ffff:127.0.0.1]/",
        "http://0x7f.1/",
        "http://2130706433/",
    ],
)
def test_a_redirect_to_a_private_address_is_refused(target: str) -> None:
    options = {"allow_networks": ["127.9.9.9/32"], "host_map": {}}

    async def run() -> None:
        async with serving(fixed(answer(302, location=target))) as (site, _):
            options["host_map"] = {"paper.test": f"127.9.9.9:{site.port}"}
            server = await asyncio.start_server(site.serve, "127.9.9.9", site.port)
            async with server, HttpClient(FetchSettings(**options)) as client:
                await client.get("http://paper.test/", max_body=10)

    with pytest.raises(PermanentError) as caught:
        asyncio.run(run())
    assert caught.value.code == "address-refused"


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://a.test/", "http://user:pw@a.test/", "javascript:x", "http://:0/"]
)
def test_a_redirect_elsewhere_than_the_web_is_refused(target: str) -> None:
    assert code(fixed(answer(302, location=target))) == "bad-url"


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://a.test/", "http://u@a.test/", "http:///x", "http://a.test:0/"])
def test_bad_addresses(url: str) -> None:
    assert code(fixed(answer()), url) == "bad-url"


# --- addresses ---

REFUSED = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.1.1",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::8.8.8.8",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "nonsense",
    "1.2.3",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_refused(address: str) -> None:
    assert not AddressPolicy().allows(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_that_are_reached(address: str) -> None:
    assert AddressPolicy().allows(address)


def test_the_allow_list_opens_only_what_it_names() -> None:
    policy = AddressPolicy(["10.1.0.0/16", "fd00::/8"])
    assert policy.allows("10.1.2.3")
    assert policy.allows("fd00::5")
    assert not policy.allows("10.2.0.1")
    assert not policy.allows("::ffff:10.1.2.3")
    with pytest.raises(ConfigurationError, match="allow_networks"):
        AddressPolicy(["ten"])


def test_the_host_map() -> None:
    hosts = HostMap({"a.test": "127.0.0.1", "*.test": "127.0.0.1:81", "*.b.test": "[::1]:82", "V6.test": "[::2]"})
    assert hosts.find("a.test") == ("127.0.0.1", None)
    assert hosts.find("c.test") == ("127.0.0.1", 81)
    assert hosts.find("x.y.b.test") == ("::1", 82)
    assert hosts.find("v6.test") == ("::2", None)
    assert hosts.find("test") is None
    for wrong in ("localhost", "127.0.0.1:0", "127.0.0.1:99999", "::1:80", "", "300.1.1.1"):
        with pytest.raises(ConfigurationError, match="host_map"):
            HostMap({"a": wrong})


def test_a_mapped_address_is_checked_too() -> None:
    assert code(fixed(answer()), options={"allow_networks": []}) == "address-refused"


def test_a_name_that_changes_its_address_is_checked_at_every_connection() -> None:
    found = iter([["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1", "127.0.0.1"]])

    async def resolver(name: str, port: int) -> list[str]:
        return next(found)

    async def run() -> None:
        async with serving(fixed(answer(200, b"x", connection="close"))) as (site, _):
            allowed = FetchSettings(allow_networks=["127.0.0.0/8"])
            async with HttpClient(allowed, resolver=resolver) as client:
                url = f"http://rebind.example:{site.port}/"
                assert (await client.get(url, max_body=9)).body == b"x"
                with pytest.raises(PermanentError) as caught:
                    await client.get(url, max_body=9)
                assert caught.value.code == "address-refused"
                assert (await client.get(url, max_body=9)).body == b"x"  # by the address that passed

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "dns"),
        (socket.gaierror(socket.EAI_AGAIN, "later"), "dns-temporary"),
        (TimeoutError(), "dns-temporary"),
    ],
)
def test_names_that_are_not_found(error: Exception, expected: str) -> None:
    async def resolver(name: str, port: int) -> list[str]:
        raise error

    async def run() -> None:
        async with HttpClient(FetchSettings(), resolver=resolver) as client:
            await client.get("http://nowhere.example/", max_body=9)

    with pytest.raises(TransientError) as caught:
        asyncio.run(run())
    assert caught.value.code == expected


# --- robots ---

NOW = datetime(2024, 11, 1, tzinfo=UTC)
RULES = b"""User-agent: *
Disallow: /private
Crawl-delay: 7

User-agent: claimwatch
Disallow: /ours
Crawl-delay: 500
"""


def ask(handler: Handler, url: str = "http://paper.test/a", **options: Any):
    async def run():
        async with serving(handler, **options) as (_, client):
            return await Robots(client, FixedClock(NOW)).allowed(url)

    return asyncio.run(run())


def test_robots_rules() -> None:
    site = routes({"/robots.txt": answer(200, RULES)})
    assert ask(site).allowed
    assert ask(site).crawl_delay == 120.0  # capped
    no = ask(site, "http://paper.test/ours/x?y")
    assert (no.allowed, no.reason) == (False, "disallowed")
    assert "/ours/x?y" in no.detail
    assert ask(site, "http://paper.test/private").allowed  # our own group counts, not the general one
    moved = routes({"/robots.txt": answer(301, location="/r"), "/r": answer(200, b"User-agent: *\nDisallow: /\n")})
    assert not ask(moved).allowed


@pytest.mark.parametrize(
    ("status", "allowed", "reason"),
    [
        (404, True, "no-robots"),
        (403, True, "no-robots"),
        (429, False, "robots-unreadable"),
        (500, False, "robots-unreadable"),
        (503, False, "robots-unreadable"),
    ],
)
def test_robots_statuses(status: int, allowed: bool, reason: str) -> None:
    got = ask(fixed(answer(status)))
    assert (got.allowed, got.reason) == (allowed, reason)


def test_robots_that_can_not_be_had() -> None:
    async def hang(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    assert ask(hang, idle_timeout=0.2).reason == "robots-unreadable"
    assert ask(fixed(answer(302, location="/robots.txt"))).reason == "no-robots"
    big = b"User-agent: *\nDisallow: /a\n" + b"# padding\n" * 100_000
    assert not ask(fixed(answer(200, big))).allowed
    for rubbish in (b"\xff\xfe\0\0", b"<html>Disallow: /", b"Disallow", b"User-agent: *\nCrawl-delay: x\n"):
        assert ask(fixed(answer(200, rubbish))).allowed


def test_robots_are_kept_for_a_day_and_asked_for_once() -> None:
    class Moving:
        at = NOW

        def now(self) -> datetime:
            return self.at

    async def run() -> None:
        async with serving(routes({"/robots.txt": answer(200, RULES)})) as (site, client):
            clock = Moving()
            robots = Robots(client, clock)
            await asyncio.gather(*(robots.allowed(f"http://paper.test/{n}") for n in range(20)))
            assert [path for path, _, _ in site.seen] == ["/robots.txt"]
            clock.at += KEPT - timedelta(seconds=1)
            await robots.allowed("http://paper.test/x")
            assert len(site.seen) == 1
            clock.at += timedelta(seconds=1)
            await robots.allowed("http://paper.test/x")
            await robots.allowed("http://other.test/x")
            assert len(site.seen) == 3
            site.handler = fixed(answer(500))
            clock.at += KEPT
            assert not (await robots.allowed("http://paper.test/x")).allowed
            site.handler = fixed(answer(200, RULES))
            clock.at += RETRY
            assert (await robots.allowed("http://paper.test/x")).allowed

    asyncio.run(run())


# --- the gate ---


class Time:
    """A clock that sleeping moves, so that spacing is measured without waiting."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


def test_starts_are_spaced_per_host() -> None:
    async def run() -> list[tuple[str, float]]:
        world, starts = Time(), []
        gate = HostGate(FetchSettings(host_delay=5), now=world.now, sleep=world.sleep)

        async def fetch(host: str, delay: float | None) -> None:
            async with gate(host, delay):
                starts.append((host, world.at - 1000))

        for _ in range(3):
            await fetch("a", None)
        await fetch("b", None)
        for _ in range(2):
            await fetch("b", 20)
        gate.pause("a", 60)
        assert gate.wait_for("a") == 60
        assert gate.wait_for("unknown") == 0
        await fetch("a", 1)
        return starts

    starts = asyncio.run(run())
    assert starts == [("a", 0), ("a", 5), ("a", 10), ("b", 10), ("b", 15), ("b", 35), ("a", 95)]


def test_a_host_gets_few_at_a_time_and_the_slot_back_after_an_error() -> None:
    async def run() -> None:
        gate = HostGate(FetchSettings(host_delay=0, per_host=2))
        running = most = 0

        async def fetch(fail: bool) -> None:
            nonlocal running, most
            async with gate("a"):
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.01)
                running -= 1
                if fail:
                    raise ValueError

        got = await asyncio.gather(*(fetch(n % 2 == 0) for n in range(8)), return_exceptions=True)
        assert sum(isinstance(each, ValueError) for each in got) == 4
        assert most == 2

    asyncio.run(run())


def test_a_pause_holds_those_who_already_wait() -> None:
    async def run() -> float:
        gate = HostGate(FetchSettings(host_delay=0.1))
        async with gate("a"):
            pass

        async def fetch() -> float:
            async with gate("a"):
                return time.monotonic()

        waiting = asyncio.create_task(fetch())
        await asyncio.sleep(0.02)
        paused = time.monotonic()
        gate.pause("a", 0.3)
        return await waiting - paused

    assert asyncio.run(run()) >= 0.29


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
def test_the_exchange_as_the_wire_had_it(connection: str) -> None:
    """What the archive keeps beside the body: of the last request, where redirects led."""
    table = {
        "/a": answer(302, location="/b?q=%C3%A9"),
        "/b?q=%C3%A9": answer(200, b"hello", connection=connection, etag='"1"', X_Odd="1").replace(
            b"X-Odd: 1\r\n", b"X-Odd: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        ),
    }
    exchange = get(routes(table), etag='"0"').exchange
    assert exchange is not None
    assert (exchange.method, exchange.target, exchange.protocol) == ("GET", "/b?q=%C3%A9", "HTTP/1.1")
    assert (exchange.status, exchange.reason, exchange.address) == (200, "X", "127.0.0.1")
    assert ("If-None-Match", '"0"') in exchange.request_headers
    assert [value for name, value in exchange.response_headers if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert exchange.at.tzinfo is not None
