"""The decision model: features to a probability, and at which probability a match is accepted or suggested.

It is data (pipeline/data/matcher.json, made by `claimwatch calibrate`): weights beside what they were made from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

FEATURES = (
    "cosine_sentence",  # nearness of the best sentence to the best wording, in deviations from the encoder's baseline
    "words",  # BM25 of the paragraph with the best wording, over the root of the paragraph's length in words
    "groups_context",  # share of the claim's concept groups named in the paragraph or the title above it
    "groups_article",  # ... anywhere in its article
    "groups_sentence",  # ... in one sentence
    "probe",  # the claim's probe (logic/probes.py) on the paragraph: 1 as its wordings, 0 as its near-misses
    "probe_context",  # ... with the concepts that the title names
    "probe_margin",  # the probe less the best other claim's, in the best sentence
    "groups_topic",  # the article's largest share of any claim's groups: is this the topic at all?
    "core",  # whether the article names the concept that most claims share: who it is about
)
LEXICAL = ("groups_context", "groups_article", "groups_sentence")  # what a claim without groups does not have
STANCES = ("supports", "refutes", "updates")
STANCE_FEATURES = (
    "refutes",  # contrast of the claim's refutations with its other wordings
    "updates",  # the same for its updates
    "refutes_any",  # the same over all claims at once
    "updates_any",
    "denial",  # words of denial in the paragraph
    "denial_title",  # ... in its title
    "pending",  # words for what is planned, expected, in training or not known yet
    "refutes_rate",  # how much oftener than other claims this one was refuted among its labels (log); 0 without labels
    "updates_rate",
)


@dataclass(frozen=True)
class Weights:
    """A linear model over standardised features. `weights` is (features,) or (features, outcomes)."""

    mean: Matrix
    scale: Matrix
    weights: Matrix
    bias: Matrix

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Weights:
        return cls(*(np.array(stored[key], np.float32) for key in ("mean", "scale", "weights", "bias")))

    def logit(self, features: Matrix) -> Matrix:
        return np.asarray(((features - self.mean) / self.scale) @ self.weights + self.bias, np.float32)


@dataclass(frozen=True)
class Point:
    """An operating point: from this probability on, so many in a hundred were right, of so many labelled pairs."""

    probability: float
    precision: float
    labels: int


@dataclass(frozen=True)
class DecisionModel:
    """`accepted` may alert; `strict` is asked of short texts and of claims long without evidence."""

    version: str
    weights: Weights
    plain: Weights  # for claims without concept groups
    stance: Weights
    accepted: Point
    strict: Point
    suggested: Point
    by_claim: Mapping[str, Point] = field(default_factory=dict)  # accepted, where a claim has labels enough of its own
    stance_rates: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> DecisionModel:
        """Raises ValueError where the file was made for other features."""
        return cls.read(json.loads(path.read_text(encoding="utf-8")), str(path))

    @classmethod
    def read(cls, stored: Mapping[str, Any], name: str) -> DecisionModel:
        made_for = tuple(stored["features"]), tuple(stored["stance_features"])
        if made_for != (FEATURES, STANCE_FEATURES):
            raise ValueError(f"{name} was made for other features: {made_for}; run `claimwatch calibrate`")
        points = stored["points"]
        weights, plain, stance = (Weights.read(stored[key]) for key in ("weights", "plain", "stance"))
        accepted, strict, suggested = (Point(**points[key]) for key in ("accepted", "strict", "suggested"))
        own = {claim: Point(**point) for claim, point in stored["by_claim"].items()}
        return cls(stored["version"], weights, plain, stance, accepted, strict, suggested, own, stored["stance_rates"])

    def probability(self, features: Matrix, grouped: NDArray[np.bool_]) -> Matrix:
        """Features (n, claims, FEATURES) to probabilities (n, claims); `grouped` says which claims have groups."""
        logit = np.where(grouped, self.weights.logit(features), self.plain.logit(features))
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -30, 30))), np.float32)

    def stances(self, features: Matrix) -> list[str]:
        """Stance features (n, STANCE_FEATURES) to the likeliest stance of each row."""
        return [STANCES[k] for k in np.argmax(self.stance.logit(features), axis=-1)]

    def point(self, claim: str) -> Point:
        return self.by_claim.get(claim, self.accepted)


# Letters that a text must have to be judged like any other; an East Asian letter counts twice. Captions and kickers
# are shorter: they name people and places and say nothing.
SHORT = 24


@dataclass(frozen=True)
class Tiers:
    """Accepted, suggested or none. `accepted` and `suggested` are a person's own points, instead of the model's."""

    model: DecisionModel
    accepted: float | None = None
    suggested: float | None = None

    def of(self, claim: str, probability: float, text: str, *, stale: bool = False, subject: bool = True) -> str:
        """A short text, or one for a claim that is `stale` (long without evidence), must be surer to be accepted. One
        that doesn't name the claim's subject is suggested at most: civilians killed where the claim has soldiers are
        as near to it as can be, and in the news every day.
        """
        from_here = self.accepted or self.model.point(claim).probability
        if stale or letters(text) < SHORT:
            from_here = max(from_here, self.model.strict.probability)
        if probability >= from_here and subject:
            return "accepted"
        return "suggested" if probability >= self.lowest else "none"

    def basis(self, claim: str) -> Point | None:
        """What is known of the setting that accepts for a claim; nothing where it is a person's own."""
        return None if self.accepted else self.model.point(claim)

    @property
    def lowest(self) -> float:
        return self.suggested or self.model.suggested.probability


def letters(text: str) -> int:
    """Letters and digits of a text; one of an East Asian script is about two of an alphabet."""
    return sum(2 if character >= "\u1100" else 1 for character in text if character.isalnum())
