"""An article: its text with what is evidence in it, its texts side by side, and the archive's records of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from pipeline.logic import comparison
from pipeline.web.desk import Desk
from pipeline.web.pages.common import DeskOf
from pipeline.web.pages.stories import Number
from pipeline.web.render import page

router = APIRouter(include_in_schema=False)

CAPTURES = 50
Version = Annotated[int | None, Query(ge=1, le=2**63 - 1)]


@router.get("/articles")
def at_address(desk: DeskOf, url: Annotated[str, Query(max_length=8000)]) -> Response:
    """The page of the article that stands under an address."""
    found = desk.row("desk_articles.at", url=url)
    if found is None:
        raise HTTPException(404, "there is no article with that address here")
    return RedirectResponse(f"/articles/{found.article_id}", 303)


@router.get("/articles/{article_id}")
def article(
    request: Request, desk: DeskOf, article_id: Number, version: Version = None, against: Version = None
) -> Response:
    """`version` is the text to read, else the latest; `against` one to put beside it, of this article or another."""
    found = desk.row("desk_articles.one", article_id=article_id)
    if found is None:
        raise HTTPException(404, f"article {article_id} is not here, or its text is not")
    versions = desk.rows("desk_articles.versions", article_id=article_id)
    shown = next((v for v in versions if v.version_id == (version or found.version_id)), None)
    if shown is None:
        raise HTTPException(404, f"article {article_id} has no text {version}")
    text = desk.rows("desk_articles.text", article_id=article_id, version_id=shown.version_id)
    return page(
        request,
        "article.html",
        article=found,
        versions=versions,
        shown=shown,
        before=max((v for v in versions if v.version_id < shown.version_id), key=lambda v: v.version_id, default=None),
        text=text,
        statements=_statements(desk, text),
        compared=None if against is None else _compared(desk, against, text),
        origins=desk.rows("desk_articles.origins", article_id=article_id),
        captures=desk.rows("desk_articles.captures", article_id=article_id, most=CAPTURES),
    )


def _statements(desk: Desk, text: list[Any]) -> dict[str, str]:
    """The claims that the paragraphs bear on, by name, in one question."""
    names = sorted({e["claim_id"] for paragraph in text for e in paragraph.evidence})
    if not names:
        return {}
    return {c.claim_id: c.statement for c in desk.rows("desk_articles.claims", claim_ids=names)}


def _compared(desk: Desk, against: int, text: list[Any]) -> dict[str, Any]:
    """The other text, and both side by side."""
    other = desk.row("desk_articles.version", version_id=against)
    if other is None:
        raise HTTPException(404, f"there is no text {against}")
    lines = comparison.side_by_side(titled(desk.rows("desk_articles.paragraphs", version_id=against)), titled(text))
    counts = {kind: sum(line.kind == kind for line in lines) for kind in ("changed", "added", "removed")}
    return {"other": other, "stretches": comparison.stretches(lines), "counts": counts}


def titled(paragraphs: list[Any]) -> list[str]:
    """Title ("" for none) and paragraphs."""
    title = "".join(p.text for p in paragraphs if p.position == 0)
    return [title, *(p.text for p in paragraphs if p.position > 0)]
