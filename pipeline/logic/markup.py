"""What is done before markup is parsed: libxml2 and feedparser take time with the square of some counts, and
references that XML does not know cost a feed its letters or itself.
"""

from __future__ import annotations

import re
from html.entities import name2codepoint

MAX_ATTRIBUTES = 1_000  # of one tag; real pages stay below 100
MAX_OPEN = 50_000  # tags open at once; HTML in a long feed leaves thousands of <br> and <p> unclosed
_LARGE = 50_000  # characters; a smaller text can't hold enough attributes to matter

# One start tag as HTML's tokeniser reads it, without backtracking.
_NAME = r"[^\s/>=][^\s/>=]*+"
_VALUE = r"""\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+"""
_ATTRIBUTE = re.compile(rf"{_NAME}(?:{_VALUE})?+")
_START_TAG = re.compile(rf"<[a-zA-Z][^\s/>]*+((?:[\s/]++|{_NAME}(?:{_VALUE})?+|=)*+)")
_SURROGATE = rb"&#(?:[xX]0*([dD][%s][0-9a-fA-F]{2})|0*(%s));"
_HIGH = _SURROGATE % (rb"89abAB", rb"5529[6-9]|55[3-9]\d\d|56[01]\d\d|562\d\d|563[01]\d")
_LOW = _SURROGATE % (rb"c-fC-F", rb"5632\d|563[3-9]\d|56[4-9]\d\d|57[0-2]\d\d|573[0-3]\d|5734[0-3]")
_HALVES = re.compile(_HIGH + _LOW + rb"|" + _HIGH + rb"|" + _LOW)
_ENTITY = re.compile(rb"&([a-zA-Z]{2,8}\d{0,2});")
_IN_XML = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
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


def readable_references(body: bytes) -> bytes:
    """A feed with its characters' references as XML wants them.

    An emoji given as two halves (&#xD83D;&#xDE00;) is one character; a half alone is none. HTML's names (&eacute;)
    become numbers where a DOCTYPE lets a reader drop them without a word, as RSS 0.91's does.
    """
    if b"&#" in body:
        body = _HALVES.sub(_whole, body)
    if b"<!DOCTYPE" in body[:4096]:
        body = _ENTITY.sub(_numbered, body)
    return body


def _whole(found: re.Match[bytes]) -> bytes:
    pairs = zip(found.groups()[::2], found.groups()[1::2], strict=True)
    halves = [int(x, 16) if x else int(d) for x, d in pairs if x or d]
    if len(halves) < 2:
        return b"&#65533;"
    return b"&#%d;" % (0x10000 + (halves[0] - 0xD800) * 0x400 + halves[1] - 0xDC00)


def _numbered(found: re.Match[bytes]) -> bytes:
    number = name2codepoint.get(found[1].decode("ascii"))
    return b"&#%d;" % number if number and found[1] not in _IN_XML else found[0]
