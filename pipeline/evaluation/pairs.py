"""A labelled set run through the matcher: one row an item and claim, for reports and for training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.evaluation.datasets import Labelled
from pipeline.evaluation.score import Encodes, likeliest, passages_of
from pipeline.logic.decision import STANCES
from pipeline.logic.matching import Decision, Found, Matcher, run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Pairs:
    """`labels` (items, claims) is 1, 0, or -1 where left out; `stances` has the number of the stance, or -1."""

    data: Labelled
    matcher: Matcher
    found: Found
    owner: NDArray[np.intp]  # the item of each passage
    labels: NDArray[np.int8]
    stances: NDArray[np.int8]
    baseline: Matrix  # (items, claims): raw cosine with the claim's one sentence
    decisions: dict[tuple[int, int], Decision]  # by passage and claim, of the pairs that were found

    @property
    def features(self) -> Matrix:
        return self.found.features

    @cached_property
    def used(self) -> NDArray[np.bool_]:
        return self.labels >= 0

    def best(self, values: Matrix) -> tuple[Matrix, NDArray[np.intp]]:
        """Each item's highest of values (passages, claims), and its passage; see score.likeliest."""
        return likeliest(values, self.owner, len(self.data.items))

    def probabilities(self) -> Matrix:
        return self.best(self.matcher.probabilities(self.found))[0]


def measure(data: Labelled, matcher: Matcher, encoder: Encodes) -> Pairs:
    passages, owner = passages_of(data.items, encoder)
    found, decided = run(matcher, passages, encoder.encode)
    ids = {claim.claim_id: j for j, claim in enumerate(matcher.claims)}
    labels = np.zeros((len(data.items), len(ids)), np.int8)
    stances = np.full(labels.shape, -1, np.int8)
    for row, item in enumerate(data.items):
        for claim in data.left_out.get(item.id, frozenset()) & ids.keys():
            labels[row, ids[claim]] = -1
        for claim, stance in data.direct.get(item.id, {}).items():
            if claim in ids:
                labels[row, ids[claim]] = 1
                stances[row, ids[claim]] = STANCES.index(stance)
    statements = encoder.encode([claim.statement for claim in matcher.claims])
    vectors = np.stack([p.vector for p in passages]).astype(np.float32)
    pairs = Pairs(data, matcher, found, np.array(owner, np.intp), labels, stances, np.empty(0, np.float32), {})
    baseline, _ = pairs.best(vectors @ statements.T)
    return replace(pairs, baseline=baseline, decisions={(d.passage, d.claim): d for d in decided})
