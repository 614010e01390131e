"""Which role a number plays: the cue terms around it, by nearness, with what stands between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.logic.figure_text import EAST_ASIAN, Mark, Marks
from pipeline.logic.roles import Role, Roles

ROLE, WEAK, APART = "role:", "weak:", "apart:"
BESIDES = "besides"
# Costs. A character of an East Asian script says about as much as three of an alphabet.
LIMIT, WEAK_LIMIT, TURN_LIMIT = 130.0, 160.0, 95.0
COMMA, STOP, CONJUNCTION, NUMBER, CUE, EAST = 20.0, 40.0, 30.0, 45.0, 8.0, 3.0
ACROSS = 400.0  # the end of a sentence
ANOTHER = 45.0  # a plan told behind "and" is of something else
TAKEN = 40.0  # a cue that stands right beside another number is that number's
PART = 60.0  # "300 of the 3,000 sent": those sent are the whole
APART_WITHIN = 34.0
HEADED = 2.0  # a cue in the noun phrase or its subject: 死傷者4700人
PARTICIPLE = 32.0
ENDED, ENDED_EAST = 40, 14  # characters between "wounded" and "died"
BESIDE = 14.0  # about two words
BEHIND = 6.0  # where the verb comes last, what stands in front has a little less to say

MODIFIER = 20.0  # "two wounded soldiers were captured"
# 사망자가 300명, 死者は約300人: the noun is the number's subject.
_SUBJECT_OF = re.compile(
    r"(?:자|者)?(?:의?\s?수)?(?:[가는이은도]|が|は|も|数は|数が)?[\s、,]{0,2}(?:모두|총|계|合わせて|計|达|達|已达|共|为|為|是)?\s?"
)
_RELATIVE = re.compile(r"(?:[가-힣]{0,2}\s|[ぁ-ん]{1,3}|的)")
_OR_WORD = r"(?:or|and|и|или|либо|та|й|і|чи|або|et|ou|및|또는|や|と|または|あるいは|和|或|或者|及|、|&|/)"
_OR = re.compile(
    rf"(?:[가-힣ぁ-ん]{{1,3}}[\s,]{{0,2}}{_OR_WORD}?|[\s,]{{0,2}}{_OR_WORD})"
    r"\s?(?:(?:have|has|were|was|been|the|many|были|були|дістало|дістали|получили|отримали|des|les)\s?){0,2}"
)
_COMMA = re.compile(r"[,、，]")
_STOP = re.compile(r"[;:()—–«»“”\"；：「」『』]")
_END = re.compile(r"[.!?。！？](?:\s|$)|[。！？]|\n")
_KOREAN_LINK = re.compile(r"(?:[으하되였했됐]고|[하으]며|지만|는데|면서)[,\s]")


@dataclass(frozen=True)
class Near:
    role: str
    cost: float
    links: int
    weak: bool = False
    at: int = -1  # where the cue begins


@dataclass(frozen=True)
class Place:
    """A number's noun phrase in the text, and the spans of the other numbers."""

    start: int
    end: int
    others: Sequence[tuple[int, int]]
    whole: bool = False
    part: bool = False
    large: bool = False
    of_end: int = -1  # where an "of the" behind the number ends
    amount: float = 0.0
    comma: bool = False  # a comma stands right behind


