"""Pages that are no article are called what they are; articles that resemble them stay articles."""

# ruff: noqa: E501 (lines of pages)

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import PermanentError
from pipeline.logic import pagekinds
from pipeline.logic.extraction import extract

NOW = datetime(2024, 12, 1, tzinfo=UTC)
URL = "https://www.paper.test/world/1"
PAGES: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "pages" / "kinds.yaml").read_text(encoding="utf-8")
)
SENTENCE = "On day {} of the inquiry the engineers told the panel how their sensors had been read and by whom. "
PARAGRAPHS = "".join(f"<p>{SENTENCE.format(n) * 2}</p>" for n in range(1, 12))


def read(name: str) -> Any:
    page = PAGES[name]
    body = page["body"].replace("PARAS", PARAGRAPHS)
    html = f"<!doctype html><html><head><title>{page['title']}</title>{page.get('head', '')}</head><body>"
    html += f"<nav><a href=/>Home</a> <a href=/s>Sport</a></nav>{body}</body></html>"
    return extract(html.encode(), "text/html; charset=utf-8", page.get("url", URL), NOW)


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page["kind"] != "article"])
def test_a_page_that_is_no_article(name: str) -> None:
    with pytest.raises(PermanentError) as caught:
        read(name)
    assert caught.value.code == PAGES[name]["kind"]
    assert pagekinds.PROBLEMS[caught.value.code] in str(caught.value)


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page["kind"] == "article"])
def test_an_article_that_looks_like_one_of_them(name: str) -> None:
    assert not read(name).partial


def test_every_kind_has_pages() -> None:
    assert {page["kind"] for page in PAGES.values()} == {*pagekinds.PROBLEMS, "article"}


def test_the_beginning_of_a_locked_article_is_kept_and_called_so() -> None:
    begun = (
        "The cabinet met on Monday and agreed on rules for drones near airports, a spokesman said after the meeting."
    )
    page = (
        '<html><head><title>Rules</title><script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree":'
        f" false}}</script></head><body><article><h1>Rules</h1><p>{begun}</p><p>{begun[::-1]}.</p>"
        "<div class=paywall>Subscribe now to continue reading this story.</div></article></body></html>"
    )
    got = extract(page.encode(), "text/html", URL, NOW)
    assert got.partial
    assert got.paragraphs[0] == begun
    assert not any("Subscribe" in paragraph for paragraph in got.paragraphs)
