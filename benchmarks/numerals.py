"""Prints how long quantities, and whole figures, take to find in every title and paragraph of a stream of items.

    python benchmarks/numerals.py DATA/stream

Processor time of each text, and how many quantities of each kind were found. The last line is JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from pipeline.logic.figure_records import Context
from pipeline.logic.text import paragraphs, strip_html
from pipeline.settings import load, root
from pipeline.stages import figure_materials, materials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with items.jsonl.gz")
    arguments = parser.parse_args()
    claims = materials.claims_of(root() / "claims" / "nk-russia.yaml")
    reader = figure_materials.reader_of(claims, load())
    found = figure_materials.grammar()
    assert reader is not None
    spent: dict[str, list[float]] = {"quantities": [], "figures": []}
    kinds: Counter[str] = Counter()
    with gzip.open(arguments.data / "items.jsonl.gz", "rt", encoding="utf-8") as lines:
        for item in map(json.loads, lines):
            about = Context(
                item["title"] or "", published=datetime.fromisoformat(item["published"]), language=item["lang"]
            )
            for text in (item["title"] or "", *paragraphs(strip_html(item["summary"] or ""))):
                begun = time.process_time()
                quantities = found.find(text, item["lang"])
                between = time.process_time()
                reader.of(text, about)
                spent["quantities"].append(1000 * (between - begun))
                spent["figures"].append(1000 * (time.process_time() - between))
                kinds.update(quantity.kind for quantity in quantities)
    shown = {name: summary(times) for name, times in spent.items()}
    for name, s in shown.items():
        print(
            f"{name}: {s['texts']} texts  mean {s['mean_ms']} ms  99.9th percentile {s['p999_ms']} ms  "
            f"longest {s['longest_ms']} ms"
        )
    print("  ".join(f"{kind} {number}" for kind, number in kinds.most_common()))
    print(json.dumps({"benchmark": "numerals", **shown, "kinds": dict(kinds)}))


def summary(times: list[float]) -> dict[str, float]:
    times = sorted(times)
    p999, mean = times[int(0.999 * len(times))], sum(times) / len(times)
    return {
        "texts": len(times),
        "mean_ms": round(mean, 2),
        "p999_ms": round(p999, 2),
        "longest_ms": round(times[-1], 2),
    }


if __name__ == "__main__":
    main()
