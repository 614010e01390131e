"""The HTTP client against real servers on loopback."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from http_site import LOOPBACK, answer, code, fixed, get, routes, serving

from pipeline.adapters.http import HttpClient, article_types
from pipeline.errors import PermanentError, TransientError
from pipeline.settings import FetchSettings


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
