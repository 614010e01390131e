"""Decoding a compressed body piece by piece, so that a small file that unpacks to gigabytes stops at the cap.

httpx decodes what one network read brought in one go; brotli and zstd can unpack that to any size.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped,unused-ignore]
import zstandard

ACCEPT_ENCODING = "gzip, deflate, br, zstd"
STEP = 65_536  # bytes: about what a decoder gives out at a time


class BadEncoding(ValueError):
    """The body is not what its Content-Encoding says."""


class Decoder(Protocol):
    """`feed` yields decoded pieces of bounded size; `done` says whether the stream came to its proper end."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...
    def done(self) -> bool: ...


class Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def done(self) -> bool:
        return True


class Zlib:
    """gzip (several members, too) and deflate, with or without its zlib header."""

    def __init__(self, *, gzip: bool) -> None:
        self._bits = zlib.MAX_WBITS | 16 if gzip else zlib.MAX_WBITS
        self._gzip = gzip
        self._decoder = zlib.decompressobj(self._bits)
        self._started = False
        self._between = b""  # what came since the last member's end and may begin another

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._decoder.eof:
                data = (self._between + data).lstrip(b"\0") if self._gzip else b""
                self._between = data if data == b"\x1f" else b""
                if not data.startswith(b"\x1f\x8b"):
                    return  # padding or rubbish after the last member
                self._decoder = zlib.decompressobj(self._bits)
            try:
                piece = self._decoder.decompress(data, STEP)
            except zlib.error as error:
                if self._started or self._gzip:
                    raise BadEncoding(str(error)) from error
                self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
                self._started = True
                continue
            self._started = True
            yield piece
            data = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
        while not self._decoder.eof:  # output that the last call still held back
            try:
                piece = self._decoder.decompress(b"", STEP)
            except zlib.error as error:
                raise BadEncoding(str(error)) from error
            if not piece:
                return
            yield piece

    def done(self) -> bool:
        return self._decoder.eof or not self._started


class Brotli:
    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()
        self._started = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._started = self._started or bool(data)
        try:
            yield self._decoder.process(data, output_buffer_limit=STEP)
            while not self._decoder.can_accept_more_data() and not self._decoder.is_finished():
                yield self._decoder.process(b"", output_buffer_limit=STEP)
        except brotli.error as error:
            raise BadEncoding(str(error)) from error

    def done(self) -> bool:
        return not self._started or bool(self._decoder.is_finished())


class Zstd:
    """Fed in slices: a block of 4 bytes unpacks to at most 128 KiB, so a slice stays below 3 MiB."""

    SLICE = 64
    MAX_WINDOW = 8 * 2**20  # RFC 8878's recommendation for content encodings (RFC 9659)

    def __init__(self) -> None:
        self._decoder = self._new()
        self._started = False

    def _new(self) -> zstandard.ZstdDecompressionObj:
        return zstandard.ZstdDecompressor(max_window_size=self.MAX_WINDOW).decompressobj()

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            for start in range(0, len(data), self.SLICE):
                part = data[start : start + self.SLICE]
                while part:
                    if self._decoder.eof:
                        self._decoder = self._new()
                    self._started = True
                    yield self._decoder.decompress(part)
                    part = self._decoder.unused_data if self._decoder.eof else b""
        except zstandard.ZstdError as error:
            raise BadEncoding(str(error)) from error

    def done(self) -> bool:
        return not self._started or self._decoder.eof


def decoder(content_encoding: str) -> Decoder:
    """The decoder for a Content-Encoding header; BadEncoding for one never asked for, or several at once."""
    names = [part.strip() for part in content_encoding.lower().split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if not names:
        return Plain()
    if len(names) == 1:
        if names[0] in ("gzip", "x-gzip"):
            return Zlib(gzip=True)
        if names[0] == "deflate":
            return Zlib(gzip=False)
        if names[0] == "br":
            return Brotli()
        if names[0] == "zstd":
            return Zstd()
    raise BadEncoding(f"content encoding {content_encoding!r} was not asked for")
