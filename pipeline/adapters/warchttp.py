"""The HTTP answer in a WARC record: status, headers, the body as a reader's program would have had it, and digests."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from pipeline.adapters import bodies

HEAD = 262_144  # bytes of an answer's headers
ALGORITHMS = {"sha1": "sha1", "sha-1": "sha1", "sha256": "sha256", "sha-256": "sha256", "md5": "md5"}

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")


class NotHttp(ValueError):
    """The block is not an HTTP answer."""


class TooLarge(ValueError):
    """The body is larger than the cap when it is decoded."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case; of several with one name the first
    payload: bytes  # the body as it stands in the record
    body: bytes


def answer(block: bytes, cap: int) -> Answer:
    """The answer in a record's block, its body at most `cap` bytes. Raises NotHttp, TooLarge, bodies.BadEncoding."""
    status = _STATUS.match(block)
    end = re.search(rb"\r?\n\r?\n", block[:HEAD])
    if not status or not end:
        raise NotHttp("the record holds no HTTP answer")
    headers: dict[str, str] = {}
    for line in block[: end.start()].replace(b"\0", b"").splitlines()[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(name.decode("latin-1").strip().lower(), value.decode("latin-1").strip())
    payload = block[end.end() :]
    return Answer(int(status[1]), headers, payload, _decoded(payload, headers, cap))


def _decoded(payload: bytes, headers: dict[str, str], cap: int) -> bytes:
    """Many crawlers store the body decoded and leave the headers as they were, so each step is tried and may fail."""
    body = payload
    if "chunked" in headers.get("transfer-encoding", "").lower():
        joined = unchunked(payload)
        body = payload if joined is None else joined
    encoding = headers.get("content-encoding", "")
    if encoding.lower() not in ("", "identity"):
        try:
            return _unpacked(body, encoding, cap)
        except bodies.BadEncoding:
            if b"<" not in body[:1024]:
                raise
    if len(body) > cap:
        raise TooLarge
    return body


def _unpacked(body: bytes, encoding: str, cap: int) -> bytes:
    decoder = bodies.decoder(encoding)
    found = bytearray()
    for piece in decoder.feed(body):
        found += piece
        if len(found) > cap:
            raise TooLarge
    if not decoder.done():
        raise bodies.BadEncoding("the compressed body ends too soon")
    return bytes(found)


def unchunked(payload: bytes) -> bytes | None:
    """The chunks of a body put together; None where it does not stand in chunks."""
    parts: list[bytes] = []
    at = 0
    while found := _CHUNK.match(payload, at):
        size = int(found[1], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(payload[found.end() : found.end() + size])
        at = found.end() + size
        if payload[at : at + 2] == b"\r\n":
            at += 2
        elif payload[at : at + 1] == b"\n":
            at += 1
        else:
            break
    return None


def digests_fit(headers: dict[str, str], block: bytes, found: Answer) -> bool:
    """Whether the record is what its digests say. One by an algorithm that is not known here says nothing.

    A payload's digest is taken over the body as stored, or without its chunks, or decoded: writers differ.
    """
    if not _fits(headers.get("warc-block-digest", ""), block):
        return False
    told = headers.get("warc-payload-digest", "")
    if any(_fits(told, form) for form in (found.payload, found.body)):
        return True
    joined = unchunked(found.payload)
    return joined is not None and _fits(told, joined)


def _fits(told: str, content: bytes) -> bool:
    name, _, value = told.partition(":")
    algorithm = ALGORITHMS.get(name.strip().lower())
    if algorithm is None:
        return True
    digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    value = value.strip()
    if len(value) == 2 * len(digest):
        return value.lower() == digest.hex()
    try:
        return base64.b32decode(value.upper() + "=" * (-len(value) % 8)) == digest
    except (binascii.Error, ValueError):
        return False
