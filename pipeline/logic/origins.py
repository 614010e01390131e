"""The origins of an article: the authorities that its reports rest on.

A name alone is no origin ("Zelensky met the NIS director"). It becomes one by what stands around it:
    said       it is the subject of a verb of saying; where the subject stands depends on the language
    before     "according to", по данным, selon, 据 lead to it
    after      에 따르면, によると follow it
    headline   a title's own forms: `NIS: ...`, 국정원 "...", a name at the end
    dateline   "SEOUL (Yonhap) -", ソウル=共同
    source     the feed's source field or the publisher, where the text cites nobody
Every paragraph has the origins of its own sentences; one without any inherits the article's main origin, the one with
the most weight in title and lead.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.logic import text as texts
from pipeline.logic.mentions import Cue, Finder, Mention, Named
from pipeline.logic.terms import normalise

CITED = frozenset({"wire", "media", "state-media"})  # others' words come through them: "told Reuters"
VERB_LAST = frozenset({"ko", "ja"})
VERB_FIRST = frozenset({"ru", "uk"})  # also: заявил Песков
STRENGTH = {"cue": 1.0, "headline": 0.9, "dateline": 0.4, "source": 0.3, "inherited": 0.2}
# Weight of a paragraph's origin for the whole article, by position (0: the title; 1: the lead, whose first sentence
# counts most). Tuned, roughly, on the newsroom's articles before 2025.
TITLE, LEAD, LEAD_REST, SECOND, LATER = 2.0, 3.0, 2.6, 1.0, 0.5
CARRIER = 0.5  # of a wire's or paper's weight: whom it cites comes first
COMMENT = 0.6  # of an analyst's
AS_PUBLISHER = 1.5  # of what a publisher of that kind writes: a blog's own analysis
ENOUGH = 1.0  # one remark in the fourth paragraph makes no main origin

_STOPS = re.compile(r"[;:\"“”«»„—]| [-–] ")
_THAT = re.compile(r"\b(?:that|que|qui|что|що|кто|хто|если|якщо|whether)\b")
_PASSIVE = re.compile(r"\b(?:was|were|is|are|been|being|be|to|not|n't|не)\s(?:\w+ly\s)?$")
_ABOUT = re.compile(r"\b(?:о|об|обо|про|против|проти|к|для|на слова|на заявлени\w+)\b")
_CLAUSE = re.compile(r"[,.;:\"“”«»„—–]|\s-\s")
_MARKS = re.compile('["“”„«»「」『』]')
_AND = re.compile(r"\s*(?:,?\s?and|&|и|і|та|й|et|와|과|및|·|・|、|和|と)\s*(?:the\s|l'|la\s|le\s)?")
_KOREAN_SUBJECT = re.compile(
    r"(?![에을를와과로])(?:측|의)?(?:\s?[가-힣·()a-z]{1,8}){0,3}?(은|는|이|가|도|에서는)(?=[\s,\"“‘'…])"
)
_STATE_SUBJECT = re.compile(r"(?:\s?측|側|政府|当局)?(은|는|は|も|가|が)(?=[\s,\"“‘'…、「]|[ぁ-ん一-龯])")
_BARE_SUBJECT = re.compile(r"\s?(?:[가-힣]{1,6}\s?)?(?:은|는|이|가|도)|\S{0,8}?[はがも]")
_JAPANESE_SUBJECT = re.compile(r"(?![にをとへ])[^、。「」『』\s]{0,14}?(は|が|も)")
_TITLE_QUOTE = re.compile(r"\s?(?:[:：]|[\"“‘'「『«])")
_TITLE_TAIL = re.compile(r"[\s\"”'’」』?!.…)]*")
_TAG_END = re.compile(r"\s?[\]】:：|｜)〉>-]")


@dataclass(frozen=True)
class Attribution:
    """An origin at a position (0 the title, 1 ... the paragraphs; None for the whole article)."""

    origin_id: str
    position: int | None
    sentence: str
    how: str
    strength: float


@dataclass(frozen=True)
class Found:
    main: Attribution | None
    paragraphs: tuple[Attribution, ...]

    def all(self) -> list[Attribution]:
        return [*([self.main] if self.main else []), *self.paragraphs]


@dataclass(frozen=True)
class Publisher:
    """What is known of who publishes: for "the defence ministry", "told the Kyiv Ledger", and texts that cite nobody."""

    name: str = ""
    country: str | None = None
    kind: str | None = None


def find(
    finder: Finder,
    title: str,
    paragraphs: Sequence[str],
    *,
    source: str | None = None,
    publisher: Publisher = Publisher(),  # noqa: B008 - frozen
) -> Found:
    """The origins of an article, as a whole and by paragraph. `source` is the feed's (RSS <source>)."""
    own: list[Attribution] = []
    weights: dict[str, float] = defaultdict(float)
    for position, paragraph in enumerate((title, *paragraphs)):
        seen: set[str] = set()
        sentences = [title] if position == 0 else [paragraph[a:b] for a, b in texts.sentences(paragraph)]
        for number, sentence in enumerate(sentences):
            for origin_id, how in _of_sentence(finder, sentence, position, number, publisher):
                if origin_id not in seen:
                    seen.add(origin_id)
                    own.append(Attribution(origin_id, position, sentence, how, STRENGTH[how]))
                    weights[origin_id] += _weight(finder, origin_id, how, position, number)
    for origin in finder.origins.values():
        if publisher.kind is not None and publisher.kind in origin.publishers:
            weights[origin.origin_id] += AS_PUBLISHER
    main = _main(finder, own, weights, publisher) or _from_source(finder, source, publisher)
    if main is None:
        return Found(None, tuple(own))
    cited = {a.position for a in own}
    inherited = [
        replace(main, position=position, how="inherited", strength=STRENGTH["inherited"])
        for position, paragraph in enumerate((title, *paragraphs))
        if paragraph and position not in cited
    ]
    return Found(main, tuple(sorted([*own, *inherited], key=lambda a: a.position or 0)))


