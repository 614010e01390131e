"""Words in mails: foreign text made harmless, cut and set apart; times and shares as people read them. Pure.

What publishers write is shown, never obeyed: a line break would begin another header, an override character would turn
the words around it, an invisible one would hide what is there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

FSI, PDI = "\u2068", "\u2069"  # what stands between them has a direction of its own
JOINERS = "\u200c\u200d"  # zero-width: Persian needs the first, emoji the second
CUT_BACK = 20  # characters given up so that a cut falls between words

# Characters of a field that are shown. A sentence and its paragraph are cut where they are quoted.
MOST = {
    **{"title": 240, "quiet": 100, "scope": 120, "headline": 160, "statement": 500, "why": 400},
    **{"publisher": 80, "country": 40, "language": 40, "origins": 80, "authority": 80, "told": 80, "before": 80},
}
MOST_ELSE = 800
WHOLE = frozenset({"url", "archived", "confirm", "reject", "claim", "manage", "unsubscribe", "pause", "link", "zone"})
QUOTED = frozenset({"sentence", "paragraph"})

# fmt: off
LANGUAGES = {
    "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian", "bg": "Bulgarian", "cs": "Czech", "da": "Danish",
    "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian",
    "hy": "Armenian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh",
    "ko": "Korean", "ky": "Kyrgyz", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian", "mn": "Mongolian",
    "nb": "Norwegian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese",
    "zh": "Chinese",
}
# fmt: on


class _Harmless(dict[int, str]):
    """What str.translate puts in a character's place; each is looked at once."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kind = unicodedata.category(char)
        if char.isspace():
            self[code] = " "
        elif kind == "Cs":  # half of a character, which no charset can carry
            self[code] = "\ufffd"
        else:
            self[code] = "" if kind == "Cc" or (kind == "Cf" and char not in JOINERS) else char
        return self[code]


_HARMLESS = _Harmless()


def clean(text: str) -> str:
    """On one line, without control, override and invisible characters."""
    return " ".join(text.translate(_HARMLESS).split())


def cleaned(value: Any, name: str = "") -> Any:
    """A value with every text in it cleaned and cut to what a mail shows, whatever field it stands in."""
    if isinstance(value, str):
        if name in WHOLE or name in QUOTED:
            return clean(value)
        most = MOST.get(name, MOST_ELSE)
        return cut(clean(value[: 8 * most]), most)  # a hostile page's title may have a million characters
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: cleaned(getattr(value, f.name), f.name) for f in fields(value)})
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return tuple(cleaned(item, name) for item in value)
    return value


def cut(text: str, most: int) -> str:
    """No longer than that, between words where one ends near, never within what is seen as one character."""
    if len(text) <= most:
        return text
    end = most - 1
    while end > 0 and continues(text, end):
        end -= 1
    space = text.rfind(" ", max(0, end - CUT_BACK), end + 1)
    return (text[:space] if space > 0 else text[:end]).rstrip(" ,;:–—-") + "…"


def tail(text: str, most: int) -> str:
    """Its end: what stands right before a quoted sentence."""
    if len(text) <= most:
        return text
    start = len(text) - most + 1
    while start < len(text) and continues(text, start):
        start += 1
    space = text.find(" ", start - 1, start + CUT_BACK)
    return "…" + text[space + 1 if space >= 0 else start :]


def continues(text: str, at: int) -> bool:
    """Whether the character is part of what is seen as one with the character before it: accents, emoji, flags."""
    char, before = text[at], text[at - 1]
    if char in JOINERS or before == "\u200d" or unicodedata.category(char) in ("Mn", "Me", "Mc"):
        return True
    if "\U0001f3fb" <= char <= "\U0001f3ff":  # skin
        return True
    flags = 0  # of two letters each
    while flags < at and _regional(text[at - 1 - flags]):
        flags += 1
    return _regional(char) and flags % 2 == 1


def _regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def isolate(text: str) -> str:
    """For plain text: words from right to left must not turn what stands around them."""
    return f"{FSI}{text}{PDI}" if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text) else text


def direction(text: str) -> str:
    """rtl or ltr, by its first letter, as dir="auto" finds it."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return "ltr"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…", "。")) else f"{text}."


def percent(share: float) -> str:
    """Nothing is certain: "over 99 %"."""
    return "over 99 %" if share > 0.994 else f"{100 * share:.0f} %"


def language(code: str | None) -> str:
    """ "Korean"; a code that we have no word for as it is."""
    return LANGUAGES.get((code or "").split("-")[0].lower(), code or "")


def local(at: datetime, zone: str) -> datetime:
    """By the reader's clock; by UTC where nobody knows the zone."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except (LookupError, ValueError, OSError):
        return at.astimezone(UTC)


def moment(at: datetime, zone: str) -> str:
    """ "19 December 2024, 17:05 KST" """
    here = local(at, zone)
    name = here.strftime("%Z")
    if name[:1] in "+-":  # zones without a name of their own
        name = f"UTC{name[:1]}{name[1:].lstrip('0') or '0'}"
    return f"{here:%-d %B %Y, %H:%M} {name}"


def day(on: date) -> str:
    """ "19 December 2024" """
    return f"{on:%-d %B %Y}"
