"""The command `claimwatch`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pipeline import __version__
from pipeline.commands import (
    alerts,
    archive,
    backfill,
    feeds,
    figures,
    inspect,
    mail,
    origins,
    packet,
    quality,
    replay,
    review,
    run,
    search,
    setup,
    sources,
    subscriptions,
    timeline,
    web,
)
from pipeline.errors import ClaimwatchError, ConfigurationError
from pipeline.settings import ENV_PREFIX
from pipeline.stages.services import STAGES

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Watches news feeds in many languages for fresh evidence on a fixed set of claims.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"claimwatch {__version__}")
        raise typer.Exit


@app.callback()
def options(
    home: Annotated[str | None, typer.Option(help="Where data and settings live; else CLAIMWATCH_HOME.")] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    if home is not None:
        os.environ[ENV_PREFIX + "HOME"] = home


SET_UP, FOLLOW, RUN, ASK, CHECK = "Set up", "What to follow", "Run", "Ask", "Review and measure"

app.command(rich_help_panel=SET_UP)(setup.init)
app.command(rich_help_panel=SET_UP)(setup.migrate)
app.add_typer(setup.config_app, name="config", rich_help_panel=SET_UP)
app.command(rich_help_panel=SET_UP)(setup.backup)
app.command(rich_help_panel=SET_UP)(setup.restore)
app.add_typer(feeds.feeds_app, name="feeds", rich_help_panel=FOLLOW)
app.add_typer(sources.claims_app, name="claims", rich_help_panel=FOLLOW)
app.add_typer(origins.origins_app, name="origins", rich_help_panel=FOLLOW)
app.add_typer(subscriptions.subscriptions_app, name="subscriptions", rich_help_panel=FOLLOW)
app.command(rich_help_panel=RUN)(run.up)
app.command(rich_help_panel=RUN)(run.down)
app.command(rich_help_panel=RUN)(run.demo)
app.command(rich_help_panel=RUN)(run.status)
app.command(rich_help_panel=RUN)(web.web)
for _stage in STAGES:  # `extract` also looks at single pages
    app.command(_stage, rich_help_panel=RUN)(inspect.extract if _stage == "extract" else run.stage_command(_stage))
app.command(rich_help_panel=RUN)(alerts.resend)
app.command(rich_help_panel=RUN)(run.maintain)
app.command(rich_help_panel=RUN)(search.listen)
app.command(rich_help_panel=RUN)(archive.reextract)
app.add_typer(backfill.backfill_app, name="backfill", rich_help_panel=RUN)
app.command(rich_help_panel=ASK)(search.search)
app.command(rich_help_panel=ASK)(search.vector)
app.command(rich_help_panel=ASK)(timeline.timeline)
app.command(rich_help_panel=ASK)(alerts.alerts)
app.command(rich_help_panel=ASK)(figures.figures)
app.command(rich_help_panel=ASK)(packet.packet)
app.command(rich_help_panel=ASK)(archive.article)
app.add_typer(archive.archive_app, name="archive", rich_help_panel=ASK)
app.command(rich_help_panel=ASK)(setup.psql)
app.add_typer(review.review_app, name="review", rich_help_panel=CHECK)
app.add_typer(replay.replay_app, name="replay", rich_help_panel=CHECK)
app.command("check-mail", rich_help_panel=CHECK)(mail.check_mail)
app.command("parse-feed", rich_help_panel=CHECK)(inspect.parse_feed)
app.command(rich_help_panel=CHECK)(quality.score)
app.command("eval", rich_help_panel=CHECK)(quality.evaluate)
app.command(rich_help_panel=CHECK)(quality.calibrate)


def main() -> None:
    """Errors that were raised on purpose become one clear message: 2 for what someone has to change, 1 else."""
    try:
        app()
    except ConfigurationError as error:
        sys.stderr.write(f"claimwatch: {error}\n")
        sys.exit(2)
    except ClaimwatchError as error:
        sys.stderr.write(f"claimwatch: {error}\n")
        sys.exit(1)
