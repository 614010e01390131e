"""The whole way from feed to mail on real parts, without Airflow (tests/test_airflow.py goes through that)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import Bench, MovableClock, make_settings

from pipeline.adapters import database
from pipeline.adapters.database import Connection, rows
from pipeline.newsroom.content import feed_urls
from pipeline.newsroom.sink import read
from pipeline.settings import Settings
from pipeline.stages import maintain
from pipeline.stages.poll import add_feed
from pipeline.stages.subscriptions import add_subscription

pytestmark = [pytest.mark.model, pytest.mark.end_to_end]
TABLES = (
    "feeds",
    "entries",
    "articles",
    "pages",
    "versions",
    "paragraphs",
    "appearances",
    "matches",
    "claim_events",
    "alerts",
)


@pytest.fixture
def settings(dsn: str, tmp_path: Path, newsroom: int, sink: tuple[int, Path]) -> Settings:
    host_map = {"*.example": f"127.0.0.1:{newsroom}"}
    mail = {"host": "127.0.0.1", "port": sink[0], "sender": "watch@example.org"}
    return make_settings(
        tmp_path, dsn, fetch={"host_map": host_map, "contact": "test", "total_timeout": 60.0}, mail=mail
    )


@pytest.fixture
def watching(bench: Bench, conn: Connection, with_claims: None) -> Bench:
    """The newsroom's feeds and two readers."""
    for _, url, publisher in feed_urls():
        details = {key: publisher.get(key) for key in ("name", "family", "country", "language", "kind")}
        add_feed(conn, bench, url, **details)
    for mail, claim in (("desk@example.org", None), ("kursk@example.org", "killed-in-kursk")):
        add_subscription(conn, mail, bench.clock.now(), claim_id=claim)
    return bench


def counts(conn: Connection) -> dict[str, int]:
    return {table: conn.execute(f"select count(*) from ingest.{table}").fetchone()[0] for table in TABLES}


def test_feed_to_mail(watching: Bench, conn: Connection, sink: tuple[int, Path], clock: MovableClock) -> None:
    reports = watching.run(conn)
    assert reports["poll"].claimed == 13
    assert reports["poll"].outcomes["http-500"] == 1  # the broken outlet
    for report in reports.values():
        assert sum(report.outcomes.values()) == report.claimed, report
    first = counts(conn)
    assert first["entries"] == first["articles"] == first["pages"] == 34
    # Copies: five articles carry the wire's story of 19 December, and are one story.
    copies = conn.execute(
        "select count(*) from analysis.articles where story_id = (select story_id from analysis.articles "
        "where url like '%halyardwire%' and title like 'At least 100%')"
    ).fetchone()[0]
    assert copies == 5
    assert first["appearances"] > first["paragraphs"]

    mails = read(sink[1])
    assert mails
    assert len(mails) == first["alerts"]
    evidence = rows(conn, "report.evidence")
    killed = [r for r in evidence if r.claim_id == "killed-in-kursk"]
    assert any("100" in r.sentence for r in killed)
    mail = next(m for m in mails if m["X-Claimwatch-Claim"] == "killed-in-kursk")
    for part in ("plain", "html"):
        body = mail.get_body((part,)).get_content()
        assert "http://" in body
        assert "December 2024" in body
    assert len({m["Message-ID"] for m in mails}) == len(mails)
    # Material from before the freshness window is told as archive, not mailed.
    assert conn.execute("select count(*) from analysis.claim_events where kind = 'archive'").fetchone()[0] > 0
    oldest = conn.execute(
        "select min(happened_at) from ingest.alerts join ingest.claim_events using (event_id)"
    ).fetchone()[0]
    assert (clock.now() - oldest).days <= 7

    # Again: nothing new, no second row, no second mail.
    clock.move(hours=2)
    again = watching.run(conn)
    assert again["poll"].outcomes["unchanged"] == 12
    assert counts(conn) == first
    assert len(read(sink[1])) == len(mails)


