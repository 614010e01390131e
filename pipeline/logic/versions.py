"""An article's texts over time: when to look at it again, and what changed from one text to the next. Pure.

The schedule follows the article's age, as edits do: most come in the first hours, hardly any after some days. NewsDiffs
asks in steps of its own (every 15 minutes, then hourly, then every three hours); a geometric schedule sees the same
edits within a factor of their age with five requests where that takes some eighty.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher

# Two paragraphs are one that was reworded where they share this part of their words (Dice).
SAME_PARAGRAPH = 0.5
PAIRS = 40_000  # of paragraphs compared in one place; a text that is rewritten from end to end is not paired up
WORDS = 4_000  # of a paragraph that are compared
# Scripts without spaces between words are compared character by character.
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+|\s+|[^\w\s]")


@dataclass(frozen=True)
class Change:
    """A paragraph's place in the text before and in the one after; 0 is the title, None where it does not stand."""

    kind: str  # added, removed or changed
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Piece:
    """Part of a reworded paragraph: "same", "removed" or "added"."""

    kind: str
    text: str


def next_look(born: datetime, now: datetime, *, first: timedelta, factor: float, until: timedelta) -> datetime | None:
    """When an article that was looked at now is to be looked at again; None where it is too old for that."""
    age = max(now - born, timedelta())
    next_age = max(first, age * factor)
    return born + next_age if next_age <= until else None


def changes(before: Sequence[str], after: Sequence[str]) -> list[Change]:
    """What changed between two texts, each its title ("" for none) and then its paragraphs, in reading order."""
    found = _title(before[0], after[0])
    old, new = before[1:], after[1:]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            found += _block(old, range(i1, i2), new, range(j1, j2))
    return found


def words(before: str, after: str) -> list[Piece]:
    """What was reworded, word by word."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    if max(len(old), len(new)) > WORDS:
        return [Piece("removed", before), Piece("added", after)]
    pieces: list[Piece] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(old[i1:i2])))
            continue
        pieces += [Piece("removed", "".join(old[i1:i2]))] if i2 > i1 else []
        pieces += [Piece("added", "".join(new[j1:j2]))] if j2 > j1 else []
    return pieces


def _title(before: str, after: str) -> list[Change]:
    if before == after:
        return []
    return [
        Change("changed", 0, 0)
        if before and after
        else Change("removed", 0, None)
        if before
        else Change("added", None, 0)
    ]


def _block(old: Sequence[str], gone: range, new: Sequence[str], come: range) -> list[Change]:
    """Paragraphs in the place of others: those alike are reworded, in order; the rest was removed or added."""
    pairs = dict(_pairs([_bag(old[i]) for i in gone], [_bag(new[j]) for j in come]))
    found, j = [], 0
    for i in range(len(gone)):
        if i not in pairs:
            found.append(Change("removed", gone[i] + 1, None))
            continue
        found += [Change("added", None, come[k] + 1) for k in range(j, pairs[i])]
        found.append(Change("changed", gone[i] + 1, come[pairs[i]] + 1))
        j = pairs[i] + 1
    return found + [Change("added", None, come[k] + 1) for k in range(j, len(come))]


def _pairs(old: list[Counter[str]], new: list[Counter[str]]) -> list[tuple[int, int]]:
    """The pairing in order with the greatest likeness altogether."""
    if not old or not new or len(old) * len(new) > PAIRS:
        return []
    alike = [[_likeness(a, b) for b in new] for a in old]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], alike[i][j] + best[i + 1][j + 1] if alike[i][j] else 0.0)
    pairs, i, j = [], 0, 0
    while i < len(old) and j < len(new):
        if alike[i][j] and best[i][j] == alike[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _bag(text: str) -> Counter[str]:
    return Counter(word for word in _WORD.findall(text[: 8 * WORDS]) if not word.isspace())


def _likeness(a: Counter[str], b: Counter[str]) -> float:
    """Dice's coefficient, 0 below the threshold."""
    total = a.total() + b.total()
    share = 2 * (a & b).total() / total if total else 0.0
    return share if share >= SAME_PARAGRAPH else 0.0
