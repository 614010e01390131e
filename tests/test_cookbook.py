"""The cookbook's questions, asked again of the sample newsroom, as an analyst asks them."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import psycopg
import pytest
from conftest import ROOT, clone, clone_dsn

from pipeline.adapters import database
from pipeline.adapters.encoder import Encoder
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.clock import SteppedClock
from pipeline.stages.services import Services

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]  # a whole autumn, through all stages


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cookbook_script", ROOT / "scripts" / "cookbook.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


cookbook = load_script()
PAGE = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def analyst(
    pg: EmbeddedServer, template: str, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg.Connection[Any]]:
    """An analyst's connection to the newsroom's autumn, filled as the page's own database is."""
    name, clock = "t_cookbook", SteppedClock(cookbook.FROM)
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        clone(admin, name, template)
        dsn = pg.dsn("claimwatch", name)
        with cookbook.newsroom(clock) as port:
            services = Services(cookbook.settings(tmp_path_factory.mktemp("cookbook"), dsn, port))
            services.encoder = services.phrases = encoder
            with database.session(services.settings) as conn:
                cookbook.fill(conn, services, clock)
        role = "claimwatch_analyst"
        with psycopg.connect(clone_dsn(dsn, role, pg.password(role)), autocommit=True) as conn:
            yield conn
        admin.execute(f"drop database {name} with (force)")


@pytest.mark.parametrize("question", cookbook.questions(), ids=lambda question: question.name)
def test_a_question_is_answered_as_the_page_says(question: Any, analyst: psycopg.Connection[Any]) -> None:
    answer = cookbook.answer(analyst, question)
    assert len(answer.splitlines()) > 2, "an answer has rows"
    assert f"```sql\n{question.query}\n```\n\n{answer}" in PAGE, "if the new answer is the right one: make docs"


def test_the_page_is_current(analyst: psycopg.Connection[Any]) -> None:
    assert cookbook.page(analyst) == PAGE


def test_twenty_questions_each_asked_once() -> None:
    asked = cookbook.questions()
    assert len(asked) == 20
    assert len({one.question for one in asked}) == len({one.name for one in asked}) == 20
    assert all(one.question.endswith("?") and one.query.endswith(";") for one in asked)
    assert not any("now()" in one.query or "current_date" in one.query for one in asked), "the answers stand still"


def test_every_question_is_linked_to_its_heading() -> None:
    """The anchors are those that GitHub makes of headings."""
    links = re.findall(r"^\d+\. \[.+\]\(#(.+)\)$", PAGE, flags=re.MULTILINE)
    headings = re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    assert links == [re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_nothing_is_read_that_is_kept_for_measuring(analyst: psycopg.Connection[Any]) -> None:
    latest = analyst.execute("select max(published_at), count(*) from analysis.articles").fetchone()
    assert latest[0] < cookbook.UNTIL and latest[1] == 36
