"""The HTTP answer in a WARC record, as crawlers of different habits store it."""

from __future__ import annotations

import base64
import gzip
import hashlib

import brotli
import pytest

from pipeline.adapters.bodies import BadEncoding
from pipeline.adapters.warchttp import NotHttp, TooLarge, answer, digests_fit, unchunked

BODY = b"<html><p>Text</p></html>"
CAP = 10_000


def block(body: bytes, *headers: str, status: str = "HTTP/1.1 200 OK", end: str = "\r\n") -> bytes:
    return end.join([status, *headers, "", ""]).encode() + body


def chunked(body: bytes, size: int = 7) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;ext=1\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    "content",
    [
        block(BODY, "Content-Type: text/html"),
        block(BODY, "Content-Type: text/html", end="\n"),
        block(gzip.compress(BODY, mtime=0), "Content-Encoding: gzip"),
        block(brotli.compress(BODY), "content-encoding: br"),
        block(chunked(BODY), "Transfer-Encoding: chunked"),
        block(chunked(gzip.compress(BODY, mtime=0)), "Transfer-Encoding: chunked", "Content-Encoding: gzip"),
        # Stored decoded under headers that were left as they came.
        block(BODY, "Content-Encoding: gzip"),
        block(BODY, "Content-Encoding: br"),
        block(BODY, "Transfer-Encoding: chunked"),
        block(BODY, "Content-Encoding: unheard-of"),
    ],
)
def test_body(content: bytes) -> None:
    assert answer(content, CAP).body == BODY


def test_status_and_headers() -> None:
    found = answer(block(BODY, "X-A: 1", "x-a: 2", "rubbish", status="HTTP/2 404"), CAP)
    assert (found.status, found.headers) == (404, {"x-a": "1"})


@pytest.mark.parametrize("content", [b"", BODY, b"HTTP/1.1 200 OK\r\nA: b\r\n", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_answer(content: bytes) -> None:
    with pytest.raises(NotHttp):
        answer(content, CAP)


@pytest.mark.parametrize(
    "content",
    [
        block(b"<" + bytes(CAP)),
        block(gzip.compress(bytes(200 * 2**20), 1), "Content-Encoding: gzip"),
        block(brotli.compress(bytes(50 * 2**20), quality=1), "Content-Encoding: br"),
    ],
)
def test_the_cap_holds_for_the_decoded_body(content: bytes) -> None:
    with pytest.raises(TooLarge):
        answer(content, CAP)


def test_a_body_that_can_not_be_decoded() -> None:
    with pytest.raises(BadEncoding):
        answer(block(gzip.compress(BODY, mtime=0)[:-9], "Content-Encoding: gzip"), CAP)


@pytest.mark.parametrize("content", [b"5\r\nhello\r\n", b"", b"5\r\nhello", b"fffffffff\r\nx"])
def test_chunks_that_do_not_end_are_none(content: bytes) -> None:
    assert unchunked(content) is None


def sha1(content: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


@pytest.mark.parametrize(
    ("headers", "fit"),
    [
        ({}, True),
        ({"warc-payload-digest": sha1(BODY)}, True),
        ({"warc-payload-digest": sha1(chunked(gzip.compress(BODY, mtime=0)))}, True),
        ({"warc-payload-digest": sha1(gzip.compress(BODY, mtime=0))}, True),
        ({"warc-payload-digest": "sha256:" + hashlib.sha256(BODY).hexdigest()}, True),
        ({"warc-payload-digest": sha1(b"other")}, False),
        ({"warc-payload-digest": "sha1:not base32!"}, False),
        ({"warc-payload-digest": "blake3:AAAA"}, True),
        ({"warc-block-digest": sha1(b"other"), "warc-payload-digest": sha1(BODY)}, False),
    ],
)
def test_digests(headers: dict[str, str], fit: bool) -> None:
    packed = chunked(gzip.compress(BODY, mtime=0))
    content = block(packed, "Transfer-Encoding: chunked", "Content-Encoding: gzip")
    assert digests_fit(headers, content, answer(content, CAP)) is fit
