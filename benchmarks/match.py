"""Measures matching: how fast with many claims, and whether it stays so as the archive grows.

    python benchmarks/match.py [--items N] [--claims N] [--sizes 10000,200000] [--batches N] [--profile FILE]

First the whole stream (20,050 items) is matched against the real claims and against 1,000, most of them made up
(match_claims.py), by the Matcher as the match stage uses it: find, vectors of sentences, decide. Then the match stage
itself takes new paragraphs from databases with small and large archives (match_archive.py).

No model runs: vectors are those of the real claims' texts with noise. What an encoder would have to make is counted
(`sentences`), not timed. The last line is one JSON object; the exit status is 1 where cost_ratio is above MOST.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import resource
import shutil
import sys
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from match_archive import BATCH, measured, opened
from match_claims import StandIn, lookup, made_of, many_claims, passages, real_claims, real_vectors
from stream import DATA, first_days, home_folder, say
from stream_feeds import read

from pipeline.adapters import database
from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.local.processes import exit_on_signals
from pipeline.logging import configure
from pipeline.logic.claimsfile import Claim
from pipeline.logic.matching import Passage
from pipeline.settings import Settings, load, root

MOST = 1.2  # times that a paragraph may cost in the largest archive what it costs in the smallest


def match_all(
    claims: list[Claim], known: dict[str, np.ndarray], vectors: StandIn, todo: list[Passage], items: int
) -> dict[str, Any]:
    """The whole stream in the stage's batches; encoding left out of the time."""
    materials = made_of()
    texts = materials.texts(claims)
    all_known = lookup(texts, known, vectors)
    begun = time.perf_counter()
    matcher = materials.matcher(claims, lambda wanted: [all_known[text] for text in wanted])
    building = time.perf_counter() - begun
    finding = deciding = cpu = 0.0
    pairs = sentences = accepted = 0
    size = load().match.batch
    for start in range(0, len(todo), size):
        begun, used = time.perf_counter(), time.process_time()
        found = matcher.find(todo[start : start + size])
        wanted = found.sentences()
        finding += time.perf_counter() - begun
        cpu += time.process_time() - used
        encoded = dict(zip(wanted, vectors.encode(wanted), strict=True)) if wanted else {}
        begun, used = time.perf_counter(), time.process_time()
        decisions = matcher.decide(found, encoded)
        deciding += time.perf_counter() - begun
        cpu += time.process_time() - used
        pairs, sentences = pairs + len(found.pairs), sentences + len(wanted)
        accepted += sum(decision.probability >= matcher.model.accepted.probability for decision in decisions)
    return {
        "claims": len(claims),
        "texts": len(texts),
        "items_per_s": round(items / (finding + deciding), 1),
        "find_s": round(finding, 1),
        "decide_s": round(deciding, 1),
        "cpu_s": round(cpu, 1),  # of all threads: what a busy machine does not change
        "build_s": round(building, 1),
        "pairs": pairs,
        "sentences": sentences,
        "accepted": accepted,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def growing(sizes: list[int], batches: int, vectors: StandIn, pool: np.ndarray, todo: list[Passage]) -> dict[str, Any]:
    """The match stage on archives of the given sizes."""
    with ExitStack() as stack:
        home = stack.enter_context(home_folder(None))
        server = database.embedded_server(Settings(home=home))
        server.start()
        try:
            server.bootstrap()
            claims_file = root() / "claims" / "nk-russia.yaml"
            with ExitStack() as connections:
                archives = [opened(server, home, size, vectors, claims_file, connections) for size in sizes]
                for archive in archives:
                    begun = time.perf_counter()
                    indexing = archive.fill(todo, pool, (batches + 1) * BATCH)
                    say(f"archive of {archive.size}: {time.perf_counter() - begun:.0f} s, index {indexing:.0f} s")
                return {**measured(archives, todo, batches), "postgres": server.version()}
        finally:
            server.stop("fast")
            shutil.rmtree(server.base, ignore_errors=True)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    settings = load()
    items = first_days(read(arguments.data / "items.jsonl.gz"), arguments.items)
    real = real_claims()
    encoder = Encoder(settings.embed)
    known = real_vectors(real, CachedEncoder(encoder, arguments.vectors or settings.home / "vectors.sqlite"))
    pool = np.stack(list(known.values()))
    vectors = StandIn(encoder, pool)
    todo, _ = passages(items, vectors)
    say(f"{len(items)} items, {len(todo)} paragraphs")
    runs = []
    for claims in (real, many_claims(real, arguments.claims)):
        profile = cProfile.Profile() if arguments.profile and len(claims) == arguments.claims else None
        with profile or nullcontext():
            runs.append(match_all(claims, known, vectors, todo, len(items)))
        say(json.dumps(runs[-1]))
        if profile:
            profile.dump_stats(arguments.profile)
    sizes = [int(size) for size in arguments.sizes.split(",") if size]
    grown = growing(sizes, arguments.batches, vectors, pool, todo) if sizes else {"cost_ratio": None}
    return {
        "benchmark": "match",
        "items": len(items),
        "paragraphs": len(todo),
        "claims": runs[-1]["claims"],
        "items_per_s": runs[-1]["items_per_s"],
        "peak_mb": runs[-1]["peak_mb"],
        **grown,
        "runs": runs,
        "cpus": len(os.sched_getaffinity(0)),
        "machine": platform.machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, help="the first whole days with at least so many items")
    parser.add_argument("--claims", type=int, default=1000)
    parser.add_argument("--sizes", default="10000,200000", help="paragraphs of the archives; empty: leave them out")
    parser.add_argument("--batches", type=int, default=20, help=f"of {BATCH} new paragraphs each, for every archive")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with items.jsonl.gz")
    parser.add_argument("--vectors", type=Path, help="where the claims' vectors are kept; default: the home's")
    parser.add_argument("--profile", type=Path, help="write a cProfile of the run with many claims here; slows it down")
    arguments = parser.parse_args()
    if not (arguments.data / "items.jsonl.gz").exists():
        raise SystemExit(f"no items.jsonl.gz in {arguments.data}: say where it is with --data")
    configure("console", quiet=True)
    exit_on_signals()
    result = run(arguments)
    print(json.dumps(result))
    sys.exit(0 if result["cost_ratio"] is None or result["cost_ratio"] <= MOST else 1)


if __name__ == "__main__":
    main()
