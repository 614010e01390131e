"""An outlet's web pages at a moment: articles, home and section pages, robots.txt and error pages.

Three layouts stand for the ways real sites are built (semantic elements, nested divs, tables), so that
extraction has furniture to leave out. A page's bytes depend only on what is published at that moment; the
layouts with a live sidebar change when the outlet publishes something else, though their article does not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pipeline.newsroom.content import DATA, Content, Outlet, Shown
from pipeline.newsroom.feeds import MEDIA_TYPES, summary

LAYOUTS = {
    "saemaru-ilbo": "divs",
    "pechersk-ohliadach": "divs",
    "continental-courier": "divs",
    "harbour-herald": "divs",
    "tradewind-monitor": "divs",
    "vestovoy": "table",
    "minato-nippo": "table",
}
"""Layout by outlet; the others are semantic."""
CRAWL_DELAYS = {"kyiv-ledger": 1}
"""Seconds between requests that an outlet's robots.txt asks for."""
RELATED = 3
TEASER_LENGTH = 140


@dataclass(frozen=True)
class Page:
    """A rendered page. `modified` is the newest change among all it shows; None when that is nothing."""

    body: bytes
    modified: datetime | None


def article(content: Content, shown: Shown, now: datetime) -> Page:
    """The page of one article, with links to earlier ones of its outlet and, by layout, the newest."""
    outlet = shown.article.outlet
    others = [item for item in content.visible(now, outlet) if item.article != shown.article]
    earlier = [item for item in others if item.article.published <= shown.article.published]
    related, latest = earlier[:RELATED], others[:RELATED]
    layout = LAYOUTS.get(outlet.slug, "semantic")
    body = _render(
        f"{layout}.html",
        content,
        outlet,
        shown.version.language,
        article=shown.article,
        version=shown.version,
        edited=shown.edited,
        teaser=summary(shown),
        linked_data=_linked_data(shown),
        related=related,
        latest=latest,
    )
    beside = related if layout == "semantic" else [*related, *latest]
    return Page(body, max(item.updated for item in [shown, *beside]))


def listing(content: Content, outlet: Outlet, now: datetime, section: str | None = None) -> Page:
    """The home page, or the page of one section: the articles of `outlet`, the newest first."""
    items = [i for i in content.visible(now, outlet) if section is None or i.article.section == section]
    body = _render("listing.html", content, outlet, outlet.language, items=items, section=section)
    return Page(body, max((item.updated for item in items), default=None))


def not_found(content: Content, outlet: Outlet) -> Page:
    words = _furniture()[outlet.language]
    body = _render(
        "notice.html",
        content,
        outlet,
        outlet.language,
        heading=words["not_found"],
        text=words["not_found_text"],
    )
    return Page(body, None)


def out_of_order(content: Content, outlet: Outlet) -> Page:
    """What a proxy in front of a broken server says: HTML, whatever was asked for."""
    text = "The server met an unexpected condition. Please try again later."
    body = _render("notice.html", content, outlet, outlet.language, heading="500 Internal Server Error", text=text)
    return Page(body, None)


def robots(outlet: Outlet) -> bytes:
    """Everything is allowed but the search; some outlets ask for a pause between requests."""
    lines = ["User-agent: *", "Disallow: /search"]
    if outlet.slug in CRAWL_DELAYS:
        lines.append(f"Crawl-delay: {CRAWL_DELAYS[outlet.slug]}")
    return "\n".join([*lines, "Allow: /", ""]).encode()


def _linked_data(shown: Shown) -> dict[str, object]:
    outlet, version = shown.article.outlet, shown.version
    return {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": version.title,
        "inLanguage": version.language,
        "datePublished": shown.article.published.isoformat(),
        "dateModified": shown.updated.isoformat(),
        "author": [{"@type": "Person", "name": version.byline}],
        "publisher": {"@type": "NewsMediaOrganization", "name": outlet.name, "url": outlet.base_url + "/"},
        "mainEntityOfPage": shown.article.url,
    }


def _render(template: str, content: Content, outlet: Outlet, language: str, **values: object) -> bytes:
    words = _furniture()
    text = (
        _environment()
        .get_template(template)
        .render(
            outlet=outlet,
            language=language,
            sections=content.sections(outlet),
            labels=words["sections"],
            t=words[language],
            feed_type=MEDIA_TYPES[outlet.feed_format],
            **values,
        )
    )
    return text.encode()


@cache
def _furniture() -> dict[str, dict[str, str]]:
    """The words around the articles: by language, and the names of the sections."""
    words: dict[str, dict[str, str]] = json.loads((DATA / "furniture.json").read_text(encoding="utf-8"))
    return words


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = environment.filters
    filters["teaser"] = lambda item: summary(item, TEASER_LENGTH)
    return environment
