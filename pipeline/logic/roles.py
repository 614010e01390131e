"""The roles that figures play in a topic ("deployed", "killed"): the section `figures` of the claims file.

Terms of all languages are kept in one list, since all are tried on every text.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.logic import terms
from pipeline.logic.yamlfile import Reader

UNITS = ("people", "usd_month")
NOUNS = ("subject", "others", "people", "unlike", "besides")
_NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")

Terms = tuple[str, ...]


@dataclass(frozen=True)
class Role:
    """`cues` give a number the role, `weak` only where no other cue stands near. `whole` says that other figures are
    parts of it, `turns` of which roles a plan's terms make this one (the weak ones do nothing else), `increments` which
    role an increment of it has, `unites` whose cues joined by "and" or "or" are cues of this role. A number beside a
    term of `apart`, or above `most`, has not this role, nor is a cue one that such a term holds ("last month"). `ends`
    are the roles that this one ends: "died of their wounds"."""

    name: str
    unit: str
    cues: Terms
    weak: Terms = ()
    whole: bool = False
    turns: tuple[str, ...] = ()
    increments: str = ""
    unites: tuple[str, ...] = ()
    apart: Terms = ()
    most: float = 0.0
    ends: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roles:
    """A topic's roles, whose people they count (`subject`) and whose not (`others`), and the nouns of numbers. Terms in
    `besides` give a number a part that is none of the roles. `voices`: where a text names only the state, whose figure
    it is, (officials, authority): Seoul's numbers are its intelligence service's."""

    subject: Terms = ()
    others: Terms = ()
    people: Terms = ()
    unlike: Terms = ()
    besides: Terms = ()
    voices: tuple[tuple[str, str], ...] = ()
    roles: tuple[Role, ...] = ()

    def names(self) -> tuple[str, ...]:
        return tuple(role.name for role in self.roles)

    def stored(self) -> dict[str, Any]:
        """As it is stored with a claim: plain lists and dictionaries."""
        nouns = {key: getattr(self, key) for key in NOUNS}
        return {**nouns, "voices": dict(self.voices), "roles": [asdict(role) for role in self.roles]}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Roles:
        roles = tuple(
            Role(
                r["name"],
                r["unit"],
                tuple(r["cues"]),
                tuple(r["weak"]),
                r["whole"],
                tuple(r["turns"]),
                r["increments"],
                tuple(r["unites"]),
                tuple(r.get("apart", ())),
                r.get("most", 0.0),
                tuple(r.get("ends", ())),
            )
            for r in stored["roles"]
        )
        voices = tuple(stored["voices"].items())
        return cls(**{key: tuple(stored[key]) for key in NOUNS}, voices=voices, roles=roles)


def read(reader: Reader, node: Any) -> Roles:
    """The section in the YAML tree; mistakes go to the reader."""
    parts = reader.mapping(
        node, "figures", required=("subject", "people", "roles"), optional=("others", "unlike", "besides", "voices")
    )
    nouns = {key: _terms(reader, parts.get(key), f"figures.{key}") for key in NOUNS}
    roles = []
    for name, at in reader.items(parts.get("roles"), "figures.roles"):
        if not _NAME.fullmatch(name):
            reader.wrong(at, f"figures.roles: {name!r} must be small letters, digits and single underscores")
        roles.append(_role(reader, name, at))
    known = [role.name for role in roles]
    for role in roles:
        for turned in (*role.turns, *role.unites, *role.ends, *([role.increments] if role.increments else [])):
            if turned not in known:
                reader.wrong(parts["roles"], f"figures.roles.{role.name}: no role is called {turned!r}")
    voices = [(key, reader.identifier(at, key)) for key, at in reader.items(parts.get("voices"), "figures.voices")]
    return Roles(**nouns, voices=tuple(sorted(voices)), roles=tuple(roles))


def _role(reader: Reader, name: str, node: Any) -> Role:
    place = f"figures.roles.{name}"
    parts = reader.mapping(
        node,
        place,
        required=("unit", "cues"),
        optional=("weak", "whole", "turns", "increments", "unites", "apart", "most", "ends"),
    )
    unit = reader.text(parts.get("unit"), f"{place}.unit")
    if unit and unit not in UNITS:
        reader.wrong(parts["unit"], f"{place}: no unit is called {unit!r}; known are {', '.join(UNITS)}")
    whole = reader.text(parts.get("whole"), f"{place}.whole")
    if whole not in ("", "true", "false"):
        reader.wrong(parts["whole"], f"{place}.whole must be true or false")
    turns, unites, ends = (
        tuple(reader.text(item, f"{place}.{key}") for item in reader.sequence(parts.get(key), f"{place}.{key}"))
        for key in ("turns", "unites", "ends")
    )
    cues, weak, apart = (_terms(reader, parts.get(key), f"{place}.{key}") for key in ("cues", "weak", "apart"))
    most = reader.text(parts.get("most"), f"{place}.most")
    if most and not most.isdecimal():
        reader.wrong(parts["most"], f"{place}.most must be a whole number")
        most = ""
    increments = reader.text(parts.get("increments"), f"{place}.increments")
    return Role(name, unit, cues, weak, whole == "true", turns, increments, unites, apart, float(most or 0), ends)


def _terms(reader: Reader, node: Any, place: str) -> Terms:
    found: dict[str, None] = {}
    if node is None:
        return ()
    for language, listed in reader.items(node, place):
        reader.language(language, listed, place)
        for item in reader.sequence(listed, f"{place}.{language}"):
            term = reader.text(item, f"a term of {place}")
            try:
                terms.Lexicon({place: [term]})
            except ValueError as error:
                reader.wrong(item, str(error))
            found[term] = None
    if not found:
        reader.wrong(node, f"{place} has no term")
    return tuple(found)
