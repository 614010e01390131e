"""What is taken away from the desk: a feed of a claim's events, and a packet of its evidence."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import feedparser
import httpx
import psycopg
import pytest
from conftest import MovableClock, Serving, desk_settings
from warcio.archiveiterator import ArchiveIterator

from pipeline.adapters import database
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.warc import Archive
from pipeline.logic.csvtext import MARK
from pipeline.settings import ArchiveSettings
from pipeline.stages import packet
from pipeline.web.app import create

CLAIM = "killed-in-kursk"
PASSWORD = "correct horse"
Served = Callable[..., AbstractContextManager[httpx.Client]]


@pytest.fixture
def dsn(newsroom_copy: str) -> str:
    return newsroom_copy


@pytest.fixture
def served(pg: EmbeddedServer, dsn: str, tmp_path: Path, clock: MovableClock) -> Served:
    @contextmanager
    def serve(**web: Any) -> Iterator[httpx.Client]:
        app = create(desk_settings(pg, dsn, tmp_path, **web), clock)
        with Serving(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
        app.state.desk.close()

    return serve


@pytest.fixture
def archived(conn: database.Connection, tmp_path: Path) -> dict[int, bytes]:
    """Puts the pages of the claim's evidence into the archive; their bodies by article."""
    now = datetime(2024, 12, 1, tzinfo=UTC)
    archive = Archive(tmp_path / "archive", ArchiveSettings())
    bodies = {}
    for found in conn.execute(
        "select article_id, version_id, url from analysis.article_evidence where claim_id = %s order by article_id",
        [CLAIM],
    ).fetchall():
        body = f"<html>{found.url}</html>".encode()
        place = archive.resource(found.url, body, "text/html", now, now)
        capture = conn.execute(
            "insert into ingest.captures (article_id, kind, captured_at, url, final_url, status, content_type, digest, "
            "size, warc_file, warc_offset, warc_length) "
            "values (%s, 'resource', %s, %s, %s, 200, 'text/html', %s, %s, %s, %s, %s) returning capture_id",
            [
                *(found.article_id, now, found.url, found.url, hashlib.sha256(body).digest(), len(body)),
                *(place.file, place.offset, place.length),
            ],
        ).fetchone()
        conn.execute(
            "update ingest.versions set capture_id = %s where version_id = %s", [capture.capture_id, found.version_id]
        )
        bodies[found.article_id] = body
    archive.close()
    return bodies


def files_of(content: bytes) -> dict[str, bytes]:
    """The packet's files without their folder."""
    with zipfile.ZipFile(BytesIO(content)) as zipped:
        assert zipped.testzip() is None
        assert {name.partition("/")[0] for name in zipped.namelist()} == {CLAIM}
        return {name.partition("/")[2]: zipped.read(name) for name in zipped.namelist()}


def table_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content.decode().removeprefix(MARK), newline="")))


def test_a_claim_can_be_followed(served: Served, conn: database.Connection) -> None:
    with served(public_url="https://desk.example.org") as client:
        answer = client.get(f"/claims/{CLAIM}/events.atom")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
        feed = feedparser.parse(answer.content)
        assert not feed.bozo
        assert feed.version == "atom10"
        events = client.get(f"/api/claims/{CLAIM}/events").json()["rows"]
        assert len(feed.entries) == len(events) > 2
        assert len({entry.id for entry in feed.entries}) == len(events)
        assert feed.feed.links[0].href == f"https://desk.example.org/claims/{CLAIM}/events.atom"
        for entry, event in zip(feed.entries, events, strict=True):
            assert entry.link == f"https://desk.example.org/claims/{CLAIM}#event-{event['event_id']}"
            assert event["sentence"] is None or event["sentence"][:200] in entry.title
        tag = answer.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = client.get(f"/claims/{CLAIM}/events.atom", headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b""), known
        assert client.get(f"/claims/{CLAIM}/events.atom", headers={"If-None-Match": '"x"'}).status_code == 200
        assert client.get("/claims/nothing/events.atom").status_code == 404
    with served(public_url="https://moved.example.org") as client:
        moved = feedparser.parse(client.get(f"/claims/{CLAIM}/events.atom").content)
        assert [e.id for e in moved.entries] == [e.id for e in feed.entries], "an id outlives the desk's address"


