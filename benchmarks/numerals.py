"""Prints how long quantities take to find in every title and text of a stream of items.

    python benchmarks/numerals.py DATA/stream

Processor time of each text, and how many quantities of each kind were found. The last line is JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter
from pathlib import Path

from pipeline.logic.numerals import grammar
from pipeline.settings import package_data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with items.jsonl.gz")
    arguments = parser.parse_args()
    found = grammar(package_data("numerals.yaml").read_text(encoding="utf-8"))
    spent: list[float] = []
    kinds: Counter[str] = Counter()
    with gzip.open(arguments.data / "items.jsonl.gz", "rt", encoding="utf-8") as lines:
        for item in map(json.loads, lines):
            for text in (item["title"] or "", item["summary"] or ""):
                begun = time.process_time()
                quantities = found.find(text, item["lang"])
                spent.append(1000 * (time.process_time() - begun))
                kinds.update(quantity.kind for quantity in quantities)
    spent.sort()
    p999, longest, mean = spent[int(0.999 * len(spent))], spent[-1], sum(spent) / len(spent)
    print(f"{len(spent)} texts  mean {mean:.2f} ms  99.9th percentile {p999:.2f} ms  longest {longest:.2f} ms")
    print("  ".join(f"{kind} {number}" for kind, number in kinds.most_common()))
    shown = {"texts": len(spent), "mean_ms": round(mean, 2), "p999_ms": round(p999, 2), "longest_ms": round(longest, 2)}
    print(json.dumps({"benchmark": "numerals", **shown, "kinds": dict(kinds)}))


if __name__ == "__main__":
    main()
