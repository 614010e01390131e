"""What the world sends on a bad day: each item gets a recorded outcome, and the rest of its batch goes on."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.smtp import SMTP
from claims_files import some_claims
from conftest import CLAIMS, ROOT, Bench, MovableClock, Serving, make_settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pipeline.adapters import database
from pipeline.adapters.database import Connection
from pipeline.adapters.encoder import Encoder
from pipeline.errors import ConfigurationError
from pipeline.newsroom import sink
from pipeline.settings import Settings
from pipeline.stages import announce, claims, notify
from pipeline.stages.poll import add_feed
from pipeline.stages.subscriptions import add_subscription

MEGABYTE = 2**20
IDLE, TOTAL = 1.0, 3.0  # seconds; time-outs of these tests
TEXT = (
    "The minister told reporters on Tuesday that the talks would go on for as long as they were useful to both sides. "
)
PAGE = "<html><head><title>{0}</title></head><body><article><h1>{0}</h1>" + f"<p>{TEXT}</p>" * 1
PAGE += "<p>Officials from three countries are expected to meet again in the capital before the end of the year.</p>"
PAGE += "</article></body></html>"


def feed(*items: str) -> bytes:
    return f'<rss version="2.0"><channel><title>News</title>{"".join(items)}</channel></rss>'.encode()


def item(**fields: str) -> str:
    return "<item>" + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items()) + "</item>"


class Sites:
    """What each address answers: bytes, or a handler. Everything else is a 404, robots.txt too."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.app = Starlette(routes=[Route("/{path:path}", self._respond)])

    async def _respond(self, request: Request) -> Response:
        found = self.answers.get(f"{request.headers['host'].partition(':')[0]}{request.url.path}")
        if found is None:
            return Response("nothing here", 404, media_type="text/plain")
        if isinstance(found, bytes | str):
            return Response(found, media_type="application/xml" if b"<rss" in _bytes(found) else "text/html")
        answer: Response = await found(request)
        return answer


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@pytest.fixture
def sites() -> Sites:
    return Sites()


@pytest.fixture
def settings(dsn: str, tmp_path: Path, sites: Sites) -> Iterator[Settings]:
    with Serving(sites.app) as port, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: a connection is refused
        hosts = {"closed.example": f"127.0.0.1:{closed.getsockname()[1]}", "*.example": f"127.0.0.1:{port}"}
        limits = {"idle_timeout": IDLE, "total_timeout": TOTAL, "max_attempts": 1}
        # Operating points well below the model's own: these tests are not about the model.
        points = {"accepted": 0.5, "suggested": 0.3}
        yield make_settings(tmp_path, dsn, fetch={"host_map": hosts, **limits}, match=points)


def outcomes(conn: Connection, stage: str) -> dict[int, tuple[str, str]]:
    found = conn.execute("select item_id, outcome, problem from ingest.outcomes where stage = %s", [stage]).fetchall()
    assert len({r.item_id for r in found}) == len(found)
    return {r.item_id: (r.outcome, r.problem) for r in found}


# Feeds --------------------------------------------------------------------------------------------------------


