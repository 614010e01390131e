"""Files that somebody named, on this machine or on a server, read from any place on.

A file on a server is read by one request for the whole rest of it; where the connection breaks, by another from
there on (Range). It goes through the client that fetches pages, with its address checks and time-outs, but without
the cap on a body: an archive's file is a gigabyte, its reader holds a few hundred kilobytes of it, and somebody
chose it by name. Robots.txt is not asked for the same reason.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType

import httpx

from pipeline.adapters.http import HttpClient, _checked, _translated
from pipeline.errors import PermanentError, TransientError

ATTEMPTS = 6  # times in a row that a broken transfer is taken up without a byte of progress
FIRST_WAIT = 1.0  # seconds before the second of them; twice as long before each further one
LONGEST_WAIT = 60.0


def is_address(location: str) -> bool:
    return location.lower().startswith(("http://", "https://"))


class LocalFile:
    """A file of this machine."""

    def __init__(self, path: str) -> None:
        self.name = path
        self.validator: str | None = None
        try:
            self._file = Path(path).open("rb")  # noqa: SIM115 - closed by __exit__
            self.size: int | None = Path(path).stat().st_size
        except OSError as error:
            raise PermanentError(f"{path} can't be read: {error.strerror}", code="unreadable") from error

    def __enter__(self) -> LocalFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise TransientError(f"{self.name} can't be read on: {error.strerror}", code="unreadable") from error

    def seek(self, offset: int) -> None:
        self._file.seek(offset)


class RemoteFile:
    """A file on a server. `validator` is its ETag or date; it has to stay the same for as long as it is read."""

    def __init__(
        self,
        url: str,
        client: Callable[[], HttpClient],
        validator: str | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name, self.url, self.validator = url, url, validator
        self.size: int | None = None
        self._client, self._sleep = client(), sleep
        self._loop = asyncio.new_event_loop()
        self._pieces: AsyncIterator[bytes] | None = None
        self._open = AsyncExitStack()
        self._piece, self._from = b"", 0  # what came last, and where in the file it begins
        self._at = 0

    def __enter__(self) -> RemoteFile:
        self._loop.run_until_complete(self._client.__aenter__())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._stop()
            self._loop.run_until_complete(self._client.__aexit__(None, None, None))
        finally:
            self._loop.close()

    def seek(self, offset: int) -> None:
        if not self._from <= offset <= self._from + len(self._piece):
            self._stop()
        self._at = offset

    def read(self, size: int) -> bytes:
        tries, wait = 0, FIRST_WAIT
        while self._at >= self._from + len(self._piece) or not self._piece:
            try:
                if self._pieces is None and not self._loop.run_until_complete(self._begin()):
                    return b""
                if not self._loop.run_until_complete(self._next()):
                    return b""
            except TransientError as error:
                self._stop()
                tries += 1
                if tries >= ATTEMPTS:
                    raise
                self._sleep(min(max(wait, error.retry_after or 0.0), LONGEST_WAIT))
                wait *= 2
        begin = self._at - self._from
        piece = self._piece[begin : begin + size]
        self._at += len(piece)
        return piece

    def _stop(self) -> None:
        self._pieces, self._piece = None, b""
        self._loop.run_until_complete(self._open.aclose())
        self._open = AsyncExitStack()

    async def _next(self) -> bool:
        """Have the next piece; False at the end."""
        try:
            if self._pieces is not None:
                async for piece in self._pieces:
                    if piece:
                        self._from += len(self._piece)
                        self._piece = piece
                        return True
        except httpx.HTTPError as error:
            raise _translated(self.url, error) from error
        return False

    async def _begin(self) -> bool:
        """Ask for the rest of the file; False where there is none."""
        client, url = self._client, self.url
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if self._at:
            headers["Range"] = f"bytes={self._at}-"
        try:
            for _ in range(client.settings.max_redirects + 1):
                request = client._client.build_request("GET", _checked(httpx.URL(url)), headers=headers)
                response = await client._client.send(request, stream=True)
                self._open.push_async_callback(response.aclose)
                if response.status_code in (301, 302, 303, 307, 308) and "location" in response.headers:
                    url = str(httpx.URL(url).join(response.headers["location"]))
                    continue
                return await self._take(response)
        except httpx.HTTPError as error:
            raise _translated(url, error) from error
        raise PermanentError(f"{self.url}: too many redirects", code="too-many-redirects")

    async def _take(self, response: httpx.Response) -> bool:
        if response.status_code == 416:
            return False
        if response.status_code not in (200, 206):
            self._refuse(response)
        self._same(response)
        # A server that knows no ranges begins anew: what is known is read over.
        self._from, self._piece = self._at if response.status_code == 206 else 0, b""
        self._pieces = response.aiter_raw()
        return True

    def _refuse(self, response: httpx.Response) -> None:
        status = response.status_code
        problem = f"{self.url}: the server answered {status}"
        if status in (408, 425, 429) or status >= 500:
            after = response.headers.get("retry-after", "")
            raise TransientError(
                problem, code=f"http-{status}", retry_after=float(after) if after.isdecimal() else None
            )
        raise PermanentError(problem, code=f"http-{status}")

    def _same(self, response: httpx.Response) -> None:
        """Whether it is still the file whose beginning was read."""
        told = response.headers.get("etag") or response.headers.get("last-modified")
        if self.validator is not None and told is not None and told != self.validator:
            raise PermanentError(f"{self.url} has changed since its beginning was read: start anew", code="changed")
        self.validator = self.validator or told
        total = response.headers.get("content-range", "").rpartition("/")[2]
        if response.status_code == 200:
            total = response.headers.get("content-length", "")
        elif not response.headers.get("content-range", "").startswith(f"bytes {self._at}-"):
            raise TransientError(f"{self.url}: another part came than was asked for", code="protocol")
        self.size = int(total) if total.isdecimal() else self.size


def open_file(location: str, client: Callable[[], HttpClient], validator: str | None = None) -> LocalFile | RemoteFile:
    """A file by path or address, to be used as a context manager."""
    return RemoteFile(location, client, validator) if is_address(location) else LocalFile(location)


def warc_files(source: str) -> list[str] | None:
    """The WARC files that a local path names: a file, a folder with all below it, a pattern; None for a manifest.

    Raises PermanentError where there are none.
    """
    path = Path(source).expanduser().absolute()
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.name.endswith((".warc", ".warc.gz")))
        if not found:
            raise PermanentError(f"{path}: there is no .warc or .warc.gz file in the folder", code="no-files")
        return [str(file) for file in found]
    if path.is_file():
        with LocalFile(str(path)) as file:
            head = file.read(65_536)
        return [str(path)] if _is_warc(head, path.name) else None
    if any(mark in source for mark in "*?["):
        found = sorted(file for file in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if file.is_file())
        if not found:
            raise PermanentError(f"{source}: no file fits the pattern", code="no-files")
        return [str(file) for file in found]
    raise PermanentError(f"{path}: there is no such file or folder", code="no-files")


def _is_warc(head: bytes, name: str) -> bool:
    import zlib

    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, 16)
        except zlib.error:
            head = b""
    return head.startswith(b"WARC/") or name.endswith((".warc", ".warc.gz"))