class Chooser:
    def __init__(self, roles: Roles) -> None:
        self.roles = {role.name: role for role in roles.roles}
        self._plans = {role.name for role in roles.roles if role.turns}
        self._turning = {turned: role for role in roles.roles for turned in role.turns}

    def united(self, marks: Marks) -> Marks:
        """With a cue more wherever the cues of two roles are joined to one of a third: "killed or wounded"."""
        for role in self.roles.values():
            parts = sorted(m for name in role.unites for m in marks.of(ROLE + name))
            joint = [
                Mark(a.start, b.end, ROLE + role.name)
                for a, b in pairwise(parts)
                if a.group != b.group and a.end <= b.start and _OR.fullmatch(marks.text, a.end, b.start)
            ]
            marks = marks.joined(ROLE + role.name, joint) if joint else marks
        return marks

    def choose(self, marks: Marks, place: Place, *, unit: str = "people") -> Near | None:
        """The role and how near its cue is, None where none is near enough."""
        own = [r for r in self.roles.values() if r.unit == unit]
        fitting = [r for r in own if not place.whole or r.whole or r.turns]
        if not place.whole and self._told_within(marks, place):
            fitting = [r for r in own if not r.whole and not r.turns]  # "brought 200 wounded": none who were sent
        found = self._near(marks, place, fitting, ROLE)
        if place.whole and (
            headed := [n for n in self._near(marks, place, own, ROLE) if n.cost <= self._heads(place, n)]
        ):
            return headed[0]  # "600 of 4,700 casualties"
        for mark in marks.of(BESIDES) if unit == "people" and not place.whole else ():
            found.append(Near(BESIDES, *distance(marks, place, mark)))
        best = min(found, key=lambda n: n.cost, default=None)
        if best is not None and best.role in self.roles and self._apart(marks, place, self.roles[best.role]):
            return replace(best, role=BESIDES)
        if best is None or best.cost > LIMIT or (best.links and best.role in self._plans):
            own = [r for r in fitting if not r.turns]
            weak = [n for n in self._near(marks, place, own, WEAK) if n.cost <= WEAK_LIMIT]
            best = min([*weak, *([best] if best and best.cost <= LIMIT else [])], key=lambda n: n.cost, default=None)
        if best is None:
            default = next((r.name for r in fitting if r.whole), None) if place.whole and place.large else None
            return Near(default, LIMIT, 0, True) if default else None
        most = self.roles[best.role].most if best.role in self.roles else 0
        if most and place.amount > most:
            return None
        turned = self._turned(marks, place, best, found)
        return self._ended(marks, place, best) if turned == best else turned

    def _turned(self, marks: Marks, place: Place, best: Near, found: Sequence[Near]) -> Near:
        """What a plan's terms make of it."""
        turning = self._turning.get(best.role)
        plans = [*found, *self._near(marks, place, [turning], WEAK)] if turning else []
        planned = turning and any(n.role == turning.name and n.cost <= TURN_LIMIT for n in plans)
        return replace(best, role=turning.name) if turning and planned else best

    def _told_within(self, marks: Marks, place: Place) -> bool:
        """Whether the noun phrase itself tells the end of those it counts: "200 wounded soldiers"."""
        names = [ROLE + name for name, r in self.roles.items() if not r.whole and not r.turns]
        return any(marks.of(*names, start=place.start, end=place.end))

    def _heads(self, place: Place, near: Near) -> float:
        """How near a cue of any role has to be to a whole: in front its subject, behind a participle ("of the three,
        captured last week, one died")."""
        if near.at < place.start:
            return HEADED
        behind = [start for start, _ in place.others if start > near.at]
        return PARTICIPLE if place.comma and behind and near.at < behind[0] else 0.0

    def _ended(self, marks: Marks, place: Place, best: Near) -> Near:
        """ "Four died of their wounds": what the wounded came to, where nothing parts the two cues."""
        for role in self.roles.values():
            for mark in marks.of(ROLE + role.name) if best.role in role.ends and best.at >= place.end else ():
                begin, end = sorted((mark.start, best.at))
                gap = marks.text[begin:end]
                east = EAST_ASIAN.search(gap) is not None
                parted = _COMMA.search(gap) or _STOP.search(gap) or _END.search(gap) or _KOREAN_LINK.search(gap)
                linked = parted or any(marks.of("and", start=begin, end=end))
                between = any(begin < start < end for start, _ in place.others)
                if mark.start >= place.end and len(gap) <= (ENDED_EAST if east else ENDED) and not (linked or between):
                    return replace(best, role=role.name)
        return best

    def within(self, marks: Marks, place: Place) -> Near | None:
        """The role of a noun that itself tells it: "prisoner"."""
        names = [name for name, role in self.roles.items() if role.unit == "people"]
        return next(
            (Near(n, 0.0, 0) for n in names for _ in marks.of(ROLE + n, start=place.start, end=place.end)), None
        )

    def contingent(self, marks: Marks, place: Place) -> Near | None:
        """The role of a large number of the topic's people of whom nothing else is said."""
        default = next((r for r in self.roles.values() if r.whole), None)
        if default is None or (default.most and place.amount > default.most):
            return None
        return self._turned(marks, place, Near(default.name, LIMIT, 0, True), [])

    def only(self, marks: Marks) -> Near | None:
        """The role that a sentence tells, where it is one."""
        marks = self.united(marks)
        every = [m for name in self.roles for m in marks.of(ROLE + name)]
        told = {m.group.partition(":")[2] for m in every if not _inside(m, every)}
        return Near(told.pop(), LIMIT, 0, True) if len(told) == 1 and not any(marks.of(BESIDES)) else None

    def _apart(self, marks: Marks, place: Place, role: Role) -> bool:
        """Whether the number cannot have this role: "keeps 1,800 of it", "exchanged 150 prisoners"."""
        if role.most and place.amount > role.most:
            return True
        cues = marks.of(ROLE + role.name) if role.unit != "people" else ()  # 2,000 a month, and 24,000 a year
        nearest = min((distance(marks, place, mark)[0] for mark in cues), default=APART_WITHIN)
        return any(distance(marks, place, mark)[0] < nearest for mark in marks.of(APART + role.name))

    def _near(self, marks: Marks, place: Place, roles: Sequence[Role], kind: str) -> list[Near]:
        known = [m for role in roles for m in marks.of(kind + role.name)]
        every = [*marks.of(BESIDES), *(m for name in self.roles for m in marks.of(ROLE + name, APART + name))]
        shown = [m for m in known if not _inside(m, every)]
        found = []
        for mark in shown:
            name = mark.group.partition(":")[2]
            if place.part and self.roles[name].whole and 0 <= mark.start - place.end <= 1:
                continue  # "a third of the 12,000 soldiers sent"
            taken = TAKEN if any(_beside(marks.text, mark, at) for at in place.others) else 0
            cost, links = distance(marks, place, mark, shown)
            partitive = mark.start >= place.end and place.of_end >= mark.start - 1  # "2,000 of the injured"
            cost += taken if cost > BESIDE else 0
            cost += PART if place.part and (self.roles[name].whole or partitive) else 0
            found.append(
                Near(name, cost + (ANOTHER * links if name in self._plans else 0), links, kind == WEAK, mark.start)
            )
        return found


