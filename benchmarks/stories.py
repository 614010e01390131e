"""Prints how well articles are grouped into stories, beside a TF-IDF single pass in the same run.

    python benchmarks/stories.py [--data FOLDER] [--vectors FILE] [--tune]

Both run over the articles in order of time, ours through the stage's own decision. The events of clusters/ are cut in
two; the baseline's threshold comes from the tuning half, and --tune prints weights from that half and the newsroom's
articles of 2024, for pipeline/logic/grouping.py. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.evaluation import stories
from pipeline.evaluation.stories import Report
from pipeline.logging import configure
from pipeline.logic import grouping
from pipeline.settings import load

DATA = Path(__file__).parents[1].parent / "shared" / "data"
DAYS = "2025-08-11", "2025-08-13"  # of the stream, long before its labelled validation and test splits
EVENTS_WEIGHT = 12.0  # of the events' pairs against the newsroom's, which are few and of one topic


def tune(parts: list[list[Report]], encoder: CachedEncoder) -> None:
    """Fit both models on pairs of articles and their candidates, then the threshold on the groups that result."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    rows: list[tuple[int, dict[str, float], bool]] = []
    for number, reports in enumerate(parts):
        seen: list[Any] = []
        stories.group(reports, encoder, seen)
        by_id = {article.article_id: report for report, article, _ in seen}
        for report, article, candidates in seen:
            for other, named in zip(candidates, grouping.features(article, candidates), strict=True):
                rows.append((number, named, by_id[other.article_id].event == report.event))
    fitted: dict[str, Any] = {}
    for which, names in (("SAME", grouping.SAME_LANGUAGE), ("ACROSS", grouping.ACROSS)):
        chosen = [row for row in rows if ("names" in row[1]) == (which == "SAME")]
        of_part = [sum(1 for n, _, _ in chosen if n == part) for part in range(len(parts))]
        weight = np.array([(EVENTS_WEIGHT if n == 0 else 1.0) / of_part[n] for n, _, _ in chosen])
        values = np.array([[named[name] for name in names] for _, named, _ in chosen])
        scaler = StandardScaler().fit(values)
        model = LogisticRegression(max_iter=1000)
        labels = np.array([label for *_, label in chosen])
        model.fit(scaler.transform(values), labels, sample_weight=weight / weight.mean())
        weights = model.coef_[0] / scaler.scale_
        fitted[f"WEIGHTS_{which}"] = tuple(round(float(w), 3) for w in weights)
        fitted[f"BIAS_{which}"] = round(float(model.intercept_[0] - weights @ scaler.mean_), 3)
        print(f"{which}: {len(chosen)} pairs, {int(labels.sum())} of one event")
    with mock.patch.multiple(grouping, **fitted):
        for threshold in np.arange(-1.5, 1.51, 0.25):
            with mock.patch.object(grouping, "THRESHOLD", float(threshold)):
                scores = [_ours(reports, encoder) for reports in parts]
            print(
                f"THRESHOLD {threshold:5.2f}", *(f"P {s.precision:.3f} R {s.recall:.3f} F1 {s.f1:.3f}" for s in scores)
            )
    for name, value in fitted.items():
        print(f"{name} = {value}")


def _ours(reports: list[Report], encoder: CachedEncoder) -> stories.Bcubed:
    return stories.score(reports, {key: story for key, (story, _) in stories.group(reports, encoder).items()})


def baseline_threshold(reports: list[Report]) -> float:
    grid = np.arange(0.05, 0.6, 0.025)
    return float(max(grid, key=lambda threshold: stories.score(reports, stories.single_pass(reports, threshold)).f1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with clusters/ and newsroom/")
    parser.add_argument("--vectors", type=Path, help="where vectors are kept; the home's vectors.sqlite otherwise")
    parser.add_argument("--tune", action="store_true", help="print weights and thresholds instead")
    arguments = parser.parse_args()
    configure("console", quiet=True)
    settings = load()
    encoder = CachedEncoder(Encoder(settings.embed), arguments.vectors or settings.home / "vectors.sqlite")
    events, newsroom = arguments.data / "clusters" / "news_events.jsonl.gz", arguments.data / "newsroom"
    half = stories.clusters(events, "tune")
    if arguments.tune:
        tune([half, stories.newsroom(newsroom / "articles.jsonl", "dev")], encoder)
        return
    threshold = baseline_threshold(half)
    begun, results = time.perf_counter(), {}
    sets = {f"clusters/{part}": stories.clusters(events, part) for part in ("tune", "report", "all")}
    sets |= {f"newsroom/{part}": stories.newsroom(newsroom / "articles.jsonl", part) for part in ("dev", "test", "all")}
    for name, reports in sets.items():
        found = stories.group(reports, encoder)
        ours = stories.score(reports, {key: story for key, (story, _) in found.items()})
        theirs = stories.score(reports, stories.single_pass(reports, threshold))
        results[name] = {
            "articles": len(reports),
            "events": len({report.event for report in reports}),
            "stories": len({story for story, _ in found.values()}),
            "precision": round(ours.precision, 3),
            "recall": round(ours.recall, 3),
            "f1": round(ours.f1, 3),
            "baseline_precision": round(theirs.precision, 3),
            "baseline_recall": round(theirs.recall, 3),
            "baseline_f1": round(theirs.f1, 3),
        }
        print(f"{name:<18}", "  ".join(f"{key} {value}" for key, value in results[name].items()), flush=True)
        if name == "newsroom/all":
            wires = stories.wire_stories(reports, {key: story for key, (story, _) in found.items()})
            results["wire_stories"] = wires
            print("stories that each wire report with its copies came to:", wires)
    file = arguments.data / "stream" / "items.jsonl.gz"
    placed = stories.group(stories.stream(file, *DAYS), encoder) if file.exists() else {}
    told = Counter(story for story, _ in placed.values())
    results["stream"] = {
        "items": len(placed),
        "stories": len(told),
        "largest": max(told.values(), default=0),
        "copies": sum(relation == "copy" for _, relation in placed.values()),
        "rewrites": sum(relation == "rewrite" for _, relation in placed.values()),
    }
    print("two days of a real stream, unlabelled:", results["stream"])
    result = {
        "benchmark": "stories",
        "model": settings.embed.model,
        "baseline_threshold": round(threshold, 3),
        "sets": results,
        "seconds": round(time.perf_counter() - begun, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
