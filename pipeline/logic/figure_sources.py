"""Whose figure it is: the speaker of its clause, else of its sentence, else of the sentence before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.logic.figure_text import EAST_ASIAN, Mark, Marks
from pipeline.logic.mentions import Cue, Finder, Mention, Named
from pipeline.logic.origins import LONGEST
from pipeline.logic.speakers import CITED, Publisher, cited, together

TITLE = 4  # characters of an East Asian office behind a body's name: 国会議員
TO_CONFIRM = 12
PLACE = "place"
OPENS = 12  # characters in front of who a sentence is about
TO_TOLD = 24
REACH = 70  # characters from a name to the verb by which it gives a number
_VERB_LAST = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")  # Korean and Japanese
_DATIVE = re.compile(r"[а-яі](?:ам|ям)$")
_TO_NOUN = re.compile(r"(?:'s?)?\s?(?:own |latest |new |official |の|의 |의|측 |측의 |方面|側の)?")
_OF = re.compile(r"\s?(?:of|by|from)?\s?(?:the|its)?\s?")
_OF_NAMED = re.compile(r"\s?(?:[а-яёіїєґ'’-]{4,20}\s){0,2}")  # "утверждения президента Владимира ..."
_BY = re.compile(r"(?:\bby|\bpar)\s(?:the\s|la\s|le\s|l'|les\s)?$")
_VERB_LAST_LANGUAGES = ("ko", "ja", "zh")
_WORD = r"[A-ZА-ЯЁІЇЄҐ][\w'’-]+"
_NAME = re.compile(rf"{_WORD}(?:\s(?:[A-ZА-ЯЁІЇЄҐ]\.\s)?{_WORD}){{0,3}}")
_WITH_OFFICE = re.compile(rf"(?:'s|’s)?,?(?:\s[a-zа-яёіїєґ'’-]+){{1,4}},?\s({_WORD}(?:\s{_WORD}){{1,2}})")
_BEFORE_OFFICE = re.compile(rf"({_WORD}(?:\s{_WORD}){{1,2}}),\s(?:[a-zа-яёіїєґ'’-]+\s){{1,6}}$")
_SENTENCE_PART = re.compile(r"[;:\"“”«»—–]|\.\s")
_BREAKS = re.compile(r"[;。\"“”«»「」『』]|\.\s")
_COLON = re.compile(r"[^.;:：。]{0,40}[:：]")
_QUOTE = re.compile(r"[\"“«「『]")
_CLAUSE = re.compile(r"[;—–]|,\s(?:while|but|although|whereas|а|но|тогда как|хотя|але|хоча)\s")


@dataclass(frozen=True)
class Speaker:
    """Origins that speak together, and where in the sentence."""

    origins: tuple[str, ...]
    start: int
    end: int
    state: bool = False  # named by its country or capital
    claimed: bool = False  # as in "Seoul's estimate": close to its number


class Sources:
    def __init__(self, finder: Finder, voices: Mapping[str, str]) -> None:
        self._finder = finder
        self._voices = voices

    def named(self, sentence: str, marks: Marks, publisher: Publisher, known: Mapping[str, str]) -> Named:
        """Whom the sentence names. "The military" is the one that the article has named, else the publisher's own;
        "its military", of a place named in front, is that country's. `known`: the origin last named by each role."""
        country = publisher.country if self._finder.filling(publisher.country, "officials") else known.get(PLACE)
        named = self._finder.find(sentence[:LONGEST], country or publisher.country)
        if not any(m.bare for m in named.mentions):
            return named
        return replace(named, mentions=tuple(self._meant(m, named, marks, known) for m in named.mentions))

    def _meant(self, mention: Mention, named: Named, marks: Marks, known: Mapping[str, str]) -> Mention:
        roles = self._finder.origins[mention.origin_id].roles if mention.bare else ()
        there = any(0 <= mention.start - m.end <= 2 for m in marks.of("there", end=mention.start)) if roles else False
        for role in roles:
            states = [p for p in (*named.places, *(m for m in named.mentions if m.state)) if p.end <= mention.start]
            nearest = max(states, key=lambda p: p.start, default=None)
            place = self._finder.origins[nearest.origin_id].country if nearest else known.get(PLACE)
            country = place if there else None
            meant = self._finder.filling(country, role) or known.get(role)
            if meant:
                return replace(mention, origin_id=meant, kind=self.kind(meant))
        return mention

    def remembered(self, known: Mapping[str, str], sentence: str, named: Named) -> dict[str, str]:
        """With the origins named in full, by role, the country named last (PLACE), and persons, by surname."""
        full = [m for m in named.mentions if not m.bare and not m.state]
        offices = {role: m.origin_id for m in full for role in self._finder.origins[m.origin_id].roles}
        places = sorted([*named.places, *(m for m in named.mentions if m.state)], key=lambda m: m.start)
        country = self._finder.origins[places[-1].origin_id].country if places else None
        return {**known, **offices, **({PLACE: country} if country else {}), **_people(sentence, full, named)}

    def speakers(self, named: Named, marks: Marks, known: Mapping[str, str]) -> list[Speaker]:
        """Who speaks in the sentence, in its order; `marks` are the sentence's own."""
        found: dict[int, Speaker] = {}
        for mention in _addressing(named, cited(named)):
            group = list(together(named, mention))
            first = min(group, key=lambda m: m.start)
            origins = tuple(dict.fromkeys(m.origin_id for m in sorted(group, key=lambda m: m.start)))
            state = len(group) == 1 and first.state
            found.setdefault(first.start, Speaker(origins, first.start, max(m.end for m in group), state))
        for mention in named.mentions:
            claimed = _claims(marks, mention)
            if claimed or _puts(marks, mention) or _made(marks, mention):
                group = sorted(together(named, mention), key=lambda m: m.start)
                origins = tuple(dict.fromkeys(m.origin_id for m in group))
                if claimed or group[0].start not in found:
                    found[group[0].start] = Speaker(
                        origins, group[0].start, group[-1].end, len(group) == 1 and mention.state, claimed
                    )
        if any(marks.of("relaying")):
            found = {at: self._relayed(s, marks, known) for at, s in found.items()}
        for place in named.places:  # "the South Korean claim"
            within = any(m.start < place.end and place.start < m.end for m in named.mentions)
            gap = _TO_NOUN.match(marks.text, place.end)
            if not within and gap and marks.starting(gap.end(), "assertion") and gap.end() > place.end:
                found.setdefault(place.start, Speaker((place.origin_id,), place.start, place.end, True, claimed=True))
        for mention in named.mentions:
            found |= {at: s for at, s in self._heard(mention, marks) if at not in found}
        counted = [*marks.of("people", "subject", "cue")]
        found = {
            at: s
            for at, s in found.items()
            if self.kind(s.origins[0]) != "witness" or not any(m.start < s.end and s.start < m.end for m in counted)
        }
        service = known.get("intelligence")
        for mark in marks.of("agency") if service else ():
            barred = any(s.start < mark.end and mark.start < s.end for s in found.values())
            if service and not barred and not any(m.start < mark.end and mark.start < m.end for m in named.mentions):
                spoken = any(0 <= c.start - mark.end <= 2 or 0 <= mark.start - c.end <= 2 for c in _spoken(named))
                if spoken or EAST_ASIAN.match(marks.text, mark.start):
                    found.setdefault(mark.start, Speaker((service,), mark.start, mark.end))
        for phrase in named.phrases:
            found.setdefault(phrase.start, Speaker((phrase.origin_id,), phrase.start, phrase.end))
        # The topic's own country is named for its people: it speaks where nobody else does.
        subject = {at for at, s in found.items() if any(m.start <= s.start < m.end for m in marks.of("subject"))}
        kept = [s for at, s in found.items() if at not in subject or len(subject) == len(found)]
        return [self._voiced(s) for s in sorted(kept, key=lambda s: s.start)]

    def _voiced(self, speaker: Speaker) -> Speaker:
        """Where the state is named alone: the authority whose figures it gives on this topic."""
        voice = self._voices.get(speaker.origins[0]) if speaker.state else None
        return replace(speaker, origins=(voice,)) if voice and voice in self._finder.origins else speaker

    def _relayed(self, speaker: Speaker, marks: Marks, known: Mapping[str, str]) -> Speaker:
        """Lawmakers tell what their country's intelligence service has told them, where the text has named it."""
        if len(speaker.origins) > 1 or not any(marks.of("relaying", start=speaker.start, end=speaker.end + TITLE)):
            return speaker
        service = self._finder.filling(self._finder.origins[speaker.origins[0]].country, "intelligence")
        told = service and (any(marks.of("service")) or service in known.values())
        return replace(speaker, origins=(service,)) if service and told else speaker

    def _heard(self, mention: Mention, marks: Marks) -> Iterator[tuple[int, Speaker]]:
        """ "South Korean lawmakers were told": by their country's service."""
        for mark in marks.of("relaying", start=mention.start, end=mention.end + TITLE):
            told = any(0 <= m.start - mark.end <= TO_TOLD for m in marks.of("told", start=mark.end))
            service = self._finder.filling(self._finder.origins[mention.origin_id].country, "intelligence")
            if told and service:
                yield mention.start, Speaker((service,), mention.start, mark.end)

    def subject(self, named: Named) -> tuple[str, ...]:
        """Whom a sentence is about that nobody speaks in: "it" and "the agency" of the next."""
        for mention in named.mentions:
            if not mention.never and mention.kind not in (*CITED, "witness") and mention.start <= REACH:
                group = sorted(together(named, mention), key=lambda m: m.start)
                state = len(group) == 1 and mention.state
                speaker = Speaker(tuple(dict.fromkeys(m.origin_id for m in group)), mention.start, mention.end, state)
                return self._voiced(speaker).origins
        return ()

    def told_after(self, named: Named, marks: Marks, known: Mapping[str, str]) -> tuple[str, ...]:
        """Whose the figures of the sentence in front are by this one: "That is the agency's estimate"."""
        back = [m for m in marks.of("back") if m.start == 0 or EAST_ASIAN.match(marks.text, m.start)]
        if not back or any(marks.of("denial", "denial_after")):
            return ()
        speakers = self.speakers(named, marks, known)
        return speakers[0].origins if speakers else self.subject(named)

    def telling(self, speakers: Sequence[Speaker], marks: Marks) -> Sequence[Speaker]:
        """Less those who only confirm what is told: "the service confirmed it, too"."""
        bearing_out = list(marks.of("confirming"))
        return [
            s for s in speakers if not any(max(m.start - s.end, s.start - m.end) <= TO_CONFIRM for m in bearing_out)
        ]

    def headed(self, named: Named, marks: Marks, at: int) -> tuple[str, ...]:
        """Whom the sentence names before the number where nobody is said to speak: "Seoul is more careful: 300 dead",
        "Austin: 10,000". Nobody whose people are counted, and no paper."""
        for mention in named.mentions:
            barred = mention.never or mention.kind in (*CITED, "witness") or mention.end > at
            own = any(m.start < mention.end and mention.start < m.end for m in marks.of("subject", "people", "others"))
            gap = marks.text[mention.end : at]
            leads = mention.start <= OPENS and not mention.state and not _BREAKS.search(gap)
            stands = leads or _COLON.match(marks.text, mention.end, at)
            if not barred and not own and stands and not _QUOTE.search(marks.text[: mention.start]):
                return self._voiced(Speaker((mention.origin_id,), mention.start, mention.end, mention.state)).origins
        return ()

    def stranger(self, sentence: str, named: Named, marks: Marks, known: Mapping[str, str]) -> Speaker | None:
        """Who speaks by a name that no lexicon has: the authority that the article has named the person with ("Andriy
        Ivanenko, a spokesman for the General Staff"), else nobody known (no origins)."""
        if len(sentence) != len(named.text):
            return None
        verbs = [c for c in named.cues.get("said", ()) if c.language not in _VERB_LAST_LANGUAGES]
        for verb in sorted({*((v.start, v.end) for v in verbs), *((m.start, m.end) for m in marks.of("putting"))}):
            clause = max((m.end() for m in _SENTENCE_PART.finditer(sentence, 0, verb[0])), default=0)
            before = [m for m in _NAME.finditer(sentence, clause, verb[0]) if verb[0] - m.end() <= REACH]
            behind = _NAME.match(sentence, verb[1] + 1)
            for name in (before[-1] if before else None, behind):
                if name is None or any(m.start < name.end() and name.start() < m.end for m in named.mentions):
                    continue
                if any(p.start < name.end() and name.start() < p.end for p in named.places) or any(
                    m.start < name.end() and name.start() < m.end for m in marks.of("subject")
                ):
                    continue
                origin = known.get(_surname(name.group()))
                if origin or " " in name.group():
                    return Speaker((origin,) if origin else (), name.start(), name.end())
        return None

    def stands_for(self, origin_id: str, other: str) -> bool:
        """Whether the first is a country's officials, whoever they are, and the other an authority of that country."""
        origin = self._finder.origins[origin_id]
        return origin.roles == ("officials",) and origin.country == self._finder.origins[other].country

    def papers(self, speakers: Sequence[Speaker]) -> bool:
        """Whether nobody speaks, or papers alone."""
        return all(self.kind(s.origins[0]) in CITED for s in speakers)

    def kind(self, origin_id: str) -> str:
        return self._finder.origins[origin_id].kind

    def carried(self, speakers: Sequence[Speaker]) -> tuple[str, ...]:
        """Who speaks on in a sentence that names nobody: the last who isn't a paper that tells of another."""
        own = [s for s in speakers if self.kind(s.origins[0]) not in CITED] or list(speakers)
        return own[0].origins if own else ()

    def of(self, text: str, at: int, speakers: Sequence[Speaker], denial: Mark | None) -> tuple[str, ...]:
        """The origins of the number at `at`; for a denied one those who gave it, not who denies."""
        if denial is not None:
            return _denied(at, speakers, denial)
        near = [s for s in speakers if s.claimed and 0 <= at - s.end <= REACH]
        if near:
            return near[-1].origins
        speakers = [s for s in speakers if not s.claimed or len(speakers) == 1] or list(speakers)
        before = [s for s in speakers if s.end <= at]
        behind = [s for s in speakers if s.start >= at]
        clause = [s for s in behind if not _CLAUSE.search(text[at : s.start])]
        if before and (not clause or not _CLAUSE.search(text[before[-1].end : at])):
            chosen = before[-1]
        elif clause:
            chosen = clause[0]
        else:
            chosen = before[-1] if before else speakers[0]
        if self.kind(chosen.origins[0]) in CITED:  # a paper's "citing" leads to whose figure it is
            led = [
                s for s in speakers if s.start >= chosen.end and self.kind(s.origins[0]) not in CITED and s in clause
            ]
            chosen = led[0] if led and not before else chosen
        return chosen.origins


