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

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.logic import text as texts
from pipeline.logic.mentions import Finder
from pipeline.logic.speakers import CITED, NOBODY, Publisher, speakers

PUBLISHING = frozenset({"wire", "state-media", "think-tank"})  # whose own texts they are origin of
STRENGTH = {"cue": 1.0, "headline": 0.9, "dateline": 0.4, "source": 0.3, "inherited": 0.2}
# Weight of a paragraph's origin for the whole article, by position (0: the title; 1: the lead, whose first sentence
# counts most). Tuned, roughly, on the newsroom's articles before 2025.
TITLE, LEAD, LEAD_REST, SECOND, LATER = 2.0, 3.0, 2.6, 1.0, 0.5
CARRIER = 0.5  # of a wire's or paper's weight: whom it cites comes first
COMMENT = 0.6  # of an analyst's
AS_PUBLISHER = 1.5  # of what a publisher of that kind writes: a blog's own analysis
LONGEST = 1000  # characters of a sentence that are read: the rules look back and forth in it
ENOUGH = 1.0  # one remark in the fourth paragraph makes no main origin


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


def find(
    finder: Finder,
    title: str,
    paragraphs: Sequence[str],
    *,
    source: str | None = None,
    publisher: Publisher = NOBODY,
) -> Found:
    """The origins of an article, as a whole and by paragraph. `source` is the feed's (RSS <source>)."""
    own: list[Attribution] = []
    weights: dict[str, float] = defaultdict(float)
    for position, paragraph in enumerate((title, *paragraphs)):
        spans = [(0, len(title))] if position == 0 else texts.sentences(paragraph)
        sentences = [paragraph[a : min(b, a + LONGEST)] for a, b in spans]
        found: dict[str, tuple[int, str]] = {}  # origin: the sentence that names it first, and how
        for number, sentence in enumerate(sentences):
            for origin_id, how in speakers(finder, sentence, position, number, publisher):
                found.setdefault(origin_id, (number, how))
        if any(how != "dateline" for _, how in found.values()):  # whom the agency cites comes first
            found = {origin_id: (number, how) for origin_id, (number, how) in found.items() if how != "dateline"}
        for origin_id, (number, how) in found.items():
            own.append(Attribution(origin_id, position, sentences[number], how, STRENGTH[how]))
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
    """The agency that a text comes from; a newspaper's own text rests on nobody whom we could name."""
    for name, kinds in ((source, CITED | PUBLISHING), (publisher.name, PUBLISHING)):
        known = [m for m in finder.find(name).mentions if m.kind in kinds] if name else []
        if name and known:
            return Attribution(known[0].origin_id, None, name, "source", STRENGTH["source"])
    return None
