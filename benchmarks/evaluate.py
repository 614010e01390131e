"""Prints the quality of matching on every labelled set there is, beside the baseline.

    python benchmarks/evaluate.py [--data FOLDER] [--claims FILE] [--per-claim]

The baseline is what a desk would try first: one sentence a claim, raw cosine of the same encoder; `factor` is average
precision over the baseline's. Every set stands with its role: what the model was trained on, what chose between
models, what was kept back. Sets that were trained on are measured out of fold as well, over blocks of time: each item
by a model that has not seen its block. The newsroom's articles count by paragraph and by article; an article scores
as its best paragraph. Vectors are kept in the home's vectors.sqlite; the last line is one JSON object.

Nothing may be chosen by the splits called test. The packaged model was made from TRAINED; with a model that
`claimwatch calibrate` made from other sets, the roles are another's.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.evaluation import calibrating, datasets, metrics, report, training
from pipeline.evaluation.pairs import Pairs, measure
from pipeline.logging import configure
from pipeline.logic.decision import STANCE_FEATURES, Weights
from pipeline.settings import load, root
from pipeline.stages import materials

TRAINED = (("stream", "train", 4.0), ("newsroom", "dev", 1.0), ("reports", "all", 1.0))  # folder, split, weight
OTHERS = (
    ("stream", "validation", "chose"),
    ("stream", "test", "kept back"),
    ("newsroom", "test", "kept back"),
)
COLUMNS = ("positives", "ap", "interval", "best_f1", "recall_at_90", "baseline", "factor")
DATA = Path(__file__).parents[1].parent / "shared" / "data"


def ranked(scores: np.ndarray, labels: np.ndarray, baseline: np.ndarray) -> dict[str, Any]:
    """COLUMNS over pairs (items, claims); a label of -1 counts neither way."""
    used = labels >= 0
    items = np.broadcast_to(np.arange(len(labels))[:, None], labels.shape)[used]
    q = metrics.quality(scores[used], labels[used], items)
    base = metrics.average_precision(baseline[used], labels[used])
    low, high = q.interval
    values = (q.positives, q.average_precision, (round(low, 3), round(high, 3)), q.best_f1, q.recall_at_90, base)
    factor = round(q.average_precision / base, 1) if base else None
    return dict(zip(COLUMNS, (*(round(v, 3) if isinstance(v, float) else v for v in values), factor), strict=True))


def by_article(pairs: Pairs, scores: np.ndarray) -> dict[str, Any]:
    """An article's score for a claim is its best paragraph's; it bears on what any of its paragraphs bears on."""
    articles = [str(item.id).split("#")[0] for item in pairs.data.items]
    number = {article: n for n, article in enumerate(dict.fromkeys(articles))}
    owner = np.array([number[article] for article in articles])
    merged = []
    for values in (scores, pairs.labels, pairs.baseline):
        best = np.full((len(number), values.shape[1]), values.min(), values.dtype)
        np.maximum.at(best, owner, values)
        merged.append(best)
    return ranked(*merged)


def described(pairs: Pairs) -> dict[str, Any]:
    """What the model says of a set: ranking, points, calibration, stance, languages."""
    scores = pairs.probabilities()
    found = ranked(scores, pairs.labels, pairs.baseline)
    if pairs.data.items and pairs.data.items[0].title_is_context:
        found["by_article"] = by_article(pairs, scores)
    for name, _, count, precision, recall in report.operating_points(pairs):
        found[name] = {"pairs": count, "precision": round(precision, 3), "recall": round(recall, 3)}
    error, count = report.calibration(pairs)
    found["calibration"] = {"error": round(error, 3), "pairs": count}
    found["stance"] = {key: round(value, 3) for key, value in report.stances(pairs)[1].items()}
    rows = {str(row[0]): row for row in report.ranking(pairs)}
    found["languages"] = {
        name.removeprefix("in "): {"positives": row[1], "ap": round(row[2], 3), "recall_at_90": round(row[5], 3)}
        for name, row in rows.items()
        if name.startswith("in ")
    }
    claims = {name: row for name, row in rows.items() if not name.startswith("in ") and name != report.POOLED}
    found["claims"] = {name: (row[1], round(row[2], 3), row[3], round(row[5], 3)) for name, row in claims.items()}
    return found


def stances_out_of_fold(sets: Sequence[training.Labels]) -> list[dict[str, float]]:
    """Accuracy, macro F1 and the majority's share of each set, each pair by a model without its block of time."""
    assigned = [training.folds(labelled.pairs) for labelled in sets]
    said = [np.full(labelled.pairs.labels.shape, -1) for labelled in sets]
    at_rates = [STANCE_FEATURES.index(name) for name in ("refutes_rate", "updates_rate")]
    ids = [claim.claim_id for claim in sets[0].pairs.matcher.claims]
    for fold in range(training.FOLDS):
        others = [blocks != fold for blocks in assigned]
        stored = training.stance(sets, others.__getitem__)
        weights = Weights.read(stored["stance"])
        for labelled, blocks, out in zip(sets, assigned, said, strict=True):
            wanted = (labelled.pairs.stances >= 0) & (blocks == fold)[:, None]
            if wanted.any():
                rows = training.stance_rows(labelled.pairs, wanted)
                rows[:, at_rates] = [stored["stance_rates"][ids[j]] for j in np.nonzero(wanted)[1]]
                out[wanted] = np.argmax(weights.logit(rows), axis=1)
    found = []
    for labelled, out in zip(sets, said, strict=True):
        true = labelled.pairs.stances >= 0
        quality = report.stance_quality(labelled.pairs.stances[true], out[true])[1]
        found.append({key: round(value, 3) for key, value in quality.items()})
    return found


