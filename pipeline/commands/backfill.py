"""backfill: older material from lists of addresses, sitemaps and web archives."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pipeline.adapters.database import Connection, row, rows
from pipeline.commands.common import FormatOption, load_settings, opened
from pipeline.errors import ClaimwatchError, TransientError
from pipeline.stages.services import Services
from pipeline.terminal import Format, console, show

backfill_app = typer.Typer(
    help="Older material, once: lists of addresses, sitemaps, files of a web archive.", no_args_is_help=True
)
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
SHOWN_PROBLEMS = 20

PublisherOption = Annotated[
    str | None, typer.Option(help="The publisher of everything in it; else each is found by the page's site.")
]
LimitOption = Annotated[int | None, typer.Option(min=1, help="At most so many articles.")]
LanguageOption = Annotated[
    list[str] | None, typer.Option("--language", help="Two-letter code of a language to keep; may be repeated.")
]
SinceOption = Annotated[
    datetime | None, typer.Option(formats=FORMATS, help="Only what the source dates then or later (UTC).")
]
UntilOption = Annotated[datetime | None, typer.Option(formats=FORMATS, help="Only what it dates before (UTC).")]


@backfill_app.command("urls")
def backfill_urls(
    source: Annotated[str, typer.Argument(help="A file or address with one address a line, or - for standard input.")],
    publisher: PublisherOption = None,
    limit: LimitOption = None,
) -> None:
    """Queue the pages of a list for fetching, as politely as any. Blank lines and # comments are passed over."""
    _run("urls", _kept_input() if source == "-" else source, publisher, limit=limit)


@backfill_app.command("sitemap")
def backfill_sitemap(
    source: Annotated[str, typer.Argument(help="A sitemap's address or file: news, plain or an index, gzip or not.")],
    language: LanguageOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    publisher: PublisherOption = None,
    limit: LimitOption = None,
) -> None:
    """Queue the pages that a site's sitemap names for fetching."""
    _run("sitemap", source, publisher, languages=language, since=since, until=until, limit=limit)


@backfill_app.command("warc")
def backfill_warc(
    source: Annotated[
        str,
        typer.Argument(
            help="A WARC file, a folder, a pattern in quotes, or a manifest (warc.paths.gz); or an address."
        ),
    ],
    language: LanguageOption = None,
    term: Annotated[
        list[str] | None,
        typer.Option("--term", help="Keep pages that name it, as in a claims file; else what the claims are about."),
    ] = None,
    anything: Annotated[bool, typer.Option("--any", help="Keep pages that name no term, too.")] = False,
    since: SinceOption = None,
    until: UntilOption = None,
    base: Annotated[
        str | None, typer.Option(help="Where a manifest's files lie: a folder or address; else its server's root.")
    ] = None,
    publisher: PublisherOption = None,
    limit: LimitOption = None,
) -> None:
    """Take news pages out of a web archive, those in some languages and about what the claims are about.

    Nothing is fetched from the sites: pages are stored as the archive has them, and extracted at the next run.

        claimwatch backfill warc --language ko --since 2024-10-01 \\
            https://data.commoncrawl.org/crawl-data/CC-NEWS/2024/10/warc.paths.gz
    """
    given = {"languages": language, "terms": term, "anything": anything, "since": since, "until": until}
    _run("warc", source, publisher, **given, base=base, limit=limit)


@backfill_app.command("resume")
def backfill_resume(number: Annotated[int, typer.Argument(help="Number of the backfill.")]) -> None:
    """Go on with a backfill that was ended or has failed, behind the last record that was stored."""
    with opened() as (services, conn):
        _read_all(conn, services, number)


@backfill_app.command("list")
def backfill_list(form: FormatOption = Format.table) -> None:
    """All backfills and how far they are."""
    columns = ["backfill_id", "kind", "source", "state", "files", "done", "records", "articles", "added_at"]
    with opened() as (_, conn):
        found = [[getattr(r, column) for column in columns] for r in rows(conn, "backfill.list")]
    show(["number", *columns[1:-1], "started"], found, form)


