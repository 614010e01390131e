"""When two addresses are one article: what a page's redirect and its canonical link are worth."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from pipeline.logic import urls

ALIKE = 0.6  # share of common letter triples from which two titles name one report; one outlet edits its own titles


@dataclass(frozen=True)
class Claimed:
    """A further address of an article, in its one spelling; `known_from` is redirect or canonical."""

    url: str
    known_from: str


@dataclass(frozen=True)
class Known:
    """An article that an address stands for. `by_own_url`: it is the address that a feed gave for it."""

    article_id: int
    by_own_url: bool
    has_text: bool
    title: str


def claimed(url: str, page_url: str | None, canonical_url: str | None) -> list[Claimed]:
    """The further addresses that a page gives its article, the ones to be believed.

    A redirect is a server's word and may lead to another site; a canonical link is the page's word and holds on the
    page's own site alone. Neither may name a front page: that is where dead links are sent, and what careless
    templates call every page.
    """
    found: dict[str, str] = {}
    final = urls.canonical(page_url) if page_url else None
    if final and not urls.is_front_page(final):
        found[final] = "redirect"
    named = urls.canonical(canonical_url, page_url or url) if canonical_url else None
    if named and not urls.is_front_page(named) and urls.same_site(named, final or url):
        found.setdefault(named, "canonical")
    found.pop(url, None)
    return [Claimed(address, known_from) for address, known_from in found.items()]


def same(known: Known, title: str) -> bool:
    """Whether an article with this title is the one that its redirect or canonical link stands for.

    Where that is an address that a feed gave for an article, yes. Where the address is known from another page's
    redirect or canonical link only, the titles decide: consent pages, log-ins and "not found" collect redirects of
    any number of articles.
    """
    return known.by_own_url or alike(known.title, title)


def alike(one: str, other: str) -> bool:
    """Whether two titles name one report: equal, one within the other, or of mostly the same letters."""
    a, b = _letters(one), _letters(other)
    if not a or not b:
        return False
    if a in b or b in a:
        return min(len(a), len(b)) >= 8 or a == b
    first, second = _triples(a), _triples(b)
    return 2 * len(first & second) >= ALIKE * (len(first) + len(second)) > 0


def _letters(title: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", title).casefold() if c.isalnum())


def _triples(letters: str) -> set[str]:
    return {letters[at : at + 3] for at in range(len(letters) - 2)}