def _weight(finder: Finder, origin_id: str, how: str, position: int, number: int) -> float:
    places = {0: TITLE, 1: LEAD if number == 0 else LEAD_REST, 2: SECOND}
    kind = finder.origins[origin_id].kind
    tag = 2.0 if how == "headline" and kind == "analysis" else 1.0  # "[분석]" stands for the whole
    factor = CARRIER if kind in ("wire", "media") else COMMENT if kind in ("analysis", "think-tank") and tag == 1 else 1
    return places.get(position, LATER) * factor * tag * (STRENGTH[how] if how == "dateline" else 1)


def _main(
    finder: Finder, own: list[Attribution], weights: dict[str, float], publisher: Publisher
) -> Attribution | None:
    order = {a.origin_id: -n for n, a in reversed(list(enumerate(own)))}
    best = max(weights, key=lambda origin_id: (weights[origin_id], order.get(origin_id, 1)), default=None)
    if best is None or weights[best] < (ENOUGH if finder.origins[best].kind not in CITED else ENOUGH / 2):
        return None
    told = [a for a in own if a.origin_id == best]
    if not told:
        return Attribution(best, None, publisher.name, "source", STRENGTH["source"])
    return replace(next((a for a in told if a.position), told[0]), position=None)  # a sentence says more than a title


def _from_source(finder: Finder, source: str | None, publisher: Publisher) -> Attribution | None:
    for name in (source, publisher.name):
        if name:
            known = [m for m in finder.find(name).mentions if m.kind in CITED]
            if known:
                return Attribution(known[0].origin_id, None, name, "source", STRENGTH["source"])
    return None


# Sentences ----------------------------------------------------------------------------------------------------


