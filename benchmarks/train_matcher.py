"""Trains the decision model and writes pipeline/data/matcher.json.

    python benchmarks/train_matcher.py ../shared/data [--out FILE]

Trained on the stream's first weeks (items, labelled as a whole) and the newsroom's articles of 2024 (paragraphs).
Nothing else is looked at: the stream's later months, the reports and the newsroom's articles of 2025 are for
`claimwatch eval`. An item is labelled, its passages are not: in each round, the passage that the model of the round
before likes best stands for its item.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.evaluation import datasets, metrics
from pipeline.evaluation.score import passages_of
from pipeline.logic import claimsfile
from pipeline.logic.matching import FEATURES, FIND_GROUPS, DecisionModel, Matcher, phrases
from pipeline.settings import default_home, load, root

SETS = (("stream", "train", 4.0), ("newsroom", "dev", 1.0))  # folder, split, weight of its pairs
REGULARISATION = 0.01  # sklearn's C; from 0.01, 0.1 and 1, the best on the stream's validation split
ROUNDS = 3
EASY = 0.3  # pairs with a smaller share of groups are near-certain negatives; one in a hundred is kept
FOLDS = 5
ACCEPTED_PRECISION = 0.8  # of all accepted pairs, out of fold
SUGGESTED = 0.15  # one suggestion in seven is worth an analyst's look at it alone


def table(folder: Path, split: str, matcher: Matcher, encoder: CachedEncoder) -> tuple[np.ndarray, ...]:
    """(features (passages, claims, features), item of each passage, labels (items, claims): 1, 0, -1 left out)."""
    data = datasets.load(folder, split)
    passages, owner = passages_of(data.items, encoder)
    found = matcher.find(passages)
    wanted = found.sentences()
    matcher.decide(found, dict(zip(wanted, encoder.encode(wanted), strict=True)))
    ids = [claim.claim_id for claim in matcher.claims]
    labels = np.zeros((len(data.items), len(ids)), np.int8)
    for row, item in enumerate(data.items):
        for claim in data.left_out.get(item.id, ()):
            labels[row, ids.index(claim)] = -1
        for claim in data.direct.get(item.id, {}):
            labels[row, ids.index(claim)] = 1
    return found.features, np.array(owner), labels


def best_passages(scores: np.ndarray, owner: np.ndarray, items: int) -> tuple[np.ndarray, np.ndarray]:
    """(score, passage) of each item and claim."""
    best = np.full((items, scores.shape[1]), -np.inf)
    passage = np.full((items, scores.shape[1]), -1)
    for p, i in enumerate(owner):
        better = scores[p] > best[i]
        best[i][better], passage[i][better] = scores[p][better], p
    return best, passage


def first_guess(features: np.ndarray) -> np.ndarray:
    return features[..., FEATURES.index("groups_context")] + 0.02 * features[..., FEATURES.index("cosine_sentence")]


def fit(tables: list[tuple[np.ndarray, ...]], weights: list[float], held: list[np.ndarray] | None = None):
    """The fitted (mean, scale, weights, bias), leaving out the items in `held`."""
    scorer = first_guess
    for _ in range(ROUNDS):
        xs, ys, ws = [], [], []
        for k, ((features, owner, labels), weight) in enumerate(zip(tables, weights, strict=True)):
            _, passage = best_passages(scorer(features), owner, len(labels))
            usable = (labels >= 0) & (passage >= 0)
            if held is not None:
                usable[held[k]] = False
            rows, claims = np.nonzero(usable)
            x = features[passage[rows, claims], claims]
            y = labels[rows, claims] == 1
            kept = y | (x[:, FEATURES.index("groups_context")] >= EASY)
            kept |= np.random.default_rng(0).random(len(y)) < 0.01
            xs.append(x[kept])
            ys.append(y[kept])
            ws.append(np.full(kept.sum(), weight))
        x, y, w = np.concatenate(xs), np.concatenate(ys), np.concatenate(ws)
        mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
        model = LogisticRegression(C=REGULARISATION, max_iter=2000).fit((x - mean) / scale, y, sample_weight=w)
        coefficients, bias = model.coef_[0], float(model.intercept_[0])

        def scorer(f, mean=mean, scale=scale, coefficients=coefficients, bias=bias):
            return ((f - mean) / scale) @ coefficients + bias

    return mean, scale, coefficients, bias


def out_of_fold(
    tables: list[tuple[np.ndarray, ...]], weights: list[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(logits, labels, found) of all usable pairs, each by a model that has not seen the item."""
    generator = np.random.default_rng(1)
    folds = [generator.integers(0, FOLDS, len(labels)) for _, _, labels in tables]
    logits, truths, found = [], [], []
    for fold in range(FOLDS):
        held = [assigned == fold for assigned in folds]
        mean, scale, coefficients, bias = fit(tables, weights, held)
        for (features, owner, labels), mask in zip(tables, held, strict=True):
            best, passage = best_passages(((features - mean) / scale) @ coefficients + bias, owner, len(labels))
            usable = (labels >= 0) & np.isfinite(best) & mask[:, None]
            logits.append(best[usable])
            truths.append(labels[usable])
            shares = features[passage, np.arange(labels.shape[1])][..., FEATURES.index("groups_context")]
            found.append(shares[usable] >= FIND_GROUPS)
    return np.concatenate(logits), np.concatenate(truths), np.concatenate(found)