def _people(sentence: str, mentions: Iterable[Mention], named: Named) -> dict[str, str]:
    """Persons named with an authority, by surname: "GUR spokesman Andriy Ivanenko"."""
    found = {}
    for mention in mentions if len(sentence) == len(named.text) else ():
        behind = _WITH_OFFICE.match(sentence, mention.end)
        front = _BEFORE_OFFICE.search(sentence, 0, mention.start)
        for match in (behind, front):
            if match and mention.kind not in (*CITED, "witness"):
                found[_surname(match.group(1))] = mention.origin_id
    return found


def _surname(name: str) -> str:
    return "~" + name.rsplit(maxsplit=1)[-1].lower()


def _spoken(named: Named) -> Iterator[Cue]:
    for cue in ("said", "before"):
        yield from named.cues.get(cue, ())


def _denied(at: int, speakers: Sequence[Speaker], denial: Mark) -> tuple[str, ...]:
    claimed = [s for s in speakers if s.claimed]
    if claimed:
        return min(claimed, key=lambda s: abs(at - s.end)).origins
    others = [s for s in speakers if s.start > denial.end and s.end <= at]
    return others[-1].origins if others else ()


def _claims(marks: Marks, mention: Mention) -> bool:
    """ "Seoul's estimate of", "by the agency's count", "заявления южнокорейской разведки о"."""
    gap = _TO_NOUN.match(marks.text, mention.end)
    if gap and marks.starting(gap.end(), "assertion"):
        return gap.end() > mention.end or mention.language in ("ko", "ja", "zh")
    return any(
        any(of.fullmatch(marks.text, noun.end, mention.start) for of in (_OF, _OF_NAMED))
        and (noun.group == "given" or mention.language in ("ru", "uk") or mention.start - noun.end > 1)
        for noun in marks.of("assertion", "given", end=mention.start)
        if noun.group == "given" or mention.language not in ("ko", "ja", "zh")
    )


