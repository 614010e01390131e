"""origins: the lexicon of authorities, what it finds in a text, and looking at stored articles again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.common import FormatOption, load_settings, opened
from pipeline.errors import ConfigurationError
from pipeline.terminal import Format, console, show

origins_app = typer.Typer(
    help="The authorities that reports rest on (NIS, GUR, KCNA ...).",
    invoke_without_command=True,
    no_args_is_help=False,
)


@origins_app.callback()
def origins_list(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Those made of country and role, too.")] = False,
    form: FormatOption = Format.table,
) -> None:
    """The authorities that reports rest on: the lexicon in force (claims/origins.yaml explains its form)."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.stages.origins import lexicon

    found = lexicon(load_settings()).finder.origins.values()
    lines = [[o.origin_id, o.name, o.kind, o.country, _languages(o.names)] for o in found if every or not o.made]
    show(["origin", "name", "kind", "country", "languages"], lines, form)


def _languages(names: dict[str, tuple[str, ...]]) -> str:
    return " ".join(names)


@origins_app.command("check")
def origins_check(
    file: Annotated[str, typer.Argument(help="A text, its title on the first line; - for standard input.")],
    publisher: Annotated[str, typer.Option(help="Who publishes it.")] = "",
    country: Annotated[str | None, typer.Option(help="The publisher's country, two letters.")] = None,
    form: FormatOption = Format.table,
) -> None:
    """Print the origins found in a text, for editors of the lexicon. Position 0 is the title, none the whole text."""
    from pipeline.logic.text import paragraphs
    from pipeline.stages.origins import lexicon, of_version

    try:
        content = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} can't be read: {error}") from error
    title, *body = paragraphs(content) or ("",)
    known = lexicon(load_settings())
    found = of_version(known, title, body, source=None, publisher=publisher, country=country, kind=None)
    lines = [[a.position, known.finder.origins[a.origin_id].name, a.how, a.sentence] for a in found.all()]
    show(["position", "origin", "how", "sentence"], lines, form)
    if not lines and form is Format.table:
        console.print("no origin found")


@origins_app.command("renew")
def origins_renew() -> None:
    """Look at all stored articles again, after an edit of the lexicon."""
    from pipeline.stages.origins import renew

    with opened() as (services, conn):
        console.print(f"looked at {renew(conn, services)} texts again")
