"""Similarity finds, evidence decides.

A `Matcher` holds the claims in force. For a batch of paragraphs it computes, for every (paragraph, claim), cheap
features from vectors and terms; it picks the pairs that could matter (find), asks for the vectors of their sentences,
and turns the features into a probability (decide) by one small logistic model that all claims share.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.logic.claimsfile import Claim
from pipeline.logic.terms import Lexicon
from pipeline.logic.text import sentences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

FEATURES = (
    # Cosines are in deviations from the encoder's own baseline; see Matcher._baseline.
    "cosine_sentence",  # best phrasing, best sentence
    "cohort",  # best phrasing's cosine less its mean over all claims: a hub is near to everything
    "decoy_margin",  # best phrasing's cosine less that of the nearest decoy, the claim's or the topic's
    "groups_context",  # share of the claim's concept groups named in the paragraph or the title above it
    "groups_sentence",  # ... in one sentence
    "all_context",  # 1 where all groups are named in paragraph and title
)

# A pair is worth its sentences' vectors when at least this share of its groups is named in the context.
# Measured on the training split: no labelled pair there has less.
FIND_GROUPS = 0.6


@dataclass(frozen=True)
class DecisionModel:
    """A logistic model over FEATURES, standardised; `accepted` and `suggested` are its operating points."""

    version: str
    mean: Matrix
    scale: Matrix
    weights: Matrix
    bias: float
    accepted: float
    suggested: float

    @classmethod
    def load(cls, path: Path) -> DecisionModel:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if tuple(stored["features"]) != FEATURES:
            raise ValueError(f"{path} was made for other features: {stored['features']}")
        mean, scale, weights = (np.array(stored[key], np.float32) for key in ("mean", "scale", "weights"))
        bias, accepted, suggested = (float(stored[key]) for key in ("bias", "accepted", "suggested"))
        return cls(stored["version"], mean, scale, weights, bias, accepted, suggested)

    def probability(self, features: Matrix) -> Matrix:
        """Features (n, len(FEATURES)) to probabilities (n,)."""
        logit = ((features - self.mean) / self.scale) @ self.weights + self.bias
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -30, 30))), np.float32)


@dataclass(frozen=True)
class Passage:
    """A paragraph with its vector, and the title under which it appeared first as its context."""

    text: str
    title: str
    vector: Matrix


@dataclass(frozen=True)
class Decision:
    """One (passage, claim). `features` has FEATURES' names."""

    passage: int
    claim: int
    probability: float
    stance: str
    sentence: str
    features: dict[str, float]


@dataclass
class Found:
    """A batch half done: cheap features of every pair, and the pairs whose sentences are still to be looked at."""

    passages: Sequence[Passage]
    features: Matrix  # (passages, claims, features)
    pairs: list[tuple[int, int]]
    spans: dict[int, list[tuple[int, int]]]

    def sentences(self) -> list[str]:
        """The sentences whose vectors `decide` needs, each once; those that are a whole passage are left out."""
        wanted: dict[str, None] = {}
        for i, spans in self.spans.items():
            if len(spans) > 1:
                wanted.update((self.passages[i].text[a:b], None) for a, b in spans)
        return list(wanted)


