"""Reads a claims file (claims/nk-russia.yaml explains the format to its editor).

A mistake is reported with file, line and reason, all of them at once, and nothing is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.logic import roles, terms
from pipeline.logic.yamlfile import Reader, compose

CUES = ("denial", "pending", "workers-or-goods")  # concepts that every claim of a topic is shown, beside its own groups

Texts = tuple[tuple[str, str], ...]  # (language, text)
Concepts = dict[str, tuple[str, ...]]  # concept: terms
TITLE = 40  # characters: of some seventy that a list of mails shows of a subject


@dataclass(frozen=True)
class Claim:
    """A claim, complete: everything that finding and deciding need."""

    claim_id: str
    statement: str
    phrasings: Texts  # other wordings; `refutations` and `updates` bear on the claim as well, with another stance
    refutations: Texts
    updates: Texts
    decoys: Texts
    topic_decoys: Texts
    groups: dict[str, Concepts]  # role: its alternatives
    cues: Concepts
    figures: tuple[str, ...] = ()  # the roles that figures play in it, of the topic's
    roles: roles.Roles | None = None  # the topic's, where the claim has any
    title: str | None = None  # in a few words, for subjects of mails; no part of what is matched

    def wordings(self) -> dict[str, list[str]]:
        """Every text that bears on the claim, by stance."""
        return {
            "supports": [self.statement, *(text for _, text in self.phrasings)],
            "refutes": [text for _, text in self.refutations],
            "updates": [text for _, text in self.updates],
        }

    def definition(self) -> dict[str, Any]:
        """As it is stored: plain lists and dictionaries, with the terms written out."""
        figures = {"figures": self.figures, "roles": self.roles.stored()} if self.roles else {}
        return {
            "phrasings": self.phrasings,
            "refutations": self.refutations,
            "updates": self.updates,
            "decoys": self.decoys,
            "topic_decoys": self.topic_decoys,
            "groups": self.groups,
            "cues": self.cues,
            **figures,
        }

    def definition_hash(self) -> bytes:
        text = json.dumps([self.statement, self.definition()], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).digest()

    @classmethod
    def from_definition(cls, claim_id: str, statement: str, stored: dict[str, Any]) -> Claim:
        def texts(key: str) -> Texts:
            return tuple((language, text) for language, text in stored.get(key, ()))

        return cls(
            claim_id,
            statement,
            texts("phrasings"),
            texts("refutations"),
            texts("updates"),
            texts("decoys"),
            texts("topic_decoys"),
            {role: {c: tuple(t) for c, t in concepts.items()} for role, concepts in stored["groups"].items()},
            {c: tuple(t) for c, t in stored["cues"].items()},
            tuple(stored.get("figures", ())),
            roles.Roles.of(stored["roles"]) if stored.get("roles") else None,
        )


@dataclass(frozen=True)
class Topic:
    topic_id: str
    name: str
    claims: tuple[Claim, ...]
    roles: roles.Roles | None = None


def parse(content: str, file: str) -> Topic:
    """The topic in a claims file. Raises ConfigurationError with every mistake, each as `file:line: reason`."""
    node = compose(content, file)
    reader = _Reader(file)
    topic = reader.topic(node)
    reader.check()
    if topic is None:
        raise ConfigurationError(f"{file}:1: the file is empty")
    return topic


class _Reader(Reader):
    def topic(self, node: Any) -> Topic | None:
        if node is None:
            return None
        parts = self.mapping(node, "the file", ("topic", "concepts", "claims"), ("figures",))
        head = self.mapping(parts.get("topic"), "topic", required=("id", "name"), optional=("decoys",))
        topic_id = self.identifier(head.get("id"), "topic.id")
        name = self.text(head.get("name"), "topic.name")
        decoys = self.texts(head.get("decoys"), "topic.decoys")
        concepts = self.concepts(parts.get("concepts"))
        cues = {cue: concepts[cue] for cue in CUES if cue in concepts}
        known = roles.read(self, parts["figures"]) if "figures" in parts else None
        claims: list[Claim] = []
        for item in self.sequence(parts.get("claims"), "claims"):
            claim = self.claim(item, concepts, decoys, cues, known)
            if any(claim.claim_id == other.claim_id for other in claims):
                self.wrong(item, f"the claim {claim.claim_id!r} stands here twice")
            claims.append(claim)
        if not claims:
            self.wrong(parts.get("claims"), "no claim")
        return Topic(topic_id, name, tuple(claims), known)

    def claim(
        self, node: Any, concepts: Concepts, topic_decoys: Texts, cues: Concepts, known: roles.Roles | None
    ) -> Claim:
        required = ("id", "statement", "phrasings")
        parts = self.mapping(
            node, "a claim", required, ("title", "refutations", "updates", "decoys", "groups", "figures")
        )
        claim_id = self.identifier(parts.get("id"), "id")
        statement = self.text(parts.get("statement"), f"{claim_id}.statement")
        title = self.text(parts["title"], f"{claim_id}.title") if "title" in parts else None
        if title is not None and len(title) > TITLE:
            self.wrong(parts["title"], f"{claim_id}.title has {len(title)} characters; a subject has room for {TITLE}")
        phrasings = self.texts(parts.get("phrasings"), f"{claim_id}.phrasings")
        if "phrasings" in parts and not phrasings:
            self.wrong(parts["phrasings"], f"{claim_id} has no phrasing")
        groups: dict[str, Concepts] = {}
        for role, names in self.items(parts.get("groups"), f"{claim_id}.groups"):
            chosen: Concepts = {}
            for item in self.sequence(names, f"{claim_id}.groups.{role}"):
                name = self.text(item, "a concept's name")
                if name not in concepts:
                    self.wrong(item, f"{claim_id}.groups.{role}: no concept is called {name!r}")
                else:
                    chosen[name] = concepts[name]
            if not chosen:
                self.wrong(names, f"{claim_id}.groups.{role} names no concept")
            groups[role] = chosen
        if "groups" in parts and not groups:
            self.wrong(parts["groups"], f"{claim_id} has no group; leave the key out where there is none")
        others = {key: self.texts(parts.get(key), f"{claim_id}.{key}") for key in ("refutations", "updates", "decoys")}
        figures = self.figures(parts.get("figures"), f"{claim_id}.figures", known)
        shared = known if figures else None
        return Claim(
            claim_id,
            statement,
            phrasings,
            **others,
            topic_decoys=topic_decoys,
            groups=groups,
            cues=cues,
            figures=figures,
            roles=shared,
            title=title,
        )

    def figures(self, node: Any, place: str, known: roles.Roles | None) -> tuple[str, ...]:
        """The names of the claim's roles, each one of the topic's."""
        names = known.names() if known else ()
        found = []
        for item in self.sequence(node, place):
            name = self.text(item, "a role's name")
            if name not in names:
                self.wrong(item, f"{place}: no role is called {name!r}")
            found.append(name)
        return tuple(found)

    def concepts(self, node: Any) -> Concepts:
        found: Concepts = {}
        for name, languages in self.items(node, "concepts"):
            seen: dict[str, Any] = {}
            for language, listed in self.items(languages, f"concepts.{name}"):
                self.language(language, listed, f"concepts.{name}")
                for item in self.sequence(listed, f"concepts.{name}.{language}"):
                    term = self.text(item, f"a term of {name}")
                    if term in seen:
                        self.wrong(item, f"concepts.{name}: the term {term!r} stands here twice")
                    seen[term] = item
            self.findable(seen)
            if not seen:
                self.wrong(node, f"concepts.{name} has no term")
            found[name] = tuple(seen)
        return found

    def findable(self, listed: Mapping[str, Any]) -> None:
        """Whether they can be looked for. One by one only where not: a file has tens of thousands."""
        try:
            terms.Lexicon({"all": listed})
        except ValueError:
            for term, node in listed.items():
                try:
                    terms.Lexicon({"one": [term]})
                except ValueError as error:
                    self.wrong(node, str(error))

    def texts(self, node: Any, place: str) -> Texts:
        found: list[tuple[str, str]] = []
        if node is None:
            return ()
        for language, listed in self.items(node, place):
            self.language(language, listed, place)
            for item in self.sequence(listed, f"{place}.{language}"):
                found.append((language, self.text(item, f"{place}.{language}")))
        return tuple(found)
