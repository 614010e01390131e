"""What in a sentence tells of a number: its noun phrase, whose people it counts, who denies it, what was before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.logic.figure_counts import BARE, OTHERS, PEOPLE, SUBJECT, UNKNOWN, Counted, counted
from pipeline.logic.figure_numbers import Number
from pipeline.logic.figure_roles import Place, distance
from pipeline.logic.figure_text import EAST_ASIAN, Mark, Marks

DENIED_WITHIN = 220  # characters between a denial and a number
FORMER_WITHIN = 25.0  # costs, as in figure_roles.py
MORE_WITHIN = 34.0
RATE_BEHIND, RATE_BEFORE, RATE_BEFORE_EAST = 14, 60, 9  # characters
THINGS_WITHIN = 40  # characters

_NEGATED = re.compile(r"(?:\b(?:not|nor|neither|n't|не|ні|ни|never)\s)$")
_NUMBER_OF = re.compile(r"(?:\bnumber of|\bчисло|\bколичество|\bкількість|\bnombre (?:de|d'|des))\s?$")
_TURN = re.compile(r";|,\s(?:but|а|но|але|mais)\s")
_JOINED = re.compile(r"(?:\s?,)?\s?(?:,|and|и|і|та|й|et|와|과|및|と|、|和|及|以及)?\s?(?:another|ещё|еще|ще)?\s?")

_PURPOSE = re.compile(r"\s(?:to|for|для|щоб|чтобы|pour)\s[^,.;:()]*\s(?:and|и|і|та|й|et)\s(?:another\s|ещё\s|ще\s)?")
_SINCE = re.compile(r"\s?(?:이후|이래|以来|以降|以后|以後|之后|之後)")
_CLAUSE = re.compile(r"[;:]|,\s(?:but|while|and|а|но|але|та|mais)\s|(?:지만|는데|으나)[\s,]|が、|，(?:而|但)")
WHOLE = 500
PURPOSE_WITHIN = 70
MIXED_WITHIN = 60
INCLUDED_WITHIN = 30


def phrases(marks: Marks, found: Sequence[Number]) -> list[Counted]:
    """The noun phrase of each number."""
    made = [_phrase(marks, number) for number in found]
    for i, number in enumerate(found):
        if number.whole and made[i].what == UNKNOWN and number.high >= WHOLE:
            made[i] = Counted(
                BARE, "", number.start, max(number.end, number.number_end)
            )  # "of the 11,000 fit for duty"
        if number.whole_at is not None:  # what is said behind the whole is said of the part
            whole = made[number.whole_at]
            end = whole.end if number.whole_at > i else max(number.end, number.number_end)
            made[i] = Counted(PEOPLE, whole.whose, number.start, end)
        elif number.part and made[i].what in (UNKNOWN, BARE) and number.kind != "money":
            wholes = [w for n, w in zip(found[:i], made, strict=False) if n.whole and w.what == PEOPLE]
            if wholes and wholes[-1].end <= number.start:  # "of three prisoners one died"
                made[i] = Counted(PEOPLE, wholes[-1].whose, number.start, number.number_end)
    return made


def _phrase(marks: Marks, number: Number) -> Counted:
    if number.kind == "money":
        return Counted(PEOPLE, "", number.start, number.end)
    if number.sole:
        own = any(marks.of("subject", start=number.start, end=number.end))
        return Counted(PEOPLE, SUBJECT if own else "", number.start, number.end)
    return counted(marks, number.start, number.number_end, number.end)


def of_end(marks: Marks, end: int) -> int:
    """Where an "of the" right behind ends, -1 where there is none."""
    return max((m.end for m in marks.of("whole", start=end) if m.start - end <= 2), default=-1)


def coordinated(marks: Marks, before: Counted, phrase: Counted) -> bool:
    """Whether two noun phrases are joined by nothing but "and": "1,000 sappers to clear mines and 5,000 builders"."""
    end, start = before.end, phrase.start
    if start < end:
        return False
    gap = marks.text[end:start]
    if _JOINED.fullmatch(gap):
        return True
    purpose = phrase.what == PEOPLE and len(gap) <= PURPOSE_WITHIN and _PURPOSE.fullmatch(gap)
    return bool(purpose) and not any(marks.of("cue", start=end, end=start))


def mixed(marks: Marks, phrase: Counted) -> bool:
    """Whether the topic's people are only some of those counted: "50,000 troops, North Koreans among them"."""
    if phrase.whose == SUBJECT or any(marks.of("subject", end=phrase.start)):
        return False
    for mark in marks.of("including", start=phrase.end):
        near = not re.search(r"[.;]", marks.text[phrase.end : mark.start]) and mark.start - phrase.end <= MIXED_WITHIN
        named = next(marks.of("subject", start=mark.end), None)
        if near and named is not None and named.start - mark.end <= INCLUDED_WITHIN:
            return True
    return False


