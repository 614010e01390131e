"""Reads the lexicon of numerals (pipeline/data/numerals.yaml explains the format to its editor).

A mistake is reported with file, line and reason, all of them at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.logic.yamlfile import Reader, compose

MODALITIES = ("about", "at_least", "up_to", "over")
BESIDE = (*MODALITIES, "more", "earlier", "skip", "none")
KINDS = ("percent", "money", "measure", "time", "date", "year", "multiple", "unit_name", "fraction")
NUMBERED = ("units", "multipliers", "vague", "vague_or_one", "fixed", "ranged", "ordinals", "fractions", "multiples")
LISTED = (
    "several",
    "articles",
    "ones",
    "and",
    "of",
    "about",
    "counters",
    "idioms",
    "adjective_endings",
    "ordinal_endings",
    "ordinal_prefixes",
    "cardinal_endings",
)
PAIRS = ("pairs", "moving_pairs", "change_pairs")
RANGE = (*PAIRS, "between", "change_between", "change_ends", "changed", "from")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(?:([-/])(\d+))?")


@dataclass(frozen=True)
class Part:
    """A word of a numeral. A multiplier has its `value`, and low and high for when it stands alone."""

    kind: str  # unit, multiplier, several, article, one, ordinal, fraction, multiple
    low: float
    high: float
    value: float = 0
    one: bool = False  # a vague plural that is one after a hedge
    about: bool = False
    at_least: bool = False  # 上万


@dataclass(frozen=True)
class Language:
    """What the file says of one language; words are as written there, with their stars."""

    code: str
    parts: tuple[tuple[str, Part], ...]  # a form may be a numeral and the stem of an ordinal
    adjectives: dict[str, float]
    lists: dict[str, tuple[str, ...]]
    before: dict[str, tuple[str, ...]]
    after: dict[str, tuple[str, ...]]
    pairs: dict[str, tuple[tuple[str, str], ...]]
    range: dict[str, tuple[str, ...]]  # the words of ranges that are no pairs
    kinds_before: dict[str, tuple[str, ...]]
    kinds_after: dict[str, tuple[str, ...]]
    months: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lexicon:
    languages: dict[str, Language] = field(default_factory=dict)


@lru_cache(maxsize=4)
def parse(content: str, file: str) -> Lexicon:
    """The lexicon in a file. Raises ConfigurationError with every mistake, each as `file:line: reason`."""
    node = compose(content, file)
    reader = _Reader(file)
    languages = {code: reader.of_language(code, at) for code, at in reader.items(node, "the file")} if node else {}
    reader.check()
    if not languages:
        raise ConfigurationError(f"{file}:1: the file is empty")
    return Lexicon(languages)


class _Reader(Reader):
    def of_language(self, code: str, node: Any) -> Language:
        self.language(code, node, code)
        parts = self.mapping(
            node, code, ("units", "before", "after", "range", "kinds"), (*NUMBERED, "adjectives", *LISTED)
        )
        lists = {key: self.forms(parts.get(key), f"{code}.{key}") for key in LISTED}
        found: list[tuple[str, Part]] = []
        for key in NUMBERED:
            for low, high, form in self.numbers(parts.get(key), f"{code}.{key}"):
                found.append((form, _part(key, low, high, form in lists["about"])))
        found += [(form, Part("several", 2, 9)) for form in lists["several"]]
        found += [(form, Part("article", 1, 1)) for form in lists["articles"]]
        found += [(form, Part("one", 1, 1)) for form in lists["ones"]]
        place = f"{code}.range"
        range_ = self.mapping(parts.get("range"), place, (), RANGE)
        kinds = dict(self.items(parts.get("kinds"), f"{code}.kinds"))
        months = self.forms(kinds.pop("month", None), f"{code}.kinds.month")
        words: dict[str, dict[str, tuple[str, ...]]] = {"before": {}, "after": {}}
        for kind, at in kinds.items():
            if kind not in KINDS:
                self.wrong(at, f"{code}.kinds: {kind!r} is no kind; known are {', '.join((*KINDS, 'month'))}")
            for side, listed in self.mapping(at, f"{code}.kinds.{kind}", (), ("before", "after")).items():
                words[side][kind] = self.forms(listed, f"{code}.kinds.{kind}.{side}")
        return Language(
            code,
            tuple(found),
            {form: low for low, _, form in self.numbers(parts.get("adjectives"), f"{code}.adjectives")},
            lists,
            self.beside(parts.get("before"), f"{code}.before"),
            self.beside(parts.get("after"), f"{code}.after"),
            {key: self.pairs(range_.get(key), f"{place}.{key}") for key in PAIRS},
            {key: self.forms(range_.get(key), f"{place}.{key}") for key in RANGE if key not in PAIRS},
            words["before"],
            words["after"],
            months,
        )

    def numbers(self, node: Any, place: str) -> Iterator[tuple[float, float, str]]:
        for key, forms in self.items(node, place):
            amount = _AMOUNT.fullmatch(key)
            if amount is None:
                self.wrong(forms, f"{place}: {key!r} is not a number, a range as 2-9 or a fraction as 1/3")
                continue
            first, mark, second = amount.groups()
            low = high = float(first)
            if mark == "/":
                low = high = float(Fraction(int(first), int(second)))
            elif mark:
                high = float(second)
            for form in self.forms(forms, f"{place}.{key}"):
                if form.endswith("*"):
                    self.wrong(forms, f"{place}: {form!r}: a numeral is written out, without a star")
                yield low, high, form

    def forms(self, node: Any, place: str) -> tuple[str, ...]:
        forms = tuple(self.text(item, place) for item in self.sequence(node, place))
        for form in forms:
            if form != form.lower():
                self.wrong(node, f"{place}: {form!r} must be in small letters")
        return forms

    def beside(self, node: Any, place: str) -> dict[str, tuple[str, ...]]:
        parts = self.mapping(node, place, (), BESIDE)
        return {key: self.forms(at, f"{place}.{key}") for key, at in parts.items()}

    def pairs(self, node: Any, place: str) -> tuple[tuple[str, str], ...]:
        found = []
        for item in self.sequence(node, place):
            pair = self.forms(item, place)
            if len(pair) == 2:
                found.append((pair[0], pair[1]))
            else:
                self.wrong(item, f"{place}: a pair has two words")
        return tuple(found)


def _part(key: str, low: float, high: float, about: bool) -> Part:
    if key in ("vague", "vague_or_one"):
        return Part("multiplier", 2 * low, 9 * low, low, key == "vague_or_one", about)
    if key == "multipliers":
        return Part("multiplier", low, low, low, about=about)
    kind = {"ordinals": "ordinal", "fractions": "fraction", "multiples": "multiple"}.get(key, "unit")
    return Part(kind, low, high, about=about, at_least=key == "fixed" and low == high)
