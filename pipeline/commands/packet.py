"""packet: a claim's evidence as one ZIP."""

from __future__ import annotations

import shutil
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.commands.common import opened
from pipeline.errors import ConfigurationError
from pipeline.terminal import console

DAY = ["%Y-%m-%d"]


class Stance(StrEnum):
    supports = "supports"
    refutes = "refutes"
    updates = "updates"


class Tier(StrEnum):
    accepted = "accepted"
    suggested = "suggested"
    rejected = "rejected"


def packet(
    claim: Annotated[str, typer.Argument(help="A claim's short name: see `claimwatch claims list`.")],
    out: Annotated[Path, typer.Option(help="The file to write.", dir_okay=False)],
    since: Annotated[datetime | None, typer.Option(formats=DAY, help="From this day on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="Until this day, which counts.")] = None,
    lang: Annotated[str | None, typer.Option(help="Stories told in this language.")] = None,
    country: Annotated[str | None, typer.Option(help="Told by a publisher of this country.")] = None,
    family: Annotated[str | None, typer.Option(help="Told by this publisher family.")] = None,
    origin: Annotated[str | None, typer.Option(help="Resting on this authority, by name.")] = None,
    stance: Annotated[Stance | None, typer.Option(help="How it bears on the claim.")] = None,
    tier: Annotated[Tier, typer.Option(help="How sure we are.")] = Tier.accepted,
) -> None:
    """Write a claim's evidence packet: quotes, links, archived records with their hashes, figures, a chart, the SQL
    that made it, ClaimReview JSON-LD and a manifest. The same evidence makes the same bytes.
    """
    from pipeline import __version__
    from pipeline.stages import packet as packets
    from pipeline.web.desk import Desk
    from pipeline.web.filters import Filters
    from pipeline.web.parameters import evidence_values

    begins, ends = (None if day is None else day.date() for day in (since, until))
    bearing: Any = stance and stance.value
    sure: Any = None if tier is Tier.accepted else tier.value
    filters = Filters(begins, ends, lang, country, family, origin, bearing, sure)
    with opened() as (services, conn):
        material = packets.load(conn, claim, evidence_values(filters), filters.given)
        if material is None:
            raise ConfigurationError(f"no claim is called {claim!r}: see `claimwatch claims list`")
        with packets.build(material, services.archive, Desk(services.settings).public_url, __version__) as made:
            try:
                with out.open("wb") as file:
                    shutil.copyfileobj(made, file)
            except OSError as error:
                raise ConfigurationError(f"{out} can't be written: {error.strerror}") from error
    console.print(f"wrote {out}: {len(material.evidence)} stories, {len(material.carriers)} articles", markup=False)
