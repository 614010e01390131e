"""Migrations run once; the analysts' views and functions are reapplied, and analysts' own objects are safe.

PG_MAJOR=16 pytest tests/test_migrate.py      on the older server
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import PG_MAJOR, ROOT, MovableClock, clone_dsn

from pipeline.adapters import database
from pipeline.adapters import migrate as module
from pipeline.adapters.database import Connection
from pipeline.adapters.migrate import Migrated, migrate
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of sql/ to edit."""
    shutil.copytree(ROOT / "sql", tmp_path / "own" / "sql")
    monkeypatch.setattr(module, "root", lambda: tmp_path / "own")
    return tmp_path / "own" / "sql"


@pytest.fixture
def plain(settings: Settings) -> Iterator[Connection]:
    with database.connect(settings) as conn:
        yield conn


def edit(file: Path, old: str, new: str) -> None:
    content = file.read_text(encoding="utf-8")
    assert old in content
    file.write_text(content.replace(old, new), encoding="utf-8")


def objects(conn: Connection) -> dict[str, int]:
    """Everything in both schemas, by name, with its number: one that was recreated has another."""
    found = conn.execute("""
        select n.nspname || '.' || c.relname || '/' || c.relkind::text, c.oid::bigint
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('ingest', 'analysis')
        union all
        select p.oid::regprocedure::text, p.oid::bigint
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('ingest', 'analysis')""")
    return {line[0]: line[1] for line in found}


def test_the_server_is_the_one_asked_for(plain: Connection) -> None:
    assert plain.info.server_version // 10000 == PG_MAJOR


def test_twice_does_nothing(plain: Connection, clock: MovableClock) -> None:
    before = objects(plain)
    for _ in range(2):
        assert migrate(plain, clock) == Migrated((), False)
    assert objects(plain) == before


def test_a_new_migration_runs_once(folder: Path, plain: Connection, clock: MovableClock) -> None:
    (folder / "migrations" / "9000_more.sql").write_text(
        "create table ingest.more (n int); insert into ingest.more values (1);"
    )
    assert migrate(plain, clock) == Migrated(("9000_more.sql",), False)
    assert migrate(plain, clock) == Migrated((), False)
    assert plain.execute("select n from ingest.more").fetchall() == [(1,)]


def test_a_migration_that_fails_leaves_nothing(folder: Path, plain: Connection, clock: MovableClock) -> None:
    file = folder / "migrations" / "9000_more.sql"
    file.write_text("create table ingest.more (n int); select 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(plain, clock)
    assert "ingest.more/r" not in objects(plain)
    file.write_text("create table ingest.more (n int)")
    assert migrate(plain, clock).applied == ("9000_more.sql",)


def test_an_edited_migration_is_refused(folder: Path, plain: Connection, clock: MovableClock) -> None:
    first = sorted((folder / "migrations").glob("*.sql"))[0]
    edit(first, "create table ingest.work", "-- edited\ncreate table ingest.work")
    with pytest.raises(ConfigurationError, match=rf"{first.name} was changed after it had run"):
        migrate(plain, clock)


def test_a_database_from_the_future_is_refused(plain: Connection, clock: MovableClock) -> None:
    database.rows(plain, "migrations.record", name="9999_future.sql", hash=b"x", now=clock.now())
    with pytest.raises(ConfigurationError, match=r"newer than this claimwatch: it has had 9999_future\.sql"):
        migrate(plain, clock)


def test_a_body_is_replaced_in_place(folder: Path, plain: Connection, clock: MovableClock) -> None:
    plain.execute("create view public.mine as select claim_id from analysis.claim_events")
    before = objects(plain)
    edit(
        folder / "api" / "060_claim_events.sql",
        "from ingest.claim_events ev;",
        "from ingest.claim_events ev where true;",
    )
    edit(folder / "api" / "100_similar.sql", "v_k integer := least(", "v_k integer :=  least(")
    assert migrate(plain, clock) == Migrated((), False)
    assert objects(plain) == before


RENAMED = ("ev.known_at, ev.story_id", "ev.known_at as noticed_at, ev.story_id")


def rename_a_column(folder: Path) -> None:
    edit(folder / "api" / "060_claim_events.sql", *RENAMED)
    edit(folder / "api" / "060_claim_events.sql", "claim_events.known_at", "claim_events.noticed_at")


def test_a_changed_view_is_recreated(
    folder: Path, plain: Connection, clock: MovableClock, pg: EmbeddedServer, dsn: str
) -> None:
    before = objects(plain)
    rename_a_column(folder)
    assert migrate(plain, clock) == Migrated((), True)
    assert objects(plain).keys() == before.keys()
    assert plain.execute("select noticed_at from analysis.claim_events").fetchall() == []
    assert migrate(plain, clock) == Migrated((), False)
    # Grants came last, again.
    with psycopg.connect(clone_dsn(dsn, "claimwatch_analyst", pg.password("claimwatch_analyst"))) as analyst:
        assert analyst.execute("select noticed_at from analysis.claim_events").fetchall() == []
        assert analyst.execute("select * from analysis.claim_timeline").fetchall() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lang text default null)\nreturns", "lang text default null, minimum real default 0)\nreturns"),
        ("lang text default null)\nreturns", "lang varchar default null)\nreturns"),
        ("returns table (similarity real,", "returns table (nearness real,"),
    ],
    ids=["another argument", "another type", "another column"],
)
def test_a_changed_function_is_recreated_and_not_doubled(
    old: str, new: str, folder: Path, plain: Connection, clock: MovableClock
) -> None:
    edit(folder / "api" / "100_similar.sql", old, new)
    comment = "comment on function analysis.similar(halfvec, integer, timestamptz, timestamptz, text"
    if "minimum" in new:
        edit(folder / "api" / "100_similar.sql", comment, f"{comment}, real")
    elif "varchar" in new:
        edit(folder / "api" / "100_similar.sql", comment, comment.replace("text", "varchar"))
    else:  # the other two pass its rows on
        for file in ("110_similar_to_claim.sql", "120_similar_to_paragraph.sql"):
            edit(folder / "api" / file, "returns table (similarity real,", "returns table (nearness real,")
    assert migrate(plain, clock) == Migrated((), True)
    named = [name for name in objects(plain) if name.replace('"', "").startswith("analysis.similar(")]
    assert len(named) == 2  # by a vector, and by the name of a search
    assert plain.execute("select * from analysis.similar('[1,0]'::halfvec)").fetchall() == []
    assert migrate(plain, clock) == Migrated((), False)