def test_feeds(bench: Bench, conn: Connection, sites: Sites, clock: MovableClock) -> None:
    good = feed(item(title="A good entry", link="http://good.example/1", guid="g1"))
    future = format_datetime(clock.now() + timedelta(days=400))
    sites.answers |= {
        "good.example/rss": good,
        "html.example/rss": "<!doctype html><html><body>We have moved.</body></html>",
        "nul.example/rss": feed(item(title="A tit@le", guid="n1", description="A sum@mary")).replace(b"@", b"\0"),
        "surrogate.example/rss": json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": "News\ud800",
                "items": [
                    {"id": "s\u0000\udfff1", "title": "Broken \ud800 and\u0000 dirty", "content_text": "Text\ud800."},
                    {"id": "s2", "url": "http://good.example/\ud800\u0000", "title": "A broken link"},
                ],
            }
        ).encode(),
        "bare.example/rss": feed(item(title="No link, no id, no date", description="Its text."), item(), "<item/>"),
        "future.example/rss": feed(item(title="From the future", guid="f1", pubDate=future, description="Its text.")),
    }
    names = ["closed", "html", "nul", "surrogate", "bare", "future", "good"]
    ids = {name: add_feed(conn, bench, f"http://{name}.example/rss") for name in names}
    report = bench.run(conn, "poll", "fetch", "extract")["poll"]
    assert report.outcomes == {"changed": 5, "connect": 1, "not-a-feed": 1}

    state = {r.feed_id: r for r in conn.execute("select * from ingest.feeds").fetchall()}
    recorded = outcomes(conn, "poll")
    for name, word, reason in (("closed", "connect", "connection failed"), ("html", "not-a-feed", "it is a web page")):
        row = state[ids[name]]  # type: ignore[index]
        assert (row.last_outcome, row.last_success_at, row.failures > 0) == (word, None, True)
        assert reason in row.last_problem
        assert recorded[row.feed_id] == (word, row.last_problem)
    titles = {
        r.title: r
        for r in conn.execute(
            "select e.*, v.published_at as dated, v.source as origin from ingest.entries e "
            "left join ingest.versions v using (article_id)"
        ).fetchall()
    }
    assert set(titles) == {
        "A good entry",
        "A title",
        "Broken \ufffd and dirty",
        "A broken link",
        "No link, no id, no date",
        "From the future",
    }
    assert titles["A title"].summary == "A summary"
    assert state[ids["surrogate"]].title == "News\ufffd"  # type: ignore[index]
    bare = titles["No link, no id, no date"]
    assert (bare.url, bare.published_at, bare.dated, bare.origin) == (None, None, clock.now(), "entry")
    assert titles["From the future"].dated == clock.now()  # it is told as of now, not as of next year

    # Polled again, no entry comes twice: the one without an id is known by its text.
    clock.move(days=2)
    sites.answers["bare.example/rss"] = feed(item(title="No link, no id, no date", description="Its text."), "<x/>")
    bench.run(conn, "poll")
    assert conn.execute("select count(*) from ingest.entries").fetchone()[0] == 6


# Pages --------------------------------------------------------------------------------------------------------


