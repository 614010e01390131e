"""search and vector: free text against the archive. listen: the same for those who search in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipeline.adapters.database import rows
from pipeline.commands.common import FormatOption, load_settings, opened
from pipeline.errors import ConfigurationError
from pipeline.stages.services import Services
from pipeline.terminal import Format, console, show

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
SHOWN = ["published_at", "publisher", "language", "text", "url"]


def search(
    text: Annotated[str, typer.Argument(help="What to look for, in any language.")],
    k: Annotated[int, typer.Option("-k", help="How many paragraphs.")] = 10,
    since: Annotated[datetime | None, typer.Option(formats=FORMATS, help="Published then or later (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(formats=FORMATS, help="Published before (UTC).")] = None,
    lang: Annotated[str | None, typer.Option(help="Two-letter language code.")] = None,
    country: Annotated[str | None, typer.Option(help="Two-letter code of the publisher's country.")] = None,
    outlet: Annotated[str | None, typer.Option(help="The publisher's name.")] = None,
    vectors: Annotated[bool, typer.Option("--vectors", help="By meaning alone.")] = False,
    only_words: Annotated[bool, typer.Option("--words", help="By words alone; needs no model.")] = False,
    form: FormatOption = Format.table,
) -> None:
    """The paragraphs that fit a text best, by meaning and by words."""
    from pipeline.logic.searchwords import words
    from pipeline.stages import searches

    if vectors and only_words:
        raise ConfigurationError("either --vectors or --words; without both, a search goes by meaning and words")
    filters = {"since": since, "until": until, "lang": lang, "country": country, "outlet": outlet}
    with opened() as (services, conn):
        query = searches.Query(None, words(text)) if only_words else searches.query(conn, services, text)
        asked = [] if vectors else query.words
        found = rows(conn, "search.hybrid", vector=query.vector, words=asked, k=k, **filters)
    both = [] if vectors or only_words else ["found_by"]
    columns = ["rank", *both, *([] if only_words else ["similarity"]), *SHOWN]
    show(columns, [[getattr(r, c) for c in columns] for r in found], form)


def vector(text: Annotated[str, typer.Argument(help="The text.")]) -> None:
    """A text's vector as pgvector writes it, for use inside SQL: see README, Analysts."""
    encoded = Services(load_settings()).encoder.encode([text])[0]
    typer.echo("[" + ",".join(f"{value:.5f}" for value in encoded) + "]")


def listen() -> None:
    """Wait for searches that analysts store in SQL, and make their vectors: until Ctrl-C. Part of `up`."""
    from pipeline.local.processes import exit_on_signals
    from pipeline.stages import searches

    exit_on_signals()
    try:
        searches.listen(Services(load_settings()))
    except KeyboardInterrupt:
        console.print("ended")
