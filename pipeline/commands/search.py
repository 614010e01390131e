"""search and vector: free text against the archive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipeline.adapters.database import rows
from pipeline.commands.common import FormatOption, load_settings, opened
from pipeline.stages.services import Services
from pipeline.terminal import Format, show

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def search(
    text: Annotated[str, typer.Argument(help="What to look for, in any language.")],
    k: Annotated[int, typer.Option("-k", help="How many paragraphs.")] = 10,
    since: Annotated[datetime | None, typer.Option(formats=FORMATS, help="Published then or later (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(formats=FORMATS, help="Published before (UTC).")] = None,
    lang: Annotated[str | None, typer.Option(help="Two-letter language code.")] = None,
    form: FormatOption = Format.table,
) -> None:
    """The paragraphs nearest in meaning to a text."""
    from pipeline.stages.embed import half

    columns = ["similarity", "published_at", "publisher", "language", "text", "url"]
    with opened() as (services, conn):
        vector = half(services.encoder.encode([text])[0])
        found = rows(conn, "search.similar", vector=vector, k=k, since=since, until=until, lang=lang)
        show(columns, [[getattr(r, c) for c in columns] for r in found], form)


def vector(text: Annotated[str, typer.Argument(help="The text.")]) -> None:
    """A text's vector as pgvector writes it, for use inside SQL: see README, Analysts."""
    encoded = Services(load_settings()).encoder.encode([text])[0]
    typer.echo("[" + ",".join(f"{value:.5f}" for value in encoded) + "]")
