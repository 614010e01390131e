"""What the words beside a numeral make of it: its kind, ranges, hedges, increments and earlier figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pipeline.logic.numeralparts import HANGUL, LETTERS, Numeral, is_east
from pipeline.logic.numeralsfile import MODALITIES, Language

Entry = tuple[int, int, Numeral, Numeral, str, str, bool, bool]
_WORD = re.compile(rf"[{LETTERS}]+(?:'[{LETTERS}]+)*")
_NEXT_WORD = re.compile(rf"\.?[ -]?([{LETTERS}][{LETTERS}'/]*(?:\.[{LETTERS}])?)")
_BEFORE_WINDOW, _AFTER_WINDOW, _VERB_WINDOW = 48, 40, 60
_NAMES = frozenset({"date", "time", "year", "ordinal", "unit_name", "code"})
_DATES_JOINED = frozenset({" and ", " to ", " or ", "-", ", ", " et ", " au ", " и ", " по ", " та ", " і ", " й "})
_DASH = re.compile(r" ?[-~] ?")
_ODD = re.compile("[여多余餘數数几幾]")
HANGUL_WORD = re.compile(rf"[{HANGUL}]")
_COUNTED = re.compile(rf"(?![{HANGUL}])|[이가은는을를의도에과와로만씩당까뿐밖보]|여단|사단")
_NO_COUNT = frozenset("영일이삼사오육륙칠팔구조억석서너")  # by themselves words and names of their own
_SPACED_PARTICLE = re.compile(rf" ?[{HANGUL}]{{1,5}}(?= )")


class _Table:
    """Words and what they mean, found where a text begins or ends with one; the longest wins."""

    def __init__(self, words: Iterable[tuple[str, str]]) -> None:
        self.exact: dict[str, str] = {}
        self.stems: dict[str, str] = {}
        self.east: dict[str, str] = {}
        self.marks: dict[str, str] = {}
        for word, meaning in words:
            bare = word.rstrip("*")
            if is_east(bare):
                self.east.setdefault(bare, meaning)
            elif word.endswith("*"):
                self.stems.setdefault(bare, meaning)
            elif _WORD.match(bare[-1:]) or _WORD.match(bare[:1]):
                self.exact.setdefault(bare, meaning)
            else:
                self.marks.setdefault(bare, meaning)
        self._longest = max(map(len, self.east), default=0)
        self._words = max((word.count(" ") + 1 for word in self.exact), default=0)

    def ending(self, text: str, end: int) -> tuple[int, str] | None:
        """The word that ends at a place: where it begins, and what it means."""
        for length in range(min(self._longest, end), 0, -1):
            meaning = self.east.get(text[end - length : end])
            if meaning is not None:
                return end - length, meaning
        for mark, meaning in self.marks.items():
            if text.startswith(mark, end - len(mark)) and end >= len(mark):
                return end - len(mark), meaning
        start, found = max(0, end - _BEFORE_WINDOW), None
        window = text[start:end]
        at = len(window)
        for _ in range(self._words):
            at = window.rfind(" ", 0, at)
            begin = at + 1
            while begin < len(window) and window[begin] in "\"'«“„(-":
                begin += 1
            meaning = self.exact.get(window[begin:])
            if meaning is not None and (at >= 0 or start == 0):
                found = start + begin, meaning
            if at < 0:
                break
        if found is None:
            last = window[window.rfind(" ") + 1 :]
            found = self._stem(last, end - len(last))
        return found

    def beginning(self, text: str, at: int) -> tuple[int, str] | None:
        """The word that begins at a place: where it ends, and what it means."""
        for length in range(self._longest, 0, -1):
            piece = text[at : at + length]
            meaning = self.east.get(piece)
            if meaning is not None:
                return at + len(piece), meaning
        for mark, meaning in self.marks.items():
            if text.startswith(mark, at):
                return at + len(mark), meaning
        found, end = None, at
        for number in range(self._words):
            word = _NEXT_WORD.match(text, end)
            if word is None or (number == 0 and word.start(1) != at):
                break
            end = word.end()
            meaning = self.exact.get(text[at:end])
            if meaning is not None:
                found = end, meaning
            elif number == 0 and self.stems:
                stem = self._stem(word.group(1), end)
                found = stem or found
        return found

    def _stem(self, word: str, place: int) -> tuple[int, str] | None:
        for length in range(len(word), 1, -1):
            meaning = self.stems.get(word[:length])
            if meaning is not None:
                return place, meaning
        return None


class Context:
    def __init__(self, languages: Sequence[Language]) -> None:
        def listed(side: str) -> Iterator[tuple[str, str]]:
            for language in languages:
                for meaning, words in getattr(language, side).items():
                    yield from ((word, meaning) for word in words)

        counters = [(word, "counter") for language in languages for word in language.lists["counters"]]
        months = [(word, "date") for language in languages for word in language.months]
        endings = [(w, "ordinal") for language in languages for w in language.lists["ordinal_endings"] if is_east(w)]
        self._before = _Table(listed("before"))
        self._after = _Table(listed("after"))
        self._kinds_before = _Table(listed("kinds_before"))
        kinds = [(word, kind) for word, kind in listed("kinds_after") if kind != "unit_name" or is_east(word)]
        kinds.sort(key=lambda entry: entry[1] != "year")  # 년 is a year or a duration: the number tells
        names = [(word, kind) for word, kind in listed("kinds_after") if kind == "unit_name" and not is_east(word)]
        self._kinds_after = _Table([*kinds, *counters, *endings])
        self._names = _Table(names)
        self._counters = _Table([*counters, *((word, "ordinal") for word, _ in endings if word == "번째")])
        self._months = _Table(months)
        self._between = _Table((word, "range") for language in languages for word in language.between)
        self._changed = _Table((word, "changed") for language in languages for word in language.changed)
        self._pairs = {(pair, False) for language in languages for pair in language.pairs}
        self._pairs |= {(pair, True) for language in languages for pair in language.change_pairs}
        self._fractions = {word for language in languages for word in language.kinds_after.get("fraction", ())}
        self._prefixes = tuple(w for language in languages for w in language.lists["ordinal_prefixes"])
        self._endings = [
            (re.compile(rf"-?(?:{'|'.join(language.lists[key])})(?![{LETTERS}])"), key == "ordinal_endings")
            for language in languages
            for key in ("cardinal_endings", "ordinal_endings")
            if language.lists[key] and not is_east(language.lists[key][0])
        ]
        self._idioms: dict[str, list[tuple[int, str]]] = {}
        for idiom in (idiom for language in languages for idiom in language.lists["idioms"]):
            words = _WORD.finditer(idiom) if not is_east(idiom) else re.finditer(".", idiom)
            for word in words:
                self._idioms.setdefault(word.group(), []).append((word.start(), idiom))

    def is_number(self, text: str, numeral: Numeral) -> bool:
        """Whether what looks like a numeral is one: no idiom, and before a counter where characters alone may mislead."""
        if numeral.digits or numeral.kind in ("date", "time", "code"):
            return True
        if self._in_idiom(text, numeral):
            return False
        if not numeral.east:
            return True
        before = text[max(0, numeral.start - 3) : numeral.start]
        if before.endswith((*self._prefixes, *self._fractions)) or text.startswith(tuple(self._fractions), numeral.end):
            return True
        end = numeral.end
        if HANGUL_WORD.match(text, numeral.start):
            return self._counted_in_hangul(text, numeral)
        if numeral.low != numeral.high:
            return True
        if _ODD.match(text, end):
            end += 1
        place = self._kinds_after.beginning(text, end) or (
            self._kinds_after.beginning(text, end + 1) if text.startswith(" ", end) else None
        )
        return place is not None

    def _counted_in_hangul(self, text: str, numeral: Numeral) -> bool:
        """Its syllables begin many other words: only a whole word counts, and most only before a counter."""
        end = numeral.end
        if numeral.start and re.match(rf"[{HANGUL}0-9a-z]", text[numeral.start - 1]):
            return False
        if text[numeral.start : end] in _NO_COUNT:
            return False
        if numeral.low != numeral.high and not HANGUL_WORD.match(text, end):
            return True
        end += text.startswith("여", end)
        end += text.startswith(" ", end)
        counter = self._counters.beginning(text, end)
        return counter is not None and _COUNTED.match(text, counter[0]) is not None

    def _in_idiom(self, text: str, numeral: Numeral) -> bool:
        first = text[numeral.start : numeral.start + 1] if numeral.east else _word_at(text, numeral.start)
        for offset, idiom in self._idioms.get(first, ()):
            start = numeral.start - offset
            bare = idiom.rstrip("*")
            if start < 0 or not text.startswith(bare, start):
                continue
            if numeral.east:
                if start + len(bare) >= numeral.end:
                    return True
            elif not _letter(text, start - 1) and (idiom.endswith("*") or not _letter(text, start + len(bare))):
                return True
        return False

    def joined(self, text: str, numerals: Sequence[Numeral]) -> Iterator[Entry]:
        """Numerals with their contexts, the two ends of a range as one."""
        at = 0
        link = ""  # that joined this number to the one before as a change: "from 10 to 12"
        dated = -1  # where a date ended: "October 8 and 13"
        while at < len(numerals):
            first = last = numerals[at]
            start, former, joined_by, link = None, False, link, ""
            if (
                last.digits
                and last.high <= 31
                and 0 <= dated < first.start
                and text[dated : first.start] in _DATES_JOINED
            ):
                first = last = self._dated(text, first)
            if at + 1 < len(numerals):
                relation = self._relation(text, first, numerals[at + 1])
                if relation == "score":
                    first = last = replace(first, kind="code", end=numerals[at + 1].end)
                    at += 1
                elif relation is not None and relation[0] == "range":
                    first, last = _scaled(first, numerals[at + 1])
                    start = relation[1]
                    at += 1
                elif relation == "fraction":
                    share = numerals[at + 1].low / max(first.low, 1)
                    last = replace(numerals[at + 1], kind="fraction", low=share, high=share)
                    first = replace(last, start=first.start)
                    at += 1
                elif relation is not None:
                    former, link = True, relation[1]
            at += 1
            following = numerals[at].start if at < len(numerals) else len(text) + 9
            entry = self._entry(text, first, last, start, former, following, joined_by)
            dated = entry[1] if entry[4] == "date" else -1
            yield entry

    def _dated(self, text: str, numeral: Numeral) -> Numeral:
        return numeral if self._behind(text, numeral.end) else replace(numeral, kind="date")

    def _relation(self, text: str, first: Numeral, second: Numeral) -> tuple[str, Any] | str | None:
        """Whether two numerals are a range (and where it begins), a change from one to the other, a score, or nothing."""
        if first.kind not in ("cardinal", "decimal", "ordinal") or second.kind not in (
            "cardinal",
            "decimal",
            "ordinal",
        ):
            return None
        gap = text[first.end : second.start]
        if len(gap) > 30:
            return None
        if gap.strip() in self._fractions:
            return "fraction"
        low, high = _scaled(first, second)
        rising = low.low < high.high
        if _DASH.fullmatch(gap):
            if rising:
                return ("range", first.start)
            return "score" if first.digits and second.digits and " " not in gap else None
        place = first.end
        counter = self._kinds_after.beginning(text, place) or self._kinds_after.beginning(text, place + 1)
        rest = gap
        if counter is not None and counter[0] <= second.start:
            rest = text[counter[0] : second.start]
            if _DASH.fullmatch(rest):
                return ("range", first.start) if rising else None
        before = self._word_before(text, first)
        words = rest.split()
        if is_east(rest):
            if rest.strip() in self._between.east:
                then = self._kinds_after.beginning(text, second.end)
                behind = text[then[0] if then else second.end :][:2]
                if behind.startswith(("로", "으로", "に", "へ")) and rest.strip() in ("에서", "から"):
                    return ("change", "")
                return ("range", first.start) if rising else None
            return None
        if not words or len(words) > 2:
            return None
        for (lead, link), change in self._pairs:
            if words[-1] == link and before is not None and before[1] == lead:
                changed = change or (lead in ("from", "de") and self._verb_near(text, first.start, second.end))
                if changed:
                    return ("change", link)
                return ("range", before[0]) if rising else None
        if len(words) == 1 and words[0] in self._between.exact and rising:
            return ("range", first.start)
        return None

    def _word_before(self, text: str, numeral: Numeral) -> tuple[int, str] | None:
        """The word before a numeral, past hedges other than a pair's own."""
        end = numeral.start
        for _ in range(3):
            while end and text[end - 1] == " ":
                end -= 1
            word = None
            for word in _WORD.finditer(text, max(0, end - 20), end):
                pass
            if word is None or word.end() != end:
                return None
            leads = {lead for (lead, _), _ in self._pairs}
            if word.group() in leads:
                return word.start(), word.group()
            hedge = self._before.ending(text, end)
            if hedge is None:
                return None
            end = hedge[0]
        return None

    def _verb_near(self, text: str, start: int, end: int) -> bool:
        for window in (text[max(0, start - _VERB_WINDOW) : start], text[end : end + _VERB_WINDOW // 2]):
            for word in _WORD.finditer(window):
                if word.group() in self._changed.exact or self._changed._stem(word.group(), 0):
                    return True
        return False

    def _entry(
        self, text: str, first: Numeral, last: Numeral, start: int | None, earlier: bool, following: int, link: str
    ) -> Entry:
        kind, suffix_end = self._kind(text, first, last)
        if kind in _NAMES:
            return first.start, last.end, first, last, kind, "exact", False, False
        begin, before = self._hedges_before(text, first.start if start is None else start, link)
        end, after = self._hedges_behind(text, last.end, following)
        meanings = [*before, *after]
        modality = next((m for m in meanings if m in MODALITIES and m != "about"), None)
        if first.one and first is last and any(m in MODALITIES for m in before):
            first = last = replace(first, low=first.one, high=first.one)
        vague = first is last and first.low != first.high
        if modality is None:
            modality = (
                "at_least" if first.at_least else "about" if "about" in meanings or vague or first.about else "exact"
            )
        return (
            begin,
            max(end, last.end),
            first,
            last,
            kind,
            modality,
            "more" in meanings,
            earlier or "earlier" in meanings,
        )

    def _hedges_before(self, text: str, start: int, link: str) -> tuple[int, list[str]]:
        found: list[str] = []
        end, begin = start, start
        for number in range(5):
            while end and text[end - 1] in " (":
                end -= 1
            mark = self._kinds_before.ending(text, end) if number == 0 else None
            if mark is not None and mark[1] in ("money", "percent"):
                end = begin = mark[0]
                continue
            place = self._before.ending(text, end)
            if place is None or place[1] == "none" or (link and text[place[0] : end] == link):
                break
            end, meaning = place
            if meaning != "skip":
                begin = end
                found.append(meaning)
        return begin, found

    def _hedges_behind(self, text: str, end: int, following: int) -> tuple[int, list[str]]:
        found: list[str] = []
        place, stop, skipped = end, end, 0
        for _ in range(6):
            at = place + 1 if text.startswith(" ", place) else place
            meant = self._after.beginning(text, at)
            if meant is None and text.startswith("-", at):
                meant = self._after.beginning(text, at + 1)
            if meant is not None:
                if meant[1] == "none" or (
                    following < len(text) and not text[meant[0] : following].strip()
                ):  # of the next number
                    break
                place = stop = meant[0]
                found.append(meant[1])
                continue
            if skipped >= 2:
                break
            skipped += 1
            counter = self._kinds_after.beginning(text, at)
            if counter is not None:
                place = counter[0]
                continue
            word = _SPACED_PARTICLE.match(text, place) if is_east(text[end : end + 2]) else _WORD.match(text, at)
            if word is None or at == place == end:
                break
            place = word.end()
        return stop, found

    def _kind(self, text: str, first: Numeral, last: Numeral) -> tuple[str, int]:
        end = last.end
        if last.kind in ("date", "time", "code", "fraction", "multiple"):
            return last.kind, end
        if first.kind == "code":
            return "code", end
        if first.start and text.startswith(self._prefixes, first.start - 1):
            return ("unit_name" if self._named(text, end) else "ordinal"), end
        ordinal = last.kind == "ordinal"
        if last.digits:
            for pattern, is_ordinal in self._endings:
                match = pattern.match(text, end)
                if match:
                    ordinal, end = is_ordinal, match.end()
                    if not is_ordinal:
                        break
        lead = first.start - 1 if text.startswith(" ", first.start - 1) and first.start else first.start
        ahead = self._kinds_before.ending(text, lead)
        month = self._month_near(text, lead, end)
        if month and (ordinal or (last.digits and last.high <= 31)):
            other = None if ordinal else self._behind(text, end)
            return ("date" if other is None or other[1] == "unit_name" else other[1]), end
        if ahead and ahead[1] in ("money", "percent"):
            return ahead[1], end
        if ordinal:
            return ("unit_name" if self._named(text, end) else "ordinal"), end
        behind = self._behind(text, end)
        if last.digits and re.fullmatch("[12][0-9]{3}", last.digits):
            year = self._year(text, first.low, last, ahead, behind, month)
            if year:
                return "year", end
        if behind is not None:
            kind = behind[1]
            if kind == "unit_name" and not (last.digits and behind[0] == end):
                kind = "cardinal"
            if kind == "year" and last.high < 1000:
                kind = "measure"
            return ("cardinal" if kind == "counter" else kind), end
        if last.digits and not is_east(text[end : end + 2]):
            name = self._names.beginning(text, end + 1) if text.startswith(" ", end) else None
            if (
                name
                and "а" <= text[end + 1]
                and name[0] - end > 3
                and (last.high > 4 or text[name[0] - 1] not in "ыиа")
            ):
                return "unit_name", end
        if ahead and ahead[1] in ("unit_name", "time") and last.digits:
            return ahead[1], end
        if last.digits and re.match(r"[a-z]", text[end : end + 1]):
            return "code", end
        return ("decimal" if last.kind == "decimal" else "cardinal"), end

    def _behind(self, text: str, end: int) -> tuple[int, str] | None:
        """What follows: (where it begins, kind)."""
        for odd in (0, 1):
            if odd and not _ODD.match(text, end):
                return None
            at = end + odd
            found = self._kinds_after.beginning(text, at)
            if found is None and text[at : at + 1] in (" ", "-"):
                at += 1
                found = self._kinds_after.beginning(text, at)
            if found is not None:
                return at, found[1]
        return None

    def _named(self, text: str, end: int) -> bool:
        """Whether a unit follows an ordinal, within a few words: "11th Separate Airborne Assault Brigade"."""
        east = self._kinds_after.beginning(text, end)
        if east is not None and east[1] == "unit_name":
            return True
        place = end
        for _ in range(4):
            word = re.compile(rf"[ -][\"'«“]?([{LETTERS}]+)").match(text, place)
            if word is None:
                return False
            name = self._names.beginning(text, word.start(1))
            if name is not None:
                return True
            place = word.end()
        return False

    def _month_near(self, text: str, lead: int, end: int) -> bool:
        if self._months.ending(text, lead) or (text.startswith(".", lead - 1) and self._months.ending(text, lead - 1)):
            return True
        at = end + 1 if text.startswith(" ", end) else end
        at = at + 3 if text.startswith("of ", at) else at
        return self._months.beginning(text, at) is not None

    def _year(
        self,
        text: str,
        low: float,
        numeral: Numeral,
        ahead: tuple[int, str] | None,
        behind: tuple[int, str] | None,
        month: bool,
    ) -> bool:
        if behind is not None:
            return behind[1] == "year"
        if not 1900 <= low <= numeral.high <= 2100 or text.startswith("'", numeral.end):
            return False
        if month or (ahead is not None and ahead[1] == "year"):
            return True
        east = is_east(text[numeral.end : numeral.end + 2])
        return not east and (
            numeral.high % 100 != 0 or not re.match(rf" [{LETTERS}]", text[numeral.end : numeral.end + 2])
        )


def _scaled(first: Numeral, second: Numeral) -> tuple[Numeral, Numeral]:
    """The ends of a range; a multiplier behind the second counts for both: "10 to 12 thousand"."""
    if second.scale > 1 and first.scale == 1 and first.high * second.scale <= second.high and first.kind != "ordinal":
        return replace(first, low=first.low * second.scale, high=first.high * second.scale), second
    return first, second


def _letter(text: str, at: int) -> bool:
    return 0 <= at < len(text) and _WORD.match(text, at) is not None


def _word_at(text: str, at: int) -> str:
    word = _WORD.match(text, at)
    return word.group() if word else ""
