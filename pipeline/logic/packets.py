"""The texts of an evidence packet: what a claim's packet holds, how it is checked, and its quotes to read and print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.logic.coverage import counted
from pipeline.logic.written import is_link, moment

if TYPE_CHECKING:
    from jinja2 import Environment

MANIFEST = "MANIFEST.sha256"


@dataclass(frozen=True)
class About:
    """What a packet is of."""

    claim: Any  # a row of desk_exports.claim
    as_of: datetime  # when the latest of it became known
    filters: Mapping[str, str]
    stories: int
    articles: int
    records: int
    left_out: Sequence[str]  # what could not be put in, each with why
    version: str
    address: str  # of the claim's page


FILES = {
    "quotes.html": "the evidence to read and print: every story's best sentence in its paragraph",
    "quotes.csv": "the same as a table, one row a story",
    "links.csv": "every article that carries it, copies included, with its address and its archived record",
    "records.warc.gz": "those records as the archive keeps them: the servers' answers, WARC 1.1",
    "events.csv": "what happened to the claim, as we noticed it",
    "figures.csv": "how many, says who, as of when",
    "timeline.csv": "stories a day",
    "chart.png": "the same as a picture, with the events",
    "phrasings.csv": "the wordings that the claim is looked for by",
    "claim.json": "the claim and how it stands",
    "claimreview.jsonld": "the claim as schema.org's ClaimReview; its rating counts reports and passes no verdict",
    "queries.sql": "the SQL that made these tables; an analyst can run it in psql",
}


def readme(about: About, names: Sequence[str]) -> str:
    """`names` are the packet's files."""
    files = {name: FILES[name] for name in FILES if name in names}
    return (
        _environment().get_template("packet.txt").render(about=about, claim=about.claim, files=files, manifest=MANIFEST)
    )


def manifest(digests: Mapping[str, str]) -> str:
    """As sha256sum writes and checks it."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def quotes(about: About, evidence: Sequence[Any], carriers: Mapping[int, Sequence[Any]], chart: str | None) -> str:
    """A page that stands alone, without scripts. `evidence` are rows of desk_claims.evidence, `carriers` those of
    desk_exports.carriers by story.
    """
    return (
        _environment()
        .get_template("packet.html")
        .render(about=about, claim=about.claim, evidence=evidence, carriers=carriers, chart=chart)
    )


def _marked(paragraph: str, sentence: str | None) -> tuple[str, str, str]:
    before, found, after = paragraph.partition(sentence) if sentence else (paragraph, "", "")
    return before, found, after


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=PackageLoader("pipeline.logic"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(moment=moment, counted=counted)
    made.tests.update(link=is_link)
    made.globals.update(marked=_marked)
    return made
