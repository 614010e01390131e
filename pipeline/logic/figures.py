"""The figures of a topic in an article: how many, in which role, says who, as of when.

Numbers come from the grammar (numerals.py). What a number counts (figure_counts.py), which role it plays
(figure_roles.py), whose it is (figure_sources.py) and of which day (figure_dates.py) is read from its sentence first,
then from the paragraph, then from the article. A number that is no figure of the topic is left out with a reason, so
that every number is accounted for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache

from pipeline.logic import figure_signs, origins
from pipeline.logic.figure_counts import BARE, OTHERS, PEOPLE, UNKNOWN, UNLIKE, Counted
from pipeline.logic.figure_dates import Dated, dates
from pipeline.logic.figure_numbers import Number, numbers, sole
from pipeline.logic.figure_records import Context, Figure, LeftOut, Reading
from pipeline.logic.figure_roles import APART, BESIDE, BESIDES, LIMIT, ROLE, WEAK, Chooser, Near, Place
from pipeline.logic.figure_sources import Sources, Speaker
from pipeline.logic.figure_text import Mark, Marker, Marks, joined_names
from pipeline.logic.figure_words import NUMBERED, Words
from pipeline.logic.mentions import Finder, Named
from pipeline.logic.numerals import Grammar, Quantity
from pipeline.logic.roles import NOUNS, Roles
from pipeline.logic.speakers import NOBODY, Publisher
from pipeline.logic.text import sentences

LONGEST = 1500  # characters of a sentence that are read
CALENDAR = NUMBERED | {"yesterday", "so", "sole", "back"}
TELLING = frozenset({"relaying", "service", "told", "there", "assertion", "given", "putting", "passive", "agency"})
RECENT = 256  # sentences and texts whose marks are kept
FEW = 100  # below it a number without a noun is a figure only beside a cue
HANDFUL = 3  # "one of them", "the two men": a figure only where a cue stands near
FEWEST = 10
LARGE = 500  # what may be a contingent though nothing says so
CALENDRIC = ("date", "year", "time")  # quantities whose words are no cues: the month of "in month 10"
LONG_AGO = 40  # years before publication; a sentence that names such a year is history

OTHER_PEOPLE, OTHER_UNIT, NO_SUBJECT, NO_ROLE = "other people", "other unit", "not of the topic", "no role"
BY_THE_DAY, DIFFERENCE = "by the day", "difference"
LONG_AGO_REASON, NOBODY_COUNTED = "long ago", "none"
KNOWN = "told before"  # "the two prisoners"

_DEFINITE = re.compile(r"\b(?:the|these|those|both|his|her|their|les|ces)\s$")


class Figures:
    def __init__(self, roles: Roles, finder: Finder, grammar: Grammar, words: Words) -> None:
        self._roles = {role.name: role for role in roles.roles}
        cues = [term for role in roles.roles for term in role.cues if " + " not in term]
        of_roles = {ROLE + role.name: role.cues for role in roles.roles}
        of_roles |= {WEAK + role.name: role.weak for role in roles.roles}
        of_roles |= {APART + role.name: role.apart for role in roles.roles}
        nouns = {key: getattr(roles, key) for key in NOUNS}
        own = Marker({"subject": roles.subject})
        nouns["foreign"] = tuple(
            word for word in finder.country_words() if not any(own.marks(word.rstrip("*")).of("subject"))
        )
        self._marker = Marker({**words.groups, **nouns, **of_roles, "cue": cues})
        calendar = {group: terms for group, terms in words.groups.items() if group.split()[0] in CALENDAR}
        telling = {group: terms for group, terms in words.groups.items() if group in TELLING}
        self._light = Marker({"subject": roles.subject, **calendar, **telling})  # for sentences without a number
        # A sentence is looked at again from the one behind it, and what stands before at every paragraph.
        self._full = lru_cache(maxsize=RECENT)(self._marker.marks)
        self._few = lru_cache(maxsize=RECENT)(self._light.marks)
        self._names_subject = lru_cache(maxsize=RECENT)(lambda t: any(self._light.marks(t).of("subject")))
        self._chooser = Chooser(roles)
        self._sources = Sources(finder, dict(roles.voices))
        self._finder = finder
        self._grammar = grammar

    def name_of(self, origin_id: str) -> str:
        return self._finder.origins[origin_id].name

    def article(
        self,
        title: str,
        paragraphs: Sequence[str],
        *,
        published: datetime | date | None = None,
        language: str | None = None,
        source: str | None = None,
        publisher: Publisher = NOBODY,
    ) -> list[Reading]:
        """A reading of each paragraph, in order."""
        found = origins.find(self._finder, title, paragraphs, source=source, publisher=publisher)
        main = (found.main.origin_id,) if found.main else ()
        if publisher.country is None and language:  # whose ministry "the defence ministry" is
            publisher = replace(publisher, country=self._finder.home(language))
        context = Context(title, (), published, language, publisher, main)
        readings = []
        told: dict[tuple[str, float, float], tuple[str, ...]] = {}
        for number, paragraph in enumerate(paragraphs):
            reading = self.of(paragraph, replace(context, before=paragraphs[:number]))
            readings.append(replace(reading, figures=tuple(self._same(f, told) for f in reading.figures)))
            context = replace(
                context,
                last=reading.last,
                said=reading.said,
                lead=reading.lead,
                known=reading.known,
                role=reading.role,
            )
        return readings

    def title(
        self,
        title: str,
        paragraphs: Sequence[str],
        readings: Sequence[Reading],
        *,
        published: datetime | date | None = None,
        language: str | None = None,
        publisher: Publisher = NOBODY,
    ) -> tuple[Figure, ...]:
        """The figures of a title that its text, as `article` read it, has not: a feed may tell a number in it alone.
        What the same number counts the text says better.
        """
        told = [figure for reading in readings for figure in reading.figures]
        known = {(f.low, f.high) for f in told}
        main = told[0].attributed_to if told else ()
        found = self.of(title, Context("", paragraphs, published, language, publisher, main))
        return tuple(f for f in found.figures if (f.low, f.high) not in known)

    def _same(self, figure: Figure, told: dict[tuple[str, float, float], tuple[str, ...]]) -> Figure:
        """Seoul's 12,000 are the agency's, where the article has named the agency for them."""
        key = figure.role, figure.low, figure.high
        known, own = told.get(key), figure.attributed_to
        if known and ((figure.denied and not own) or (len(own) == 1 and self._sources.stands_for(own[0], known[0]))):
            return replace(figure, attributed_to=known)
        if own and not figure.denied:
            told[key] = own
        return figure

    def of(self, text: str, context: Context) -> Reading:
        pieces = list(_pieces(text))
        so_far = _SoFar(context.last, dict(context.said), context.lead, dict(context.known), context.role)
        for at in range(len(pieces)):
            read, counted, bearing = self._sentence(text, pieces, at, context, so_far)
            for outcome in self._numbers(read, counted, bearing, so_far.said):
                if isinstance(outcome, LeftOut):
                    so_far.left_out.append(outcome)
                elif any(_repeats(outcome, figure) for figure in so_far.figures):
                    so_far.left_out.append(LeftOut(outcome.start, outcome.end, outcome.span, KNOWN))
                else:
                    so_far.figures.append(outcome)
            if read.speakers:
                so_far.within = so_far.last = self._sources.carried(read.speakers)
            so_far.topical = any(read.marks.of("subject")) or so_far.topical
            so_far.silent = None if read.speakers else read.named
            so_far.role = so_far.figures[-1].role if so_far.figures else so_far.role
        return so_far.reading()

    def _sentence(
        self, text: str, pieces: Sequence[tuple[int, int]], at: int, context: Context, so_far: _SoFar
    ) -> tuple[_Sentence, list[Number], bool]:
        """A sentence with all that is told around it, its numbers, and whether one of them may be a figure."""
        begin, stop = pieces[at]
        sentence = text[begin:stop]
        found = self._grammar.find(sentence, context.language)
        marks = self._marks(sentence, found)
        counted = sorted([*numbers(sentence, marks, found), *sole(marks)], key=lambda n: n.start)
        marks = marks.outside([(q.start, q.end + 1) for q in found if q.kind in CALENDRIC], ROLE)
        named = self._sources.named(sentence, marks, context.publisher, so_far.known)
        speakers = self._sources.speakers(named, marks, so_far.known)
        so_far.known = self._sources.remembered(so_far.known, sentence, named)
        day = context.day()
        dated = dates(marks, day) if day and (counted or speakers) else []
        if speakers and dated:
            so_far.said |= dict.fromkeys(speakers[0].origins, dated[0].day)
            so_far.lead = so_far.lead or dated[0].day
        own = any(marks.of("subject"))
        if counted and not own and so_far.topical is None:
            so_far.topical = self._topical(context, text[:begin])
        bearing = bool(counted) and (own or bool(so_far.topical))
        spans = [(s.start, s.end) for s in speakers]  # "and" joins names there, and who speaks is not counted
        marks = marks.without("others", spans) if counted else marks
        if bearing:
            marks = self._chooser.united(marks).without("and", [*spans, *joined_names(sentence)])
        if not speakers and so_far.silent and any(marks.of("so")):
            so_far.within = self._sources.subject(so_far.silent) or so_far.within
        teller = so_far.within
        following = text[slice(*pieces[at + 1])] if at + 1 < len(pieces) else ""
        asked = bearing and following and self._sources.papers(speakers)
        if asked and (told := self._told_behind(following, context, so_far)):
            speakers, teller = [], told
        front = text[slice(*pieces[at - 1])] if at else ""
        carried, going = self._roles_before(front, marks, speakers, so_far) if bearing else (None, None)
        known, last, lead = so_far.known, so_far.last, so_far.lead
        return (
            _Sentence(
                sentence, begin, marks, named, known, speakers, dated, teller, context, last, lead, carried, going
            ),
            counted,
            bearing,
        )

    def _told_behind(self, following: str, context: Context, so_far: _SoFar) -> tuple[str, ...]:
        """Whose the figures are by the sentence behind: "That is the agency's estimate"."""
        if not any(self._few(following).of("back")):
            return ()
        marks = self._full(following)
        named = self._sources.named(following, marks, context.publisher, so_far.known)
        return self._sources.told_after(named, marks, so_far.known)

    def _roles_before(
        self, front: str, marks: Marks, speakers: Sequence[Speaker], so_far: _SoFar
    ) -> tuple[Near | None, Near | None]:
        """The role that the sentence in front, or the text before it, tells, where this one is of giving a number, and
        the one that the paragraph has told so far, where this one tells none itself."""
        cued = any(group.startswith(ROLE) and some for group, some in marks.by_group.items())
        telling = not cued and (speakers or any(marks.of("putting", "assertion")))
        told = {figure.role for figure in so_far.figures}
        carried = None
        if telling or any(marks.of("tally")):
            carried = self._chooser.only(self._full(front)) if front else None
            carried = carried or (None if cued else self._going_on(told or {so_far.role}))
        return carried, None if cued else self._going_on(told)

    def _going_on(self, told: set[str]) -> Near | None:
        """The role of which the text goes on to tell: what has become of those sent."""
        role = self._roles.get(next(iter(told))) if len(told) == 1 else None
        fits = role is not None and role.unit == "people" and not role.whole and not role.turns
        return Near(role.name, LIMIT, 0, True) if role is not None and fits else None

    def _topical(self, context: Context, before: str) -> bool:
        return any(map(self._names_subject, (before, context.title, *context.before)))

    def _numbers(
        self, read: _Sentence, found: Sequence[Number], topical: bool, said: Mapping[str, date]
    ) -> Iterator[Figure | LeftOut]:
        marks = read.marks
        phrases = figure_signs.phrases(marks, found)
        counts = [not n.reason and p.what in (PEOPLE, BARE) for n, p in zip(found, phrases, strict=True)]
        past = day.year - LONG_AGO if (day := read.context.day()) else None
        long_ago = any(past and n.kind in ("year", "date") and 1000 < n.low < past for n in found)
        left: list[str] = []
        before: Near | None = None
        strong: Near | None = None
        for i, (number, phrase) in enumerate(zip(found, phrases, strict=True)):
            others = [(n.start, n.end) for j, n in enumerate(found) if j != i and counts[j]]
            place = Place(
                phrase.start,
                phrase.end,
                others,
                number.whole,
                number.part,
                number.high >= LARGE,
                figure_signs.of_end(marks, phrase.end),
                number.high,
                marks.text[phrase.end : phrase.end + 1] in (",", "，"),
            )
            role: Near | None = None
            outcome: Figure | str = LONG_AGO_REASON if long_ago and not number.reason else number.reason
            if not outcome and not topical:
                outcome = self._reason(marks, number, phrase, topical, None)
            elif not outcome:
                previous = phrases[i - 1] if i else None
                joined = previous is not None and counts[i - 1] and figure_signs.coordinated(marks, previous, phrase)
                role = self._role(marks, number, place, before if joined else None)
                shared = role is not None and strong is not None and role.at == strong.at >= 0
                if shared and role is not None and strong is not None and role.role != BESIDES:
                    role = replace(
                        role, role=strong.role
                    )  # "will send 1,000 sappers to clear mines and 5,000 builders"
                bare = phrase.what == BARE and number.high >= FEW
                if strong is None and _takes(marks, number, phrase, role):
                    role = read.carried or role  # "North Korean losses grow. Kyiv put the figure at 3,000."
                if role is None and phrase.what == PEOPLE and number.kind == "cardinal" and number.high >= LARGE:
                    denied = figure_signs.denial(marks, number) is not None
                    role = None if denied else read.going or self._chooser.contingent(marks, place)
                weak = role is None or role.weak
                if weak and strong is not None and bare:
                    role = strong  # "Kyiv put the losses at 3,000; Seoul's figure was 1,100"
                if i and left[-1] == OTHER_PEOPLE and figure_signs.same_people(marks, phrases[i - 1], phrase):
                    outcome = OTHER_PEOPLE
                else:
                    outcome = self._read(read, number, phrase, place, topical, role, said)
            left.append(outcome if isinstance(outcome, str) else "")
            if isinstance(outcome, Figure):
                yield outcome
            else:
                start, end = number.start, number.end
                yield LeftOut(read.begin + start, read.begin + end, read.sentence[start:end], outcome)
            before = role
            strong = role if role is not None and not role.weak else strong

    def _role(self, marks: Marks, number: Number, place: Place, before: Near | None) -> Near | None:
        """`before` is that of the number it is joined to by "and"."""
        if number.sole:
            return self._chooser.within(marks, place)
        role = self._chooser.choose(marks, place, unit="usd_month" if number.kind == "money" else "people")
        same = role is not None and before is not None and role.at == before.at
        if before is not None and (same or role is None or role.cost > max(before.cost, 2 * BESIDE)):
            return before
        return role

    def _read(
        self,
        read: _Sentence,
        number: Number,
        phrase: Counted,
        place: Place,
        topical: bool,
        role: Near | None,
        said: Mapping[str, date],
    ) -> Figure | str:
        """The figure, or the reason why the number is none."""
        reason = self._reason(read.marks, number, phrase, topical, role)
        denial = figure_signs.denial(read.marks, number)
        if reason or role is None:
            return reason
        if denial is not None and denial.group == "no" and number.high <= 1:
            return NOBODY_COUNTED
        known = self._roles[role.role]
        increment = number.increment or figure_signs.more(read.marks, place)
        attributed = self._whose(read, number, denial)
        start, end = read.begin + number.start, read.begin + number.end
        return Figure(
            known.increments if increment and known.increments else known.name,
            number.low,
            number.high,
            number.modality,
            known.unit,
            denial is not None,
            attributed,
            _as_of(read, number, attributed, said),
            start,
            end,
            read.sentence[number.start : number.end],
            increment,
            number.earlier or figure_signs.former(read.marks, place, role in (read.carried, read.going)),
            number.of,
        )

    def _marks(self, sentence: str, found: Sequence[Quantity]) -> Marks:
        """Of a sentence without a number only who speaks, unless it has "the only prisoner"."""
        marks = (self._full if found else self._few)(sentence)
        return self._full(sentence) if not found and any(marks.of("sole")) else marks

    def _reason(self, marks: Marks, number: Number, phrase: Counted, topical: bool, role: Near | None) -> str:
        """Why the number is no figure; empty where it is one."""
        reason = ""
        thing = phrase.what in (UNLIKE, UNKNOWN) and not number.multiplied
        if thing or (phrase.what == BARE and figure_signs.of_things(marks, phrase)):
            reason = OTHER_UNIT
        elif (phrase.whose or figure_signs.owner(marks, phrase)) == OTHERS or figure_signs.mixed(marks, phrase):
            reason = OTHER_PEOPLE
        elif number.kind != "money" and figure_signs.by_the_day(marks, phrase):
            reason = BY_THE_DAY
        elif figure_signs.difference(marks, phrase):
            reason = DIFFERENCE
        elif figure_signs.history(marks, phrase):
            reason = LONG_AGO_REASON
        elif not topical:
            reason = NO_SUBJECT
        elif role is None or role.role == BESIDES:
            reason = NO_ROLE
        elif phrase.what == BARE and number.high < FEW and role.cost > BESIDE:
            reason = OTHER_UNIT
        elif number.high <= HANDFUL and role.cost > (BESIDE if number.high <= 1 else 2 * BESIDE):
            reason = NO_ROLE
        elif number.high <= HANDFUL and _DEFINITE.search(marks.text[: number.start]):
            reason = KNOWN
        elif role.weak and number.whole and number.high < FEW:
            reason = NO_ROLE  # 22 of a platoon of 27
        elif number.high < FEWEST and (self._roles[role.role].whole or self._roles[role.role].turns):
            reason = NO_ROLE  # three generals are no contingent
        return reason

    def _whose(self, read: _Sentence, number: Number, denial: Mark | None) -> tuple[str, ...]:
        """Who speaks in the sentence, or leads it, else who spoke last, else whom the article rests on."""
        speakers = self._sources.telling(read.speakers, read.marks) if read.within else read.speakers
        if speakers:
            found = self._sources.of(read.marks.text, number.start, speakers, denial)
            if found or denial is not None:
                return found
        stranger = self._sources.stranger(read.sentence, read.named, read.marks, read.known)
        if stranger is not None:
            return stranger.origins
        own = self._sources.headed(read.named, read.marks, number.start) or read.within
        return own or (read.last if any(read.marks.of("so")) else ()) or self._rests_on(read)

    def _rests_on(self, read: _Sentence) -> tuple[str, ...]:
        main = read.context.main
        relayed = main and read.last and self._sources.stands_for(main[0], read.last[0])
        return read.last if relayed else main  # a text rests on lawmakers: who has told them


@dataclass
class _SoFar:
    """What a paragraph has told up to a sentence."""

    last: tuple[str, ...]
    said: dict[str, date]
    lead: date | None
    known: dict[str, str]
    role: str
    within: tuple[str, ...] = ()  # who spoke last in this paragraph
    topical: bool | None = None  # whether what stands before is of the topic; looked up once it matters
    silent: Named | None = None  # the sentence in front, where nobody speaks in it
    figures: list[Figure] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def reading(self) -> Reading:
        return Reading(
            tuple(self.figures), tuple(self.left_out), self.last, self.said, self.lead, self.known, self.role
        )


@dataclass(frozen=True)
class _Sentence:
    sentence: str
    begin: int
    marks: Marks
    named: Named
    known: Mapping[str, str]
    speakers: Sequence[Speaker]
    dated: Sequence[Dated]
    within: tuple[str, ...]
    context: Context
    last: tuple[str, ...]
    lead: date | None
    carried: Near | None  # the role that the sentence in front tells
    going: Near | None  # the role that the paragraph has told so far


def _takes(marks: Marks, number: Number, phrase: Counted, role: Near | None) -> bool:
    """Whether a number has no role but, perhaps, that of the sentence in front."""
    if phrase.what not in (BARE, PEOPLE) or phrase.whose or number.kind != "cardinal" or number.high < FEW:
        return False
    return role is None or (role.weak and any(m.start <= role.at < m.end for m in marks.of("tally")))


def _repeats(figure: Figure, before: Figure) -> bool:
    """Whether a paragraph says the same twice."""
    same = (figure.role, figure.low, figure.high, figure.attributed_to, figure.denied, figure.increment, figure.earlier)
    known = (
        before.role,
        before.low,
        before.high,
        before.attributed_to,
        before.denied,
        before.increment,
        before.earlier,
    )
    return same == known


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Sentences; one that is too long to look back and forth in is read in parts."""
    for begin, stop in sentences(text):
        for start in range(begin, stop, LONGEST):
            yield start, min(stop, start + LONGEST)


def _as_of(read: _Sentence, number: Number, attributed: tuple[str, ...], said: Mapping[str, date]) -> date | None:
    """The day of the statement: named beside whose figure it is, or where they spoke before, or of publication."""
    if read.dated:
        speaker = next((s for s in read.speakers if s.origins == attributed), None)
        near = speaker.end if speaker else number.start
        return min(read.dated, key=lambda d: abs(d.start - near)).day
    for origin in attributed:
        if origin in said:
            return said[origin]
    return read.lead or read.context.day()
