"""archive show, get and verify; reextract; article: what was fetched, read again, and how a text changed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import Progress

from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.warc import Archive, Place, RecordDamaged, RecordMissing
from pipeline.commands.common import FormatOption, opened
from pipeline.errors import ConfigurationError
from pipeline.logic import urls
from pipeline.terminal import Format, console, show

CHUNK = 5000  # rows read at a time
archive_app = typer.Typer(help="What was fetched, as the servers sent it: WARC files.", no_args_is_help=True)
Subject = Annotated[str, typer.Argument(help="An article's number or address.")]
SinceOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Fetched then or later (UTC).")
]


@archive_app.command("show")
def archive_show(
    subject: Annotated[str, typer.Argument(help="An article's number or address, or a feed's address.")],
    form: FormatOption = Format.table,
) -> None:
    """List the captures of an article or feed: when, what came, its digest, and where the record stands."""
    columns = ["capture_id", "captured_at", "kind", "status", "size", "digest", "file", "offset", "final_url"]
    with opened() as (_, conn):
        found = rows(conn, "captures.show", **_subject(subject))
        if not found:
            raise ConfigurationError(f"the archive has nothing of {subject!r}")
        lines = [
            [
                *(r.capture_id, r.captured_at, r.kind, r.status, r.size),
                r.digest if form is not Format.table or r.digest is None else r.digest[:16],
                r.warc_file if r.expired_at is None else f"deleted by retention on {r.expired_at:%Y-%m-%d}",
                r.warc_offset,
                r.final_url,
            ]
            for r in found
        ]
        show(columns, lines, form)


@archive_app.command("get")
def archive_get(
    capture: Annotated[int, typer.Argument(help="The capture's number (`claimwatch archive show`).")],
    record: Annotated[bool, typer.Option("--record", help="The whole WARC record, headers included.")] = False,
) -> None:
    """Print what was fetched, checked against its digest; the body alone by default."""
    with opened() as (services, conn):
        found = row(conn, "captures.one", capture_id=capture)
        if found is None:
            raise ConfigurationError(f"there is no capture {capture}")
        if found.expired_at is not None:
            raise ConfigurationError(
                f"retention deleted the record of capture {capture} on {found.expired_at:%Y-%m-%d}"
            )
        if found.digest is None:
            raise ConfigurationError(f"capture {capture} says that nothing had changed, and of what is not known")
        content = services.archive.body(_place(found), bytes(found.digest))
        sys.stdout.buffer.write(services.archive.raw(_place(found)) if record else content)
        sys.stdout.buffer.flush()


@archive_app.command("verify")
def archive_verify(since: SinceOption = None) -> None:
    """Read every record and check it against its own digests and the database's. Non-zero if one is not as it was."""
    moment = None if since is None else since.replace(tzinfo=UTC)
    bad = good = 0
    with opened() as (services, conn):
        total = row(conn, "captures.total", since=moment).captures
        with Progress(console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("verifying", total=total)
            for r in _captures(conn, moment):
                problem = _problem(services.archive, r)
                bad, good = bad + (problem is not None), good + (problem is None)
                if problem:
                    console.print(f"capture {r.capture_id}: {problem}", markup=False)
                bar.advance(task)
    console.print(f"{good} records are as they were, {bad} are not")
    if bad:
        raise typer.Exit(1)


def reextract(
    since: SinceOption = None,
    older: Annotated[
        bool, typer.Option("--older-than-extractor", help="Only pages that an earlier extractor has read.")
    ] = False,
    article: Annotated[int | None, typer.Option(help="One article, by its number.")] = None,
    queue: Annotated[bool, typer.Option("--queue", help="Leave the work to the stage extract; do not wait.")] = False,
) -> None:
    """Extract pages again from the archive. A text that comes out otherwise is a new version, marked as our doing:
    readers are told of no edit and no news. Broken off, the rest stays queued.
    """
    from pipeline.stages import extract
    from pipeline.stages.services import due, run_stage

    if not (since or older or article is not None):
        raise ConfigurationError("say which pages: --since DATE, --older-than-extractor or --article NUMBER")
    wanted = {
        "since": None if since is None else since.replace(tzinfo=UTC),
        "extractor": extract.extractor() if older else None,
        "article_id": article,
    }
    with opened() as (services, conn):
        found = [r.article_id for r in rows(conn, "captures.to_reextract", **wanted)]
        rows(conn, "work.do_again", stage="extract", item_ids=found, due_at=services.clock.now())
        console.print(f"{len(found)} pages are to be read again")
        if queue or not found:
            return
        with Progress(console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("extracting", total=due(conn, services, "extract"))
            report = run_stage(
                conn, services, "extract", progress=lambda total: bar.update(task, completed=total.claimed)
            )
    console.print(", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.most_common()))


def article(
    subject: Subject,
    diff: Annotated[bool, typer.Option("--diff", help="What changed from text to text, word by word.")] = False,
    form: FormatOption = Format.table,
) -> None:
    """The texts that an article has had, and how each differs from the one before."""
    with opened() as (_, conn):
        found = row(conn, "versions.article", **_subject(subject))
        if found is None:
            raise ConfigurationError(f"there is no article {subject!r}")
        if form is Format.table:
            console.print(f"{found.article_id}: {found.publisher}, {found.url}", markup=False)
        columns = [
            "version_id",
            "known_at",
            "source",
            "title",
            "paragraphs",
            "added",
            "removed",
            "changed",
            "capture_id",
        ]
        versions = rows(conn, "versions.list", article_id=found.article_id)
        lines = [[*(getattr(r, c) for c in columns), "us" if r.reextracted else "publisher"] for r in versions]
        show([*columns, "made_by"], lines, form)
        if diff:
            _print_changes(conn, found.article_id)


def _print_changes(conn: Connection, article_id: int) -> None:
    from pipeline.logic.versions import words

    marks = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
    version = None
    for r in rows(conn, "versions.changes", article_id=article_id):
        if r.version_id != version:
            version = r.version_id
            console.print(f"\nversion {version}")
        if r.kind == "changed":
            text = "".join(piece.text.join(marks[piece.kind]) for piece in words(r.text_before, r.text_after))
        else:
            text = (r.text_after or r.text_before).join(marks[r.kind])
        console.print(text, markup=False, soft_wrap=True)


def _captures(conn: Connection, since: datetime | None) -> Iterator[Any]:
    """All that are to be there, some thousands at a time."""
    after = 0
    while found := rows(conn, "captures.to_verify", after=after, since=since, chunk=CHUNK):
        yield from found
        after = found[-1].capture_id


def _problem(archive: Archive, r: Any) -> str | None:
    try:
        archive.check(_place(r), None if r.digest is None else bytes(r.digest))
    except (RecordMissing, RecordDamaged) as error:
        return str(error)
    return None


def _place(r: Any) -> Place:
    return Place(r.warc_file, r.warc_offset, r.warc_length)


def _subject(text: str) -> dict[str, Any]:
    """An article's number, or an address as it stands and as it is stored."""
    if text.isdecimal():
        return {"article_id": int(text), "urls": []}
    return {"article_id": None, "urls": [text, *filter(None, [urls.canonical(text)])]}
