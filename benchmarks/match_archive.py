"""The second part of bench-match: whether a new paragraph costs more to match as the archive grows.

Two databases of one embedded server have the same claims and archives of different size. The match stage takes batches
of new paragraphs from both in turn, so that whatever else the machine does falls on both alike.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psycopg
from match_claims import StandIn, perturbed
from pgvector import HalfVector

from pipeline.adapters import database, migrate
from pipeline.adapters.database import Connection
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.logic.matching import Passage
from pipeline.settings import Settings
from pipeline.stages import claims, embed, match
from pipeline.stages.services import Services

NOW = datetime(2025, 9, 1, tzinfo=UTC)
BATCH = 200  # new paragraphs that a run of the stage takes
PER_VERSION = 4  # paragraphs of an article
PART = 20_000  # archive rows made at a time
INDEX_MEMORY = "1GB"  # the HNSW graph of 200,000 vectors has to fit, else building takes many times as long

ARTICLES = """
with p as (insert into ingest.publishers (name, family) values ('Archive', 'Archive') returning publisher_id)
insert into ingest.articles (url, publisher_id, first_seen_at)
select 'https://archive.example/' || n, publisher_id, %(now)s from p, generate_series(1, %(count)s) n
"""
VERSIONS = (
    "copy ingest.versions (article_id, version_hash, source, title, published_at, known_at) from stdin (format binary)"
)
PARAGRAPHS = "copy ingest.paragraphs (content_hash, text, first_version_id, first_seen_at) from stdin (format binary)"
VECTORS = "copy ingest.embeddings_{} (paragraph_id, embedding) from stdin (format binary)"


class Standing:
    def now(self) -> datetime:
        return NOW


class StandInServices(Services):
    """The real services but for the clock and the encoder."""

    def __init__(self, settings: Settings, encoder: StandIn) -> None:
        super().__init__(settings)
        self.clock = Standing()  # type: ignore[assignment]
        self.encoder = encoder  # type: ignore[assignment]


@dataclass
class Archive:
    """One database with its archive."""

    size: int
    conn: Connection
    services: StandInServices
    model_id: int
    seconds: list[float]  # of the match stage per paragraph, one a batch
    storing: list[float]  # of storing it with its vector, the index kept up, likewise

    def add(self, passages: Sequence[Passage], mark: str) -> list[int]:
        """Store paragraphs with their versions and vectors, as extract and embed would leave them; their numbers."""
        first = self.conn.execute("select coalesce(max(version_id), 0) as last from ingest.versions").fetchone().last
        articles = -(-len(passages) // PER_VERSION)
        by_version = [passages[k * PER_VERSION] for k in range(articles)]
        with self.conn.cursor() as cursor:
            with cursor.copy(VERSIONS) as copy:
                copy.set_types(["int8", "bytea", "text", "text", "timestamptz", "timestamptz"])
                for k, passage in enumerate(by_version, first + 1):
                    copy.write_row((k, _digest(f"{mark}{k}"), "entry", passage.title, NOW, NOW))
            with cursor.copy(PARAGRAPHS) as copy:
                copy.set_types(["bytea", "text", "int8", "timestamptz"])
                for k, passage in enumerate(passages):
                    row = (_digest(f"{mark}{k}"), passage.text, first + 1 + k // PER_VERSION, NOW - timedelta(days=1))
                    copy.write_row(row)
            last = cursor.execute("select max(paragraph_id) as last from ingest.paragraphs").fetchone().last
            ids = list(range(last - len(passages) + 1, last + 1))
            with cursor.copy(VECTORS.format(self.model_id)) as copy:
                copy.set_types(["int8", "halfvec"])
                for k, passage in zip(ids, passages, strict=True):
                    copy.write_row((k, HalfVector(passage.vector.astype(np.float16))))
        return ids

    def fill(self, real: Sequence[Passage], pool: np.ndarray, spare: int) -> float:
        """The archive: real texts again and again with ever new vectors, then the index; its seconds.
        Articles for `spare` more paragraphs are made along.
        """
        generator = np.random.default_rng(self.size)
        count = -(-self.size // PER_VERSION) + -(-spare // PER_VERSION) + spare
        self.conn.execute(ARTICLES, {"now": NOW, "count": count})
        index = f"ingest.embeddings_{self.model_id}_hnsw"
        definition = self.conn.execute("select pg_get_indexdef(%s::regclass) as it", [index]).fetchone().it
        self.conn.execute(f"drop index {index}")
        for start in range(0, self.size, PART):
            vectors = perturbed(pool, min(PART, self.size - start), generator)
            chosen = generator.integers(0, len(real), len(vectors))
            rows = [Passage(real[i].text, real[i].title, v) for i, v in zip(chosen, vectors, strict=True)]
            self.add(rows, f"archive-{start}-")
        begun = time.perf_counter()
        self.conn.execute(f"set maintenance_work_mem = '{INDEX_MEMORY}'")
        self.conn.execute(definition)
        self.conn.execute("analyze")
        return time.perf_counter() - begun

    def batch(self, passages: Sequence[Passage], mark: str) -> None:
        """Match new paragraphs by the stage itself."""
        begun = time.perf_counter()
        ids = self.add(passages, mark)
        self.storing.append((time.perf_counter() - begun) / len(ids))
        database.rows(self.conn, "work.add_all", stage="match", item_ids=ids, due_at=NOW)
        begun = time.perf_counter()
        report = match.run(self.conn, self.services, len(ids))
        self.seconds.append((time.perf_counter() - begun) / len(ids))
        if report.outcomes["matched"] != len(ids):
            raise SystemExit(f"of {len(ids)} paragraphs were matched: {dict(report.outcomes)}")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def opened(
    server: EmbeddedServer, home: Path, size: int, encoder: StandIn, claims_file: Path, stack: ExitStack
) -> Archive:
    """A migrated database with the claims in it."""
    name = f"archive_{size}"
    with psycopg.connect(server.dsn("postgres", "postgres"), autocommit=True) as admin:
        admin.execute(f"create database {name} owner claimwatch")
    with psycopg.connect(server.dsn("postgres", name), autocommit=True) as admin:
        admin.execute("create extension vector")
    settings = Settings(home=home, database={"dsn": server.dsn("claimwatch", name)})
    services = StandInServices(settings, encoder)
    with database.connect(settings) as conn:
        migrate.migrate(conn, services.clock)
    conn = stack.enter_context(database.session(settings))
    claims.load(conn, services, claims_file)
    return Archive(size, conn, services, embed.model(conn, services), [], [])


def measured(archives: Sequence[Archive], new: Sequence[Passage], batches: int) -> dict[str, Any]:
    """Milliseconds a paragraph by archive size, and the last one's over the first one's: medians over batches. Storing
    is given beside matching: the index of vectors is a graph, into which a new one finds its way by steps that grow
    with the logarithm of its size.
    """
    for k in range(batches + 1):
        part = [new[(k * BATCH + i) % len(new)] for i in range(BATCH)]
        for archive in archives if k % 2 else archives[::-1]:
            archive.batch(part, f"new-{k}-")
    for archive in archives:
        del archive.seconds[0], archive.storing[0]  # the matcher was built, caches filled
    medians = [median(archive.seconds) for archive in archives]
    stored = [median(archive.storing) for archive in archives]
    return {
        "cost_ratio": round(medians[-1] / medians[0], 3),
        "ms_per_paragraph": {str(a.size): round(1000 * m, 3) for a, m in zip(archives, medians, strict=True)},
        "store_ratio": round(stored[-1] / stored[0], 3),
        "store_ms_per_paragraph": {str(a.size): round(1000 * m, 3) for a, m in zip(archives, stored, strict=True)},
        "batches": batches,
    }
