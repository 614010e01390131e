"""Puts numerals together from digits and words, without regard to what stands around them.

Digits with their separators, words and East Asian characters are parts; parts that fit add up to a numeral:
1만2천, 12 тыс., "two hundred and five thousand", 三千五百. Offsets are those of the text as given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass

from pipeline.logic.numeralsfile import Language, Part
from pipeline.logic.numeralsum import SMALL, SMALL_EAST, Sum
from pipeline.logic.wordtables import LETTERS, is_east

LONGEST = 20  # characters of digits and marks; more is no count
HANGUL = "가-힣"
_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\r\n"
_FOLD = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u02b9`\u00b4"), "'"),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\uff0d"), "-"),
    **dict.fromkeys(map(ord, "\u301c\uff5e\u223c"), "~"),
    **dict.fromkeys(map(ord, _SPACES), " "),
    **{ord("０") + i: str(i) for i in range(10)},
    **dict(zip(map(ord, "ё，．：％＄＋"), "е,.:%$+", strict=True)),
}
_TOKEN = re.compile(
    r"(?P<date>(?<![0-9])(?:"
    r"(?:19|20)[0-9]{2}(?P<a>[-./])[0-9]{1,2}(?P=a)[0-9]{1,2}(?![0-9])"
    r"|[0-9]{1,2}(?P<b>[./])[0-9]{1,2}(?P=b)(?:19|20)?[0-9]{2}(?![0-9])"
    r"|(?:19|20)[0-9]{2}\. ?[0-9]{1,2}\.(?![0-9])|[0-9]{1,2}·[0-9]{1,2}(?![0-9·])))"
    r"|(?P<time>(?<![0-9:])(?:[0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9])?|[0-2]?[0-9]h[0-5][0-9])(?![0-9:]))"
    r"|(?P<digits>(?<![0-9])[0-9]{1,3}(?P<c>[,.' ])[0-9]{3}(?:(?P=c)[0-9]{3})*(?![0-9])|[0-9]+(?:[.,][0-9]+)?)"
    r"|(?P<word>[a-zà-öø-ÿœ]+|[а-яіїєґ]+(?:'[а-яіїєґ]+)*)"
)
_GROUPED = re.compile(r"[0-9]{1,3}([,.' ])[0-9]{3}(?:\1[0-9]{3})*")
_CODE_BEFORE = re.compile(rf"[{LETTERS}][-_]?$|[{HANGUL}]-$|[/#@_]$|[0-9][.,:/]$")
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_FOLLOWING = re.compile(rf" ?([{LETTERS}]+)")
_AMOUNTS = frozenset({"unit", "several", "article", "one"})
_SHORT = 3  # letters of k, bn, млн: no numerals by themselves
_ODD = frozenset("여多余餘")  # inside: 100여만
_GAPS = frozenset(" -.'")
_HANGUL = re.compile(rf"[{HANGUL}]")


def fold(text: str) -> str:
    """The text in small letters, with one kind of digit, space, dash and apostrophe, and every offset kept."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return lowered.translate(_FOLD)


@dataclass
class Numeral:
    start: int
    end: int
    low: float
    high: float
    kind: str = "cardinal"  # or what the numeral alone tells: ordinal, fraction, multiple, decimal, date, time, code
    digits: str = ""  # of one that is digits alone, as written
    scale: float = 1  # of one that is one amount times multipliers: 10~12만
    about: bool = False
    at_least: bool = False
    one: float = 0  # of a vague plural, what it is after a hedge that governs a singular
    east: bool = False  # in East Asian characters without digits


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    text: str
    part: Part | None  # None for digits
    east: bool = False