def _addressing(named: Named, mentions: Iterable[Mention]) -> Iterator[Mention]:
    """Less those who are told: of "сообщила депутатам разведка" the one behind."""
    for mention in mentions:
        if not _DATIVE.search(named.text, mention.start, mention.end):
            yield mention
        elif told := [m for m in named.mentions if 0 <= m.start - mention.end <= 3]:
            yield told[0]


def _puts(marks: Marks, mention: Mention) -> bool:
    """ "Zelensky put the number at", "the Pentagon, which counted"."""
    if _VERB_LAST.search(marks.text) or mention.kind == "witness":
        return False
    reach = 6 if EAST_ASIAN.match(marks.text, mention.start) else REACH
    for verb in marks.of("putting", start=mention.end, end=min(len(marks.text), mention.end + REACH)):
        gap = marks.text[mention.end : verb.start]
        relative = re.match(r",? (?:which|who)\b", gap)
        if not re.search(r"[;:\"“”«»]|, (?!which|who)", gap) and (relative or not mention.never):
            return len(gap) <= reach
    return False


def _made(marks: Marks, mention: Mention) -> bool:
    """ "were put at 1,400 by the ministry", "оценивается разведкой в 900 человек"."""
    text = marks.text
    for made in marks.of("passive", end=mention.start):
        gap = text[made.end : mention.start]
        if re.search(r"[;:.!?\"“”«»]\s|, (?:and|but|while|а|но|але)\b", gap):
            continue
        if _BY.search(text[: mention.start]):
            return len(gap) <= 2 * REACH
        if mention.language in ("ru", "uk") and len(gap.split()) <= 2:
            return True
    return False
