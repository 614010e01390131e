"""The language of a text: script first, then a classifier limited to languages that news is written in."""

from __future__ import annotations

from functools import cache
from typing import Any

# ISO 639-1. A classifier free to choose among a hundred languages calls a short headline Scots or Volapük.
PLAUSIBLE = [
    "ar",
    "az",
    "be",
    "bg",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "fa",
    "fi",
    "fr",
    "he",
    "hi",
    "hr",
    "hu",
    "hy",
    "id",
    "it",
    "ja",
    "ka",
    "kk",
    "ko",
    "ky",
    "lt",
    "lv",
    "mk",
    "mn",
    "nl",
    "no",
    "pl",
    "pt",
    "ro",
    "ru",
    "sk",
    "sl",
    "sr",
    "sv",
    "tg",
    "th",
    "tr",
    "uk",
    "uz",
    "vi",
    "zh",
]
SHORT = 200  # characters; below, a page's own claim is believed unless the classifier is certain
CERTAIN = 0.99
_SAMPLE = 4000  # characters read at most


def detect(text: str, hint: str | None = None) -> str | None:
    """ISO 639-1 code or None where there are too few letters to say and no hint.

    `hint` is what the page or feed says of itself (primary tag, lower case); it decides where the text is
    short or the classifier unsure, provided that the script fits.
    """
    text = text[:_SAMPLE]
    hint = hint if hint in PLAUSIBLE else None
    counts = _scripts(text)
    letters = sum(counts.values())
    if letters < 3:
        return hint
    if east := _east_asian(counts, letters, hint):
        return east
    tag, probability = _classifier().classify(text)
    language, sure = str(tag), float(probability) >= CERTAIN
    if hint and hint != language and (not sure or letters < SHORT) and _fits(hint, counts):
        return hint
    if letters < 20 and not sure:
        return hint if hint and _fits(hint, counts) else None
    return language


def _east_asian(counts: dict[str, int], letters: int, hint: str | None) -> str | None:
    if counts["hangul"] * 4 >= letters:
        return "ko"
    if counts["kana"] * 10 >= letters:
        return "ja"
    if counts["han"] * 2 >= letters:
        return "ja" if hint == "ja" and letters < SHORT else "zh"
    return None


_CYRILLIC = frozenset(("be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "uk"))
_OTHERS = frozenset(("ar", "el", "fa", "he", "hi", "hy", "ja", "ka", "ko", "th", "zh"))


def _fits(language: str, counts: dict[str, int]) -> bool:
    cyrillic, latin = counts["cyrillic"], counts["latin"]
    if language in _CYRILLIC:
        return cyrillic > latin or (language == "sr" and latin > cyrillic)
    if language in _OTHERS:
        return counts["other"] > latin + cyrillic
    return latin > cyrillic + counts["other"]


def _scripts(text: str) -> dict[str, int]:
    counts = dict.fromkeys(("hangul", "kana", "han", "cyrillic", "latin", "other"), 0)
    for character in text:
        if character.isalpha():
            counts[_script(ord(character))] += 1
    return counts


_RANGES = (  # of code points, the end not included
    ("latin", 0x0, 0x250),
    ("latin", 0x1E00, 0x1F00),
    ("cyrillic", 0x400, 0x530),
    ("hangul", 0xAC00, 0xD7B0),
    ("hangul", 0x1100, 0x1200),
    ("hangul", 0x3130, 0x3190),
    ("kana", 0x3040, 0x3100),
    ("kana", 0xFF66, 0xFFA0),
    ("han", 0x3400, 0xA000),
    ("han", 0xF900, 0xFB00),
    ("han", 0x20000, 0x40000),
)


@cache
def _script(code: int) -> str:
    return next((name for name, begin, end in _RANGES if begin <= code < end), "other")


@cache
def _classifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(PLAUSIBLE)
    return identifier
