"""Measures search as analysts have it: by meaning, by words and by both, per language, in the product's own database.

    python benchmarks/hybrid.py [--data FOLDER] [--vectors FILE] [--most 150] [--splits test] [--tune]

Each set is an archive of its own in an embedded server, with texts, vectors and words as the stages leave them:

    titles      a headline of the stream as the query, the item's own summary as what is to be found (known item)
    wordings    a claim's wordings, newsroom paragraphs labelled with the claim in the same language
    stream      a claim's wordings, headlines of the stream labelled with it in the same language
    clef        tweets, the fact-checked claims that they repeat (CLEF CheckThat! 2022, task 2A, English)

By MAP@10 and recall@10, for train (stream's train split, newsroom before 2025, CLEF's train) and test (stream's test
split, newsroom from 2025, CLEF's dev). The fusion in analysis.hybrid was chosen on train; `--tune` shows the others
there. The last line is one JSON object; the exit status is 1 where the mean over the test sets is below
tests/search_quality.json or not above vectors and words alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import clef
import numpy as np
import psycopg
from pgvector import HalfVector

from pipeline.adapters import database, migrate
from pipeline.adapters.database import Connection
from pipeline.adapters.encoder import Encoder
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.clock import SystemClock
from pipeline.evaluation import datasets
from pipeline.logging import configure
from pipeline.logic.searchwords import words
from pipeline.logic.text import clean, content_hash
from pipeline.settings import load, root
from pipeline.stages import materials
from pipeline.stages import words as word_stage

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
FLOORS = Path(__file__).parents[1] / "tests" / "search_quality.json"
CLAIMS = root() / "claims" / "nk-russia.yaml"
DEPTH = 10  # of the rankings that are measured
CANDIDATES = 100  # as in analysis.hybrid
SPLITS = {"train": ("train", "dev", "train"), "test": ("test", "test", "dev")}  # of stream, newsroom and CLEF
RANKINGS = ("vectors", "words", "rrf", "hybrid")
SHORT = 40  # characters; a summary below that is no text to find

Fusion = Callable[["Found"], np.ndarray]


@dataclass(frozen=True)
class Task:
    """Queries of one kind and language with the documents, by number, that each should find."""

    name: str
    queries: list[str]
    relevant: list[set[int]]


@dataclass(frozen=True)
class Collection:
    """An archive and what is asked of it."""

    name: str
    documents: list[str]
    languages: list[str | None]
    tasks: list[Task]


@dataclass(frozen=True)
class Found:
    """The candidates of a query as ingest.search_candidates gives them; a place is infinite where it is none."""

    documents: np.ndarray
    similarity: np.ndarray
    near_place: np.ndarray
    score: np.ndarray
    word_place: np.ndarray


def collections(folder: Path, split: str, most: int) -> Iterator[Collection]:
    """The sets of train or test, at most so many queries a language; a seeded sample where there are more."""
    stream_split, newsroom_split, clef_split = SPLITS[split]
    if (folder / "stream").exists():
        yield titles(datasets.load(folder / "stream", stream_split), most)
    yield wordings("wordings", datasets.load(folder / "newsroom", newsroom_split), most)
    if (folder / "stream").exists():
        yield wordings("stream", datasets.load(folder / "stream", stream_split), most)
    if (folder / "clef2022-2a").exists():
        yield tweets(clef.read(folder / "clef2022-2a"), clef_split, most)


def titles(found: datasets.Labelled, most: int) -> Collection:
    items = [item for item in found.items if item.title and len(clean(item.text)) >= SHORT]
    tasks = []
    for language in sorted({item.lang or "" for item in items}):
        own = sample([n for n, item in enumerate(items) if item.lang == language], most)
        tasks.append(Task(language, [items[n].title for n in own], [{n} for n in own]))
    return Collection("titles", [clean(item.text) for item in items], [item.lang for item in items], tasks)


def wordings(name: str, found: datasets.Labelled, most: int) -> Collection:
    asked = [
        (claim.claim_id, language, text)
        for claim in materials.claims_of(CLAIMS)
        for language, text in (*claim.phrasings, *claim.refutations, *claim.updates)
    ]
    tasks = []
    for language in sorted({language for _, language, _ in asked}):
        having: dict[str, set[int]] = {}
        for n, item in enumerate(found.items):
            if item.lang == language:
                for claim in found.direct.get(item.id, {}):
                    having.setdefault(claim, set()).add(n)
        own = [(text, having[claim]) for claim, of, text in asked if of == language and claim in having]
        own = [own[n] for n in sample(range(len(own)), most)]
        if own:
            tasks.append(Task(language, [text for text, _ in own], [relevant for _, relevant in own]))
    texts = [item.text if item.title_is_context else item.title for item in found.items]
    return Collection(name, texts, [item.lang for item in found.items], tasks)


def tweets(found: clef.Collection, split: str, most: int) -> Collection:
    own = sample(range(len(found.splits[split].tweets)), 3 * most)
    task = Task("en", [found.splits[split].tweets[n] for n in own], [found.splits[split].relevant[n] for n in own])
    documents = found.nearness_texts()
    return Collection("clef", documents, ["en"] * len(documents), [task])


def sample(numbers: Sequence[int], most: int) -> list[int]:
    if len(numbers) <= most:
        return list(numbers)
    return sorted(int(n) for n in np.random.default_rng(0).permutation(numbers)[:most])


@contextmanager
def server(folder: Path) -> Iterator[EmbeddedServer]:
    folder.chmod(0o755)
    found = EmbeddedServer(folder / "h", 18, shared_buffers="256MB", maintenance_work_mem="512MB")
    found.start()
    found.bootstrap()
    try:
        yield found
    finally:
        found.stop("immediate")


def fill(conn: Connection, collection: Collection, encoder: Any) -> dict[int, list[int]]:
    """Store the documents with vectors and words, each in an article of its own; {paragraph: its documents}."""
    migrate.migrate(conn, SystemClock())
    database.register_vector(conn)
    now = datetime.now(UTC)
    about = {"name": encoder.name, "weights_hash": encoder.weights_hash, "dimensions": encoder.dimensions, "now": now}
    model = database.row(conn, "models.register", **about).model_id
    conn.execute("insert into ingest.publishers (name, family) values ('Archive', 'Archive')")
    paragraphs: dict[bytes, int] = {}
    documents: dict[int, list[int]] = {}
    with conn.transaction(), conn.cursor() as cursor:
        conn.execute(f"drop index ingest.embeddings_{model}_hnsw")
        conn.execute(
            "insert into ingest.articles (url, publisher_id, first_seen_at) "
            "select 'https://archive.example/' || n, 1, %s from generate_series(1, %s) n",
            [now, len(collection.documents)],
        )
        columns = "(article_id, version_hash, source, title, language, published_at, known_at)"
        with cursor.copy(f"copy ingest.versions {columns} from stdin") as copy:
            for n, language in enumerate(collection.languages, 1):
                copy.write_row((n, hashlib.sha256(str(n).encode()).digest(), "page", "", language, now, now))
        texts, places = [], []
        for n, text in enumerate(collection.documents):
            number = paragraphs.setdefault(content_hash(text), len(paragraphs) + 1)
            if number == len(texts) + 1:
                texts.append((content_hash(text), text, n + 1, now))
            documents.setdefault(number, []).append(n)
            places.append((n + 1, 1, number, "body"))
        columns = "(content_hash, text, first_version_id, first_seen_at)"
        with cursor.copy(f"copy ingest.paragraphs {columns} from stdin") as copy:
            for row in texts:
                copy.write_row(row)
        with cursor.copy("copy ingest.appearances (version_id, position, paragraph_id, kind) from stdin") as copy:
            for place in places:
                copy.write_row(place)
        vectors = encoder.encode([text for _, text, _, _ in texts])
        with cursor.copy(f"copy ingest.embeddings_{model} from stdin") as copy:
            for number, vector in enumerate(vectors, 1):
                copy.write_row((number, HalfVector(vector.astype(np.float16)).to_text()))
        conn.execute(
            f"create index embeddings_{model}_hnsw on ingest.embeddings_{model} using hnsw (embedding halfvec_ip_ops)"
        )
    word_stage.fill(conn)
    word_stage.count(conn, now)
    conn.execute("analyze")
    return documents


def ask(conn: Connection, documents: dict[int, list[int]], query: str, vector: np.ndarray) -> tuple[Found, list[int]]:
    """A query's candidates, and the documents that analysis.hybrid answers with, best first."""
    given = {"vector": HalfVector(vector.astype(np.float16)), "words": words(query), "k": CANDIDATES, "depth": DEPTH}
    found = conn.execute(
        "select * from ingest.search_candidates(%(vector)s, %(words)s, %(k)s, null, null, null, null, null)", given
    ).fetchall()
    far = float("inf")
    candidates = Found(
        np.array([r.paragraph_id for r in found], int),
        np.array([r.similarity for r in found], float),
        np.array([far if r.near_place is None else r.near_place for r in found]),
        np.array([r.score for r in found], float),
        np.array([far if r.word_place is None else r.word_place for r in found]),
    )
    answer = conn.execute(
        "select paragraph_id from analysis.hybrid(%(vector)s, %(words)s, %(depth)s) order by rank", given
    ).fetchall()
    return candidates, [r.paragraph_id for r in answer]


