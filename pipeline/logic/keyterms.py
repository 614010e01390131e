"""Whether a page is worth extracting: which terms it has to name, and a cheap look that spares most pages the rest.

A crawl's archive holds millions of pages of which a few hundred bear on the claims. `visible` gets at a page's text
without building its tree, `Gate` tells from sets of words that no term can be in it, and only what passes both is
read with the lexicon that matching uses too.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from pipeline.logic.claimsfile import Claim
from pipeline.logic.terms import Lexicon, is_east_asian, normalise, words_of

_NAMES = ("script", "style", "noscript", "template", "svg", "nav", "footer", "iframe", "select")


def _any_case(name: str) -> str:
    """Spelled out: with a flag instead, the search would not jump from one < to the next."""
    return "".join(f"[{c}{c.upper()}]" for c in name)


_SILENT = re.compile("<(?:(" + "|".join(map(_any_case, _NAMES)) + r")\b|!--)")
_ENDS = {name: re.compile(f"</{_any_case(name)}" + r"\s*>") for name in _NAMES} | {"": re.compile("-->")}
_TAG = re.compile(r"<[^<>]*>")


def visible(page: str) -> str:
    """What a reader sees of a page's source, roughly, in time linear to its length.

    Scripts, styles, menus and footers are left out: on many sites each page's menu names every topic there is.
    """
    parts: list[str] = []
    begin = at = 0
    unclosed: set[str] = set()  # looked for once: a page of a thousand open tags is not searched a thousand times
    while found := _SILENT.search(page, at):
        name = (found[1] or "").lower()
        end = None if name in unclosed else _ENDS[name].search(page, found.end())
        if end is None:
            unclosed.add(name)
            at = found.end()
            continue
        parts.append(page[begin : found.start()])
        begin = at = end.end()
    parts.append(page[begin:])
    return html.unescape(_TAG.sub(" ", " ".join(parts)))


class Gate:
    """A quick necessary condition for a text to name one of some terms: all words of a term stand somewhere in it.

    Each term waits under one of its parts, and most texts have none of these few parts.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        wanted = {frozenset(token for part in term.split(" + ") for token in _tokens(part)) for term in terms}
        self._prefixes: dict[int, set[str]] = defaultdict(set)
        self._substrings: list[str] = []
        self._terms: dict[str, list[frozenset[str]]] = defaultdict(list)  # what a term has besides its key
        keys = _hitting(wanted)
        for tokens in wanted:
            key = next(key for key in keys if key in tokens)
            self._terms[key].append(tokens - {key})
        for key in keys:
            if is_east_asian(key):
                self._substrings.append(key)
            elif key.endswith("*"):
                self._prefixes[len(key) - 1].add(key[:-1])
        self._exact = {key for key in keys if not key.endswith("*") and not is_east_asian(key)}

    def opens(self, normal: str) -> bool:
        """Whether a term may be in the text, which `normalise` has made."""
        words = words_of(normal)
        keys = self._exact & words
        for length, prefixes in self._prefixes.items():
            keys |= {found + "*" for found in prefixes & {word[:length] for word in words}}
        if self._substrings and is_east_asian(normal):
            keys.update(part for part in self._substrings if part in normal)
        known: dict[str, bool] = dict.fromkeys(keys, True)
        ordered = sorted(words) if keys else []

        def there(token: str) -> bool:
            if token not in known:
                known[token] = _there(token, ordered, normal)
            return known[token]

        return any(all(map(there, rest)) for key in keys for rest in self._terms[key])


def _there(token: str, ordered: Sequence[str], normal: str) -> bool:
    if is_east_asian(token):
        return token in normal
    at = bisect_left(ordered, token.removesuffix("*"))
    return at < len(ordered) and (ordered[at].startswith(token[:-1]) if token.endswith("*") else ordered[at] == token)


def _tokens(part: str) -> list[str]:
    """The words of a part of a term, or the East Asian part whole."""
    normal = _atom(part)
    return [normal] if is_east_asian(normal) else re.findall(r"[^\W_]+\*?", normal)


def _atom(part: str) -> str:
    return normalise(part).strip()


def _hitting(conjunctions: Iterable[frozenset[str]]) -> list[str]:
    """A small set of tokens of which every term has one, the most shared first: the greedy choice."""
    left, chosen = set(conjunctions), []
    while left:
        counts = Counter(part for parts in left for part in parts)
        # Of two parts that as many terms have, the longer is the rarer in ordinary text.
        best = max(counts, key=lambda part: (counts[part], len(part), part))
        chosen.append(best)
        left = {parts for parts in left if best not in parts}
    return chosen


class Terms(Protocol):
    """What a page has to name: `may_be_in` is the cheap look at a normalised text, `named_in` the answer."""

    def may_be_in(self, normal: str) -> bool: ...
    def named_in(self, text: str) -> bool: ...


class KeyTerms:
    """Terms of which a text has to name any."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._gate = Gate(terms)
        self._lexicon = Lexicon({"any": terms})

    def may_be_in(self, normal: str) -> bool:
        return self._gate.opens(normal)

    def named_in(self, text: str) -> bool:
        return bool(self._lexicon.concepts_in(text))


class ClaimTerms:
    """The lexical evidence for any of some claims: a concept of each of a claim's groups, anywhere in the text."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._gate = Gate(subjects(claims))
        concepts: dict[str, tuple[str, ...]] = {}
        self._claims: list[list[frozenset[str]]] = []
        for claim in claims:
            # Two topics may have different concepts of one name.
            named = [{f"{name}/{hash(terms)}": terms for name, terms in g.items()} for g in claim.groups.values()]
            for group in named:
                concepts.update(group)
            if named:
                self._claims.append([frozenset(group) for group in named])
        self._lexicon = Lexicon(concepts)

    def may_be_in(self, normal: str) -> bool:
        return self._gate.opens(normal)

    def named_in(self, text: str) -> bool:
        found = self._lexicon.concepts_in(text)
        return any(all(not group.isdisjoint(found) for group in groups) for groups in self._claims)


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
