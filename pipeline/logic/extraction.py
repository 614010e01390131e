"""From a page to an article: text by trafilatura, dates with their time, the language, the canonical link."""

from __future__ import annotations

import copy
import logging
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pipeline.errors import PermanentError
from pipeline.logic import charsets, pagebody, pageheads, pagekinds, pagenames, text
from pipeline.logic.language import detect
from pipeline.logic.markup import MAX_ATTRIBUTES, too_many_attributes
from pipeline.logic.pageheads import Head
from pipeline.model import Document

VERSION = 2  # raise it when the same page gives another text: `claimwatch reextract` asks for it
MAX_UNREADABLE = 0.05  # share of characters that no charset explains; better the feed's own text than question marks
MIN_TEASER = 200  # characters; the beginning of a locked article is kept from here on, marked as partial
MAX_ELEMENTS = 30_000  # a long live blog has 10,000; beyond this extraction takes tens of seconds
MAX_DEPTH = 250  # at 256 libxml2 stops reading, so what came after would be lost without a word
MAX_ALL_ATTRIBUTES = 200_000  # of all tags together

_HTML_TYPES = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain")
_BINARY = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b")
# They log every page they find nothing on; the error raised here says it once.
for _name in ("trafilatura", "htmldate", "courlan"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def extract(body: bytes, content_type: str | None, url: str, now: datetime) -> Document:
    """The article on a page. `now` only rules out dates in the future.

    Raises PermanentError: not-html (no page of text at all), no-text (no article on it), too-complex,
    and what pagekinds tells: paywall, consent, challenge, login, not-found.
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
    source = charsets.decode(body, content_type)
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
    head = pageheads.read(tree, url, now)
    seen = pagekinds.signs(tree, source, head.titles, head.site_name, url)
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
        body = pagebody.read(tree, found, [*head.titles, head.title], head.body, options)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise PermanentError(f"{url}: the page could not be read ({error})", code="no-text") from error
    kind = pagekinds.kind(seen, body.lines, head.free, url)
    if "".join(body.lines).count("\ufffd") > MAX_UNREADABLE * sum(map(len, body.lines)):
        raise PermanentError(f"{url}: no article text was found, its characters can't be read", code="no-text")
    if kind == "paywall":
        body = replace(body, lines=tuple(pagekinds.without_wall(body.lines)))
    if kind is not None and (kind != "paywall" or sum(map(len, body.lines)) < MIN_TEASER):
        raise PermanentError(f"{url}: {pagekinds.PROBLEMS[kind]}", code=kind)
    return _document(head, found, body, url, now, partial=kind is not None)


def _document(head: Head, found: Any, body: pagebody.Body, url: str, now: datetime, *, partial: bool) -> Document:
    """What the page says of itself, completed by what trafilatura guesses."""
    authors = head.authors or pagenames.names_of(
        re.split(";", getattr(found, "author", None) or ""), head.site_name, url
    )
    lines, authors = _without_bylines(list(body.lines), authors, head.site_name)
    if not lines:
        raise PermanentError(f"{url}: no article text was found on the page", code="no-text")
    published, precision = head.published, head.precision
    if published is None and (day := pageheads.plausible(pageheads.date(getattr(found, "date", None)), now)):
        published, precision = day, "day"
    return Document(
        title=head.title or text.line(getattr(found, "title", None) or ""),
        paragraphs=tuple(lines),
        authors=authors,
        published=published,
        precision=precision,
        language=detect("\n".join(lines), head.hint),
        site_name=head.site_name,
        description=head.description,
        dateline=next((place for line in lines[:2] if (place := pagenames.dateline(line))), None),
        canonical_url=head.canonical,
        setting=body.setting,
        partial=partial,
    )


def _without_bylines(lines: list[str], authors: tuple[str, ...], site: str | None) -> tuple[list[str], tuple[str, ...]]:
    """Lines at the beginning and the end that only name the authors go; whom only they name becomes the author."""
    named: list[str] = []
    for i in sorted({*range(min(3, len(lines))), *range(max(0, len(lines) - 2), len(lines))}, reverse=True):
        if (names := pagenames.byline(lines[i], authors, site)) is not None:
            named = [*names, *named]
            del lines[i]
    return lines, authors or tuple(dict.fromkeys(named))


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
