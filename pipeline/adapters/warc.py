"""The archive: what was fetched, as WARC 1.1 records in gzip members, and what a row needs to find them again.

A body is kept decoded; the headers that spoke of its coding are renamed as Common Crawl does (X-Crawler-...). So its
digest is that of the body as the pipeline reads it, and the same page sent in another coding is the same payload.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.utils import Digester
from warcio.warcwriter import WARCWriter

from pipeline import __version__
from pipeline.adapters.warc_files import SUFFIX, ArchiveUnavailable, Files
from pipeline.errors import PermanentError
from pipeline.model import Exchange, Response
from pipeline.settings import ArchiveSettings

KEPT = "kept"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
_CODING = frozenset({"content-encoding", "content-length", "transfer-encoding"})


@dataclass(frozen=True)
class Place:
    """Where a record stands: file below the archive's folder, first byte, bytes."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True)
class Original:
    """The earlier record that holds the body."""

    url: str
    at: datetime
    digest: bytes


class RecordMissing(PermanentError):
    """The file is not there, or too short."""

    code = "record-missing"


class RecordDamaged(PermanentError):
    """What stands there is not what was written."""

    code = "record-damaged"


class Archive:
    """One process's hand on the archive. `now` names the day's folder, `at` is when a record was captured."""

    def __init__(self, folder: Path, settings: ArchiveSettings) -> None:
        self.folder, self.settings = folder, settings
        self._files = Files(folder, settings.max_size, _warcinfo)

    def ready(self) -> None:
        """Raises ArchiveUnavailable where the disk has too little room: before anybody's server is asked."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            room = os.statvfs(self.folder)
        except OSError as error:
            raise self._files.unavailable(error) from error
        free = room.f_bavail * room.f_frsize
        if free < self.settings.min_free:
            raise ArchiveUnavailable(
                f"the disk with the archive {self.folder} has {free >> 20} MiB left, less than archive.min_free "
                f"({self.settings.min_free >> 20} MiB): nothing is fetched; make room, or set archive.folder to a "
                "larger disk"
            )

    def response(self, response: Response, at: datetime, now: datetime, *, digest: bytes) -> Place:
        """Keep an answer and its request."""
        headers = {**_about(response, at), "WARC-Payload-Digest": _told(digest)}
        return self._pair("response", response, headers, response.body, now)

    def revisit(self, response: Response, at: datetime, now: datetime, *, original: Original | None) -> Place:
        """Keep that an answer was the body we have: sent again, or 304. The original is unknown to a 304 at most."""
        headers = _about(response, at)
        if original is not None:
            headers["WARC-Refers-To-Target-URI"] = _line(original.url)
            headers["WARC-Refers-To-Date"] = _date(original.at)
        if response.status == 304:
            headers["WARC-Profile"] = NOT_MODIFIED
        elif original is not None:
            headers["WARC-Profile"] = WARCWriter.REVISIT_PROFILE_1_1
            headers["WARC-Payload-Digest"] = _told(original.digest)
        return self._pair("revisit", response, headers, b"", now)

    def resource(self, url: str, body: bytes, content_type: str | None, at: datetime, now: datetime) -> Place:
        """Keep a body whose exchange is not known."""
        writer = _Writer(out := BytesIO())
        headers = {"WARC-Date": _date(at)}
        content_type = _line(content_type or "application/octet-stream")
        record = writer.create_warc_record(
            _line(url), "resource", BytesIO(body), len(body), content_type, warc_headers_dict=headers
        )
        writer.write_record(record)
        return self._append(out.getvalue(), len(out.getvalue()), now)

    def keep(self, place: Place, now: datetime) -> Place:
        """Copy a record, byte for byte, to where no retention reaches it."""
        data = self._bytes(place)
        file, offset = self._files.append(KEPT, data, now)
        return Place(file, offset, len(data))

    def body(self, place: Place, digest: bytes) -> bytes:
        """The payload, checked. Raises RecordMissing, RecordDamaged, or ArchiveUnavailable without the archive."""
        body = self._content(place)
        if hashlib.sha256(body).digest() != digest:
            raise RecordDamaged(f"{_where(place)}: the record's payload has another digest than the row")
        return body

    def check(self, place: Place, digest: bytes | None) -> None:
        """Raises what is wrong with a record; its own digests are checked, and the row's where it has a body."""
        if digest is None:
            self._content(place)
        else:
            self.body(place, digest)

    def raw(self, place: Place) -> bytes:
        """The record as it stands in the file, inflated."""
        try:
            return zlib.decompress(self._bytes(place), zlib.MAX_WBITS + 16)
        except zlib.error as error:
            raise RecordDamaged(f"{_where(place)}: {error}") from error

    def member(self, place: Place, digest: bytes) -> bytes:
        """The record as it stands in the file, deflated, so that it can be put into another; its payload is checked."""
        self.body(place, digest)
        return self._bytes(place)

    def together(self) -> AbstractContextManager[None]:
        """Records kept inside are on disk at the end, with one flush for all: put it inside the transaction."""
        return self._files.together()

    def close(self) -> None:
        self._files.close()

    def _pair(self, kind: str, response: Response, headers: dict[str, str], body: bytes, now: datetime) -> Place:
        writer = _Writer(out := BytesIO())
        http = _http_headers(response, None if kind == "revisit" else len(body))
        record = writer.create_warc_record(
            _line(response.url), kind, BytesIO(body), len(body), warc_headers_dict=headers, http_headers=http
        )
        writer.write_record(record)
        length = out.tell()
        if response.exchange is not None:
            writer.write_record(_request(writer, record, response.exchange))
        return self._append(out.getvalue(), length, now)

    def _append(self, data: bytes, length: int, now: datetime) -> Place:
        file, offset = self._files.append(f"{now.astimezone(UTC):%Y-%m-%d}", data, now)
        return Place(file, offset, length)

    def _bytes(self, place: Place) -> bytes:
        try:
            with (self.folder / place.file).open("rb") as stream:
                stream.seek(place.offset)
                data = stream.read(place.length)
        except FileNotFoundError as error:
            if not self.folder.is_dir():
                raise ArchiveUnavailable(f"there is no archive at {self.folder}: see archive.folder") from error
            raise RecordMissing(f"{_where(place)}: the file is not in the archive {self.folder}") from error
        except OSError as error:
            raise ArchiveUnavailable(f"the archive {self.folder} can't be read: {error}") from error
        if len(data) < place.length:
            raise RecordMissing(f"{_where(place)}: the file ends before the record does")
        return data

    def _content(self, place: Place) -> bytes:
        try:
            record = next(ArchiveIterator(BytesIO(self.raw(place)), check_digests="raise"))
            content: bytes = record.raw_stream.read()
        except (ArchiveLoadFailed, StopIteration, EOFError, ValueError) as error:
            raise RecordDamaged(f"{_where(place)}: {error}") from error
        return content