async def huge(_: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"<p>" + b"x" * MEGABYTE

    return StreamingResponse(pieces(), media_type="text/html")


def bomb() -> bytes:
    """200 MB of nothing, 200 kB on the wire."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(MEGABYTE)) for _ in range(200)) + packer.flush()


async def never(_: Request) -> Response:
    await asyncio.sleep(TOTAL + 1)
    return Response("too late", media_type="text/html")


async def drops(_: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(int(TOTAL / 0.25) + 8):
            yield b"<p>x"
            await asyncio.sleep(0.25)

    return StreamingResponse(pieces(), media_type="text/html")


def typed(body: bytes, content_type: str, **headers: str) -> Any:
    async def respond(_: Request) -> Response:
        return Response(body, headers={"content-type": content_type, **headers})

    return respond


RUSSIAN = "Министр сообщил журналистам, что переговоры продолжатся до конца года в столице, как и было решено раньше."


def test_pages(bench: Bench, conn: Connection, sites: Sites) -> None:
    russian = (
        f"<html><head><title>Переговоры продолжаются</title></head><body><article><p>{RUSSIAN}</p></article></body>"
    )
    sites.answers |= {
        "good.example/a": PAGE.format("The talks go on"),
        "huge.example/a": huge,
        "bomb.example/a": typed(bomb(), "text/html", **{"content-encoding": "gzip"}),
        "never.example/a": never,
        "drops.example/a": drops,
        "charset.example/a": typed(
            russian.replace("<head>", '<head><meta charset="windows-1251">').encode("cp1251"),
            "text/html; charset=utf-8",
        ),
        "garbled.example/a": typed(russian.encode("cp1251"), "text/html; charset=utf-8"),
        "unknown.example/a": typed(russian.encode(), "text/html; charset=klingon"),
        "textless.example/a": "<html><head><title></title></head><body><script>app()</script></body></html>",
        "forbidden.example/a": PAGE.format("Not for robots"),
        "forbidden.example/robots.txt": typed(b"User-agent: *\nDisallow: /", "text/plain"),
        "cut.example/a": typed(gzip.compress(PAGE.encode())[:-20], "text/html", **{"content-encoding": "gzip"}),
        "binary.example/a": typed(b"%PDF-1.7", "application/pdf"),
    }
    hosts = [name.partition(".")[0] for name in sites.answers if name.endswith("/a")]
    sites.answers["news.example/rss"] = feed(
        *(
            item(
                title=f"Entry of {host}", link=f"http://{host}.example/a", description=f"The feed's own text of {host}."
            )
            for host in [*hosts, "closed", "gone"]
        )
    )
    add_feed(conn, bench, "http://news.example/rss")
    reports = bench.run(conn, "poll", "fetch", "extract")
    assert reports["fetch"].claimed == reports["extract"].claimed == len(hosts) + 2
    assert sum(reports["fetch"].outcomes.values()) == reports["fetch"].claimed

    expected = {
        "good": ("fetched", "page"),
        "huge": ("too-large", "entry"),
        "bomb": ("too-large", "entry"),
        "never": ("timeout", "entry"),
        "drops": ("timeout", "entry"),
        "charset": ("fetched", "page"),
        "unknown": ("fetched", "page"),
        "garbled": ("fetched", "page"),  # no label is right: its letters tell
        "textless": ("fetched", "entry"),
        "forbidden": ("robots", "entry"),
        "cut": ("protocol", "entry"),
        "binary": ("wrong-type", "entry"),
        "closed": ("robots-unreadable", "entry"),  # an unreadable robots.txt means no
        "gone": ("http-404", "entry"),
    }
    fetched, extracted = outcomes(conn, "fetch"), outcomes(conn, "extract")
    query = (
        "select a.article_id, a.url, a.last_outcome, a.last_problem, v.source, v.title, v.language, "
        "(select string_agg(p.text, ' ' order by x.position) from ingest.appearances x "
        "join ingest.paragraphs p using (paragraph_id) where x.version_id = v.version_id) as text "
        "from ingest.articles a join ingest.versions v using (article_id)"
    )
    found = {r.url[7:].partition(".")[0]: r for r in conn.execute(query).fetchall()}
    assert set(found) == set(expected)
    for host, (outcome, source) in expected.items():
        row = found[host]
        assert row.source == source, host
        if outcome == "fetched":
            assert row.article_id not in fetched, host
        else:
            assert (row.last_outcome, row.last_problem) == fetched[row.article_id], host
            assert row.last_outcome == outcome, host
        if source == "entry":
            assert f"The feed's own text of {host}." in row.text
    assert extracted[found["textless"].article_id][0] == "no-text"
    assert "no article text" in extracted[found["textless"].article_id][1]
    for host in ("charset", "unknown", "garbled"):
        assert (found[host].language, RUSSIAN in found[host].text) == ("ru", True), host
    assert "not finished within" in found["drops"].last_problem
    assert "robots.txt" in found["forbidden"].last_problem


# Mail ---------------------------------------------------------------------------------------------------------


class Loop:
    """An asyncio loop in a thread, for servers."""

    def __enter__(self) -> Loop:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            await asyncio.sleep(0.05)  # connections that were just closed

        self.run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


class Picky:
    """Takes mail for some, not for others."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address.startswith("gone"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later"):
            return "451 4.7.1 greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.taken += envelope.rcpt_tos
        return "250 OK"


@contextmanager
def smtp_server(handler: Any) -> Iterator[int]:
    with Loop() as loop:

        async def start() -> asyncio.Server:
            return await loop.loop.create_server(lambda: SMTP(handler, hostname="test", loop=loop.loop), "127.0.0.1", 0)

        server = loop.run(start())
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            loop.loop.call_soon_threadsafe(server.close)


def mailing(bench: Bench, port: int, lease: float = 60.0, **values: Any) -> Bench:
    mail = {"host": "127.0.0.1", "port": port, "timeout": 0.5, **values}
    database_dsn = bench.settings.database.dsn
    assert database_dsn is not None
    settings = make_settings(bench.settings.home, database_dsn.get_secret_value(), mail=mail, lease=lease)
    return Bench(settings, bench.clock, bench.encoder)  # type: ignore[arg-type]


