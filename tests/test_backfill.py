"""Backfills on a database: what each kind of source brings, whose it is, what is left out; and they can be repeated."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from claims_files import some_claims
from conftest import ROOT, Bench, FakeEncoder, MovableClock, Serving, clone, make_settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from warc_files import CRAWLED, Stored, filler, fillers, members, newsroom_pages, written

from pipeline.adapters import database
from pipeline.adapters.database import Connection, rows
from pipeline.errors import ConfigurationError, PermanentError, TransientError
from pipeline.logic.backfills import Options, checked
from pipeline.settings import Settings
from pipeline.stages import backfill, claims
from pipeline.stages.poll import add_feed

NOW = datetime(2024, 12, 2, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


@pytest.fixture
def bench(settings: Settings, clock: MovableClock) -> Bench:
    return Bench(settings, clock, FakeEncoder())  # type: ignore[arg-type]


@pytest.fixture
def loaded(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    claims.load(conn, bench, some_claims(tmp_path, "killed-in-kursk", "desertion"))


def run(conn: Connection, bench: Bench, kind: str, source: object, **given: Any) -> dict[str, Any]:
    """A backfill from beginning to end, as the command does it."""
    publisher = given.pop("publisher", None)
    number = backfill.start(conn, bench, kind, str(source), checked(kind, str(source), given), publisher=publisher)
    for file_id in backfill.files(conn, bench, number):
        backfill.read(conn, bench, file_id)
    return backfill.finish(conn, bench, number)


def column(conn: Connection, query: str, *values: Any) -> list[Any]:
    return [r[0] for r in conn.execute(query, values)]  # type: ignore[arg-type]


def articles(conn: Connection) -> list[str]:
    return column(conn, "select url from ingest.articles order by url")


def counted(conn: Connection) -> None:
    """Every record has one outcome."""
    for r in conn.execute("select records, outcomes from ingest.backfill_files"):
        assert r.records == sum(r.outcomes.values())


# Lists of addresses -----------------------------------------------------------------------------------------------


def test_urls_are_queued_for_fetching(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text(
        "# old pages\n\nhttps://www.example.org/a?utm_source=x\nhttps://example.org/b\n"
        "https://www.example.org/a\nnot an address\nftp://example.org/c\n"
    )
    done = run(conn, bench, "urls", file)
    assert done["outcomes"] == {"queued": 2, "bad-url": 2, "duplicate": 1}
    assert done["state"] == "done"
    assert articles(conn) == ["https://example.org/b", "https://www.example.org/a"]
    work = conn.execute("select stage, host from ingest.work order by host").fetchall()
    assert [tuple(w) for w in work] == [("fetch", "example.org"), ("fetch", "www.example.org")]
    told = conn.execute("select record, url, outcome from ingest.backfill_problems order by record").fetchall()
    assert [tuple(t) for t in told] == [(6, "not an address", "bad-url"), (7, "ftp://example.org/c", "bad-url")]
    counted(conn)


def test_the_same_list_again_brings_nothing_new(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("https://example.org/a\nhttps://example.org/b\n")
    first = run(conn, bench, "urls", file)
    conn.execute("delete from ingest.work where item_id = (select min(item_id) from ingest.work)")
    conn.execute(
        "insert into ingest.versions (article_id, version_hash, source, title, published_at, known_at) "
        "select min(article_id), '\\x00', 'page', 't', now(), now() from ingest.articles"
    )
    again = run(conn, bench, "urls", file)
    assert first["outcomes"] == {"queued": 2}
    assert again["outcomes"] == {"known": 1, "queued": 1}  # one has a text, the other never got one
    assert column(conn, "select brought from ingest.backfill_articles order by backfill_id") == [True] * 2 + [False] * 2
    assert column(conn, "select count(*) from ingest.work") == [1]


def test_whose_it_is(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    """The publisher whose feeds come from the host or site; else one of the host's name, in its site's family."""
    add_feed(conn, bench, "https://feeds.known.example/rss", name="Known", kind="wire")
    add_feed(conn, bench, "https://a.shared.org/rss", name="A")
    add_feed(conn, bench, "https://b.shared.org/rss", name="B")
    file = tmp_path / "list.txt"
    addresses = ["https://feeds.known.example/1", "https://b.shared.org/1", "https://c.shared.org/1"]
    addresses += ["https://www.other.co.uk/1", "https://news.other.co.uk/1"]
    file.write_text("\n".join(addresses))
    run(conn, bench, "urls", file)
    found = conn.execute(
        "select a.url, p.name, p.family from ingest.articles a join ingest.publishers p using (publisher_id)"
    )
    assert {r.url: (r.name, r.family) for r in found} == {
        "https://feeds.known.example/1": ("Known", "Known"),
        "https://b.shared.org/1": ("B", "B"),
        "https://c.shared.org/1": ("c.shared.org", "shared.org"),
        "https://www.other.co.uk/1": ("other.co.uk", "other.co.uk"),
        "https://news.other.co.uk/1": ("news.other.co.uk", "other.co.uk"),
    }


def test_one_publisher_for_all(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("https://a.example/1\nhttps://b.example/1\n")
    run(conn, bench, "urls", file, publisher="The Archive")
    assert column(conn, "select name from ingest.publishers") == ["The Archive"]


def test_a_limit(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("".join(f"https://a.example/{n // 2}\n" for n in range(40)))
    done = run(conn, bench, "urls", file, limit=7)
    assert len(articles(conn)) == 7
    assert done["state"] == "done"
    assert column(conn, "select state from ingest.backfill_files") == ["limited"]
    counted(conn)


# Sitemaps ---------------------------------------------------------------------------------------------------------


NEWS = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc>https://s.example/1</loc><news:news><news:publication><news:name>S</news:name>
<news:language>ko</news:language></news:publication><news:publication_date>2024-10-05T10:00:00Z</news:publication_date>
<news:title>첫째</news:title></news:news></url>
<url><loc>https://s.example/2</loc><lastmod>2024-10-20</lastmod></url>
<url><loc>https://s.example/3</loc><lastmod>2023-01-01</lastmod></url>
<url><loc>https://s.example/4</loc></url>
<url><loc>https://s.example/5</loc><news:news><news:publication><news:name>S</news:name>
<news:language>de</news:language></news:publication><news:publication_date>2024-10-06</news:publication_date>
<news:title>Zwei</news:title></news:news></url></urlset>"""