class _Sha256(Digester):  # type: ignore[misc]
    """In hexadecimal, as the database and sha256sum have it."""

    def __init__(self) -> None:
        super().__init__("sha256")

    def __str__(self) -> str:
        return f"sha256:{self.digester.hexdigest()}"


class _Writer(WARCWriter):  # type: ignore[misc]
    def __init__(self, out: BytesIO) -> None:
        super().__init__(out, gzip=True, warc_version="1.1")

    @staticmethod
    def _create_digester() -> Any:
        return _Sha256()


def files(folder: Path) -> list[Path]:
    """All files of an archive, oldest day first."""
    return sorted(folder.glob(f"*/*{SUFFIX}"))


def _warcinfo(name: str, now: datetime) -> bytes:
    writer = _Writer(out := BytesIO())
    record = writer.create_warcinfo_record(
        name, {"software": f"claimwatch/{__version__}", "format": "WARC File Format 1.1", "isPartOf": "claimwatch"}
    )
    record.rec_headers.replace_header("WARC-Date", _date(now))
    writer.write_record(record)
    return out.getvalue()


def _about(response: Response, at: datetime) -> dict[str, str]:
    headers = {"WARC-Date": _date(at)}
    exchange = response.exchange
    if exchange is not None:
        headers.update({"WARC-IP-Address": exchange.address} if exchange.address else {})
        headers.update({"WARC-Protocol": "h2"} if exchange.protocol == "HTTP/2" else {})
    declared = response.headers.get("content-length", "")
    if not 200 <= response.status < 300 and declared.isdecimal() and int(declared) > len(response.body) > 0:
        headers["WARC-Truncated"] = "length"
    return headers


def _http_headers(response: Response, length: int | None) -> StatusAndHeaders:
    """The answer's head. Readers know HTTP/1.1's form alone, so what came by HTTP/2 is written in it."""
    exchange = response.exchange
    given = exchange.response_headers if exchange is not None else tuple(response.headers.items())
    reason = exchange.reason if exchange is not None else ""
    headers = [(f"X-Crawler-{n}" if n.lower() in _CODING else _line(n), _line(value)) for n, value in given]
    if length is not None:
        headers.append(("Content-Length", str(length)))
    return StatusAndHeaders(f"{response.status} {_line(reason)}".strip(), headers, protocol=_protocol(exchange))


def _request(writer: WARCWriter, record: Any, exchange: Exchange) -> Any:
    headers = [(_line(name), _line(value)) for name, value in exchange.request_headers]
    line = f"{exchange.method} {_line(exchange.target)} {_protocol(exchange)}"
    told = {
        "WARC-Date": record.rec_headers.get_header("WARC-Date"),
        "WARC-Concurrent-To": record.rec_headers.get_header("WARC-Record-ID"),
    }
    url = record.rec_headers.get_header("WARC-Target-URI")
    http = StatusAndHeaders(line, headers, is_http_request=True)
    return writer.create_warc_record(url, "request", warc_headers_dict=told, http_headers=http)


def _protocol(exchange: Exchange | None) -> str:
    return "HTTP/1.0" if exchange is not None and exchange.protocol == "HTTP/1.0" else "HTTP/1.1"


def _date(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _told(digest: bytes) -> str:
    return f"sha256:{digest.hex()}"


def _line(text: str) -> str:
    """Nothing that a server sent begins a line of its own."""
    return text.replace("\r", " ").replace("\n", " ")


def _where(place: Place) -> str:
    return f"{place.file} at {place.offset}"
