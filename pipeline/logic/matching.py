"""Similarity finds, evidence decides.

A `Matcher` holds the claims in force. For a batch of paragraphs it computes the features of every (paragraph, claim)
from vectors and concepts; it picks the pairs that could matter (find), asks for the vectors of their sentences, and
turns the features into a probability (decide) by one small model that all claims share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.logic import probes
from pipeline.logic.claimsfile import Claim
from pipeline.logic.concepts import ConceptTable
from pipeline.logic.decision import FEATURES, STANCE_FEATURES, DecisionModel
from pipeline.logic.fulltext import CELLS, FullText
from pipeline.logic.text import sentences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

# A pair whose paragraph alone makes it this likely is worth its sentences' vectors; far below any `suggested` point.
FIND = 0.02
ARTICLE = 20_000  # characters of an article that are its paragraphs' context: some 3,000 words, more than reports have
STANCE_SHRINKAGE = 30.0  # a claim's few wordings of each stance say less than its many phrasings; see logic/probes.py


@dataclass(frozen=True)
class Passage:
    """A paragraph with its vector, and as its context the title and the article under and in which it appeared first.

    `article` is the whole text, title included; without one, title and paragraph are all there is.
    """

    text: str
    title: str
    vector: Matrix
    article: str = ""


@dataclass(frozen=True)
class Example:
    """A labelled text: the claims that it bears on, and those of which nobody knows."""

    text: str
    claims: frozenset[str]
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decision:
    """One (passage, claim). `features` has FEATURES' names; `why` says in one line what speaks for it.

    `subject` is false where the article nowhere names whom the claim is about.
    """

    passage: int
    claim: int
    probability: float
    stance: str
    sentence: str
    features: dict[str, float]
    why: str
    subject: bool = True


@dataclass
class Found:
    """A batch half done: features of every pair, and the pairs whose sentences are still to be looked at."""

    passages: Sequence[Passage]
    features: Matrix  # (passages, claims, features)
    texts: Matrix  # (passages, dimensions + concepts): vector and concepts as one
    hits: Matrix  # (passages, concepts)
    title_hits: Matrix
    pairs: list[tuple[int, int]]
    spans: dict[int, list[str]]  # the sentences of each passage that is in a pair

    def sentences(self) -> list[str]:
        """The sentences whose vectors `decide` needs, each once; those that are a whole passage are left out."""
        wanted: dict[str, None] = {}
        for parts in self.spans.values():
            if len(parts) > 1:
                wanted.update(dict.fromkeys(parts))
        return list(wanted)


class Matcher:
    """`vectors` has the normalised vector of every text of `phrases(claims, background, examples)`.

    `background` is ordinary news of all kinds: what a probe takes for no evidence at all.
    """

    def __init__(
        self,
        claims: Sequence[Claim],
        vectors: Mapping[str, Any],
        model: DecisionModel,
        background: Sequence[str] = (),
        examples: Sequence[Example] = (),
    ) -> None:
        self.claims = list(claims)
        self.model = model
        self.table = ConceptTable(claims)
        self._wordings = [[text for texts in claim.wordings().values() for text in texts] for claim in claims]
        self._phrases, self._starts = _stacked(self._wordings, vectors)
        self._mean, self._deviation = self._baseline()
        # Ordinary news is a group of its own, the last: it says which words are rare.
        documents = [text for wordings in self._wordings for text in wordings]
        groups = [j for j, wordings in enumerate(self._wordings) for _ in wordings]
        self._words = FullText([*documents, *background], [*groups, *(len(self.claims) for _ in background)])
        self._build(vectors, background, examples)

    def _baseline(self) -> tuple[float, float]:
        """Mean and deviation of the cosine between wordings of different claims: what "unrelated" means to this
        encoder on this topic (0.40 in MiniLM, over 0.75 in multilingual-e5). Cosines are given in these units, so
        that one decision model serves every encoder.
        """
        rows = np.random.default_rng(0).permutation(len(self._phrases))[:2000]
        claim = np.searchsorted(self._starts, rows, side="right")
        cosines = self._phrases[rows] @ self._phrases[rows].T
        between = cosines[claim[:, None] != claim[None, :]]
        between = between if between.size else cosines.ravel()
        return float(between.mean()), max(float(between.std()), 1e-3)

    def _build(self, vectors: Mapping[str, Any], background: Sequence[str], examples: Sequence[Example]) -> None:
        """The claims' probes and those of their stances."""
        texts = [text for wordings in self._wordings for text in wordings]
        owner = [j for j, wordings in enumerate(self._wordings) for _ in wordings]
        decoy_of = [-1] * len(texts)
        common = dict.fromkeys(text for claim in self.claims for _, text in claim.topic_decoys)
        for decoys, whose in ((_decoys(c), j) for j, c in enumerate(self.claims)):
            texts += decoys
            decoy_of += [whose] * len(decoys)
        texts += [*common, *background]
        decoy_of += [-2] * len(common) + [-1] * len(background)
        owner += [-1] * (len(texts) - len(owner))
        texts += [example.text for example in examples]
        matrix = np.stack([vectors[text] for text in texts]).astype(np.float32)
        hits = self.table.hits(texts)
        self._space = probes.Space.of(matrix[: len(owner)])
        joined = self._space.join(matrix, hits)
        known = [_labels(example, self.claims) for example in examples]
        labels = np.array(known, np.int8).reshape(-1, len(self.claims))
        self._probes = probes.fit(joined, np.array(owner), np.array(decoy_of), len(self.claims), labels)
        worded = joined[: len(self._phrases)]
        stance = np.array([s for c in self.claims for s, said in c.wordings().items() for _ in said])
        of_claim = [np.flatnonzero(np.array(owner) == j) for j in range(len(self.claims))]
        self._centres = np.stack([worded[rows].mean(axis=0) for rows in of_claim])
        centred = worded - self._centres[np.array(owner[: len(worded)])]
        self._stances = {}
        for name in ("refutes", "updates"):
            own = [probes.contrast(worded[rows], stance[rows] == name, STANCE_SHRINKAGE) for rows in of_claim]
            self._stances[name] = own, probes.contrast(centred, stance == name)

    def find(self, passages: Sequence[Passage]) -> Found:
        """Features of all pairs from the paragraphs alone, and which pairs deserve a closer look."""
        n, c = len(passages), len(self.claims)
        vectors = np.array([p.vector for p in passages], np.float32).reshape(n, self._phrases.shape[1])
        hits = self.table.hits([p.text for p in passages])
        titles = self.table.hits([p.title for p in passages])
        context = self.table.hits([_context(p) for p in passages])  # compounds may span title and text
        texts = self._space.join(vectors, hits)
        features = np.zeros((n, c, len(FEATURES)), np.float32)
        self._put(features, "cosine_sentence", self._nearness(vectors))
        self._put(features, "words", self._words.rates([p.text for p in passages])[:, :c])
        # An article tells it all in its first paragraphs and says "the men" from there on.
        article = self.table.hits([p.article[:ARTICLE] or _context(p) for p in passages])
        groups = self.table.shares(article)
        self._put(features, "groups_context", self.table.shares(context))
        self._put(features, "groups_article", groups)
        self._put(features, "groups_sentence", self.table.shares(hits))
        probe = self._probes.values(texts)
        self._put(features, "probe", probe)
        self._put(features, "probe_context", self._probes.values(self._space.join(vectors, context)))
        self._put(features, "probe_margin", _margin(probe))
        self._put(features, "groups_topic", groups.max(axis=1, keepdims=True))
        self._put(features, "core", self.table.names_core(article)[:, None])
        found = Found(passages, features, texts, hits, titles, [], {})
        found.pairs = [(int(i), int(j)) for i, j in np.argwhere(self.probabilities(found) >= FIND)]
        for i in dict.fromkeys(i for i, _ in found.pairs):
            text = passages[i].text
            found.spans[i] = [text[a:b] for a, b in sentences(text)] or [text]
        return found

    def decide(self, found: Found, vectors: Mapping[str, Any]) -> list[Decision]:
        """A decision on every found pair. `vectors` has those of `found.sentences()`."""
        carrying = self._look_closer(found, vectors)
        if not found.pairs:
            return []
        probabilities = self.probabilities(found)
        stances = self.stances(found, found.pairs)
        decisions = []
        for (i, j), stance in zip(found.pairs, stances, strict=True):
            values = {k: round(float(v), 4) for k, v in zip(FEATURES, found.features[i, j], strict=True)}
            number = carrying.get((i, j), 0)
            sentence, probability = found.spans[i][number], float(probabilities[i, j])
            likely = probability >= self.model.suggested.probability
            why = self._why(found, i, j, number, probability) if likely else ""
            subject = bool(values["core"] > 0 or not self.table.about_core[j])
            decisions.append(Decision(i, j, probability, stance, sentence, values, why, subject))
        return decisions

    def probabilities(self, found: Found) -> Matrix:
        """Probabilities of all pairs, shape (passages, claims); after `decide`, with the sentences looked at."""
        return self.model.probability(found.features, self.table.grouped)

    def stance_features(self, found: Found, pairs: Sequence[tuple[int, int]]) -> Matrix:
        """(pairs, STANCE_FEATURES), from the paragraphs."""
        rows = np.zeros((len(pairs), len(STANCE_FEATURES)), np.float32)
        for row, (i, j) in zip(rows, pairs, strict=True):
            text = found.texts[i : i + 1]
            own = [self._stances[name][0][j].values(text)[0, 0] for name in ("refutes", "updates")]
            centred = text - self._centres[j]
            shared = [self._stances[name][1].values(centred)[0, 0] for name in ("refutes", "updates")]
            denial = (self.table.cue(j, "denial", h[i : i + 1])[0] for h in (found.hits, found.title_hits))
            pending = self.table.cue(j, "pending", found.hits[i : i + 1])[0]
            rates = self.model.stance_rates.get(self.claims[j].claim_id, (0.0, 0.0))
            row[:] = (*own, *shared, *denial, pending, *rates)
        return rows

    def stances(self, found: Found, pairs: Sequence[tuple[int, int]]) -> list[str]:
        return self.model.stances(self.stance_features(found, pairs)) if pairs else []

    def _look_closer(self, found: Found, vectors: Mapping[str, Any]) -> dict[tuple[int, int], int]:
        """Fill in the found pairs' sentence features; which sentence carries each best."""
        parts = found.sentences()
        if not parts:
            return {}
        row = {part: k for k, part in enumerate(parts)}
        matrix = np.stack([vectors[part] for part in parts]).astype(np.float32)
        hits = self.table.hits(parts)
        nearness, shares = self._nearness(matrix), self.table.shares(hits)
        probe = self._probes.values(self._space.join(matrix, hits))
        margins = _margin(probe)
        carrying = {}
        for i, j in found.pairs:
            if len(found.spans[i]) > 1:
                rows = [row[part] for part in found.spans[i]]
                for name, values in (
                    ("cosine_sentence", nearness),
                    ("groups_sentence", shares),
                    ("probe_margin", margins),
                ):
                    found.features[i, j, FEATURES.index(name)] = values[rows, j].max()
                carrying[i, j] = int(np.argmax(shares[rows, j] + probe[rows, j]))
        return carrying

    def _why(self, found: Found, i: int, j: int, number: int, probability: float) -> str:
        """One line: the sentence, the concepts it names, share of groups, probe, the next claim's, nearness, chance."""
        parts = found.spans[i]
        named = self.table.group_names(self.claims[j], self.table.hits([parts[number]])[0])
        # Rounded as they are stored: the last digits depend on what else is in the batch.
        value = {name: round(float(v), 4) for name, v in zip(FEATURES, found.features[i, j], strict=True)}
        place = f"sentence {number + 1} of {len(parts)}" if len(parts) > 1 else "the whole text"
        terms = " + ".join(named) or "no term of its groups"
        beside = round(value["probe"] - value["probe_margin"], 4)
        groups = f"{value['groups_article']:.0%} of its groups in the article"
        return (
            f"{place}: {terms}; {groups}; as its wordings {value['probe']:.2f}, the next claim {beside:.2f}; "
            f"wording {value['cosine_sentence']:+.1f} sd; {probability:.0%}"
        )

    def _put(self, features: Matrix, name: str, values: Matrix) -> None:
        features[:, :, FEATURES.index(name)] = values

    def _nearness(self, vectors: Matrix) -> Matrix:
        """Cosine with each claim's best wording, in deviations from the baseline: (vectors, claims)."""
        best = np.empty((len(vectors), len(self.claims)), np.float32)
        step = max(CELLS // len(self._phrases), 1)
        for start in range(0, len(vectors), step):
            cosines = vectors[start : start + step] @ self._phrases.T
            best[start : start + step] = np.maximum.reduceat(cosines, self._starts, axis=1)
        return np.asarray((best - self._mean) / self._deviation, np.float32)


def run(
    matcher: Matcher, passages: Sequence[Passage], encode: Callable[[list[str]], Any]
) -> tuple[Found, list[Decision]]:
    """Find, encode the sentences that deserve it, decide: the one way a batch is matched."""
    found = matcher.find(passages)
    wanted = found.sentences()
    vectors = dict(zip(wanted, encode(wanted), strict=True)) if wanted else {}
    return found, matcher.decide(found, vectors)


def phrases(claims: Sequence[Claim], background: Sequence[str] = (), examples: Sequence[Example] = ()) -> list[str]:
    """Every text whose vector a Matcher needs, each once."""
    wanted: dict[str, None] = {}
    for claim in claims:
        for texts in claim.wordings().values():
            wanted.update(dict.fromkeys(texts))
        wanted.update(dict.fromkeys([*_decoys(claim), *(text for _, text in claim.topic_decoys)]))
    wanted.update(dict.fromkeys([*background, *(example.text for example in examples)]))
    return list(wanted)


def _labels(example: Example, claims: Sequence[Claim]) -> list[int]:
    return [1 if c.claim_id in example.claims else -1 if c.claim_id in example.unknown else 0 for c in claims]


def _decoys(claim: Claim) -> list[str]:
    return [text for _, text in claim.decoys]


def _context(passage: Passage) -> str:
    return passage.text if passage.title == passage.text else f"{passage.title}\n{passage.text}"


def _margin(values: Matrix) -> Matrix:
    """Each value less the best of the other columns; with one column, less 0."""
    if values.shape[1] < 2:
        return values
    order = np.sort(values, axis=1)
    best, second = order[:, -1:], order[:, -2:-1]
    return np.asarray(values - np.where(values == best, second, best), np.float32)


def _stacked(texts: list[list[str]], vectors: Mapping[str, Any]) -> tuple[Matrix, NDArray[np.intp]]:
    """One matrix of all claims' texts, and where each claim's part of it starts."""
    parts = [np.stack([vectors[t] for t in group]).astype(np.float32) for group in texts]
    return np.concatenate(parts), np.cumsum([0, *(len(part) for part in parts)])[:-1]
