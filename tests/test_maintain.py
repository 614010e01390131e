"""Housekeeping: leases, retention, indexes, the operator's mail, and the switch to another model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import Bench, MovableClock, make_settings
from desk import UNREAD

from pipeline.adapters.database import Connection, rows
from pipeline.logic.text import content_hash
from pipeline.settings import Settings
from pipeline.stages import maintain
from pipeline.stages.poll import add_feed
from pipeline.stages.work import begin


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    retention = {"bodies_days": 30, "runs_days": 90, "logs_days": 14, "articles_days": 365}
    return make_settings(tmp_path, dsn, mail={"operator": "operator@example.org"}, retention=retention)


def add_article(conn: Connection, clock: MovableClock, url: str, texts: list[str]) -> int:
    """An article with its page and one version, as the stages would have left it."""
    publisher = rows(conn, "feeds.add_publisher", name=url, family=None, country=None, language=None, kind=None)[0]
    now = clock.now()
    article = conn.execute(
        "insert into ingest.articles (url, publisher_id, first_seen_at) values (%s, %s, %s) returning article_id",
        [url, publisher.publisher_id, now],
    ).fetchone()
    values = {"article_id": article[0], "now": now}
    page = {"status": 200, "url": url, "content_type": None, "etag": None, "last_modified": None}
    rows(conn, "articles.store_page", body_hash=b"x", capture_id=None, **page, **values)
    version = {"version_hash": url.encode(), "source": "page", "title": "t", "author": None, "language": "en"}
    added = rows(conn, "articles.add_version", published_at=now, **version, **UNREAD, **values)[0]
    rows(
        conn,
        "articles.add_paragraphs",
        version_id=added.version_id,
        positions=list(range(1, len(texts) + 1)),
        hashes=[content_hash(text) for text in texts],
        texts=texts,
        language="en",
        now=now,
    )
    return int(article[0])


def count(conn: Connection, what: str) -> int:
    return int(conn.execute(f"select count(*) from ingest.{what}").fetchone()[0])


def test_expired_leases_are_freed(bench: Bench, conn: Connection, clock: MovableClock) -> None:
    add_feed(conn, bench, "http://feed.example/rss")
    with begin(conn, bench, "poll") as run:
        assert len(run.claim(10)) == 1
        clock.move(seconds=bench.settings.lease + 1)
        assert maintain.run(conn, bench).freed == 1
        assert rows(conn, "work.pending", now=clock.now())[0].due == 1


def test_retention(bench: Bench, conn: Connection, clock: MovableClock) -> None:
    add_article(conn, clock, "http://a.example/1", ["only here", "in both"])
    keeper = add_article(conn, clock, "http://b.example/2", ["in both", "only there"])
    with begin(conn, bench, "poll") as run:
        run.report.claimed = 1  # as if it had done something: an empty run leaves no row
    clock.move(days=91)
    assert maintain.run(conn, bench).deleted["runs"] == 1
    clock.move(days=300)
    # The first article's paragraph stands in the second too, so it stays as long as that does.
    done = maintain.run(conn, bench)
    assert done.deleted["articles"] == 1
    assert count(conn, f"articles where article_id = {keeper}") == 0
    assert maintain.run(conn, bench).deleted["articles"] == 1
    assert count(conn, "paragraphs") == 0


def test_old_logs_go(bench: Bench, conn: Connection) -> None:
    logs = bench.settings.home / "airflow" / "logs"
    for name, days in (("dag_id=x/run_id=old", 20), ("dag_id=x/run_id=new", 1), ("dag_processor/2024-11-01", 20)):
        (logs / name).mkdir(parents=True)
        (logs / name / "a.log").write_text("a")
        when = (logs / name).stat().st_mtime - days * 86_400
        for path in (logs / name / "a.log", logs / name):
            os.utime(path, (when, when))
    assert maintain.run(conn, bench).deleted["log files"] == 2
    assert sorted(f.relative_to(logs).as_posix() for f in logs.rglob("*.log")) == ["dag_id=x/run_id=new/a.log"]
    assert not (logs / "dag_id=x" / "run_id=old").exists()
    assert maintain.run(conn, bench).deleted["log files"] == 0


def test_the_operator_hears_of_a_stall_once_a_day(bench: Bench, conn: Connection, clock: MovableClock) -> None:
    add_feed(conn, bench, "http://feed.example/rss")
    assert maintain.run(conn, bench).stalled == []
    clock.move(hours=4)
    clock.at = clock.at.replace(hour=1)
    clock.move(days=1)
    done = maintain.run(conn, bench)
    assert len(done.stalled) == 1
    assert done.stalled[0].startswith("poll: 1 items")
    assert done.mailed
    clock.move(hours=1)
    assert not maintain.run(conn, bench).mailed
    clock.move(days=1)
    assert maintain.run(conn, bench).mailed
    mail = conn.execute("select email, subject, body from ingest.alerts order by alert_id limit 1").fetchone()
    assert mail.email == "operator@example.org"
    assert "poll: 1 items are due" in mail.body


def test_a_broken_index_is_told(bench: Bench, conn: Connection, clock: MovableClock) -> None:
    values = {"name": "m", "weights_hash": "h", "dimensions": 3, "now": clock.now()}
    model_id = rows(conn, "models.register", **values)[0].model_id
    assert maintain.rows(conn, "maintain.broken_indexes") == []
    conn.execute(f"drop index ingest.embeddings_{model_id}_hnsw")
    names = [r.name for r in rows(conn, "maintain.broken_indexes")]
    assert names == [f"ingest.embeddings_{model_id}_hnsw (missing)"]


@pytest.mark.model
def test_another_model_takes_over_once_its_vectors_are_complete(
    bench: Bench, conn: Connection, clock: MovableClock
) -> None:
    old = rows(conn, "models.register", name="old", weights_hash="h", dimensions=384, now=clock.now())[0].model_id
    add_article(conn, clock, "http://a.example/1", ["A first text.", "A second text."])
    assert maintain.run(conn, bench).requeued == 0  # registering the model of the settings queues everything
    assert rows(conn, "models.active")[0].model_id == old
    bench.run(conn, "embed")
    clock.move(minutes=1)
    maintain.run(conn, bench)
    active = rows(conn, "models.active")[0]
    assert active.name == "e5-small"
    assert active.model_id != old
    due = {r.stage: r.due for r in rows(conn, "work.pending", now=clock.now())}
    assert due["match"] == 2
