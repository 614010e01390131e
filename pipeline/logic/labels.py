"""Reviews as a labelled set: items.jsonl and labels.jsonl in the form that `claimwatch eval` and training read.

An item is a paragraph with the title above it as its context. A confirmed claim is `direct` with its stance, a rejected
one is named nowhere, which makes it a negative, and every other claim is `related`: nobody has looked, so the pair
counts neither way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

DEFAULT_STANCE = "supports"


@dataclass(frozen=True)
class Reviewed:
    """One review in force. `text_hash` is the paragraph's content address, the same in every database."""

    text_hash: str
    claim: str
    verdict: str  # confirmed or rejected
    stance: str | None
    text: str
    title: str
    language: str | None
    published: datetime
    publisher: str
    url: str


@dataclass
class LabelledSet:
    """Lines for the two files, in step."""

    items: list[dict[str, Any]] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)


def labelled(reviews: Iterable[Reviewed], claims: Sequence[str]) -> LabelledSet:
    """The reviews as one item a text; `claims` are all claims that a text could have been labelled for."""
    by_text: dict[str, list[Reviewed]] = {}
    for review in reviews:
        by_text.setdefault(review.text_hash, []).append(review)
    made = LabelledSet()
    for text_hash, found in by_text.items():
        first, key = found[0], f"review/{text_hash[:24]}"
        made.items.append(
            {
                "id": key,
                "published": first.published.isoformat(),
                "source": first.publisher,
                "lang": first.language,
                "url": first.url,
                "title": first.title,
                "text": first.text,
                "title_is_context": True,
            }
        )
        direct = {r.claim: r.stance or DEFAULT_STANCE for r in found if r.verdict == "confirmed"}
        seen = {r.claim for r in found}
        made.labels.append({"id": key, "direct": direct, "related": [c for c in claims if c not in seen]})
    return made
