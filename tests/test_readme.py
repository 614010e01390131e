"""What the README tells a newcomer to type exists and works."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest
from conftest import ROOT, Bench, clone_dsn
from typer.testing import CliRunner

from pipeline.adapters.database import Connection
from pipeline.cli import app
from pipeline.stages import searches

README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """The words after `claimwatch` up to the first argument, for every command that the README shows."""
    found = {
        tuple(m.split())
        for m in re.findall(
            r"claimwatch ((?:--home \S+ )?[a-z]+(?:-[a-z]+)*(?: (?:add|check|health|import|load|show))?)\b", README
        )
    }
    return sorted([word for word in words if not word.startswith(("--", "."))] for words in found)


@pytest.mark.parametrize("words", [c for c in commands() if c], ids=" ".join)
def test_commands_exist(words: list[str]) -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    known |= {group.name for group in app.registered_groups}
    if words[0] not in known:
        assert words[0] in {"follows", "is", "through"}, words  # prose
        return
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0, result.output


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    (?:ONCE=1 )?make ([a-z-]+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.model
def test_sql_runs_as_an_analyst(with_claims: None, bench: Bench, conn: Connection, dsn: str, pg: Any) -> None:
    section = README.partition("## Analysts")[2].partition("## A tour")[0]
    code = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
    code = re.sub(r"^claimwatch .*$", "", code, flags=re.MULTILINE)
    statements = [s for s in code.split(";") if s.strip()]
    assert len(statements) == 6
    password = pg.password("claimwatch_analyst")
    with psycopg.connect(clone_dsn(dsn, "claimwatch_analyst", password), autocommit=True) as analyst:
        for statement in statements:
            analyst.execute(statement)
            searches.answer(conn, bench)  # what `claimwatch listen` does
