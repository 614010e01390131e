"""What a page says of its article in meta tags and JSON-LD: title, authors, date, site, language, address."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from pipeline.logic import pagenames, text, urls

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
MAX_JSON = 500_000  # characters of one JSON-LD block

_PUBLISHED_META = (
    ("property", "article:published_time"),
    ("property", "og:article:published_time"),
    ("itemprop", "datepublished"),
    ("name", "article:published_time"),
    ("name", "parsely-pub-date"),
    ("name", "sailthru.date"),
    ("name", "pubdate"),
    ("name", "dc.date.issued"),
    ("name", "dcterms.created"),
    ("name", "date"),
)
_AUTHOR_META = ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "byl", "dable:author")
_ARTICLE_TYPES = re.compile(r"(Article|Posting|Report)$")


@dataclass(frozen=True)
class Head:
    """`titles` are all that the page gives, for finding the title again in the text; `free` is None where unsaid."""

    title: str
    titles: tuple[str, ...]
    authors: tuple[str, ...]
    published: datetime | None
    precision: str | None
    hint: str | None
    site_name: str | None
    description: str | None
    canonical: str | None
    body: str | None
    free: bool | None


def read(tree: Any, url: str, now: datetime) -> Head:
    """The head of a whole page, before it is cleaned. `now` only rules out dates in the future."""
    metas = _metas(tree)
    nodes = [node for node in linked_data(tree) if _is_article(node)]
    published, precision = _published(metas, nodes, now)
    site = _site_name(metas, nodes, url)
    headings = [_words(h) for h in tree.iter("h1")]
    told = [_string(node.get("headline")) for node in nodes]
    told += [metas.get(("property", "og:title"), ""), metas.get(("name", "twitter:title"), "")]
    named = [_words(t) for t in tree.iter("title")][:1]
    titles = tuple(dict.fromkeys(t for t in map(_plain, (*told, *headings, *named)) if t))
    bodies = sorted((_string(node.get("articleBody")) for node in nodes), key=len)
    free = [value for node in nodes if (value := _truth(node.get("isAccessibleForFree"))) is not None]
    return Head(
        title=pagenames.best_title(titles, [text.line(h) for h in headings], site, url),
        titles=titles,
        authors=_authors(metas, nodes, site, url),
        published=published,
        precision=precision,
        hint=_language(tree, metas),
        site_name=site,
        description=_plain(metas.get(("property", "og:description")) or metas.get(("name", "description")) or "")
        or None,
        canonical=_canonical(tree, url),
        body=bodies[-1] if bodies and bodies[-1] else None,
        free=None if not free else all(free),
    )


def _metas(tree: Any) -> dict[tuple[str, str], str]:
    metas: dict[tuple[str, str], str] = {}
    for meta in tree.iter("meta"):
        for attribute in ("property", "itemprop", "name", "http-equiv"):
            name, content = meta.get(attribute), meta.get("content")
            if name and content:
                metas.setdefault((attribute, name.strip().lower()), content)
    return metas


def linked_data(tree: Any) -> Iterator[dict[str, Any]]:
    """All objects of the page's JSON-LD, those in @graph and mainEntity included; broken blocks are passed over."""
    for script in tree.iter("script"):
        if (script.get("type") or "").lower() != "application/ld+json" or not script.text:
            continue
        if len(script.text) > MAX_JSON:
            continue
        try:
            stack = [json.loads(script.text.strip().rstrip(";"), strict=False)]
        except (ValueError, RecursionError):
            continue
        while stack:
            node = stack.pop(0)
            if isinstance(node, list):
                stack = [*node, *stack]
            elif isinstance(node, dict):
                yield node
                stack += [node[key] for key in ("@graph", "mainEntity") if key in node]


def _is_article(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    return any(_ARTICLE_TYPES.search(str(kind)) for kind in (kinds if isinstance(kinds, list) else [kinds]))


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _truth(value: Any) -> bool | None:
    return {"true": True, "false": False}.get(str(value).strip().lower()) if value is not None else None


def _plain(value: str) -> str:
    """On one line, entities that were written twice read again."""
    return text.line(html.unescape(value) if "&" in value else value)


def _words(element: Any) -> str:
    return text.line("".join(element.itertext()))


# --- site and authors ---


def _site_name(metas: dict[tuple[str, str], str], nodes: list[dict[str, Any]], url: str) -> str | None:
    publishers = [node.get("publisher") for node in nodes]
    named = [_string(p.get("name")) for p in publishers if isinstance(p, dict)]
    for value in (metas.get(("property", "og:site_name"), ""), *named, metas.get(("name", "application-name"), "")):
        if (found := _plain(value)) and not re.match(r"https?://|@", found):
            return found[:120]
    return None


def _authors(
    metas: dict[tuple[str, str], str], nodes: list[dict[str, Any]], site: str | None, url: str
) -> tuple[str, ...]:
    told: list[str] = []
    for node in nodes:
        authors = node.get("author")
        for author in authors if isinstance(authors, list) else [authors]:
            if isinstance(author, dict):
                names = author.get("name")
                told += [_string(name) for name in (names if isinstance(names, list) else [names])]
            else:
                told.append(_string(author))
    told = [name for name in told if name]
    if not pagenames.names_of(told, site, url):
        told = [metas[at] for name in _AUTHOR_META for at in (("name", name), ("property", name)) if at in metas]
    return pagenames.names_of(told, site, url)


# --- language and address ---


def _language(tree: Any, metas: dict[tuple[str, str], str]) -> str | None:
    spoken = [tree.get("lang"), tree.get("xml:lang"), metas.get(("property", "og:locale"))]
    spoken.append(metas.get(("http-equiv", "content-language")))
    for value in spoken:
        match = re.match(r"\s*([A-Za-z]{2})(?![A-Za-z])", value or "")
        if match:
            return match.group(1).lower()
    return None


def _canonical(tree: Any, url: str) -> str | None:
    """What the page calls its own address, believed on the same site and where it is not the front page."""
    for element in tree.iter("link"):
        if "canonical" in (element.get("rel") or "").lower().split():
            found = urls.canonical(element.get("href") or "", base=url)
            here = urls.canonical(url)
            if found is None or not urls.same_site(found, url):
                return None
            front = re.fullmatch(r"https?://[^/]+/", found) is not None
            return None if front and found != here else found
    return None


# --- dates ---


def _published(
    metas: dict[tuple[str, str], str], nodes: list[dict[str, Any]], now: datetime
) -> tuple[datetime | None, str | None]:
    """The date of publication from meta tags or JSON-LD, one with a time before one without."""
    candidates = [metas[at] for at in _PUBLISHED_META if at in metas]
    candidates[2:2] = [told for node in nodes if (told := _string(node.get("datePublished")))]
    dated = [(parsed, _precision(value)) for value in candidates if (parsed := plausible(date(value), now))]
    return next((found for found in dated if found[1] == "time"), dated[0] if dated else (None, None))


def _precision(value: str) -> str:
    return "time" if re.search(r"\d:\d\d", value) else "day"


def date(value: str | None) -> datetime | None:
    """An aware date from ISO 8601 or RFC 5322; without a zone it is UTC, without a time midnight."""
    if not value:
        return None
    value = value.strip()
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        try:
            found = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None


def plausible(found: datetime | None, now: datetime) -> datetime | None:
    return found if found is not None and EARLIEST <= found <= now + timedelta(days=1) else None