def history(marks: Marks, phrase: Counted) -> bool:
    """Whether an old war is what the number is of: it is named in its clause, and not as what has been since."""
    for mark in marks.of("old_war"):
        if _SINCE.match(marks.text, mark.end):
            continue
        begin, end = sorted((mark.start, phrase.start))
        if not _CLAUSE.search(marks.text, begin, end):
            return True
    return False


def more(marks: Marks, place: Place) -> bool:
    """Whether what is said of the number comes on top: "additionally sent", 추가로 보냈다."""
    return any(distance(marks, place, mark)[0] <= MORE_WITHIN for mark in marks.of("more"))


def former(marks: Marks, place: Place, carried: bool = False) -> bool:
    """Whether a current number stands against it: "which a week ago counted 10,000, now says ...", in the sentence or,
    where its role is `carried` on, in the one in front."""
    return (bool(place.others) or carried) and any(
        distance(marks, place, mark)[0] <= FORMER_WITHIN for mark in marks.of("formerly")
    )


def difference(marks: Marks, phrase: Counted) -> bool:
    """ "3,000 fewer than", 1천 명 적다, 少了近三千人: what two numbers differ by."""
    behind = any(m.start - phrase.end in (0, 1) for m in marks.of("difference", start=phrase.end))
    return behind or any(0 <= phrase.start - m.end <= 1 for m in marks.of("difference_before", end=phrase.start))


def same_people(marks: Marks, before: Counted, phrase: Counted) -> bool:
    """Whether a number without a noun counts on: "three civilians killed and seven hurt"."""
    gap = marks.text[before.end : phrase.start]
    ends = len(gap) > THINGS_WITHIN or re.search(r"[.;:。；]", gap)
    return (
        phrase.what == BARE
        and not phrase.whose
        and not ends
        and not any(marks.of("subject", start=before.end, end=phrase.start))
    )


def by_the_day(marks: Marks, phrase: Counted) -> bool:
    """ "Ninety men a day", "daily losses of 90", 하루 평균 90명: no total."""
    for mark in marks.of("rate"):
        east = EAST_ASIAN.match(marks.text, mark.start) is not None
        behind = mark.start >= phrase.end and mark.start - phrase.end <= RATE_BEHIND
        before = 0 <= phrase.start - mark.end <= (RATE_BEFORE_EAST if east else 1)
        losses = marks.starting(mark.end + 1, "cue") and phrase.start - mark.end <= RATE_BEFORE
        if (behind and not re.search(r"[,.;]", marks.text[phrase.end : mark.start])) or before or losses:
            return True
    return False


def of_things(marks: Marks, phrase: Counted) -> bool:
    """ "The number of villages lost rose to 120"."""
    return any(
        phrase.start - mark.end <= THINGS_WITHIN and _NUMBER_OF.search(marks.text[: mark.start])
        for mark in marks.of("unlike", end=phrase.start)
    )


def owner(marks: Marks, phrase: Counted) -> str:
    """Whose people they are by what stands in front in the sentence: whoever does it to them is not meant."""
    found = sorted(marks.of("subject", "others", end=phrase.start), key=lambda m: (m.end, m.start))
    for mark in reversed(found):
        if mark.group == "subject":
            return SUBJECT
        gap = marks.text[mark.end : phrase.start]
        if any(marks.of("losing", start=mark.start, end=phrase.start)):
            return OTHERS
        doing = any(marks.of("cue", start=mark.end, end=phrase.start)) and "," not in gap
        if not doing and len(gap) <= 60 and not EAST_ASIAN.search(gap[:2]):
            return OTHERS
    return ""


def denial(marks: Marks, number: Number) -> Mark | None:
    """The word that denies what the number is said of."""
    text = marks.text
    for mark in marks.of("no", end=number.start):
        if number.start - mark.end <= 2:
            return mark
    for mark in marks.of("denial", end=number.start):
        gap = text[mark.end : number.start]
        if len(gap) <= DENIED_WITHIN and not _TURN.search(gap) and not _NEGATED.search(text[: mark.start]):
            return mark
    for mark in marks.of("denial_after", start=number.end):
        gap = text[number.end : mark.start]
        if len(gap) <= DENIED_WITHIN and not _TURN.search(gap):
            return mark
    return None