def queue(conn: Connection, bench: Bench, *names: str) -> None:
    note: Any = {"subject": "A note", "body": "Some words."}
    with conn.transaction():
        for name in names:
            now = bench.clock.now()
            announce.queue(conn, bench.settings, f"test/{name}", f"{name}@example.org", now, "operator", **note)


def alerts(conn: Connection) -> dict[str, tuple[str, str | None]]:
    found = conn.execute("select email, state, problem from ingest.alerts").fetchall()
    return {r.email.partition("@")[0]: (r.state, r.problem) for r in found}


def test_a_refused_recipient(bench: Bench, conn: Connection, clock: MovableClock) -> None:
    queue(conn, bench, "first", "gone", "later", "last")
    handler = Picky()
    with smtp_server(handler) as port:
        bench = mailing(bench, port, max_attempts=2)
        report = bench.run(conn, "notify")["notify"]
        assert report.outcomes == {"sent": 2, "smtp-550": 1, "smtp-451": 1}
        assert sorted(handler.taken) == ["first@example.org", "last@example.org"]
        found = alerts(conn)
        assert found["first"] == found["last"] == ("sent", None)
        assert found["gone"] == ("failed", "the mail server answered 550 for gone@example.org: 5.1.1 no such mailbox")
        assert found["later"][0] == "pending"
        assert "451" in str(found["later"][1])
        assert {word for word, _ in outcomes(conn, "notify").values()} == {"smtp-550", "smtp-451"}

        assert bench.run(conn, "notify")["notify"].claimed == 0  # not before its time
        clock.move(minutes=2)
        assert bench.run(conn, "notify")["notify"].outcomes == {"smtp-451": 1}
        assert alerts(conn)["later"][0] == "failed"
        assert "given up after 2 attempts" in str(alerts(conn)["later"][1])
        assert len(handler.taken) == 2


def test_no_mail_server(bench: Bench, conn: Connection, clock: MovableClock) -> None:
    queue(conn, bench, "a", "b", "c")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        report = mailing(bench, closed.getsockname()[1]).run(conn, "notify")["notify"]
    assert report.outcomes == {"smtp-down": 3}
    assert {state for state, _ in alerts(conn).values()} == {"pending"}
    assert all("no mail server at 127.0.0.1" in str(problem) for _, problem in alerts(conn).values())
    clock.move(minutes=2)
    handler = Picky()
    with smtp_server(handler) as port:
        assert mailing(bench, port).run(conn, "notify")["notify"].outcomes == {"sent": 3}
    assert sorted(handler.taken) == ["a@example.org", "b@example.org", "c@example.org"]


def test_a_mail_server_that_hangs(bench: Bench, conn: Connection, clock: MovableClock) -> None:
    queue(conn, bench, "a", "b")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)  # takes the connection and says nothing
        report = mailing(bench, silent.getsockname()[1]).run(conn, "notify")["notify"]
    assert report.outcomes == {"smtp-down": 2}
    assert all(state == "pending" and "timed out" in str(problem) for state, problem in alerts(conn).values())


def test_a_mail_server_that_hangs_does_not_cost_each_mail_a_time_out(
    bench: Bench, conn: Connection, clock: MovableClock
) -> None:
    queue(conn, bench, *"abcdef")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        bench = mailing(bench, silent.getsockname()[1])
        begun = time.monotonic()
        report = notify.run(conn, bench, 100)
        assert time.monotonic() - begun < 2.5  # two time-outs of half a second
    assert report.outcomes == {"smtp-down": 6}
    tried = conn.execute("select count(*) from ingest.alerts where tried_at is not null").fetchone()[0]
    assert tried == 2
    clock.move(minutes=2)
    handler = Picky()
    with smtp_server(handler) as port:
        assert mailing(bench, port).run(conn, "notify")["notify"].outcomes == {"sent": 6}


