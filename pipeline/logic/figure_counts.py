"""What a number counts: the topic's people, others, or things that look alike. Only the noun phrase is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.logic.figure_text import EAST_ASIAN, Marks

PEOPLE, SUBJECT, OTHERS, UNLIKE, BARE, UNKNOWN = "people", "subject", "others", "unlike", "bare", "unknown"
NOUNS = ("subject", "others", "people", "unlike")
_THROUGH = frozenset({"of", "the", "its", "his", "their", "these", "those", "our", "de", "des"})
STRANGE = 2  # words that no lexicon has, in front of a noun
LONGEST = 8  # words of a noun phrase

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_BREAK = re.compile(r"[,.;:!?()\[\]«»\"“”„—–。、，；：「」『』…\n]")
_PEOPLE_COUNTER = re.compile(r"\s?(?:여|余|多)?\s?(?:名|명|人(?![民口道工])|位|员(?!工))")
_REST = re.compile(r"(?:여|余|多|수|几|数)?\s?")
_AFTER_COUNTER = re.compile(
    r"(?:以上|余り|余|あまり|規模|前後|超|の|左右|的|以下|\s?이상의|의|\s?안팎의|\s?규모의)*\s?"
)
_LOOKS_BACK = 26  # characters before an East Asian number in which its noun may stand


@dataclass(frozen=True)
class Counted:
    """`what` is one of the constants above, `whose` says which people the phrase itself names (SUBJECT, OTHERS, "")."""

    what: str
    whose: str
    start: int
    end: int


def counted(marks: Marks, start: int, number_end: int, end: int) -> Counted:
    """The phrase around the number at [start, number_end), which with its hedges ends at `end`."""
    if EAST_ASIAN.search(marks.text, max(0, start - 12), min(len(marks.text), end + 12)):
        return _east_asian(marks, start, number_end, end)
    return _western(marks, start, max(number_end, end))


def _western(marks: Marks, start: int, end: int) -> Counted:
    if marks.text[end : end + 1] in ("-", "\u2011"):
        return Counted(UNKNOWN, "", start, end)  # "thirty-man groups"
    at, last, whose, head = end, end, "", ""
    strange = 0  # words that no lexicon has
    for _ in range(LONGEST):
        word = _WORD.search(marks.text, at)
        if word is None or word.start() - at > 3 or _BREAK.search(marks.text, at, word.start()):
            break
        mark = marks.starting(word.start(), "unlike", "people", "others", "subject")
        if mark is not None and mark.group == "unlike":
            return Counted(UNLIKE, whose, start, mark.end)
        if mark is not None:
            if head == PEOPLE and marks.starting(mark.start, "cue"):
                break  # северокорейцев убиты: what is said of them
            groups = {m.group for m in marks.of("people", "others", "subject", start=mark.start, end=mark.end)}
            other = mark.group == "others" or ("others" in groups and "subject" not in groups)
            whose = "others" if other else "subject" if "subject" in groups else whose
            head = PEOPLE if "people" in groups else head
            at = last = mark.end
        elif not head and (land := marks.starting(word.start(), "foreign")):
            at, whose = land.end, whose or OTHERS  # "18 Russian officers"
        elif passed := _passed(marks, word, at, first=not head and not strange):
            at = passed
        elif marks.starting(word.start(), "bare", "cue"):
            head = head or ("" if strange else BARE)
            break
        elif head == PEOPLE or strange >= STRANGE:
            break
        else:
            strange, at = strange + 1, word.end()
    if head == PEOPLE or whose:
        return Counted(PEOPLE, whose, start, last)
    return Counted(UNKNOWN if strange else BARE, "", start, last)


def _passed(marks: Marks, word: re.Match[str], at: int, first: bool) -> int | None:
    """The end of what may stand between a number and its noun: "hundreds of its", "two wounded"."""
    if first and (word.group() == "of" or (word.group() in _THROUGH and marks.text[:at].endswith("of"))):
        return word.end()
    cue = marks.starting(word.start(), "cue") if first else None
    return cue.end if cue and marks.starting(_next(marks.text, cue.end), "people", "subject") else None


def _east_asian(marks: Marks, start: int, number_end: int, end: int) -> Counted:
    text = marks.text
    if unlike := marks.starting(number_end, "unlike"):
        return Counted(UNLIKE, "", start, unlike.end)
    counter = _PEOPLE_COUNTER.match(text, number_end)
    at = max(end, counter.end() if counter else 0)
    at = rest.end() if (rest := _AFTER_COUNTER.match(text, at)) else at
    whose, head = "", PEOPLE if counter else ""
    phrase = max(end, counter.end() if counter else 0)
    while mark := marks.starting(at, *NOUNS) or (text[at : at + 1] == " " and marks.starting(at + 1, *NOUNS)) or None:
        if mark.start > at and counter:
            break  # a new word
        if mark.group == "unlike":
            return Counted(UNLIKE, whose, start, mark.end)
        whose = mark.group if mark.group in ("subject", "others") else whose
        head = PEOPLE if mark.group == "people" else head
        phrase = at = mark.end
    if not whose:
        before = _noun_before(marks, start)
        if before == "unlike":
            return Counted(UNLIKE, "", start, phrase)
        whose = before if before in ("subject", "others") else ""
    if head == PEOPLE or (whose and counter):
        return Counted(PEOPLE, whose, start, phrase)
    following = text[_end(_REST, text, number_end) :][:1]
    if not counter and following and (EAST_ASIAN.match(following) and not marks.starting(number_end, "cue")):
        return Counted(UNKNOWN if not _particle(text, number_end) else BARE, whose, start, phrase)
    return Counted(BARE, whose, start, phrase)


def _noun_before(marks: Marks, start: int) -> str:
    """The last noun in front of the number, of its own clause: 노동자 수천 명, ロシア軍の死傷者1500人."""
    begin = max(0, start - _LOOKS_BACK)
    broken = [m.end() for m in _BREAK.finditer(marks.text, begin, start)]
    begin = broken[-1] if broken else begin
    found = sorted(marks.of("subject", "others", "unlike", start=begin, end=start), key=lambda m: (m.end, m.start))
    for land in marks.of("foreign", start=begin, end=start):  # 러시아 해병 12명
        named = _FOREIGN_NOUN.fullmatch(marks.text, land.end, start)
        if named and not any(marks.of("cue", *NOUNS, start=land.end, end=start)):
            return OTHERS
    for mark in reversed(found):
        gap = marks.text[mark.end : start]
        if mark.group == "unlike":
            numbered = re.search(r"[\d개個수수십백천数]\s?$", marks.text[: mark.start])  # 4개 여단 1만2천 명
            if mark.end - mark.start == 1 and not numbered:
                continue  # a counter counts what is in front of it: 분대원 아홉 명
            if len(gap) <= 2 and not re.search(r"[은는이가을를はがを]", gap[:1]) and not numbered:
                return "unlike"
            if re.fullmatch(r"[을를を]\s?", gap) and _MADE_OUT.match(marks.text, start):
                return "unlike"  # 노동자를 1만3천여 명으로 보고 있다
            continue
        if mark.group == "others" and re.match(r"(?:측|에|と|과|와|를|을|,)", gap):
            continue
        doing = re.match(r"[은는이가はが]", gap) and _OBJECT.match(marks.text, start)
        if mark.group == "others" and doing and not any(marks.of("losing", start=start, end=start + _LOOKS_BACK)):
            continue
        done_to = [c for c in marks.of("cue", start=mark.end, end=start) if start - c.end <= 3]
        if mark.group == "others" and re.match(r"[이가が]", gap) and done_to:
            continue  # ウクライナ軍が拘束した2人
        others = any(
            m.end <= mark.start and _AND.fullmatch(marks.text, m.end, mark.start) for m in found if m.group == "others"
        )
        return "others" if others else mark.group  # 러시아군과 북한군 5만 명
    return ""


def _next(text: str, at: int) -> int:
    match = _WORD.search(text, at)
    return match.start() if match else at


_AND = re.compile(r"\s?(?:과|와|및|と|や|和|与|與|及|・|、)\s?")
_MADE_OUT = re.compile(r"[^은는이가을를はがを、,]{1,14}(?:으로|로|と)")
_FOREIGN_NOUN = re.compile(r"\s?[가-힣]{2,4}(?<![의에서는은이가을를로내])\s|[一-龯ァ-ヴ]{1,4}(?<![的派在人])")
_OBJECT = re.compile(r"[^은는이가はがも、,]{1,14}[을를を]")


def _particle(text: str, at: int) -> bool:
    return (
        re.match(
            r"(?:이상|이하|으로|에서|에게|까지|가량|안팎|의|을|를|이|은|に|を|が|は|の|と|以上|超|左右)", text[at:]
        )
        is not None
    )


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at
