"""Who may import whom, and what must not be loaded by light entry points."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

FOLDERS = ("dags", "plugins")  # what Airflow reads
READ = [file for folder in FOLDERS for file in (ROOT / folder).glob("*.py")]
FILES = sorted([*(ROOT / "pipeline").rglob("*.py"), *READ])
VOCABULARY = {"model", "errors", "settings", "clock"}
HEAVY = {"torch", "trafilatura", "sentence_transformers", "transformers", "feedparser"}

BELOW_STAGES = {"logic", "adapters", "vocabulary", "package", "logging"}
BELOW_ENTRY = BELOW_STAGES | {"stages", "evaluation", "terminal", "local", "commands", "newsroom", "web"}
MAY_IMPORT = {
    "package": set(),
    "vocabulary": {"vocabulary"},
    "logging": set(),  # how log lines look; entry points configure it
    "terminal": set(),  # how tables are printed
    "logic": {"logic", "vocabulary"},
    "adapters": {"adapters", "vocabulary", "package"},
    "stages": {"stages", "logic", "adapters", "vocabulary"},
    "evaluation": {"evaluation", "stages", "logic", "adapters", "vocabulary"},
    "newsroom": {"newsroom", "vocabulary"},
    "web": BELOW_STAGES | {"stages", "web"},
    "local": BELOW_ENTRY - {"commands", "web"},
    "commands": BELOW_ENTRY,
    "cli": BELOW_ENTRY,
    "__main__": {"cli"},
    "airflow_glue": BELOW_STAGES | {"stages"},
    "dags": {"airflow_glue"},
    "plugins": {"airflow_glue"},
}
# SQL stands in sql/. What is not the pipeline's own database is excepted: roles of the embedded server, which come
# before any schema; an SQLite file; Airflow's tables.
OWN_SQL = {"pipeline/adapters/postgres_roles.py", "pipeline/adapters/vector_cache.py", "pipeline/local/airflow.py"}
SQL = re.compile(r"\s*(select|insert|update|delete|create|alter|drop|truncate|grant|revoke|with)\s+\w", re.IGNORECASE)


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def layer(module: str) -> str:
    parts = module.split(".")
    if parts[0] in FOLDERS:
        return parts[0]
    if len(parts) == 1:
        return "package"
    return "vocabulary" if parts[1] in VOCABULARY else parts[1]


def module_of(file: Path) -> str:
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Line and module of every import in the file, also of those inside functions."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(file)}:{node.lineno}: a relative import"
            module = node.module or ""
            for alias in node.names:
                # `from pipeline import settings` imports a module, `from pipeline import __version__` a name.
                inner = (ROOT / Path(*module.split("."), alias.name)).with_suffix("")
                is_module = inner.with_suffix(".py").exists() or inner.is_dir()
                yield node.lineno, f"{module}.{alias.name}" if is_module and module.startswith("pipeline") else module


def literals(file: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string literal that is no docstring."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.lineno, node.value


@pytest.mark.parametrize("file", FILES, ids=name)
def test_imports_go_down(file: Path) -> None:
    own = layer(module_of(file))
    wrong = [
        f"{name(file)}:{line} imports {module}"
        for line, module in imported(file)
        if module.split(".")[0] in ("pipeline", *FOLDERS) and layer(module) not in MAY_IMPORT[own]
    ]
    assert not wrong


def test_newsroom_knows_the_clock_and_errors_alone() -> None:
    for file in (ROOT / "pipeline" / "newsroom").glob("*.py"):
        ours = {module for _, module in imported(file) if module.startswith("pipeline")}
        allowed = {"pipeline.clock", "pipeline.errors"}
        assert all(m in allowed or m.startswith("pipeline.newsroom") for m in ours), name(file)


def test_only_what_airflow_reads_and_the_glue_import_airflow() -> None:
    users = {name(f) for f in FILES if any(module.split(".")[0] == "airflow" for _, module in imported(f))}
    assert users == {"pipeline/airflow_glue.py", *(name(f) for f in READ)}


def test_logic_does_no_input_or_output() -> None:
    """Pure: no database, network or process; a file only where a model's weights are read."""
    acting = {"psycopg", "httpx", "httpcore", "socket", "subprocess", "smtplib", "asyncio", "os"}
    for file in (ROOT / "pipeline" / "logic").glob("*.py"):
        assert not acting & {module.split(".")[0] for _, module in imported(file)}, name(file)


@pytest.mark.parametrize("file", [f for f in FILES if name(f) not in OWN_SQL], ids=name)
def test_sql_stands_in_sql_files(file: Path) -> None:
    # Lower case as SQL is written here; a sentence begins with a capital.
    found = [(line, text) for line, text in literals(file) if SQL.match(text) and text.lstrip()[:1].islower()]
    found += [
        (line, text) for line, text in literals(file) if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE) ", text)
    ]
    allowed = {"drop {} if exists {}{}{}"}  # the API's own objects, by name
    assert not [f"{name(file)}:{line}: {text[:60]}" for line, text in found if text not in allowed]


@pytest.mark.parametrize("file", FILES, ids=name)
def test_times_are_aware(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("utcnow", "utcfromtimestamp"), f"{name(file)}:{node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            naive = node.func.attr == "now" and ast.unparse(node.func.value).endswith("datetime")
            assert not naive or node.args or node.keywords, f"{name(file)}:{node.lineno}: a naive time"


def test_the_clock_is_asked_by_stages_and_logic() -> None:
    """Real time is read in clock.py; a stage that reads it itself can't be replayed."""
    for file in FILES:
        if layer(module_of(file)) in ("logic", "stages"):
            assert "datetime.now(" not in file.read_text(encoding="utf-8"), name(file)


def run(code: str, home: Path, *arguments: str) -> str:
    keep = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    places = {"AIRFLOW_HOME": str(home / "airflow"), "CLAIMWATCH_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**keep, **places},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_dag_files_load_nothing_heavy(tmp_path: Path) -> None:
    code = f"""
import runpy, sys
for file in sys.argv[1:]:
    runpy.run_path(file)
    print(file, *sorted({HEAVY!r} & set(sys.modules)))
"""
    files = [str(file) for file in sorted(READ)]
    assert run(code, tmp_path, *files).split("\n")[:-1] == files


@pytest.mark.parametrize(
    "statement",
    ["from typer.testing import CliRunner; CliRunner().invoke(c.app, ['--help'])", "import pipeline.local.up"],
)
def test_the_command_line_loads_nothing_heavy(statement: str, tmp_path: Path) -> None:
    code = f"import sys; import pipeline.cli as c; {statement}; print(*({HEAVY | {'airflow'}!r} & set(sys.modules)))"
    assert run(code, tmp_path).split() == []