@pytest.mark.parametrize("packed", [False, True])
def test_a_sitemap_file(conn: Connection, bench: Bench, tmp_path: Path, packed: bool) -> None:
    file = tmp_path / "sitemap.xml"
    file.write_bytes(gzip.compress(NEWS.encode()) if packed else NEWS.encode())
    done = run(conn, bench, "sitemap", file, since="2024-10-01", until="2024-10-10", languages=["ko"])
    assert done["outcomes"] == {"date": 2, "queued": 2, "language": 1}  # too late, too early
    assert articles(conn) == ["https://s.example/1", "https://s.example/4"]
    told = conn.execute("select title, language, published_at from ingest.backfill_articles order by title").fetchone()
    assert told is not None
    assert tuple(told) == ("첫째", "ko", datetime(2024, 10, 5, 10, tzinfo=UTC))


def test_an_index_on_a_server(conn: Connection, bench: Bench) -> None:
    """Each sitemap of an index is a file of its own; an index inside is followed."""

    async def answer(request: Request) -> Response:
        name, base = request.path_params["name"], f"http://127.0.0.1:{request.url.port}"
        if name in ("index", "inner"):
            children = {"index": ["one", "old", "inner", "gone"], "inner": ["two", "inner"]}[name]
            items = "".join(
                f"<sitemap><loc>{base}/{child}</loc><lastmod>{'2020' if child == 'old' else '2024'}-10-09</lastmod>"
                "</sitemap>"
                for child in children
            )
            return Response(f"<sitemapindex>{items}</sitemapindex>", media_type="application/xml")
        if name == "gone":
            return Response(status_code=404)
        return Response(f"<urlset><url><loc>https://s.example/{name}</loc></url></urlset>", media_type="text/xml")

    with Serving(Starlette(routes=[Route("/{name}", answer)])) as port:
        done = run(conn, bench, "sitemap", f"http://127.0.0.1:{port}/index", since="2024-01-01")
    assert articles(conn) == ["https://s.example/one", "https://s.example/two"]
    assert (done["state"], done["files"], done["failed"]) == ("failed", 3, 1)
    assert "404" in column(conn, "select problem from ingest.backfill_files where state = 'failed'")[0]