def _of_sentence(
    finder: Finder, sentence: str, position: int, number: int, publisher: Publisher
) -> Iterator[tuple[str, str]]:
    named = finder.find(sentence, publisher.country)
    if position == 0:
        yield from ((origin_id, "headline") for origin_id in _tags(named))
    yield from ((mention.origin_id, "cue") for mention in named.phrases)
    if publisher.name and _told_us(named, publisher.name):
        yield from ((o.origin_id, "cue") for o in finder.origins.values() if o.kind == "own")
    if not named.mentions:
        return
    for mention in _cited(named):
        yield from ((one.origin_id, "cue") for one in _together(named, mention))
    if position == 0:
        yield from ((mention.origin_id, "headline") for mention in _headlined(named))
    if position == 1 and number == 0:
        yield from ((mention.origin_id, "dateline") for mention in _dateline(named))


def _cited(named: Named) -> Iterator[Mention]:
    quoted = _quotations(named.text)
    for verb in ("said", "shows"):
        verbs = [cue for cue in named.cues.get(verb, ()) if not quoted(cue.start)]
        speakers = [m for m in named.mentions if (m.kind == "document") is (verb == "shows") and not m.never]
        for cue in verbs:
            before = [m for m in speakers if m.end <= cue.start and not quoted(m.start)]
            if cue.language in VERB_LAST:
                mention = _subject_before_end(named, cue, before)
            else:
                mention = _speaker(named, cue, verbs, before, [m for m in speakers if m.start >= cue.end])
            if mention is not None:
                yield mention
    for cue in named.cues.get("before", ()):
        mention = next((m for m in named.mentions if m.start >= cue.end), None)
        if mention is not None and _leads(named.text, cue, mention):
            yield mention
    for cue in named.cues.get("after", ()):
        mention = next((m for m in reversed(named.mentions) if m.end <= cue.start), None)
        if mention is not None and not re.search(r"[,、。\"「」]", gap := named.text[mention.end : cue.start]):
            if len(gap) <= 14:
                yield mention


def _quotations(text: str) -> Callable[[int], bool]:
    """Whether a place lies inside quotation marks: what stands there was said, and says nothing of who said it."""
    spans, begun = [], None
    for match in _MARKS.finditer(text):
        mark = match.group()
        if begun is None and mark in '"“„«「『':
            begun = match.start()
        elif begun is not None and mark in '"”“»」』':
            spans.append((begun, match.start()))
            begun = None
    return lambda at: any(begin < at < end for begin, end in spans)


def _leads(text: str, cue: Cue, mention: Mention) -> bool:
    gap = text[cue.end : mention.start]
    if cue.language != "zh":
        return len(gap) <= 60 and not re.search(r"[,;:.\"«“]", gap)
    # 据 is a part of many words; as a cue nothing stands before it.
    return (
        len(gap) <= 6 and not re.search(r"[，。、：“]", gap) and text[max(0, cue.start - 1)] not in "证證数數占依票收单"
    )


def _speaker(
    named: Named, cue: Cue, verbs: Sequence[Cue], before: Sequence[Mention], behind: Sequence[Mention]
) -> Mention | None:
    """Who says it where the verb stands by its subject: before it, or, as in "..., said X", behind it."""
    text = named.text
    left = before[-1] if before else None
    commas = 0
    if left is not None:
        gap = text[left.end : cue.start]
        commas = gap.count(",") + gap.count("，")
        reach = 25 if cue.language == "zh" else 16 if left.state else 90
        apposition = commas % 2 == 0 or gap.endswith(", ")
        other = any(left.end <= c.start and c.end <= cue.start for c in verbs if c.language == cue.language)
        barred = other or _STOPS.search(gap) or _THAT.search(gap) or _PASSIVE.search(text[left.start : cue.start])
        if len(gap) > reach or not apposition or barred or (commas and (left.state or cue.language == "zh")):
            left = None
    if left is not None and not commas:
        return left
    return (_behind(named, cue, behind[0]) if behind and cue.language != "zh" else None) or left