def reciprocal(weight: float, constant: float = 60) -> Fusion:
    return lambda c: 1 / (constant + c.near_place) + weight / (constant + c.word_place)


def ranges(weight: float) -> Fusion:
    """As analysis.hybrid has it, with its weight or another."""

    def fuse(c: Found) -> np.ndarray:
        far = c.similarity[np.isfinite(c.near_place)].min()
        return np.asarray(
            (c.similarity - far) / max(c.similarity.max() - far, 1e-9) + weight * c.score / max(c.score.max(), 1e-9)
        )

    return fuse


def deviations(weight: float) -> Fusion:
    def fuse(c: Found) -> np.ndarray:
        near, having = np.isfinite(c.near_place), np.isfinite(c.word_place)
        nearness = (c.similarity - c.similarity[near].mean()) / max(c.similarity[near].std(), 1e-9)
        if not having.any():
            return np.asarray(nearness)
        return np.asarray(nearness + weight * (c.score - c.score[having].mean()) / max(c.score[having].std(), 0.3))

    return fuse


FUSIONS: dict[str, Fusion] = {
    "vectors": lambda c: -c.near_place,
    "words": lambda c: -c.word_place,
    "rrf": reciprocal(1.0),
    **{f"rrf, words x {w}": reciprocal(w) for w in (0.1, 0.3, 0.5)},
    **{f"rrf 10, words x {w}": reciprocal(w, 10) for w in (0.3, 0.5, 1.0)},
    **{f"ranges, words x {w}": ranges(w) for w in (0.2, 0.3, 0.5, 0.8)},
    **{f"deviations, words x {w}": deviations(w) for w in (0.2, 0.4, 0.6, 1.0)},
}


