"""Guards before markup is parsed: libxml2 and feedparser take time with the square of some counts."""

from __future__ import annotations

import re

MAX_ATTRIBUTES = 1_000  # of one tag; real pages stay below 100
MAX_OPEN = 50_000  # tags open at once; HTML in a long feed leaves thousands of <br> and <p> unclosed
_LARGE = 50_000  # characters; a smaller text can't hold enough attributes to matter

# One start tag as HTML's tokeniser reads it, without backtracking.
_NAME = r"[^\s/>=][^\s/>=]*+"
_VALUE = r"""\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+"""
_ATTRIBUTE = re.compile(rf"{_NAME}(?:{_VALUE})?+")
_START_TAG = re.compile(rf"<[a-zA-Z][^\s/>]*+((?:[\s/]++|{_NAME}(?:{_VALUE})?+|=)*+)")
_ANY_TAG = re.compile(r"<(/?)[a-zA-Z][^<>]*?(/?)>")


def too_many_attributes(source: str) -> bool:
    """Whether some tag has more attributes than MAX_ATTRIBUTES."""
    if len(source) < _LARGE:
        return False
    for tag in _START_TAG.finditer(source):
        attributes = tag.group(1)
        if len(attributes) > MAX_ATTRIBUTES:
            count = sum(1 for _ in _ATTRIBUTE.finditer(attributes))
            if count > MAX_ATTRIBUTES:
                return True
    return False


def too_deep(source: str) -> bool:
    """Whether tags are nested beyond MAX_OPEN, tags that are never closed included."""
    if source.count("<") <= MAX_OPEN:
        return False
    open_now = 0
    for tag in _ANY_TAG.finditer(source):
        if tag.group(1):
            open_now = max(0, open_now - 1)
        elif not tag.group(2):
            open_now += 1
            if open_now > MAX_OPEN:
                return True
    return False
