"""Prints how well the origins of articles are found, on the newsroom's labels (one main origin an article).

    python benchmarks/origins.py [--split dev|test|all] [--errors]

`precision` and `recall` are of the main origin, pooled: right ones among those given, and among the articles that have
one. `exact` counts "none" as an answer too. `cited` is the share of articles with an origin that is found somewhere in
the text, as the main one or not. The baseline gives every article the origin that is most frequent in dev. Rules and
lexicon were tuned on dev (articles before 2025) only; --errors lists those of dev and never those of test. The last
line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from pipeline.evaluation.origins import by_language, load, measure
from pipeline.logic import originsfile
from pipeline.logic.mentions import Finder
from pipeline.settings import root

DATA = Path(__file__).parents[1] / "pipeline" / "newsroom" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("dev", "test", "all"), default="all")
    parser.add_argument("--errors", action="store_true", help="list the wrong ones of dev")
    arguments = parser.parse_args()
    file = root() / "claims" / "origins.yaml"
    finder = Finder(originsfile.parse(file.read_text(encoding="utf-8"), str(file)))
    shown = {}
    for split in ("dev", "test") if arguments.split == "all" else (arguments.split,):
        begun = time.process_time()
        answers = load(finder, DATA, split)
        spent = 1000 * (time.process_time() - begun) / len(answers)
        for name, chosen in {"all": answers, **by_language(answers)}.items():
            m = measure(chosen)
            print(
                f"{split:<5}{name:<4} {m.articles:>3} articles  precision {m.precision:.2f}  recall {m.recall:.2f}  "
                f"F1 {m.f1:.2f}  exact {m.exact:.2f}  cited {m.cited:.2f}  baseline {m.baseline:.2f}"
            )
            shown[f"{split}/{name}"] = {key: round(value, 3) for key, value in vars(m).items()}
        shown[f"{split}/all"]["ms_per_article"] = round(spent, 1)
        if arguments.errors and split == "dev":
            for answer in answers:
                if answer.given != answer.expected:
                    print(f"  {answer.article}: {answer.expected}, given {answer.given}")
    print(json.dumps({"benchmark": "origins", "sets": shown}))


if __name__ == "__main__":
    main()
