"""Ranking metrics, per claim and pooled, with bootstrap intervals over items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOOTSTRAP = 400  # resamples of items


@dataclass(frozen=True)
class Quality:
    """All in 0..1. `interval` is the bootstrap's 95 % of average_precision."""

    positives: int
    average_precision: float
    best_f1: float
    recall_at_90: float
    interval: tuple[float, float] = (0.0, 0.0)


def quality(scores: NDArray[np.float32], labels: NDArray[np.int8], items: NDArray[np.intp] | None = None) -> Quality:
    """Of flat arrays of pairs; `items` says which item each pair is of, and asks for the interval."""
    interval = _interval(scores, labels, items) if items is not None else (0.0, 0.0)
    precision, recall = _curve(scores, labels)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0)
    good = recall[precision >= 0.9]
    return Quality(
        int((labels == 1).sum()),
        average_precision(scores, labels),
        float(f1.max(initial=0.0)),
        float(good.max(initial=0.0)),
        interval,
    )


def average_precision(scores: NDArray[np.float32], labels: NDArray[np.int8]) -> float:
    """Area under the precision-recall steps; ties share one step. 0 where nothing is positive."""
    if not (labels == 1).any():
        return 0.0
    precision, recall = _curve(scores, labels)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def calibration_error(
    probabilities: NDArray[np.float32], labels: NDArray[np.int8], lowest: float = 0.1, bins: int = 10
) -> tuple[float, int]:
    """(expected calibration error over `bins` of equal count, pairs), of the pairs with at least `lowest`."""
    kept = np.flatnonzero(probabilities >= lowest)
    ranked = kept[np.argsort(probabilities[kept], kind="stable")]
    error = 0.0
    for part in np.array_split(ranked, bins):
        if len(part):
            gap = float(probabilities[part].mean()) - float((labels[part] == 1).mean())
            error += abs(gap) * len(part) / len(ranked)
    return error, len(ranked)


def _curve(scores: NDArray[np.float32], labels: NDArray[np.int8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision and recall at each distinct score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order] == 1)
    ranks = np.arange(1, len(order) + 1)
    last = np.append(np.diff(scores[order]) != 0, True)  # the last pair of each tie
    total = max(int(hits[-1]) if len(hits) else 0, 1)
    return (hits / ranks)[last], (hits / total)[last]


def _interval(scores: NDArray[np.float32], labels: NDArray[np.int8], items: NDArray[np.intp]) -> tuple[float, float]:
    """Resamples items, not pairs: an item's pairs stand and fall together. Far negatives are kept once for speed."""
    generator = np.random.default_rng(0)
    positive = np.unique(items[labels == 1])
    if len(positive) == 0:
        return 0.0, 0.0
    # Items without a label and without a high score don't move the curve's head: only the rest is resampled.
    high = np.unique(items[scores >= np.sort(scores)[-min(len(scores), 40 * len(positive))]])
    kept = np.union1d(positive, high)
    mask = np.isin(items, kept)
    s, y, owner = scores[mask], labels[mask], np.searchsorted(kept, items[mask])
    found = []
    for _ in range(BOOTSTRAP):
        weight = np.bincount(generator.integers(0, len(kept), len(kept)), minlength=len(kept))
        repeated = np.repeat(np.arange(len(s)), weight[owner])
        found.append(average_precision(s[repeated], y[repeated]))
    low, high_end = np.quantile(found, [0.025, 0.975])
    return float(low), float(high_end)
