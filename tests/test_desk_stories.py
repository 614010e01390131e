"""The story page: who carried it, in order of time, and what it bears on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg
import pytest
from conftest import MovableClock
from desk_client import browsing, pressed, seen, text
from psycopg.rows import namedtuple_row

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.web.pages.stories import dots

pytestmark = [pytest.mark.model, pytest.mark.database, pytest.mark.timeout(900)]  # the newsroom is encoded first
NOON = datetime(2024, 10, 18, 12, tzinfo=UTC)


@pytest.fixture
def client(pg: EmbeddedServer, newsroom_copy: str, tmp_path: Path, clock: MovableClock) -> Iterator[httpx.Client]:
    with browsing(pg, newsroom_copy, tmp_path, clock) as client:
        yield client


@pytest.fixture
def conn(newsroom_copy: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(newsroom_copy, autocommit=True, row_factory=namedtuple_row) as conn:
        yield conn


def largest(conn: psycopg.Connection[Any]) -> Any:
    """The story with the most articles."""
    return conn.execute("select * from analysis.stories order by articles desc, story_id limit 1").fetchone()


def articles(conn: psycopg.Connection[Any], story: int) -> list[Any]:
    query = "select * from analysis.story_articles where story_id = %s order by published_at, article_id"
    return conn.execute(query, [story]).fetchall()


def links(page: Any, selector: str) -> list[str]:
    return [a.get("href") for a in page.cssselect(f"{selector} a")]


def test_who_carried_it_in_order_of_time(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    story = largest(conn)
    told = articles(conn, story.story_id)
    assert len(told) > 3
    page = seen(client, f"/stories/{story.story_id}")
    assert text(page, "h1") == [" ".join(told[0].title.split())]
    assert links(page, ".told .headline") == [f"/articles/{a.article_id}" for a in told]
    when = text(page, ".told .when")
    assert when[0].endswith("the earliest")
    assert all("+" in line for line in when[1:])
    assert len(page.cssselect(".strip circle")) == len(told)
    for said, a in zip(text(page, ".told > li"), told, strict=True):
        assert a.publisher in said
        assert {"first": "first to us", "copy": "the same", "rewrite": "rewrite"}[a.relation] in said
    for item, a in zip(page.cssselect(".told > li"), told, strict=True):
        assert item.cssselect(".headline bdi")[0].get("lang") == a.language


def test_what_it_bears_on(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    story = largest(conn).story_id
    page = seen(client, f"/stories/{story}")
    query = "select * from analysis.evidence where story_id = %s and tier = 'accepted' order by probability desc"
    accepted = conn.execute(query, [story]).fetchall()
    assert accepted
    assert links(page, ".told-and-bears .card")[: len(accepted)] == [f"/claims/{e.claim_id}" for e in accepted]
    assert text(page, ".told-and-bears .card blockquote")[: len(accepted)] == [
        " ".join(e.sentence.split()) for e in accepted
    ]


def test_filters_stand_in_the_address_and_narrow_the_list(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    story = largest(conn).story_id
    told = articles(conn, story)
    language = told[-1].language
    page = seen(client, f"/stories/{story}")
    (form,) = page.cssselect("form.filters")
    filtered = pressed(client, form, lang=language)
    of_language = [f"/articles/{a.article_id}" for a in told if a.language == language]
    assert links(filtered, ".told .headline") == of_language
    assert filtered.cssselect("select[name=lang] option[selected]")[0].get("value") == language
    assert len(filtered.cssselect(".strip circle")) == len(told), "the strip shows the whole story"
    none = seen(client, f"/stories/{story}?since=2031-01-01")
    assert not none.cssselect(".told li")
    assert "No article of this story passes these filters" in none.text_content()


def test_each_is_compared_with_what_was_told_before_it_in_its_language(
    client: httpx.Client, conn: psycopg.Connection[Any]
) -> None:
    story = largest(conn).story_id
    told = articles(conn, story)
    models: dict[str, int] = {}
    expected = []
    for a in told:
        if a.language in models:
            expected.append(f"/articles/{a.article_id}?against={models[a.language]}")
        if a.language not in models or a.relation != "copy":
            models[a.language] = a.version_id
    page = seen(client, f"/stories/{story}")
    compared = [href for href in links(page, ".told") if "against" in href]
    assert compared == expected
    assert expected
    both = seen(client, compared[0])
    assert len(both.cssselect(".heads p")) == 2
    assert both.cssselect(".pair")


def test_there_is_no_such_story(client: httpx.Client) -> None:
    assert client.get("/stories/999999").status_code == 404
    assert client.get(f"/stories/{2**63}").status_code == 422
    assert client.get("/stories/1?page=0").status_code == 422


def test_dots_keep_order_and_lie_over_each_other() -> None:
    at = [NOON, NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=4)]
    told = [
        SimpleNamespace(published_at=a, relation=r) for a, r in zip(at, ("first", None, "copy", "rewrite"), strict=True)
    ]
    assert dots(told, 400) == [(0.0, 0, "first"), (0.0, 1, "copy"), (100.0, 0, "copy"), (400.0, 0, "rewrite")]
    assert dots(told[:1]) == [(0.0, 0, "first")]
    assert dots([]) == []
