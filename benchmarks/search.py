"""Measures search by meaning through SQL, as the analysts' role, in an archive of a million paragraphs.

    python benchmarks/search.py [--paragraphs N] [--home FOLDER] [--data FOLDER] [--vectors FILE]

The archive is made by search_archive.py in a database of its own, by the product's own migrations, loaded by COPY, the
index of vectors built afterwards. What is searched for are the claims' statements (analysis.similar_to_claim), their
phrasings in all languages and real headlines that the archive was not made of (analysis.similar by the name of a row
in ingest.searches), each without a filter and in a window of 1 % of the year. Vectors are made before: how long that
takes stands beside. An exact scan and a float32 HNSW index with pgvector's defaults are asked the same. Then the desk
runs on that archive, with the MATCHED paragraphs nearest to each claim as its evidence, and its pages are timed.

The last line is one JSON object. p50_ms, p95_ms and recall_at_10 are the worst of the two functions and two filters.
The exit status is 1 where one of them, or a page, is not what MOST_P50, MOST_P95, MOST_PAGE and LEAST_RECALL ask for.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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

MOST_P50, MOST_P95, MOST_PAGE, LEAST_RECALL = 30.0, 100.0, 300.0, 0.99
MATCHED = 1000  # a claim; every second one is accepted
K = 10
SEARCHES = 150  # phrasings, and as many headlines
ROUNDS = 10  # how often each of the few claims is asked for, each time in another window
WARMING = 2000  # stored vectors that are searched for before anything is timed
SCANS = 12  # exact scans that are timed
WINDOW = timedelta(days=3.65)
WINDOWS: dict[str, timedelta | None] = {"none": None, "1 %": WINDOW}
DETOURS = ("0.1 %", timedelta(days=0.365)), ("3 %", timedelta(days=11)), ("10 %", timedelta(days=36.5))


def memory(paragraphs: int) -> dict[str, str]:
    """What the server needs: tables and indexes in memory, the graph while it is built; 2.5 GB each for a million."""
    megabytes = max(256, paragraphs // 400)
    return {"shared_buffers": f"{megabytes}MB", "maintenance_work_mem": f"{megabytes}MB"}


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


def searched(conn: Connection, real: made_up.Pool, encoder: CachedEncoder) -> dict[str, list[Query]]:
    """What is asked for, by function; a row of ingest.searches for each free text, a vector for each claim."""
    known = real_claims()
    model_id = conn.execute("select model_id from ingest.models where active").fetchone().model_id
    statements = encoder.encode([claim.statement for claim in known])
    store = (
        "insert into ingest.phrase_embeddings (model_id, content_hash, embedding) "
        "values (%s, sha256(convert_to(%s, 'UTF8')), %s) on conflict do nothing"
    )
    for claim, vector in zip(known, statements, strict=True):
        conn.execute(store, [model_id, claim.statement, embed.half(vector)])
    phrasings = [text for claim in known for _, text in claim.phrasings]
    chosen = phrasings[:: max(1, len(phrasings) // SEARCHES)][:SEARCHES]
    held = real.held[:: max(1, len(real.held) // SEARCHES)][:SEARCHES]
    texts = [*zip(chosen, encoder.encode(chosen), strict=True), *held]
    conn.execute("delete from ingest.searches where owner = 'bench'")
    free = []
    for number, (text, vector) in enumerate(texts):
        free.append(Query(f"bench {number}", vector.astype(np.float16)))
        conn.execute(
            "insert into ingest.searches (name, owner, text, model_id, embedding) values (%s, 'bench', %s, %s, %s)",
            [free[-1].name, text, model_id, embed.half(vector)],
        )
    by_claim = [Query(c.claim_id, v.astype(np.float16)) for c, v in zip(known, statements, strict=True)]
    return {"similar_to_claim": by_claim * ROUNDS, "similar": free}


class Truth:
    """What is nearest, by numpy over all vectors that the database has."""

    def __init__(self, conn: Connection, model_id: int) -> None:
        self._ids, self._vectors = made_up.stored(conn, model_id)
        order = np.argsort(self._ids)
        self._ids, self._vectors = self._ids[order], self._vectors[order]
        found = conn.execute(
            "select ap.paragraph_id, v.published_at "
            "from ingest.appearances ap join ingest.versions v using (version_id)"
        ).fetchall()
        shown = sorted((r.published_at, r.paragraph_id) for r in found)
        self._at = np.array([at.timestamp() for at, _ in shown])
        self._shown = np.searchsorted(self._ids, np.array([number for _, number in shown]))

    def allowed(self, since: datetime | None, until: datetime | None) -> NDArray[np.int64] | slice:
        """Rows of the paragraphs that stand in an article of that time."""
        if since is None or until is None:
            return slice(None)  # no copy of all vectors
        first, last = np.searchsorted(self._at, [since.timestamp(), until.timestamp()])
        return np.unique(self._shown[first:last])

    def some(self, count: int) -> NDArray[np.float32]:
        """Stored vectors, at random."""
        return self._vectors[np.random.default_rng(5).integers(0, len(self._vectors), count)]

    def recall(self, query: Query, since: datetime | None, until: datetime | None, found: Sequence[int]) -> float:
        """Share of the K nearest that was found; one as near as the last of them is as good."""
        rows = self.allowed(since, until)
        near = self._vectors[rows] @ query.vector.astype(np.float32)
        wanted = min(K, len(near))
        least = np.partition(near, -wanted)[-wanted] if wanted else 0.0
        places = np.searchsorted(self._ids, np.array(found, np.int64))
        right = (self._vectors[places] @ query.vector.astype(np.float32) >= least - 1e-6).sum()
        return 1.0 if not wanted else min(1.0, float(right) / wanted)


Ask = Callable[[Query, datetime | None, datetime | None], list[int]]


def warm(conn: Connection, data: Path, table: str, kind: str, truth: Truth) -> None:
    """Brings into memory what a server that has been up for a day holds there; a disk's speed is not what is measured.

    The files are read once for the system's cache, and the index is asked for stored vectors at random.
    """
    for relation in (table, f"{table}_hnsw", "ingest.appearances", "ingest.versions", "ingest.paragraphs"):
        (path,) = conn.execute("select pg_relation_filepath(%s)", [relation]).fetchone()
        for part in sorted((data / path).parent.glob(f"{Path(path).name}*")):
            with part.open("rb") as file:
                while file.read(1 << 24):
                    pass
    for vector in truth.some(WARMING):
        statement = f"select paragraph_id from {table} order by embedding <#> %s::{kind} limit {K}"
        conn.execute(statement, [str(vector.tolist())]).fetchall()


def timed(ask: Ask, queries: Sequence[Query], window: timedelta | None, truth: Truth) -> dict[str, Any]:
    """Milliseconds and recall of asking each query once, in another window each time; a few before do not count.

    What is nearest is worked out when all have been asked, so that it does not push the database out of the caches.
    """
    generator = np.random.default_rng(23)
    seconds, answers = [], []
    for number, query in enumerate([*queries[:5], *queries]):
        since = until = None
        if window is not None:
            since = made_up.BEGIN + generator.random() * (timedelta(days=made_up.DAYS) - window)
            until = since + window
        begun = time.perf_counter()
        found = ask(query, since, until)
        if number < 5:
            continue
        seconds.append(time.perf_counter() - begun)
        answers.append((query, since, until, found))
    recalls = [truth.recall(*answer) for answer in answers]
    return {
        "p50_ms": round(1000 * float(np.quantile(seconds, 0.5)), 1),
        "p95_ms": round(1000 * float(np.quantile(seconds, 0.95)), 1),
        "recall_at_10": round(float(np.mean(recalls)), 4),
        "rows": round(float(np.mean([len(found) for *_, found in answers])), 2),
        "queries": len(seconds),
    }


def by_function(conn: Connection, name: str) -> Ask:
    called = f"select paragraph_id from analysis.{name}(%s::text, {K}, %s, %s)"
    return lambda query, since, until: [r.paragraph_id for r in conn.execute(called, [query.name, since, until])]


def by_table(conn: Connection, table: str, form: type, kind: str) -> Ask:
    """As one would write it by hand; the filter is a join."""
    filtered = (
        "where paragraph_id in (select ap.paragraph_id from ingest.appearances ap join ingest.versions v "
        "using (version_id) where v.published_at >= %s and v.published_at < %s)"
    )

    def ask(query: Query, since: datetime | None, until: datetime | None) -> list[int]:
        where, values = (filtered, [since, until]) if since else ("", [])
        statement = f"select paragraph_id from {table} {where} order by embedding <#> %s::{kind} limit {K}"
        vector = form(query.vector.astype(np.float32).tolist())
        return [r.paragraph_id for r in conn.execute(statement, [*values, vector])]

    return ask


def compared(
    conn: Connection, data: Path, model_id: int, queries: Sequence[Query], truth: Truth, index: bool
) -> dict[str, Any]:
    """The exact scan, and a float32 HNSW index with pgvector's defaults, asked without and with the narrow window."""
    found: dict[str, Any] = {}
    table = f"ingest.embeddings_{model_id}"
    few = list(queries[:: max(1, len(queries) // SCANS)])[:SCANS]
    conn.execute("set enable_indexscan = off")
    found["exact"] = {w: timed(by_table(conn, table, HalfVector, "halfvec"), few, WINDOWS[w], truth) for w in WINDOWS}
    conn.execute("reset enable_indexscan")
    if not index:
        return found
    if conn.execute("select to_regclass('bench_float32_hnsw') as it").fetchone().it is None:
        width = len(queries[0].vector)
        conn.execute("drop table if exists bench_float32")  # of a run that was broken off
        conn.execute("create table bench_float32 as select paragraph_id, "
                     f"embedding::vector({width}) as embedding from {table}")  # fmt: skip
        begun = time.perf_counter()
        conn.execute(f"set max_parallel_maintenance_workers = {len(os.sched_getaffinity(0))}")
        conn.execute("create index bench_float32_hnsw on bench_float32 using hnsw (embedding vector_ip_ops)")
        found["float32_index_s"] = round(time.perf_counter() - begun)
        conn.execute("vacuum analyze bench_float32")
    warm(conn, data, "bench_float32", "vector", truth)
    size = conn.execute("select pg_relation_size('bench_float32_hnsw') as it").fetchone().it
    found["float32_index_mb"] = round(size / 1e6)
    ask = by_table(conn, "bench_float32", list, "vector")
    found["float32"] = {w: timed(ask, queries, WINDOWS[w], truth) for w in WINDOWS}
    return found


def match(conn: Connection) -> None:
    """Take the paragraphs nearest to each claim for its evidence, where there is none yet."""
    conn.execute(
        "insert into ingest.matches (claim_id, claim_version_id, paragraph_id, model_id, matcher, probability, tier, "
        "stance, sentence, features, matched_at, tracked_at, why) "
        "select c.claim_id, c.current_version_id, near.paragraph_id, m.model_id, 'bench', near.similarity, "
        "case when near.place %% 2 = 0 then 'accepted' else 'suggested' end, "
        "(array['supports', 'supports', 'refutes', 'updates'])[1 + near.paragraph_id %% 4], left(near.text, 200), "
        "'{}', near.published_at, near.published_at, 'near' "
        "from ingest.models m, ingest.claims c cross join lateral analysis.similar_to_claim(c.claim_id, %s) "
        "with ordinality as near (similarity, text, publisher, language, published_at, title, url, paragraph_id, "
        "story_id, article_id, place) "
        "where m.active and not exists (select from ingest.matches)",
        [MATCHED],
    )
    conn.execute("vacuum analyze ingest.matches")


def pages(home: Path, rounds: int = 60) -> dict[str, Any]:
    """Milliseconds of the desk's board and of each claim's page, as a reader without a cache gets them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "pipeline", "--home", str(home), "web", "--port", str(port)]
    paths = {"board": ["/"], "claim": [f"/claims/{claim.claim_id}" for claim in real_claims()]}
    found: dict[str, Any] = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        desk = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _until_it_answers(client)
            for name, those in paths.items():
                seconds = []
                for path in [those[0], *those * max(1, rounds // len(those))]:
                    begun = time.perf_counter()
                    client.get(path).raise_for_status()
                    seconds.append(time.perf_counter() - begun)
                found[f"{name}_p50_ms"] = round(1000 * float(np.quantile(seconds[1:], 0.5)), 1)
                found[f"{name}_p95_ms"] = round(1000 * float(np.quantile(seconds[1:], 0.95)), 1)
        finally:
            desk.terminate()
            desk.wait(30)
    return found


def _until_it_answers(client: httpx.Client) -> None:
    """And until the desk has its model, which it reads beside the first pages."""
    for _ in range(120):
        try:
            client.get("/healthz").raise_for_status()
            client.get("/search?q=ready").raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise SystemExit("the desk does not answer")


def encoding(encoder: Encoder, texts: Sequence[str]) -> float:
    """Median milliseconds of making one text's vector, which the other figures leave out."""
    seconds = []
    for text in texts:
        begun = time.perf_counter()
        encoder.encode([text])
        seconds.append(time.perf_counter() - begun)
    return round(1000 * float(np.median(seconds[3:])), 1)


def run(arguments: argparse.Namespace, home: Path) -> dict[str, Any]:
    settings = Settings(home=home, database=memory(arguments.paragraphs))
    encoder = Encoder(load().embed)
    cached = CachedEncoder(encoder, arguments.vectors or load().home / "vectors.sqlite")
    services = Prepared(settings, cached)
    real = made_up.pool(read(arguments.data / "items.jsonl.gz"), cached)
    result: dict[str, Any] = {"benchmark": "search", "likeness": made_up.likeness(real)}
    server = database.embedded_server(settings)
    server.start()
    try:
        server.bootstrap()
        with database.connect(settings) as conn:
            migrate.migrate(conn, SystemClock())
        with database.session(settings) as conn, database.session(settings, "claimwatch_analyst") as analyst:
            known = conn.execute("select to_regclass('bench_built') as it").fetchone().it
            built = (
                conn.execute("select built from bench_built").fetchone().built
                if known
                else build(conn, services, real, arguments.paragraphs)
            )
            queries = searched(conn, real, cached)
            model_id = embed.model(conn, services)
            truth = Truth(conn, model_id)
            say("warming up")
            warm(conn, server.data, f"ingest.embeddings_{model_id}", "halfvec", truth)
            say("asking")
            ours = {
                name: {w: timed(by_function(analyst, name), those, WINDOWS[w], truth) for w in WINDOWS}
                for name, those in queries.items()
            }
            wider = {
                name: timed(by_function(analyst, "similar"), queries["similar"], window, truth)
                for name, window in DETOURS
            }
            say(json.dumps({**ours, **wider}))
            others = compared(conn, server.data, model_id, queries["similar"], truth, not arguments.without_float32)
            sizes = conn.execute(
                "select count(*) as paragraphs, pg_table_size(%s) as vectors, pg_relation_size(%s) as index, "
                "pg_database_size(current_database()) as all, "
                "(select count(*) from ingest.appearances) as appearances, "
                f"(select count(*) from ingest.articles) as articles from ingest.embeddings_{model_id}",
                [f"ingest.embeddings_{model_id}", f"ingest.embeddings_{model_id}_hnsw"],
            ).fetchone()
            every = [figures for by_window in ours.values() for figures in by_window.values()]
            result |= {
                "paragraphs": sizes.paragraphs,
                "recall_at_10": min(figures["recall_at_10"] for figures in every),
                "p50_ms": max(figures["p50_ms"] for figures in every),
                "p95_ms": max(figures["p95_ms"] for figures in every),
                "p50_ms_exact": others["exact"]["none"]["p50_ms"],
                "embedding_ms": encoding(encoder, [text for text, _ in real.held[:23]]),
                "functions": ours,
                "other_windows": wider,
                **others,
                **built,
                "articles": sizes.articles,
                "appearances": sizes.appearances,
                "vectors_mb": round(sizes.vectors / 1e6),
                "index_mb": round(sizes.index / 1e6),
                "database_mb": round(sizes.all / 1e6),
            }
            say("the desk's pages")
            match(conn)
        result |= pages(home)
    finally:
        server.stop("fast")
    return result | {"cpus": len(os.sched_getaffinity(0)), "machine": platform.machine(), "postgres": server.version()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paragraphs", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, help="keeps the database, and searches the one that is there")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with items.jsonl.gz")
    parser.add_argument("--vectors", type=Path, help="where real vectors are kept; default: the home's")
    parser.add_argument("--without-float32", action="store_true", help="leave the index that is compared with out")
    arguments = parser.parse_args()
    if not (arguments.data / "items.jsonl.gz").exists():
        raise SystemExit(f"no items.jsonl.gz in {arguments.data}: say where it is with --data")
    configure("console", quiet=True)
    exit_on_signals()
    if arguments.home is None:
        with home_folder(None) as home:
            try:
                result = run(arguments, home)
            finally:
                shutil.rmtree(database.embedded_server(Settings(home=home)).base, ignore_errors=True)
    else:
        arguments.home.mkdir(parents=True, exist_ok=True)
        arguments.home.chmod(0o755)  # the database server runs as a user of its own
        result = run(arguments, arguments.home.absolute())
    print(json.dumps(result))
    good = result["p50_ms"] < MOST_P50 and result["p95_ms"] < MOST_P95 and result["recall_at_10"] >= LEAST_RECALL
    quick = max(result["board_p95_ms"], result["claim_p95_ms"]) < MOST_PAGE
    sys.exit(0 if good and quick else 1)


if __name__ == "__main__":
    main()
