"""The generated pages are what their sources say, and the SQL in them runs."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from conftest import ROOT, clone_dsn
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer

from pipeline import settings as settings_module
from pipeline.adapters import database
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.commands.setup import _environment


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_script", ROOT / "scripts" / "docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


docs = load_script()


@pytest.fixture
def registered(conn: database.Connection, clock: Any) -> int:
    """A model, so that its table exists."""
    return int(
        database.row(conn, "models.register", name="m", weights_hash="w", dimensions=8, now=clock.now()).model_id
    )


def assert_current(name: str, page: str) -> None:
    committed = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert committed == page, f"docs/{name} is out of date: run `{docs.RENEW}`"


def test_sql_page_is_current(conn: database.Connection) -> None:
    assert_current("sql.md", docs.sql_page(conn))
    assert database.rows(conn, "models.any") == [], "making the page leaves nothing behind"


def test_cli_page_is_current() -> None:
    assert_current("cli.md", docs.cli_page())


def test_settings_page_is_current() -> None:
    assert_current("settings.md", docs.settings_page())


def test_cli_page_does_not_depend_on_the_terminal() -> None:
    script = f"import runpy; print(runpy.run_path({str(ROOT / 'scripts' / 'docs.py')!r})['cli_page'](), end='')"
    env = {**os.environ, "COLUMNS": "40", "TERMINAL_WIDTH": "40", "FORCE_COLOR": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == docs.cli_page()


def test_settings_page_has_every_setting_with_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = docs.settings_page()
    variables = set(re.findall(r"`(CLAIMWATCH_[A-Z_]+)`", page))
    expected = set()
    for key, field in settings_module.Settings.model_fields.items():
        section = field.annotation
        if inspect.isclass(section) and issubclass(section, settings_module.Section):
            expected |= {f"CLAIMWATCH_{key}__{name}".upper() for name in section.model_fields}
        else:
            expected.add(f"CLAIMWATCH_{key}".upper())
    assert variables == expected
    for line in page.splitlines():  # a default, set by its variable, is what holds without it
        if found := re.match(r"\| `\w+` \| .+ \| `(.+)` \| `(CLAIMWATCH_\w+)` \|", line):
            monkeypatch.setenv(found[2], found[1])
    assert settings_module.load(tmp_path) == settings_module.Settings(home=tmp_path)


# Comments


def test_everything_has_a_comment(conn: database.Connection, registered: int) -> None:
    missing = []
    for schema in ("ingest", "analysis"):
        for relation in conn.execute(docs.RELATIONS, [schema, ["r", "p", "v", "m"]]).fetchall():
            columns = conn.execute(docs.COLUMNS, [relation.oid]).fetchall()
            missing += [f"{schema}.{relation.name}"] * (not relation.comment)
            missing += [f"{schema}.{relation.name}.{column.name}" for column in columns if not column.comment]
        functions = conn.execute(docs.FUNCTIONS, [schema]).fetchall()
        missing += [f"{schema}.{function.name}()" for function in functions if not function.comment]
        comment = conn.execute("select obj_description(%s::regnamespace, 'pg_namespace') as it", [schema]).fetchone()
        missing += [schema] * (not comment.it)
    assert missing == []


# Examples


def test_every_view_and_function_has_an_example(conn: database.Connection) -> None:
    views = conn.execute(docs.RELATIONS, ["analysis", ["v"]]).fetchall()
    functions = conn.execute(docs.FUNCTIONS, ["analysis"]).fetchall()
    shown = {docs.subject(query) for _, query in docs.examples().values()}
    assert shown == {r.name for r in [*views, *functions]}


@pytest.mark.parametrize("name", docs.examples())
def test_example_runs_as_the_analyst(name: str, pg: EmbeddedServer, dsn: str, registered: int) -> None:
    purpose, query = docs.examples()[name]
    reviewing = re.search(r"analysis\.(confirm_match|reject_match|withdraw_review|subscri|\w+_subscription)", query)
    role = "claimwatch_reviewer" if reviewing else "claimwatch_analyst"
    assert purpose.endswith((".", "?")), "a line that says what it is for"
    done = subprocess.run(
        [pg.binary("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=vector=[1,0,0,0,0,0,0,0]"],
        env=_environment(clone_dsn(dsn, role, pg.password(role))),
        input=query,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert " row" in done.stdout


# Named statements


def test_every_named_statement_can_be_planned(conn: database.Connection, registered: int) -> None:
    broken = {}
    planned = 0
    for name, text in database.statements().items():
        if re.search(r"^(create|drop) ", text, re.MULTILINE):
            assert name.startswith("migrations."), name
            continue
        model = registered if "{embeddings}" in text else None
        query = PostgresQuery(Transformer(conn))
        values = dict.fromkeys(re.findall(r"%\((\w+)\)s", text))
        query.convert(database.statement(name, model), values)
        for result in (
            conn.pgconn.prepare(b"", query.query),
            conn.pgconn.exec_(b"explain (generic_plan) " + query.query),
        ):
            if result.error_message:
                broken[name] = result.error_message.decode().strip()
        planned += 1
    assert broken == {}
    assert planned > 50


def test_every_named_statement_says_what_it_is_for() -> None:
    silent = [name for name, text in database.statements().items() if not re.match(r"-- [A-Z].{8,}", text)]
    assert silent == []


def test_a_query_that_can_not_run_is_refused_by_the_server(conn: database.Connection) -> None:
    """The test above means something: the server does look at the statement."""
    assert conn.pgconn.exec_(b"explain (generic_plan) select nothing from ingest.work where item_id = $1").error_message
    with pytest.raises(psycopg.errors.UndefinedTable):
        conn.execute("explain (generic_plan) select from ingest.embeddings_99")
