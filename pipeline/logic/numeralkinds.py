"""Of what kind a number is, told by the words right beside it: a count, or a date, a price, the name of a unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.logic.numeralparts import Numeral
from pipeline.logic.numeralsfile import Language
from pipeline.logic.wordtables import LETTERS, WordTable, is_east

NAMES = frozenset({"date", "time", "year", "ordinal", "unit_name", "code"})  # they have no hedges
_ODD = re.compile("[여多余餘數数几幾]")
_NEXT_WORD = re.compile(rf"[ -][\"'«“]?([{LETTERS}]+)")
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_AGE = 120
_PAUCAL = 4  # up to it, a Russian noun's form does not tell "3 бригады" from "92-й бригады"


@dataclass(frozen=True)
class _Beside:
    text: str
    first: Numeral
    last: Numeral
    end: int  # behind the number and its ending: "11th"
    ordinal: bool
    ahead: str | None
    behind: tuple[int, str] | None
    month: bool


class Kinds:
    def __init__(self, languages: Sequence[Language]) -> None:
        before = [(w, kind) for lang in languages for kind, words in lang.kinds_before.items() for w in words]
        after = [(w, kind) for lang in languages for kind, words in lang.kinds_after.items() for w in words]
        after.sort(key=lambda entry: entry[1] != "year")  # 년 is a year or a duration: the number tells
        counters = [(word, "counter") for lang in languages for word in lang.lists["counters"]]
        ordinals = [(w, "ordinal") for lang in languages for w in lang.lists["ordinal_endings"] if is_east(w)]
        self._before = WordTable(before)
        self._after = WordTable(
            [*((w, kind) for w, kind in after if kind != "unit_name" or is_east(w)), *counters, *ordinals]
        )
        self._units = WordTable((w, kind) for w, kind in after if kind == "unit_name" and not is_east(w))
        self._counters = WordTable([*counters, *((w, kind) for w, kind in ordinals if len(w) > 1)])  # 차 ends 열차
        self._months = WordTable((word, "date") for lang in languages for word in lang.months)
        self.prefixes = tuple(word for lang in languages for word in lang.lists["ordinal_prefixes"])
        self.fractions = tuple(word for lang in languages for word in lang.kinds_after.get("fraction", ()))
        self._endings = [
            (re.compile(rf"-?(?:{'|'.join(map(re.escape, lang.lists[key]))})(?![{LETTERS}])"), key == "ordinal_endings")
            for key in ("cardinal_endings", "ordinal_endings")
            for lang in languages
            if lang.lists[key] and not is_east(lang.lists[key][0])
        ]

    def of(self, text: str, first: Numeral, last: Numeral) -> str:
        """The kind of a number, or of a range by its last one."""
        if last.kind in ("date", "time", "code", "fraction", "multiple"):
            return last.kind
        if first.start and text.startswith(self.prefixes, first.start - 1):
            return "unit_name" if self._names_unit(text, last.end) else "ordinal"
        end, ordinal = self._ending(text, last)
        lead = first.start - 1 if first.start and text[first.start - 1] == " " else first.start
        ahead = self._before.ending(text, lead)
        beside = _Beside(
            text,
            first,
            last,
            end,
            ordinal,
            ahead[1] if ahead else None,
            self.behind(text, end),
            self._month(text, lead, end),
        )
        rules = (self._date, self._price, self._order, self._year, self._followed, self._unit, self._named)
        return next((kind for rule in rules if (kind := rule(beside)) is not None), last.kind)

    def mark(self, text: str, end: int) -> int | None:
        """Where a mark of money or percent begins that ends at a place: $2,000."""
        found = self._before.ending(text, end)
        return found[0] if found is not None and found[1] in ("money", "percent") else None

    def behind(self, text: str, end: int) -> tuple[int, str] | None:
        """What a number is followed by: (where that begins, kind or "counter")."""
        for odd in (0, 1):
            if odd and not _ODD.match(text, end):
                return None
            at = end + odd
            found = self._after.beginning(text, at)
            if found is None and text[at : at + 1] in (" ", "-"):
                at += 1
                found = self._after.beginning(text, at)
            if found is not None:
                return at, found[1]
        return None

    def counter_end(self, text: str, at: int, strict: bool = False) -> int | None:
        """Where the classifier or unit ends that begins at a place; strict leaves out units of measure."""
        found = (self._counters if strict else self._after).beginning(text, at)
        return None if found is None else found[0]

    def _date(self, b: _Beside) -> str | None:
        if not b.month or not (b.ordinal or (b.last.digits and b.last.high <= 31)):
            return None
        other = None if b.ordinal or b.behind is None or b.behind[1] == "unit_name" else b.behind[1]
        return other if other and other != "counter" else "date"

    def _price(self, b: _Beside) -> str | None:
        return b.ahead if b.ahead in ("money", "percent") else None

    def _order(self, b: _Beside) -> str | None:
        if not b.ordinal:
            return None
        return "unit_name" if self._names_unit(b.text, b.end) else "ordinal"

    def _year(self, b: _Beside) -> str | None:
        if not re.fullmatch("[12][0-9]{3}", b.last.digits):
            return None
        if b.behind is not None:
            return "year" if b.behind[1] == "year" else None
        if not _FIRST_YEAR <= b.first.low <= b.last.high <= _LAST_YEAR:
            return None
        if b.month or b.ahead == "year":
            return "year"
        after = b.text[b.end : b.end + 2]
        round_and_counting = b.last.high % 100 == 0 and re.match(rf" [{LETTERS}]", after)
        return None if is_east(after) or round_and_counting else "year"

    def _followed(self, b: _Beside) -> str | None:
        if b.behind is None:
            return None
        at, kind = b.behind
        if kind == "counter" or (kind == "unit_name" and not (b.last.digits and at == b.end)):
            return "cardinal"
        return "measure" if kind == "year" and b.last.high < 1000 else kind

    def _unit(self, b: _Beside) -> str | None:
        """Slavic names without an ending: "810 бригада", but not "3 бригады"."""
        if not b.last.digits or not re.match(r" [а-яіїєґ]", b.text[b.end : b.end + 2]):
            return None
        unit = self._units.beginning(b.text, b.end + 1)
        if unit is None or b.text[b.end + 1 : unit[0]] not in self._units.exact:
            return None
        return "unit_name" if b.last.high > _PAUCAL or b.text[unit[0] - 1] not in "ыиа" else None

    def _named(self, b: _Beside) -> str | None:
        if not b.last.digits:
            return None
        if b.ahead in ("unit_name", "time"):
            return b.ahead
        if b.last.high <= _AGE and b.text[max(0, b.first.start - 1) : b.end + 1] == f"({b.last.digits})":
            return "measure"  # an age
        named = b.last.high < 1000 and re.match(
            "[가-힣]", b.text[max(0, b.first.start - 1) : b.first.start]
        )  # 코로나19
        return "code" if named or re.match("[a-z]", b.text[b.end : b.end + 1]) else None

    def _ending(self, text: str, numeral: Numeral) -> tuple[int, bool]:
        if numeral.digits:
            for pattern, ordinal in self._endings:
                match = pattern.match(text, numeral.end)
                if match:
                    return match.end(), ordinal
        return numeral.end, numeral.kind == "ordinal"

    def _names_unit(self, text: str, end: int) -> bool:
        """Whether a unit follows an ordinal, within a few words: "11th Separate Airborne Assault Brigade"."""
        east = self._after.beginning(text, end)
        if east is not None and east[1] == "unit_name":
            return True
        for _ in range(4):
            word = _NEXT_WORD.match(text, end)
            if word is None:
                return False
            if self._units.beginning(text, word.start(1)) is not None:
                return True
            end = word.end()
        return False

    def _month(self, text: str, lead: int, end: int) -> bool:
        ahead = lead - 1 if text.startswith(".", max(lead - 1, 0)) else lead
        if self._months.ending(text, ahead) is not None:
            return True
        at = end + 1 if text.startswith(" ", end) else end
        return self._months.beginning(text, at + 3 if text.startswith("of ", at) else at) is not None
