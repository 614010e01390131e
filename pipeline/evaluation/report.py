"""Quality on a labelled set, per claim and pooled, beside the baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.evaluation import datasets, metrics
from pipeline.evaluation.score import Encodes, passages_of
from pipeline.logic.matching import Matcher

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOLED = "all claims (micro)"


def evaluate(path: Path, split: str, matcher: Matcher, encoder: Encodes) -> list[list[Any]]:
    """Rows: claim, positives, average precision, its interval, best F1, recall at 90 % precision, baseline."""
    data = datasets.load(path, split)
    ids = [claim.claim_id for claim in matcher.claims]
    passages, owner = passages_of(data.items, encoder)
    found = matcher.find(passages)
    wanted = found.sentences()
    matcher.decide(found, dict(zip(wanted, encoder.encode(wanted), strict=True)) if wanted else {})
    scores = _best(matcher.probabilities(found), owner, len(data.items))
    statements = encoder.encode([claim.statement for claim in matcher.claims])
    cosines = np.stack([p.vector for p in passages]) @ statements.T
    baseline = _best(cosines, owner, len(data.items))
    labels = np.zeros(scores.shape, np.int8)
    for row, item in enumerate(data.items):
        for claim in data.left_out.get(item.id, ()):
            labels[row, ids.index(claim)] = -1
        for claim in data.direct.get(item.id, {}):
            labels[row, ids.index(claim)] = 1
    lines = []
    for j, claim in enumerate(ids):
        if (labels[:, j] == 1).any():
            lines.append(_line(claim, scores[:, [j]], baseline[:, [j]], labels[:, [j]]))
    lines.append(_line(POOLED, scores, baseline, labels))
    return lines


def _line(name: str, scores: NDArray[np.float32], baseline: NDArray[np.float32], labels: NDArray[np.int8]) -> list[Any]:
    used = labels >= 0
    items = np.broadcast_to(np.arange(len(labels))[:, None], labels.shape)[used]
    q = metrics.quality(scores[used], labels[used], items)
    interval = f"{q.interval[0]:.2f}-{q.interval[1]:.2f}"
    base = metrics.average_precision(baseline[used], labels[used])
    return [name, q.positives, q.average_precision, interval, q.best_f1, q.recall_at_90, round(base, 4)]


def _best(values: NDArray[np.float32], owner: list[int], items: int) -> NDArray[np.float32]:
    """Each item's best passage: (items, claims). An item without a text has the lowest value of all."""
    best = np.full((items, values.shape[1]), values.min(initial=0.0), np.float32)
    np.maximum.at(best, np.array(owner, np.intp), values)
    return best
