"""Ranking metrics against a second implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve

from pipeline.evaluation.metrics import average_precision, quality

PAIRS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1, width=32), st.booleans()), min_size=1
)


def arrays(pairs: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([s for s, _ in pairs], np.float32), np.array([y for _, y in pairs], np.int8)


@given(PAIRS)
def test_average_precision(pairs: list[tuple[float, bool]]) -> None:
    scores, labels = arrays(pairs)
    expected = average_precision_score(labels, scores) if labels.any() else 0.0
    assert average_precision(scores, labels) == pytest.approx(expected)


@given(PAIRS)
def test_points_of_the_curve(pairs: list[tuple[float, bool]]) -> None:
    scores, labels = arrays(pairs)
    q = quality(scores, labels)
    assert q.positives == labels.sum()
    if not labels.any():
        assert (q.average_precision, q.best_f1, q.recall_at_90) == (0.0, 0.0, 0.0)
        return
    precision, recall, _ = precision_recall_curve(labels, scores)
    precision, recall = precision[:-1], recall[:-1]  # sklearn adds a point that no threshold gives
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    assert q.best_f1 == pytest.approx(f1.max())
    assert q.recall_at_90 == pytest.approx(recall[precision >= 0.9].max(initial=0.0))


def test_by_hand() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    q = quality(scores, np.array([1, 0, 1, 0], np.int8))
    assert q.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert q.recall_at_90 == 0.5
    assert q.best_f1 == pytest.approx(0.8)
    assert q.interval == (0.0, 0.0)
    # Where all scores are equal the order says nothing: the share of positives.
    assert average_precision(np.zeros(4, np.float32), np.array([1, 0, 0, 0], np.int8)) == 0.25


def test_the_interval() -> None:
    random = np.random.default_rng(7)
    items = np.repeat(np.arange(300), 4)
    labels = (random.random(1200) < 0.05).astype(np.int8)
    scores = (0.4 * labels + random.random(1200)).astype(np.float32)
    q = quality(scores, labels, items)
    low, high = q.interval
    assert 0 < low < q.average_precision < high < 1
    assert quality(scores, labels, items) == q  # the same numbers at every run
    # More items, a narrower interval.
    several = quality(np.tile(scores, 8), np.tile(labels, 8), np.concatenate([items + 300 * k for k in range(8)]))
    assert several.interval[1] - several.interval[0] < 0.6 * (high - low)
    assert quality(scores, np.zeros(1200, np.int8), items).interval == (0.0, 0.0)
