"""Which concepts a text names. Terms of all languages are tried on every text, so no language detection is needed.

How a term matches, after both were normalised (NFKC, case folded, ё as е, one apostrophe):
    북한군           with Hangul, kana or Han characters: anywhere, as a plain substring
    front line      otherwise: whole words, parted by spaces or hyphens
    soldier*        a star takes any ending of the word
    북한 + 파병       both parts, anywhere in the text
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

REMEMBERED = 65_536  # words whose phrases a lexicon remembers

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# For names: a possessive 's and an elided article (l', d', qu') are words of their own, so that a name is found beside.
PARTED = re.compile(r"(?:[cdjlmnst]|qu)(?=')|[^\W_]+(?:'(?!s\b)[^\W_]+)*")
_EAST_ASIAN = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_APOSTROPHES = "\u2018\u2019\u02bc\u02b9`\u00b4"


def normalise(text: str) -> str:
    # Before NFKC as well: it would make a space and an accent of the acute that stands for an apostrophe.
    folded = unicodedata.normalize("NFKC", _one_apostrophe(text)).casefold()
    return _one_apostrophe(folded).replace("ё", "е")


def _one_apostrophe(text: str) -> str:
    for mark in _APOSTROPHES:  # a search for each is twenty times as fast as str.translate
        text = text.replace(mark, "'")
    return text


def is_east_asian(text: str) -> bool:
    """Whether Hangul, kana or Han characters stand in it."""
    return _EAST_ASIAN.search(text) is not None


def words_of(normal: str) -> set[str]:
    """The words of a normalised text that is not East Asian, each once."""
    return set(re.findall(r"[^\W_]+", _EAST_ASIAN.sub(" ", normal)))


@dataclass(frozen=True)
class _Phrase:
    """Words that follow each other; `prefix` says which may have any ending."""

    words: tuple[str, ...]
    prefix: tuple[bool, ...]
    atom: int

    @cached_property
    def second(self) -> str:
        """The first character of the second word."""
        return self.words[1][:1]

    def at(self, words: list[str], start: int) -> bool:
        if start + len(self.words) > len(words):
            return False
        return all(
            words[start + i].startswith(word) if prefix else words[start + i] == word
            for i, (word, prefix) in enumerate(zip(self.words, self.prefix, strict=True))
        )


class Lexicon:
    """Concepts compiled once, asked for every text: `Lexicon({"kursk": ["kursk*", "курск*", "쿠르스크"]})`."""

    def __init__(self, concepts: Mapping[str, Iterable[str]], word: re.Pattern[str] = _WORD) -> None:
        self._word = word
        self._piece = re.compile(rf"(?:{word.pattern})\*?")
        self._atoms: dict[str, int] = {}
        self._conjunctions: list[tuple[frozenset[int], str]] = []
        self._single: dict[int, set[str]] = defaultdict(set)
        self._substrings: list[tuple[str, int]] = []
        self._exact: dict[str, list[_Phrase]] = defaultdict(list)
        self._prefixes: dict[str, list[_Phrase]] = defaultdict(list)
        for concept, terms in concepts.items():
            for term in terms:
                atoms = frozenset(self._atom(part) for part in term.split(" + "))
                if len(atoms) == 1:
                    self._single[next(iter(atoms))].add(concept)
                else:
                    self._conjunctions.append((atoms, concept))
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self._beginning = lru_cache(REMEMBERED)(self._begins)  # the same words come in text after text
        self._by_start: dict[str, list[tuple[str, int]]] = defaultdict(list)  # substrings by their first two characters
        for part, number in self._substrings:
            self._by_start[part[:2]].append((part, number))

    def _phrases(self, word: str) -> tuple[_Phrase, ...]:
        """The phrases that may begin with a word."""
        found = list(self._exact.get(word, ()))
        for length in self._lengths:
            if length > len(word):
                break
            found += self._prefixes.get(word[:length], ())
        return tuple(found)

    def _begins(self, word: str) -> tuple[frozenset[int], tuple[_Phrase, ...]]:
        """What a word names by itself, and the phrases of several words that it may begin."""
        found = self._phrases(word)
        single = frozenset(phrase.atom for phrase in found if len(phrase.words) == 1)
        return single, tuple(phrase for phrase in found if len(phrase.words) > 1)

    def _atom(self, part: str) -> int:
        """Number of a term's part; the same part in two concepts is looked for once."""
        normal = normalise(part).strip()
        if normal in self._atoms:
            return self._atoms[normal]
        number = self._atoms[normal] = len(self._atoms)
        if "+" in normal.split():
            raise ValueError(f"the term {part!r} lacks the other side of its +")
        if _EAST_ASIAN.search(normal):
            if "*" in normal:
                raise ValueError(f"the term {part!r} needs no star: it matches anywhere as it is")
            self._substrings.append((normal, number))
            return number
        pieces = self._piece.findall(normal)
        if not pieces:
            raise ValueError(f"the term {part!r} has no word in it")
        stars = tuple(piece.endswith("*") for piece in pieces)
        phrase = _Phrase(tuple(piece.rstrip("*") for piece in pieces), stars, number)
        index = self._prefixes if stars[0] else self._exact
        index[phrase.words[0]].append(phrase)
        return number

    def concepts_in(self, text: str) -> frozenset[str]:
        """The concepts that the text names."""
        normal = normalise(text)
        found: set[int] = set()
        if _EAST_ASIAN.search(normal):  # of a thousand substrings only those are tried whose beginning is in the text
            starts = {*map(str.__add__, normal, normal[1:]), *normal}
            for begins in self._by_start.keys() & starts:
                found.update(number for part, number in self._by_start[begins] if part in normal)
        # A Latin name with a Korean particle attached is a word of its own.
        words = self._word.findall(_EAST_ASIAN.sub(" ", normal))
        for start, word in enumerate(words):
            single, longer = self._beginning(word)
            found |= single
            following = words[start + 1] if start + 1 < len(words) else ""
            for phrase in longer:
                if following[:1] == phrase.second and phrase.at(words, start):
                    found.add(phrase.atom)
        named = {concept for atom in found for concept in self._single.get(atom, ())}
        named.update(concept for atoms, concept in self._conjunctions if atoms <= found)
        return frozenset(named)

    def spans(self, normal: str) -> list[tuple[str, int, int]]:
        """Where concepts stand in a text that `normalise` has made: (concept, start, end), in order.

        Conjunctions, which stand nowhere in particular, are left out.
        """
        found: list[tuple[str, int, int]] = []

        def add(atom: int, start: int, end: int) -> None:
            found.extend((concept, start, end) for concept in self._single.get(atom, ()))

        if _EAST_ASIAN.search(normal):
            starts = {*map(str.__add__, normal, normal[1:]), *normal}
            for begins in self._by_start.keys() & starts:
                for part, number in self._by_start[begins]:
                    at = normal.find(part)
                    while at >= 0:
                        add(number, at, at + len(part))
                        at = normal.find(part, at + 1)
        matches = list(self._word.finditer(_EAST_ASIAN.sub(" ", normal)))
        words = [match.group() for match in matches]
        for start, word in enumerate(words):
            for phrase in self._phrases(word):
                if phrase.at(words, start):
                    add(phrase.atom, matches[start].start(), matches[start + len(phrase.words) - 1].end())
        return sorted(found, key=lambda span: span[1:])
