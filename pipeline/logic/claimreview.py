"""A claim as schema.org's ClaimReview, in JSON-LD.

The desk follows claims and passes no verdict on them: the rating says in words how the evidence stands and has no
number, since a number would be read as a degree of truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pipeline.logic.coverage import counted
from pipeline.logic.written import is_link, moment, short

MOST = 500  # appearances told
LONGEST_TITLE = 300  # characters

WORDS = {
    "unseen": "No report seen",
    "new": "Newly reported",
    "active": "Reported",
    "contested": "Contested",
    "quiet": "Reported, no longer in the news",
    "silent": "Reported, expected coverage did not come",
}


@dataclass(frozen=True)
class Appearance:
    """An article that bears on the claim."""

    url: str
    title: str
    publisher: str
    published_at: datetime
    language: str | None
    stance: str


@dataclass(frozen=True)
class Standing:
    """How the claim stands, in stories."""

    claim_id: str
    statement: str
    state: str
    supports: int
    refutes: int
    updates: int
    as_of: datetime


def document(standing: Standing, appearances: Sequence[Appearance], origins: Sequence[str], public_url: str) -> Any:
    """The review as JSON takes it. Reports that only bring an update or deny the claim are no appearances of it."""
    told = sorted((a for a in appearances if a.stance == "supports" and is_link(a.url)), key=_order)
    claim: dict[str, Any] = {"@type": "Claim", "text": standing.statement}
    if origins:
        claim["author"] = [{"@type": "Organization", "name": name} for name in origins]
    if told:
        claim["datePublished"] = moment(told[0].published_at)
        claim["firstAppearance"] = _article(told[0])
        claim["appearance"] = [_article(a) for a in told[:MOST]]
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": f"{public_url}/claims/{quote(standing.claim_id, safe='')}",
        "claimReviewed": standing.statement,
        "datePublished": moment(standing.as_of),
        "inLanguage": "en",
        "author": {"@type": "Organization", "name": "claimwatch", "url": public_url},
        "itemReviewed": claim,
        "reviewRating": {
            "@type": "Rating",
            "alternateName": WORDS.get(standing.state, standing.state),
            "ratingExplanation": _explanation(standing),
        },
    }


def _explanation(standing: Standing) -> str:
    """In stories, each counted once however many papers copied it."""
    supports = counted(standing.supports, "story supports", "stories support")
    refutes = counted(standing.refutes, "refutes", "refute")
    updates = counted(standing.updates, "updates", "update")
    return f"{supports} the claim, {refutes} it, {updates} it. A count of reports, not a verdict on their truth."


def _article(a: Appearance) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@type": "NewsArticle",
        "url": a.url,
        "headline": short(a.title, LONGEST_TITLE),
        "datePublished": moment(a.published_at),
        "publisher": {"@type": "Organization", "name": a.publisher},
    }
    return found | ({"inLanguage": a.language} if a.language else {})


def _order(a: Appearance) -> tuple[datetime, str]:
    return a.published_at, a.url
