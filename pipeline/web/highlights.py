"""Marks in a text: sentences that are evidence, words that were searched for, words that were changed. All escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from pipeline.logic import searchwords
from pipeline.logic.versions import Piece

TELLING = 4  # letters
_TOKEN = re.compile(
    rf"([{searchwords.PAIRED}]+)|(?:(?![{searchwords.PAIRED}_])\w)+(?:[,.'\u2019](?:(?![{searchwords.PAIRED}_])\w)+)*"
)
TAGS = {"removed": Markup("<del>{}</del>"), "added": Markup("<ins>{}</ins>"), "same": Markup("{}")}


@dataclass(frozen=True)
class Span:
    """Characters of a text, and what to call them."""

    start: int
    end: int
    name: str = ""


def sentences(text: str, found: Iterable[tuple[str, str]]) -> list[Span]:
    """Where the sentences stand in the text, under the name given with each; others are left out."""
    spans = []
    for sentence, name in found:
        start = text.find(sentence) if sentence else -1
        if start >= 0:
            spans.append(Span(start, start + len(sentence), name))
    return spans


def marked(text: str, spans: Sequence[Span]) -> Markup:
    """The text with the spans in <mark>; where several lie over each other, the first that is given names the part."""
    inside = [span for span in spans if 0 <= span.start < span.end <= len(text)]
    cuts = sorted({0, len(text), *(s.start for s in inside), *(s.end for s in inside)})
    parts: list[tuple[str, str | None]] = []
    for start, end in pairwise(cuts):
        name = next((s.name for s in inside if s.start <= start and end <= s.end), None)
        if parts and parts[-1][1] == name:
            parts[-1] = (parts[-1][0] + text[start:end], name)
        else:
            parts.append((text[start:end], name))
    return Markup("").join(_mark(part, name) for part, name in parts)


def _mark(text: str, name: str | None) -> Markup:
    if name is None:
        return Markup("{}").format(text)
    return Markup('<mark class="{}">{}</mark>').format(name, text) if name else Markup("<mark>{}</mark>").format(text)


def pieces(given: Iterable[Piece]) -> Markup:
    """A reworded paragraph, its words in <ins> and <del>."""
    return Markup("").join(TAGS[piece.kind].format(piece.text) for piece in given)


def words(text: str, wanted: frozenset[str]) -> list[Span]:
    """Where words that were searched for stand; `wanted` as logic/searchwords makes them. Short ones say little."""
    telling = {word for word in wanted if len(word) >= TELLING or not word.isascii() or word.isdecimal()} or wanted
    spans = []
    for token in _TOKEN.finditer(text):
        if token[1]:  # a script without spaces: pairs of neighbours
            pairs = range(token.start(), max(token.end() - 1, token.start() + 1))
            spans += [Span(i, i + 2) for i in pairs if not telling.isdisjoint(searchwords.words(text[i : i + 2]))]
        elif not telling.isdisjoint(searchwords.words(token[0])):
            spans.append(Span(token.start(), token.end()))
    return spans


def named(evidence: Iterable[dict[str, str]]) -> list[tuple[str, str]]:
    """Sentences of a paragraph's evidence (see analysis.article_text), accepted ones under the name of their stance."""
    return [
        (e["sentence"], e["stance"] if e["tier"] == "accepted" else "weak") for e in evidence if e["tier"] != "rejected"
    ]
