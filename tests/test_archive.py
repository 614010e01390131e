"""The archive in the stages: what is kept and found again, looks at known pages, texts compared, pages read anew."""

from __future__ import annotations

import hashlib
import shutil
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import ROOT, Bench, FakeEncoder, MovableClock, Serving, clone_dsn, make_settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pipeline.adapters import database, migrate
from pipeline.adapters.database import Connection, rows
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.warc import files
from pipeline.adapters.warc_files import ArchiveUnavailable
from pipeline.logic import extraction
from pipeline.model import Document
from pipeline.settings import Settings
from pipeline.stages import captures, extract, fetch, maintain, visits
from pipeline.stages.poll import add_feed
from pipeline.stages.services import run_stage

FIRST = "The ministry said on Tuesday that 3,000 soldiers had crossed the border since the end of the month."
SECOND = "Officials from both countries are expected to meet again in the capital before the year is over."
THIRD = "Correction: an earlier version of this report gave another number of soldiers than the ministry did."


def page(*paragraphs: str, advertisement: str = "", title: str = "Soldiers cross the border") -> str:
    text = "".join(f"<p>{p}</p>" for p in paragraphs)
    head = f"<title>{title}</title><meta name='ad' content='{advertisement}'>"
    return f"<html><head>{head}</head><body><article><h1>{title}</h1>{text}</article></body></html>"


