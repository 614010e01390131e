"""Confirming and rejecting on the desk: by plain forms, by the page's script, and by nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from conftest import MovableClock
from desk_client import browsing, pressed, seen, text
from psycopg.rows import namedtuple_row

from pipeline.adapters.postgres import EmbeddedServer

pytestmark = [pytest.mark.model, pytest.mark.database, pytest.mark.timeout(900)]  # the newsroom is encoded first

CLAIM = "over-10000-troops"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime(2024, 11, 13, 12, tzinfo=UTC))


@pytest.fixture
def client(pg: EmbeddedServer, newsroom_copy: str, tmp_path: Path, clock: MovableClock) -> Iterator[httpx.Client]:
    with browsing(pg, newsroom_copy, tmp_path, clock) as client:
        yield client


@pytest.fixture
def conn(newsroom_copy: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(newsroom_copy, autocommit=True, row_factory=namedtuple_row) as conn:
        yield conn


def tier(conn: psycopg.Connection[Any], match: int) -> tuple[str, str]:
    found = conn.execute("select tier, stance from ingest.matches where match_id = %s", [match]).fetchone()
    return found.tier, found.stance


def queue(page: Any) -> list[int]:
    return [int(item.get("data-match")) for item in page.cssselect(".item")]


def form_of(page: Any, match: int) -> Any:
    return page.cssselect(f"form.verdict[data-match='{match}']")[0]


def test_the_most_telling_come_first(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    page = seen(client, "/reviews")
    expected = [r.match_id for r in conn.execute("select match_id from analysis.review_queue limit 25").fetchall()]
    assert queue(page) == expected
    claim = conn.execute("select claim_id, count(*) as n from analysis.review_queue group by 1 order by 2 limit 1")
    one = claim.fetchone()
    assert len(queue(seen(client, f"/reviews?claim={one.claim_id}"))) == min(one.n, 25)
    assert not queue(seen(client, "/reviews?claim=nothing-of-the-kind"))


def test_without_javascript(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    page = seen(client, "/reviews")
    match = queue(page)[0]
    stance = tier(conn, match)[1]
    other = next(s for s in ("supports", "refutes", "updates") if s != stance)
    after = pressed(client, form_of(page, match), verdict="confirmed", stance=other)
    assert tier(conn, match) == ("accepted", other)
    assert match not in queue(after)
    assert text(after, ".flash [role=status]") == [f"Match {match}: confirmed."]
    assert text(after, "tbody tr td")[1] == "claimwatch reviewer"
    undone = pressed(client, after.cssselect(".flash")[0], verdict="withdrawn")
    assert tier(conn, match) == ("suggested", stance)
    assert match in queue(undone)
    assert not seen(client, "/reviews").cssselect(".flash"), "told once"


def test_rejected_evidence_leaves_the_claim_page(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    page = seen(client, f"/claims/{CLAIM}")
    lonely = conn.execute(
        "select e.match_id from analysis.evidence e where e.claim_id = %s and e.tier = 'accepted' and not exists ("
        "  select from ingest.matches m join ingest.appearances ap using (paragraph_id) "
        "  join ingest.versions v using (version_id) join ingest.articles a using (article_id) "
        "  where m.claim_id = e.claim_id and a.story_id = e.story_id and m.paragraph_id <> e.paragraph_id "
        "    and m.superseded_at is null) limit 1",
        [CLAIM],
    ).fetchone()
    match = lonely.match_id
    after = pressed(client, form_of(page, match), verdict="rejected", note="about another war")
    assert match not in queue(after)
    rejected = seen(client, f"/claims/{CLAIM}?tier=rejected")
    assert queue(rejected) == [match]
    assert "rejected by claimwatch_reviewer" in rejected.text_content()
    assert "about another war" in rejected.text_content()
    pressed(client, form_of(rejected, match), verdict="withdrawn")
    assert match in queue(seen(client, f"/claims/{CLAIM}"))


def test_the_page_s_script_gets_json(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    page = seen(client, "/reviews")
    match = queue(page)[1]
    values = {name: value or "" for name, value in form_of(page, match).form_values()} | {"verdict": "rejected"}
    answer = client.post("/reviews", data=values, headers={"Accept": "application/json"})
    assert answer.json() == {"match": match, "verdict": "rejected"}
    assert tier(conn, match)[0] == "rejected"
    assert not seen(client, "/reviews").cssselect(".flash")


def test_a_form_of_another_site_or_a_wrong_one_changes_nothing(
    client: httpx.Client, conn: psycopg.Connection[Any]
) -> None:
    page = seen(client, "/reviews")
    match = queue(page)[0]
    before = tier(conn, match)
    values = {name: value or "" for name, value in form_of(page, match).form_values()} | {"verdict": "confirmed"}
    assert client.post("/reviews", data=values | {"token": "guessed"}).status_code == 403
    assert client.post("/reviews", data=values, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/reviews", data=values | {"verdict": "deleted"}).status_code == 422
    assert client.post("/reviews", data=values | {"stance": "maybe"}).status_code == 422
    assert tier(conn, match) == before
    gone = client.post("/reviews", data=values | {"match": "999999999"})
    assert gone.status_code == 404
    assert "999999999" in gone.text
    elsewhere = client.post("/reviews", data=values | {"next": "https://evil.example/"})
    assert elsewhere.headers["location"] == "/"


def test_with_a_password_only_who_is_logged_in(
    pg: EmbeddedServer, newsroom_copy: str, tmp_path: Path, clock: MovableClock, conn: psycopg.Connection[Any]
) -> None:
    waiting = conn.execute("select match_id from analysis.review_queue limit 1").fetchone().match_id
    with browsing(pg, newsroom_copy, tmp_path, clock, password="correct horse") as client:
        sent = client.post("/reviews", data={"token": "x", "match": waiting, "verdict": "confirmed"})
        assert sent.status_code == 401
    assert tier(conn, waiting)[0] == "suggested"
