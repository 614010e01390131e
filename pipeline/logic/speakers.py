"""Who speaks in a sentence, of all whom it names: the rules of attribution (origins.py has their overview)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.logic.mentions import Cue, Finder, Mention, Named
from pipeline.logic.terms import normalise

CITED = frozenset({"wire", "media", "state-media"})  # others' words come through them: "told Reuters"
VERB_LAST = frozenset({"ko", "ja"})
VERB_FIRST = frozenset({"ru", "uk"})  # also: заявил Песков

_STOPS = re.compile(r"[;:\"“”«»„—]| [-–] ")
_THAT = re.compile(r"\b(?:that|que|qui|что|що|кто|хто|если|якщо|whether)\b")
_PASSIVE = re.compile(r"\b(?:was|were|is|are|been|being|be|to|not|n't|не)\s(?:\w+ly\s)?$")
_APPOSED = re.compile(r",\s(?:(?:an?|the|who|whose|le|la|un|une)\s[^,]{0,60}|l'[^,]{0,60})?$")
_ADVERB = re.compile(r"\s?(?:(?:has|have|had|also|again|now|a|ont|не|\w+ly|[а-яіїєґ]+|[\u3400-\u9fff]+)\s?)?")
_DONE_TO = re.compile(r"\s(?:by\b|(?<=urged )to\b|(?<=told )to\b|(?<=warned )to\b|(?<=accused )of\b)")
_NOUN = re.compile(r"(?:claims|reports|estimates)(?:$|[.,;:?!]|\s(?:of|about|on|over|by|from|in|are|were)\b)")
_ABOUT = re.compile(r"\b(?:о|об|обо|про|против|проти|к|для|на слова|на заявлени\w+)\b")
_CLAUSE = re.compile(r"[,.;:\"“”«»„—–]|\s-\s")
_MARKS = re.compile('["“”„«»「」『』]')
_AND = re.compile(r"\s*(?:,?\s?and|&|и|і|та|й|et|와|과|및|·|・|、|和|と)\s*(?:the\s|l'|la\s|le\s)?")
_IN = re.compile(r"\s(?:in|at|в|у|à)\s")
_KOREAN_SUBJECT = re.compile(
    r"(?![에을를와과로]|\)\s)(?:측|의)?(?:\s?[가-힣·()a-z]{0,7}[^\s을를에서로와과고며지,\"]){0,3}?"
    r"(?<![하되있없같않던])(은|는|이|가|도|에서는)(?=[\s,\"“‘'…])"
)
_STATE_SUBJECT = re.compile(r"(?:\s?측|側|政府|当局)?(은|는|は|も|가|が)(?=[\s,\"“‘'…、「]|[ぁ-ん一-龯])")
_QUOTATIVE = re.compile(r"[라다냐자]고|と")  # after it comes the verb of saying: the subject stands further off
_BARE_SUBJECT = re.compile(r"\s?(?:[가-힣]{1,6}\s?)?(?:은|는|이|가|도)|\S{0,8}?[はがも]")
_JAPANESE_SUBJECT = re.compile(r"(?![にをとへ])[^、。「」『』\s]{0,14}?(は|が|も)")
# After an East Asian name a quotation begins; elsewhere ' may be a possessive, and « only stresses a word.
_TITLE_QUOTE = re.compile(r"[:：]|(?:(?<=[^\x00-\u10ff])\s?[\"“「『]|\s['\"“])(?=[^\s])")
_TITLE_TAIL = re.compile(r"[\s\"”'’」』?!.…)]*")
_TITLE_BREAK = re.compile(r"(?:\s[-–—|]|[=…,、]|\.\.\.)\s?$")
_TAG_END = re.compile(r"\s?[\]】:：|｜)〉>-]")


@dataclass(frozen=True)
class Publisher:
    """Who publishes: for "the defence ministry", "told the Kyiv Ledger", and texts that cite nobody."""

    name: str = ""
    country: str | None = None
    kind: str | None = None


NOBODY = Publisher()


def speakers(
    finder: Finder, sentence: str, position: int, number: int, publisher: Publisher
) -> Iterator[tuple[str, str]]:
    """(origin, how) of a sentence; the title has position 0, and `number` is the sentence's place in its paragraph."""
    named = finder.find(sentence, publisher.country)
    if position == 0:
        yield from ((origin_id, "headline") for origin_id in _tags(named))
    yield from ((mention.origin_id, "cue") for mention in named.phrases)
    if publisher.name and _told_us(named, publisher.name):
        yield from ((o.origin_id, "cue") for o in finder.origins.values() if o.kind == "own")
    if not named.mentions:
        return
    for mention in cited(named):
        yield from ((one.origin_id, "cue") for one in together(named, mention))
    if position == 0:
        yield from ((mention.origin_id, "headline") for mention in _headlined(named))
    if position == 1 and number <= 1:  # "МОСКВА, 3 декабря. /ТАСС/" ends a sentence before the agency
        yield from ((mention.origin_id, "dateline") for mention in _dateline(named))


