"""The words by which figures are read, whatever the topic: pipeline/data/figure_words.yaml explains its groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_NAMES = """bare whole whole_after and denial denial_after no losing assertion putting given each aside
    more relaying service formerly so back sole tally confirming agency
    passive there told rate difference difference_before yesterday including old_war"""
GROUPS = frozenset(_NAMES.split())
NUMBERED = frozenset({"days", "days_too", "months"})  # whose terms stand for their place in the list


@dataclass(frozen=True)
class Words:
    """Terms by group; those of NUMBERED are groups of their own: "days 0" is Monday."""

    groups: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, stored: dict[str, dict[str, list[str]]]) -> Words:
        """From the file's content. Raises ValueError where a group is unknown or missing."""
        if wrong := (stored.keys() ^ (GROUPS | NUMBERED)):
            raise ValueError(f"figure words: {', '.join(sorted(wrong))}: unknown or missing")
        groups: dict[str, list[str]] = {}
        for group, term in _terms(stored):
            groups.setdefault(group, []).append(term)
        return cls({group: tuple(dict.fromkeys(terms)) for group, terms in groups.items()})


def _terms(stored: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for group, languages in stored.items():
        for listed in languages.values():
            for number, term in enumerate(listed):
                yield (f"{group.removesuffix('_too')} {number}" if group in NUMBERED else group), term