@backfill_app.command("show")
def backfill_show(
    number: Annotated[int, typer.Argument(help="Number of the backfill.")],
    form: Annotated[Format, typer.Option("--format", "-f", help="The files as a table, JSON Lines or CSV.")] = (
        Format.table
    ),
) -> None:
    """One backfill: its files, what became of the records, and how far its articles have come."""
    from pipeline.stages import backfill as stage

    with opened() as (_, conn):
        asked = stage.get(conn, number)
        files = rows(conn, "backfill.files", backfill_id=number)
        columns = ["location", "state", "records", "byte_offset", "size", "problem"]
        if form is not Format.table:
            show([*columns, "outcomes"], [[*(getattr(f, c) for c in columns), f.outcomes] for f in files], form)
            return
        console.print(f"backfill {number}: {asked.kind} {asked.source}", soft_wrap=True, markup=False)
        told = f"{asked.state}{': ' + asked.problem if asked.problem else ''}"
        console.print(f"{told}; asked for {asked.options or 'everything'}", markup=False)
        show(columns, [[getattr(f, c) for c in columns] for f in files])
        _show_outcomes(rows(conn, "backfill.outcomes", backfill_id=number))
        come = row(conn, "backfill.downstream", backfill_id=number)
        waiting = f"{come.to_fetch} to fetch, {come.to_extract} to extract"
        console.print(
            f"{come.articles} new articles: {waiting}, {come.with_text} read, {come.with_evidence} are evidence"
        )
        wrong = stage.problems(conn, number, SHOWN_PROBLEMS)
        if wrong:
            fields = ["location", "record", "url", "outcome", "problem"]
            show(fields, [[getattr(r, f) for f in fields] for r in wrong], title="Could not be used")


def _show_outcomes(outcomes: Sequence[Any]) -> None:
    console.print(", ".join(f"{r.records} {r.outcome}" for r in outcomes) or "nothing read yet")


def _kept_input() -> str:
    """Standard input as a file of the home, so that the backfill can be resumed."""
    content = sys.stdin.buffer.read()
    folder = load_settings().home / "backfills"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"urls-{hashlib.sha256(content).hexdigest()[:16]}.txt"
    file.write_bytes(content)
    return str(file)


def _run(kind: str, source: str, publisher: str | None, **given: Any) -> None:
    from pipeline.adapters.sourcefiles import is_address
    from pipeline.logic.backfills import checked
    from pipeline.stages import backfill as stage

    options = checked(kind, source, given)
    source = source if is_address(source) else str(Path(source).expanduser().absolute())
    with opened() as (services, conn):
        number = stage.start(conn, services, kind, source, options, publisher=publisher)
        _read_all(conn, services, number)


def _read_all(conn: Connection, services: Services, number: int) -> None:
    """Read every file that is left, with a bar; a file that can't be read now does not keep the others back."""
    from pipeline.stages import backfill as stage

    files = stage.files(conn, services, number)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"backfill {number}", total=None)
        for at, file_id in enumerate(files, start=1):
            name = f"backfill {number}, file {at} of {len(files)}"

            def step(done: int, total: int | None, records: int, name: str = name) -> None:
                bar.update(task, completed=done, total=total, description=f"{name}, {records} records")

            try:
                report = stage.read(conn, services, file_id, step)
                problem = report.problem
            except TransientError as error:
                problem = str(error)
            if problem:
                bar.console.print(problem, markup=False, soft_wrap=True)
    done = stage.finish(conn, services, number)
    _show_outcomes(rows(conn, "backfill.outcomes", backfill_id=number))
    if done["state"] == "failed":
        raise ClaimwatchError(
            f"{done['failed']} of {done['files']} files could not be read to their end: "
            f"`claimwatch backfill resume {number}` goes on with them"
        )
    console.print(f"backfill {number} is {done['state']}: `claimwatch backfill show {number}`")