def test_what_is_no_sitemap(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<html><body>no</body></html>")
    number = backfill.start(conn, bench, "sitemap", str(file), Options())
    with pytest.raises(PermanentError, match="sitemap"):
        backfill.files(conn, bench, number)
    assert "sitemap" in backfill.get(conn, number).problem


# Web archives -----------------------------------------------------------------------------------------------------

SOURCE = [
    *fillers(6),
    replace(filler(20), status="404 Not Found"),
    replace(filler(21), head={"Content-Type": "application/pdf"}),
    replace(filler(22), kind="revisit"),
    replace(filler(23), warc={"WARC-Truncated": "disconnect"}),
    replace(filler(24), body=b"<html>" + b"x" * (6 * 2**20)),
    replace(filler(25), url="http://user:secret@filler.example/"),
    replace(filler(26), at=CRAWLED - timedelta(days=400)),
]


@pytest.mark.usefixtures("loaded")
def test_pages_about_the_claims_are_stored(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "crawl.warc.gz"
    file.write_bytes(written([*SOURCE, *newsroom_pages()]))
    done = run(conn, bench, "warc", file, since="2024-01-01")
    named = {page.url for page in newsroom_pages()}
    found = set(articles(conn))
    assert found <= named
    assert len(found) == done["outcomes"]["stored"] > 10
    expected = {"status": 1, "no-html": 1, "revisit": 1, "cut-off": 1, "too-large": 1, "bad-url": 1, "date": 1}
    assert {key: done["outcomes"].get(key) for key in expected} == expected
    counted(conn)
    page = conn.execute(
        "select p.body_hash, p.content_type, p.url, a.url as article "
        "from ingest.pages p join ingest.articles a using (article_id)"
    ).fetchone()
    assert page is not None
    assert page.content_type == "text/html; charset=utf-8"
    assert page.url == page.article
    assert set(column(conn, "select stage from ingest.work")) == {"extract"}
    bench.run(conn, "extract")
    assert set(column(conn, "select source from ingest.versions")) == {"page"}
    assert len(column(conn, "select version_id from ingest.versions")) == len(found)
    assert max(column(conn, "select published_at from ingest.versions")) <= CRAWLED


@pytest.mark.usefixtures("loaded")
def test_languages_and_terms_of_ones_own(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "crawl.warc"
    pages = newsroom_pages(60)
    file.write_bytes(written(pages, packed=False))
    korean = run(conn, bench, "warc", file, languages=["ko"], anything=True)
    found = articles(conn)
    assert korean["outcomes"]["stored"] == len(found) > 0
    assert all(b'lang="ko"' in page.body for page in pages if page.url in found)
    assert not [page for page in pages if page.url not in found and b'<html lang="ko"' in page.body]
    terms = run(conn, bench, "warc", file, terms=["no such term"])
    assert set(terms["outcomes"]) == {"no-term", "no-response"}
    everything = run(conn, bench, "warc", file, anything=True)
    assert everything["outcomes"]["stored"] + everything["outcomes"]["known"] == len(pages)


def test_without_claims_terms_have_to_be_named(conn: Connection, bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match="load claims, or name terms"):
        backfill.start(conn, bench, "warc", "/x", Options())


def test_charset_digest_and_damage(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    """The charset of the record's headers; a record that is not what it says; a file with a damaged member."""
    words = "<html><body><p>" + "북한군 병사들이 러시아로 파병됐다. " * 10 + "</p></body></html>"
    good = Stored("http://k.example/1", words.encode("euc-kr"), head={"Content-Type": "text/html; charset=euc-kr"})
    wrong = gzip.decompress(members([replace(good, url="http://k.example/2")])[0])
    wrong = gzip.compress(wrong.replace(b"Payload-Digest: sha1:", b"Payload-Digest: sha1:AAAAAAAA"))
    broken = bytearray(members([replace(good, url="http://k.example/3")])[0])
    broken[len(broken) // 2] ^= 0xFF
    last = replace(good, url="http://k.example/4")
    file = tmp_path / "crawl.warc.gz"
    file.write_bytes(b"".join([*members([good]), wrong, bytes(broken), *members([last])]))
    done = run(conn, bench, "warc", file, terms=["북한군"], languages=["ko"])
    assert done["outcomes"] == {"stored": 2, "bad-digest": 1, "damaged": 1}
    assert articles(conn) == ["http://k.example/1", "http://k.example/4"]
    problems = conn.execute("select outcome, url from ingest.backfill_problems order by record").fetchall()
    assert [tuple(p) for p in problems] == [("bad-digest", "http://k.example/2"), ("damaged", None)]
    bench.run(conn, "extract")
    assert all("북한군" in t for t in column(conn, "select text from ingest.paragraphs"))


def test_characters_that_no_database_takes(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    record = gzip.decompress(members([filler(1)])[0])
    record = record.replace(b"Target-URI: http://filler-1.example/1", b"Target-URI: http://filler-1.example\0/1\0\xff")
    record = record.replace(b"charset=utf-8", b"charset=\0\xffxxx").replace(b"-Digest", b"-Undigested")
    (tmp_path / "a.warc").write_bytes(record)
    (tmp_path / "list.txt").write_bytes(b"http://\0.example/\nhttps://b.example/\xff\xfe\n\0\n")
    assert run(conn, bench, "warc", tmp_path / "a.warc", anything=True)["outcomes"]["stored"] == 1
    assert run(conn, bench, "urls", tmp_path / "list.txt")["outcomes"] == {"queued": 1, "bad-url": 2}


def test_a_file_that_is_cut_off(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    whole = written(fillers(10))
    file = tmp_path / "crawl.warc.gz"
    file.write_bytes(whole[: len(whole) - 300])
    done = run(conn, bench, "warc", file, anything=True)
    assert (done["state"], done["outcomes"]["stored"]) == ("done", 9)
    assert done["outcomes"].get("cut-off", 0) + done["outcomes"].get("damaged", 0) == 1


def test_a_page_that_is_known_stays_as_it_is(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    older, newer = filler(1), replace(filler(1), body=filler(2).body)
    for name, page in (("a", older), ("b", newer)):
        (tmp_path / f"{name}.warc.gz").write_bytes(written([page]))
    run(conn, bench, "warc", tmp_path / "a.warc.gz", anything=True)
    before = column(conn, "select body_hash from ingest.pages")
    done = run(conn, bench, "warc", tmp_path / "b.warc.gz", anything=True)
    assert done["outcomes"] == {"no-response": 2, "known": 1}
    assert column(conn, "select body_hash from ingest.pages") == before


def test_folder_pattern_and_manifest(conn: Connection, bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "2024" / "10"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"CC-NEWS-{number}.warc.gz").write_bytes(written([filler(number)]))
    (folder / "readme.txt").write_text("no WARC file")
    manifest = tmp_path / "warc.paths.gz"
    manifest.write_bytes(gzip.compress(b"2024/10/CC-NEWS-0.warc.gz\n2024/10/CC-NEWS-2.warc.gz\n"))
    files = {}
    for source in (tmp_path, folder / "*.warc.gz", manifest, folder / "CC-NEWS-1.warc.gz"):
        number = backfill.start(conn, bench, "warc", str(source), Options(anything=True))
        files[source.name] = len(backfill.files(conn, bench, number))
        for file_id in backfill.files(conn, bench, number):
            assert backfill.read(conn, bench, file_id).state == "done"
        assert backfill.files(conn, bench, number) == []
    assert list(files.values()) == [3, 3, 2, 1]


@pytest.mark.parametrize(
    ("source", "told"), [("missing", "no such file"), ("*.warc", "no file fits"), ("empty", "no .warc")]
)
def test_nothing_to_read(conn: Connection, bench: Bench, tmp_path: Path, source: str, told: str) -> None:
    (tmp_path / "empty").mkdir()
    number = backfill.start(conn, bench, "warc", str(tmp_path / source), Options(anything=True))
    with pytest.raises(PermanentError, match=told):
        backfill.files(conn, bench, number)
    assert backfill.get(conn, number).state == "failed"


# Over HTTP --------------------------------------------------------------------------------------------------------


class Archive:
    """A server with one file; it may break off, know no ranges, or change the file."""

    def __init__(self, content: bytes, *, ranges: bool = True, breaks: int = 0) -> None:
        self.content, self.ranges, self.breaks = content, ranges, breaks
        self.etag = '"1"'
        self.asked: list[str | None] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if scope["path"].endswith("warc.paths"):
            await Response(b"crawl-data/one.warc.gz\n")(scope, receive, send)
            return
        self.asked.append(headers.get("range"))
        begin = int(headers["range"][6:-1]) if "range" in headers and self.ranges else 0
        if begin >= len(self.content):
            await Response(status_code=416)(scope, receive, send)
            return
        part = self.content[begin:]
        told = [(b"content-length", str(len(part)).encode()), (b"etag", self.etag.encode())]
        if begin:
            told.append((b"content-range", f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}".encode()))
        await send({"type": "http.response.start", "status": 206 if begin else 200, "headers": told})
        if self.breaks:  # an answer that ends short of its length: the connection is closed
            self.breaks -= 1
            await send({"type": "http.response.body", "body": part[: len(part) // 2], "more_body": True})
            return
        await send({"type": "http.response.body", "body": part})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.adapters import sourcefiles

    monkeypatch.setattr(sourcefiles, "FIRST_WAIT", 0.01)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_on_a_server_that_breaks_off(conn: Connection, bench: Bench, ranges: bool) -> None:
    server = Archive(written(fillers(40)), ranges=ranges, breaks=3)
    with Serving(server) as port:
        done = run(conn, bench, "warc", f"http://127.0.0.1:{port}/warc.paths", anything=True)
    assert (done["state"], done["outcomes"]["stored"]) == ("done", 40)
    assert len(server.asked) == 4
    assert server.asked[0] is None
    assert all(asked is not None for asked in server.asked[1:])
    assert column(conn, "select size from ingest.backfill_files") == [len(server.content)]


@pytest.mark.usefixtures("quick")
def test_a_server_that_is_down_and_a_file_that_changed(
    conn: Connection, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came is kept; afterwards it goes on from there, if it is still the same file."""
    from pipeline.stages import backfill_store

    monkeypatch.setattr(backfill_store, "BATCH", 5)
    server = Archive(written(fillers(4000)), breaks=99)
    with Serving(server) as port:
        address = f"http://127.0.0.1:{port}/one.warc.gz"
        number = backfill.start(conn, bench, "warc", address, Options(anything=True))
        (file_id,) = backfill.files(conn, bench, number)
        server.content, content = server.content[:200_000], server.content
        server.breaks = 99
        with pytest.raises(TransientError, match="http:"):
            backfill.read(conn, bench, file_id)
        assert backfill.finish(conn, bench, number)["state"] == "failed"
        kept = len(articles(conn))
        assert kept > 0
        server.breaks, server.content, server.etag = 0, content, '"2"'
        (again,) = backfill.files(conn, bench, number)
        assert (
            backfill.read(conn, bench, again).problem
            == f"{address} has changed since its beginning was read: start anew"
        )
        server.etag = '"1"'
        backfill.files(conn, bench, number)
        backfill.read(conn, bench, file_id)
        assert backfill.finish(conn, bench, number)["outcomes"]["stored"] == 4000
    counted(conn)


# Killed, and two at a time ----------------------------------------------------------------------------------------


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    """300 pages, every third address twice, one damaged member."""
    parts = members([filler(number - number % 3 if number % 3 == 1 else number) for number in range(300)])
    parts[50] = parts[50][:200]
    file = tmp_path / "crawl.warc.gz"
    file.write_bytes(b"".join(parts))
    return file


def content(conn: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """What a backfill left, without generated numbers and times."""
    queries = {
        "articles": "select a.url, p.name from ingest.articles a join ingest.publishers p using (publisher_id)",
        "pages": "select a.url, p.body_hash, p.url as page from ingest.pages p "
        "join ingest.articles a using (article_id)",
        "named": "select a.url, b.byte_offset, b.brought from ingest.backfill_articles b "
        "join ingest.articles a using (article_id)",
        "work": "select w.stage, a.url from ingest.work w join ingest.articles a on a.article_id = w.item_id",
        "problems": "select record, byte_offset, url, outcome, problem from ingest.backfill_problems",
        "files": "select state, records, byte_offset, skip, outcomes::text from ingest.backfill_files",
    }
    return {name: sorted(tuple(r) for r in conn.execute(query)) for name, query in queries.items()}  # type: ignore[call-overload]


def child(settings: Settings, file_id: int, *, kill: str = "", at: int = 0, wait: float = 0) -> subprocess.Popen[str]:
    task = {
        "home": str(settings.home),
        "dsn": settings.database.dsn.get_secret_value() if settings.database.dsn else "",
        "file_id": file_id,
        "kill": kill,
        "at": at,
        "wait": wait,
    }
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "killed_backfill.py"), json.dumps(task)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_at_any_moment_nothing_is_lost_or_doubled(
    conn: Connection, bench: Bench, settings: Settings, crawl: Path, pg: Any, template: str
) -> None:
    import psycopg

    name = f"t_kill_{time.monotonic_ns()}"
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        clone(admin, name, template)
        undisturbed = make_settings(settings.home, pg.dsn("claimwatch", name))
        with database.session(undisturbed) as other:
            run(other, Bench(undisturbed, bench.clock, FakeEncoder()), "warc", crawl, anything=True)  # type: ignore[arg-type]
            expected = content(other)
        admin.execute(f"drop database {name} with (force)")
    number = backfill.start(conn, bench, "warc", str(crawl), Options(anything=True))
    (file_id,) = backfill.files(conn, bench, number)
    moments = [("read", 1), ("before-commit", 2), ("after-commit", 1), ("page", 7)]
    for kill, at in moments:
        process = child(settings, file_id, kill=kill, at=at)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, errors
    assert backfill.files(conn, bench, number) == [file_id]
    assert backfill.read(conn, bench, file_id).state == "done"
    assert content(conn) == expected
    assert backfill.read(conn, bench, file_id).records == 0
    counted(conn)


def test_one_process_a_file(
    conn: Connection, bench: Bench, settings: Settings, crawl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = backfill.start(conn, bench, "warc", str(crawl), Options(anything=True))
    (file_id,) = backfill.files(conn, bench, number)
    with database.session(settings) as other:
        assert rows(other, "backfill.lock", file_id=file_id)[0].taken
        monkeypatch.setattr(backfill, "LOCK_SECONDS", 0.2)
        with pytest.raises(TransientError, match="read by another process"):
            backfill.read(conn, bench, file_id)
    monkeypatch.undo()
    assert backfill.read(conn, bench, file_id).state == "done"


def test_a_process_that_was_overtaken_stores_nothing(
    conn: Connection, bench: Bench, crawl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock may go with a connection that is lost; the count of records is looked at again with every batch."""
    from pipeline.stages import backfill_store

    monkeypatch.setattr(backfill_store, "BATCH", 20)
    number = backfill.start(conn, bench, "warc", str(crawl), Options(anything=True))
    (file_id,) = backfill.files(conn, bench, number)
    real = backfill_store.store_page

    def overtaken(*arguments: Any) -> None:
        conn.execute("update ingest.backfill_files set records = records + 1 where file_id = %s", [file_id])
        real(*arguments)

    monkeypatch.setattr(backfill_store, "store_page", overtaken)
    with pytest.raises(TransientError, match="another process has read on"):
        backfill.read(conn, bench, file_id)
    assert articles(conn) == []


def test_two_files_with_the_same_pages_at_a_time(
    conn: Connection, bench: Bench, settings: Settings, tmp_path: Path
) -> None:
    pages = fillers(200)
    for name, order in (("a", pages), ("b", list(reversed(pages)))):
        (tmp_path / f"{name}.warc.gz").write_bytes(b"".join(members(order)))
    number = backfill.start(conn, bench, "warc", str(tmp_path), Options(anything=True))
    pair = [child(settings, file_id, wait=time.time() + 3) for file_id in backfill.files(conn, bench, number)]
    for process in pair:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    done = backfill.finish(conn, bench, number)
    assert len(articles(conn)) == 200
    assert sum(done["outcomes"].values()) == 400
    assert done["outcomes"]["stored"] >= 200
    assert column(conn, "select count(*) from ingest.pages") == [200]


# Freshness --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by_feed", "age", "alerts"), [(False, None, 0), (True, None, 1), (False, 2, 1)])
def test_what_may_alert(
    conn: Connection,
    bench: Bench,
    clock: MovableClock,
    tmp_path: Path,
    by_feed: bool,
    age: int | None,
    alerts: int,
) -> None:
    """First seen stands in for a missing date, and makes nothing of a backfill fresh."""
    from desk import Desk

    desk = Desk(conn, bench, clock, tmp_path)
    clock.at = NOW
    file = tmp_path / "list.txt"
    file.write_text("http://a.example/2\n")
    if by_feed:
        desk.article(NOW, "A")  # http://a.example/1
        file.write_text("http://a.example/1\n")
    run(conn, bench, "urls", file)
    article = column(conn, "select article_id from ingest.articles order by article_id desc")[0]
    conn.execute("update ingest.articles set story_id = %s where article_id = %s", [desk.story(), article])
    published = NOW - timedelta(days=age) if age is not None else NOW
    for paragraph in desk.version(article, published, "North Korean soldiers were killed in Kursk."):
        desk.match(paragraph)
    conn.execute("delete from ingest.work where stage = 'fetch'")
    bench.run(conn, "track")
    assert column(conn, "select count(*) from ingest.alerts") == [alerts]
    kinds = column(conn, "select kind from ingest.claim_events")
    assert kinds == (["first_seen"] if alerts else ["archive"])


# The command ------------------------------------------------------------------------------------------------------


def test_the_command(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "crawl.warc.gz"
    file.write_bytes(written(fillers(5)) + b"rubbish")
    status, out, _ = command("backfill", "warc", file, "--any", "--limit", 3)
    assert status == 0
    assert "backfill 1 is done" in out
    status, out, _ = command("backfill", "warc", file, "--term", "word4x1", "--language", "en")
    assert status == 0
    status, out, err = command("backfill", "sitemap", tmp_path / "none.xml")
    assert status == 1
    assert "none.xml can't be read" in err
    status, out, err = command("backfill", "warc", file, "--any", "--term", "x")
    assert status == 2
    assert "either name terms or take anything" in err
    status, out, _ = command("backfill", "list", "--format", "json")
    listed = [json.loads(line) for line in out.splitlines()]
    assert [(b["kind"], b["state"]) for b in listed] == [("sitemap", "failed"), ("warc", "done"), ("warc", "done")]
    status, out, _ = command("backfill", "show", 2)
    assert status == 0
    assert "damaged" in out
    assert "new articles" in out
    status, out, err = command("backfill", "show", 99)
    assert status == 2
    monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": (tmp_path / "in").open("wb+")})())
    sys.stdin.buffer.write(b"https://example.org/from-stdin\n")
    sys.stdin.buffer.seek(0)
    status, out, _ = command("backfill", "urls", "-")
    sys.stdin.buffer.close()
    assert status == 0
    assert "https://example.org/from-stdin" in articles(conn)
    status, out, _ = command("backfill", "resume", 4)
    assert status == 0


def test_the_tasks_of_the_dag(conn: Connection, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated, as Airflow repeats what failed, each task has the same result."""
    from airflow.sdk.exceptions import AirflowFailException

    from pipeline import airflow_glue

    monkeypatch.setenv("CLAIMWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLAIMWATCH_DATABASE__DSN", dsn)
    monkeypatch.setattr(airflow_glue, "MAPPED_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}.warc.gz").write_bytes(written([filler(number)]))
    names = ("languages", "terms", "since", "until", "limit", "base", "publisher", "resume")
    form = {**dict.fromkeys(names), "kind": "warc", "source": str(tmp_path), "anything": True}
    dealt = airflow_glue.start_backfill(form, "manual__1")
    assert dealt == airflow_glue.start_backfill(form, "manual__1")
    assert [len(files) for files in dealt] == [2, 1]
    assert airflow_glue.read_backfill(dealt[0]) == {"no-response": 4, "stored": 2}
    assert airflow_glue.read_backfill(dealt[0]) == {}
    with pytest.raises(AirflowFailException, match="it can be resumed"):
        airflow_glue.finish_backfill(form, "manual__1")
    left = airflow_glue.start_backfill({**form, "resume": 1}, "manual__2")
    assert left == [dealt[1]]
    airflow_glue.read_backfill(left[0])
    done = airflow_glue.finish_backfill({**form, "resume": 1}, "manual__2")
    assert (done["state"], done["outcomes"]) == ("done", {"no-response": 6, "stored": 3})
    assert len(articles(conn)) == 3
    with pytest.raises(AirflowFailException, match="source: it has to name"):
        airflow_glue.start_backfill({**form, "source": ""}, "manual__3")
    with pytest.raises(AirflowFailException, match="no such file"):
        airflow_glue.start_backfill({**form, "source": str(tmp_path / "none")}, "manual__4")
