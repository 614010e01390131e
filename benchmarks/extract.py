"""Prints how well articles are taken out of web pages, beside other extractors, on the same pages in one run.

    python benchmarks/extract.py [--set FOLDER] [--peers PYTHON] [--only NAME ...] [--errors] [--json FILE]

The set is a copy of the article-extraction benchmark (181 real pages and the text of each). f1 is that benchmark's own
measure (shingles of four words), break_f1 says whether paragraphs begin where the truth's lines begin. Extraction
was made on the development half only: --errors lists the worst of its pages, the kept-back half is only counted.
Each extractor runs in a process of its own; the peers in a virtual environment that `make bench-extract` makes. The
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from pipeline.evaluation import pages

ROOT = Path(__file__).parents[1]
SET = ROOT.parent / "shared" / "data" / "extraction" / "scrapinghub"
OURS = ("claimwatch", "trafilatura")
PEERS = ("newspaper4k", "news_please")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=SET, help="folder with ground-truth.json and html/")
    parser.add_argument("--peers", help="Python that has newspaper4k and news-please; without it they are left out")
    parser.add_argument("--only", nargs="+", choices=(*OURS, *PEERS))
    parser.add_argument("--errors", action="store_true", help="list the worst pages of the development half")
    parser.add_argument("--json", type=Path, help="write the last line's JSON, and each page's counts, to a file")
    arguments = parser.parse_args()
    if not arguments.set.exists():
        raise SystemExit(f"{arguments.set} is not there: give a copy of the benchmark with --set")
    known = pages.load(arguments.set)
    halves = {
        "dev": [page for page in known if not page.kept_back],
        "kept back": [page for page in known if page.kept_back],
        "all": known,
    }
    shown: dict[str, Any] = {"benchmark": "extract"}
    by_page: dict[str, dict[str, list[int]]] = {}
    for name in arguments.only or (*OURS, *(PEERS if arguments.peers else ())):
        told = _run(name, sys.executable if name in OURS else arguments.peers, arguments.set)
        texts: dict[str, str] = told["texts"]
        milliseconds = sorted(1000 * s for s in told["seconds"].values())
        speed = {
            "ms_a_page": round(sum(milliseconds) / len(milliseconds), 1),
            "ms_median": round(median(milliseconds), 1),
            "ms_slowest": round(milliseconds[-1], 1),
            "peak_mb": round(told["peak_mb"]),
        }
        for half, some in halves.items():
            s = pages.score(some, texts)
            print(
                f"{name + ' ' + told['version']:<22}{half:<10}{s.pages:>4} pages  P {s.precision:.3f}  R {s.recall:.3f}"
                f"  F1 {s.f1:.3f}  breaks P {s.break_precision:.3f}  R {s.break_recall:.3f}  F1 {s.break_f1:.3f}",
                flush=True,
            )
            key = half.replace(" ", "_")
            shown.setdefault("sets", {}).setdefault(key, {})[name] = s.row()
        suffix = "" if name == "claimwatch" else f"_{name}"
        shown[f"f1{suffix}"] = shown["sets"]["all"][name]["f1"]
        shown[f"break_f1{suffix}"] = shown["sets"]["all"][name]["break_f1"]
        shown.setdefault("cost", {})[name] = speed
        print(f"{'':<22}" + "  ".join(f"{key} {value}" for key, value in speed.items()), flush=True)
        by_page[name] = {page.page_id: list(pages.text_counts(page.truth, texts[page.page_id])) for page in known}
        if arguments.errors and name == "claimwatch":
            _errors(halves["dev"], texts)
    if arguments.json:
        arguments.json.write_text(json.dumps({**shown, "pages": by_page}, indent=1), encoding="utf-8")
    print(json.dumps(shown))


def _run(name: str, python: str, folder: Path) -> dict[str, Any]:
    if python is None:
        raise SystemExit(f"{name} needs --peers, a Python that has it (make bench-extract makes one)")
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out.json"
        environment = {**os.environ, "PYTHONPATH": str(ROOT) if name in OURS else ""}
        command = [python, str(Path(__file__).with_name("extract_one.py")), name, str(folder), str(out)]
        subprocess.run(command, env=environment, check=True)
        told: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return told


def _errors(some: list[pages.Page], texts: dict[str, str]) -> None:
    rows = []
    for page in some:
        right, more, less = pages.text_counts(page.truth, texts[page.page_id])
        _, break_more, break_less = pages.break_counts(page.truth, texts[page.page_id])
        rows.append(((more + less) / max(1, right + more + less), page, right, more, less, break_more, break_less))
    for share, page, right, more, less, break_more, break_less in sorted(rows, key=lambda r: -r[0])[:40]:
        print(
            f"  {page.page_id[:12]}  wrong {share:.2f}  right {right}  too many {more}  missing {less}  "
            f"breaks too many {break_more}  missing {break_less}  {page.url}"
        )


if __name__ == "__main__":
    main()
