"""Measures search by meaning through SQL, as the analysts' role, in an archive of a million paragraphs.

    python benchmarks/search.py [--paragraphs N] [--home FOLDER] [--data FOLDER] [--vectors FILE] [--desk URL]

The archive is made by search_archive.py in a database of its own, by the product's own migrations, loaded by COPY, the
index of vectors built afterwards. What is searched for are the claims' statements (analysis.similar_to_claim), their
phrasings in all languages and real headlines that the archive was not made of (analysis.similar by the name of a row
in ingest.searches), each without a filter and in a window of 1 % of the year. Vectors are made before: how long that
takes stands beside. An exact scan and a float32 HNSW index with pgvector's defaults are asked the same.

The last line is one JSON object. p50_ms, p95_ms and recall_at_10 are the worst of the two functions and two filters.
The exit status is 1 where one of them is not what MOST_P50, MOST_P95 and LEAST_RECALL ask for.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import search_archive as made_up
from match_claims import real_claims
from numpy.typing import NDArray
from pgvector import HalfVector
from stream import DATA, home_folder, say
from stream_feeds import read

from pipeline.adapters import database, migrate
from pipeline.adapters.database import Connection
from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.clock import SystemClock
from pipeline.local.processes import exit_on_signals
from pipeline.logging import configure
from pipeline.settings import Settings, load, root
from pipeline.stages import claims, embed
from pipeline.stages.services import Services

MOST_P50, MOST_P95, LEAST_RECALL = 30.0, 100.0, 0.99
K = 10
SEARCHES = 150  # phrasings, and as many headlines
ROUNDS = 10  # how often each of the few claims is asked for, each time in another window
SCANS = 12  # exact scans that are timed
WINDOW = timedelta(days=3.65)
MEMORY = {"shared_buffers": "4GB", "maintenance_work_mem": "4GB"}
DETOURS = ("0.1 %", timedelta(days=0.365)), ("3 %", timedelta(days=11)), ("10 %", timedelta(days=36.5))


class Prepared(Services):
    """The real services with vectors from a cache."""

    def __init__(self, settings: Settings, encoder: CachedEncoder) -> None:
        super().__init__(settings)
        self.encoder = encoder  # type: ignore[assignment]


@dataclass
class Query:
    """What is searched for: SQL's name for it, and its vector."""

    name: str
    vector: NDArray[np.float16]


def build(conn: Connection, services: Prepared, real: made_up.Pool, count: int) -> dict[str, Any]:
    """The archive with its claims and searches, and the seconds that it took."""
    generator = np.random.default_rng(11)
    begun = time.perf_counter()
    model_id = embed.model(conn, services)
    index = f"ingest.embeddings_{model_id}_hnsw"
    definition = conn.execute("select pg_get_indexdef(%s::regclass) as it", [index]).fetchone().it
    conn.execute(f"drop index {index}")
    made_up.fill(conn, real, made_up.plan(real, count, generator), model_id, generator)
    filled = time.perf_counter()
    say(f"{count} paragraphs loaded in {filled - begun:.0f} s")
    conn.execute(f"set max_parallel_maintenance_workers = {len(os.sched_getaffinity(0))}")
    conn.execute(definition)
    say(f"index built in {time.perf_counter() - filled:.0f} s")
    built = {"load_s": round(filled - begun), "index_s": round(time.perf_counter() - filled), "index": definition}
    conn.execute("vacuum analyze")
    claims.load(conn, services, root() / "claims" / "nk-russia.yaml", match_archive=False)
    conn.execute("create table bench_built as select %s::jsonb as built", [json.dumps(built)])
    return built