def precision_and_recall(ranked: list[int], documents: dict[int, list[int]], relevant: set[int]) -> tuple[float, float]:
    """Average precision and recall of the first DEPTH; relevant texts that are one paragraph count once."""
    wanted = {number for number in ranked if relevant.intersection(documents[number])}
    everything = len(wanted) + sum(
        1 for number, own in documents.items() if number not in wanted and relevant.intersection(own)
    ) if len(relevant) > 1 else 1  # fmt: skip
    hits, total = 0, 0.0
    for place, number in enumerate(ranked[:DEPTH], 1):
        if number in wanted:
            hits += 1
            total += hits / place
    return total / min(everything, DEPTH), hits / min(everything, DEPTH)


def measure(conn: Connection, collection: Collection, encoder: Any, tune: bool) -> dict[str, dict[str, Any]]:
    """{"titles ko": {"queries": n, "hybrid": {"map10": ..., "recall10": ...}, ...}, ...}"""
    documents = fill(conn, collection, encoder)
    done = {}
    for task in collection.tasks:
        values: dict[str, list[tuple[float, float]]] = {}
        vectors = encoder.encode(task.queries)
        for query, vector, relevant in zip(task.queries, vectors, task.relevant, strict=True):
            candidates, answer = ask(conn, documents, query, vector)
            rankings = {"hybrid": answer}
            for name, fusion in FUSIONS.items():
                if tune or name in RANKINGS:
                    scores = fusion(candidates)
                    order = np.lexsort((candidates.documents, -scores))
                    rankings[name] = [int(candidates.documents[n]) for n in order if np.isfinite(scores[n])]
            for name, ranked in rankings.items():
                values.setdefault(name, []).append(precision_and_recall(ranked, documents, relevant))
        done[f"{collection.name} {task.name}"] = {"queries": len(task.queries)} | {
            name: {"map10": round(float(p), 4), "recall10": round(float(r), 4)}
            for name, (p, r) in ((name, np.mean(found, axis=0)) for name, found in values.items())
        }
    return done


