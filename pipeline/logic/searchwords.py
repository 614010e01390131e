"""The words of a text as full-text search in the database stores and looks for them, in any language.

PostgreSQL has no configuration for Korean, Japanese, Chinese or Ukrainian, and what its own make of a text depends on
the server's locale and dictionaries. So the words are made here. The same rules stand in SQL (`ingest.words_of`), so
that words typed into SQL are read as the texts were; a test compares the two. Every step is therefore a table of
characters or a regular expression that both sides have.

    Kim's soldiers        kim soldie             no case, accents, possessive or plural; a word's beginning
    солдатами             солд                   no endings of Russian and Ukrainian
    북한군이               북한 한군 군이           scripts without spaces, or with particles: pairs of neighbours
    10,000  12 000        10000 12000
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

VERSION = 1  # of these rules; texts whose words another version made get them again, see stages/words.py

REMEMBERED = 65_536  # words whose stems are remembered: the same come in text after text
# Characters of a word that count, after its ending has gone; numbers count whole. On claims' wordings against labelled
# paragraphs before 2025 and on titles against summaries of the stream's train split, 6 is as good as 7, 8 or all.
BEGINNING = 6

LONGEST = 40  # characters of a number, or of what begins with a digit

# Blocks whose capitals and accents are folded: Latin, Greek, Cyrillic, and Latin again.
_FOLDED = (*range(0x41, 0x5B), *range(0xC0, 0x250), *range(0x386, 0x400), *range(0x400, 0x530), *range(0x1E00, 0x1F00))
APOSTROPHES = "\u2018\u2019\u02bc\u02b9`\u00b4"
_SPECIAL = {"ё": "е", "Ё": "е", "ґ": "г", "Ґ": "г", "ß": "s", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d"}
_SPECIAL |= {"Đ": "d", "ς": "σ"}
# Marks that stand in the blocks of letters.
_MARKS = "\u0589\u05be\u060c\u061b\u061f\u06d4\u0964\u0965"

# Letters of scripts that part words, and of those that don't, or that put particles on them.
LETTERS = "0-9a-z\u00df-\u00f6\u00f8-\u02af\u0300-\u0dff\u10a0-\u10ff\u1200-\u139f\u1e00-\u1fff"
PAIRED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff"
)


def _small(character: str) -> str:
    """The small letter, without accents where it is Latin; й and ї are letters of their own."""
    small = character.lower()
    parts = unicodedata.normalize("NFD", small)
    if "a" <= parts[0] <= "z" and all(map(unicodedata.combining, parts[1:])):
        return parts[0]
    return small if len(small) == 1 else character


FOLDS = {c: folded for c in map(chr, _FOLDED) if (folded := _small(c)) != c}
FOLDS |= dict.fromkeys(_MARKS, " ") | _SPECIAL

# In order: pattern and what comes in its place. Thousands are written 10,000, 10.000 or 10 000; п'ять is one word.
JOINED = (
    (r"([0-9])[,.](?=[0-9]{3}(?![0-9]))", r"\1"),
    (r"(?<![0-9])([0-9]{1,3}) (?=[0-9]{3}(?![0-9]))", r"\1"),
    ("([\u0400-\u052f])'(?=[\u0400-\u052f])", r"\1"),
)
# The endings of nouns, adjectives and verbs in Russian and Ukrainian, of which the longest goes where three letters
# are left: more than one language's grammar would allow, but text and query lose the same.
_ENDINGS = (
    "ыми ими іми їми ого его ього ому ему ьому ый ий ій ой ей ая яя ое ее ые ие ым им ім їм ом ем єм ую юю ою ею єю ых "
    "их іх їх иями іями ями ами иях іях ях ах иям іям ям ам ием ією ієм ией еві ові єві ів їв ов ев ии ия ию ія ію ії "
    "іє а я ы и і ї у ю е є о ь й ують юють уют юют яють ають аєть яєть ались ила ыла ала яла ела іла ило ыло ало яло "
    "ело іло или ыли али яли ели іли ил ыл ал ял ел ив ав яв ить ыть ать ять еть іть ити ати яти іти ете ите єте йте "
    "ешь ишь еш иш єш емо имо ємо ет ют ит ят ут ат уть ють ает яет ует ає яє ує ла ло ли ть ти л в"
)
STEMS = (
    ("(?<=[a-z]{2})ies$", "y"),
    ("(?<=[a-z]{2}[^su])s$", ""),
    ("(?<=[\u0400-\u052f]{3})(?:ся|сь)$", ""),
    # Twice: what is left of солдаты ends like a verb, as does солдат itself, and both have to become one.
    *[(f"(?<=[\u0400-\u052f]{{3}})(?:{'|'.join(_ENDINGS.split())})$", "")] * 2,
    ("нн", "н"),
)

_APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
_FOLD = str.maketrans(FOLDS)
_JOINED = tuple((re.compile(pattern), put) for pattern, put in JOINED)
_STEMS = tuple((re.compile(pattern), put) for pattern, put in STEMS)
_PIECES = re.compile(f"[{LETTERS}]+|([{PAIRED}]+)")


def words(text: str) -> list[str]:
    """What of a text counts, in order and as often as it stands there; [] for a text without letters and digits."""
    # An acute that stands for an apostrophe would become a space and an accent.
    normal = unicodedata.normalize("NFKC", text.translate(_APOSTROPHE)).translate(_FOLD)
    for pattern, put in _JOINED:
        normal = pattern.sub(put, normal)
    found: list[str] = []
    for piece in _PIECES.finditer(normal):
        run = piece[1]
        if run is None:
            found.append(_stem(piece[0]))
        else:
            found += map(str.__add__, run, run[1:]) if len(run) > 1 else (run,)
    return [word for word in found if word]


@lru_cache(REMEMBERED)
def _stem(word: str) -> str:
    """A word's beginning without its ending; nothing for a single Latin letter, as the s of Kim's or the l of l'eau."""
    if len(word) == 1 and "a" <= word <= "z":
        return ""
    if "0" <= word[0] <= "9":
        return word[:LONGEST]
    for pattern, put in _STEMS:
        word = pattern.sub(put, word)
    return word[:BEGINNING]
