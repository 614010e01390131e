"""From a page to an article: text by trafilatura, dates with their time, the language, the canonical link."""

from __future__ import annotations

import copy
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from pipeline.errors import PermanentError
from pipeline.logic import pagebody, text, urls
from pipeline.logic.language import detect
from pipeline.logic.markup import MAX_ATTRIBUTES, too_many_attributes
from pipeline.model import Document

VERSION = 1  # raise it when the same page gives another text: `claimwatch reextract` asks for it
MAX_ELEMENTS = 30_000  # a long live blog has 10,000; beyond this extraction takes tens of seconds
MAX_DEPTH = 250  # at 256 libxml2 stops reading, so what came after would be lost without a word
MAX_ALL_ATTRIBUTES = 200_000  # of all tags together
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

_INLINE = frozenset(("hi", "ref", "del", "code", "span", "emph", "a", "b", "i", "u", "em", "strong", "sub", "sup"))
_HTML_TYPES = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain")
_BINARY = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b")
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
_ARTICLE_TYPES = re.compile(r"(Article|Posting|Report)$")

# They log every page they find nothing on; the error raised here says it once.
for _name in ("trafilatura", "htmldate", "courlan"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def extract(body: bytes, content_type: str | None, url: str, now: datetime) -> Document:
    """The article on a page. `now` only rules out dates in the future.

    Raises PermanentError: not-html (no page of text at all), no-text (no article on it), too-complex.
    """
    source = _page(body, content_type, url)
    try:
        return _extract(source, url, now)
    except (RecursionError, MemoryError) as error:
        raise PermanentError(f"{url}: the page is nested too deeply to be read", code="too-complex") from error
    finally:
        _forget()


def _page(body: bytes, content_type: str | None, url: str) -> str:
    media_type = (content_type or "").partition(";")[0].strip().lower()
    readable = not media_type or media_type in _HTML_TYPES or media_type.endswith("+xml")
    if not readable or body.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b")):
        what = media_type or "a file of another kind"
        raise PermanentError(f"{url} is not a web page but {what}", code="not-html")
    source = text.decode(body, content_type)
    if "<" not in source:
        raise PermanentError(f"{url}: there is no HTML in the answer", code="not-html")
    if too_many_attributes(source):
        raise PermanentError(f"{url}: a tag has more than {MAX_ATTRIBUTES} attributes", code="too-complex")
    return source


def _extract(source: str, url: str, now: datetime) -> Document:
    from trafilatura import bare_extraction
    from trafilatura.utils import load_html

    tree = load_html(source)
    if tree is None:
        raise PermanentError(f"{url}: no HTML document could be read from the answer", code="not-html")
    _check_size(tree, url)
    published = _published(tree, now)
    hint = _html_language(tree)
    canonical = _canonical(tree, url)
    witness = _witness(tree)
    titles = [text.line("".join(heading.itertext())) for heading in tree.iter("h1")]
    pagebody.clean_tree(tree)
    options = {
        "url": url,
        "include_comments": False,
        "include_tables": True,
        "deduplicate": False,
        "date_extraction_params": {
            "original_date": True,
            "extensive_search": False,  # a date from somewhere in the text is worse than none
            "max_date": (now + timedelta(days=1)).strftime("%Y-%m-%d"),
        },
    }
    try:
        found: Any = bare_extraction(copy.deepcopy(tree), with_metadata=True, **options)
        title = text.line(found.title or "") if found is not None else ""
        body = pagebody.read(tree, found, [title, *titles], witness, options)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise PermanentError(f"{url}: the page could not be read ({error})", code="no-text") from error
    if not body.lines:
        raise PermanentError(f"{url}: no article text was found on the page", code="no-text")
    parts = body.lines
    return Document(
        title=title,
        paragraphs=tuple(parts),
        author=text.line((found.author if found else None) or "") or None,
        published=published or _plausible(_date(found.date), now),
        language=detect("\n".join(parts), hint),
        canonical_url=canonical,
    )


def _check_size(tree: Any, url: str) -> None:
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    elements = depth = attributes = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth, elements, attributes = depth + 1, elements + 1, attributes + len(element.attrib)
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS or attributes > MAX_ALL_ATTRIBUTES:
            raise PermanentError(f"{url}: the page has too many or too deeply nested parts", code="too-complex")


def _blocks(element: Any) -> Iterator[str]:
    """The text of trafilatura's tree, a newline at each block's ends, bars between the cells of a row."""
    inline = element.tag in _INLINE
    yield "" if inline else "\n"
    yield _flat(element.text)
    if element.tag == "row":
        cells = [text.line("".join(_blocks(cell))) for cell in element]
        yield " | ".join(cell for cell in cells if cell)
    else:
        for child in element:
            yield from _blocks(child)
            yield _flat(child.tail)
    yield "" if inline else "\n"


def _flat(value: str | None) -> str:
    return re.sub(r"\s+", " ", value) if value else ""


def _witness(tree: Any) -> str | None:
    return None


def _same_words(one: str, other: str) -> bool:
    def words(value: str) -> list[str]:
        return re.findall(r"\w+", value.casefold())

    return words(one) == words(other)


def _html_language(tree: Any) -> str | None:
    spoken = [tree.get("lang"), tree.get("xml:lang")]
    for meta in tree.iter("meta"):
        key = (meta.get("property") or meta.get("http-equiv") or "").lower()
        if key in ("og:locale", "content-language"):
            spoken.append(meta.get("content"))
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


def _published(tree: Any, now: datetime) -> datetime | None:
    """The date of publication with its time, from meta tags or JSON-LD; None where only a day is given."""
    metas: dict[tuple[str, str], str] = {}
    for meta in tree.iter("meta"):
        for attribute in ("property", "itemprop", "name"):
            name, content = meta.get(attribute), meta.get("content")
            if name and content:
                metas.setdefault((attribute, name.strip().lower()), content)
    candidates = [metas[key] for key in _PUBLISHED_META if key in metas]
    candidates[2:2] = _json_ld_dates(tree)
    for value in candidates:
        if re.search(r"\d:\d\d", value) and (date := _plausible(_date(value), now)):
            return date
    days = (_plausible(_date(value), now) for value in candidates)
    return next((day for day in days if day), None)


def _json_ld_dates(tree: Any) -> list[str]:
    found = []
    for script in tree.iter("script"):
        if (script.get("type") or "").lower() != "application/ld+json" or not script.text:
            continue
        try:
            stack = [json.loads(script.text, strict=False)]
        except (ValueError, RecursionError):
            continue
        while stack:
            node = stack.pop()
            if isinstance(node, list):
                stack += node
            elif isinstance(node, dict):
                kinds = node.get("@type")
                kinds = kinds if isinstance(kinds, list) else [kinds]
                date = node.get("datePublished")
                if isinstance(date, str) and any(_ARTICLE_TYPES.search(str(kind)) for kind in kinds):
                    found.append(date)
                stack += [node[key] for key in ("@graph", "mainEntity") if key in node]
    return found


def _date(value: str | None) -> datetime | None:
    """An aware date from ISO 8601 or RFC 5322; without a zone it is UTC, without a time midnight."""
    if not value:
        return None
    value = value.strip()
    try:
        date = datetime.fromisoformat(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except OverflowError:
        return None


def _plausible(date: datetime | None, now: datetime) -> datetime | None:
    return date if date is not None and EARLIEST <= date <= now + timedelta(days=1) else None


def _forget() -> None:
    """Empty the caches that trafilatura and its parts keep between pages; they grow with every page."""
    from courlan.meta import clear_caches
    from htmldate.meta import reset_caches  # type: ignore[import-untyped,unused-ignore]
    from trafilatura.deduplication import LRU_TEST
    from trafilatura.utils import line_processing, return_printables_and_spaces, trim

    # trafilatura.meta.reset_caches does the same and a full garbage collection, too slow for every page.
    for cached in (line_processing, return_printables_and_spaces, trim):
        cached.cache_clear()
    reset_caches()
    clear_caches()
    LRU_TEST.clear()
