"""Full-text search over short texts in many languages: BM25 as one sparse matrix product.

No dictionary and no language detection. Words (Latin, Cyrillic, ...) count by their beginning, which is a crude stemmer
for every inflected language; Hangul, kana and Han count by pairs of neighbouring characters, as words there have no
spaces between them or particles attached.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from pipeline.logic.terms import normalise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

# Defaults of Lucene, as Robertson and Zaragoza (The Probabilistic Relevance Framework, 2009) advise. On train,
# of CLEF CheckThat! 2022 2A (`make bench-clef`), others (0.5 to 2.0, 0.4 to 0.75) differ by 0.003 or are worse.
K1 = 1.2  # how soon further occurrences of a word stop counting
B = 0.75  # how much a document's length counts: 0 not at all, 1 in full
# Characters of a word that count; 6 keeps the stem of most words of inflected languages apart from their endings. On
# CLEF's train split this and the plural's s gain 0.013 MAP@5 over whole words; 7 is as good there.
BEGINNING = 6

CELLS = 4_000_000  # scores of queries with documents that are in memory at a time

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_EAST_ASIAN = re.compile(r"[\u1100-\u11ff\u3005\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")


def tokens(text: str) -> list[str]:
    """What of a text counts: beginnings of words, then pairs of neighbouring East Asian characters.

    `tokens("Kim's soldiers")` is ["kim", "soldie"], `tokens("북한군이")` is ["북한", "한군", "군이"].
    """
    normal = normalise(text)
    runs = _EAST_ASIAN.findall(normal)
    # A Latin name with a Korean particle attached is a word of its own.
    found = [_beginning(word) for word in _WORD.findall(_EAST_ASIAN.sub(" ", normal) if runs else normal)]
    for run in runs:
        found += map(str.__add__, run, run[1:]) if len(run) > 1 else (run,)
    return found


def _beginning(word: str) -> str:
    """The possessive and the plural's s go (Harman's S stemmer, simplified), then all behind the beginning."""
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):
        word = word[:-1]
    return word[:BEGINNING]


class FullText:
    """An index of documents, made once. `groups` gives each document's group (0, 1, ...), for instance the claim of a
    wording: a group scores as its best document. Without it every document is a group of its own.
    """

    def __init__(self, documents: Sequence[str], groups: Sequence[int] | None = None) -> None:
        given = np.arange(len(documents)) if groups is None else np.asarray(groups, np.intp)
        if len(given) != len(documents):
            raise ValueError(f"{len(documents)} documents, but the groups of {len(given)}")
        self.groups = int(given.max()) + 1 if len(given) else 0
        order = np.argsort(given, kind="stable")  # a group's documents side by side
        present, self._starts = np.unique(given[order], return_index=True)
        if len(present) != self.groups:
            raise ValueError("groups are numbered from 0 on, without a gap")
        self._vocabulary: dict[str, int] = {}
        self._weights = self._weigh([Counter(tokens(documents[i])) for i in order])

    def _weigh(self, counted: list[Counter[str]]) -> sparse.csr_array:
        """BM25's weight of each word in each document, shape (words, documents)."""
        words = [self._vocabulary.setdefault(word, len(self._vocabulary)) for c in counted for word in c]
        times = np.array([n for c in counted for n in c.values()], np.float64)
        owners = np.repeat(np.arange(len(counted)), [len(c) for c in counted])
        shape = len(self._vocabulary), len(counted)
        lengths = np.bincount(owners, times, minlength=len(counted)) if words else np.zeros(len(counted))
        containing = np.bincount(np.array(words, np.intp), minlength=shape[0])
        rarity = np.log1p((len(counted) - containing + 0.5) / (containing + 0.5))  # never negative, as in Lucene
        shortness = K1 * (1 - B + B * lengths / max(lengths.mean(), 1e-9)) if len(counted) else lengths
        values = rarity[words] * times * (K1 + 1) / (times + shortness[owners]) if words else times
        return sparse.csr_array((values.astype(np.float32), (words, owners)), shape=shape)

    def scores(self, queries: Sequence[str]) -> Matrix:
        """BM25 of each query with each group, float32, shape (queries, groups); 0 where they share no word."""
        if not self.groups:
            return np.zeros((len(queries), 0), np.float32)
        rows = self._rows(queries)
        best = np.zeros((len(queries), self.groups), np.float32)
        step = max(CELLS // max(self._weights.shape[1], 1), 1)
        for start in range(0, len(queries), step):  # the whole product would take gigabytes with many documents
            found = (rows[start : start + step] @ self._weights).toarray()
            best[start : start + step] = np.maximum.reduceat(found, self._starts, axis=1)
        return best

    def rates(self, queries: Sequence[str]) -> Matrix:
        """`scores` over the root of each query's number of words, so that long texts have no advantage."""
        words = np.array([max(len(set(tokens(query))), 1) for query in queries], np.float32)
        return np.asarray(self.scores(queries) / np.sqrt(words)[:, None], np.float32)

    def _rows(self, queries: Iterable[str]) -> sparse.csr_array:
        """Which words each query has, shape (queries, words); a word counts once."""
        columns: list[int] = []
        ends = [0]
        for query in queries:
            words = dict.fromkeys(tokens(query))
            columns += (self._vocabulary[word] for word in words if word in self._vocabulary)
            ends.append(len(columns))
        ones = np.ones(len(columns), np.float32)
        return sparse.csr_array((ones, columns, ends), shape=(len(ends) - 1, len(self._vocabulary)))


# Deviations of a cosine that one point of BM25 is worth. Chosen on CLEF's train split, where anything from 0.06 to 0.09
# is within 0.002 MAP@5 of the best.
POINT = 0.08


def fuse(cosines: Matrix, bm25: Matrix) -> Matrix:
    """The find step's score: nearness and shared words, of the same queries and groups.

    `cosines` are in deviations from what unrelated texts have in the encoder, so that one constant serves all. A plain
    sum: on CLEF's train split it is as good as sums of scores brought to one scale per query (by z-score, maximum or
    range), and better by 0.016 than reciprocal ranks. Unlike these, it says that a query has no counterpart at all,
    which is what most of a stream is like.
    """
    return np.asarray(cosines + POINT * bm25, np.float32)