class Matcher:
    """`vectors` has the normalised vector of every phrasing and decoy text of the claims."""

    def __init__(self, claims: Sequence[Claim], vectors: Mapping[str, Matrix], model: DecisionModel) -> None:
        self.claims = list(claims)
        self.model = model
        self._phrases, self._phrase_starts = _stacked([_wordings(c) for c in claims], vectors)
        self._decoys, self._decoy_starts = _stacked([_decoys(c) for c in claims], vectors)
        self._mean, self._deviation = self._baseline()
        self._concepts: dict[tuple[str, tuple[str, ...]], str] = {}
        self._groups = [
            [frozenset(self._key(n, t) for n, t in concepts.items()) for concepts in claim.groups.values()]
            for claim in claims
        ]
        self._denials = [self._key("denial", c.cues["denial"]) if "denial" in c.cues else None for c in claims]
        self._lexicon = Lexicon({key: terms for (_, terms), key in self._concepts.items()})

    def _baseline(self) -> tuple[float, float]:
        """Mean and deviation of the cosine between phrasings of different claims: what "unrelated" means to this
        encoder on this topic (0.40 in MiniLM, over 0.75 in multilingual-e5). Cosines are given in these units, so
        that one decision model serves every encoder.
        """
        claim = np.searchsorted(self._phrase_starts, np.arange(len(self._phrases)), side="right")
        cosines = (self._phrases @ self._phrases.T)[claim[:, None] != claim[None, :]]
        if cosines.size == 0:
            cosines = (self._phrases @ self._phrases.T).ravel()
        return float(cosines.mean()), max(float(cosines.std()), 1e-3)

    def _key(self, name: str, terms: tuple[str, ...]) -> str:
        """Concepts of one name may differ between topics: the terms are part of the key."""
        return self._concepts.setdefault((name, terms), f"{name}/{len(self._concepts)}")

    def find(self, passages: Sequence[Passage]) -> Found:
        """Cheap features of all pairs, and which pairs deserve a closer look."""
        n, c = len(passages), len(self.claims)
        features = np.zeros((n, c, len(FEATURES)), np.float32)
        column = {name: features[:, :, k] for k, name in enumerate(FEATURES)}
        vectors = np.stack([p.vector for p in passages]).astype(np.float32)
        cosine = self._units(self._best(vectors, self._phrases, self._phrase_starts))
        column["cosine_sentence"][:] = cosine
        column["cohort"][:] = cosine - cosine.mean(axis=1, keepdims=True)
        column["decoy_margin"][:] = cosine - self._units(self._best(vectors, self._decoys, self._decoy_starts))
        title_concepts: dict[str, frozenset[str]] = {}
        for i, passage in enumerate(passages):
            here = self._lexicon.concepts_in(passage.text)
            if passage.title not in title_concepts:
                title_concepts[passage.title] = self._lexicon.concepts_in(passage.title)
            context = here | title_concepts[passage.title]
            if passage.title != passage.text and context:  # compounds may span both
                context |= self._lexicon.concepts_in(f"{passage.title}\n{passage.text}")
            for j in range(c) if context else ():
                column["groups_sentence"][i, j] = self._share(j, here)
                column["groups_context"][i, j] = self._share(j, context)
        column["all_context"][:] = column["groups_context"] >= 1
        pairs = [(int(i), int(j)) for i, j in np.argwhere(column["groups_context"] >= FIND_GROUPS)]
        spans = {i: sentences(passages[i].text) for i in dict.fromkeys(i for i, _ in pairs)}
        return Found(passages, features, pairs, spans)

    def decide(self, found: Found, vectors: Mapping[str, Matrix]) -> list[Decision]:
        """A decision on every found pair. `vectors` has those of `found.sentences()`."""
        carrying = {}
        for i, j in found.pairs:
            carrying[i, j] = self._look_closer(found, i, j, vectors)
        if not found.pairs:
            return []
        rows = np.stack([found.features[i, j] for i, j in found.pairs])
        probabilities = self.model.probability(rows)
        decisions = []
        for (i, j), row, probability in zip(found.pairs, rows, probabilities, strict=True):
            values = {name: round(float(v), 4) for name, v in zip(FEATURES, row, strict=True)}
            sentence = carrying[i, j]
            decisions.append(Decision(i, j, float(probability), self._stance(j, sentence), sentence, values))
        return decisions

    def probabilities(self, found: Found) -> Matrix:
        """Probabilities of all pairs, shape (passages, claims); after `decide`, with the sentences looked at."""
        n, c, f = found.features.shape
        return self.model.probability(found.features.reshape(n * c, f)).reshape(n, c)

    def _look_closer(self, found: Found, i: int, j: int, vectors: Mapping[str, Matrix]) -> str:
        """Fill in the pair's sentence features; the sentence that carries it best."""
        passage, spans = found.passages[i], found.spans[i]
        if len(spans) < 2:
            return passage.text
        parts = [passage.text[a:b] for a, b in spans]
        cosines = self._units(self._best(np.stack([vectors[p] for p in parts]), *self._of_claim(j))[:, 0])
        shares = np.array([self._share(j, self._lexicon.concepts_in(part)) for part in parts], np.float32)
        features = found.features[i, j]
        features[FEATURES.index("cosine_sentence")] = cosines.max()
        features[FEATURES.index("groups_sentence")] = shares.max()
        # Terms count more than nearness here: three deviations are worth one concept group of four.
        return parts[int(np.argmax(shares + cosines / 12))]

    def _of_claim(self, j: int) -> tuple[Matrix, NDArray[np.intp]]:
        start = self._phrase_starts[j]
        end = self._phrase_starts[j + 1] if j + 1 < len(self._phrase_starts) else len(self._phrases)
        return self._phrases[start:end], np.array([0])

    def _best(self, vectors: Matrix, phrases: Matrix, starts: NDArray[np.intp]) -> Matrix:
        """Largest inner product of each vector with each claim's phrases: (vectors, claims)."""
        return np.maximum.reduceat(vectors @ phrases.T, starts, axis=1)

    def _units(self, cosines: Matrix) -> Matrix:
        return np.asarray((cosines - self._mean) / self._deviation, np.float32)

    def _share(self, j: int, concepts: frozenset[str]) -> float:
        groups = self._groups[j]
        return sum(1 for alternatives in groups if alternatives & concepts) / len(groups)

    def _stance(self, j: int, sentence: str) -> str:
        """A first, plain rule: words of denial in the carrying sentence refute."""
        denial = self._denials[j]
        return "refutes" if denial and denial in self._lexicon.concepts_in(sentence) else "supports"


def phrases(claims: Sequence[Claim]) -> list[str]:
    """Every text whose vector a Matcher needs, each once."""
    wanted: dict[str, None] = {}
    for claim in claims:
        wanted.update(dict.fromkeys([*_wordings(claim), *_decoys(claim)]))
    return list(wanted)


def _wordings(claim: Claim) -> list[str]:
    return [text for texts in claim.wordings().values() for text in texts]


def _decoys(claim: Claim) -> list[str]:
    return [text for _, text in (*claim.decoys, *claim.topic_decoys)]


def _stacked(texts: list[list[str]], vectors: Mapping[str, Any]) -> tuple[Matrix, NDArray[np.intp]]:
    """One matrix of all claims' texts, and where each claim's part of it starts. A claim without any has a zero row."""
    parts, starts, at = [], [], 0
    size = len(next(iter(vectors.values())))
    for group in texts:
        part = np.stack([vectors[t] for t in group]) if group else np.zeros((1, size))
        parts.append(part.astype(np.float32))
        starts.append(at)
        at += len(part)
    return np.concatenate(parts), np.array(starts)
