"""The board: every claim at a glance, and what is new since a visitor last looked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from conftest import MovableClock
from desk_client import browsing, seen, text
from newsroom_archive import FOLLOWED

from pipeline.adapters.postgres import EmbeddedServer

pytestmark = [pytest.mark.model, pytest.mark.database, pytest.mark.timeout(900)]  # the newsroom is encoded first

EVENING = datetime(2024, 11, 5, 23, 59, tzinfo=UTC)  # when the newsroom's last evening was taken in


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime(2024, 11, 6, 8, tzinfo=UTC))


@pytest.fixture
def client(pg: EmbeddedServer, newsroom_copy: str, tmp_path: Path, clock: MovableClock) -> Iterator[httpx.Client]:
    with browsing(pg, newsroom_copy, tmp_path, clock) as client:
        yield client


def test_every_claim_with_its_numbers(client: httpx.Client, newsroom_copy: str) -> None:
    board = seen(client, "/")
    assert {row.get("id") for row in board.cssselect("table.board tbody tr")} == set(FOLLOWED)
    with psycopg.connect(newsroom_copy) as conn:
        for claim in FOLLOWED:
            state, stories, supports, refutes, updates = (
                conn.execute(
                    "select state, stories, supports, refutes, updates from analysis.claim_state(%s, %s, %s)",
                    [claim, *[datetime(2024, 11, 6, 8, tzinfo=UTC)] * 2],
                ).fetchone()
                or [None] * 5
            )
            (row,) = board.cssselect(f"tr#{claim}")
            assert text(row, ".state") == [state]
            assert f"{supports} support · {refutes} refute · {updates} update" in text(row, "td")[1]
            assert text(row, "td")[2].split(" ")[0] == str(stories)
            (spark,) = row.cssselect("svg.spark")
            assert bool(spark.cssselect("rect")) == bool(stories)
            assert row.cssselect(f"a[href='/claims/{claim}']")


def test_the_newsroom_s_last_evening_is_new_to_who_was_here_before(client: httpx.Client, clock: MovableClock) -> None:
    clock.at = datetime(2024, 11, 5, 20, tzinfo=UTC)
    before = seen(client, "/")
    clock.at = datetime(2024, 11, 6, 8, tzinfo=UTC)
    board = seen(client, "/")
    assert "5 Nov 2024, 20:00" in text(board, ".about")[0]
    assert board.cssselect("table.board tr.new")
    assert text(board, ".moved li")
    assert len(text(board, ".moved li")) == len(board.cssselect("table.board tr.new"))
    assert not before.cssselect("tr.new .tag.new") or text(before, ".about") != text(board, ".about")
    clock.move(minutes=10)
    assert text(seen(client, "/"), ".about") == text(board, ".about"), "still the same visit"
    clock.move(hours=3)
    later = seen(client, "/")
    assert not later.cssselect("table.board tr.new")
    assert text(later, ".moved h2") == ["Nothing has moved"]


def test_nothing_followed_says_what_to_do(pg: EmbeddedServer, dsn: str, tmp_path: Path, clock: MovableClock) -> None:
    with browsing(pg, dsn, tmp_path, clock) as client:
        assert "claimwatch claims load" in seen(client, "/").text_content()
