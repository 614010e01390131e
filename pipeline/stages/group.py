"""group: articles -> stories. An article that has its vectors joins the story that it tells, or founds one.

What it is compared with comes from look-ups of fixed size in indexes: the nearest beginnings by vector, texts that
share a MinHash band, texts that share paragraphs. One article at a time, under a lock that holds until its commit:
two reports of one event that come together would otherwise found two stories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from pgvector import HalfVector

from pipeline.adapters.database import Connection, row, rows, vector_rows
from pipeline.logic import grouping
from pipeline.stages import embed
from pipeline.stages.work import Item, ModelDeps, Run, StageReport, begin

VECTORS_WAIT = timedelta(minutes=1)  # for an article whose vectors are not all there yet
MAX_SCAN = 4000  # rows of the vectors' index that one look-up reads at most
EVER = timedelta(days=36_500)


def run(conn: Connection, deps: ModelDeps, limit: int) -> StageReport:
    """Group up to `limit` articles, in the order of publication."""
    with begin(conn, deps, "group") as run:
        items = {item.item_id: item for item in run.claim(limit)}
        if not items:
            return run.report
        model_id = embed.model(conn, deps)
        for article in rows(conn, "stories.to_group", model_id, article_ids=list(items)):
            item = items[article.article_id]
            with run.shield(item):
                _group(run, deps, item, article, model_id)
        return run.report


def _group(run: Run, deps: ModelDeps, item: Item, found: Any, model_id: int) -> None:
    conn, now = run.conn, deps.clock.now()
    if not found.embedded or (found.story_id is not None and found.sketched):
        with run.settling(item):
            if found.embedded:
                run.done(item, "known")
            else:
                run.again(item, "waiting-for-vectors", now + VECTORS_WAIT, fresh=True)
        return
    texts = {r.position: r.text for r in rows(conn, "stories.texts", version_id=found.version_id)}
    sketch = grouping.sketch(texts.get(0, ""), [text for position, text in texts.items() if position > 0])
    vectors = _vectors(conn, model_id, [found.version_id])[found.version_id]
    article = grouping.Article(found.article_id, found.published_at, found.language, sketch, vectors)
    with run.settling(item):
        rows(conn, "stories.lock")
        placed = None
        if found.story_id is None:
            placed = grouping.decide(article, *_candidates(conn, model_id, article, found.version_id))
            _place(conn, article.article_id, placed, now)
            rows(conn, "stories.queue_track", article_id=article.article_id, now=now)
        _keep(conn, article, found.version_id)
        run.done(item, placed.relation if placed else "sketched")


def _candidates(
    conn: Connection, model_id: int, article: grouping.Article, version_id: int
) -> tuple[list[grouping.Article], Mapping[int, float]]:
    """The grouped articles that it is compared with, and which share of its text each has word for word."""
    copies = {"article_id": article.article_id, "k": grouping.COPIES, "each": grouping.LATEST}
    shares = {r.article_id: r.share for r in rows(conn, "stories.sharing", version_id=version_id, **copies)}
    chosen = set(shares)
    bands = grouping.bands(article.sketch)
    chosen.update(r.article_id for r in rows(conn, "stories.same_bands", bands=bands, **copies))
    window = timedelta(days=grouping.WINDOW_DAYS)
    deepest = str(2 * grouping.NEAR_ANYTIME)
    rows(conn, "stories.bound_search", ef_search=deepest, max_scan_tuples=str(MAX_SCAN))
    for vector in article.vectors[:2]:
        for k, span in ((grouping.NEAR, window), (grouping.NEAR_ANYTIME, EVER)):
            near = rows(
                conn,
                "stories.near",
                model_id,
                vector=HalfVector(vector.astype(np.float16)),
                head=grouping.HEAD,
                since=article.published - span,
                until=article.published + span,
                k=k,
                each=grouping.EACH,
                latest=grouping.LATEST,
            )
            chosen.update(r.article_id for r in near)
    known = rows(conn, "stories.candidates", article_ids=sorted(chosen - {article.article_id}))
    vectors = _vectors(conn, model_id, [r.version_id for r in known])
    candidates = [
        grouping.Article(r.article_id, r.published_at, r.language, _sketch(r), vectors[r.version_id], r.story_id)
        for r in known
        if r.version_id in vectors
    ]
    return candidates, shares


def _vectors(conn: Connection, model_id: int, version_ids: Iterable[int]) -> dict[int, Any]:
    """The beginnings' vectors by version, one row a text; a version without any is left out."""
    lines: dict[int, list[Any]] = {}
    values = {"version_ids": list(version_ids), "head": grouping.HEAD}
    for r in vector_rows(conn, "stories.vectors", model_id, **values):
        lines.setdefault(r.version_id, []).append(r.embedding.to_numpy().astype(np.float32))
    return {version_id: np.stack(found) for version_id, found in lines.items()}


def _sketch(known: Any) -> grouping.Sketch:
    signature = np.frombuffer(known.signature, "<u4").astype(np.uint32)
    return grouping.Sketch(signature, known.shingles, frozenset(known.names), frozenset(known.figures))


def _place(conn: Connection, article_id: int, placed: grouping.Placement, now: datetime) -> None:
    story_id = placed.story_id if placed.story_id is not None else row(conn, "stories.add", now=now).story_id
    told = {"relation": placed.relation, "similarity": placed.similarity}
    rows(conn, "stories.set", article_id=article_id, story_id=story_id, **told)


def _keep(conn: Connection, article: grouping.Article, version_id: int) -> None:
    sketch = article.sketch
    rows(
        conn,
        "stories.keep_sketch",
        article_id=article.article_id,
        version_id=version_id,
        signature=sketch.signature.astype("<u4").tobytes(),
        shingles=sketch.shingles,
        names=sorted(sketch.names),
        figures=sorted(sketch.figures),
    )
    rows(conn, "stories.keep_bands", bands=grouping.bands(sketch), article_id=article.article_id)
