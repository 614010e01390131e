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
    claim = about.claim
    chosen = "".join(f"  {name}: {value}\n" for name, value in about.filters.items())
    files = "".join(f"  {name:<20} {FILES[name]}\n" for name in names if name in FILES)
    missing = "".join(f"  {line}\n" for line in about.left_out)
    return (
        f"{claim.statement}\n\n"
        f"Evidence packet of the claim {claim.claim_id}, made by claimwatch {about.version}.\n"
        f"The latest of it became known on {moment(about.as_of)}; the claim's state then: {claim.state}.\n"
        f"Its page: {about.address}\n\n"
        f"It holds {counted(about.stories, 'story', 'stories')} told in {counted(about.articles, 'article', 'articles')}, "
        f"{counted(about.records, 'archived record', 'archived records')}.\n"
        + (f"Of the evidence, what passes these filters:\n{chosen}" if chosen else "All accepted evidence.\n")
        + f"\nFiles\n{files}"
        "\nTo check\n"
        f"  sha256sum -c {MANIFEST}          every file is as it was made\n"
        "  links.csv names for each article the record (record_offset and record_length in records.warc.gz), the\n"
        "  SHA-256 of those bytes (record_sha256) and the SHA-256 of the page's body (body_sha256), which stands in the\n"
        "  record as WARC-Payload-Digest too. Any WARC reader opens the file: warcio check records.warc.gz\n"
        "\nTables are UTF-8 with a byte order mark; a text that a spreadsheet would run as a formula has an apostrophe\n"
        "before it. Times are UTC. The same evidence makes the same bytes. The records hold pages as their publishers\n"
        "wrote them and are kept as proof of what was published; the rights to them are the publishers'.\n"
        + (f"\nLeft out\n{missing}" if missing else "")
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
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("pipeline.logic"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(moment=moment)
    made.tests.update(link=is_link)
    made.globals.update(marked=_marked)
    return made
