"""WARC files for tests, written by warcio from the sample newsroom's pages of 2024."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.newsroom import pages
from pipeline.newsroom.content import load

CRAWLED = datetime(2024, 12, 1, 6, tzinfo=UTC)
HTML = "text/html; charset=utf-8"


class Writer(WARCWriter):
    """Without temporary files, which warcio leaves for the garbage collector to warn of."""

    _create_temp_file = staticmethod(io.BytesIO)


@dataclass(frozen=True)
class Stored:
    """A record to write. `head` replaces or adds headers of the HTTP answer, `warc` those of the record."""

    url: str
    body: bytes
    status: str = "200 OK"
    kind: str = "response"
    at: datetime = CRAWLED
    head: dict[str, str] = field(default_factory=dict)
    warc: dict[str, str] = field(default_factory=dict)


@cache
def newsroom_pages(count: int = 30) -> tuple[Stored, ...]:
    """The newest pages that were out when the crawler came."""
    content = load()
    shown = [item for outlet in content.outlets for item in content.visible(CRAWLED, outlet)]
    shown.sort(key=lambda item: (item.article.published, item.article.url))
    return tuple(Stored(item.article.url, pages.article(content, item, CRAWLED).body) for item in shown[-count:])


def written(records: Iterable[Stored], *, packed: bool = True) -> bytes:
    """A file with these records, each behind the request that brought it."""
    out = io.BytesIO()
    writer = Writer(out, gzip=packed)
    writer.write_record(writer.create_warcinfo_record("test.warc.gz", {"software": "test"}))
    for each in records:
        _write(writer, each)
    return out.getvalue()


def members(records: Iterable[Stored]) -> list[bytes]:
    """The same, record for record, each compressed alone."""
    found = []
    for each in records:
        out = io.BytesIO()
        _write(Writer(out, gzip=True), each, request=False)
        found.append(out.getvalue())
    return found


def _write(writer: Any, each: Stored, *, request: bool = True) -> None:
    head = {"Content-Type": HTML, **each.head}
    warc = {"WARC-Date": each.at.strftime("%Y-%m-%dT%H:%M:%SZ"), **each.warc}
    if request:
        asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "example.org")], is_http_request=True)
        writer.write_record(writer.create_warc_record(each.url, "request", http_headers=asked))
    answer = StatusAndHeaders(each.status, list(head.items()), protocol="HTTP/1.1")
    body = io.BytesIO(each.body)
    writer.write_record(
        writer.create_warc_record(each.url, each.kind, body, http_headers=answer, warc_headers_dict=warc)
    )


def pieces(content: bytes, size: int) -> bytes:
    """Compressed in members of `size` bytes each, wherever a record ends: as pigz and bgzip do."""
    return b"".join(gzip.compress(content[at : at + size]) for at in range(0, len(content), size))


def filler(number: int) -> Stored:
    """A page about nothing that anybody follows."""
    words = " ".join(f"word{number}x{i}" for i in range(120))
    body = f"<html><head><title>Page {number}</title></head><body><p>{words}</p></body></html>"
    return Stored(f"http://filler-{number % 7}.example/{number}", body.encode())


def fillers(count: int) -> Sequence[Stored]:
    return [filler(number) for number in range(count)]
