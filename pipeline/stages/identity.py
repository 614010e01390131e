"""One article, however many addresses lead to it: what its page says of itself is recorded, and doubles are folded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.adapters.database import Connection, rows
from pipeline.logic import identity

SAME_ARTICLE = "same-article"


def settle(conn: Connection, article: Any, canonical_url: str | None, now: datetime) -> str | None:
    """Record the further addresses of an article that was fetched. Call inside its transaction.

    `article` has article_id, url, page_url and title. Where an address is another article's, the two become one: the
    one that has a text stays, its entries and addresses are joined, and what this says to the reader is returned if
    the given article is the one that was folded: it needs no text of its own.
    """
    addresses = identity.claimed(article.url, article.page_url, canonical_url) if article.page_url else []
    asked = [article.url, *(each.url for each in addresses)]
    if addresses:
        rows(conn, "identity.lock_articles", urls=asked, article_id=article.article_id)
    found = {r.url: r for r in rows(conn, "identity.same_articles", urls=asked)}
    own = found.get(article.url)
    if own is not None and own.article_id != article.article_id:
        return f"its address was found to be that of article {own.article_id}"
    for each in addresses:
        other = found.get(each.url)
        if other is None:
            rows(
                conn,
                "identity.add_url",
                url=each.url,
                article_id=article.article_id,
                known_from=each.known_from,
                now=now,
            )
            continue
        if other.article_id == article.article_id or other.folded_into is not None:
            continue
        known = identity.Known(other.article_id, other.known_from is None, other.has_text, other.title or "")
        if not identity.same(known, article.title or ""):
            continue
        if known.has_text:
            problem = f"its {each.known_from} address is that of article {known.article_id}: {each.url}"
            _fold(conn, article.article_id, known.article_id, problem, now)
            return problem
        problem = f"article {article.article_id} has its address as {each.known_from} address: {each.url}"
        _fold(conn, known.article_id, article.article_id, problem, now)
    return None


def _fold(conn: Connection, article_id: int, into: int, problem: str, now: datetime) -> None:
    rows(conn, "identity.fold", article_id=article_id, into=into, problem=problem, now=now)
