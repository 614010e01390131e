"""feeds, claims, and who gets mail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.adapters.database import row, rows
from pipeline.commands import timeline
from pipeline.commands.common import FormatOption, opened
from pipeline.errors import ConfigurationError
from pipeline.settings import is_mail_address
from pipeline.terminal import Format, console, show

feeds_app = typer.Typer(help="The feeds that are polled.", no_args_is_help=True)
claims_app = typer.Typer()

EVERYTHING = "all"


@feeds_app.command("add")
def feeds_add(
    url: Annotated[str, typer.Argument(help="The feed's address.")],
    publisher: Annotated[str | None, typer.Option(help="Who publishes it; the host's name by default.")] = None,
    family: Annotated[str | None, typer.Option(help="The publisher's owner, where several share one.")] = None,
    country: Annotated[str | None, typer.Option(help="Two-letter country code.")] = None,
    language: Annotated[str | None, typer.Option(help="Two-letter language code.")] = None,
    kind: Annotated[str | None, typer.Option(help="wire, newspaper, broadcaster, state, blog, think-tank.")] = None,
) -> None:
    """Add a feed; it is polled at the next run."""
    from pipeline.stages.poll import add_feed

    with opened() as (services, conn):
        details = {
            "name": publisher,
            "family": family,
            "country": country,
            "language": language,
            "kind": kind,
        }
        added = add_feed(conn, services, url, **details)
        console.print(f"added as feed {added}" if added else "that address is there already")


@feeds_app.command("import")
def feeds_import(file: Annotated[Path, typer.Argument(help="An OPML file.")]) -> None:
    """Add every feed of an OPML list; those that are there already stay as they are."""
    from pipeline.errors import PermanentError
    from pipeline.logic import opml
    from pipeline.stages.poll import add_feed

    try:
        outlines = opml.parse(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file} can't be read: {error}") from error
    added = known = 0
    with opened() as (services, conn):
        for outline in outlines:
            try:
                new = add_feed(conn, services, outline.url, name=outline.title)
            except PermanentError as error:
                console.print(f"left out: {error}")
                continue
            added, known = added + (new is not None), known + (new is None)
    console.print(f"{added} feeds added, {known} were there already, {len(outlines) - added - known} left out")


@feeds_app.command("list")
def feeds_list(form: FormatOption = Format.table) -> None:
    """All feeds, how their last poll went and when the next is due."""
    columns = [
        "feed_id",
        "publisher",
        "url",
        "state",
        "last_outcome",
        "last_success_at",
        "next_poll_at",
        "last_problem",
    ]
    with opened() as (_, conn):
        show(columns, [[getattr(r, c) for c in columns] for r in rows(conn, "feeds.list")], form)


@claims_app.command("load")
def claims_load(
    file: Annotated[Path, typer.Argument(help="A claims file; see claims/nk-russia.yaml.")],
) -> None:
    """Load a claims file: unchanged claims stay, an edited one gets a new version, a mistake loads nothing."""
    from pipeline.stages.claims import load

    with opened() as (services, conn):
        done = load(conn, services, file)
        console.print(
            f"topic {done.topic}: {len(done.added)} new, {len(done.changed)} changed, {len(done.unchanged)} unchanged, "
            f"{len(done.retired)} retired"
        )


@claims_app.callback(invoke_without_command=True)
def claims(context: typer.Context) -> None:
    """The claims that are followed; alone the same as `claims list`."""
    if context.invoked_subcommand is None:
        timeline.claims()


claims_app.command("list")(timeline.claims)


ClaimArgument = Annotated[str, typer.Argument(help="A claim's short name (`claimwatch claims list`), or `all`.")]


def subscribe(mail: Annotated[str, typer.Argument(help="Mail address.")], claim: ClaimArgument = EVERYTHING) -> None:
    """Mail somebody about a claim, or about all of them. Only events from now on are mailed."""
    if not is_mail_address(mail):
        raise ConfigurationError(f"{mail!r} is not a mail address")
    with opened() as (services, conn):
        chosen = None if claim == EVERYTHING else claim
        if chosen is not None and row(conn, "claims.exists", claim_id=chosen) is None:
            raise ConfigurationError(f"no claim is called {claim!r}: see `claimwatch claims list`")
        added = row(conn, "alerts.subscribe", email=mail, claim_id=chosen, now=services.clock.now())
        console.print(f"{mail} hears of {claim} from now on" if added else f"{mail} hears of {claim} already")


def unsubscribe(mail: Annotated[str, typer.Argument(help="Mail address.")], claim: ClaimArgument = EVERYTHING) -> None:
    """End a subscription."""
    with opened() as (services, conn):
        chosen = None if claim == EVERYTHING else claim
        ended = row(conn, "alerts.unsubscribe", email=mail, claim_id=chosen, now=services.clock.now())
        console.print("ended" if ended else f"{mail} has no subscription to {claim}")


def subscriptions(form: FormatOption = Format.table) -> None:
    """Who gets mail about what."""
    with opened() as (_, conn):
        found = [[r.email, r.claim_id or EVERYTHING, r.created_at] for r in rows(conn, "alerts.subscriptions")]
        show(["mail", "claim", "since"], found, form)
