"""A text as figures are read in it: folded without moving a character, with the marks of all lexicons in place."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.logic.terms import Lexicon, normalise

EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
HANGUL = re.compile(r"[\uac00-\ud7af]")
ALTERNATIVES = " + "

ByLanguage = Mapping[str, Iterable[str]]


_NAMES = re.compile(r"(?<=[^.!?]\s)[A-ZА-ЯЁЄІЇҐ][\w'’-]+\s(and|et|и|і|й|та)\s(?=[A-ZА-ЯЁЄІЇҐ])")


def joined_names(text: str) -> list[tuple[int, int]]:
    """Where "and" joins two names: "South Korean and Ukrainian officials"."""
    return [match.span(1) for match in _NAMES.finditer(text)]


def flat(text: str) -> str:
    """`terms.normalise`, character by character, where that keeps the length: places in it are places in the text."""
    return text.lower() if text.isascii() else "".join(map(_flat, text))


@lru_cache(maxsize=1 << 16)
def _flat(character: str) -> str:
    one, small = normalise(character), character.lower()
    return one if len(one) == 1 else small if len(small) == 1 else character


@dataclass(frozen=True, order=True)
class Mark:
    """A term of `group` at [start, end)."""

    start: int
    end: int
    group: str


@dataclass(frozen=True)
class Marks:
    """What a text's lexicons find in it, by group, in order. `text` is folded."""

    text: str
    by_group: Mapping[str, tuple[Mark, ...]] = field(default_factory=dict)

    def of(self, *groups: str, start: int = 0, end: int | None = None) -> Iterator[Mark]:
        """The marks of these groups that lie in [start, end)."""
        last = len(self.text) if end is None else end
        for group in groups:
            for mark in self.by_group.get(group, ()):
                if start <= mark.start and mark.end <= last:
                    yield mark

    def starting(self, at: int, *groups: str) -> Mark | None:
        """The longest mark of these groups that starts there."""
        found = [m for group in groups for m in self.by_group.get(group, ()) if m.start == at]
        return max(found, key=lambda m: m.end, default=None)

    def joined(self, group: str, more: Sequence[Mark]) -> Marks:
        """With more marks of a group."""
        return Marks(self.text, {**self.by_group, group: tuple(sorted({*self.by_group.get(group, ()), *more}))})

    def outside(self, spans: Sequence[tuple[int, int]], prefix: str) -> Marks:
        """Less the marks in the spans of all groups whose names begin so."""
        if not spans:
            return self
        groups = [group for group in self.by_group if group.startswith(prefix)]
        return Marks(self.text, {**self.by_group, **{g: self.without(g, spans).by_group[g] for g in groups}})

    def without(self, group: str, spans: Sequence[tuple[int, int]]) -> Marks:
        """Less the marks of a group that lie in the spans."""
        kept = tuple(m for m in self.by_group.get(group, ()) if not any(a <= m.start and m.end <= b for a, b in spans))
        return Marks(self.text, {**self.by_group, group: kept})


class Marker:
    """Groups of terms, compiled once. A term "a + b" is found at a, where the text has b as well."""

    def __init__(self, groups: Mapping[str, Iterable[str]]) -> None:
        plain: dict[str, list[str]] = {}
        self._pairs: dict[str, str] = {}  # group of the first part: group
        for group, terms in groups.items():
            for term in terms:
                first, joined, second = term.partition(ALTERNATIVES)
                if not joined:
                    plain.setdefault(group, []).append(term)
                    continue
                pair = f"\0{len(self._pairs)}"
                self._pairs[pair] = group
                plain[pair] = [first]
                plain[f"{pair}+"] = [second]
        self._lexicon = Lexicon(plain)

    def marks(self, text: str) -> Marks:
        folded = flat(text)
        found: dict[str, list[Mark]] = defaultdict(list)
        for group, start, end in self._lexicon.spans(folded):
            found[group].append(Mark(start, end, group))
        for pair, group in self._pairs.items():
            if found.get(f"{pair}+"):
                found[group] += [Mark(m.start, m.end, group) for m in found.get(pair, ())]
        return Marks(folded, {group: tuple(sorted(set(marks))) for group, marks in found.items() if group[0] != "\0"})