def threshold(logits: np.ndarray, labels: np.ndarray, precision: float) -> float:
    """The lowest probability at and above which the precision holds."""
    order = np.argsort(-logits)
    running = np.cumsum(labels[order] == 1) / np.arange(1, len(order) + 1)
    last = np.nonzero(running >= precision)[0].max()
    return float(1 / (1 + np.exp(-logits[order][last])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "pipeline" / "data" / "matcher.json")
    arguments = parser.parse_args()
    encoder = CachedEncoder(Encoder(load().embed), default_home() / "vectors.sqlite")
    topic = claimsfile.parse((root() / "claims" / "nk-russia.yaml").read_text(encoding="utf-8"), "nk-russia.yaml")
    texts = phrases(topic.claims)
    empty = np.zeros(len(FEATURES), np.float32)
    blank = DecisionModel("blank", empty, empty + 1, empty, 0.0, 0.5, 0.5)
    matcher = Matcher(topic.claims, dict(zip(texts, encoder.encode(texts), strict=True)), blank)
    tables = [table(arguments.data / folder, split, matcher, encoder) for folder, split, _ in SETS]
    weights = [weight for _, _, weight in SETS]
    mean, scale, coefficients, bias = fit(tables, weights)
    logits, labels, found = out_of_fold(tables, weights)
    # Regularisation makes the model timid; out of fold, logits are put right by one slope and one shift (Platt), on
    # the pairs that find lets through: the rest gets no probability that anyone sees.
    platt = LogisticRegression(C=1e6, max_iter=2000).fit(logits[found][:, None], labels[found] == 1)
    slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    coefficients, bias, logits = coefficients * slope, bias * slope + shift, logits * slope + shift
    ap = metrics.average_precision(logits.astype(np.float32), labels)
    stored = {
        "version": "2026-11-22",
        "trained_on": [f"{folder}/{split}" for folder, split, _ in SETS],
        "out_of_fold_average_precision": round(ap, 3),
        "features": list(FEATURES),
        "mean": [round(float(v), 5) for v in mean],
        "scale": [round(float(v), 5) for v in scale],
        "weights": [round(float(v), 5) for v in coefficients],
        "bias": round(bias, 5),
        "accepted": round(threshold(logits, labels, ACCEPTED_PRECISION), 4),
        "suggested": SUGGESTED,
    }
    arguments.out.write_text(json.dumps(stored, indent=1) + "\n")
    print(json.dumps(stored))


if __name__ == "__main__":
    main()
