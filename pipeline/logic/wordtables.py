"""Words and what they mean, found where a place in a text begins or ends with one."""

from __future__ import annotations

import re
from collections.abc import Iterable

LETTERS = "a-zà-öø-ÿœа-яіїєґ"
_EAST = re.compile(r"[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LETTER = re.compile(rf"[{LETTERS}]")
_NEXT = re.compile(rf"\.?[ -]?([{LETTERS}][{LETTERS}'/]*(?:\.[{LETTERS}])?)")
_WINDOW = 48  # characters looked through backwards
_OPENING = "\"'«“„(-"


def is_east(text: str) -> bool:
    return _EAST.search(text) is not None


class WordTable:
    """The longest word wins. East Asian ones and marks are found anywhere, others as whole words; a star takes any
    ending. Of a word that stands here twice the first meaning holds."""

    def __init__(self, words: Iterable[tuple[str, str]]) -> None:
        self.exact: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        self.inside: dict[str, str] = {}
        for word, meaning in words:
            bare = word.rstrip("*")
            if is_east(bare) or not (_LETTER.match(bare[-1:]) or _LETTER.match(bare[:1])):
                self.inside.setdefault(bare, meaning)
            elif word.endswith("*"):
                self._stems.setdefault(bare, meaning)
            else:
                self.exact.setdefault(bare, meaning)
        self._lengths = sorted({len(word) for word in self.inside}, reverse=True)
        self._first = frozenset(word[0] for word in self.inside)
        self._last = frozenset(word[-1] for word in self.inside)
        self._words = max((word.count(" ") + 1 for word in self.exact), default=0)
        self._one = frozenset(word.split(" ")[0] for word in self.exact)  # first words, most texts have none of them

    def ending(self, text: str, end: int) -> tuple[int, str] | None:
        """The word that ends at a place: where it begins, and what it means."""
        if end <= 0:
            return None
        if text[end - 1] in self._last:
            for length in self._lengths:
                meaning = self.inside.get(text[end - length : end]) if length <= end else None
                if meaning is not None:
                    return end - length, meaning
        if not _LETTER.match(text[end - 1]) and text[end - 1] != ".":
            return None
        start, found = max(0, end - _WINDOW), None
        window = text[start:end]
        at = len(window)
        for _ in range(self._words):
            at = window.rfind(" ", 0, at)
            begin = at + 1
            while begin < len(window) and window[begin] in _OPENING:
                begin += 1
            meaning = self.exact.get(window[begin:])
            if meaning is not None and (at >= 0 or start == 0):
                found = start + begin, meaning
            if at < 0:
                break
        if found is None and self._stems:
            last = window[window.rfind(" ") + 1 :]
            meaning = self.stem(last)
            return None if meaning is None else (end - len(last), meaning)
        return found

    def beginning(self, text: str, at: int) -> tuple[int, str] | None:
        """The word that begins at a place: where it ends, and what it means."""
        if at >= len(text):
            return None
        if text[at] in self._first:
            for length in self._lengths:
                meaning = self.inside.get(text[at : at + length])
                if meaning is not None:
                    return min(at + length, len(text)), meaning
        found, end = None, at
        for number in range(self._words or 1):
            word = _NEXT.match(text, end)
            if word is None or (number == 0 and word.start(1) != at):
                break
            if number == 0 and self._stems:
                meaning = self.stem(word.group(1))
                found = found if meaning is None else (word.end(), meaning)
            if number == 0 and word.group(1) not in self._one:
                break
            end = word.end()
            meaning = self.exact.get(text[at:end])
            found = found if meaning is None else (end, meaning)
        return found

    def stem(self, word: str) -> str | None:
        for length in range(len(word), 1, -1):
            meaning = self._stems.get(word[:length])
            if meaning is not None:
                return meaning
        return None
