"""The API: every list in every form, documented as it is, and no request that breaks it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import MovableClock, Serving, desk_settings

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.logic.csvtext import MARK
from pipeline.web import archive_rows, claim_rows, lists
from pipeline.web.app import create
from pipeline.web.rows import Row

CLAIM = "killed-in-kursk"


@pytest.fixture
def app(pg: EmbeddedServer, newsroom_copy: str, tmp_path: Path, clock: MovableClock) -> Iterator[Any]:
    made = create(desk_settings(pg, newsroom_copy, tmp_path), clock)
    yield made
    made.state.desk.close()


@pytest.fixture
def client(app: Any) -> Iterator[httpx.Client]:
    with Serving(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client


def rows_of_csv(text: str) -> list[dict[str, str]]:
    assert text.startswith(MARK)
    return list(csv.DictReader(StringIO(text.removeprefix(MARK), newline="")))


def addresses(app: Any, conn_rows: dict[str, int]) -> list[str]:
    """Every address of the API, with what exists in it; but search, which needs a text (see test_desk_search.py)."""
    values = {"claim": CLAIM, **conn_rows}
    return [path.format(**values) for path in app.openapi()["paths"] if path != "/api/search"]


@pytest.fixture
def known(client: httpx.Client) -> dict[str, int]:
    """A story, an article and a feed that are there."""
    found = client.get(f"/api/claims/{CLAIM}/evidence").json()["rows"][0]
    feed = client.get("/api/feeds").json()["rows"][0]
    return {"story": found["story_id"], "article": found["article_id"], "feed": feed["feed_id"]}


def test_every_list_in_every_form(app: Any, client: httpx.Client, known: dict[str, int]) -> None:
    full = set()
    for address in addresses(app, known):
        asked = {"q": "Kursk", "way": "words"} if address == "/api/search" else {}
        answer = client.get(address, params=asked)
        assert answer.status_code == 200, (address, answer.text)
        found = answer.json()
        if "rows" not in found:
            continue
        as_csv, as_lines = (client.get(address, params={**asked, "format": form}) for form in ("csv", "jsonl"))
        assert as_csv.status_code == as_lines.status_code == 200, address
        assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
        assert as_csv.headers["content-disposition"].endswith('.csv"')
        assert int(as_csv.headers["content-length"]) == len(as_csv.content)
        lines = [json.loads(line) for line in as_lines.text.splitlines()]
        assert lines[: len(found["rows"])] == found["rows"], address
        table = rows_of_csv(as_csv.text)
        assert len(table) == len(lines), address
        if lines:
            full.add(address.rpartition("/")[2])
            assert list(table[0]) == list(lines[0]), address
    assert {"claims", "evidence", "events", "figures", "timeline", "coverage", "text", "feeds", "reviews"} <= full


def test_pages_make_the_whole(client: httpx.Client) -> None:
    whole = client.get("/api/events", params={"size": 1000}).json()["rows"]
    assert len(whole) > 4
    found: list[Any] = []
    address: str | None = "/api/events?size=3"
    while address:
        page = client.get(address).json()
        assert len(page["rows"]) <= 3
        found += page["rows"]
        address = page["next"]
    assert found == whole


def test_filters_mean_the_same_everywhere(client: httpx.Client) -> None:
    address = f"/api/claims/{CLAIM}/evidence"
    every = client.get(address).json()["rows"]
    day = sorted(row["first_at"][:10] for row in every)[len(every) // 2]
    narrowed = {
        "since": lambda r: r["first_at"][:10] >= day,
        "until": lambda r: r["first_at"][:10] <= day,
        "stance": lambda r: r["stance"] == "supports",
        "origin": lambda r: every[0]["origins"][0] in r["origins"],
    }
    values = {"since": day, "until": day, "stance": "supports", "origin": every[0]["origins"][0]}
    for name, keeps in narrowed.items():
        found = client.get(address, params={name: values[name]}).json()["rows"]
        assert found == [row for row in every if keeps(row)], name
        assert found, name
        table = rows_of_csv(client.get(address, params={name: values[name], "format": "csv"}).text)
        assert [int(line["story_id"]) for line in table] == [row["story_id"] for row in found]
    both = client.get(address, params={"since": day, "until": day, "lang": ""}).json()["rows"]
    assert both == [r for r in every if date.fromisoformat(r["first_at"][:10]) == date.fromisoformat(day)]
    claims = [row["claim_id"] for row in client.get("/api/claims").json()["rows"]]
    suggested = [
        row
        for claim in claims
        for row in client.get(f"/api/claims/{claim}/evidence", params={"tier": "suggested"}).json()["rows"]
    ]
    assert suggested
    assert {row["tier"] for row in suggested} == {"suggested"}


def test_a_claim_as_it_stood(client: httpx.Client) -> None:
    now = client.get(f"/api/claims/{CLAIM}").json()
    before = client.get(f"/api/claims/{CLAIM}", params={"as_of": "2024-10-01T00:00:00Z"}).json()
    assert now["stories"] > before["stories"] == 0
    assert before["state"] == "unseen"


def test_what_is_not_there_is_said(client: httpx.Client) -> None:
    for address in (
        "/api/claims/nothing",
        "/api/claims/nothing/evidence",
        "/api/stories/999999",
        "/api/articles/999999",
    ):
        answer = client.get(address)
        assert answer.status_code == 404, address
        assert "no" in answer.json()["error"]
    wrong = client.get(f"/api/claims/{CLAIM}/evidence", params={"since": "yesterday"})
    assert wrong.status_code == 422
    assert "since" in wrong.json()["error"]


def test_a_list_too_long_is_no_half_file(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "WHOLE", 2)
    answer = client.get("/api/events", params={"format": "csv"})
    assert answer.status_code == 422
    assert "narrow" in answer.json()["error"]


def test_every_column_is_explained(app: Any) -> None:
    for module in (claim_rows, archive_rows):
        rows = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, Row) and c is not Row]
        assert len(rows) > 8
        for row in rows:
            assert not [name for name, field in row.model_fields.items() if not field.description], row.__name__
    assert "accepted: counted and mailed" in json.dumps(app.openapi())


def test_the_api_has_a_page(app: Any, client: httpx.Client) -> None:
    page = client.get("/api").text
    for path in app.openapi()["paths"]:
        assert f"<code>{path}</code>" in page
    assert "Until this day, which counts (UTC)." in page
    assert "http://127.0.0.1:8800/api/claims" in page
    assert "/api/claims/defence-treaty/evidence?since=" in page, "examples are of a claim that is there"