class Paper:
    """One outlet: a feed of its pages, each with an ETag where `tagged`; every request is noted."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.moved: dict[str, str] = {}
        self.tagged = True
        self.asked: list[tuple[str, int]] = []
        self.app = Starlette(routes=[Route("/{path:path}", self._respond)])

    def respond(self, request: Request) -> Response:
        path = request.url.path
        if path == "/rss":
            dated = "<pubDate>Fri, 20 Dec 2024 22:00:00 GMT</pubDate>"
            items = "".join(
                f"<item><title>T</title><link>http://paper.example{p}</link><guid>{p}</guid>{dated}"
                f"<description>The feed's own text of {p}, some words long.</description></item>"
                for p in [*self.moved, *self.pages]
                if p not in self.moved.values()
            )
            return Response(f"<rss version='2.0'><channel><title>P</title>{items}</channel></rss>".encode())
        if path in self.moved:
            return RedirectResponse(f"http://paper.example{self.moved[path]}", 301)
        if path not in self.pages:
            return Response("gone", 404, media_type="text/plain")
        body = self.pages[path].encode()
        tag = f'"{hashlib.md5(body).hexdigest()}"'
        if self.tagged and request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        return Response(body, media_type="text/html", headers={"etag": tag} if self.tagged else {})

    async def _respond(self, request: Request) -> Response:
        answer = self.respond(request)
        if request.url.path != "/robots.txt":
            self.asked.append((request.url.path, answer.status_code))
        return answer

    def statuses(self, path: str = "/1") -> list[int]:
        return [status for asked, status in self.asked if asked == path]


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def settings(dsn: str, tmp_path: Path, paper: Paper) -> Iterator[Settings]:
    with Serving(paper.app) as port:
        yield make_settings(tmp_path / "home", dsn, fetch={"host_map": {"*.example": f"127.0.0.1:{port}"}})


@pytest.fixture
def bench(settings: Settings, clock: MovableClock) -> Bench:
    return Bench(settings, clock, FakeEncoder())  # type: ignore[arg-type]


@pytest.fixture
def started(bench: Bench, conn: Connection, paper: Paper) -> Bench:
    """One article, fetched and extracted."""
    paper.pages["/1"] = page(FIRST, SECOND)
    add_feed(conn, bench, "http://paper.example/rss")
    bench.run(conn, "poll", "fetch", "extract")
    return bench


def look(bench: Bench, conn: Connection, **by: float) -> dict[str, Any]:
    bench.clock.move(**by)  # type: ignore[attr-defined]
    return bench.run(conn, "fetch", "extract")


def values(conn: Connection, query: str, *given: Any) -> list[Any]:
    """The first column."""
    return [r[0] for r in conn.execute(query, given).fetchall()]


def test_every_text_has_its_proof(
    bench: Bench, conn: Connection, paper: Paper, pg: EmbeddedServer, dsn: str, clock: MovableClock
) -> None:
    paper.pages = {"/1": page(FIRST, SECOND), "/new": page(SECOND, THIRD)}
    paper.moved = {"/old": "/new", "/lost": "/nowhere"}
    add_feed(conn, bench, "http://paper.example/rss")
    bench.run(conn, "poll", "fetch", "extract")
    proofs = conn.execute(
        "select a.url as article, v.source, c.* from ingest.versions v join ingest.articles a using (article_id) "
        "join ingest.captures c on c.capture_id = v.capture_id order by a.url"
    ).fetchall()
    assert [(p.article, p.source, p.status) for p in proofs] == [
        ("http://paper.example/1", "page", 200),
        ("http://paper.example/lost", "entry", 200),  # proved by the feed's document
        ("http://paper.example/old", "page", 200),
    ]
    found = {
        p.article: bench.archive.body(captures.Place(p.warc_file, p.warc_offset, p.warc_length), p.digest)
        for p in proofs
    }
    assert found["http://paper.example/1"].decode() == paper.pages["/1"]
    assert found["http://paper.example/old"].decode() == paper.pages["/new"]
    assert b"The feed's own text of /lost" in found["http://paper.example/lost"]
    assert proofs[2].final_url == "http://paper.example/new"
    assert all(p.captured_at == clock.now() for p in proofs)
    assert values(conn, "select status from ingest.captures where final_url like '%%nowhere'") == [404]
    assert values(conn, "select count(*) from ingest.pages where body is not null") == [0]
    raw = bench.archive.raw(captures.Place(proofs[0].warc_file, proofs[0].warc_offset, proofs[0].warc_length))
    assert b"WARC-IP-Address: 127.0.0.1\r\n" in raw
    with psycopg.connect(clone_dsn(dsn, "claimwatch_analyst", pg.password("claimwatch_analyst"))) as analyst:
        query = "select url, sha256, available from analysis.captures where version_id is not null and status = 200"
        shown = analyst.execute(query + " order by url").fetchall()
    assert ("http://paper.example/1", hashlib.sha256(paper.pages["/1"].encode()).hexdigest(), True) in shown


def test_an_unchanged_page_costs_one_conditional_request_a_look(started: Bench, conn: Connection, paper: Paper) -> None:
    seen = []
    for hour in range(100):
        report = look(started, conn, hours=1)
        assert report["extract"].claimed == 0
        if report["fetch"].claimed:
            seen.append(hour + 1)
    assert seen == [1, 3, 9, 27, 81]
    assert paper.statuses() == [200, 304, 304, 304, 304, 304]
    kinds = values(conn, "select kind from ingest.captures where article_id is not null order by 1")
    assert kinds == ["not-modified"] * 5 + ["response"]
    assert values(
        conn,
        "select count(distinct coalesce(revisit_of, capture_id)) from ingest.captures where article_id is not null",
    ) == [1]
    assert values(conn, "select count(*) from ingest.work where stage in ('fetch', 'extract')") == [0]
    assert values(conn, "select last_outcome from ingest.articles") == ["extracted"]


def test_a_server_without_etags(started: Bench, conn: Connection, paper: Paper) -> None:
    """The same body is a revisit; an advertisement is a new body and the same text."""
    paper.tagged = False
    assert look(started, conn, hours=1)["fetch"].outcomes == {"unchanged": 1}
    paper.pages["/1"] = page(FIRST, SECOND, advertisement="Buy!")
    report = look(started, conn, hours=2)
    assert report["fetch"].outcomes == {"fetched": 1}
    assert report["extract"].outcomes == {"same-text": 1}
    paper.pages["/1"] = page(FIRST, SECOND)  # the first body again: no third copy of it is kept
    look(started, conn, hours=6)
    kinds = values(conn, "select kind from ingest.captures where article_id is not null order by capture_id")
    assert kinds == ["response", "revisit", "response", "revisit"]
    assert values(conn, "select count(*) from ingest.versions") == [1]
    assert values(
        conn,
        "select p.capture_id = min(c.capture_id) from ingest.pages p join ingest.captures c using (article_id) "
        "group by p.capture_id",
    ) == [True]


def test_an_edit_is_a_version_with_its_changes(started: Bench, conn: Connection, paper: Paper) -> None:
    edited = FIRST.replace("3,000", "4,000")
    paper.pages["/1"] = page(edited, THIRD)
    assert look(started, conn, hours=1)["extract"].outcomes == {"extracted": 1}
    found = conn.execute(
        "select kind, text_before, text_after, made_by, position from analysis.version_changes order by number"
    ).fetchall()
    assert [tuple(r) for r in found] == [
        ("changed", FIRST, edited, "publisher", 1),
        ("removed", SECOND, None, "publisher", 2),
        ("added", None, THIRD, "publisher", 2),
    ]
    proofs = values(conn, "select capture_id from ingest.versions order by version_id")
    assert len(set(proofs)) == 2
    assert None not in proofs
    assert look(started, conn, hours=2)["fetch"].outcomes == {"unchanged": 1}


def test_a_page_that_is_fetched_anew_while_it_is_read(
    bench: Bench, conn: Connection, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reading of the old body is dropped, and the new one is read."""
    paper.pages["/1"] = page(FIRST, SECOND)
    add_feed(conn, bench, "http://paper.example/rss")
    bench.run(conn, "poll", "fetch")
    real = extraction.extract

    def slow(*given: Any) -> Document:
        monkeypatch.setattr(extract.extraction, "extract", real)
        paper.pages["/1"] = page(SECOND, THIRD)
        bench.clock.move(hours=1)  # type: ignore[attr-defined]
        with database.session(bench.settings) as other:
            assert bench.run(other, "fetch")["fetch"].outcomes == {"fetched": 1}
        return real(*given)

    monkeypatch.setattr(extract.extraction, "extract", slow)
    assert bench.run(conn, "extract")["extract"].outcomes == {"page-changed": 1, "extracted": 1}
    assert values(conn, "select count(*) from ingest.paragraphs where text = %s", FIRST) == [0]
    assert values(conn, "select count(*) from ingest.paragraphs where text = %s", THIRD) == [1]


