"""Whether a page is worth extracting: which terms it has to name, and a cheap look that spares most pages the rest.

A crawl's archive holds millions of pages of which a few hundred bear on the claims. `visible` gets at a page's text
without building its tree, `Gate` tells from sets of words that no term can be in it, and only what passes both is
read with the lexicon that matching uses too.
"""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from pipeline.logic.claimsfile import Claim
from pipeline.logic.terms import Lexicon, is_east_asian, normalise, words_of

_SILENT = re.compile(r"<(script|style|noscript|template|svg|nav|footer|iframe|select)\b|(<!--)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def visible(page: str) -> str:
    """What a reader sees of a page's source, roughly, in time linear to its length.

    Scripts, styles, menus and footers are left out: on many sites each page's menu names every topic there is.
    """
    parts: list[str] = []
    at, unclosed = 0, set[str]()
    for found in _SILENT.finditer(page):
        if found.start() < at:
            continue
        name = (found[1] or found[2]).lower()
        if name in unclosed:
            continue
        end = _end_of(name, page, found.end())
        if end < 0:
            unclosed.add(name)  # looked for once: a page of a thousand open tags is not searched a thousand times
            continue
        parts.append(page[at : found.start()])
        at = end
    parts.append(page[at:])
    return html.unescape(_TAG.sub(" ", " ".join(parts)))


def _end_of(name: str, page: str, start: int) -> int:
    if name == "<!--":
        end = page.find("-->", start)
        return end + 3 if end >= 0 else -1
    found = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(page, start)
    return found.end() if found else -1


class Gate:
    """A quick necessary condition for a text to name one of some terms; it lets through more than the terms do."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._substrings: list[str] = []
        self._exact: set[str] = set()
        self._prefixes: dict[int, set[str]] = defaultdict(set)
        for atom in _hitting(frozenset(map(_atom, term.split(" + "))) for term in terms):
            if is_east_asian(atom):
                self._substrings.append(atom)
                continue
            word = max(re.findall(r"[^\W_]+\*?", atom), key=len)  # every word has to be there, so one will do
            if word.endswith("*"):
                self._prefixes[len(word) - 1].add(word[:-1])
            else:
                self._exact.add(word)
        given = sorted(self._substrings, key=len)
        self._substrings = [s for i, s in enumerate(given) if not any(shorter in s for shorter in given[:i])]

    def opens(self, normal: str) -> bool:
        """Whether a term may be in the text, which `normalise` has made."""
        if self._substrings and is_east_asian(normal) and any(part in normal for part in self._substrings):
            return True
        words = words_of(normal)
        if not self._exact.isdisjoint(words):
            return True
        return any(
            not prefixes.isdisjoint(word[:length] for word in words) for length, prefixes in self._prefixes.items()
        )


def _atom(part: str) -> str:
    return normalise(part).strip()


def _hitting(conjunctions: Iterable[frozenset[str]]) -> list[str]:
    """A small set of parts of which every term has one, the most shared first: the greedy choice."""
    left, chosen = set(conjunctions), []
    while left:
        counts = Counter(part for parts in left for part in parts)
        # Of two parts that as many terms have, the longer is the rarer in ordinary text.
        best = max(counts, key=lambda part: (counts[part], len(part), part))
        chosen.append(best)
        left = {parts for parts in left if best not in parts}
    return chosen


class KeyTerms:
    """Terms of which a text has to name any. Without terms, every text passes."""

    def __init__(self, terms: Sequence[str]) -> None:
        self.terms = tuple(terms)
        self._gate = Gate(terms) if terms else None
        self._lexicon = Lexicon({"any": terms}) if terms else None

    def may_be_in(self, normal: str) -> bool:
        return self._gate is None or self._gate.opens(normal)

    def named_in(self, text: str) -> bool:
        return self._lexicon is None or bool(self._lexicon.concepts_in(text))


def subjects(claims: Sequence[Claim]) -> tuple[str, ...]:
    """The terms of what the claims are about, in all languages: of the fewest groups that every claim has one of.

    A report has the lexical evidence for a claim when it names a concept of each of the claim's groups, so a text that
    names none of one group can be left out. The group that most claims share is the topic's subject; claims that do
    not have it bring a group of their own. A claim without groups brings nothing.
    """
    left = [frozenset(frozenset(concepts.items()) for concepts in k.groups.values()) for k in claims if k.groups]
    chosen: dict[str, None] = {}
    while left:
        counts = Counter(group for groups in left for group in groups)
        best = max(counts, key=lambda group: (counts[group], -len(group), sorted(name for name, _ in group)))
        chosen.update(dict.fromkeys(term for _, terms in sorted(best) for term in terms))
        left = [groups for groups in left if best not in groups]
    return tuple(chosen)
