"""Prints the quality of matching on every labelled set there is, beside the baseline.

    python benchmarks/evaluate.py [--data FOLDER] [--claims FILE] [--per-claim]

The baseline is what a desk would try first: one sentence a claim, raw cosine of the same encoder. `factor` is average
precision over the baseline's. Vectors are kept in the home's vectors.sqlite; the last line is one JSON object.
Nothing may be chosen by the splits called test; what made the decision model stands in pipeline/data/matcher.json.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.evaluation import report
from pipeline.logging import configure
from pipeline.logic import claimsfile
from pipeline.logic.matching import Matcher, phrases
from pipeline.settings import load, root
from pipeline.stages.match import load_model

SETS = (
    ("newsroom", "dev"),
    ("newsroom", "test"),
    ("stream", "train"),
    ("stream", "validation"),
    ("stream", "test"),
    ("reports", "all"),
)
COLUMNS = ("positives", "average_precision", "interval", "best_f1", "recall_at_90", "baseline")
DATA = Path(__file__).parents[1].parent / "shared" / "data"


def measured(lines: list[list[Any]]) -> dict[str, dict[str, Any]]:
    """The report's rows by claim, rounded, with the factor over the baseline."""
    found = {}
    for name, *values in lines:
        named = {k: round(v, 3) if isinstance(v, float) else v for k, v in zip(COLUMNS, values, strict=True)}
        baseline = values[COLUMNS.index("baseline")]
        ap = values[COLUMNS.index("average_precision")]
        named["factor"] = round(ap / baseline, 1) if baseline else None
        found[name] = named
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with newsroom/, stream/ and reports/")
    parser.add_argument("--claims", type=Path, default=root() / "claims" / "nk-russia.yaml")
    parser.add_argument("--per-claim", action="store_true", help="print a table of every set's claims")
    arguments = parser.parse_args()
    configure("console", quiet=True)
    settings = load()
    encoder = CachedEncoder(Encoder(settings.embed), settings.home / "vectors.sqlite")
    topic = claimsfile.parse(arguments.claims.read_text(encoding="utf-8"), str(arguments.claims))
    texts = phrases(topic.claims)
    model = load_model()
    matcher = Matcher(topic.claims, dict(zip(texts, encoder.encode(texts), strict=True)), model)
    begun, sets = time.perf_counter(), {}
    for folder, split in SETS:
        if not (arguments.data / folder).is_dir():
            print(f"{folder}: not in {arguments.data}")
            continue
        found = measured(report.evaluate(arguments.data / folder, split, matcher, encoder))
        sets[f"{folder}/{split}"] = found[report.POOLED]
        for name, values in found.items():
            if arguments.per_claim or name == report.POOLED:
                print(f"{folder}/{split:<12}{name:<24}", "  ".join(f"{k} {v}" for k, v in values.items()), flush=True)
    result = {
        "benchmark": "evaluate",
        "model": settings.embed.model,
        "matcher": model.version,
        "accepted_from": model.accepted,
        "suggested_from": model.suggested,
        "sets": sets,
        "texts_encoded": encoder.made,
        "seconds": round(time.perf_counter() - begun, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
