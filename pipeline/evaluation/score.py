"""Runs the matcher on texts from a file, without a database: the form that `claimwatch score` and `eval` share."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pipeline.errors import PermanentError
from pipeline.logic.decision import Tiers
from pipeline.logic.figures import Figures
from pipeline.logic.matching import Decision, Matcher, Passage, run
from pipeline.logic.stances import Entails, judged
from pipeline.logic.text import clean, paragraphs, sentences

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SURROGATE = re.compile("[\ud800-\udfff]")

CHUNK = 1000  # items scored at a time


class Encodes(Protocol):
    def encode(self, texts: list[str]) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class TextItem:
    """A text to score: {id, published, source, lang, url, title, text}; `text` may be empty."""

    id: str | int
    title: str
    text: str = ""
    published: str | None = None
    source: str | None = None
    lang: str | None = None
    url: str | None = None
    title_is_context: bool = False  # the title is not a text of the item, only what it stood under
    article: str = ""  # the whole text of which the item is a part, title included; empty where it is a whole itself


@dataclass(frozen=True)
class Scored:
    """What the matcher says of one item and claim."""

    id: str | int
    claim: str
    probability: float
    tier: str
    stance: str
    sentence: str
    figures: tuple[ReadFigure, ...] = ()  # the item's, the same for every claim


@dataclass(frozen=True)
class ReadFigure:
    """A figure of an item. `attributed_to` are names of authorities, joined by "; "; `as_of` is a day."""

    role: str
    low: float
    high: float
    modality: str
    attributed_to: str | None
    as_of: str | None
    span: str


def read_items(path: Path) -> list[TextItem]:
    """Items of a JSON Lines file; a wrong line is reported with its number."""
    items = []
    with path.open("rb") as stream:
        for number, raw in enumerate(stream, 1):
            place = f"{path}:{number}"
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise PermanentError(f"{place}: not UTF-8: {error}") from error
            if line.strip():
                items.append(item_of(line, place))
    return items


def item_of(line: str, place: str) -> TextItem:
    try:
        given: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise PermanentError(f"{place}: not JSON: {error}") from error
    known = isinstance(given, dict) and isinstance(given.get("id"), str | int) and not isinstance(given["id"], bool)
    if not known:
        raise PermanentError(f'{place}: a line must be an object with an "id", a text or a number')
    texts = {key: given.get(key) or "" for key in ("title", "text")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise PermanentError(f"{place}: {key!r} must be a text")
    published, source, lang, url = (given.get(key) for key in ("published", "source", "lang", "url"))
    return TextItem(given["id"], clean(texts["title"]), texts["text"], published, source, lang, url)


def score(
    items: Sequence[TextItem],
    matcher: Matcher,
    encoder: Encodes,
    tiers: Tiers,
    progress: Callable[[int], None] | None = None,
    entailment: Entails | None = None,
    reader: Figures | None = None,
) -> Iterator[Scored]:
    """Every item against every claim, in order; with a reader, each line has the item's figures."""
    for start in range(0, len(items), CHUNK):
        chunk = items[start : start + CHUNK]
        best = with_stances(best_passages(chunk, matcher, encoder), matcher, tiers, entailment)
        for i, item in enumerate(chunk):
            figures = figures_of(item, reader) if reader else ()
            for j, claim in enumerate(matcher.claims):
                yield replace(_scored(item, claim.claim_id, best.get((i, j)), tiers), figures=figures)
        if progress:
            progress(len(chunk))


def figures_of(item: TextItem, reader: Figures) -> tuple[ReadFigure, ...]:
    """The current figures of title and text; one of the title that the text has as well is given once."""
    published = _when(item.published)
    lines = paragraphs(item.text)
    read = reader.article(item.title, lines, published=published, language=item.lang, source=item.source)
    found = [figure for reading in read for figure in reading.figures]
    if item.title and not item.title_is_context:
        found = [*reader.title(item.title, lines, read, published=published, language=item.lang), *found]
    return tuple(
        ReadFigure(
            f.role,
            f.low,
            f.high,
            f.modality,
            "; ".join(map(reader.name_of, f.attributed_to)) or None,
            f.as_of.isoformat() if f.as_of else None,
            f.span,
        )
        for f in found
        if not f.earlier
    )


