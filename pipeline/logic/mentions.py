"""Which authorities a sentence names, and which cues of attribution it has. Who of them speaks, origins.py decides."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.logic import terms
from pipeline.logic.originsfile import Origin, OriginsFile

_CAPITALS = re.compile(r"[^\W\d_]{2,4}")
_HAN_KANA = re.compile(r"[\u30a1-\u30ff\u3400-\u9fff]")
_COMPOUND = re.compile(r"(?<=[군軍军])[인사대복수용人事用備备隊队服]")  # soldiers, not the army
_HANGUL = re.compile(r"[\uac00-\ud7af]")
# What may stand between a country and a role: "Russia's [defence] ministry", 米[国]政府; and between a role and the
# country behind it: "intelligence services of South Korea", "разведка Южной Кореи".
_TO_ROLE = re.compile(r"(?:'?s|\.)?[\s-]*(?:[^\W_]{1,14}[\s-]+)?|[\sの・]?")
_TO_COUNTRY = re.compile(r"\s(?:(?:of|for|from|in|de|du|des|d|в|во|у)\s(?:the\s|la\s|l')?|d'|de l')?")


_POINTING = frozenset({"the", "its", "their", "that"})
AND = re.compile(r"\s*(?:,?\s?and|&|и|і|та|й|et|와|과|및|·|・|、|和|と)\s*(?:the\s|l'|la\s|le\s)?")


@dataclass(frozen=True)
class Mention:
    """An authority named at [start, end) of the normalised sentence. `state` says that a country or capital names it,
    `kind` is the origin's, `language` that of the term, `never` that the words before it make it no speaker,
    `bare` that it is an office alone ("the military"), whose country only the publisher tells."""

    origin_id: str
    start: int
    end: int
    kind: str
    state: bool = False
    language: str = ""
    never: bool = False
    bare: bool = False


@dataclass(frozen=True)
class Cue:
    start: int
    end: int
    language: str


@dataclass(frozen=True)
class Named:
    """What a sentence holds, in the order of the text."""

    text: str  # normalised
    mentions: tuple[Mention, ...]
    cues: dict[str, tuple[Cue, ...]]  # without never and never_state: mentions know
    titles: tuple[Mention, ...]
    phrases: tuple[Mention, ...]
    places: tuple[Mention, ...] = ()  # words for a country, as its officials


class Finder:
    """The lexicon, compiled once."""

    def __init__(self, file: OriginsFile) -> None:
        self.origins: dict[str, Origin] = file.origins
        self._of_role = file.of_role()
        self._homes = file.homes()
        self._codes = frozenset(file.countries)
        by_language = [listed for country in file.countries.values() for listed in country.words.values()]
        self._country_words = tuple(term for listed in by_language for term in listed if len(term) > 1)
        self._keys: list[tuple[str, str, str]] = []  # (what, whose, language) by concept number
        concepts: dict[str, Iterable[str]] = {}

        def add(what: str, whose: str, by_language: dict[str, tuple[str, ...]]) -> None:
            for language, listed in by_language.items():
                for kind, chosen in (("", False), ("!", True)):  # "!": in capitals only
                    found = [t for t in listed if (t.isupper() and bool(_CAPITALS.fullmatch(t))) is chosen]
                    if found:
                        concepts[str(len(self._keys))] = found
                        self._keys.append((what + kind, whose, language))

        for origin in file.origins.values():
            for what in ("names", "home", "phrases", "titles"):
                add(what, origin.origin_id, getattr(origin, what))
        for country in file.countries.values():
            add("words", country.code, country.words)
            add("states", country.code, country.states)
        for role in file.roles.values():
            add("beside", role.role, role.beside)
            add("alone", role.role, role.alone)
        for cue, listed in file.cues.items():
            add("cue", cue, listed)
        self._lexicon = terms.Lexicon(concepts, terms.PARTED)

    def home(self, language: str) -> str | None:
        """The country whose own language it is, where the lexicon has one."""
        return self._homes.get(language)

    def country_words(self) -> tuple[str, ...]:
        """Adjectives and names of all countries, as terms."""
        return self._country_words

    def filling(self, country: str | None, role: str) -> str | None:
        """The origin that fills a country's role."""
        return self._of_role.get((country or "", role))

    def find(self, sentence: str, country: str | None = None) -> Named:
        """`country` is the publisher's: whose ministry "the defence ministry" is."""
        text = terms.normalise(sentence)
        groups: dict[str, list[tuple[str, str, int, int]]] = defaultdict(list)
        for concept, start, end in self._lexicon.spans(text):
            what, whose, language = self._keys[int(concept)]
            if what.endswith("!"):
                what = what[:-1]
                if not _in_capitals(sentence, text, start, end):
                    continue
            if what == "cue" or _whole(text, start, end):
                groups[what].append((whose, language, start, end))
        cues: dict[str, list[Cue]] = defaultdict(list)
        for whose, language, start, end in groups["cue"]:
            cues[whose].append(Cue(start, end, language))
        mentions = self._mentions(text, groups, country)
        if mentions:
            mentions = [_judged(mention, text, cues) for mention in mentions]
        return Named(
            text,
            tuple(mentions),
            {cue: tuple(found) for cue, found in cues.items() if not cue.startswith("never")},
            tuple(self._mention(*found) for found in groups["titles"]),
            tuple(self._mention(*found) for found in groups["phrases"]),
            tuple(
                self._mention(self._of_role[code, "officials"], language, start, end)
                for code, language, start, end in groups["words"]
            ),
        )

    def _mention(
        self, origin_id: str, language: str, start: int, end: int, state: bool = False, bare: bool = False
    ) -> Mention:
        return Mention(origin_id, start, end, self.origins[origin_id].kind, state, language, bare=bare)

    def _mentions(
        self, text: str, groups: dict[str, list[tuple[str, str, int, int]]], country: str | None
    ) -> list[Mention]:
        found = [self._mention(*name) for name in groups["names"]]
        places = [*groups["words"], *groups["states"]]
        if groups["beside"] or groups["alone"]:
            offices = [one for one in (*groups["beside"], *groups["alone"]) if not _COMPOUND.match(text, one[3])]
            found += self._composed(text, places, offices)
        for origin_id, language, start, end in groups["home"]:
            own = self.origins[origin_id].country
            if self._at_home(language, country) == own and _stands_alone(text, start):
                found.append(self._mention(origin_id, language, start, end, bare=True))
        for role, language, start, end in groups["alone"]:
            own = self._at_home(language, country)
            if own in self._codes and _stands_alone(text, start) and not _described(text, start, language):
                found.append(self._mention(self._of_role[own, role], language, start, end, bare=True))
        for code, language, start, end in groups["states"]:
            if _stands_alone(text, start) and "-" not in (text[start - 1 : start], text[end : end + 1]):
                found.append(self._mention(self._of_role[code, "officials"], language, start, end, True))
        found = [m for m in found if not self._passes_on(m, found)]
        kept: list[Mention] = []
        for mention in sorted(found, key=lambda m: (m.start - m.end, m.state, m.start)):
            if all(mention.end <= other.start or other.end <= mention.start for other in kept):
                kept.append(mention)
        return sorted(kept, key=lambda m: m.start)

    def _passes_on(self, mention: Mention, found: Iterable[Mention]) -> bool:
        """Whether the country behind an office begins a name: "a spokesman for the Ukrainian General Staff"."""
        if self.origins[mention.origin_id].roles != ("officials",):
            return False
        return any(mention.start < other.start < mention.end < other.end for other in found)

    def _at_home(self, language: str, country: str | None) -> str:
        return country or self._homes.get(language, "")

    def _composed(
        self,
        text: str,
        places: list[tuple[str, str, int, int]],
        roles: list[tuple[str, str, int, int]],
    ) -> Iterable[Mention]:
        """A country beside a role: together they name who fills it. Of two countries in front of it each does."""
        for code, _, place_start, place_end in places:
            for role, language, role_start, role_end in roles:
                fits: object = False
                if 0 <= role_start - place_end <= 18:
                    fits = _TO_ROLE.fullmatch(text, place_end, role_start)
                elif 0 <= place_start - role_end <= 12:
                    fits = _TO_COUNTRY.fullmatch(text, role_end, place_start)
                if fits:
                    start, end = min(place_start, role_start), max(place_end, role_end)
                    yield self._mention(self._of_role[code, role], language, start, end)
                    for other, _, begin, stop in places if start == place_start else ():
                        if other != code and stop <= place_start and AND.fullmatch(text, stop, place_start):
                            yield self._mention(self._of_role[other, role], language, begin, stop)