def test_each_paragraph_is_embedded_and_matched_once(watching: Bench, conn: Connection) -> None:
    reports = watching.run(conn, "poll", "fetch", "extract", "embed", "match")
    total = conn.execute("select count(*) from ingest.paragraphs").fetchone()[0]
    assert reports["embed"].outcomes == {"embedded": total}
    assert reports["match"].outcomes == {"matched": total}
    assert reports["extract"].counts["paragraphs_new"] == total
    pending = {r.stage: r.due for r in rows(conn, "work.pending", now=watching.clock.now())}
    assert {stage for stage, due in pending.items() if due} == {"group", "track"}
    assert set(pending) == {"poll", "fetch", "group", "track"}  # fetch: pages that will be looked at again


def test_politeness(watching: Bench, conn: Connection, newsroom: int) -> None:
    """One request a feed, one a page, one robots.txt a host and run."""
    watching.run(conn, "poll", "fetch")
    import httpx

    answer: Any = httpx.get(f"http://127.0.0.1:{newsroom}/_requests", headers={"Host": "newsroom.localhost"}).json()
    seen = (
        [(r[1], r[2]) for r in answer["requests"]]
        if isinstance(answer["requests"][0], list)
        else [(r["host"], r["path"]) for r in answer["requests"]]
    )
    assert len(seen) == len(set(seen))


def test_analyst_reads_analysis_only(watching: Bench, conn: Connection, pg: Any, settings: Settings, dsn: str) -> None:
    import psycopg
    from conftest import clone_dsn

    watching.run(conn, "poll", "fetch", "extract", "embed", "group", "match", "track")
    assert database.row(conn, "status.totals").accepted > 0
    with psycopg.connect(
        clone_dsn(dsn, "claimwatch_analyst", pg.password("claimwatch_analyst")), autocommit=True
    ) as analyst:
        near = analyst.execute("select * from analysis.similar_to_claim('killed-in-kursk', 5)").fetchall()
        assert len(near) == 5
        assert near == sorted(near, key=lambda r: -r[0])
        narrow = analyst.execute(
            "select language from analysis.similar_to_claim('killed-in-kursk', 5, lang => 'ko')"
        ).fetchall()
        assert {r[0] for r in narrow} == {"ko"}
        paragraph = analyst.execute("select paragraph_id from analysis.paragraphs limit 1").fetchone()[0]
        assert len(analyst.execute("select * from analysis.similar_to_paragraph(%s, 3)", [paragraph]).fetchall()) == 3
        for view in (
            "articles",
            "paragraphs",
            "stories",
            "story_articles",
            "claims",
            "evidence",
            "claim_timeline",
            "claim_events",
            "feed_health",
            "run_log",
        ):
            assert analyst.execute(f"select * from analysis.{view} limit 1").fetchall(), view
        for statement in ("select * from ingest.articles", "insert into ingest.stories values (default, now())"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                analyst.execute(statement)


def test_an_edited_report_is_told(
    watching: Bench, conn: Connection, sink: tuple[int, Path], clock: MovableClock
) -> None:
    """The Korean daily's first text said that 12,000 had been sent; an hour and a half later that they would be."""
    clock.at = datetime(2024, 10, 18, 9, 30, tzinfo=UTC)
    conn.execute("update ingest.work set due_at = %s", [clock.now()])  # the feeds were added for December
    watching.run(conn)
    before = len(read(sink[1]))
    clock.move(hours=7)
    assert maintain.run(conn, watching).reread >= 1
    watching.run(conn)
    query = "select claim_id, happened_at, reason, mailed from analysis.claim_events where kind = 'edited'"
    edits = conn.execute(query).fetchall()
    assert {e.claim_id for e in edits} >= {"over-10000-troops"}
    for edit in edits:
        assert edit.happened_at == clock.now()
        # Its headline and its first paragraph were evidence, and both were written anew.
        assert edit.reason.startswith(("새마루일보 changed “북한", "새마루일보 took out “북한"))
        assert "1만2천" in edit.reason
        assert edit.mailed
    mails = [mail for mail in read(sink[1])[before:] if re.search("새마루일보 (edited|changed)", mail["Subject"])]
    assert {mail["X-Claimwatch-Claim"] for mail in mails} == {e.claim_id for e in edits}
