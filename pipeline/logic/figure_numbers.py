"""The numbers of a sentence put together: fractions with their wholes, units with their strength, parts with wholes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.logic.figure_text import EAST_ASIAN, Marks
from pipeline.logic.numerals import Quantity

NEAR = 45  # characters between a part and its whole
THOUSAND = 1000
COUNTING = frozenset({"cardinal", "money", "fraction"})

_EACH = re.compile(r"[^.;]{0,40}\b(?:each|apiece)\b")
_OF = frozenset({"of", "of the", "the", ""})
_BARE_OF = frozenset({"of", "з", "із", "зі", "из"})  # as in "a company of 100"
_EACH_WORDS = frozenset({"по"})
_DOLLARS = re.compile(
    r"\s?(?:여|余|多)?\s?(?:u\.?s\.?\s)?(?:dollar|usd|доллар|долар|달러|ドル|美元|美金)", re.IGNORECASE
)
_BETWEEN = re.compile(r"(?:군|軍|兵士|兵|士兵)?[\sの的]?")
_THAT = re.compile(r"\b(?:that|что|що|que)$")
_CUT_OFF = re.compile(r"(?:\.\.\.|…)[\s'\"”’]*")
_PLURAL = re.compile(r"(?:[a-z]s|\b(?:men|people|personnel))$")
_THEM = re.compile(r"\b(?:them|whom|which|these|those|них|ними|которых|яких)\b")


@dataclass(frozen=True)
class Number:
    """A number of the sentence, with what the numbers around make of it. `reason` says why it can be no figure;
    `whole_at` is the place among the numbers of what a fraction is of."""

    start: int
    end: int
    number_end: int
    low: float
    high: float
    modality: str
    kind: str
    increment: bool = False
    earlier: bool = False
    whole: bool = False
    part: bool = False
    of: float | None = None
    whole_at: int | None = None
    multiplied: bool = False
    reason: str = ""
    others: Sequence[tuple[int, int]] = ()
    sole: bool = False  # "the only prisoner": the whole phrase


def numbers(sentence: str, marks: Marks, found: Sequence[Quantity]) -> list[Number]:
    """One for each quantity, in their order."""
    wholes = {_whole_of(marks, found, i) for i, q in enumerate(found) if q.kind == "fraction"}
    spans = [(q.start, q.end) for q in found]
    made = []
    for i, q in enumerate(found):
        others = [s for j, s in enumerate(spans) if j != i]
        low, high, reason, multiplied = q.low, q.high, "", False
        whole_at = _whole_of(marks, found, i) if q.kind == "fraction" else None
        whole = found[whole_at] if whole_at is not None else None
        if q.kind not in COUNTING:
            reason = q.kind.replace("_", " ")
        elif q.kind == "money" and not _dollars(sentence, q):
            reason = "money of another currency"
        elif _CUT_OFF.fullmatch(sentence, q.number_end):
            reason = "cut off"  # a feed's summary ends there: who knows which digits follow
        elif high <= 0:
            reason = "none"
        elif q.kind == "fraction":
            if whole is None:
                reason = "part of an unknown whole"
            else:
                low, high = round(low * whole.low), round(high * whole.high)
        before = found[i - 1] if i else None
        if not reason and before is not None and before.kind == "cardinal" and _each(marks, before, q):
            low, high, multiplied = low * before.low, high * before.high, True
        whole_here = q.kind == "cardinal" and (_is_whole(marks, found, i) or i in wholes)
        made.append(
            Number(
                q.start,
                q.end,
                q.number_end,
                low,
                high,
                _modality(q, low, high),
                q.kind,
                q.increment,
                q.earlier,
                whole_here,
                whole is not None or _is_part(marks, found, i),
                whole.high if whole else None,
                whole_at,
                multiplied,
                reason,
                others,
            )
        )
    return made


def sole(marks: Marks) -> list[Number]:
    """One each of "the only prisoner", "єдиний полонений": nouns that tell a role, in the singular."""
    made = []
    for start, sole_end in {m.start: m.end for m in sorted(marks.of("sole"))}.items():
        end, told = sole_end, False
        while noun := marks.starting(_after(marks.text, end), "subject", "people", *([] if told else ["cue"])):
            end, told = noun.end, told or any(marks.of("cue", start=noun.start, end=noun.end))
        if told and not _PLURAL.search(marks.text[:end]):
            made.append(Number(start, end, end, 1, 1, "exact", "cardinal", sole=True))
    return made


def _after(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _dollars(sentence: str, q: Quantity) -> bool:
    return "$" in sentence[max(0, q.start - 3) : q.end] or _DOLLARS.match(sentence, q.number_end) is not None


def _modality(q: Quantity, low: float, high: float) -> str:
    """Whole thousands without a hedge are an estimate all the same."""
    round_number = low == high and high >= THOUSAND and high % THOUSAND == 0
    return "about" if q.modality == "exact" and round_number and q.kind == "cardinal" else q.modality


def _whole_of(marks: Marks, found: Sequence[Quantity], i: int) -> int | None:
    """The place of the number of which a fraction is given: "a third of the 12,000", 1万2000人の3分の1."""
    q = found[i]
    behind = found[i + 1] if i + 1 < len(found) else None
    if behind is not None and behind.kind == "cardinal" and behind.start - q.end <= NEAR:
        gap = marks.text[q.end : behind.start].strip()
        if any(marks.of("whole", start=q.number_start, end=behind.number_start)) or gap in _OF:
            return i + 1
    before = found[i - 1] if i else None
    if before is not None and before.kind == "cardinal" and q.start - before.end <= NEAR:
        gap = marks.text[before.end : q.start]
        linked = any(marks.of("whole_after", start=before.end, end=q.start)) or re.search(
            r"[の의]|(?:그|その|其)\s?$", gap
        )
        if EAST_ASIAN.search(gap) and linked:
            return i - 1
    return None


def _is_whole(marks: Marks, found: Sequence[Quantity], i: int) -> bool:
    """Whether another number of the sentence is a part of this one."""
    q = found[i]
    if len(found) == 1 or q.earlier:
        return False
    for mark in marks.of("whole", end=q.number_start):
        gap = marks.text[mark.end : q.number_start]
        bare = marks.text[mark.start : mark.end] in _BARE_OF
        front = marks.text[: mark.start].rstrip()
        opens = not front or front[-1] in '.,;:(—–"“' or _THAT.search(front) is not None
        counted = i > 0 and mark.start - found[i - 1].number_end <= 2
        if (
            len(gap) <= 16
            and _close(gap)
            and not _THEM.search(marks.text, mark.start, q.number_start)
            and (not bare or opens or counted)
        ):
            return True
    following = [f for f in found[i + 1 :] if f.kind in ("cardinal", "fraction") and f.start - q.end <= NEAR]
    return bool(following) and any(
        marks.text[m.end : m.end + 1] not in ("国", "國") and "," not in marks.text[q.end : m.start]
        for m in marks.of("whole_after", start=q.end, end=following[0].start)
    )


def _is_part(marks: Marks, found: Sequence[Quantity], i: int) -> bool:
    """Whether it is one of a whole that is named or counted: "1,000 of the soldiers sent", 중 300명."""
    q = found[i]
    end = q.number_end
    before = [m for m in marks.of("whole_after", end=q.start) if q.start - m.end <= 6]
    before += [m for m in marks.of("whole", end=q.start) if _THEM.search(marks.text, m.start, q.start)]
    if any(
        not re.search("[.;。；]", marks.text[m.end : q.start]) and len(marks.text[m.end : q.start]) <= 24
        for m in before
    ):
        return True
    if any(m.start - end <= 2 for m in marks.of("whole", start=end)):
        return True
    return i > 0 and _is_whole(marks, found[: i + 1], i - 1)


def _close(gap: str) -> bool:
    return not re.search(r"[,.;]", gap) and len(gap.split()) <= 2


def _each(marks: Marks, units: Quantity, q: Quantity) -> bool:
    """ "five units of 3,000 each", "п'ять підрозділів по три тисячі"."""
    gap = marks.text[units.number_end : q.number_start]
    for mark in marks.of("each", start=units.number_end, end=q.number_start):
        if len(marks.text[units.number_end : mark.start].split()) <= 3 and not re.search("[,;.]", gap):
            return marks.text[mark.start : mark.end].split()[-1] in _EACH_WORDS or bool(_EACH.match(marks.text, q.end))
    return False
