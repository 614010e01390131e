"""What analysts, reviewers and the pipeline may do, tried by connecting as each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import ROOT, Bench, MovableClock, clone_dsn
from desk import Desk
from psycopg import sql

from pipeline.adapters.database import Connection
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.postgres_roles import READERS, READERS_DEFAULTS

ANALYST, REVIEWER, PIPELINE = "claimwatch_analyst", "claimwatch_reviewer", "claimwatch"
# Of the reviewers alone; who reads what is personal, and so is who asked for it.
CONFIRMING = {"confirm_match", "reject_match", "withdraw_review"} | {
    *("subscribe", "change_subscription", "pause_subscription", "end_subscription", "confirm_subscription"),
    "subscriptions_of",
}
PERSONAL = {"subscriptions"}
Login = Callable[[str], psycopg.Connection[Any]]


@pytest.fixture
def login(pg: EmbeddedServer, dsn: str) -> Iterator[Login]:
    """Connects as a role, with the settings that any client of its gets."""
    with ExitStack() as stack:
        yield lambda role: stack.enter_context(
            psycopg.connect(clone_dsn(dsn, role, pg.password(role)), autocommit=True)
        )


@pytest.fixture
def filled(conn: Connection, bench: Bench, clock: MovableClock, tmp_path: Path) -> Desk:
    """Two claims, and a model, so that there is an embeddings table to be kept out of."""
    return Desk(conn, bench, clock, tmp_path)


def objects(conn: Connection, query: str) -> list[Any]:
    return conn.execute(query).fetchall()


VIEWS = "select relname as name from pg_class where relnamespace = 'analysis'::regnamespace and relkind = 'v'"
FUNCTIONS = """
select p.oid::regprocedure::text as called, p.proname as name, p.pronargs as count,
       array(select format_type(t, null) from unnest(p.proargtypes) with ordinality as given (t, n) order by n) as types
from pg_proc p where p.pronamespace = 'analysis'::regnamespace
"""
TABLES = "select relname as name from pg_class where relnamespace = 'ingest'::regnamespace and relkind in ('r', 'v')"


@pytest.mark.parametrize("role", READERS)
def test_readers_read_every_view_and_call_every_function(
    role: str, login: Login, filled: Desk, conn: Connection
) -> None:
    """Calls are made with nulls: a complaint about those is an answer, a refusal is none."""
    reader = login(role)
    views, functions = objects(conn, VIEWS), objects(conn, FUNCTIONS)
    assert len(views) > 10
    assert len(functions) >= 10
    for view in views:
        look = sql.SQL("select * from {} limit 1").format(sql.Identifier("analysis", view.name))
        if role == ANALYST and view.name in PERSONAL:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(look)
            continue
        reader.execute(look)
    for function in functions:
        nulls = ", ".join(f"null::{kind}" for kind in function.types)
        call = f"select * from analysis.{function.name}({nulls})"
        if role == ANALYST and function.name in CONFIRMING:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(call)
            continue
        try:
            reader.execute(call)
        except (psycopg.errors.RaiseException, psycopg.errors.NoDataFound) as error:
            assert error.diag.message_hint, f"{function.called} says {error} and not what to do"


@pytest.mark.parametrize("role", READERS)
def test_readers_reach_nothing_behind_the_views(role: str, login: Login, filled: Desk, conn: Connection) -> None:
    reader = login(role)
    tables = [r.name for r in objects(conn, TABLES)]
    assert "embeddings_1" in tables
    for name in tables:
        table = sql.Identifier("ingest", name)
        for statement in ("select from {}", "delete from {}", "truncate {}", "drop table {}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(sql.SQL(statement).format(table))
    for statement in (
        "select ingest.register_model('m', 'h', 3, now())",
        "delete from analysis.claims",
        "update analysis.evidence set sentence = ''",
        "create view analysis.mine as select 1",
        "create table public.mine (n int)",
        "drop view analysis.claims",
        "alter role claimwatch_analyst superuser",
        "set role claimwatch",
        "copy (select 1) to program 'true'",
        "select pg_read_file('/etc/passwd')",
    ):
        with pytest.raises(psycopg.Error) as refused:
            reader.execute(statement)
        assert isinstance(
            refused.value,
            psycopg.errors.InsufficientPrivilege
            | psycopg.errors.ObjectNotInPrerequisiteState
            | psycopg.errors.FeatureNotSupported,
        ), statement


@pytest.mark.parametrize("role", READERS)
def test_readers_are_bounded(role: str, login: Login) -> None:
    reader = login(role)
    names = {row[0]: row[1] for row in reader.execute("select name, setting || coalesce(unit, '') from pg_settings")}
    shown = {name: names[name] for name in READERS_DEFAULTS}
    assert shown == {
        "statement_timeout": "60000ms",
        "idle_in_transaction_session_timeout": "300000ms",
        "lock_timeout": "5000ms",
        "work_mem": "32768kB",
    }
    reader.execute("set statement_timeout = '50ms'")  # shorter, so as not to wait a minute here
    with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
        reader.execute("select pg_sleep(10)")
    reader.execute("set statement_timeout = '10min'")  # who needs longer may


def test_a_lock_is_not_waited_for(login: Login, filled: Desk, conn: Connection) -> None:
    reader = login(ANALYST)
    reader.execute("set lock_timeout = '50ms'")
    with conn.transaction():
        conn.execute("lock ingest.claims in access exclusive mode")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            reader.execute("select * from analysis.claims")


def test_the_pipeline_is_no_superuser_and_not_bounded(login: Login) -> None:
    pipeline = login(PIPELINE)
    rights = "select rolsuper, rolcreaterole, rolreplication, rolbypassrls from pg_roles where rolname = current_user"
    assert pipeline.execute(rights).fetchone() == (False, False, False, False)
    assert pipeline.execute("show statement_timeout").fetchone() == ("0",)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        pipeline.execute("copy (select 1) to program 'true'")


def test_a_reviewer_confirms_and_an_analyst_does_not(login: Login, filled: Desk) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        login(ANALYST).execute("select analysis.confirm_match(1)")
    with pytest.raises(psycopg.errors.RaiseException, match="no match has the number 1") as raised:
        login(REVIEWER).execute("select analysis.confirm_match(1)")
    assert "analysis.review_queue" in str(raised.value.diag.message_hint)


def test_compose_sets_the_same_bounds() -> None:
    script = (ROOT / "docker" / "postgres-init.sh").read_text(encoding="utf-8")
    for name, value in READERS_DEFAULTS.items():
        assert f"('{name}', '{value}')" in script
