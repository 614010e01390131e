"""Measures the find step: tweets against 14,231 fact-checked claims (CLEF CheckThat! 2022, task 2A, English).

    python benchmarks/clef.py [--data FOLDER] [--vectors FILE]

Three rankings of the claims for every tweet, each by MAP@5: vectors alone, full text alone (logic/fulltext.py), and
both fused. What is constant in them was chosen on the split called train; dev is only measured. The 95 % interval is a
bootstrap's over tweets. The last line is one JSON object; the exit status is 1 where the fused ranking on dev is below
FLOOR or not above either of its parts.

Without the file of vectors some 15,000 texts are encoded first: minutes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.logging import configure
from pipeline.logic.fulltext import FullText, fuse
from pipeline.settings import load

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "clef2022-2a"
CLAIMS = "claims.jsonl.gz"
TWEETS = "CT2022-Task2A-EN-Train-Dev_Queries.tsv"
QRELS = "CT2022-Task2A-EN-{}_QRELs.tsv"
DEPTH = 5  # MAP@5 is the task's measure
FLOOR = 0.945  # of the fused ranking on dev
DRAWS = 2000  # of the bootstrap
PAIRS = 200_000  # of unrelated claims, for the encoder's baseline
CHUNK = 200  # tweets ranked at a time

_LINK = re.compile(r"https?://[^\s#]+|pic\.twitter\.com/\w+")
_TAG = re.compile(r"[#@](\w+)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])|_")


def clean_tweet(text: str) -> str:
    """Without links; #HashTags and @TheirNames as words. Author and date at the end stay: claims name both."""
    text = _TAG.sub(lambda tag: f" {_HUMP.sub(' ', tag[1])} ", _LINK.sub(" ", text))
    return " ".join(text.split())


@dataclass(frozen=True)
class Split:
    """Tweets and which claims (by number) each is about."""

    tweets: list[str]
    relevant: list[set[int]]


@dataclass(frozen=True)
class Collection:
    claims: list[dict[str, str]]
    splits: dict[str, Split]

    def nearness_texts(self) -> list[str]:
        """What is encoded of each claim. With its title in front the vectors alone gain most, on train."""
        return [f"{claim['title']}. {claim['vclaim']}" for claim in self.claims]

    def full_texts(self) -> list[str]:
        """What is searched for words. The subtitle helps here."""
        return [f"{claim['title']} {claim['vclaim']} {claim['subtitle'] or ''}" for claim in self.claims]


def read(folder: Path) -> Collection:
    lines = gzip.decompress((folder / CLAIMS).read_bytes()).decode().split("\n")
    claims = [json.loads(line) for line in lines if line.strip()]
    number = {claim["vclaim_id"]: i for i, claim in enumerate(claims)}
    tweets = dict(row for row in table(folder / TWEETS))
    splits = {}
    for split in ("train", "dev"):
        relevant: dict[str, set[int]] = {}
        for tweet, _, claim, _ in table(folder / QRELS.format(split.capitalize())):
            relevant.setdefault(tweet, set()).add(number[claim])
        splits[split] = Split([clean_tweet(tweets[tweet]) for tweet in relevant], list(relevant.values()))
    return Collection(claims, splits)


def table(file: Path) -> list[list[str]]:
    return [line.split("\t") for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]


def precision(scores: np.ndarray, relevant: set[int]) -> float:
    """Average precision of one ranking's first DEPTH."""
    first = np.argpartition(-scores, DEPTH)[:DEPTH]
    hits, total = 0, 0.0
    for place, claim in enumerate(first[np.argsort(-scores[first], kind="stable")], 1):
        if int(claim) in relevant:
            hits += 1
            total += hits / place
    return total / min(len(relevant), DEPTH)


def interval(precisions: np.ndarray) -> list[float]:
    """95 % of the mean, by a seeded bootstrap over tweets."""
    draws = np.random.default_rng(0).integers(0, len(precisions), (DRAWS, len(precisions)))
    return [round(float(v), 4) for v in np.quantile(precisions[draws].mean(axis=1), (0.025, 0.975))]


def baseline(vectors: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of the cosine of unrelated claims: the unit that `fuse` wants."""
    one, other = np.random.default_rng(0).integers(0, len(vectors), (2, PAIRS))
    cosines = (vectors[one] * vectors[other]).sum(axis=1)[one != other]
    return float(cosines.mean()), float(cosines.std())


def measure(split: Split, index: FullText, documents: np.ndarray, queries: np.ndarray) -> dict[str, np.ndarray]:
    """Average precision of every tweet, by ranking."""
    mean, deviation = baseline(documents)
    found: dict[str, list[float]] = {"vectors": [], "full_text": [], "fused": []}
    for start in range(0, len(split.tweets), CHUNK):
        part = slice(start, start + CHUNK)
        cosines = (queries[part] @ documents.T - mean) / deviation
        words = index.scores(split.tweets[part])
        rankings = {"vectors": cosines, "full_text": words, "fused": fuse(cosines, words)}
        for name, scores in rankings.items():
            found[name] += map(precision, scores, split.relevant[part])
    return {name: np.array(values) for name, values in found.items()}


def run(data: Path, vectors: Path) -> dict[str, Any]:
    settings = load()
    encoder = CachedEncoder(Encoder(settings.embed), vectors)
    collection = read(data)
    documents = encoder.encode(collection.nearness_texts())
    index = FullText(collection.full_texts())
    begun, sets = time.perf_counter(), {}
    print(f"{'':8}{'ranking':12}{'MAP@5':>8}  95 % interval")
    for name, split in collection.splits.items():
        precisions = measure(split, index, documents, encoder.encode(split.tweets))
        sets[name] = {"tweets": len(split.tweets)}
        for ranking, values in precisions.items():
            sets[name][ranking] = {"map5": round(float(values.mean()), 4), "interval": interval(values)}
            low, high = sets[name][ranking]["interval"]
            print(f"{name:8}{ranking:12}{sets[name][ranking]['map5']:8.4f}  {low:.4f} to {high:.4f}", flush=True)
    dev = sets["dev"]
    best_part = max(dev["vectors"]["map5"], dev["full_text"]["map5"])
    return {
        "benchmark": "clef",
        "model": settings.embed.model,
        "claims": len(collection.claims),
        "map5": dev["fused"]["map5"],
        "map5_vectors": dev["vectors"]["map5"],
        "map5_full_text": dev["full_text"]["map5"],
        "interval": dev["fused"]["interval"],
        "floor": FLOOR,
        "passed": dev["fused"]["map5"] >= FLOOR and dev["fused"]["map5"] > best_part,
        "sets": sets,
        "texts_encoded": encoder.made,
        "seconds": round(time.perf_counter() - begun, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the task's files")
    parser.add_argument("--vectors", type=Path, help="where vectors are kept; default: the home's vectors.sqlite")
    arguments = parser.parse_args()
    if not (arguments.data / CLAIMS).exists():
        raise SystemExit(f"no {CLAIMS} in {arguments.data}: say where it is with --data")
    configure("console", quiet=True)
    result = run(arguments.data, arguments.vectors or load().home / "vectors.sqlite")
    print(json.dumps(result))
    sys.exit(0 if result["passed"] else 1)


if __name__ == "__main__":
    main()