def _behind(named: Named, cue: Cue, mention: Mention) -> Mention | None:
    gap = named.text[cue.end : mention.start]
    if mention.kind in CITED and gap.strip() in ("", "the", "à l'", "à", "в"):
        return mention
    if re.search(r"[,.]", gap) or _STOPS.search(gap) or _THAT.search(gap) or _ABOUT.search(gap):
        return None
    clause = _CLAUSE.split(named.text[: cue.start])[-1]
    if cue.language in VERB_FIRST:  # заявил Песков: the verb begins its clause, but for a word like ранее
        return mention if len(gap) <= 60 and len(clause.split()) <= 2 and not _THAT.search(clause) else None
    return mention if len(gap) <= 25 and clause.strip() in ("", "a", "ont") and cue.start > 0 else None


def _subject_before_end(named: Named, cue: Cue, before: Sequence[Mention]) -> Mention | None:
    """Who says it where the verb comes last: what is marked right before it, else the topic, else a subject."""
    full = _KOREAN_SUBJECT if cue.language == "ko" else _JAPANESE_SUBJECT
    topic: Mention | None = None
    other: Mention | None = None
    for mention in reversed(before):
        marked = (_STATE_SUBJECT if mention.state else full).match(named.text, mention.end)
        if marked is None or marked.end() > cue.start:
            continue
        bare = _BARE_SUBJECT.fullmatch(named.text, mention.end, marked.end())
        if bare and cue.start - marked.end() <= 14:
            return mention
        if marked.group(1) in ("은", "는", "에서는", "は"):
            topic = topic or mention
        elif not mention.state:
            other = other or mention
    return topic or other


def _together(named: Named, mention: Mention) -> Iterator[Mention]:
    """The mention and those joined to it: "the NIS and the Pentagon"."""
    yield mention
    at = named.mentions.index(mention)
    for step in (-1, 1):
        here, number = mention, at + step
        while 0 <= number < len(named.mentions):
            there = named.mentions[number]
            first, second = (there, here) if step < 0 else (here, there)
            if there.never or not _AND.fullmatch(named.text, first.end, second.start):
                break
            yield there
            here, number = there, number + step


def _tags(named: Named) -> Iterator[str]:
    for mention in named.titles:
        if mention.start <= 2 and _TAG_END.match(named.text, mention.end):
            yield mention.origin_id


def _headlined(named: Named) -> Iterator[Mention]:
    text = named.text
    for mention in named.mentions:
        if mention.never:
            continue
        quote = _TITLE_QUOTE.match(text, mention.end)
        colon = quote is not None and quote.group().strip() in (":", "：")
        if quote is not None and not (colon and mention.state):
            yield mention
        elif mention.state:
            continue
        elif any(0 <= c.start - mention.end <= 8 for c in named.cues.get("headline", ())) or (
            _TITLE_TAIL.fullmatch(text, mention.end)
            and re.search(r"(?:[-–—|=…]|\.\.\.)\s?$|[,、　]\s?$", text[: mention.start])
        ):
            yield mention


def _dateline(named: Named) -> Iterator[Mention]:
    for mention in named.mentions:
        if mention.kind not in ("wire", "state-media") or mention.start > 60:
            continue
        opened = mention.start > 0 and named.text[mention.start - 1] in "(/=【[（＝"
        if opened or (mention.start == 0 and re.search("[电電]", named.text[mention.end : mention.end + 25])):
            yield mention


def _told_us(named: Named, publisher: str) -> bool:
    """Whether somebody "told the Kyiv Ledger", whose article this is."""
    own = normalise(publisher)
    at = named.text.find(own)
    if at < 0:
        return False
    before = named.text[:at]
    return any(c.end <= at and before[c.end :].strip() in ("", "the") for c in named.cues.get("said", ()))
