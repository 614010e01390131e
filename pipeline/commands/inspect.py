"""parse-feed and extract: what the product makes of a feed or a page, printed as JSON. No database is asked."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.errors import ClaimwatchError, ConfigurationError, PermanentError

STANDARD_INPUT = "-"
MAX_FILE = 64 * 2**20  # bytes; larger than any feed or page, smaller than what two readers can hold at once
SECONDS = 30.0  # for one file among several; feeds take milliseconds, pages tenths of a second

FilesArgument = Annotated[
    list[str],
    typer.Argument(metavar="FILE_OR_URL", help="Files, folders of files, http(s) addresses, or - for standard input."),
]
UrlOption = Annotated[
    str | None, typer.Option(help="The address that a file came from: relative links are resolved against it.")
]
SecondsOption = Annotated[float, typer.Option(min=0.1, help="Longest time for one file, where there are several.")]


@dataclass(frozen=True)
class Given:
    """A body and what is known of it. `url` is "" where it is not known."""

    body: bytes
    content_type: str | None
    url: str
    name: str
    language: str | None = None


def parse_feed(files: FilesArgument, url: UrlOption = None, seconds: SecondsOption = SECONDS) -> None:
    """Print what the product makes of a feed or sitemap, as JSON.

    One object: title, format, language, site_url, problem and entries, each
    with key, url, title, summary, content, author, published (ISO 8601, UTC),
    source, source_url and language. A summary that the feed leaves out is its
    content. `problem` says what is wrong with a feed that could be read.

    With several files one line each, with "file" added. One that is no feed
    has "error" with code and message in its line, and the others are read.
    With one file the message goes to standard error and the exit code is 1.

        claimwatch parse-feed https://example.org/rss.xml
        curl -s $URL | claimwatch parse-feed - --url $URL
        claimwatch parse-feed corpus/ | jq -c 'select(.error)'
    """
    _print(partial(_feed, url), files, seconds)


def extract(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE_OR_URL", help="Pages to look at; without any the stage is run."),
    ] = None,
    url: UrlOption = None,
    seconds: SecondsOption = SECONDS,
    limit: Annotated[
        int | None, typer.Option(help="For the stage: at most so many items; all that are due by default.")
    ] = None,
) -> None:
    """Turn pages into titles and paragraphs; with files, print it as JSON.

    Without arguments this is the stage: it takes the fetched pages from the
    database. With files, folders, addresses or - for standard input no
    database is asked, and one object is printed: title, authors, date
    (ISO 8601, UTC), language, paragraphs and whatever else was found.

    With several files one line each, with "file" added. A page without an
    article has "error" with code and message in its line. With one file the
    message goes to standard error and the exit code is 1.

        claimwatch extract https://example.org/news/1
        claimwatch extract page.html --url https://example.org/news/1
    """
    if not files:
        from pipeline.commands.run import stage_command

        stage_command("extract")(limit=limit)
        return
    if limit is not None:
        raise ConfigurationError("--limit is for the stage; with files leave it out")
    _print(partial(_page, url), files, seconds)


# One file --------------------------------------------------------------------------------------------------------


def _feed(url: str | None, name: str) -> dict[str, Any]:
    from pipeline.logic import feeds

    given = _read(name, url, "poll")
    parsed = feeds.parse(given.body, given.content_type, given.url or given.name, given.language)
    shown = asdict(parsed)
    listed = shown.pop("entries")
    for entry in listed:
        entry["summary"] = entry["summary"] or entry["content"]
    shown["ttl"] = parsed.ttl.total_seconds() if parsed.ttl else None
    empty = {name for name in ("skip_hours", "skip_days", "children") if not shown[name]}
    return {**{key: value for key, value in shown.items() if key not in empty}, "entries": listed}


def _page(url: str | None, name: str) -> dict[str, Any]:
    from pipeline.clock import SystemClock
    from pipeline.logic import extraction
    from pipeline.logic.sitemaps import opened

    given = _read(name, url, "fetch")
    body = opened(given.body, given.name)  # corpora of pages are kept gzipped
    try:
        document = asdict(extraction.extract(body, given.content_type, given.url, SystemClock().now()))
    except PermanentError as error:
        raise PermanentError(str(error) if given.url else f"{given.name}{error}", code=error.code) from error
    author = document.pop("author", None)
    authors = document.pop("authors", None) or ([author] if author else [])
    first = {"title": document.pop("title"), "authors": list(authors), "date": document.pop("published")}
    paragraphs = document.pop("paragraphs")
    return {**first, "language": document.pop("language"), **document, "paragraphs": paragraphs}


def _read(name: str, url: str | None, stage: str) -> Given:
    """The body behind a name. Raises ClaimwatchError: unreadable, too-large, http-404 and what a fetch can raise."""
    if _is_address(name):
        return _fetched(name, stage)
    try:
        if name == STANDARD_INPUT:
            body = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            with Path(name).open("rb") as file:
                body = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise PermanentError(f"{_told(name)} can't be read: {reason}", code="unreadable") from error
    if len(body) > MAX_FILE:
        raise PermanentError(f"{_told(name)} is larger than {MAX_FILE:,} bytes", code="too-large")
    return Given(body, None, url or "", "standard input" if name == STANDARD_INPUT else _told(name))


def _is_address(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


def _told(name: str) -> str:
    """A file's name as it can be printed."""
    return os.fsencode(name).decode("utf-8", "replace")


