"""Which story an article tells: copies, translations and rewrites of one report fold, a later development does not.

    sketch = grouping.sketch(title, paragraphs)       # once an article; bands(sketch) find its copies
    decide(article, candidates, shared)               # the story that it joins, or none

Two kinds of evidence. Text that is nearly the same makes a copy: paragraphs shared word for word, or a MinHash over
shingles. Otherwise the same event in other words or another language makes a rewrite: a small logistic model over
vectors of title and first paragraphs, names, figures and time.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from pipeline.logic.terms import normalise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    Signature = NDArray[np.uint32]

# Copies ------------------------------------------------------------------------------------------------------

PERMUTATIONS = 128
BANDS = 32  # of four rows each: a pair of resemblance 0.5 meets with probability 0.87, of 0.3 with 0.23
ROWS = PERMUTATIONS // BANDS
WORD_SHINGLE, CHARACTER_SHINGLE = 3, 5
LEAST_SHINGLES = 20  # below, sharing text is no evidence of copying
LEAST_SUBSTANCE = 5  # below (six words, eight characters) a text tells nothing: "Live updates" is a story of its own
COPY_TITLE = 0.9  # cosine of the titles of texts of one paragraph: feeds put the same notice below many items
COPY_SHARE = 0.5  # of an article's text, word for word
COPY_JACCARD, COPY_CONTAINED = 0.5, 0.8  # of the shingles; the latter is for shortened and lengthened copies
FORM_DAYS = 1.0  # a form that is filled in anew every day, with other figures, is no copy of yesterday's
CONTAINED_JACCARD = 0.2  # below, four bands would seldom have met, and the estimate of the share is too rough

_EAST_ASIAN = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_EAST_ASIAN}]|[^\W_{_EAST_ASIAN}]+")
_IS_EAST_ASIAN = re.compile(rf"[{_EAST_ASIAN}]")

# Stored signatures are compared with later ones: these numbers may never change.
_random = np.random.Generator(np.random.PCG64(20241018))
_FACTORS = _random.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_OFFSETS = _random.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64)


@dataclass(frozen=True)
class Sketch:
    """What is kept of a text: its MinHash, of how many shingles that is, names and figures of its beginning."""

    signature: Signature
    shingles: int
    names: frozenset[str]
    figures: frozenset[str]


def sketch(title: str, paragraphs: Sequence[str]) -> Sketch:
    """Sketch of an article."""
    found = shingles("\n".join([title, *paragraphs]))
    head = [title, *paragraphs[:HEAD]]
    return Sketch(signature(found), len(found), names(head), figures(head))


def shingles(text: str) -> frozenset[str]:
    """Runs of tokens: three words, or five characters where most of the text is Hangul, kana or Han."""
    tokens = _TOKEN.findall(normalise(text))
    east_asian = sum(1 for token in tokens if _IS_EAST_ASIAN.match(token))
    size = CHARACTER_SHINGLE if 2 * east_asian > len(tokens) else WORD_SHINGLE
    return frozenset(" ".join(tokens[i : i + size]) for i in range(len(tokens) - size + 1))


def signature(found: Iterable[str]) -> Signature:
    """MinHash by multiply-shift of 64-bit hashes; all ones for an empty set."""
    hashes = np.array(
        [int.from_bytes(hashlib.blake2b(s.encode(), digest_size=8).digest(), "little") for s in found], np.uint64
    )
    if not len(hashes):
        return np.full(PERMUTATIONS, 2**32 - 1, np.uint32)
    mixed = (_FACTORS[:, None] * hashes[None, :] + _OFFSETS[:, None]) >> np.uint64(32)
    return np.asarray(mixed.min(axis=1), np.uint32)


def bands(sketch: Sketch) -> list[int]:
    """One signed 64-bit value a band; articles that share one may be copies. None for a short text."""
    if sketch.shingles < LEAST_SHINGLES:
        return []
    parts = sketch.signature.astype("<u4").reshape(BANDS, ROWS)
    return [
        int.from_bytes(hashlib.blake2b(part.tobytes(), digest_size=8).digest(), "little", signed=True) for part in parts
    ]


def resemblance(one: Sketch, other: Sketch) -> tuple[float, float]:
    """(Jaccard similarity of the shingles, share of the shorter text's shingles that the longer has), estimated."""
    if min(one.shingles, other.shingles) < LEAST_SHINGLES:
        return 0.0, 0.0
    jaccard = float(np.mean(one.signature == other.signature))
    common = jaccard * (one.shingles + other.shingles) / (1 + jaccard)
    return jaccard, min(1.0, common / min(one.shingles, other.shingles))


# Rewrites ----------------------------------------------------------------------------------------------------

HEAD = 5  # paragraphs after the title that say what a report is about

_CASED = re.compile(r"[^\W\d_][^\W_]*(?:['\u2019-][^\W\d_]+)*")
_RUN = re.compile(r"[\u30a0-\u30ff]{3,}|[\u3400-\u9fff]{2,}|[\uac00-\ud7af]{2,}")
_STOP = re.compile(r"(?:^|[.!?…:;\"“”«»„\n]\s*)$")


def names(texts: Sequence[str]) -> frozenset[str]:
    """Words that look like names: capitalised where the script has capitals and no sentence begins; runs of katakana,
    of Han, and the beginnings of Hangul words elsewhere.
    """
    found: set[str] = set()
    for number, text in enumerate(texts):
        words = list(_CASED.finditer(text))
        capital = sum(1 for w in words if w.group()[0].isupper())
        shouting = 2 * capital > len(words)  # a headline in capitals tells nothing
        for word in words:
            token = word.group()
            if not token[0].isupper() or len(token) < 2 or (shouting and number == 0):
                continue
            if not _STOP.search(text, max(0, word.start() - 3), word.start()):
                found.add(normalise(token)[:6])
        for run in _RUN.finditer(text):
            token = run.group()
            if "\uac00" <= token[0] <= "\ud7af":
                found.add(token[:2])
            elif "\u30a0" <= token[0] <= "\u30ff":
                found.add(token)
            else:
                found.update(token[i : i + 2] for i in range(len(token) - 1))
    return frozenset(found)


_SCALES = {
    "thousand": 1e3, "тыс": 1e3, "тис": 1e3, "천": 1e3, "千": 1e3, "만": 1e4, "万": 1e4, "萬": 1e4,
    "million": 1e6, "млн": 1e6, "мільйон": 1e6, "миллион": 1e6, "억": 1e8, "億": 1e8, "亿": 1e8,
    "billion": 1e9, "млрд": 1e9, "조": 1e12, "兆": 1e12,
}  # fmt: skip
_DIGITS = r"\d{1,3}(?:[,\u00a0\u202f ]\d{3})+(?!\d)|\d+(?:[.,]\d+)?"
_FIGURE = re.compile(rf"(?<![\w.,])(?:{_DIGITS})(?:\s?(?:{'|'.join(_SCALES)})(?:\s?\d+(?=\s?[천千만万]))?)*")
_PART = re.compile(rf"({_DIGITS})\s?({'|'.join(_SCALES)})?")


def figures(texts: Sequence[str]) -> frozenset[str]:
    """Numbers from 13 on that are no year, written out: 12,000, 1만2천, 12 тыс. and 12 thousand are 12000."""
    found: set[str] = set()
    for text in texts:
        for match in _FIGURE.finditer(normalise(text)):
            value = sum(_number(digits) * _SCALES.get(scale, 1) for digits, scale in _PART.findall(match.group()))
            if value > 12 and not (1990 <= value <= 2040):
                found.add(f"{value:g}")
    return frozenset(found)


def _number(digits: str) -> float:
    grouped = re.fullmatch(r"\d{1,3}(?:[,\s]\d{3})+", digits)
    return float(re.sub(r"[,\s]", "", digits) if grouped else digits.replace(",", "."))


# Decision ----------------------------------------------------------------------------------------------------

# Look-ups, the same for every article however large the archive is.
NEAR = 60  # paragraphs nearest to the title, and as many to the first paragraph, among what was published ...
WINDOW_DAYS = 7.0  # ... within so many days
NEAR_ANYTIME = 120  # and at any time: pages often have no date or a wrong one
EACH = 5  # articles that begin with the very same text, the latest
COPIES = 20  # articles with paragraphs or bands in common, the best of the latest LATEST of each
LATEST = 50

SAME_LANGUAGE = ("title", "align", "align_rise", "names", "apart")
ACROSS = ("lead_rise", "align", "align_rise", "apart")
APART_DAYS = 2.0  # what is further apart than this is no less likely to be a rewrite: dates are that unreliable
COHORT = 5  # candidates from which on the article's own neighbourhood says what an ordinary cosine is
ORDINARY = 0.8  # before that: an ordinary cosine of unrelated beginnings in multilingual-e5-small

# Made by `python benchmarks/stories.py --tune` on the tuning half of the events and the newsroom's articles of 2024.
WEIGHTS_SAME = (44.639, -29.882, 67.102, 3.66, -2.976)
BIAS_SAME = -15.365
WEIGHTS_ACROSS = (56.71, 33.458, 39.826, -9.045)
BIAS_ACROSS = -27.935
# Hardly a labelled article is as short as a feed's item. Without more caution 63 % of a real stream's items (two days,
# long before its labelled splits) were called rewrites, whole topics in one story; with these a fifth.
CAUTION_SAME, CAUTION_ACROSS = 4.0, 6.0  # log-odds less where both are thin, half where one is
THIN_TEXTS, THIN_WORDS = 3, 100  # no more texts, the title among them, and fewer words
CHARACTERS = 3  # of Hangul, kana or Han that say as much as a word
# Weeks later with other figures it is more likely what has become of it: "about 300" in January, "at least 100" before.
CAUTION_LATER, LATER_DAYS = 1.0, 14.0
THRESHOLD = -0.5  # log-odds, averaged over MEMBERS
MEMBERS = 5  # the nearest of a story's articles: one alone would chain stories, all would close a long one


@dataclass(frozen=True)
class Article:
    """`vectors` are those of the title, where there is one, and of the first paragraphs, normalised, one a row; a
    candidate has a story.
    """

    article_id: int
    published: datetime
    language: str | None
    sketch: Sketch
    vectors: Matrix
    story_id: int = 0


@dataclass(frozen=True)
class Placement:
    """The story that the article joins, none for a new one; relation is first, copy or rewrite."""

    story_id: int | None
    relation: str
    similarity: float | None


def decide(article: Article, candidates: Sequence[Article], shares: Mapping[int, float]) -> Placement:
    """Where an article belongs. Candidates have a story each; `shares` says which part of the article's text a
    candidate has word for word. The order of the candidates makes no difference.
    """
    others = sorted((c for c in candidates if c.article_id != article.article_id), key=lambda c: c.article_id)
    copied = [
        (similarity, -other.article_id, other.story_id)
        for other in others
        if (similarity := _copied(article, other, shares.get(other.article_id, 0.0))) is not None
    ]
    if copied:
        similarity, _, story_id = max(copied)
        return Placement(story_id, "copy", similarity)
    if article.sketch.shingles >= LEAST_SUBSTANCE:
        told = [other for other in others if other.sketch.shingles >= LEAST_SUBSTANCE]
        odds = log_odds(article, told)
        by_story: dict[int, list[float]] = defaultdict(list)
        for other, value in zip(told, odds, strict=True):
            by_story[other.story_id].append(value)
        nearest = {story_id: sorted(values)[-MEMBERS:] for story_id, values in by_story.items()}
        tells = [(sum(values) / len(values), -story_id) for story_id, values in nearest.items()]
        if tells and max(tells)[0] >= THRESHOLD:
            value, negative = max(tells)
            return Placement(-negative, "rewrite", 1 / (1 + math.exp(-value)))
    return Placement(None, "first", None)


def _copied(article: Article, other: Article, share: float) -> float | None:
    """The share of the text that is the same, where that makes it a copy."""
    if article.sketch.shingles < LEAST_SHINGLES or _moved_on(article, other, FORM_DAYS):
        return None
    if min(len(article.vectors), len(other.vectors)) <= 2 and article.vectors[0] @ other.vectors[0] < COPY_TITLE:
        return None
    jaccard, contained = resemblance(article.sketch, other.sketch)
    near = jaccard >= COPY_JACCARD or (contained >= COPY_CONTAINED and jaccard >= CONTAINED_JACCARD)
    return max(share, contained) if near or share >= COPY_SHARE else None


def _moved_on(article: Article, other: Article, days: float) -> bool:
    """Whether the figures are other ones, more than so many days apart."""
    mine, theirs = article.sketch.figures, other.sketch.figures
    return _days(article, other) > days and bool(mine and theirs) and 2 * len(mine & theirs) < len(mine | theirs)


def _days(article: Article, other: Article) -> float:
    return abs((article.published - other.published).total_seconds()) / 86_400


def log_odds(article: Article, others: Sequence[Article]) -> list[float]:
    """That each of the others tells the same, in log-odds."""
    found = []
    for other, named in zip(others, features(article, others), strict=True):
        later = CAUTION_LATER * _moved_on(article, other, LATER_DAYS)
        if "names" in named:
            found.append(_odds(named, SAME_LANGUAGE, WEIGHTS_SAME, BIAS_SAME, CAUTION_SAME) - later)
        else:
            found.append(_odds(named, ACROSS, WEIGHTS_ACROSS, BIAS_ACROSS, CAUTION_ACROSS) - later)
    return found


def _odds(
    named: Mapping[str, float], names: Sequence[str], weights: Sequence[float], bias: float, caution: float
) -> float:
    value = sum(weight * named[name] for name, weight in zip(names, weights, strict=True))
    return value + bias - caution * named["thin"]


def _thin(article: Article) -> bool:
    words = article.sketch.shingles / (CHARACTERS if article.language in ("ja", "ko", "zh") else 1)
    return len(article.vectors) <= THIN_TEXTS and words < THIN_WORDS


def features(article: Article, others: Sequence[Article]) -> list[dict[str, float]]:
    """What the decision rests on, one a candidate; what compares words is there for one language only.

    title, lead, align     cosines: of the titles; the best among the first three texts; each text with its best match
    ..._rise               the same, less the candidates' lower quartile: on a busy topic everything is alike
    names                  share of names in common, weighted by how rare they are among the candidates
    apart                  days between them, capped, in parts of the cap
    thin                   how many of the two are no longer than a feed's item, halved
    """
    rarity = _rarity(others)
    found = []
    for other in others:
        cosines = article.vectors @ other.vectors.T
        named = {
            "title": float(cosines[0, 0]),
            "lead": float(cosines[:3, :3].max()),
            "align": float(cosines.max(axis=0).mean() + cosines.max(axis=1).mean()) / 2,
            "apart": min(_days(article, other), APART_DAYS) / APART_DAYS,
            "thin": (_thin(article) + _thin(other)) / 2,
        }
        if article.language == other.language:
            mine, theirs = article.sketch.names, other.sketch.names
            shared = sum(rarity(name) for name in sorted(mine & theirs))
            least = min(sum(map(rarity, sorted(mine))), sum(map(rarity, sorted(theirs))))
            named["names"] = shared / least if least else 0.0
        found.append(named)
    for kind in (True, False):
        cohort = [named for named in found if ("names" in named) is kind]
        for name in ("title", "lead", "align"):
            usual = float(np.quantile([c[name] for c in cohort], 0.25)) if len(cohort) >= COHORT else ORDINARY
            for named in cohort:
                named[f"{name}_rise"] = named[name] - usual
    return found


def _rarity(others: Sequence[Article]) -> Callable[[str], float]:
    counts = Counter(name for other in others for name in other.sketch.names)
    return lambda name: math.log((len(others) + 10) / (counts[name] + 1))