def show(split: str, sets: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Print a table; the mean of each ranking over the sets."""
    names = [name for name in next(iter(sets.values())) if name != "queries"]
    names.sort(key=lambda name: RANKINGS.index(name) if name in RANKINGS else 99)
    print(f"\n{split}: MAP@10 (recall@10)\n{'':16}{'queries':>8}" + "".join(f"{name:>16}" for name in names[:4]))
    for task, found in sets.items():
        shown = (f"{found[name]['map10']:8.3f} ({found[name]['recall10']:.2f})" for name in names[:4])
        print(f"{task:16}{found['queries']:8}" + "".join(f"{cell:>16}" for cell in shown))
    means = {name: round(float(np.mean([found[name]["map10"] for found in sets.values()])), 4) for name in names}
    print(f"{'mean':24}" + "".join(f"{means[name]:9.4f}{'':7}" for name in names[:4]))
    for name in names[4:]:
        print(f"    {name:28}{means[name]:.4f}")
    return means


def run(data: Path, vectors: Path, most: int, splits: list[str], tune: bool) -> dict[str, Any]:
    encoder = CachedEncoder(Encoder(load().embed), vectors)
    begun, results, means = time.perf_counter(), {}, {}
    with tempfile.TemporaryDirectory(prefix="claimwatch-hybrid-") as folder, server(Path(folder)) as pg:
        for split in splits:
            results[split] = {}
            for number, collection in enumerate(collections(data, split, most)):
                name = f"{split}_{number}"
                with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
                    admin.execute(f"create database {name} owner claimwatch")
                with psycopg.connect(pg.dsn("postgres", name), autocommit=True) as admin:
                    admin.execute("create extension vector")
                with psycopg.connect(
                    pg.dsn("claimwatch", name), autocommit=True, row_factory=psycopg.rows.namedtuple_row
                ) as conn:
                    results[split] |= measure(conn, collection, encoder, tune)
            means[split] = show(split, results[split])
    found = {"benchmark": "hybrid", "means": means, "sets": results, "texts_encoded": encoder.made}
    found["seconds"] = round(time.perf_counter() - begun, 1)
    if "test" in splits:
        test, floors = means["test"], json.loads(FLOORS.read_text(encoding="utf-8"))["test"]
        best_part = max(test["vectors"], test["words"], test["rrf"])
        found |= {"map10": test["hybrid"], "floor": floors["map10"]}
        found["passed"] = test["hybrid"] >= floors["map10"] and test["hybrid"] > best_part
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED, help="folder with newsroom, stream and clef2022-2a")
    parser.add_argument("--vectors", type=Path, help="where vectors are kept; default: the home's vectors.sqlite")
    parser.add_argument("--most", type=int, default=150, help="queries of a kind and language")
    parser.add_argument("--splits", default="train,test", help="train, test or both")
    parser.add_argument("--tune", action="store_true", help="compare fusions, on train alone")
    arguments = parser.parse_args()
    configure("console", quiet=True)
    vectors = arguments.vectors or load().home / "vectors.sqlite"
    splits = ["train"] if arguments.tune else arguments.splits.split(",")
    result = run(arguments.data, vectors, arguments.most, splits, arguments.tune)
    print(json.dumps(result))
    sys.exit(0 if result.get("passed", True) else 1)


if __name__ == "__main__":
    main()
