"""Puts numerals together from digits and words, without regard to what stands around them.

Digits with their separators, words and East Asian characters are parts; parts that fit add up to a numeral:
1만2천, 12 тыс., "two hundred and five thousand", 三千五百. Offsets are those of the text as given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.logic.numeralsfile import Language, Part

LONGEST = 15  # digits; more is a telephone number or an identifier
LETTERS = "a-zà-öø-ÿœа-яіїєґ"
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
    r"|(?P<time>(?<![0-9:])[0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9])?(?![0-9:]))"
    r"|(?P<digits>(?<![0-9])[0-9]{1,3}(?P<c>[,.' ])[0-9]{3}(?:(?P=c)[0-9]{3})*(?![0-9])|[0-9]+(?:[.,][0-9]+)?)"
    r"|(?P<word>[a-zà-öø-ÿœ]+|[а-яіїєґ]+(?:'[а-яіїєґ]+)*)"
)
_GROUPED = re.compile(r"[0-9]{1,3}([,.' ])[0-9]{3}(?:\1[0-9]{3})*")
_CODE_BEFORE = re.compile(rf"[{LETTERS}][-_]?$|[{HANGUL}]-$|[/#@_]$|[0-9][.,:/]$")
_HANGUL = re.compile(rf"[{HANGUL}]")
_EAST = re.compile(r"[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SMALL, _SMALL_EAST = 1000, 10_000  # smaller multipliers stay within their group: two hundred thousand, 二千万


def fold(text: str) -> str:
    """The text in small letters, with one kind of digit, space, dash and apostrophe, and every offset kept."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return lowered.translate(_FOLD)


def is_east(text: str) -> bool:
    return _EAST.search(text) is not None


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
    word: str = ""  # of a single word


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    text: str
    part: Part | None  # None for digits
    east: bool = False


class _Sum:
    """Adds up parts for as long as they fit."""

    def __init__(self) -> None:
        self.current: tuple[float, float] | None = None
        self.section = self.total = (0.0, 0.0)
        self.small = self.big = self.last = math.inf
        self.positions = 0  # digits in a row, as in 二〇二四
        self.amounts, self.scale, self.scaled, self.vague = 0, 1.0, False, False

    def value(self) -> tuple[float, float]:
        current = self.current or (0, 0)
        return tuple(self.total[i] + self.section[i] + current[i] for i in (0, 1))  # type: ignore[return-value]

    def add(self, low: float, high: float, east: bool, digits: bool = False) -> bool:
        if self.current is None:
            if high >= self.last or (low != high and self.amounts):
                return False
            self.current, self.scale = (low, high), 1.0
            self.amounts += 1
            self.positions = int(east and low == high < 10)
            return True
        first, second = self.current
        if digits or first != second or low != high:
            return False
        if self.positions and low < 10:
            self.current = (first * 10 + low,) * 2
            self.positions += 1
            return True
        above = 10.0
        while above <= low:
            above *= 10
        if not low or not first or first % above or (first == 10 and not east) or self.positions:
            return False
        self.current = (first + low, first + low)
        return True

    def multiply(self, part: Part, east: bool) -> bool:
        times = part.low / part.value, part.high / part.value
        if self.positions == 2 and self.current is not None:
            tens, ones = divmod(self.current[0], 10)
            if tens and ones == tens + 1:
                self.current = tens, ones  # 二三十
        group = part.value < (_SMALL_EAST if east else _SMALL)
        if group:
            started = self.current is not None or not (self.section[0] or self.total[0])
            if part.value >= self.small or not (started or east or part.low == part.value):
                return False
            times = self.current or times
            self.section = (self.section[0] + times[0] * part.value, self.section[1] + times[1] * part.value)
            self.small = part.value
        else:
            current = self.current or (0, 0)
            base = (self.section[0] + current[0], self.section[1] + current[1])
            if part.value >= self.big or (not base[0] and self.total[0] and part.low != part.value):
                return False
            times = base if base[0] else times
            self.total = (self.total[0] + times[0] * part.value, self.total[1] + times[1] * part.value)
            self.section, self.small, self.big = (0.0, 0.0), math.inf, part.value
        self.last = part.value
        self.current, self.positions = None, 0
        self.scale *= part.value
        self.scaled = True
        return True


