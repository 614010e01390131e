"""The feeds page: who is in trouble, why, and when each is asked next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from conftest import MovableClock
from desk_client import browsing, pressed, seen, text
from psycopg.rows import namedtuple_row

from pipeline.adapters import database
from pipeline.adapters.postgres import EmbeddedServer

pytestmark = pytest.mark.database
REASON = "The server did not answer in time. It is overloaded."


@pytest.fixture
def client(pg: EmbeddedServer, dsn: str, tmp_path: Path, clock: MovableClock) -> Iterator[httpx.Client]:
    with browsing(pg, dsn, tmp_path, clock) as client:
        yield client


@pytest.fixture
def conn(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(dsn, autocommit=True, row_factory=namedtuple_row) as conn:
        yield conn


@pytest.fixture
def feeds(conn: psycopg.Connection[Any], clock: MovableClock) -> list[int]:
    """Three: one that is well, one that fails, one that is no more."""
    now = clock.now()
    numbers = []
    for name, language, state, failures in (
        ("The Well", "en", "active", 0),
        ("실패 <b>일보</b>", "ko", "active", 3),
        ("Gone", "en", "gone", 1),
    ):
        publisher = database.row(
            conn, "feeds.add_publisher", name=name, family=name, country="KR", language=language, kind="newspaper"
        ).publisher_id
        feed = conn.execute(
            "insert into ingest.feeds (url, publisher_id, title, state, failures, poll_interval, added_at, "
            "last_polled_at, last_success_at, last_outcome, last_problem, last_reason) values "
            "(%s, %s, 'News', %s, %s, '1 hour', %s, %s, %s, %s, %s, %s) returning feed_id",
            [f"https://{len(numbers)}.example/feed", publisher, state, failures, now - timedelta(days=9)]
            + [now - timedelta(minutes=5), now - timedelta(hours=1 if failures else 0)]
            + (["timeout", "10 s went by", REASON] if failures else ["read", None, None]),
        ).fetchone()[0]
        database.rows(conn, "work.add", stage="poll", item_id=feed, host="", due_at=now + timedelta(minutes=40))
        numbers.append(feed)
    return numbers


def entry(conn: psycopg.Connection[Any], feed: int, number: int, at: Any, title: str) -> None:
    publisher = conn.execute("select publisher_id from ingest.feeds where feed_id = %s", [feed]).fetchone()[0]
    article = conn.execute(
        "insert into ingest.articles (url, publisher_id, first_seen_at) values (%s, %s, %s) returning article_id",
        [f"https://x.example/{number}", publisher, at],
    ).fetchone()[0]
    conn.execute(
        "insert into ingest.entries (feed_id, entry_key, article_id, url, title, summary, content, first_seen_at) "
        "values (%s, %s, %s, %s, %s, '', '', %s)",
        [feed, str(number), article, f"https://x.example/{number}", title, at],
    )


def test_trouble_comes_first_with_its_reason(
    client: httpx.Client, conn: psycopg.Connection[Any], feeds: list[int], clock: MovableClock
) -> None:
    entry(conn, feeds[0], 1, clock.now() - timedelta(hours=2), "News of the day")
    page = seen(client, "/feeds")
    rows = text(page, ".feeds tbody tr")
    assert [row.split()[0] for row in rows] == ["gone", "failing", "well"]
    assert "실패 <b>일보</b>" in rows[1]
    assert REASON in rows[1]
    assert "in 40 min" in rows[1]
    assert "5 min ago" in rows[2]
    assert rows[0].endswith("none"), "what is gone is not polled"
    assert text(page, ".tabs a") == ["all 3", "gone 1", "failing 1", "well 1"]


def test_filters(client: httpx.Client, feeds: list[int]) -> None:
    page = seen(client, "/feeds?health=failing")
    assert len(page.cssselect(".feeds tbody tr")) == 1
    assert text(page, ".tabs a[aria-current]") == ["failing 1"]
    korean = pressed(client, page.cssselect("form.filters")[0], lang="ko")
    assert len(korean.cssselect(".feeds tbody tr")) == 1
    assert korean.cssselect("input[name=health]")[0].get("value") == "failing", "filters add up"
    none = pressed(client, korean.cssselect("form.filters")[0], lang="en")
    assert "No feed passes these filters" in none.text_content()
    assert client.get("/feeds?health=ill").status_code == 422
    assert len(seen(client, "/feeds?health=&lang=&country=").cssselect(".feeds tbody tr")) == 3


def test_one_feed(client: httpx.Client, conn: psycopg.Connection[Any], feeds: list[int], clock: MovableClock) -> None:
    now = clock.now()
    for number, ago in enumerate((1, 1, 3, 100)):
        entry(conn, feeds[1], number, now - timedelta(days=ago), f"Item {number}")
    run = conn.execute(
        "insert into ingest.runs (stage, started_at) values ('poll', now()) returning run_id"
    ).fetchone()[0]
    conn.execute(
        "insert into ingest.outcomes (run_id, stage, item_id, outcome, problem, at) "
        "values (%s, 'poll', %s, %s, %s, %s)",
        [run, feeds[1], "timeout", "10 s went by", now - timedelta(minutes=5)],
    )
    page = seen(client, f"/feeds/{feeds[1]}")
    assert REASON in text(page, ".notice")
    assert "10 s went by" in text(page, "table td")
    assert [item.split(" no text")[0][-6:] for item in text(page, ".entries li")] == [
        "Item 1",
        "Item 0",
        "Item 2",
        "Item 3",
    ]
    assert "at most 2" in text(page, ".daily figcaption")[0]
    assert len(page.cssselect(".spark rect")) == 2, "two days with items in six weeks"
    assert "21 Dec" not in page.text_content()
    assert client.get("/feeds/999999").status_code == 404


def test_no_feeds_yet(client: httpx.Client) -> None:
    assert "There are no feeds yet" in seen(client, "/feeds").text_content()