def test_a_page_that_is_taken_down(started: Bench, conn: Connection, paper: Paper) -> None:
    """Its text stays, and the archive has the server's word for it."""
    del paper.pages["/1"]
    report = look(started, conn, hours=1)
    assert report["fetch"].outcomes == {"http-404": 1}
    assert report["extract"].claimed == 0
    assert values(conn, "select status from ingest.captures where article_id is not null") == [200, 404]
    assert values(conn, "select last_outcome from ingest.articles") == ["http-404"]
    assert values(conn, "select source from ingest.versions") == ["page"]
    paper.pages["/1"] = page(FIRST, SECOND)
    assert look(started, conn, hours=2)["fetch"].outcomes == {"unchanged": 1}
    assert values(conn, "select last_outcome from ingest.articles") == ["unchanged"]


def test_looks_can_be_switched_off(bench: Bench, conn: Connection, paper: Paper) -> None:
    bench.settings = bench.settings.model_copy(
        update={"versions": bench.settings.versions.model_copy(update={"look_again": False})}
    )
    paper.pages["/1"] = page(FIRST)
    add_feed(conn, bench, "http://paper.example/rss")
    bench.run(conn, "poll", "fetch")
    assert values(conn, "select count(*) from ingest.work where stage = 'fetch'") == [0]


def test_what_was_never_fetched_goes_before_looks(
    started: Bench, conn: Connection, paper: Paper, clock: MovableClock
) -> None:
    paper.pages |= {f"/{n}": page(FIRST, f"Page {n}.") for n in range(2, 5)}
    clock.move(hours=2)  # the look has been due for an hour
    started.run(conn, "poll")
    for _ in range(3):
        assert run_stage(conn, started, "fetch", limit=1).outcomes == {"fetched": 1}
    assert run_stage(conn, started, "fetch", limit=1).outcomes == {"unchanged": 1}


def test_new_articles_of_a_batch_are_asked_for_first(
    started: Bench, conn: Connection, paper: Paper, clock: MovableClock
) -> None:
    paper.pages |= {f"/{n}": page(FIRST, f"Page {n}.") for n in range(2, 9)}
    clock.move(hours=2)
    started.run(conn, "poll")
    paper.asked.clear()
    started.settings = started.settings.model_copy(
        update={"fetch": started.settings.fetch.model_copy(update={"per_host": 1})}
    )
    started.run(conn, "fetch")
    assert [path for path, _ in paper.asked][-1] == "/1"


