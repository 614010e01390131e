"""claims, and who gets mail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.adapters.database import row, rows
from pipeline.commands import timeline
from pipeline.commands.common import FormatOption, opened
from pipeline.errors import ConfigurationError
from pipeline.settings import is_mail_address
from pipeline.stages.subscriptions import add_subscription
from pipeline.terminal import Format, console, show

claims_app = typer.Typer()

EVERYTHING = "all"


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
        added = add_subscription(conn, mail, services.clock.now(), claim_id=chosen)
        console.print(f"{mail} hears of {claim} from now on" if added else f"{mail} hears of {claim} already")


def unsubscribe(mail: Annotated[str, typer.Argument(help="Mail address.")], claim: ClaimArgument = EVERYTHING) -> None:
    """End a subscription."""
    with opened() as (services, conn):
        chosen = None if claim == EVERYTHING else claim
        ended = row(conn, "alerts.unsubscribe", email=mail, claim_id=chosen, topic_id=None, now=services.clock.now())
        console.print("ended" if ended else f"{mail} has no subscription to {claim}")


def subscriptions(form: FormatOption = Format.table) -> None:
    """Who gets mail about what."""
    with opened() as (_, conn):
        found = [[r.email, r.claim_id or EVERYTHING, r.created_at] for r in rows(conn, "alerts.subscriptions")]
        show(["mail", "claim", "since"], found, form)
