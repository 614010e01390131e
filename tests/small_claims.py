"""A few made-up claims with vectors and a decision model by hand, for tests of the arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.logic.claimsfile import Claim
from pipeline.logic.decision import FEATURES, STANCE_FEATURES, STANCES, DecisionModel, Point, Weights

SIZE = 6


def unit(*values: float) -> np.ndarray:
    vector = np.array([*values, *[0.0] * (SIZE - len(values))], np.float32)
    return vector / np.linalg.norm(vector)


def claim(claim_id: str, groups: dict[str, dict[str, tuple[str, ...]]] | None = None, **changes: Any) -> Claim:
    values: dict[str, Any] = dict.fromkeys(("phrasings", "refutations", "updates", "decoys", "topic_decoys"), ())
    values = {**values, "cues": {"denial": ("denies",)}, **changes}
    return Claim(claim_id, f"{claim_id} statement", groups=groups or {}, **values)


DOCKER = {"docker": ("docker*",)}
STRIKE = claim(
    "strike",
    {"who": DOCKER, "did": {"strike": ("strike*", "walk out")}},
    phrasings=(("en", "walked out"),),
    refutations=(("en", "all at work"),),
    updates=(("en", "a thousand out"),),
    decoys=(("en", "lightning"),),
    topic_decoys=(("en", "summer fair"),),
)
FIRE = claim("fire", {"who": DOCKER, "what": {"fire": ("fire*",)}})
RAIN = claim("rain", phrasings=(("en", "wet"),))  # no groups: its wordings alone say what it is
CLAIMS = [STRIKE, FIRE, RAIN]
BACKGROUND = ("a match was won", "shares fell")

VECTORS: dict[str, np.ndarray] = {
    "strike statement": unit(1, 0, 0, 0, 0.1),
    "walked out": unit(0.9, 0.3, 0, 0, 0),
    "all at work": unit(0.8, 0, 0, 0, -0.7),
    "a thousand out": unit(0.8, 0, 0, 0, 0, 0.7),
    "lightning": unit(0.6, 0.1, 0.9, 0, 0),
    "summer fair": unit(0.3, 0.2, 0.2, 0.8, 0),
    "fire statement": unit(0, 1, 0, 0, 0.1),
    "rain statement": unit(0, 0, 0.2, 1, 0),
    "wet": unit(0, 0, 0, 1, 0.2),
    "a match was won": unit(0.1, 0.1, 0.6, 0.1, 0.6),
    "shares fell": unit(0.2, 0.1, 0.7, 0.1, 0.3),
}


def weights(names: tuple[str, ...], bias: float, **by_name: float) -> Weights:
    values = np.array([by_name.get(name, 0) for name in names], np.float32)
    return Weights(np.zeros(len(names), np.float32), np.ones(len(names), np.float32), values, np.float32(bias))


def stance_weights(**by_stance: dict[str, float]) -> Weights:
    values = [[by_stance.get(stance, {}).get(name, 0) for stance in STANCES] for name in STANCE_FEATURES]
    size = len(STANCE_FEATURES)
    bias = np.array([1, 0, 0], np.float32)
    return Weights(np.zeros(size, np.float32), np.ones(size, np.float32), np.array(values, np.float32), bias)


# By hand: without a group it is nothing, with half of them doubtful, with all of them likely.
MODEL = DecisionModel(
    "test",
    weights(FEATURES, -6, groups_sentence=4, groups_context=4, probe=0.2),
    weights(FEATURES, -4, probe=6),
    stance_weights(refutes={"refutes": 3, "denial": 3, "refutes_rate": 5}, updates={"updates": 3, "updates_rate": 5}),
    accepted=Point(0.7, 0.8, 100),
    strict=Point(0.9, 0.9, 80),
    suggested=Point(0.2, 0.5, 200),
)
