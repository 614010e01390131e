"""The stance of evidence by an entailment model (NLI), where one is configured; else the decision model's stays.

The premise is the sentence that carries the evidence, with its paragraph behind it; the hypothesis is the claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipeline.logic.claimsfile import Claim
from pipeline.logic.matching import Decision, Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray

SURE = 0.5  # more than both other outcomes together
FEATURES = ("nli_entails", "nli_contradicts", "nli_neutral")  # in the order in which an `Entails` gives them


class Entails(Protocol):
    """Probabilities of (premise, hypothesis) pairs: entails, contradicts, neutral; shape (pairs, 3)."""

    def predict(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]: ...


def judged(
    decisions: Sequence[Decision], passages: Sequence[Passage], claims: Sequence[Claim], model: Entails | None
) -> list[Decision]:
    """The decisions in their order, with the model's stance where it is sure, and what it said among the features."""
    if model is None or not decisions:
        return list(decisions)
    pairs = [(premise(d.sentence, passages[d.passage].text), claims[d.claim].statement) for d in decisions]
    said = model.predict(pairs)
    return [
        replace(d, stance=_stance(d.stance, *map(float, values)), features={**d.features, **_features(values)})
        for d, values in zip(decisions, said, strict=True)
    ]


def premise(sentence: str, paragraph: str) -> str:
    """The sentence first: what is too long for the model is cut at its end."""
    return sentence if sentence == paragraph else f"{sentence} {paragraph}"


def _stance(otherwise: str, entails: float, contradicts: float, _: float) -> str:
    if contradicts > SURE:
        return "refutes"
    return "supports" if entails > SURE else otherwise


def _features(values: NDArray[np.float32]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(FEATURES, values, strict=True)}
