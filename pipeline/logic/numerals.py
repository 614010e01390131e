"""Finds quantities in text: how many, how sure, and of what kind. Which role a number plays, others decide.

The words are data (pipeline/data/numerals.yaml); here they are only put together:
    numeral parts -> numerals -> without idioms -> ranges -> kinds -> hedges, increments, earlier figures
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.logic import numeralsfile
from pipeline.logic.numeralcontext import Context, Found
from pipeline.logic.numeralparts import Numerals, fold, whole
from pipeline.logic.numeralsfile import Language, Lexicon

LONGEST_TEXT = 100_000  # of characters; longer is no paragraph, and nothing is found in it
AROUND = 40  # characters given of what stands before and behind
_BREAK_AFTER = re.compile(r"[;!?。、；！？\n]|[.,:](?![0-9])|\s[-–—]\s|[\"”»」』)（）(]")
_BREAK_BEFORE = re.compile(r"[;!?。；！？\n\"“«「『()（）]|[.,:、，](?![0-9])")
_FRENCH = re.compile(
    r"(?<![a-z])(?:le|la|les|des|du|et|une|un|dans|aux|est|sur|pour|par|de|au|du|ont|été|sont|se|en|selon|que)(?![a-z])"
)
_ENGLISH = re.compile(
    r"(?<![a-z])(?:the|of|and|to|in|a|is|for|on|by|with|that|from|at|were|was|have|more|than)(?![a-z])"
)


@dataclass(frozen=True)
class Quantity:
    """A number at [start, end) of the text as given, with its hedges and both ends of a range."""

    start: int
    end: int
    low: int | float
    high: int | float
    modality: str  # exact, about, at_least, up_to, over
    number_start: int
    number_end: int
    # cardinal, ordinal, year, date, time, percent, money, measure, unit_name (92nd brigade), fraction, multiple,
    # decimal, or code (F-16, 3-0)
    kind: str
    counted: str  # what stands right behind the number, up to the end of its clause
    before: str
    increment: bool = False  # "another 3,000"
    earlier: bool = False  # a former figure, only compared to: "up from 10,000"


class Grammar:
    def __init__(self, lexicon: Lexicon) -> None:
        self._by_latin: dict[str, tuple[Numerals, Context]] = {}
        others = [language for code, language in lexicon.languages.items() if code not in ("en", "fr")]
        for code in ("en", "fr"):  # words of both are spelled alike (six, cent, or): the text says which it is
            own = [lexicon.languages[code]] if code in lexicon.languages else []
            languages: Sequence[Language] = [*own, *others]
            self._by_latin[code] = Numerals(languages), Context(languages)

    def find(self, text: str, language: str | None = None) -> list[Quantity]:
        """The quantities of a text, in order. The language is a hint, and only between English and French."""
        if len(text) > LONGEST_TEXT:
            return []
        folded = fold(text)
        numerals, context = self._by_latin[_latin(folded, language)]
        return [_quantity(text, found) for found in context.found(folded, numerals.find(folded))]


def _quantity(text: str, found: Found) -> Quantity:
    behind = text[found.last.end : found.last.end + AROUND]
    stop = _BREAK_AFTER.search(behind)
    ahead = text[max(0, found.start - AROUND) : found.start]
    begin = max((m.end() for m in _BREAK_BEFORE.finditer(ahead)), default=0)
    return Quantity(
        found.start,
        found.end,
        whole(found.first.low),
        whole(found.last.high),
        found.modality,
        found.first.start,
        found.last.end,
        found.kind,
        (behind[: stop.start()] if stop else behind).strip(),
        ahead[begin:].strip(),
        found.more,
        found.earlier,
    )


@lru_cache(maxsize=4)
def grammar(content: str, file: str = "numerals.yaml") -> Grammar:
    """The grammar of a lexicon's content, made once."""
    return Grammar(numeralsfile.parse(content, file))


def _latin(text: str, language: str | None) -> str:
    start = text[:2000]
    french, english = len(_FRENCH.findall(start)), len(_ENGLISH.findall(start))
    if language == "fr" and french >= english:
        return "fr"
    return "fr" if french > max(english, 1) else "en"