def _beside(text: str, mark: Mark, number: tuple[int, int]) -> bool:
    begin, end = number
    if mark.end <= begin:
        return _SUBJECT_OF.fullmatch(text, mark.end, begin) is not None
    return 0 <= mark.start - end <= 1


def _inside(mark: Mark, every: Sequence[Mark]) -> bool:
    """Whether a longer cue of another role holds it: "killed" of "killed and wounded"."""
    return any(
        m.start <= mark.start
        and mark.end <= m.end
        and m.end - m.start > mark.end - mark.start
        and m.group != mark.group
        for m in every
    )


def distance(marks: Marks, place: Place, mark: Mark, cues: Sequence[Mark] = ()) -> tuple[float, int]:
    """What lies between a number and a cue: its cost, and how many words like "and"."""
    if mark.start < place.end and place.start < mark.end:
        return (MODIFIER if mark.end < place.end else 0.0), 0  # in its own noun phrase
    if mark.end <= place.start and _subject_of(marks, mark.end, place.start):
        return 2.0, 0
    behind = mark.start >= place.end
    begin, end = (place.end, mark.start) if behind else (mark.end, place.start)
    gap = _without_asides(marks, begin, end)
    east = EAST_ASIAN.search(marks.text[mark.start : mark.end]) is not None
    cost = len(gap) * (EAST if east else 1.0)
    cost += COMMA * len(_COMMA.findall(gap)) + STOP * len(_STOP.findall(gap)) + ACROSS * len(_END.findall(gap))
    links = sum(1 for _ in marks.of("and", start=max(0, begin - 1), end=end + 1)) + len(_KOREAN_LINK.findall(gap))
    cost += CONJUNCTION * links
    cost += NUMBER * sum(begin <= a and b <= end for a, b in place.others)
    cost += CUE * sum(begin <= m.start and m.end <= end and m.group != mark.group for m in cues)
    if east and not behind:
        cost += BEHIND
    return cost, links


def _subject_of(marks: Marks, end: int, start: int) -> bool:
    """Whether the number is said of the cue's noun, or of whom the cue describes: 붙잡은 북한군은 모두 6명."""
    if _SUBJECT_OF.fullmatch(marks.text, end, start):
        return True
    nouns = [m.end for m in marks.of("subject", start=end, end=start) if _RELATIVE.fullmatch(marks.text, end, m.start)]
    return any(_SUBJECT_OF.fullmatch(marks.text, noun, start) for noun in nouns)


def _without_asides(marks: Marks, begin: int, end: int) -> str:
    """The text between, less "..., according to the service, ..."."""
    for mark in marks.of("aside", start=begin, end=end):
        left, right = marks.text.rfind(",", begin, mark.start), marks.text.find(",", mark.end, end)
        if left >= 0 and mark.start - left <= 3 and right > 0:
            return marks.text[begin:left] + marks.text[right + 1 : end]
    return marks.text[begin:end]