def cited(named: Named) -> Iterator[Mention]:
    quoted = _quotations(named.text)
    led = []  # whom "according to" leads to: cited, and no subject of a verb beside
    for cue in named.cues.get("before", ()):
        mention = next((m for m in named.mentions if m.start >= cue.end), None)
        if mention is not None and _leads(named.text, cue, mention) and not (mention.state and mention.never):
            led.append(mention)
    yield from led
    for verb in ("said", "shows"):
        verbs = [cue for cue in named.cues.get(verb, ()) if not quoted(cue.start)]
        speakers = [m for m in named.mentions if (m.kind == "document") is (verb == "shows") and not m.never]
        speakers = [m for m in speakers if m not in led]
        known: tuple[int, Mention | None] = 0, None  # where the last verb that comes last ended, and whose it was
        for cue in verbs:
            before = [m for m in speakers if m.end <= cue.start and not quoted(m.start)]
            if cue.language in VERB_LAST:
                own = _subject_before_end(named, cue, [m for m in before if m.start >= known[0]])
                mention = own or known[1]
                known = cue.end, mention
            else:
                mention = _speaker(named, cue, verbs, before, [m for m in speakers if m.start >= cue.end])
            if mention is not None:
                yield mention
    for cue in named.cues.get("after", ()):
        mention = next((m for m in reversed(named.mentions) if m.end <= cue.start), None)
        if mention is not None and re.fullmatch(r"[^,、。\"「」]{0,14}", named.text[mention.end : cue.start]):
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
    joined = cue.start > 0 and text[cue.start - 1] in "证證数數占依票收单"  # 据 is a part of many words
    return len(gap) <= 6 and not joined and not re.search(r"[，。、：“]", gap)


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
        reach = 25 if cue.language == "zh" else 90
        if left.state and not _ADVERB.fullmatch(gap):
            reach = 0
        apposition = (
            commas == 0
            or (commas == 1 and gap.endswith(", ") and _APPOSED.search(text[: left.start]))
            or (commas == 2 and gap.startswith(","))
        )
        other = any(left.end <= c.start and c.end <= cue.start for c in verbs if c.language == cue.language)
        barred = other or _STOPS.search(gap) or _THAT.search(gap) or _PASSIVE.search(text[left.start : cue.start])
        barred = barred or _DONE_TO.match(text, cue.end) or _NOUN.match(text, cue.start)
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
    if re.match(r"\s(?:à|to|au|aux)\s", gap):
        return None
    clause = _CLAUSE.split(named.text[: cue.start])[-1]
    citing = [c.start for c in named.cues.get("before", ()) if cue.start - len(clause) <= c.start < cue.start]
    clause = clause[: len(clause) - (cue.start - citing[0])] if citing else clause
    if cue.language in VERB_FIRST:  # заявил Песков: the verb begins its clause, but for a word like ранее
        return mention if len(gap) <= 60 and len(clause.split()) <= 2 and not _THAT.search(clause) else None
    return mention if len(gap) <= 25 and clause.strip() in ("", "a", "ont") and cue.start > 0 else None


def _subject_before_end(named: Named, cue: Cue, before: Sequence[Mention]) -> Mention | None:
    """Who says it where the verb comes last: what is marked right before it, else the first topic, else a subject."""
    full = _KOREAN_SUBJECT if cue.language == "ko" else _JAPANESE_SUBJECT
    topics: list[Mention] = []
    others: list[Mention] = []
    for mention in before:
        marked = (_STATE_SUBJECT if mention.state else full).match(named.text, mention.end)
        if marked is None or marked.end() > cue.start:
            continue
        gap = named.text[marked.end() : cue.start]
        bare = _BARE_SUBJECT.fullmatch(named.text, mention.end, marked.end())
        if bare and len(gap) <= 14 and not _QUOTATIVE.search(gap):
            return mention
        if marked.group(1) in ("은", "는", "에서는", "は"):
            topics.append(mention)
        elif not mention.state:
            others.append(mention)
    return topics[0] if topics else others[-1] if others else None  # an embedded clause has its topic further in


def together(named: Named, mention: Mention) -> Iterator[Mention]:
    """The mention and those joined to it: "the NIS and the Pentagon"."""
    yield mention
    placed = {}  # where a name ends with the place behind it: "the Joint Chiefs in Seoul and"
    for first, second in pairwise(named.mentions):
        if second.state and second.never and _IN.fullmatch(named.text, first.end, second.start):
            placed[first] = second
    mentions = [m for m in named.mentions if m not in placed.values() or m == mention]
    at = mentions.index(mention)
    for step in (-1, 1):
        here, number = mention, at + step
        while 0 <= number < len(mentions):
            there = mentions[number]
            first, second = (there, here) if step < 0 else (here, there)
            end = placed.get(first, first).end
            if there.never or not _AND.fullmatch(named.text, end, second.start):
                break
            yield there
            here, number = there, number + step


def _tags(named: Named) -> Iterator[str]:
    for mention in named.titles:
        if mention.start <= 2 and _TAG_END.match(named.text, mention.end):
            yield mention.origin_id


def _headlined(named: Named) -> Iterator[Mention]:
    text = named.text
    quoted = _quotations(text)
    for mention in named.mentions:
        if mention.never or quoted(mention.start):
            continue
        quote = None if _MARKS.match(text, mention.start - 1) else _TITLE_QUOTE.match(text, mention.end)
        colon = quote is not None and quote.group().strip() in (":", "：")
        if quote is not None and not (colon and mention.state):
            yield mention
        elif mention.state:
            continue
        elif any(0 <= c.start - mention.end <= 8 for c in named.cues.get("headline", ())) or (
            _TITLE_TAIL.fullmatch(text, mention.end) and _TITLE_BREAK.search(text[: mention.start])
        ):
            yield mention


def _dateline(named: Named) -> Iterator[Mention]:
    for mention in named.mentions:
        if mention.kind not in ("wire", "state-media") or mention.start > 60:
            continue
        opened = any(c in "(/=【[（" for c in named.text[max(0, mention.start - 1) : mention.start + 1])
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