def _in_capitals(sentence: str, text: str, start: int, end: int) -> bool:
    if len(sentence) == len(text):
        return sentence[start:end].isupper()
    return re.search(rf"(?<!\w){re.escape(text[start:end].upper())}(?![^\W_])", sentence) is not None


def _whole(text: str, start: int, end: int) -> bool:
    """Whether a term that begins with a single syllable or character stands by itself: 미 정부 and not 이미 정부."""
    if end - start > 1 and text[start + 1] != " ":
        return True
    return _begins(text, start) and not text[max(0, start - 1) : start].isdigit()


def _described(text: str, at: int, language: str) -> bool:
    """Whether an English office has a word in front that may say whose it is: "former Austrian foreign minister"."""
    word = re.search(r"([\w'.]+) $", text[:at])
    return language == "en" and not text.startswith("the ", at) and word is not None and word.group(1) not in _POINTING


def _begins(text: str, at: int) -> bool:
    """Whether a Korean word begins here."""
    return at == 0 or not _HANGUL.match(text, at - 1)


def _stands_alone(text: str, at: int) -> bool:
    """Whether no East Asian word runs into the term: 政府 in オランダ政府 is not our government."""
    if _HANGUL.match(text, at):
        return _begins(text, at)
    return at == 0 or not (_HAN_KANA.match(text, at) and _HAN_KANA.match(text, at - 1))


def _judged(mention: Mention, text: str, cues: dict[str, list[Cue]]) -> Mention:
    """With `never` set where a word right before it says so ("about the NIS", "in Seoul")."""
    barring = [*cues["never"], *(cues["never_state"] if mention.state else ())]
    for cue in barring:
        gap = text[cue.end : mention.start] if cue.end <= mention.start else None
        if gap is not None and len(gap) <= 5 and gap.strip() in ("", "the", "a", "an", "la", "le", "les", "l'", "'"):
            return replace(mention, never=True)
    return mention