def test_looks_do_not_hold_up_a_batch(
    started: Bench, conn: Connection, paper: Paper, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch takes only so many turns of a host, and new articles before looks."""
    monkeypatch.setattr(visits, "STAY", 0.5)
    polite = started.settings.fetch.model_copy(update={"host_delay": 0.5})
    started.settings = started.settings.model_copy(update={"fetch": polite})
    paper.pages["/2"] = page(FIRST, "Page 2.")
    clock.move(hours=2)
    started.run(conn, "poll")
    assert fetch.run(conn, started, 10).outcomes == {"fetched": 1}
    assert fetch.run(conn, started, 10).outcomes == {"unchanged": 1}


def test_a_full_disk_stops_the_stage_before_it_asks(
    bench: Bench, conn: Connection, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper.pages["/1"] = page(FIRST)
    add_feed(conn, bench, "http://paper.example/rss")
    bench.run(conn, "poll")
    asked = len(paper.asked)

    def full() -> None:
        raise ArchiveUnavailable("the disk has no room")

    monkeypatch.setattr(bench.archive, "ready", full)
    for stage in ("fetch", "poll"):
        conn.execute("update ingest.work set due_at = %s", [bench.clock.now()])
        with pytest.raises(ArchiveUnavailable):
            run_stage(conn, bench, stage)
    assert len(paper.asked) == asked
    assert values(conn, "select problem from ingest.runs where problem is not null")[0].endswith("has no room")
    monkeypatch.undo()
    assert bench.run(conn, "fetch")["fetch"].outcomes == {"fetched": 1}


def test_a_write_that_fails_loses_nothing(
    bench: Bench, conn: Connection, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper.pages |= {f"/{n}": page(FIRST, f"Page {n}.") for n in range(3)}
    add_feed(conn, bench, "http://paper.example/rss")
    bench.run(conn, "poll")
    real, written = bench.archive.response, []

    def second_fails(*given: Any, **named: Any) -> Any:
        written.append(1)
        if len(written) == 2:
            raise ArchiveUnavailable("no space left on device")
        return real(*given, **named)

    monkeypatch.setattr(bench.archive, "response", second_fails)
    with pytest.raises(ArchiveUnavailable):
        bench.run(conn, "fetch")
    assert bench.run(conn, "fetch", "extract")["extract"].outcomes == {"extracted": 3}
    assert values(conn, "select count(*) from ingest.captures where article_id is not null") == [3]


# Pages read anew ------------------------------------------------------------------------------------------------


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Document], Document]], None]:
    """Makes today's extractor one that gives other texts."""
    real = extraction.extract

    def use(change: Callable[[Document], Document]) -> None:
        monkeypatch.setattr(extraction, "VERSION", extraction.VERSION + 1)
        extract.extractor.cache_clear()
        monkeypatch.setattr(extract.extraction, "extract", lambda *given: change(real(*given)))

    yield use
    monkeypatch.undo()
    extract.extractor.cache_clear()


def without_first(document: Document) -> Document:
    from dataclasses import replace

    return replace(document, paragraphs=document.paragraphs[1:])


def test_a_page_read_anew(started: Bench, conn: Connection, newer: Any, command: Any) -> None:
    assert "0 pages" in command("reextract", "--older-than-extractor")[1]
    newer(without_first)
    status, said, _ = command("reextract", "--older-than-extractor")
    assert (status, said) == (0, "1 pages are to be read again\n1 extracted\n")
    found = conn.execute(
        "select reextracted, capture_id, extractor from ingest.versions order by version_id"
    ).fetchall()
    assert [r.reextracted for r in found] == [False, True]
    assert found[0].capture_id == found[1].capture_id
    assert found[0].extractor != found[1].extractor == extract.extractor()
    changed = conn.execute("select kind, text_before, made_by from analysis.version_changes").fetchall()
    assert [tuple(r) for r in changed] == [("removed", FIRST, "us")]
    assert "0 pages" in command("reextract", "--older-than-extractor")[1]
    status, said, _ = command("reextract", "--since", "2024-12-20")
    assert (status, said) == (0, "1 pages are to be read again\n1 same-text\n")
    assert values(conn, "select count(*) from ingest.versions") == [2]
    assert command("reextract")[0] == 2


def test_reading_anew_can_be_broken_off(
    started: Bench, conn: Connection, paper: Paper, newer: Any, command: Any
) -> None:
    paper.pages |= {f"/{n}": page(f"{FIRST} {n}", SECOND, THIRD) for n in range(2, 5)}
    started.clock.move(hours=2)  # type: ignore[attr-defined]
    started.run(conn, "poll", "fetch", "extract")
    newer(without_first)
    assert command("reextract", "--older-than-extractor", "--queue")[1] == "4 pages are to be read again\n"
    conn.execute("update ingest.work set due_at = %s where stage = 'extract'", [started.clock.now()])
    assert run_stage(conn, started, "extract", limit=1).claimed == 1
    paper.pages["/9"] = page(SECOND, "A new page, which does not wait for old ones that are read again.")
    started.clock.move(hours=2)  # type: ignore[attr-defined]
    started.run(conn, "poll", "fetch")
    first = rows(
        conn,
        "work.claim_plain",
        stage="extract",
        now=started.clock.now(),
        lease=timedelta(0),
        limit=1,
        token="00000000-0000-0000-0000-000000000000",
    )
    assert first[0].item_id == values(conn, "select max(article_id) from ingest.articles")[0]
    assert run_stage(conn, started, "extract").outcomes["extracted"] == 4
    assert values(conn, "select count(*) from ingest.versions where reextracted") == [4]


def test_a_page_that_can_no_longer_be_read_keeps_its_text(
    started: Bench, conn: Connection, newer: Any, command: Any
) -> None:
    def refuse(_: Document) -> Document:
        raise extraction.PermanentError("a consent page", code="consent")

    newer(refuse)
    assert command("reextract", "--article", 1)[1].endswith("1 consent\n")
    assert values(conn, "select source from ingest.versions") == ["page"]
    assert "0 pages" in command("reextract", "--older-than-extractor")[1]


def test_a_changed_page_after_that_is_the_publishers_edit(
    started: Bench, conn: Connection, paper: Paper, newer: Any
) -> None:
    newer(without_first)
    paper.pages["/1"] = page(FIRST, SECOND, THIRD)
    look(started, conn, hours=1)
    assert values(conn, "select reextracted from ingest.versions order by version_id") == [False, False]


def test_a_record_that_is_gone(started: Bench, conn: Connection, paper: Paper, command: Any) -> None:
    """Before the first reading the feed's own text stands in; afterwards nothing changes."""
    paper.pages["/2"] = page(SECOND, THIRD)
    started.clock.move(hours=2)  # type: ignore[attr-defined]
    started.run(conn, "poll", "fetch")
    for path in files(started.archive.folder):
        path.unlink()
    assert started.run(conn, "extract")["extract"].outcomes == {"record-missing": 1}
    assert values(conn, "select source from ingest.versions order by version_id") == ["page", "entry"]
    said = command("reextract", "--since", "2024-01-01")[1]
    assert "1 record-missing" in said
    assert "1 same-text" in said
    assert values(conn, "select count(*) from ingest.versions") == [2]
    shutil.rmtree(started.archive.folder)
    status, _, errors = command("reextract", "--since", "2024-01-01")
    assert (status, "there is no archive" in errors) == (2, True)
    assert values(conn, "select count(*) from ingest.work where stage = 'extract' and lease_token is null") == [2]


# Retention, and what lies in the database still ---------------------------------------------------------------------


def as_evidence(conn: Connection, bench: Bench, text: str) -> None:
    """Some match on the paragraph, as the stage would have stored it."""
    now = bench.clock.now()
    model = rows(conn, "models.register", name="m", weights_hash="h", dimensions=3, now=now)[0].model_id
    conn.execute("insert into ingest.topics values ('t', 'T', %s)", [now])
    conn.execute("insert into ingest.claims (claim_id, topic_id, position, added_at) values ('c', 't', 1, %s)", [now])
    wording = conn.execute(
        "insert into ingest.claim_versions (claim_id, version, statement, definition, definition_hash, loaded_at) "
        "values ('c', 1, 'S', '{}', 'x', %s) returning claim_version_id",
        [now],
    ).fetchone()[0]
    paragraph = values(conn, "select paragraph_id from ingest.paragraphs where text = %s", text)[0]
    match = {"matcher": "m", "probability": 0.9, "tier": "accepted", "stance": "supports", "sentence": text}
    about = {"claim_id": "c", "claim_version_id": wording, "paragraph_id": paragraph, "model_id": model}
    more = {"features": psycopg.types.json.Jsonb({}), "why": None, "precision": None, "labels": None, "now": now}
    rows(conn, "matches.store", **match, **about, **more)


def test_retention_keeps_what_evidence_rests_on(
    bench: Bench, conn: Connection, paper: Paper, clock: MovableClock, command: Any
) -> None:
    paper.pages = {"/1": page(FIRST, "A page with evidence in it."), "/2": page(SECOND, THIRD)}
    add_feed(conn, bench, "http://paper.example/rss")
    bench.run(conn, "poll", "fetch", "extract")
    look(bench, conn, hours=1)
    as_evidence(conn, bench, FIRST)
    proof = values(
        conn,
        "select v.capture_id from ingest.versions v join ingest.articles a using (article_id) where a.url like '%%/1'",
    )[0]
    before = len(files(bench.archive.folder))
    clock.move(days=90)
    assert maintain.run(conn, bench).deleted["archive files"] == 0
    clock.move(days=2)
    assert maintain.run(conn, bench).deleted["archive files"] == before
    assert [path.parent.name for path in files(bench.archive.folder)] == ["kept"]
    found = {r.capture_id: r for r in conn.execute("select * from ingest.captures").fetchall()}
    assert found[proof].warc_file.startswith("kept/")
    assert found.pop(proof).expired_at is None
    assert len(found) == 1, "of captures that no text rests on nothing is left"
    (gone,) = found.values()
    assert gone.expired_at == clock.now()
    assert command("archive", "verify")[:2] == (0, "1 records are as they were, 0 are not\n")
    assert "deleted by retention on 2025-03-22" in command("archive", "show", "http://paper.example/2")[1]
    assert command("archive", "get", gone.capture_id)[0] == 2
    assert "0 pages" not in command("reextract", "--since", "2024-01-01")[1]
    assert maintain.run(conn, bench).deleted["archive files"] == 0


def test_bodies_in_the_database_move_to_the_archive(
    started: Bench, conn: Connection, monkeypatch: pytest.MonkeyPatch, command: Any
) -> None:
    """As after an upgrade: pages with their bodies in a column, one of them not read yet."""
    body = page(SECOND, THIRD).encode()
    conn.execute(
        "update ingest.pages set capture_id = null, body = %s, body_hash = %s, extractor = null",
        [zlib.compress(body), hashlib.sha256(body).digest()],
    )
    started_captures = values(conn, "select count(*) from ingest.captures")[0]
    rows(conn, "work.add", stage="extract", item_id=1, host="", due_at=started.clock.now())
    assert started.run(conn, "extract")["extract"].outcomes == {"extracted": 1}  # before the move
    monkeypatch.setattr(maintain, "MOVED", 1)
    assert maintain.run(conn, started).moved == 1
    assert values(conn, "select kind from ingest.captures order by capture_id")[started_captures:] == ["resource"]
    assert values(conn, "select count(*) from ingest.pages where body is null and capture_id is not null") == [1]
    assert command("reextract", "--since", "2024-01-01")[1].endswith("1 same-text\n")
    assert maintain.run(conn, started).moved == 0


def test_an_installation_of_before(
    pg: EmbeddedServer, tmp_path: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two texts of one article and a body, stored by the version before; the migration compares and marks them."""
    shutil.copytree(ROOT / "sql", tmp_path / "own" / "sql")
    later = [f for f in sorted((tmp_path / "own" / "sql" / "migrations").glob("*.sql")) if f.name > "0008"]
    content = {f: f.read_text(encoding="utf-8") for f in later}
    monkeypatch.setattr(migrate, "root", lambda: tmp_path / "own")
    name = "t_before_archive"
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        admin.execute(f"create database {name} owner claimwatch")
        try:
            with psycopg.connect(pg.dsn("postgres", name), autocommit=True) as owner:
                owner.execute("create extension vector")
            with database.connect(make_settings(tmp_path, pg.dsn("claimwatch", name))) as conn:
                for file in later:
                    file.unlink()
                shutil.rmtree(tmp_path / "own" / "sql" / "api")
                (tmp_path / "own" / "sql" / "api").mkdir()
                migrate.migrate(conn, clock)
                _two_texts(conn, clock)
                for file, text in content.items():
                    file.write_text(text, encoding="utf-8")
                shutil.copytree(ROOT / "sql" / "api", tmp_path / "own" / "sql" / "api", dirs_exist_ok=True)
                migrate.migrate(conn, clock)
                changed = conn.execute(
                    "select kind, text_before, text_after from analysis.version_changes order by number"
                )
                assert [tuple(r) for r in changed.fetchall()] == [("removed", "gone", None), ("added", None, "come")]
                assert values(conn, "select extractor from ingest.pages") == ["an earlier one"]
        finally:
            admin.execute(f"drop database {name} with (force)")


def _two_texts(conn: Connection, clock: MovableClock) -> None:
    now = clock.now()
    conn.execute("insert into ingest.publishers (name, family) values ('P', 'P')")
    conn.execute(
        "insert into ingest.articles (url, publisher_id, first_seen_at) values ('http://p.example/', 1, %s)", [now]
    )
    conn.execute(
        "insert into ingest.pages (article_id, fetched_at, status, url, body_hash, body) "
        "values (1, %s, 200, 'u', 'h', 'b')",
        [now],
    )
    for number, texts in enumerate((["stays", "gone"], ["stays", "come"]), 1):
        conn.execute(
            "insert into ingest.versions (article_id, version_hash, source, title, published_at, known_at) "
            "values (1, %s, 'page', '', %s, %s)",
            [str(number).encode(), now, now],
        )
        for position, text in enumerate(texts, 1):
            paragraph = conn.execute(
                "insert into ingest.paragraphs (content_hash, text, first_version_id, first_seen_at) "
                "values (%s, %s, %s, %s) on conflict (content_hash) do update set text = excluded.text "
                "returning paragraph_id",
                [text.encode(), text, number, now],
            ).fetchone()[0]
            conn.execute("insert into ingest.appearances values (%s, %s, %s, 'body')", [number, position, paragraph])


# Commands -----------------------------------------------------------------------------------------------------------


def test_the_commands(started: Bench, conn: Connection, paper: Paper, command: Any) -> None:
    look(started, conn, hours=1)
    paper.pages["/1"] = page(FIRST.replace("3,000", "4,000"), SECOND)
    look(started, conn, hours=2)
    status, said, _ = command("archive", "show", "http://paper.example/1", "--format", "csv")
    lines = said.splitlines()
    assert (status, len(lines)) == (0, 4)
    assert [line.split(",")[2] for line in lines[1:]] == ["response", "not-modified", "response"]
    assert hashlib.sha256(paper.pages["/1"].encode()).hexdigest() in lines[1]
    assert command("archive", "show", "1", "--format", "csv")[1] == said
    assert "rss" in command("archive", "show", "http://paper.example/rss")[1]
    assert command("archive", "show", "http://other.example/")[0] == 2
    assert command("archive", "verify")[:2] == (0, "4 records are as they were, 0 are not\n")
    status, said, _ = command("article", "1", "--diff")
    assert status == 0
    assert "[-3-]{+4+},000 soldiers" in said
    assert command("article", "77")[0] == 2
    assert command("archive", "get", 999)[0] == 2


def test_get_prints_the_body_as_it_came(started: Bench, conn: Connection, paper: Paper, command: Any) -> None:
    look(started, conn, hours=1)
    for capture in values(conn, "select capture_id from ingest.captures where article_id is not null"):
        assert command("archive", "get", capture)[:2] == (0, paper.pages["/1"])  # a 304 shows what had not changed
    whole = command("archive", "get", capture, "--record")[1]
    assert whole.startswith("WARC/1.1\r\n")
    assert paper.pages["/1"] in whole


def test_a_backup_says_what_is_not_in_it(started: Bench, command: Any, tmp_path: Path) -> None:
    said = " ".join(command("backup", tmp_path / "b")[1].split())
    assert f"copy {started.archive.folder} too" in said


def test_verify_finds_a_flipped_byte(started: Bench, conn: Connection, command: Any) -> None:
    place = conn.execute("select * from ingest.captures where article_id is not null").fetchone()
    path = started.archive.folder / place.warc_file
    raw = bytearray(path.read_bytes())
    raw[place.warc_offset + place.warc_length // 2] ^= 1
    path.write_bytes(raw)
    status, said, _ = command("archive", "verify")
    assert status == 1
    assert f"capture {place.capture_id}: {place.warc_file} at {place.warc_offset}" in said
    assert said.endswith("1 records are as they were, 1 are not\n")
    assert command("archive", "get", place.capture_id)[0] == 1
