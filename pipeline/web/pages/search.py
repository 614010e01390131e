"""Search: free text against the archive, by meaning and words together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from pipeline.logic import searchwords
from pipeline.web.desk import Desk
from pipeline.web.filters import SearchFilters
from pipeline.web.meaning import Meaning
from pipeline.web.pages.common import DeskOf
from pipeline.web.render import page

router = APIRouter(include_in_schema=False)

SIZE = 20  # paragraphs on a page
DEEPEST = 100  # of a search: as many as both ways put up, so that each page cuts the same list
FOUND_BY = {"both": "by meaning and words", "meaning": "by meaning", "words": "by words"}


@dataclass(frozen=True)
class Found:
    """`hits` are rows of desk_search.hybrid; `problem` says why meaning was left out, where it was."""

    hits: list[Any]
    words: frozenset[str]
    problem: str | None = None

    @property
    def total(self) -> int:
        return int(self.hits[0].total) if self.hits else 0

    @property
    def articles(self) -> list[list[Any]]:
        """The hits of one article together, in the order of the best."""
        grouped: dict[str, list[Any]] = {}
        for hit in self.hits:
            grouped.setdefault(hit.url, []).append(hit)
        return list(grouped.values())


@router.get("/search")
def search(request: Request, desk: DeskOf, given: Annotated[SearchFilters, Depends()]) -> Response:
    meaning: Meaning = request.app.state.meaning
    return page(
        request,
        "search.html",
        found=find(desk, meaning, given) if given.q.strip() else None,
        found_by=FOUND_BY,
        size=SIZE,
        choices=desk.row("desk_search.choices"),
        filters=given,
    )


def find(desk: Desk, meaning: Meaning, given: SearchFilters) -> Found:
    """One page of what a text finds; by words alone where there is no vector for it."""
    values, problem = asked(desk, meaning, given)
    hits = desk.rows("desk_search.hybrid", **values, most=SIZE, skipped=(given.page - 1) * SIZE)
    return Found(hits, frozenset(searchwords.words(given.q)), problem)


def asked(desk: Desk, meaning: Meaning, given: SearchFilters) -> tuple[dict[str, Any], str | None]:
    """What desk_search.hybrid takes but for the page, and why it goes without a vector where one was wanted."""
    text = given.q.strip()
    vector, problem = None, None
    if given.way != "words":
        vector, problem = meaning.vector(text, desk.row("desk_search.model"))
    by_meaning_alone = given.way == "meaning" and vector is not None
    values = {
        "vector": vector,
        "terms": None if by_meaning_alone else searchwords.words(text),
        "k": DEEPEST,
        "since": given.starts,
        "until": given.ends,
        "lang": given.lang,
        "country": given.country,
        "publisher": given.publisher,
    }
    return values, problem
