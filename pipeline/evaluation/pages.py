"""How well texts are taken out of pages: the article-extraction benchmark's measure, and one of paragraph breaks."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

SHINGLE = 4  # words; the benchmark's
_WORD = re.compile(r"\w+")
Counts = tuple[int, int, int]  # right, too many, missing


@dataclass(frozen=True)
class Page:
    """A page of a set: its HTML (UTF-8), its address, and the article's text, one line a paragraph."""

    page_id: str
    html: bytes
    url: str
    truth: str

    @property
    def kept_back(self) -> bool:
        """Half of the pages are looked at in development, the other half is only counted: by hash of the id."""
        return hashlib.sha256(self.page_id.encode()).digest()[0] & 1 == 1


@dataclass(frozen=True)
class Score:
    """Precision and recall of texts and of paragraph breaks, macro averages; `pages` is how many were scored."""

    pages: int
    precision: float
    recall: float
    break_precision: float
    break_recall: float

    @property
    def f1(self) -> float:
        return _harmonic(self.precision, self.recall)

    @property
    def break_f1(self) -> float:
        return _harmonic(self.break_precision, self.break_recall)

    def row(self) -> dict[str, float]:
        numbers = {**vars(self), "f1": self.f1, "break_f1": self.break_f1}
        return {name: round(value, 4) for name, value in numbers.items()}


def load(folder: Path) -> list[Page]:
    """The pages of a copy of the article-extraction benchmark: ground-truth.json and html/ID.html.gz."""
    truth = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    return [
        Page(
            name, gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes()), told["url"], told["articleBody"]
        )
        for name, told in sorted(truth.items())
    ]


def score(pages: Iterable[Page], texts: Mapping[str, str]) -> Score:
    """Scores `texts` (by page id, one line a paragraph) against the pages' truth.

    Text: shingles of four words with their counts; precision and recall a page, then the mean over pages, F1 from
    the two means, as the benchmark's evaluate.py does it. Breaks: see `break_counts`.
    """
    texts_counted, breaks = [], []
    for page in pages:
        texts_counted.append(text_counts(page.truth, texts[page.page_id]))
        breaks.append(break_counts(page.truth, texts[page.page_id]))
    return Score(len(texts_counted), *_macro(texts_counted), *_macro(breaks))


def text_counts(truth: str, given: str) -> Counts:
    """Shingles that are in both, only in what is given, only in the truth."""
    want, got = (_shingles(_WORD.findall(value)) for value in (truth, given))
    shared = (want & got).total()
    return shared, got.total() - shared, want.total() - shared


def break_counts(truth: str, given: str) -> Counts:
    """Paragraph breaks in the middle of four-word runs that both texts have: right, too many, missing.

    Only runs in both are looked at, so that a text with too much or too little around it, which the other
    measure counts, is not punished twice. A run of newlines is one break; several white lines are, too.
    """
    (want, want_broken), (got, got_broken) = _gaps(truth), _gaps(given)
    both = want & got
    want_broken, got_broken = want_broken & both, got_broken & both
    right = (want_broken & got_broken).total()
    return right, got_broken.total() - right, want_broken.total() - right


def _shingles(words: list[str]) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1)) if words[i : i + 1])


def _gaps(value: str) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
    """Runs of four words, and those with a newline between the second and the third."""
    words: list[str] = []
    breaks: set[int] = set()  # before which word
    for line in value.splitlines():
        breaks.add(len(words))
        words += _WORD.findall(line)
    runs = [tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)]
    half = SHINGLE // 2
    return Counter(runs), Counter(run for i, run in enumerate(runs) if i + half in breaks)


def _macro(counted: list[Counts]) -> tuple[float, float]:
    precision = [_share(right, too_many, missing) for right, too_many, missing in counted if right + too_many]
    recall = [_share(right, missing, too_many) for right, too_many, missing in counted if right + missing]
    return (mean(precision) if precision else 0.0), (mean(recall) if recall else 0.0)


def _share(right: int, wrong: int, other: int) -> float:
    return 1.0 if wrong == other == 0 else right / (right + wrong)


def _harmonic(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other else 0.0