class Numerals:
    """The numerals of some languages at once."""

    def __init__(self, languages: Iterable[Language]) -> None:
        self._words: dict[str, Part] = {}
        self._phrases: dict[str, list[tuple[re.Pattern[str], Part]]] = {}  # by the first word, the longest first
        self._adjectives: dict[str, float] = {}
        self._endings: list[str] = []
        self._links: set[str] = set()
        east: dict[str, Part] = {}
        self._dotted: set[str] = set()
        stems: list[tuple[str, Part, tuple[str, ...]]] = []
        for language in languages:
            self._adjectives.update(language.adjectives)
            self._endings += language.lists["adjective_endings"]
            self._links.update(language.lists["and"], language.lists["of"])
            for form, part in language.parts:
                if is_east(form):
                    east.setdefault(form, part)
                elif part.kind == "ordinal" and language.lists["adjective_endings"]:
                    stems.append((form, part, language.lists["adjective_endings"]))
                else:
                    self._form(form, part)
        for stem, part, endings in stems:
            for ending in endings:
                self._words.setdefault(stem + ending, part)
        self._east = east
        chars = "".join(sorted({re.escape(c) for form in east for c in form}))
        hangul = "".join(c for c in chars if "가" <= c <= "힣")
        han = "".join(c for c in chars if not "가" <= c <= "힣")
        self._east_run = re.compile(rf"(?:(?<![{HANGUL}])|(?<=[0-9]여))[{hangul or '가'}]+|[{han or '一'}]+")
        self._east_part = re.compile("|".join(sorted(map(re.escape, east), key=len, reverse=True)) or "(?!)")

    def _form(self, form: str, part: Part) -> None:
        if form.endswith("."):
            form = form.rstrip(".")
            self._dotted.add(form)
        pieces = re.findall(rf"[{LETTERS}]+(?:'[{LETTERS}]+)*", form)
        if len(pieces) == 1:
            self._words.setdefault(form, part)
        else:
            known = self._phrases.setdefault(pieces[0], [])
            known.append((re.compile(r"[ -]".join(pieces) + rf"(?![{LETTERS}])"), part))
            known.sort(key=lambda entry: len(entry[0].pattern), reverse=True)

    def find(self, text: str) -> list[Numeral]:
        """All numerals of a folded text, in order."""
        tokens, found = self._tokens(text)
        at = 0
        while at < len(tokens):
            numeral, used = self._build(text, tokens, at)
            if numeral is not None:
                found.append(numeral)
            at += used
        found.sort(key=lambda n: n.start)
        return found

    def _tokens(self, text: str) -> tuple[list[_Token], list[Numeral]]:
        tokens: list[_Token] = []
        found: list[Numeral] = []
        matches = [m for m in _TOKEN.finditer(text) if m.lastgroup != "word" or self._known(m.group())]
        skip = -1
        for match in matches:
            start, end, kind = match.start(), match.end(), match.lastgroup
            if start < skip:
                continue
            if kind in ("date", "time"):
                found.append(Numeral(start, end, 0, 0, kind))
            elif kind == "digits":
                if len(match.group()) > LONGEST:
                    continue
                code = _CODE_BEFORE.search(text, max(0, start - 2), start)
                if code and not (code.group().endswith("-") and _YEAR.fullmatch(match.group())):  # mid-2024
                    amount = self._value(match.group(), text, end) or 0
                    found.append(Numeral(start, end, amount, amount, "code"))
                else:
                    tokens.append(_Token(start, end, match.group(), None))
            else:
                phrase = self._phrase(text, match)
                end = phrase[0] if phrase else end
                part = phrase[1] if phrase else self._word(match.group())
                skip = end
                if part is not None:
                    tokens.append(_Token(start, end, text[start:end], part))
                elif match.group() in self._links:
                    tokens.append(_Token(start, end, match.group(), Part("link", 0, 0)))
        for run in self._east_run.finditer(text):
            for match in self._east_part.finditer(text, run.start(), run.end()):
                tokens.append(_Token(match.start(), match.end(), match.group(), self._east[match.group()], True))
        tokens.sort(key=lambda t: t.start)
        return tokens, found

    def _known(self, word: str) -> bool:
        return word in self._words or word in self._phrases or word in self._links or len(word) > 7

    def _word(self, word: str) -> Part | None:
        part = self._words.get(word)
        if part is not None or len(word) < 8:
            return part
        for stem, times in self._adjectives.items():
            at = word.find(stem)
            if at >= 0 and word[at + len(stem) :] in self._endings:
                if at == 0:
                    return Part("multiplier", times, times, times)
                before = self._words.get(word[:at])
                if before is not None and before.kind == "unit":
                    return Part("adjective", before.low * times, before.high * times)
        return None

    def _phrase(self, text: str, match: re.Match[str]) -> tuple[int, Part] | None:
        for pattern, part in self._phrases.get(match.group(), ()):
            found = pattern.match(text, match.start())
            if found:
                return found.end(), part
        return None

    def _build(self, text: str, tokens: list[_Token], at: int) -> tuple[Numeral | None, int]:
        """The numeral that begins with a token, and how many tokens it, or what is no numeral, takes."""
        first = tokens[at]
        part = first.part
        if part is not None and part.kind == "link":
            return None, 1
        if part is not None and part.kind in ("ordinal", "fraction", "multiple", "adjective"):
            kind = "cardinal" if part.kind == "adjective" else part.kind
            return Numeral(first.start, first.end, part.low, part.high, kind), 1
        total, last = self._longest(text, tokens, at)
        used = tokens[at : last + 1]
        kinds = {token.part.kind for token in used if token.part is not None}
        alone = not total.scaled and ("several" in kinds or kinds <= {"article", "one"})
        abbreviated = len(used) == 1 and kinds == {"multiplier"} and len(first.text) <= _SHORT and not first.east
        if not used or (kinds and alone) or abbreviated:
            return None, max(len(used), 1)
        low, high = total.value()
        end = used[-1].end
        if used[-1].text in self._dotted and text.startswith(".", end):
            end += 1
        numeral = Numeral(first.start, end, low, high, "ordinal" if "ordinal" in kinds else "cardinal")
        numeral.about = total.inverted or any(token.part is not None and token.part.about for token in used)
        numeral.at_least = any(token.part is not None and token.part.at_least for token in used)
        numeral.east = all(token.east for token in used)
        if total.amounts == 1 and total.scaled:
            numeral.scale = total.scale
        if len(used) == 1 and part is None:
            numeral.digits = first.text
            numeral.kind = "decimal" if low != int(low) else "cardinal"
        elif len(used) == 1 and part is not None and part.one:
            numeral.one = part.value
        return numeral, len(used)

    def _longest(self, text: str, tokens: list[_Token], at: int) -> tuple[Sum, int]:
        """The sum of as many tokens as fit, and the last of them."""
        total, last = Sum(), at - 1
        unlinked: tuple[Sum, int] | None = None  # before "and": "between one hundred and two hundred"
        for position in range(at, len(tokens)):
            token = tokens[position]
            if position > at and not self._near(text, tokens[position - 1], token):
                break
            if token.part is not None and token.part.kind == "link":
                if last != position - 1:
                    break
                unlinked = copy(total), last
                continue
            if not self._fits(total, token, text, tokens[at] if position > at else None):
                if unlinked is not None and token.part is not None and token.part.kind == "multiplier":
                    total, last = unlinked
                break
            last = position
            if token.part is not None and token.part.kind == "ordinal":
                break
        return total, last

    def _near(self, text: str, before: _Token, after: _Token) -> bool:
        """Whether two tokens stand close enough to be of one numeral."""
        gap = text[before.end : after.start]
        if before.east or after.east:
            if gap == " ":  # 1만 2,000
                spelled = after.part is None or _HANGUL.match(after.text) is not None
                return before.part is not None and before.part.value >= SMALL_EAST and spelled
            return gap == "" or (gap in _ODD and after.part is not None and after.part.value >= SMALL)
        if gap == "":
            return before.part is None and after.part is not None
        return gap in _GAPS or (gap == ". " and before.text in self._dotted)

    def _fits(self, total: Sum, token: _Token, text: str, first: _Token | None) -> bool:
        """Adds a token to a sum if it fits; `first` is the numeral's first token, if this is another."""
        part = token.part
        if part is None:
            value = self._value(token.text, text, token.end)
            mixed = first is None or (first.part is None and total.waiting and is_east(text[first.start : token.start]))
            return value is not None and mixed and total.add(value, value, False, digits=True)
        if part.kind == "multiplier":
            return total.multiply(part, token.east)
        if part.kind == "ordinal":
            return first is not None and total.add(part.low, part.high, False)
        if first is not None and (part.kind == "article" or first.part is None):
            return False  # "2,000 a month"; and what looks like a unit behind 3만 is a particle: 3만이
        han = token.east and not _HANGUL.match(token.text)
        return part.kind in _AMOUNTS and total.add(part.low, part.high, token.east, positional=han)

    def _value(self, written: str, text: str, end: int) -> float | None:
        """What digits say. Three behind a mark are thousands, or decimals if a multiplier follows: 1.234 million."""
        if len(written) > LONGEST:
            return None
        grouped = _GROUPED.fullmatch(written)
        if grouped is None:
            return float(written.replace(",", "."))
        mark = grouped.group(1)
        following = _FOLLOWING.match(text, end)
        part = self._words.get(following.group(1)) if following and written.count(mark) == 1 else None
        multiplied = following is not None and part is not None and part.kind == "multiplier"
        if multiplied and (mark == "." or (mark == "," and text[end + 1 : end + 2] >= "а")):
            return float(written.replace(",", "."))
        return float(written.replace(mark, ""))


def whole(value: float) -> int | float:
    return int(value) if value == int(value) else round(value, 6)
