"""Which role a number plays: the cue terms around it, by nearness, with what stands between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.logic.figure_text import EAST_ASIAN, Mark, Marks
from pipeline.logic.roles import Role, Roles

ROLE, WEAK = "role:", "weak:"
# Costs. A character of an East Asian script says about as much as three of an alphabet.
LIMIT, WEAK_LIMIT, TURN_LIMIT = 130.0, 160.0, 110.0
COMMA, STOP, CONJUNCTION, NUMBER, CUE, EAST = 20.0, 40.0, 30.0, 45.0, 8.0, 3.0
ACROSS = 400.0  # the end of a sentence
BESIDE = 14.0  # about two words
BEHIND = 6.0  # where the verb comes last, what stands in front has a little less to say

_COMMA = re.compile(r"[,、，]")
_STOP = re.compile(r"[;:()—–«»“”\"；：「」『』]")
_END = re.compile(r"[.!?。！？](?:\s|$)|[。！？]|\n")
_KOREAN_LINK = re.compile(r"(?:[으하되였했됐]고|[하으]며|지만|는데|면서)[,\s]")


@dataclass(frozen=True)
class Near:
    role: str
    cost: float
    start: int
    end: int
    weak: bool = False


@dataclass(frozen=True)
class Place:
    """A number's noun phrase in the text, and the spans of the other numbers."""

    start: int
    end: int
    others: Sequence[tuple[int, int]]


class Chooser:
    def __init__(self, roles: Roles) -> None:
        self.roles = {role.name: role for role in roles.roles}
        self._turning = {turned: role for role in roles.roles for turned in role.turns}

    def choose(self, marks: Marks, place: Place, *, unit: str = "people", whole: bool = False) -> str | None:
        """The role, None where no cue is near enough. `whole`: the number is one of which others are parts."""
        fitting = [r for r in self.roles.values() if r.unit == unit and (not whole or r.whole or r.turns)]
        found = self._near(marks, place, fitting, ROLE)
        best = min(found, key=lambda n: n.cost, default=None)
        if best is None or best.cost > LIMIT:
            weak = [n for n in self._near(marks, place, fitting, WEAK) if n.cost <= WEAK_LIMIT]
            best = min(weak, key=lambda n: n.cost, default=None)
        if best is None:
            return next((r.name for r in fitting if r.whole), None) if whole else None
        turning = self._turning.get(best.role)
        if turning and any(n.role == turning.name and n.cost <= TURN_LIMIT for n in found):
            return turning.name
        return best.role

    def beside(self, marks: Marks, place: Place, role: str) -> bool:
        """Whether a cue of the role stands right beside the number."""
        return any(n.cost <= BESIDE for n in self._near(marks, place, [self.roles[role]], ROLE))

    def _near(self, marks: Marks, place: Place, roles: Sequence[Role], kind: str) -> list[Near]:
        known = [m for role in roles for m in marks.of(kind + role.name)]
        every = [m for name in self.roles for m in marks.of(ROLE + name)]
        shown = [m for m in known if not _inside(m, every)]
        found = []
        for mark in shown:
            if mark.start < place.end and place.start < mark.end and mark.start < place.start:
                continue
            cost = distance(marks, place, mark, shown)
            found.append(Near(mark.group.partition(":")[2], cost, mark.start, mark.end, kind == WEAK))
        return found


def _inside(mark: Mark, every: Sequence[Mark]) -> bool:
    """Whether a longer cue of another role holds it: "killed" of "killed and wounded"."""
    return any(
        m.start <= mark.start and mark.end <= m.end and m.end - m.start > mark.end - mark.start and m.group != mark.group
        for m in every
    )


def distance(marks: Marks, place: Place, mark: Mark, cues: Sequence[Mark] = ()) -> float:
    """What lies between a number and a cue."""
    if mark.start >= place.start and mark.end <= place.end:
        return 0.0  # in its own noun phrase
    behind = mark.start >= place.end
    begin, end = (place.end, mark.start) if behind else (mark.end, place.start)
    if end < begin:
        begin, end = min(begin, end), max(begin, end)
    gap = marks.text[begin:end]
    east = EAST_ASIAN.search(marks.text[mark.start : mark.end]) is not None
    cost = len(gap) * (EAST if east else 1.0)
    cost += COMMA * len(_COMMA.findall(gap)) + STOP * len(_STOP.findall(gap)) + ACROSS * len(_END.findall(gap))
    links = sum(1 for _ in marks.of("and", start=max(0, begin - 1), end=end + 1)) + len(_KOREAN_LINK.findall(gap))
    cost += CONJUNCTION * links
    cost += NUMBER * sum(begin <= a and b <= end for a, b in place.others)
    cost += CUE * sum(begin <= m.start and m.end <= end and m.group != mark.group for m in cues)
    if east and not behind:
        cost += BEHIND
    return cost
