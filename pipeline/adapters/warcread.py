"""Records of a WARC file, one after the other, with the place from which to read on and past whatever is damaged.

Bounded memory: a block is kept up to a cap, the rest of it is read over. A damaged stretch (a broken compressed
member, rubbish between two records) is told once and the next record behind it is looked for; readers of other
projects end there, and a damaged byte at the beginning of a gigabyte costs them the gigabyte.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

STEP = 65_536  # bytes read from the file at a time
UNPACKED = 262_144  # bytes unpacked at a time
LINE = 65_536  # bytes; a longer line in a header is no header
HEADER = 1_048_576  # bytes of all a record's header lines
LOOKAHEAD = 4096  # bytes that tell whether a compressed member holds a record
GZIP = b"\x1f\x8b\x08"
ZSTD = b"\x28\xb5\x2f\xfd"

_VERSION = re.compile(rb"WARC/\d\.\d+[ \t]*\r?\n\Z")
_START = re.compile(rb"WARC/\d\.\d")


@dataclass(frozen=True)
class Place:
    """Where to read on: bytes into the file as it is stored, and records to pass over from there."""

    offset: int = 0
    skip: int = 0


@dataclass(frozen=True)
class Record:
    """`block` is empty where it was not wanted, and `whole` false where the file has less of it than it says."""

    headers: dict[str, str]  # names in lower case; of several with one name the first
    offset: int  # where it begins, or the compressed member that it is in
    after: Place
    length: int
    block: bytes = b""
    whole: bool = True

    @property
    def kind(self) -> str:
        return self.headers.get("warc-type", "").lower()


@dataclass(frozen=True)
class Damage:
    """A stretch of the file that holds no record that could be read."""

    offset: int
    after: Place
    problem: str


class Source(Protocol):
    """A file: `read` gives up to n bytes and b"" at the end, `seek` goes to a place."""

    name: str

    def read(self, size: int) -> bytes: ...
    def seek(self, offset: int) -> None: ...


class _Damaged(Exception):
    """`offset`: where the next record may be looked for."""

    def __init__(self, problem: str, offset: int) -> None:
        super().__init__(problem)
        self.offset = offset


class Unreadable(ValueError):
    """The file as a whole is of a kind that is not read here."""


def records(
    source: Source, place: Place, wanted: Callable[[dict[str, str], int], bool], cap: int
) -> Iterator[Record | Damage]:
    """Every record from `place` on. `wanted` says by headers and length whose block is read, up to `cap` bytes."""
    source.seek(place.offset)
    head = source.read(4)
    if head.startswith(ZSTD):
        raise Unreadable("it is compressed with zstd; WARC files are read plain or with gzip")
    packed = head.startswith(GZIP[:2]) or (source.name.endswith(".gz") and not head.startswith(b"WARC"))
    skip = place.skip
    at = place.offset
    while True:
        stream = _Gzip(source, at) if packed else _Plain(source, at)
        try:
            for record in _read(stream, wanted, cap):
                if skip:
                    skip -= 1
                else:
                    yield record
            return
        except _Damaged as damage:
            found = _next_start(source, damage.offset, packed)
            problem = str(damage)
            skip = 0
        if found is None:
            yield Damage(stream.begun, Place(stream.end()), problem)
            return
        yield Damage(stream.begun, Place(found), problem)
        at = found


def _read(stream: _Plain | _Gzip, wanted: Callable[[dict[str, str], int], bool], cap: int) -> Iterator[Record]:
    while stream.to_record():
        offset = stream.begun
        headers, length = _headers(stream)
        keep = min(length, cap) if wanted(headers, length) else 0
        block = stream.take(keep)
        passed = len(block) + (stream.over(length - keep) if len(block) == keep else 0)
        stream.over_blank_lines()
        whole = passed == length and not stream.unverified()
        yield Record(headers, offset, stream.place(), length, block, whole)


def _headers(stream: _Plain | _Gzip) -> tuple[dict[str, str], int]:
    first = stream.line()
    if not _VERSION.match(first):
        raise _Damaged(f"no record begins here but {first[:40]!r}", stream.begun + 1)
    headers: dict[str, str] = {}
    read, last = 0, ""
    while (line := stream.line()).strip():
        read += len(line)
        if read > HEADER:
            raise _Damaged("a record's header does not end", stream.begun + 1)
        text = line.decode("utf-8", "replace").replace("\0", "")  # which no database takes
        if text[0] in " \t" and last:
            headers[last] += " " + text.strip()
            continue
        name, colon, value = text.partition(":")
        if colon:
            last = name.strip().lower()
            headers.setdefault(last, value.strip())
    if not line:
        raise _Damaged("the file ends inside a record's header", stream.begun + 1)
    length = headers.get("content-length", "")
    if not length.isdecimal() or len(length) > 15:
        raise _Damaged(f"a record does not say how long it is ({length[:20]!r})", stream.begun + 1)
    return headers, int(length)


class _Buffered:
    """Bytes unpacked and not yet read; `_fill` replaces them by the next."""

    def __init__(self, source: Source, offset: int) -> None:
        source.seek(offset)
        self._source = source
        self._buffer, self._at = b"", 0
        self.begun = offset  # where the record that is being read begins

    def _fill(self) -> bool:
        raise NotImplementedError

    def _more(self) -> bool:
        """Whether there is a byte to read."""
        return self._at < len(self._buffer) or self._fill()

    def line(self) -> bytes:
        """Up to the next newline, b"" at the end; a line beyond the limit is cut, which makes it none."""
        found = b""
        while self._more():
            end = self._buffer.find(b"\n", self._at, self._at + LINE)
            stop = end + 1 if end >= 0 else min(len(self._buffer), self._at + LINE)
            found += self._buffer[self._at : stop]
            self._at = stop
            if end >= 0 or len(found) >= LINE:
                break
        return found

    def take(self, size: int) -> bytes:
        parts = []
        while size and self._more():
            part = self._buffer[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def over(self, size: int) -> int:
        """Read over so many bytes; how many there were."""
        left = size
        while left and self._more():
            step = min(left, len(self._buffer) - self._at)
            self._at += step
            left -= step
        return size - left

    def unverified(self) -> bool:
        """Whether what was handed out last may be wrong all the same."""
        return False

    def over_blank_lines(self) -> None:
        while self._more() and self._buffer[self._at] in b"\r\n":
            self._at += 1


class _Plain(_Buffered):
    """A file of records without compression."""

    def __init__(self, source: Source, offset: int) -> None:
        super().__init__(source, offset)
        self._read_to = offset

    def _fill(self) -> bool:
        self._buffer, self._at = self._source.read(STEP), 0
        self._read_to += len(self._buffer)
        return bool(self._buffer)

    def _position(self) -> int:
        return self._read_to - len(self._buffer) + self._at

    def to_record(self) -> bool:
        self.over_blank_lines()
        self.begun = self._position()
        return self._more()

    def place(self) -> Place:
        return Place(self._position())

    def end(self) -> int:
        return self._read_to


class _Gzip(_Buffered):
    """A file of gzip members: one a record, as it should be, or with several records, or with pieces of one."""

    def __init__(self, source: Source, offset: int) -> None:
        super().__init__(source, offset)
        self._raw, self._read_to = b"", offset
        self._decoder: zlib._Decompress | None = None  # of the open member
        self._member = offset  # where it begins
        self._before = 0  # bytes of it that came before those in the buffer
        self._base, self._since = offset, 0  # the last member that a record began, and records read from there on
        self._inside = False  # a record is being read, so that it may go on in the next member

    def _fill(self) -> bool:
        return self._unpack() or (self._inside and self._goes_on())

    def _unpack(self) -> bool:
        """More of the open member."""
        decoder = self._decoder
        while decoder is not None and not decoder.eof:
            try:
                piece = decoder.decompress(self._raw, UNPACKED)
            except zlib.error as error:
                raise _Damaged(f"the compressed data is damaged ({error})", self._member + 1) from error
            self._raw = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            if piece:
                self._before += len(self._buffer)
                self._buffer, self._at = piece, 0
                return True
            if not decoder.eof and not self._raw and not self._pull():
                return False  # the file ends inside the member
        return False

    def _pull(self) -> bool:
        piece = self._source.read(STEP)
        self._read_to += len(piece)
        self._raw += piece
        return bool(piece)

    def _open(self) -> bool:
        """Go to the next member; False at the end of the file."""
        self._raw = self._raw.lstrip(b"\0")  # some writers pad
        while len(self._raw) < len(GZIP) and self._pull():
            self._raw = self._raw.lstrip(b"\0")
        self._member = self.begun = self._read_to - len(self._raw)
        self._decoder, self._before = None, 0
        self._buffer, self._at = b"", 0
        if not self._raw:
            return False
        if not self._raw.startswith(GZIP):
            raise _Damaged("what stands between two compressed members is none", self._member)
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return True

    def _goes_on(self) -> bool:
        """Whether the next member is the rest of this record, and not a record of its own."""
        if self._decoder is None or not self._decoder.eof:
            return False
        begun = self.begun
        self._inside = self._open() and self._unpack() and not _START.match(self._buffer)
        self.begun = begun
        return self._inside

    def to_record(self) -> bool:
        self._inside = False
        self.over_blank_lines()
        while not self._more():
            if self._decoder is not None and not self._decoder.eof:
                if self._before or self._buffer:
                    return False  # what there is of the last record was handed out
                raise _Damaged("the file ends inside a compressed member", self._read_to)
            if not self._open():
                return False
            self.over_blank_lines()
        self.begun = self._member
        if self._before + self._at == 0:
            self._base, self._since = self._member, 0
        self._inside = True
        return True

    def over_blank_lines(self) -> None:
        self._inside = False  # those behind a record belong to its member
        super().over_blank_lines()

    def unverified(self) -> bool:
        # The file has ended before the member's check sum: a damaged member may go on for ever.
        return self._decoder is not None and not self._decoder.eof and self._at == len(self._buffer)

    def place(self) -> Place:
        if self._decoder is None or (self._decoder.eof and self._at == len(self._buffer)):
            return Place(self._read_to - len(self._raw))
        if self._before + self._at == 0:
            return Place(self._member)  # opened to see whether the record went on in it
        self._since += 1
        return Place(self._base, self._since)

    def end(self) -> int:
        return self._read_to


def _next_start(source: Source, offset: int, packed: bool) -> int | None:
    """Where the next record begins, at `offset` or later; None where there is none."""
    source.seek(offset)
    window, base, mark = b"", offset, GZIP if packed else b"WARC/"
    while True:
        piece = source.read(4 * STEP)
        window += piece
        limit = max(len(window) - LOOKAHEAD, 0) if piece else len(window)
        at = window.find(mark)
        while 0 <= at < limit:
            if _begins(window, at, packed):
                return base + at
            at = window.find(mark, at + 1)
        if not piece:
            return None
        cut = max(limit - 1, 0)  # one byte is kept to see whether a line begins
        window, base = window[cut:], base + cut


def _begins(window: bytes, at: int, packed: bool) -> bool:
    if not packed:
        return (at == 0 or window[at - 1 : at] == b"\n") and _START.match(window[at : at + 16]) is not None
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(window[at : at + LOOKAHEAD], 16).startswith(b"WARC/")
    except zlib.error:
        return False