def test_an_object_that_is_no_longer_ours_goes(folder: Path, plain: Connection, clock: MovableClock) -> None:
    (folder / "api" / "080_run_log.sql").unlink()
    assert migrate(plain, clock) == Migrated((), True)
    assert "analysis.run_log/v" not in objects(plain)


@pytest.mark.parametrize("owner", ["the pipeline", "somebody else"])
def test_an_analysts_own_view_stops_it_and_is_named(
    owner: str, folder: Path, plain: Connection, clock: MovableClock, pg: EmbeddedServer, dsn: str
) -> None:
    making: Any = plain
    if owner == "somebody else":
        making = psycopg.connect(clone_dsn(dsn, "postgres", pg.password("postgres")), autocommit=True)
    with making if making is not plain else plain.transaction():
        making.execute("create view public.my_events as select claim_id, kind from analysis.claim_events")
    before = objects(plain)
    rename_a_column(folder)
    with pytest.raises(
        ConfigurationError, match=r"view (public\.)?my_events depends on view analysis\.claim_events"
    ) as raised:
        migrate(plain, clock)
    assert "--cascade" in str(raised.value)
    assert objects(plain) == before  # nothing was half done
    assert migrate(plain, clock, cascade=True) == Migrated((), True)
    assert plain.execute("select to_regclass('public.my_events')").fetchone()[0] is None
    assert plain.execute("select noticed_at from analysis.claim_events").fetchall() == []


def test_two_at_once(folder: Path, plain: Connection, settings: Settings, clock: MovableClock) -> None:
    """Every task of a fresh deployment may migrate: one does, the others wait and find it done."""
    from concurrent.futures import ThreadPoolExecutor

    (folder / "migrations" / "9000_more.sql").write_text("create table ingest.more (n int); select pg_sleep(0.3);")

    def one(_: int) -> Migrated:
        with database.connect(settings) as conn:
            return migrate(conn, clock)

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(one, range(3)))
    assert sorted(len(d.applied) for d in done) == [0, 0, 1]


def test_every_named_statement_can_be_prepared(plain: Connection) -> None:
    """A typo in sql/queries is found here and not at night."""
    database.rows(plain, "models.register", name="m", weights_hash="h", dimensions=4, now="2024-01-01")
    for name in database.statements():
        text = database.statement(name, 1).as_string(plain)
        query = psycopg._queries.PostgresQuery(psycopg.adapt.Transformer(plain))
        parameters = dict.fromkeys(_names(text))
        query.convert(text, parameters)
        verb = query.query.decode().lstrip().split()[0].lower()
        if verb not in ("select", "insert", "update", "delete", "with"):
            continue  # CREATE and DROP take no preparing
        result = plain.pgconn.prepare(b"", query.query)
        assert result.status == psycopg.pq.ExecStatus.COMMAND_OK, (name, result.error_message)


def _names(text: str) -> set[str]:
    import re

    return set(re.findall(r"%\((\w+)\)s", text))