class Numerals:
    """The numerals of some languages at once."""

    def __init__(self, languages: Iterable[Language]) -> None:
        self._words: dict[str, Part] = {}
        self._phrases: dict[str, list[tuple[str, ...]]] = {}
        self._joined: dict[tuple[str, ...], Part] = {}
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
        pieces = tuple(re.findall(rf"[{LETTERS}]+(?:'[{LETTERS}]+)*", form.rstrip("*")))
        if len(pieces) == 1:
            self._words.setdefault(form.rstrip("*") if not form.endswith("*") else form, part)
        else:
            self._joined.setdefault(pieces, part)
            known = self._phrases.setdefault(pieces[0], [])
            known.append(pieces)
            known.sort(key=len, reverse=True)

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
        for i, match in enumerate(matches):
            start, end, kind = match.start(), match.end(), match.lastgroup
            if start < skip:
                continue
            if kind in ("date", "time"):
                found.append(Numeral(start, end, 0, 0, kind))
            elif kind == "digits":
                if _CODE_BEFORE.search(text, max(0, start - 2), start):
                    amount = float(match.group().replace(",", ".")) if len(match.group()) < 6 else 0
                    found.append(Numeral(start, end, amount, amount, "code"))
                elif len(match.group()) <= LONGEST + 5:
                    tokens.append(_Token(start, end, match.group(), None))
            else:
                phrase = self._phrase(text, matches, i)
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

    def _phrase(self, text: str, matches: list[re.Match[str]], i: int) -> tuple[int, Part] | None:
        for pieces in self._phrases.get(matches[i].group(), ()):
            at = matches[i].start()
            pattern = re.compile(r"[ -]".join(pieces) + rf"(?![{LETTERS}])")
            found = pattern.match(text, at)
            if found:
                return found.end(), self._joined[pieces]
        return None

    def _build(self, text: str, tokens: list[_Token], at: int) -> tuple[Numeral | None, int]:
        """The numeral that begins with a token, and how many tokens it or what is no numeral takes."""
        first = tokens[at]
        whole = first.part
        if whole is not None and whole.kind in ("ordinal", "fraction", "multiple", "adjective"):
            kind = "cardinal" if whole.kind == "adjective" else whole.kind
            return Numeral(first.start, first.end, whole.low, whole.high, kind, word=first.text), 1
        if whole is not None and whole.kind == "link":
            return None, 1
        total = _Sum()
        last, used, several, article = at - 1, 0, False, False
        ordinal = about = False
        position = at
        while position < len(tokens):
            token = tokens[position]
            part = token.part
            if position > at:
                gap = text[tokens[position - 1].end : token.start]
                if not self._near(gap, tokens[position - 1], token):
                    break
            if part is not None and part.kind == "link":
                if position == at or last != position - 1:
                    break
                position += 1
                continue
            if not self._fits(total, token, text, position > at, tokens[at]):
                if part is not None and part.kind == "ordinal" and total.add(part.low, part.high, False):
                    last, ordinal = position, True
                break
            if part is not None:
                several = several or part.kind == "several"
                article = article or (part.kind == "article" and position == at)
                about = about or part.about
            last = position
            position += 1
        used = max(last - at + 1, 1)
        low, high = total.value()
        if last < at or ((several or article) and not total.scaled):
            return None, used
        end = tokens[last].end
        if tokens[last].text in self._dotted and text[end : end + 1] == ".":
            end += 1
        own = tokens[last].part
        numeral = Numeral(first.start, end, low, high, "ordinal" if ordinal else "cardinal", about=about)
        numeral.at_least = any(t.part is not None and t.part.at_least for t in tokens[at : last + 1])
        if last == at:
            numeral.digits = first.text if first.part is None else ""
            numeral.word = first.text if first.part is not None else ""
            if own is not None and own.one:
                numeral.one = own.value
        numeral.scale = total.scale if total.amounts == 1 and total.scaled else 1
        numeral.east = all(t.east for t in tokens[at : last + 1])
        if first.part is None and last == at and low != int(low):
            numeral.kind = "decimal"
        return numeral, used

    def _near(self, gap: str, before: _Token, after: _Token) -> bool:
        if before.east or after.east:
            if gap == " ":  # 1만 2,000
                spelled = after.part is None or _HANGUL.match(after.text) is not None
                return before.part is not None and before.part.value >= _SMALL_EAST and spelled
            return gap in ("", "여", "多", "余", "多") and (
                gap == "" or (after.part is not None and after.part.value >= _SMALL)
            )
        if gap == "":
            return before.part is None and after.part is not None
        if gap == ". ":
            return before.text in self._dotted
        return gap in (" ", "-", ".", "'")

    def _fits(self, total: _Sum, token: _Token, text: str, inside: bool, first: _Token) -> bool:
        part = token.part
        if part is None:
            value = self._digits(token.text, text, token.end)
            if value is None or (inside and not (total.scaled and total.current is None and first.part is None)):
                return False
            if inside and not is_east(text[first.start : token.start]):
                return False
            return total.add(value, value, False, digits=True)
        if part.kind in ("unit", "several", "article"):
            if token.east and inside and first.part is None:
                return False  # a particle: 3만이
            return total.add(part.low, part.high, token.east)
        if part.kind == "multiplier":
            return total.multiply(part, token.east)
        return False

    def _digits(self, written: str, text: str, end: int) -> float | None:
        """What digits say. Three digits behind a comma are thousands, unless a multiplier follows where it is decimal."""
        grouped = _GROUPED.fullmatch(written)
        if grouped:
            after = re.compile(rf" ?([{LETTERS}]+)").match(text, end)
            times = self._words.get(after.group(1)) if after else None
            decimal = times is not None and times.kind == "multiplier" and written.count(grouped.group(1)) == 1
            if not (decimal and (grouped.group(1) == "." or (grouped.group(1) == "," and "а" <= after.group(1)[0]))):  # type: ignore[union-attr]
                return float(re.sub(r"[^0-9]", "", written)) if len(written) <= LONGEST + 5 else None
        if len(written) > LONGEST:
            return None
        return float(written.replace(",", "."))


def whole(value: float) -> int | float:
    return int(value) if value == int(value) else round(value, 6)