def _when(published: object) -> datetime | None:
    try:
        return datetime.fromisoformat(published) if isinstance(published, str) else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Best:
    """The passage of an item that bears most on a claim. `decision` is None where the pair was not worth one."""

    passage: Passage
    probability: float
    stance: str
    decision: Decision | None


def best_passages(items: Sequence[TextItem], matcher: Matcher, encoder: Encodes) -> dict[tuple[int, int], Best]:
    """{(item, claim): its likeliest passage}; an item without a text has none."""
    passages, owner = passages_of(items, encoder)
    if not passages:
        return {}
    found, decided = run(matcher, passages, encoder.encode)
    decisions = {(d.passage, d.claim): d for d in decided}
    probabilities = matcher.probabilities(found)
    _, chosen = likeliest(probabilities, np.array(owner, np.intp), len(items))
    pairs = [(i, j) for i, j in np.ndindex(chosen.shape) if chosen[i, j] >= 0]
    at = [(int(chosen[pair]), pair[1]) for pair in pairs]
    stances = matcher.stances(found, at)
    return {
        pair: Best(passages[p], float(probabilities[p, j]), stance, decisions.get((p, j)))
        for pair, (p, j), stance in zip(pairs, at, stances, strict=True)
    }


def with_stances(
    best: dict[tuple[int, int], Best], matcher: Matcher, tiers: Tiers, entailment: Entails | None
) -> dict[tuple[int, int], Best]:
    """The same, with the entailment model's stance for what is at least suggested, as stages/match.py has it."""
    if entailment is None:
        return best
    worth: dict[tuple[int, int], Decision] = {}
    for pair, b in best.items():
        claim = matcher.claims[pair[1]].claim_id
        if b.decision is not None and tiers.of(claim, b.probability, b.passage.text) != "none":
            worth[pair] = replace(b.decision, passage=len(worth), stance=b.stance)
    decisions = judged(list(worth.values()), [best[pair].passage for pair in worth], matcher.claims, entailment)
    told = {pair: replace(best[pair], stance=d.stance) for pair, d in zip(worth, decisions, strict=True)}
    return {**best, **told}


def likeliest(
    values: NDArray[np.float32], owner: NDArray[np.intp], items: int
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Of values (passages, claims): each item's highest and its passage; the lowest of all and -1 where it has none."""
    best = np.full((items, values.shape[1]), values.min(initial=0.0), np.float32)
    np.maximum.at(best, owner, values)
    passage = np.full(best.shape, -1, np.intp)
    rows, claims = np.nonzero(values >= best[owner])
    passage[owner[rows], claims] = rows
    return best, passage


def passages_of(items: Sequence[TextItem], encoder: Encodes) -> tuple[list[Passage], list[int]]:
    """Title and paragraphs of each item with their vectors, and to which item each belongs."""
    texts: list[tuple[int, str]] = []
    for i, item in enumerate(items):
        if item.title and not item.title_is_context:
            texts.append((i, item.title))
        texts += [(i, paragraph) for paragraph in paragraphs(item.text)]
    unique = list(dict.fromkeys(text for _, text in texts))
    vectors = dict(zip(unique, encoder.encode(unique), strict=True)) if unique else {}
    whole = [item.article or f"{item.title}\n{item.text}" for item in items]
    passages = [Passage(text, items[i].title, vectors[text], whole[i]) for i, text in texts]
    return passages, [i for i, _ in texts]


def _scored(item: TextItem, claim: str, best: Best | None, tiers: Tiers) -> Scored:
    if best is None:
        return Scored(item.id, claim, 0.0, "none", "supports", "")
    decision = best.decision
    # What was not found is nobody's evidence, whatever is said of the paragraph.
    tier = tiers.of(claim, best.probability, best.passage.text, subject=decision.subject) if decision else "none"
    sentence = decision.sentence if decision else _first_sentence(best.passage.text)
    return Scored(item.id, claim, round(best.probability, 6), tier, best.stance, sentence)


def _first_sentence(text: str) -> str:
    spans = sentences(text)
    return text[spans[0][0] : spans[0][1]] if spans else text


def write(scored: Iterable[Scored], path: Path) -> int:
    """One JSON object a line; how many."""
    count = 0
    with path.open("w", encoding="utf-8") as stream:
        for line in scored:
            text = json.dumps(asdict(line), ensure_ascii=False)
            if not text.isascii() and _SURROGATE.search(text):  # an id may hold what UTF-8 can't
                text = json.dumps(asdict(line))
            stream.write(text + "\n")
            count += 1
    return count
