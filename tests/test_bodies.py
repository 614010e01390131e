"""Bodies: caps, and what compression can hide."""

from __future__ import annotations

import asyncio
import gzip
import resource
import time
import zlib

import brotli
import pytest
import zstandard
from http_site import answer, code, fixed, get
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.adapters import bodies


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
