"""Running the pipeline: single stages, everything under Airflow, the demo, and how things stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.common import FormatOption, load_settings, opened
from pipeline.stages import services as stage_services
from pipeline.terminal import Format, console, show

HELP = {
    "poll": "Ask every feed that is due for new entries.",
    "fetch": "Fetch the pages of new articles, politely.",
    "extract": "Turn pages into titles and paragraphs.",
    "embed": "Turn new paragraphs into vectors.",
    "group": "Group articles into stories: copies and rewrites of one report.",
    "match": "Match new paragraphs against the claims.",
    "track": "Turn accepted matches into claim events and put alerts into the outbox.",
    "notify": "Send the alerts that are due.",
}


def stage_command(stage: str) -> Callable[..., None]:
    """The command that runs one stage until nothing is due."""

    def command(
        limit: Annotated[int | None, typer.Option(help="At most so many items; all that are due by default.")] = None,
    ) -> None:
        with opened() as (services, conn):
            report = stage_services.run_stage(conn, services, stage, limit=limit)
        parts = [f"{count} {outcome}" for outcome, count in report.outcomes.most_common()]
        console.print(f"{stage}: {report.claimed} items{': ' if parts else ''}{', '.join(parts)}")

    command.__doc__ = HELP[stage]
    return command


def maintain() -> None:
    """Free leases, apply retention, check indexes, look for edits and silences, mail the operator about a stall."""
    from pipeline.stages import maintain as stage

    with opened() as (services, conn):
        done = stage.run(conn, services)
        console.print(
            f"leases freed: {done.freed}; deleted: "
            + ", ".join(f"{count} {what}" for what, count in done.deleted.items())
        )
        if done.moved:
            console.print(f"pages moved from the database to the archive: {done.moved}")
        console.print(f"pages with evidence to read again: {done.reread}; claims fallen silent: {done.silences}")
        if done.unanswered:
            console.print(f"subscriptions ended that nobody said yes to: {done.unanswered}")
        for line in [*done.stalled, *(f"broken index: {name}" for name in done.broken_indexes)]:
            console.print(f"[red]{line}[/]")


def status(form: FormatOption = Format.table) -> None:
    """How much there is, what waits, and how the last runs went."""
    from pipeline.local import report

    with opened() as (services, conn):
        if form is Format.table:
            report.status(conn, services)
        else:
            show(*report.pending(conn, services), form)


def up() -> None:
    """Run everything until Ctrl-C: the database, Airflow with the DAGs, the desk, and what answers stored searches."""
    from pipeline.local.up import run

    run(load_settings())


def down() -> None:
    """Stop the embedded database server, which single commands start and leave running."""
    from pipeline.adapters import database

    settings = load_settings()
    if settings.database.dsn is not None:
        console.print("the database is a server of your own: it is left alone")
        return
    server = database.embedded_server(settings)
    if server.running():
        server.stop()
        console.print("the embedded database server is stopped")
    else:
        console.print("the embedded database server is not running")


def demo(
    home: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path(".demo"),
    once: Annotated[
        bool,
        typer.Option("--once", envvar="ONCE", help="End with the first delivered alerts; non-zero if none come."),
    ] = False,
    limit: Annotated[int, typer.Option(help="Seconds to wait for the first alerts.")] = 600,
) -> None:
    """Play an invented newsroom through the whole pipeline, on this machine alone."""
    from pipeline.local.demo import run

    raise typer.Exit(run(home.absolute(), once=once, limit=limit))