def test_a_full_disk(bench: Bench, conn: Connection, clock: MovableClock, tmp_path: Path) -> None:
    """The sink says so, the alert waits, and is delivered once when there is room."""
    mbox = tmp_path / "mail.mbox"
    mbox.symlink_to("/dev/full")
    queue(conn, bench, "a", "b")
    with Loop() as loop:
        server = loop.run(sink.serve(mbox))
        bench = mailing(bench, server.sockets[0].getsockname()[1])
        assert bench.run(conn, "notify")["notify"].outcomes == {"smtp-452": 2}
        assert all(state == "pending" and "storage" in str(problem) for state, problem in alerts(conn).values())
        mbox.unlink()
        clock.move(minutes=2)
        assert bench.run(conn, "notify")["notify"].outcomes == {"sent": 2}
        clock.move(minutes=20)
        assert bench.run(conn, "notify")["notify"].claimed == 0
        loop.loop.call_soon_threadsafe(server.close)
    assert sorted(m["To"] for m in sink.read(mbox)) == ["a@example.org", "b@example.org"]


# Configuration ------------------------------------------------------------------------------------------------


def command(home: Path, dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLAIMWATCH_")}
    return subprocess.run(
        [sys.executable, "-c", "from pipeline.cli import main; main()", *arguments],
        env={**kept, "PYTHONPATH": str(ROOT), "CLAIMWATCH_HOME": str(home), "CLAIMWATCH_DATABASE__DSN": dsn},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


WRONG = [
    "postgresql://claimwatch:s3cret@127.0.0.1:1/news",
    "host=127.0.0.1 port=1 user=claimwatch password=s3cret dbname=news",
    "claimwatch:s3cret@127.0.0.1/news",
    "postgresql://claimwatch:s3cret@127.0.0.1:1:2/news",
    "postgresql://claimwatch:s3cret@[127.0.0.1/news",
    "host=127.0.0.1 pasword=s3cret",
    "host=127.0.0.1 port=1 password='s3cret",
    "postgresql://127.0.0.1:1/news?user=claimwatch&password=s3cret&sslpassword=s3cret",
]


@pytest.mark.parametrize("dsn", WRONG)
def test_a_wrong_dsn(tmp_path: Path, dsn: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        database.connect(make_settings(tmp_path, dsn))
    assert "s3cret" not in str(caught.value)
    assert "CLAIMWATCH_DATABASE__DSN" in str(caught.value)


def test_a_wrong_dsn_on_the_command_line(tmp_path: Path) -> None:
    done = command(tmp_path, WRONG[2], "poll")
    assert done.returncode == 2
    assert "CLAIMWATCH_DATABASE__DSN" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


# Claims -------------------------------------------------------------------------------------------------------


def test_a_claims_file_with_a_typo(tmp_path: Path, dsn: str, conn: Connection) -> None:
    lines = CLAIMS.read_text(encoding="utf-8").splitlines(keepends=True)
    at = [number for number, line in enumerate(lines) if line.strip() == "phrasings:"][3]
    lines[at] = lines[at].replace("phrasings", "phrasing")
    file = tmp_path / "typo.yaml"
    file.write_text("".join(lines), encoding="utf-8")
    done = command(tmp_path, dsn, "claims", "load", str(file))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"claimwatch: {file}:{at - 2}: a claim lacks 'phrasings'",
        f"{file}:{at + 1}: a claim has no key 'phrasing'; known are id, statement, phrasings, title, refutations, "
        "updates, decoys, groups, figures",
    ]
    for table in ("topics", "claims", "claim_versions"):
        assert (
            conn.execute(
                psycopg.sql.SQL("select count(*) from {}").format(psycopg.sql.Identifier("ingest", table))
            ).fetchone()[0]
            == 0
        )


class Levelled:
    """The session's encoder with all figures read as one: many texts, few of them to encode."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.weights_hash, self.dimensions = encoder.name, encoder.weights_hash, encoder.dimensions

    def encode(self, texts: list[str]) -> Any:
        plain = [re.sub(r"\d+", "40", text) for text in texts]
        different = list(dict.fromkeys(plain))
        vectors = dict(zip(different, self._encoder.encode(different), strict=True))
        return self._encoder.encode([]) if not texts else [vectors[text] for text in plain]


@pytest.fixture
def watching(bench: Bench, conn: Connection, tmp_path: Path) -> Iterator[tuple[Bench, Path]]:
    """One claim, one reader, a mail server."""
    file = some_claims(tmp_path, "killed-in-kursk")
    claims.load(conn, bench, file)
    add_subscription(conn, "desk@example.org", bench.clock.now())
    bench.encoder = Levelled(bench.encoder)  # type: ignore[assignment]
    yield bench, file


@pytest.mark.model
def test_claims_keep_their_history(
    watching: tuple[Bench, Path], conn: Connection, sites: Sites, clock: MovableClock
) -> None:
    bench, file = watching
    text = "At least 100 North Korean soldiers have been killed in Russia's Kursk region, Seoul's spy agency said."
    sites.answers["news.example/rss"] = feed(item(title="North Korean dead", guid="1", description=text))
    add_feed(conn, bench, "http://news.example/rss")
    way = ("poll", "extract", "embed", "group", "match", "track")
    bench.run(conn, *way)

    def matches() -> list[tuple[int, str]]:
        query = (
            "select v.version, m.sentence from ingest.matches m join ingest.claim_versions v using (claim_version_id)"
        )
        return [tuple(r) for r in conn.execute(query + " order by match_id").fetchall()]

    first = matches()
    assert {version for version, _ in first} == {1}
    assert (1, text) in first
    sent = conn.execute("select count(*) from ingest.alerts").fetchone()[0]
    assert sent == 1

    loaded = claims.load(conn, bench, file)
    assert (loaded.unchanged, loaded.added, loaded.changed) == (["killed-in-kursk"], [], [])
    assert bench.run(conn, "match")["match"].claimed == 0

    edited = file.read_text(encoding="utf-8").replace(
        "    en:\n", "    en:\n    - North Korean troops fell near Sudzha.\n", 2
    )
    file.write_text(edited, encoding="utf-8")
    assert claims.load(conn, bench, file).changed == ["killed-in-kursk"]
    clock.move(minutes=1)
    bench.run(conn, "match", "track")
    after = matches()
    assert after[: len(first)] == first  # what was found keeps the wording that found it
    assert (2, text) in after
    versions = conn.execute(
        "select version, claim_version_id = current_version_id from ingest.claim_versions v "
        "join ingest.claims c using (claim_id) order by version"
    ).fetchall()
    assert [tuple(r) for r in versions] == [(1, False), (2, True)]
    assert conn.execute("select count(*) from ingest.alerts").fetchone()[0] == sent  # the same story: no second mail


@pytest.mark.model
def test_a_backfill_sends_no_mail(
    watching: tuple[Bench, Path], conn: Connection, sites: Sites, clock: MovableClock
) -> None:
    """A thousand matching reports of last year: accepted as evidence, told as archive, mailed to nobody."""
    bench, _ = watching
    forms = (
        "At least {n} North Korean soldiers have been killed in Russia's Kursk region, Seoul's spy agency said.",
        "Ukraine's military says {n} North Korean troops were killed in fighting in the Kursk region.",
        "{n} North Korean soldiers were killed in combat in Kursk, according to the National Intelligence Service.",
    )
    old = clock.now() - timedelta(days=365)
    sites.answers["archive.example/rss"] = feed(
        *(
            item(
                title="North Korean losses in Kursk",
                guid=f"old-{n}",
                pubDate=format_datetime(old - timedelta(minutes=n)),
                description=forms[n % len(forms)].format(n=100 + n),
            )
            for n in range(1000)
        )
    )
    add_feed(conn, bench, "http://archive.example/rss")
    reports = bench.run(conn)
    assert reports["extract"].claimed == 1000
    assert reports["match"].counts["accepted"] >= 1000
    assert reports["notify"].claimed == 0
    assert conn.execute("select count(*) from ingest.alerts").fetchone()[0] == 0
    kinds = conn.execute("select kind, count(*) as events from ingest.claim_events group by kind").fetchall()
    told = conn.execute("select count(*) from ingest.stories").fetchone()[0]
    assert [(r.kind, r.events) for r in kinds] == [("archive", told)]
