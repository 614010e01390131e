"""Reads the lexicon of origins (claims/origins.yaml explains the format to its editor).

A mistake is reported with file, line and reason, all of them at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.logic import terms
from pipeline.logic.yamlfile import Reader, compose

KINDS = (
    "intelligence",
    "military",
    "government",
    "organisation",
    "state-media",
    "wire",
    "media",
    "think-tank",
    "analysis",
    "witness",
    "document",
    "own",
)
CUES = ("said", "shows", "before", "after", "headline", "never", "never_state")
_COUNTRY = re.compile(r"[A-Z]{2}")

ByLanguage = dict[str, tuple[str, ...]]  # language: terms


@dataclass(frozen=True)
class Country:
    code: str
    name: str
    home: tuple[str, ...]
    words: ByLanguage
    states: ByLanguage


@dataclass(frozen=True)
class Role:
    role: str
    name: str
    kind: str
    beside: ByLanguage
    alone: ByLanguage


@dataclass(frozen=True)
class Origin:
    """An authority. `made` says that country and role made it: the file has no entry for it."""

    origin_id: str
    name: str
    kind: str
    country: str | None = None
    roles: tuple[str, ...] = ()
    made: bool = False
    names: ByLanguage = field(default_factory=dict)
    home: ByLanguage = field(default_factory=dict)
    phrases: ByLanguage = field(default_factory=dict)
    titles: ByLanguage = field(default_factory=dict)
    publishers: tuple[str, ...] = ()


@dataclass(frozen=True)
class OriginsFile:
    countries: dict[str, Country]
    roles: dict[str, Role]
    origins: dict[str, Origin]  # those made of country and role are among them
    cues: dict[str, ByLanguage]

    def of_role(self) -> dict[tuple[str, str], str]:
        """Who fills a role: {(country, role): origin}."""
        return {(o.country, role): o.origin_id for o in self.origins.values() if o.country for role in o.roles}

    def homes(self) -> dict[str, str]:
        """The home country of each language that has one."""
        return {language: c.code for c in self.countries.values() for language in c.home}


def parse(content: str, file: str) -> OriginsFile:
    """The lexicon in a file. Raises ConfigurationError with every mistake, each as `file:line: reason`."""
    node = compose(content, file)
    reader = _Reader(file)
    found = reader.lexicon(node) if node is not None else None
    reader.check()
    if found is None:
        raise ConfigurationError(f"{file}:1: the file is empty")
    return found


class _Reader(Reader):
    def lexicon(self, node: Any) -> OriginsFile:
        parts = self.mapping(node, "the file", required=("countries", "roles", "origins", "cues"))
        countries = {code: self.country(code, at) for code, at in self.items(parts.get("countries"), "countries")}
        homes = [language for country in countries.values() for language in country.home]
        for language in sorted({x for x in homes if homes.count(x) > 1}):
            self.wrong(parts["countries"], f"{language!r} is home to more than one country")
        roles = {name: self.role(name, at) for name, at in self.items(parts.get("roles"), "roles")}
        if "officials" not in roles and any(country.states for country in countries.values()):
            self.wrong(parts.get("roles"), "roles lacks 'officials', as whom states speak")
        origins: dict[str, Origin] = {}
        filled: dict[tuple[str, str], str] = {}
        for item in self.sequence(parts.get("origins"), "origins"):
            origin = self.origin(item, countries, roles)
            if origin.origin_id in origins:
                self.wrong(item, f"the origin {origin.origin_id!r} stands here twice")
            if any(origin.name == other.name for other in origins.values()):
                self.wrong(item, f"two origins are called {origin.name!r}")
            for role in origin.roles:
                other = filled.setdefault((origin.country or "", role), origin.origin_id)
                if other != origin.origin_id:
                    self.wrong(item, f"{role} of {origin.country} is {other} already")
            origins[origin.origin_id] = origin
        if not origins:
            self.wrong(parts.get("origins"), "no origin")
        for land, office in product(countries.values(), roles.values()):
            if (land.code, office.role) not in filled:
                made, name = f"{office.role}-{land.code.lower()}", f"{land.name} {office.name}"
                origins.setdefault(made, Origin(made, name, office.kind, land.code, (office.role,), made=True))
        cues = self.mapping(parts.get("cues"), "cues", required=CUES)
        return OriginsFile(countries, roles, origins, {cue: self.terms(at, f"cues.{cue}") for cue, at in cues.items()})

    def country(self, code: str, node: Any) -> Country:
        place = f"countries.{code}"
        if not _COUNTRY.fullmatch(code):
            self.wrong(node, f"{place}: {code!r} is not a two-letter country code in capitals")
        parts = self.mapping(node, place, required=("name", "words"), optional=("home", "states"))
        home = tuple(self.text(item, f"{place}.home") for item in self.sequence(parts.get("home"), f"{place}.home"))
        for language in home:
            self.language(language, parts["home"], f"{place}.home")
        name = self.text(parts.get("name"), f"{place}.name")
        words, states = (self.terms(parts.get(key), f"{place}.{key}") for key in ("words", "states"))
        return Country(code, name, home, words, states)

    def role(self, name: str, node: Any) -> Role:
        place = f"roles.{name}"
        parts = self.mapping(node, place, required=("name", "kind", "beside"), optional=("alone",))
        beside, alone = (self.terms(parts.get(key), f"{place}.{key}") for key in ("beside", "alone"))
        return Role(name, self.text(parts.get("name"), f"{place}.name"), self.kind(parts.get("kind")), beside, alone)

    def origin(self, node: Any, countries: dict[str, Country], roles: dict[str, Role]) -> Origin:
        groups = ("names", "home", "phrases", "titles")
        optional = ("country", "role", *groups, "publishers")
        parts = self.mapping(node, "an origin", required=("id", "name", "kind"), optional=optional)
        origin_id = self.identifier(parts.get("id"), "id")
        country = self.text(parts["country"], f"{origin_id}.country") if "country" in parts else None
        if country and country not in countries:
            self.wrong(parts["country"], f"{origin_id}: no country is called {country!r}")
        filling = [] if "role" not in parts else parts["role"].value
        filling = filling if isinstance(filling, list) else [parts["role"]]
        own = tuple(self.text(item, f"{origin_id}.role") for item in filling)
        for role in own:
            if role and role not in roles:
                self.wrong(parts["role"], f"{origin_id}: no role is called {role!r}")
        if (own or "home" in parts) and not country:
            self.wrong(node, f"{origin_id} has a role or home names and lacks 'country'")
        found = {key: self.terms(parts.get(key), f"{origin_id}.{key}") for key in groups}
        if not any(found.values()) and not own:
            self.wrong(node, f"{origin_id} has no name by which a text could mean it")
        listed = self.sequence(parts.get("publishers"), f"{origin_id}.publishers")
        publishers = tuple(self.text(item, f"{origin_id}.publishers") for item in listed)
        name, kind = self.text(parts.get("name"), f"{origin_id}.name"), self.kind(parts.get("kind"))
        return Origin(
            origin_id,
            name,
            kind,
            country,
            own,
            names=found["names"],
            home=found["home"],
            phrases=found["phrases"],
            titles=found["titles"],
            publishers=publishers,
        )

    def kind(self, node: Any) -> str:
        kind = self.text(node, "kind")
        if kind and kind not in KINDS:
            self.wrong(node, f"no kind is called {kind!r}; known are {', '.join(KINDS)}")
        return kind

    def terms(self, node: Any, place: str) -> ByLanguage:
        found: ByLanguage = {}
        for language, listed in self.items(node, place) if node is not None else ():
            self.language(language, listed, place)
            seen: list[str] = []
            for item in self.sequence(listed, f"{place}.{language}"):
                term = self.text(item, f"a term of {place}")
                try:
                    terms.Lexicon({place: [term]}, terms.PARTED)
                except ValueError as error:
                    self.wrong(item, str(error))
                if " + " in term:
                    self.wrong(item, f"{place}: the term {term!r} has no place, since its parts may stand anywhere")
                if term in seen:
                    self.wrong(item, f"{place}.{language}: the term {term!r} stands here twice")
                seen.append(term)
            found[language] = tuple(seen)
        return found