def _fetched(address: str, stage: str) -> Given:
    import asyncio

    from pipeline.adapters.http import ARTICLE_ACCEPT, FEED_ACCEPT, HttpClient
    from pipeline.settings import load

    settings = load()
    accept = FEED_ACCEPT if stage == "poll" else ARTICLE_ACCEPT

    async def get() -> Given:
        async with HttpClient(settings.fetch) as client:
            response = await client.get(address, max_body=getattr(settings, stage).max_body, accept=accept)
        if not 200 <= response.status < 300:
            problem = f"the server answered {response.status} for {address}"
            raise PermanentError(problem, code=f"http-{response.status}")
        headers = response.headers
        about = headers.get("content-type"), response.url, address, headers.get("content-language")
        return Given(response.body, *about)

    return asyncio.run(get())


# Many files ------------------------------------------------------------------------------------------------------


def _print(look: Callable[[str], dict[str, Any]], files: list[str], seconds: float) -> None:
    if len(files) == 1 and not Path(files[0]).is_dir():
        _write(look(files[0]), indent=2)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from pipeline.local import guarded

    names = list(_expanded(files))
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as progress:
        task = progress.add_task("reading", total=len(names))
        for name, result in guarded.each(partial(_looked, look), names, seconds=seconds):
            shown = _error(result.code, result.message) if isinstance(result, guarded.Failed) else result
            _write({"file": name, **shown})
            progress.advance(task)


def _looked(look: Callable[[str], dict[str, Any]], name: str) -> dict[str, Any]:
    try:
        return look(name)
    except ClaimwatchError as error:
        return _error(error.code, str(error))


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _expanded(files: list[str]) -> Iterator[str]:
    """Folders as the files in them, in the order of their names."""
    for name in files:
        if _is_address(name) or name == STANDARD_INPUT or not Path(name).is_dir():
            yield name
        else:
            yield from (str(path) for path in sorted(Path(name).rglob("*")) if path.is_file())


def _write(shown: dict[str, Any], indent: int | None = None) -> None:
    try:
        line = json.dumps(shown, ensure_ascii=False, indent=indent, default=_plain).encode()
    except UnicodeEncodeError:  # a file's name in no known encoding
        line = json.dumps(shown, indent=indent, default=_plain).encode()
    try:
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # whoever reads has had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else str(value)
