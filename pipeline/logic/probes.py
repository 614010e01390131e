"""Linear probes made from the claims file: what tells texts that bear on a claim from their near-misses.

A text is its vector and the concepts that it names. A probe is Fisher's linear discriminant between a claim's wordings
and everything that is not evidence for it: its decoys, the topic's, other claims' wordings and ordinary news. All
claims share the scatter within classes, so that a thousand claims cost one matrix to solve. A value of 1 is what the
claim's own wordings have on average, 0 what the others have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

# Chosen on the newsroom's articles of 2024 and the reports.
CONCEPT_WEIGHT = 0.2  # of a concept, beside a vector of length 1
SHRINKAGE = 4.0  # of the scatter matrix, in units of its mean eigenvalue where vectors have length 1
EXAMPLE_WEIGHT = 0.5  # of a labelled example, beside a wording
OTHERS_WEIGHT = 0.3  # of other claims' wordings and ordinary news among the negatives; decoys have 1


@dataclass(frozen=True)
class Space:
    """Vectors and concept hits as one feature space; the vectors' mean goes, their spread becomes 1."""

    mean: Matrix
    spread: float

    @classmethod
    def of(cls, vectors: Matrix) -> Space:
        mean = vectors.mean(axis=0)
        spread = float(np.sqrt(((vectors - mean) ** 2).sum(axis=1).mean()))
        return cls(mean, max(spread, 1e-6))

    def join(self, vectors: Matrix, hits: Matrix) -> Matrix:
        """(texts, dimensions + concepts)."""
        return np.hstack([(vectors - self.mean) / self.spread, hits * CONCEPT_WEIGHT]).astype(np.float32)


@dataclass(frozen=True)
class Probes:
    """`values = (texts - centre) @ weights * scale - shift`, one column a probe."""

    centre: Matrix
    weights: Matrix
    scale: Matrix
    shift: Matrix

    def values(self, texts: Matrix) -> Matrix:
        return np.asarray(((texts - self.centre) @ self.weights) * self.scale - self.shift, np.float32)


def fit(
    texts: Matrix,
    owner: NDArray[np.intp],
    decoy_of: NDArray[np.intp],
    claims: int,
    labels: NDArray[np.int8] | None = None,
) -> Probes:
    """One probe a claim.

    `owner` is the claim that a text words, or -1; `decoy_of` the claim whose decoy it is, -2 for a decoy of all, -1
    for none. Texts that are neither are ordinary news. The last rows of `texts` may be labelled examples: `labels`
    (examples, claims) is 1 where one bears on a claim, 0 where not, -1 where nobody knows.
    """
    count = len(owner)
    centre = texts[:count].mean(axis=0)
    x, labelled = texts[:count] - centre, texts[count:] - centre
    labels = np.zeros((0, claims), np.int8) if labels is None else labels
    yes, no = (labels == 1).astype(np.float32), (labels == 0).astype(np.float32)
    size = np.maximum(np.bincount(owner[owner >= 0], minlength=claims) + EXAMPLE_WEIGHT * yes.sum(axis=0), 1)
    summed_up = np.stack([x[owner == j].sum(axis=0) for j in range(claims)])
    positive = (summed_up + EXAMPLE_WEIGHT * yes.T @ labelled) / size[:, None]
    residual = x.copy()
    worded = owner >= 0
    residual[worded] -= positive[owner[worded]]
    weight = np.where(decoy_of == -2, 1.0, OTHERS_WEIGHT).astype(np.float32)
    total, summed = float(weight.sum()), weight @ x
    mass = total + no.sum(axis=0)
    moved = summed + no.T @ labelled
    for j in range(claims):  # everything at its common weight, less the claim's own, its own decoys at full weight
        own, decoys = owner == j, decoy_of == j
        mass[j] += (1 - OTHERS_WEIGHT) * decoys.sum() - weight[own].sum()
        moved[j] += (1 - OTHERS_WEIGHT) * x[decoys].sum(axis=0) - weight[own] @ x[own]
    # A claim that is all there is has nothing to be told from: its negatives are the centre, and its probe says 0.
    negative = moved / np.where(mass > 1e-6, mass, np.inf)[:, None]
    weights = _solve(residual, (positive - negative).T)
    return _scaled(centre, weights, positive, negative)


def contrast(texts: Matrix, first: NDArray[np.bool_], shrinkage: float = SHRINKAGE) -> Probes:
    """One probe: texts where `first` is true have 1 on average, the others 0. Without texts on a side it says 0."""
    centre = texts.mean(axis=0)
    if not first.any() or first.all():
        width = texts.shape[1]
        none = np.zeros(1, np.float32)
        return Probes(centre, np.zeros((width, 1), np.float32), none, none)
    x = texts - centre
    one, other = x[first].mean(axis=0, keepdims=True), x[~first].mean(axis=0, keepdims=True)
    residual = np.where(first[:, None], x - one, x - other)
    weights = _solve(residual, (one - other).T, shrinkage)
    return _scaled(centre, weights, one, other)


def _solve(residual: Matrix, directions: Matrix, shrinkage: float = SHRINKAGE) -> Matrix:
    size = residual.shape[1]
    scatter = residual.T @ residual / len(residual) + shrinkage / size * np.eye(size, dtype=np.float32)
    return np.asarray(np.linalg.solve(scatter, directions), np.float32)


def _scaled(centre: Matrix, weights: Matrix, ones: Matrix, zeros: Matrix) -> Probes:
    """Scale and shift so that the rows of `ones` have 1 and those of `zeros` 0, each in its own column."""
    high, low = np.einsum("jd,dj->j", ones, weights), np.einsum("jd,dj->j", zeros, weights)
    scale = (1 / np.maximum(high - low, 1e-6)).astype(np.float32)
    return Probes(centre, weights, scale, np.asarray(low * scale, np.float32))
