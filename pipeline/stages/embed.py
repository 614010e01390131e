"""embed: paragraphs -> vectors, each text once per model. Changing the model re-embeds beside the old vectors."""

from __future__ import annotations

import numpy as np
from pgvector import HalfVector

from pipeline.adapters.database import Connection, execute_many, row, rows
from pipeline.stages.work import ModelDeps, Run, StageReport, begin


def run(conn: Connection, deps: ModelDeps, limit: int) -> StageReport:
    """Embed up to `limit` paragraphs."""
    with begin(conn, deps, "embed") as run:
        items = run.claim(limit)
        if not items:
            return run.report
        model_id = model(conn, deps)
        texts = {r.paragraph_id: r.text for r in rows(conn, "models.texts", paragraph_ids=[i.item_id for i in items])}
        present = [item for item in items if item.item_id in texts]
        vectors = deps.encoder.encode([texts[item.item_id] for item in present])
        with run.settling(*present):
            values = [
                {"paragraph_id": item.item_id, "embedding": half(vector)}
                for item, vector in zip(present, vectors, strict=True)
            ]
            execute_many(conn, "models.store", values, model_id)
            run.queue("match", [item.item_id for item in present])
            _queue_articles(run, model_id, [item.item_id for item in present])
            run.all_done(present, "embedded")
        return run.report


def _queue_articles(run: Run, model_id: int, paragraph_ids: list[int]) -> None:
    """Articles all of whose texts have their vectors now can be grouped."""
    rows(run.conn, "stories.lock_embedding", paragraph_ids=paragraph_ids)
    rows(run.conn, "stories.queue_embedded", model_id, paragraph_ids=paragraph_ids, now=run.clock.now())


def model(conn: Connection, deps: ModelDeps) -> int:
    """The number of the model in the settings; registered, and every paragraph queued for it, at first sight."""
    encoder = deps.encoder
    known = row(conn, "models.find", name=encoder.name, weights_hash=encoder.weights_hash)
    if known is None:
        now = deps.clock.now()
        with conn.transaction():
            values = {
                "name": encoder.name,
                "weights_hash": encoder.weights_hash,
                "dimensions": encoder.dimensions,
            }
            known = row(conn, "models.register", now=now, **values)
            queue_missing(conn, deps, known.model_id)
    return int(known.model_id)


def queue_missing(conn: Connection, deps: ModelDeps, model_id: int) -> int:
    """Queue every paragraph that has no vector of this model yet; how many."""
    missing = [r.paragraph_id for r in rows(conn, "models.missing", model_id)]
    rows(conn, "work.add_all", stage="embed", item_ids=missing, due_at=deps.clock.now())
    return len(missing)


def half(vector: np.ndarray[tuple[int], np.dtype[np.float32]]) -> HalfVector:
    return HalfVector(vector.astype(np.float16))
