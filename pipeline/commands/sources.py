"""claims: what is followed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands import timeline
from pipeline.commands.common import opened
from pipeline.terminal import console

claims_app = typer.Typer()


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
