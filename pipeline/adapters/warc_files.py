"""The archive's files: a folder a day, each file locked by the one process that appends to it, rotated by size.

    archive/2024-12-20/claimwatch-20241220T220001Z-5f0c2a91.warc.gz
    archive/kept/claimwatch-...                 records that outlive their day's folder

A process takes a file of the day that nobody has locked, else makes one, so that there are about as many as there are
processes at a time. What it appends is on disk before `append` returns. A file whose last record was cut by a kill is
cut back to the last whole one when it is taken next; until then it can be read up to there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import weakref
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipeline.errors import ConfigurationError

SUFFIX = ".warc.gz"
_MAGIC = b"\x1f\x8b\x08"  # every record is a gzip member of its own
_TAIL = 65_536  # bytes that are looked at first for the last record's start
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ArchiveUnavailable(ConfigurationError):
    """Nothing can be written or read: the disk is full, or the folder is not there."""

    code = "archive"


class Files:
    """Appends to files below `folder`, for one process and its day. `head` makes a new file's first record."""

    def __init__(self, folder: Path, max_size: int, head: Callable[[str, datetime], bytes]) -> None:
        self.folder, self._max_size, self._head = folder, max_size, head
        self._open: dict[str, _Open] = {}
        self._deferred = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is appended inside is on disk at the end, with one flush for all of it, and not before."""
        self._deferred = True
        try:
            yield
            for file in self._open.values():
                file.flush()
        except OSError as error:
            raise self.unavailable(error) from error
        finally:
            self._deferred = False

    def append(self, shelf: str, data: bytes, now: datetime) -> tuple[str, int]:
        """Put records at the end of a file in `shelf`: the file's name below the folder, and the offset. Whole records
        are on disk when it returns; where that fails, none of them is in the file.
        """
        try:
            return self._at_hand(shelf, now).append(data, flush=not self._deferred)
        except OSError as error:
            raise self.unavailable(error) from error

    def unavailable(self, error: OSError) -> ArchiveUnavailable:
        advice = "make room, or set archive.folder to a larger disk" if error.errno in _FULL else "see archive.folder"
        return ArchiveUnavailable(f"the archive {self.folder} can't be written: {error.strerror}; {advice}")

    def close(self) -> None:
        for file in self._open.values():
            file.close()
        self._open.clear()

    def _at_hand(self, shelf: str, now: datetime) -> _Open:
        file = self._open.get(shelf)
        if file is not None and file.usable(self._max_size):
            return file
        for other in [name for name in self._open if name == shelf or (_is_day(name) and _is_day(shelf))]:
            self._open.pop(other).close()
        folder = self.folder / shelf
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync(folder.parent)
        file = self._free(folder) or self._new(folder, now)
        self._open[shelf] = file
        return file

    def _free(self, folder: Path) -> _Open | None:
        """A file that has room and that no process writes to, cut back to its last whole record."""
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            if path.stat().st_size >= self._max_size:
                continue
            file = _Open.locked(path, f"{folder.name}/{path.name}", os.O_RDWR)
            if file is None:
                continue
            whole = whole_length(file.handle, file.size)
            if whole:  # an empty file has no head, a damaged one is left as it is
                file.cut(whole)
                return file
            file.close()
        return None

    def _new(self, folder: Path, now: datetime) -> _Open:
        name = f"claimwatch-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}{SUFFIX}"
        file = _Open.locked(folder / name, f"{folder.name}/{name}", os.O_RDWR | os.O_CREAT | os.O_EXCL)
        if file is None:  # a file system without locks: the name is ours alone all the same
            raise OSError(errno.ENOLCK, "a new file is locked by somebody else")
        file.append(self._head(name, now))
        _sync(folder)
        return file


class _Open:
    """A file that this process has locked."""

    def __init__(self, handle: int, name: str) -> None:
        self.handle, self.name = handle, name
        self.size = os.fstat(handle).st_size
        self._process = os.getpid()
        self._flushed = True
        self._closing = weakref.finalize(self, os.close, handle)

    @classmethod
    def locked(cls, path: Path, name: str, flags: int) -> _Open | None:
        """None where another process has it."""
        try:
            handle = os.open(path, flags | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if not flags & os.O_CREAT:
                os.close(handle)
                return None
        return cls(handle, name)

    def usable(self, max_size: int) -> bool:
        """Not after a fork: parent and child would write into each other's records. Nor once it was deleted."""
        return self.size < max_size and self._process == os.getpid() and os.fstat(self.handle).st_nlink > 0

    def append(self, data: bytes, *, flush: bool = True) -> tuple[str, int]:
        begin, view = self.size, memoryview(data)
        try:
            while view:
                view = view[os.pwrite(self.handle, view, begin + len(data) - len(view)) :]
            self._flushed = False
            if flush:
                self.flush()
        except OSError:
            self.cut(begin)
            raise
        self.size = begin + len(data)
        return self.name, begin

    def flush(self) -> None:
        """To the disk."""
        if not self._flushed:
            os.fdatasync(self.handle)
            self._flushed = True

    def cut(self, size: int) -> None:
        os.ftruncate(self.handle, size)
        self.size = size

    def close(self) -> None:
        if self._closing.alive:
            self.flush()
        self._closing()


def whole_length(handle: int, size: int) -> int | None:
    """Where the last whole record of a file ends; None where its end is no record, cut or not."""
    window = _TAIL
    while size:
        begin = max(0, size - window)
        tail = os.pread(handle, size - begin, begin)
        at = tail.rfind(_MAGIC)
        while at >= 0:
            end = _record_end(tail, at)
            if end is not None:
                return begin + end
            at = tail.rfind(_MAGIC, 0, at + len(_MAGIC) - 1)
        if begin == 0:
            return None
        window *= 8
    return None


def _record_end(tail: bytes, at: int) -> int | None:
    """Where the record that starts here ends; its start where it is cut; None where none starts here."""
    inflating = zlib.decompressobj(zlib.MAX_WBITS + 16)
    try:
        if not inflating.decompress(tail[at:]).startswith(b"WARC/"):
            return None
        if not inflating.eof:
            return at
        rest = inflating.unused_data
        following = zlib.decompressobj(zlib.MAX_WBITS + 16)
        following.decompress(rest)  # the first bytes of one more record, too few to be seen as its start
    except zlib.error:  # damage: that is not for us to cut away
        return None
    return None if following.eof else len(tail) - len(rest)


def _is_day(shelf: str) -> bool:
    return shelf[:1].isdigit()


def _sync(folder: Path) -> None:
    """A new name is on disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
