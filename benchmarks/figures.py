"""Prints how well figures are read: (role, low, high) by paragraph, and modality and attribution where those are right.

    python benchmarks/figures.py [--split dev|test|practice|articles|kept|all] [--errors]

Sets are the newsroom's labelled articles, dev (published before 2025) and test, without copies and later versions, and
`practice`, the project's own paragraphs (tests/data/figures.yaml); `articles` and `kept` are the two halves of its own
articles (tests/data/figure_articles.jsonl). F1 is pooled over figures; modality and attribution
are macro-F1 over the labels' classes, beside the most frequent class of dev for everything. The rules were made on dev
and practice only: --errors lists theirs, of test it counts them by kind. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

from pipeline.evaluation import figures
from pipeline.logic import claimsfile, originsfile
from pipeline.logic.mentions import Finder
from pipeline.settings import root
from pipeline.stages import figure_materials

ROOT = Path(__file__).parents[1]
DATA = ROOT / "pipeline" / "newsroom" / "data"
PRACTICE = ROOT / "tests" / "data" / "figures.yaml"
ARTICLES = ROOT / "tests" / "data" / "figure_articles.jsonl"
HALVES = {"articles": "practice", "kept": "kept back"}
SPLITS = ("practice", "articles", "kept", "dev", "test")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=(*SPLITS, "all"), default="all")
    parser.add_argument("--errors", action="store_true", help="list the wrong ones, of test count them only")
    arguments = parser.parse_args()
    claims, known = root() / "claims" / "nk-russia.yaml", root() / "claims" / "origins.yaml"
    finder = Finder(originsfile.parse(known.read_text(encoding="utf-8"), str(known)))
    roles = claimsfile.parse(claims.read_text(encoding="utf-8"), str(claims)).roles
    if roles is None:
        raise SystemExit(f"{claims} has no figures")
    reader = figure_materials.reader(roles, finder)
    shown: dict[str, dict[str, float]] = {}
    for split in SPLITS if arguments.split == "all" else (arguments.split,):
        begun = time.process_time()
        if split in HALVES:
            answers = figures.own_articles(reader, finder, ARTICLES, HALVES[split])
        elif split == "practice":
            answers = figures.practice(reader, PRACTICE)
        else:
            answers = figures.newsroom(reader, finder, DATA, split)
        spent = 1000 * (time.process_time() - begun) / len(answers)
        chosen = {"all": figures.measure(answers)}
        chosen |= {name: figures.measure(some) for name, some in figures.by_language(answers).items()}
        chosen |= {role: figures.measure(answers, role) for role in figures.by_role(answers)}
        for name, m in chosen.items():
            print(
                f"{split:<9}{name:<14}{m.labels:>4} labels  P {m.precision:.2f}  R {m.recall:.2f}  F1 {m.f1:.2f}  "
                f"modality {m.modality:.2f} (baseline {m.modality_baseline:.2f}, right {m.modality_exact:.2f})  "
                f"attribution {m.attribution:.2f} (baseline {m.attribution_baseline:.2f}, right "
                f"{m.attribution_exact:.2f})  as of {m.as_of:.2f}"
            )
            shown[f"{split}/{name}"] = {key: round(value, 3) for key, value in vars(m).items()}
        shown[f"{split}/all"]["ms_per_paragraph"] = round(spent, 2)
        if arguments.errors:
            found = figures.wrong(answers)
            print(f"{split}: " + ", ".join(f"{kind} {n}" for kind, n in Counter(w.kind for w in found).most_common()))
            for w in found if split != "test" else ():
                print(f"  {w.place}: {w.kind}: {w.expected or '-'}; given {w.given or '-'}")
    print(json.dumps({"benchmark": "figures", "sets": shown}))


if __name__ == "__main__":
    main()
