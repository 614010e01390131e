"""Quality on a labelled set: ranking per claim and language, operating points, calibration, stance, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.evaluation import metrics
from pipeline.evaluation.pairs import Pairs
from pipeline.evaluation.score import Best, with_stances
from pipeline.logic.decision import FEATURES, STANCES, Point, Tiers
from pipeline.logic.stances import Entails

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOLED = "all claims (micro)"
RANKING = ("of", "positives", "AP", "AP 95 %", "best F1", "recall at P 0.9", "baseline AP")
POINTS = ("point", "from", "accepted pairs", "precision", "recall")
STANCE = ("stance", "labelled", "found right", "precision", "recall", "F1")
ERRORS = ("error", "claim", "item", "language", "probability", "labels of the item", "title", "features")
SHOWN = 60  # characters of a title


def ranking(pairs: Pairs, scores: NDArray[np.float32] | None = None) -> list[list[Any]]:
    """One row a claim with positives, one a language, and the pooled row last."""
    values = pairs.probabilities() if scores is None else scores
    lines = []
    for j, claim in enumerate(pairs.matcher.claims):
        if (pairs.labels[:, j] == 1).any():
            own = np.s_[:, j : j + 1]
            lines.append(_line(claim.claim_id, values[own], pairs.baseline[own], pairs.labels[own]))
    languages = np.array([item.lang or "?" for item in pairs.data.items])
    for language in sorted(set(languages)):
        rows = languages == language
        if (pairs.labels[rows] == 1).any() and not rows.all():
            lines.append(_line(f"in {language}", values[rows], pairs.baseline[rows], pairs.labels[rows]))
    lines.append(_line(POOLED, values, pairs.baseline, pairs.labels))
    return lines


def _line(name: str, scores: NDArray[np.float32], baseline: NDArray[np.float32], labels: NDArray[np.int8]) -> list[Any]:
    used = labels >= 0
    items = np.broadcast_to(np.arange(len(labels))[:, None], labels.shape)[used]
    q = metrics.quality(scores[used], labels[used], items)
    interval = f"{q.interval[0]:.2f}-{q.interval[1]:.2f}"
    base = metrics.average_precision(baseline[used], labels[used])
    return [name, q.positives, q.average_precision, interval, q.best_f1, q.recall_at_90, round(base, 4)]


def operating_points(pairs: Pairs) -> list[list[Any]]:
    """What the model's points mean on this set."""
    model, used = pairs.matcher.model, pairs.used
    probability, truth = pairs.probabilities()[used], pairs.labels[used] == 1
    rows: list[tuple[str, Point]] = [(name, getattr(model, name)) for name in ("strict", "accepted", "suggested")]
    lines = []
    for name, point in rows:
        taken = probability >= point.probability
        right = int((taken & truth).sum())
        count = int(taken.sum())
        lines.append([name, point.probability, count, right / max(count, 1), right / max(int(truth.sum()), 1)])
    return lines


def calibration(pairs: Pairs) -> tuple[float, int]:
    """(calibration error, pairs) over pairs with a probability of 0.1 or more; see metrics.calibration_error."""
    used = pairs.used
    return metrics.calibration_error(pairs.probabilities()[used], pairs.labels[used])


def stances(
    pairs: Pairs, tiers: Tiers | None = None, entailment: Entails | None = None
) -> tuple[list[list[Any]], dict[str, float]]:
    """A row a stance over the true evidence, and accuracy, macro F1 and the majority class's accuracy.

    With an entailment model, what comes to `tiers`' suggestions has its stance, as in score.
    """
    probability = pairs.matcher.probabilities(pairs.found)
    _, passage = pairs.best(probability)
    wanted = [(int(i), int(j)) for i, j in np.argwhere(pairs.stances >= 0)]
    at = [(int(passage[pair]), pair[1]) for pair in wanted]
    found = {
        pair: Best(pairs.found.passages[p], float(probability[p, j]), stance, pairs.decisions.get((p, j)))
        for pair, (p, j), stance in zip(wanted, at, pairs.matcher.stances(pairs.found, at), strict=True)
    }
    best = with_stances(found, pairs.matcher, tiers or Tiers(pairs.matcher.model), entailment)
    said = np.array([STANCES.index(best[pair].stance) for pair in wanted])
    return stance_quality(np.array([pairs.stances[pair] for pair in wanted]), said)


def stance_quality(truth: NDArray[Any], said: NDArray[Any]) -> tuple[list[list[Any]], dict[str, float]]:
    lines, f1 = [], []
    for k, name in enumerate(STANCES):
        labelled, right = int((truth == k).sum()), int(((truth == k) & (said == k)).sum())
        precision, recall = right / max(int((said == k).sum()), 1), right / max(labelled, 1)
        score = 2 * precision * recall / max(precision + recall, 1e-9)
        lines.append([name, labelled, right, precision, recall, score])
        if labelled:
            f1.append(score)
    count = max(len(truth), 1)
    majority = max((int((truth == k).sum()) for k in range(len(STANCES))), default=0) / count
    accuracy = float((truth == said).sum()) / count
    return lines, {"accuracy": accuracy, "macro_f1": float(np.mean(f1)) if f1 else 0.0, "majority": majority}


def errors(pairs: Pairs, count: int) -> list[list[Any]]:
    """The worst false alarms and the worst misses, with the features behind them; for reading, never for tests."""
    probability, labels = pairs.probabilities(), pairs.labels
    _, passage = pairs.best(pairs.matcher.probabilities(pairs.found))
    lines = []
    for kind, wanted, order in (("false alarm", 0, -1), ("miss", 1, 1)):
        places = np.argwhere(labels == wanted)
        ranked = places[np.argsort(order * probability[labels == wanted], kind="stable")][:count]
        lines += [_error(pairs, kind, int(i), int(j), passage, probability) for i, j in ranked]
    return lines


def _error(
    pairs: Pairs, kind: str, i: int, j: int, passage: NDArray[np.intp], probability: NDArray[np.float32]
) -> list[Any]:
    item = pairs.data.items[i]
    values = pairs.features[passage[i, j], j]
    named = " ".join(f"{name} {value:.2f}" for name, value in zip(FEATURES, values, strict=True))
    true = " ".join(sorted(pairs.data.direct.get(item.id, {}))) or "-"
    claim = pairs.matcher.claims[j].claim_id
    return [kind, claim, item.id, item.lang or "?", float(probability[i, j]), true, item.title[:SHOWN], named]
