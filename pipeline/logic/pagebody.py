"""The body of an article: the page's tree cleaned, read under two settings, and what belongs to the site left out."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.logic import pagewords as words
from pipeline.logic import text

MIN_SHARE = 0.6  # of what the wide setting finds; with less, the narrow one has missed the article
SHORT = 220  # characters; a line of the site's own is seldom longer, a paragraph of news often is

_INLINE = frozenset(("hi", "ref", "del", "code", "span", "emph", "a", "b", "i", "u", "em", "strong", "sub", "sup"))
_CAPTION_CLASS = re.compile(r"(?:^|[\s_-])(?:fig)?captions?(?:$|[\s_-])|(?:photo|image)-?credit", re.IGNORECASE)
_TIP_CLASS = re.compile(r"tooltip|rollover|popover|hovercard|screen-reader|sr-only|visually-?hidden", re.IGNORECASE)
_SITE_CLASS = re.compile(
    r"newsletter|recirc|related-?(?:articles?|links?|posts?|content|stor)|read-?(?:more|next|also)|story-?timeline"
    r"|inline-?promo|promo-?box|sign-?up|see-?also|cookie-?(?:banner|notice|bar)|share-?(?:bar|buttons?|tools)"
    r"|social-?(?:bar|share|links)|outbrain|taboola|author-?(?:bio|box)|embedded article",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(frozen=True)
class Body:
    """Lines of the article in the page's order, and the setting that found them: precise, wide or json-ld."""

    lines: tuple[str, ...]
    setting: str


def read(tree: Any, found: Any, titles: Iterable[str], witness: str | None, options: dict[str, Any]) -> Body:
    """The body out of a cleaned `tree`. `found` is what the wide setting made of it, None where that was nothing.

    The wide setting keeps too much at the ends (teasers, the next article), the narrow one loses headings and list
    items inside. So the narrow one says where the article begins and ends, the wide one what stands between.
    `witness` is the text that the page gives for search engines; it stands in where both have missed it.
    """
    from trafilatura import bare_extraction

    wide = _lines(found)
    narrow = _lines(
        bare_extraction(copy.deepcopy(tree), favor_precision=True, fast=True, with_metadata=False, **options)
    )
    lines, setting = wide, "wide"
    if narrow and _size(narrow) >= MIN_SHARE * _size(wide, links=False):
        lines, setting = _between(narrow, wide), "precise"
    lines = site_lines_out(lines, titles)
    if witness:
        told = site_lines_out(text.paragraphs(text.strip_html(witness)), titles)
        taken = _key("".join(lines)) == _key("".join(told))  # trafilatura reads it, too, as its last resort
        if (taken and len(told) > len(lines)) or (_size(told) >= 400 and _size(lines) < 0.5 * _size(told)):
            return Body(tuple(told), "json-ld")
    return Body(tuple(lines), setting)


def _lines(found: Any) -> list[str]:
    if found is None or found.body is None:
        return []
    return list(text.paragraphs("".join(_blocks(found.body))))


def _size(lines: Iterable[str], links: bool = True) -> int:
    """Characters of the lines that look like prose."""
    return sum(len(line) for line in lines if links or words.SENTENCE_END.search(line))


def _between(narrow: list[str], wide: list[str]) -> list[str]:
    """`narrow`, and of `wide` what stands between its first and its last line."""
    known = {_key(line) for line in narrow}
    places = [i for i, line in enumerate(wide) if _key(line) in known]
    if not places or len(places) < 0.7 * len(narrow):
        return narrow
    first, last = places[0], places[-1]
    while last + 1 < len(wide) and len(wide[last + 1]) > 60 and _prose(wide[last + 1]):
        last += 1
    return wide[first : last + 1]


def _prose(line: str) -> bool:
    return words.SENTENCE_END.search(line) is not None and not _of_the_site(line)


def _key(line: str) -> str:
    return "".join(re.findall(r"\w+", line.casefold()))


# --- lines ---


def site_lines_out(lines: Iterable[str], titles: Iterable[str]) -> list[str]:
    """Without the title said again, dates, bylines, pointers, prompts, credits and captions."""
    kept = list(lines)
    known = {_key(title) for title in titles} - {""}
    for i in reversed(range(min(4, len(kept)))):
        if _key(kept[i]) in known:
            before_is_site = all(len(line) < 60 and not words.SENTENCE_END.search(line) for line in kept[:i])
            kept = kept[i + 1 :] if before_is_site else [*kept[:i], *kept[i + 1 :]]
    result: list[str] = []
    below_heading = False  # a heading such as "Read next": short lines after it are its links
    for line in kept:
        if words.HEADING.fullmatch(line):
            below_heading = True
            continue
        if below_heading and len(line) < SHORT and not words.SENTENCE_END.search(line):
            continue
        below_heading = False
        if not _of_the_site(line):
            result.append(line)
    while result and _at_the_ends(result[0]):
        del result[0]
    while result and _at_the_ends(result[-1]):
        del result[-1]
    return result