def text(values: dict[str, Any]) -> str:
    low, high = values["interval"]
    return (
        f"{values['positives']:>5}  {values['ap']:.3f}  {low:.2f}-{high:.2f}  {values['best_f1']:>6.2f}  "
        f"{values['recall_at_90']:>9.2f}  {values['baseline']:>8.3f}  {values['factor'] or 0:>6}"
    )


def show(sets: dict[str, dict[str, Any]], per_claim: bool) -> None:
    head = f"{'positives':>5}  {'AP':>4}  {'95 %':>7}  {'F1':>8}  recall@90  {'baseline':>8}  factor"
    print(f"\n{'set':<28}{'role':<14}{head}")
    for name, found in sets.items():
        print(f"{name:<28}{found['role']:<18}{text(found)}")
        for key, role in (("out_of_fold", "out of fold"), ("by_article", "by article")):
            if key in found:
                print(f"{'':<28}{role:<18}{text(found[key])}")
    print(
        f"\n{'set':<28}{'calibration':>12}{'pairs':>7}{'accepted P':>12}{'R':>6}{'stance':>9}{'F1':>6}{'majority':>10}"
    )
    for name, found in sets.items():
        gap, stance, taken = found["calibration"], found["stance"], found["accepted"]
        values = (stance["accuracy"], stance["macro_f1"], stance["majority"])
        print(
            f"{name:<28}{gap['error']:>12.3f}{gap['pairs']:>7}{taken['precision']:>12.2f}{taken['recall']:>6.2f}",
            end="",
        )
        print(f"{values[0]:>9.2f}{values[1]:>6.2f}{values[2]:>10.2f}")
        if "stance_out_of_fold" in found:
            values = tuple(found["stance_out_of_fold"].values())
            print(f"{'':<28}{'out of fold':>37}{values[0]:>9.2f}{values[1]:>6.2f}{values[2]:>10.2f}")
    print("\naverage precision by language (positives)")
    for name, found in sets.items():
        print(f"{name:<28}", "  ".join(f"{k} {v['ap']:.2f} ({v['positives']})" for k, v in found["languages"].items()))
    for name, found in sets.items() if per_claim else ():
        print(f"\n{name}: positives, AP, 95 %, recall at 90 % precision")
        for claim, row in found["claims"].items():
            print(f"{claim:<28}", *row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with newsroom/, stream/ and reports/")
    parser.add_argument("--claims", type=Path, default=root() / "claims" / "nk-russia.yaml")
    parser.add_argument("--per-claim", action="store_true", help="print a table of every set's claims")
    arguments = parser.parse_args()
    configure("console", quiet=True)
    settings = load()
    encoder = CachedEncoder(Encoder(settings.embed), settings.home / "vectors.sqlite")
    made_of, claims = materials.load(settings), materials.claims_of(arguments.claims)
    matcher = made_of.matcher(claims, encoder.encode)
    begun, sets = time.perf_counter(), {}

    def run(folder: str, split: str) -> Pairs:
        print(f"measuring {folder}/{split}", flush=True)
        return measure(datasets.load(arguments.data / folder, split), matcher, encoder)

    def there(folder: str) -> bool:
        found = (arguments.data / folder).is_dir()
        if not found:
            print(f"{folder}: not in {arguments.data}")
        return found

    labels = [training.Labels(run(f, s), weight) for f, s, weight in TRAINED if there(f)]
    parts = [*calibrating.practice(made_of, claims, encoder)]
    known = [*labels, *(training.Labels(p, calibrating.PRACTICE_WEIGHT, real=False) for p in parts)]
    stances = stances_out_of_fold(known)
    for number, (labelled, logits) in enumerate(zip(known, training.out_of_fold(known), strict=True)):
        pairs = labelled.pairs
        if labelled.real:
            found = sets[f"{pairs.data.name}/{pairs.data.split}"] = {"role": "trained on", **described(pairs)}
            found["out_of_fold"] = ranked(logits, pairs.labels, pairs.baseline)
            found["stance_out_of_fold"] = stances[number]
    for folder, split, role in OTHERS:
        if there(folder):
            sets[f"{folder}/{split}"] = {"role": role, **described(run(folder, split))}
    model = made_of.model
    show(sets, arguments.per_claim)
    result = {
        "benchmark": "evaluate",
        "model": settings.embed.model,
        "matcher": model.version,
        "accepted_from": model.accepted.probability,
        "suggested_from": model.suggested.probability,
        "sets": sets,
        "texts_encoded": encoder.made,
        "seconds": round(time.perf_counter() - begun, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
