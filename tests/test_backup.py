"""backup and restore, on rows that the stages made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import CLAIMS, Bench, FakeEncoder, MovableClock, clone, clone_dsn, make_settings, run_command

from pipeline.adapters.database import Connection
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.newsroom.content import feed_urls
from pipeline.settings import Settings
from pipeline.stages import claims
from pipeline.stages.poll import add_feed
from pipeline.stages.subscriptions import add_subscription

Command = Callable[..., int]


@pytest.fixture
def settings(dsn: str, tmp_path: Path, newsroom: int) -> Settings:
    return make_settings(tmp_path, dsn, fetch={"host_map": {"*.example": f"127.0.0.1:{newsroom}"}})


@pytest.fixture
def command(settings: Settings, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("CLAIMWATCH_HOME", str(settings.home))
    monkeypatch.setenv("CLAIMWATCH_DATABASE__DSN", dsn)
    return lambda *arguments: run_command(monkeypatch, *arguments)


@pytest.fixture
def filled(settings: Settings, clock: MovableClock, conn: Connection) -> Connection:
    """Three feeds' articles, embedded and matched with made-up vectors."""
    bench = Bench(settings, clock, FakeEncoder())  # type: ignore[arg-type]
    claims.load(conn, bench, CLAIMS)
    for _, url, publisher in list(feed_urls())[:3]:
        add_feed(conn, bench, url, name=publisher["name"])
    add_subscription(conn, "desk@example.org", clock.now())
    bench.run(conn, "poll", "fetch", "extract", "embed", "match")
    assert conn.execute("select count(*) from ingest.embeddings_1").fetchone()[0] > 50
    return conn


def content(conn: Connection) -> dict[str, Any]:
    """Every table's rows as a hash, and every object in the schemas with its definition."""
    names = [
        r[0] for r in conn.execute("select tablename from pg_tables where schemaname = 'ingest' order by 1").fetchall()
    ]
    found: dict[str, Any] = {}
    for name in names:
        lines = sorted(r[0] for r in conn.execute(f"select t::text from ingest.{name} t").fetchall())
        found[name] = len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()
    objects = conn.execute("""
        select 'index ' || indexdef from pg_indexes where schemaname = 'ingest'
        union all select 'function ' || p.oid::regprocedure || md5(p.prosrc) from pg_proc p
                  where p.pronamespace in ('ingest'::regnamespace, 'analysis'::regnamespace)
        union all select 'view ' || viewname || md5(definition) from pg_views where schemaname = 'analysis'
        union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
                  where connamespace = 'ingest'::regnamespace
        union all select 'comment ' || objoid::regclass || objsubid || description from pg_description
                  where classoid = 'pg_class'::regclass and objoid in
                        (select oid from pg_class where relnamespace = 'ingest'::regnamespace)""").fetchall()
    found["objects"] = sorted(r[0] for r in objects)
    return found


def test_round_trip(
    filled: Connection,
    command: Command,
    tmp_path: Path,
    clock: MovableClock,
    settings: Settings,
    pg: EmbeddedServer,
    dsn: str,
) -> None:
    before = content(filled)
    file = tmp_path / "claimwatch.backup"
    assert command("backup", file) == 0
    assert [f.name for f in tmp_path.iterdir() if "backup" in f.name] == ["claimwatch.backup"]
    # Something happens after the backup, and is gone afterwards.
    add_subscription(filled, "later@example.org", clock.now())
    assert content(filled) != before
    assert command("restore", file) == 2  # not over what is there
    assert content(filled) != before
    assert command("restore", file, "--replace") == 0
    assert content(filled) == before
    # It works: numbers go on where they were, the views are there, analysts may read them and nothing else.
    add_feed(filled, Bench(settings, clock, FakeEncoder()), "https://new.example/feed")  # type: ignore[arg-type]
    with psycopg.connect(
        clone_dsn(dsn, "claimwatch_analyst", pg.password("claimwatch_analyst")), autocommit=True
    ) as analyst:
        assert analyst.execute("select count(*) from analysis.articles").fetchone()[0] > 3  # type: ignore[index]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute("select * from ingest.articles")


def test_into_an_empty_database(
    filled: Connection,
    command: Command,
    tmp_path: Path,
    pg: EmbeddedServer,
    template: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = content(filled)
    file = tmp_path / "b"
    assert command("backup", file) == 0
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        clone(admin, "t_other", template)
        try:
            monkeypatch.setenv("CLAIMWATCH_DATABASE__DSN", pg.dsn("claimwatch", "t_other"))
            assert command("restore", file) == 0
            with psycopg.connect(pg.dsn("claimwatch", "t_other")) as other:
                assert content(other) == before
        finally:
            admin.execute("drop database t_other with (force)")


@pytest.mark.parametrize("harm", ["not a backup", "cut off", "damaged"])
def test_a_bad_file_costs_nothing(harm: str, filled: Connection, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "b"
    assert command("backup", file) == 0
    raw = file.read_bytes()
    if harm == "not a backup":
        file.write_bytes(b"hello")
    elif harm == "cut off":
        file.write_bytes(raw[: len(raw) * 3 // 4])
    else:
        middle = len(raw) // 2
        file.write_bytes(raw[:middle] + bytes(200) + raw[middle + 200 :])
    before = content(filled)
    assert command("restore", file, "--replace") == 2
    assert content(filled) == before


def test_files_that_are_not_there(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("restore", tmp_path / "nothing") == 2
    assert "there is no file" in capsys.readouterr().err
    assert command("backup", tmp_path / "no" / "b") == 2
    assert "there is no folder" in capsys.readouterr().err