def test_a_new_event_is_a_new_entry(served: Served, conn: database.Connection, clock: MovableClock) -> None:
    with served() as client:
        before = client.get(f"/claims/{CLAIM}/events.atom")
        hostile = "<script>alert(1)</script> & \x01\u202e {{ 7*7 }} ]]>"
        conn.execute(
            "insert into ingest.claim_events (claim_id, kind, event_key, happened_at, known_at, reason) "
            "values (%s, 'silence', 'x', %s, %s, %s)",
            [CLAIM, clock.now(), clock.now(), hostile],
        )
        after = client.get(f"/claims/{CLAIM}/events.atom", headers={"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200
        assert b"<script" not in after.content
        feed = feedparser.parse(after.content, sanitize_html=False)
        assert not feed.bozo
        assert feed.entries[0].tags[0].term == "silence"
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in feed.entries[0].content[0].value
        assert "49" not in feed.entries[0].title


def test_a_feed_reader_needs_no_login(served: Served) -> None:
    with served(password=PASSWORD) as client:
        assert client.get(f"/claims/{CLAIM}/events.atom").status_code == 303
        client.post("/login", data={"password": PASSWORD})
        found = re.search(r'href="(/claims/[^"]*events\.atom\?key=\w+)"', client.get(f"/claims/{CLAIM}").text)
        assert found is not None
        address = found[1]
        client.cookies.clear()
        assert client.get(address).status_code == 200
        assert address.partition("key=")[2].encode() not in client.get(address).content
        for closed in (
            address.replace(CLAIM, "special-forces"),
            address.replace("events.atom", "packet.zip"),
            address[:-1],
            f"/claims/{CLAIM}?{address.partition('?')[2]}",
            f"/api/claims/{CLAIM}/events?{address.partition('?')[2]}",
        ):
            assert client.get(closed).status_code in (303, 401), closed
    with served(password="another one") as client:
        assert client.get(address).status_code == 303, "a changed password ends it"


def test_a_packet_holds_what_it_says(served: Served, archived: dict[int, bytes], pg: EmbeddedServer, dsn: str) -> None:
    with served() as client:
        answer = client.get(f"/claims/{CLAIM}/packet.zip")
        evidence = client.get(f"/api/claims/{CLAIM}/evidence", params={"size": 1000}).json()["rows"]
        figures = client.get(f"/api/claims/{CLAIM}/figures", params={"size": 1000}).json()["rows"]
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert re.search(rf'filename="{CLAIM}-[\d-]+\.zip"', answer.headers["content-disposition"])
    files = files_of(answer.content)
    assert set(files) == {*packet.packets.FILES, "README.txt", "MANIFEST.sha256"}
    listed = dict(line.split("  ")[::-1] for line in files["MANIFEST.sha256"].decode().splitlines())
    assert listed == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "MANIFEST.sha256"
    }
    assert [int(line["story_id"]) for line in table_of(files["quotes.csv"])] == [e["story_id"] for e in evidence]
    assert len(table_of(files["figures.csv"])) == len(figures) > 0
    assert files["chart.png"].startswith(b"\x89PNG")
    page = files["quotes.html"].decode()
    assert page.count("<mark>") == len(evidence)
    assert "<script" not in page
    _check_records(files, archived)
    _check_queries(files["queries.sql"].decode(), files, pg, dsn)


def _check_records(files: dict[str, bytes], bodies: dict[int, bytes]) -> None:
    """Each article's record, found by links.csv alone, holds its page."""
    links = table_of(files["links.csv"])
    assert {int(link["article_id"]) for link in links} == set(bodies)
    for link in links:
        begins, length = int(link["record_offset"]), int(link["record_length"])
        data = files["records.warc.gz"][begins : begins + length]
        assert hashlib.sha256(data).hexdigest() == link["record_sha256"]
        record = next(ArchiveIterator(BytesIO(data), check_digests="raise"))
        body = record.content_stream().read()
        assert body == bodies[int(link["article_id"])]
        assert hashlib.sha256(body).hexdigest() == link["body_sha256"]
        assert record.rec_headers.get_header("WARC-Target-URI") == link["url"]
    assert sum(1 for _ in ArchiveIterator(BytesIO(files["records.warc.gz"]))) == len(bodies)


def _check_queries(text: str, files: dict[str, bytes], pg: EmbeddedServer, dsn: str) -> None:
    """The SQL, run by an analyst, makes the packet's tables."""
    analyst = psycopg.conninfo.make_conninfo(dsn, user="claimwatch_analyst", password=pg.password("claimwatch_analyst"))
    parts = re.split(r"^-- (\S+)\n", text, flags=re.MULTILINE)
    queries = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert {"quotes.csv", "links.csv", "events.csv", "figures.csv", "claim.json"} <= set(queries)
    with psycopg.connect(analyst, autocommit=True) as conn:
        for name, query in queries.items():
            found = conn.execute(query).fetchall()  # type: ignore[call-overload]
            if name.endswith(".csv"):
                assert len(found) == len(table_of(files[name])), name
            else:
                assert found[0][0] == CLAIM


def test_the_same_evidence_makes_the_same_bytes(
    served: Served, archived: dict[int, bytes], clock: MovableClock, conn: database.Connection
) -> None:
    with served() as client:
        first = client.get(f"/claims/{CLAIM}/packet.zip")
        clock.move(days=40)
        again = client.get(f"/claims/{CLAIM}/packet.zip")
        assert again.content == first.content
        same = client.get(f"/claims/{CLAIM}/packet.zip", headers={"If-None-Match": first.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        conn.execute(
            "update ingest.versions set title = title || ' =1+1' where version_id in (select min(version_id) "
            "from analysis.article_evidence where claim_id = %s)",
            [CLAIM],
        )
        assert client.get(f"/claims/{CLAIM}/packet.zip").content != first.content


def test_a_packet_at_filters(served: Served) -> None:
    with served() as client:
        every = client.get(f"/api/claims/{CLAIM}/evidence").json()["rows"]
        day = every[0]["first_at"][:10]
        files = files_of(client.get(f"/claims/{CLAIM}/packet.zip", params={"since": day}).content)
        assert len(table_of(files["quotes.csv"])) == sum(row["first_at"][:10] >= day for row in every) < len(every)
        assert f"since: {day}" in files["README.txt"].decode()
        nothing = files_of(client.get(f"/claims/{CLAIM}/packet.zip", params={"lang": "xx"}).content)
        assert "quotes.csv" not in nothing
        assert "Nothing passes these filters" in nothing["quotes.html"].decode()
        assert client.get("/claims/nothing/packet.zip").status_code == 404


def test_records_that_are_not_there_are_named(
    served: Served,
    archived: dict[int, bytes],
    conn: database.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second, *_ = sorted(archived)
    conn.execute("update ingest.captures set expired_at = now() where article_id = %s", [first])
    conn.execute("update ingest.captures set digest = sha256('other') where article_id = %s", [second])
    with served() as client:
        files = files_of(client.get(f"/claims/{CLAIM}/packet.zip").content)
        missing = {int(r["article_id"]): r["record_missing"] for r in table_of(files["links.csv"])}
        assert missing[first] == "retention has deleted the record"
        assert missing[second] == "record-damaged"
        assert sum(why == "" for why in missing.values()) == len(archived) - 2
        readme = files["README.txt"].decode()
        assert f"article {first}: retention" in readme
        assert f"article {second}: record-damaged" in readme
        monkeypatch.setattr(packet, "RECORDS", 1)
        assert "records.warc.gz" not in files_of(client.get(f"/claims/{CLAIM}/packet.zip").content)
        monkeypatch.undo()
        (tmp_path / "archive").rename(tmp_path / "elsewhere")
        away = files_of(client.get(f"/claims/{CLAIM}/packet.zip").content)
        assert "records.warc.gz" not in away
        assert len(table_of(away["quotes.csv"])) > 0


def test_claimreview_counts_and_does_not_judge(served: Served) -> None:
    with served(public_url="https://desk.example.org") as client:
        files = files_of(client.get(f"/claims/{CLAIM}/packet.zip").content)
        review = json.loads(files["claimreview.jsonld"])
        claim = client.get(f"/api/claims/{CLAIM}").json()
    assert review["claimReviewed"] == claim["statement"]
    assert review["url"] == f"https://desk.example.org/claims/{CLAIM}"
    assert "ratingValue" not in review["reviewRating"]
    assert f"{claim['supports']} stor" in review["reviewRating"]["ratingExplanation"]
    told = [a["datePublished"] for a in review["itemReviewed"]["appearance"]]
    assert told == sorted(told)
    assert review["itemReviewed"]["firstAppearance"] == review["itemReviewed"]["appearance"][0]


def test_the_command_writes_the_same_packet(
    served: Served, archived: dict[int, bytes], command: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "archive").rename(tmp_path / "home" / "archive")
    status, said, _ = command("packet", CLAIM, "--out", tmp_path / "p.zip")
    assert status == 0
    assert "stories" in said
    with served() as client:  # the environment that the command was given is the desk's too
        made = client.get(f"/claims/{CLAIM}/packet.zip").content
    written = (tmp_path / "p.zip").read_bytes()
    assert files_of(written) == files_of(made)
    assert written == made
    status, _, problem = command("packet", "nothing", "--out", tmp_path / "q.zip")
    assert (status, "nothing" in problem) == (2, True)
    assert not (tmp_path / "q.zip").exists()
