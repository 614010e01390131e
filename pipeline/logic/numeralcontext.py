"""What the words beside numerals make of them: idioms, ranges, changes, hedges, increments and earlier figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.logic.numeralkinds import NAMES, Kinds
from pipeline.logic.numeralparts import HANGUL, Numeral
from pipeline.logic.numeralsfile import MODALITIES, Language
from pipeline.logic.wordtables import LETTERS, WordTable, is_east

_WORD = re.compile(rf"[{LETTERS}]+(?:'[{LETTERS}]+)*")
_LAST_WORD = re.compile(rf"[{LETTERS}']+$")
_DASH = re.compile(r" ?[-~] ?")
_DATES_JOINED = frozenset({" and ", " to ", " or ", "-", ", ", " et ", " au ", " и ", " по ", " та ", " і ", " й "})
_HANGUL = re.compile(rf"[{HANGUL}]")
_HANGUL_WORD = re.compile(rf" ?[{HANGUL}]{{1,5}}(?= )")
_JOINED_ON = re.compile(rf"[{HANGUL}0-9a-z]")
_COUNTED = re.compile(rf"(?![{HANGUL}])|[이가은는을를의도에과와로만씩당까뿐밖보]|여단|사단")
_NO_COUNT = frozenset("영일이삼사오육륙칠팔구조억석서너")  # alone they are other words, or names
_COUNTS = ("cardinal", "decimal", "ordinal")
_APART = ("change", "back")
_GAP = 30  # characters between the ends of a range
_NEAR = 60  # characters in which a verb tells a change


@dataclass(frozen=True)
class Found:
    """A number, or the two ends of a range, with what stands beside: offsets of all of it."""

    start: int
    end: int
    first: Numeral
    last: Numeral
    kind: str
    modality: str = "exact"
    more: bool = False
    earlier: bool = False


@dataclass(frozen=True)
class _Relation:
    """How a numeral stands to the next: range, score, fraction; or change ("from 10 to 12"), back ("12 from 10")."""

    kind: str
    start: int = 0
    link: str = ""


class Context:
    def __init__(self, languages: Sequence[Language]) -> None:
        self._kinds = Kinds(languages)
        self._before = WordTable((w, m) for lang in languages for m, words in lang.before.items() for w in words)
        self._after = WordTable((w, m) for lang in languages for m, words in lang.after.items() for w in words)
        words = {key: [w for lang in languages for w in lang.range[key]] for key in languages[0].range}
        self._between, self._change_between = frozenset(words["between"]), frozenset(words["change_between"])
        self._east_links = ("-", "~", *(word for word in self._between if is_east(word)))
        self._change_ends, self._from = tuple(words["change_ends"]), frozenset(words["from"])
        self._changed = WordTable((word, "changed") for word in words["changed"])
        self._pairs = {pair: kind for lang in languages for kind, pairs in lang.pairs.items() for pair in pairs}
        self._leads = {lead for lead, _ in self._pairs}
        self._idioms: dict[str, list[tuple[int, str]]] = {}
        for idiom in (idiom for lang in languages for idiom in lang.lists["idioms"]):
            pieces: Iterable[re.Match[str]] = re.finditer(".", idiom) if is_east(idiom) else _WORD.finditer(idiom)
            for piece in pieces:
                self._idioms.setdefault(piece.group(), []).append((piece.start(), idiom))

    def found(self, text: str, numerals: Iterable[Numeral]) -> Iterator[Found]:
        """What the numerals of a folded text say, in order."""
        counted = [numeral for numeral in numerals if self._is_number(text, numeral)]
        at, dated = 0, -1  # where a date ended: "October 8 and 13"
        before: _Relation | None = None  # how the number before stands to this one
        while at < len(counted):
            first = last = counted[at]
            start, relation = first.start, None
            if first.digits and first.high <= 31 and 0 <= dated < start and text[dated:start] in _DATES_JOINED:
                first = last = first if self._kinds.behind(text, first.end) else replace(first, kind="date")
            elif at + 1 < len(counted):
                relation = self._relation(text, first, counted[at + 1])
            if relation is not None and relation.kind not in _APART:
                start = relation.start
                first, last = _merged(relation.kind, first, counted[at + 1])
                at, relation = at + 1, None
            at += 1
            limit = counted[at].start if at < len(counted) else None
            entry = self._entry(text, start, first, last, limit, before.link if before else "")
            if (relation and relation.kind == "change") or (before and before.kind == "back"):
                entry = replace(entry, earlier=True)
            before = relation
            dated = entry.end if entry.kind == "date" else -1
            yield entry

    def _is_number(self, text: str, numeral: Numeral) -> bool:
        """Whether it is one: no idiom, and before a counter if it is written in characters that begin other words."""
        if numeral.digits or numeral.kind in ("date", "time", "code"):
            return True
        if not numeral.east or self._in_idiom(text, numeral):
            return not self._in_idiom(text, numeral)
        if _HANGUL.match(text, numeral.start):
            return self._is_hangul_number(text, numeral)
        kinds, before = self._kinds, text[max(0, numeral.start - 3) : numeral.start]
        if numeral.low != numeral.high or before.endswith((*kinds.prefixes, *kinds.fractions)):
            return True
        if text.startswith((*self._east_links, *kinds.fractions), numeral.end):
            return True  # 一万至一万二千人: the counter comes with the second
        return kinds.behind(text, numeral.end) is not None

    def _is_hangul_number(self, text: str, numeral: Numeral) -> bool:
        start, end = numeral.start, numeral.end
        if (start and _JOINED_ON.match(text, start - 1)) or text[start:end] in _NO_COUNT:
            return False
        if numeral.low != numeral.high and not _HANGUL.match(text, end):
            return True
        end += text.startswith("여", end)
        end += text.startswith(" ", end)
        counter = self._kinds.counter_end(text, end, strict=True)
        return counter is not None and _COUNTED.match(text, counter) is not None

    def _in_idiom(self, text: str, numeral: Numeral) -> bool:
        word = _WORD.match(text, numeral.start)
        key = word.group() if word else text[numeral.start]
        for offset, idiom in self._idioms.get(key, ()):
            start, bare = numeral.start - offset, idiom.rstrip("*")
            if start < 0 or not text.startswith(bare, start):
                continue
            end = start + len(bare)
            if numeral.east:
                if end >= numeral.end:
                    return True
            elif not (start and _WORD.match(text, start - 1)) and (bare != idiom or not _WORD.match(text, end)):
                return True
        return False

    def _relation(self, text: str, first: Numeral, second: Numeral) -> _Relation | None:
        gap = text[first.end : second.start]
        if len(gap) > _GAP or first.kind not in _COUNTS or second.kind not in _COUNTS:
            return None
        if gap.strip() in self._kinds.fractions:
            return _Relation("fraction", first.start)
        low, high = _scaled(first, second)
        span = _Relation("range", first.start) if low.low < high.high else None
        if _DASH.fullmatch(gap):
            score = first.digits and second.digits and " " not in gap
            return span or (_Relation("score", first.start) if score else None)
        counter = self._kinds.behind(text, first.end)
        end = self._kinds.counter_end(text, counter[0]) if counter else None
        rest = text[end : second.start] if end is not None and end <= second.start else gap
        if _DASH.fullmatch(rest):
            return span
        if is_east(rest):
            return self._linked_east(text, second, rest.strip(), span)
        return self._linked(text, first, second, rest.split(), span)

    def _linked_east(self, text: str, second: Numeral, link: str, span: _Relation | None) -> _Relation | None:
        if link in self._change_between:
            behind = self._kinds.behind(text, second.end)
            end = self._kinds.counter_end(text, behind[0]) if behind else None
            if link not in self._between or text.startswith(self._change_ends, second.end if end is None else end):
                return _Relation("change", link=link)
        return span if link in self._between else None

    def _linked(
        self, text: str, first: Numeral, second: Numeral, words: list[str], span: _Relation | None
    ) -> _Relation | None:
        if not words or len(words) > 2:
            return None
        lead = self._lead(text, first.start)
        pair = self._pairs.get((lead[1], words[-1])) if lead else None
        if lead is None or pair is None:
            if words[-1] in self._from:
                return _Relation("back")
            return span if len(words) == 1 and words[0] in self._between else None
        if pair == "change_pairs" or (pair == "moving_pairs" and self._verb_near(text, lead[0], second.end)):
            return _Relation("change", link=words[-1])
        return replace(span, start=lead[0]) if span else None

    def _lead(self, text: str, end: int) -> tuple[int, str] | None:
        """The first word of a pair before a numeral, past its hedges: "between about 10,000 and"."""
        for _ in range(3):
            while end and text[end - 1] == " ":
                end -= 1
            word = _LAST_WORD.search(text, max(0, end - 20), end)
            if word is None:
                return None
            if word.group() in self._leads:
                return word.start(), word.group()
            hedge = self._before.ending(text, end)
            if hedge is None:
                return None
            end = hedge[0]
        return None

    def _verb_near(self, text: str, start: int, end: int) -> bool:
        words = _WORD.findall(f"{text[max(0, start - _NEAR) : start]} {text[end : end + _NEAR // 2]}")
        return any(word in self._changed.exact or self._changed.stem(word) for word in words)

    def _entry(self, text: str, start: int, first: Numeral, last: Numeral, limit: int | None, link: str) -> Found:
        kind = self._kinds.of(text, first, last)
        if kind in NAMES:
            return Found(first.start, last.end, first, last, kind)
        begin, before = self._hedges_before(text, start, link)
        end, after = self._hedges_behind(text, last.end, limit)
        said = {*before, *after}
        if first is last and first.one and any(m in MODALITIES for m in before):
            first = last = replace(first, low=first.one, high=first.one)
        vague = first.about or (first is last and first.low != first.high)
        sure = [m for m in (*before, *after) if m in MODALITIES and m != "about"]
        modality = (
            sure[0] if sure else "at_least" if first.at_least else "about" if vague or "about" in said else "exact"
        )
        return Found(begin, end, first, last, kind, modality, "more" in said, "earlier" in said)

    def _hedges_before(self, text: str, start: int, link: str) -> tuple[int, list[str]]:
        """Where the hedges before a number begin, and what they say, the nearest first."""
        found: list[str] = []
        mark = self._kinds.mark(text, start)
        end = begin = start if mark is None else mark
        for _ in range(5):
            while end and text[end - 1] in " (":
                end -= 1
            hedge = self._before.ending(text, end)
            if hedge is None or hedge[1] == "none" or (link and text[hedge[0] : end] == link):
                break
            end, meaning = hedge
            if meaning != "skip":
                begin = end
                found.append(meaning)
        found.reverse()
        return begin, found

    def _hedges_behind(self, text: str, end: int, limit: int | None) -> tuple[int, list[str]]:
        """Where the hedges behind a number and its noun end, and what they say."""
        found: list[str] = []
        place, stop, skipped = end, end, 0
        east = is_east(text[end : end + 2])
        while skipped <= 2:
            at = place + 1 if text[place : place + 1] in (" ", "-") else place
            hedge = self._after.beginning(text, at)
            if hedge is not None:
                if hedge[1] == "none" or (limit is not None and not text[hedge[0] : limit].strip()):
                    break  # the last of these is the next number's
                place = stop = hedge[0]
                found.append(hedge[1])
                continue
            skipped += 1
            counter = self._kinds.counter_end(text, at)
            word = _HANGUL_WORD.match(text, place) if east else _WORD.match(text, at)
            if counter is None and word is None:
                break
            place = counter if counter is not None else word.end() if word is not None else place
        return stop, found


def _merged(kind: str, first: Numeral, second: Numeral) -> tuple[Numeral, Numeral]:
    if kind == "range":
        return _scaled(first, second)
    if kind == "score":
        whole = replace(first, kind="code", end=second.end)
    else:  # 3分の1: the whole comes first
        share = second.low / max(first.low, 1)
        whole = replace(first, kind="fraction", end=second.end, low=share, high=share)
    return whole, whole


def _scaled(first: Numeral, second: Numeral) -> tuple[Numeral, Numeral]:
    """The ends of a range; a multiplier behind the second counts for both: "10 to 12 thousand"."""
    fits = second.scale > 1 and first.scale == 1 and first.high * second.scale <= second.high
    if fits and first.kind != "ordinal":
        return replace(first, low=first.low * second.scale, high=first.high * second.scale), second
    return first, second