def _at_the_ends(line: str) -> bool:
    return _only_addresses(line) or _only_a_date(line)


def _only_addresses(line: str) -> bool:
    return len(line) < SHORT and all(words.CONTACT.fullmatch(word) for word in line.split())


def _only_a_date(line: str) -> bool:
    return len(line) < 90 and words.DATE.fullmatch(line.strip(" |·-—[]()")) is not None


def _of_the_site(line: str) -> bool:
    if _only_addresses(line) and not words.ADDRESS.match(line):
        return True
    if len(line) < SHORT and words.MORE.match(line) and not words.SENTENCE_END.search(line):
        return True
    if len(line) < 3 * SHORT and (words.PROMPT.match(line) or words.CREDIT.match(line)):
        return len(text.sentences(line)) <= 5
    return len(line) < 320 and words.CAPTION.fullmatch(line) is not None


# --- the tree ---


def clean_tree(tree: Any) -> None:
    """Takes out what is no text of an article: captions, hidden parts, tips, boxes of links; tweets become quotes."""
    for element in list(tree.iter("figcaption")):
        _drop(element)
    for table in list(tree.iter("table")):
        _layout_table(table)
    whole = max(1, _prose_length(tree))
    for element in list(tree.iter()):
        if not isinstance(element.tag, str) or element.tag in ("html", "body", "head") or element.getparent() is None:
            continue
        classes = element.get("class") or ""
        if element.tag == "blockquote" and "twitter-tweet" in classes:
            _unwrap_quote(element)
        elif (
            (_is_hidden(element) and _prose_length(element) < 0.3 * whole)
            or (
                classes
                and (
                    (_CAPTION_CLASS.search(classes) and _length(element) < 600)
                    or (
                        _TIP_CLASS.search(classes)
                        and _length(element) < 3000
                        and element.tag in ("span", "div", "ul", "aside")
                    )
                    or (
                        _SITE_CLASS.search(classes)
                        and element.tag not in ("article", "main")
                        and _prose_length(element) < min(600, 0.2 * whole)
                    )
                )
            )
            or (element.tag == "p" and _is_a_link(element))
            or (element.tag == "ul" and _are_links(element))
        ):
            _drop(element)


def _layout_table(table: Any) -> None:
    """A table with paragraphs in a cell holds the page together: as a table its cells would be one paragraph each."""
    own = [
        part
        for part in table.iter("tr", "td", "th", "tbody", "thead")
        if next(part.iterancestors("table"), None) is table
    ]
    if any(part.tag == "td" and sum(1 for _ in part.iter("p")) > 2 for part in own):
        for part in (table, *own):
            part.tag = "div"


def _is_hidden(element: Any) -> bool:
    return element.get("hidden") is not None or _HIDDEN.search(element.get("style") or "") is not None


def _length(element: Any) -> int:
    return sum(len(piece.strip()) for piece in element.itertext() if piece)


def _is_a_link(element: Any) -> bool:
    """A paragraph that is one link and no sentence: it points to another page."""
    links = list(element.iter("a"))
    if not links or len(links) > 2:
        return False
    whole = text.line("".join(element.itertext()))
    linked = sum(len(text.line("".join(link.itertext()))) for link in links)
    return 15 <= len(whole) < SHORT and linked >= 0.9 * len(whole) and not words.SENTENCE_END.search(whole)


def _are_links(points: Any) -> bool:
    return len(points) > 1 and all(point.tag == "li" and _is_a_link(point) for point in points)


def _prose_length(element: Any) -> int:
    """Characters in the paragraphs of an element, or in itself where it is one."""
    return sum(_length(part) for part in element.iter("p"))


def _unwrap_quote(quote: Any) -> None:
    """A tweet is a quotation; by its class, and its wrappers', it would be thrown out as a widget."""
    quote.attrib.pop("class", None)
    said, parent = _length(quote), quote.getparent()
    for _ in range(4):
        if parent is None or parent.tag not in ("div", "figure", "section", "span") or _length(parent) > said + 40:
            return
        parent.attrib.pop("class", None)
        parent.attrib.pop("id", None)
        parent.tag = "div"
        parent = parent.getparent()


def _drop(element: Any) -> None:
    parent = element.getparent()
    if parent is None:
        return
    tail = element.tail
    if tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
    parent.remove(element)


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
