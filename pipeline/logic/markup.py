"""A guard before HTML is parsed: libxml2 takes time with the square of a tag's attributes."""

from __future__ import annotations

import re

MAX_ATTRIBUTES = 1_000  # of one tag; real pages stay below 100
_LARGE = 50_000  # characters; a smaller text can't hold enough attributes to matter

# One start tag as HTML's tokeniser reads it, without backtracking.
_NAME = r"[^\s/>=][^\s/>=]*+"
_VALUE = r"""\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+"""
_ATTRIBUTE = re.compile(rf"{_NAME}(?:{_VALUE})?+")
_START_TAG = re.compile(rf"<[a-zA-Z][^\s/>]*+((?:[\s/]++|{_NAME}(?:{_VALUE})?+|=)*+)")


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
