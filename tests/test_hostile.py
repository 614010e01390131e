"""What hostile and broken servers do to the real poll and fetch stages: a recorded outcome each, in bounded time and
memory, and the healthy hosts beside them are served. docs/fetching.md has the same table for readers.
"""

from __future__ import annotations

import gc
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import hostile
import hostile_server
import psutil
import pytest
from conftest import MovableClock, make_settings
from hostile import ADDRESS, REFUSED
from hostile_server import Server

from pipeline.adapters import http
from pipeline.adapters.addresses import system_resolver
from pipeline.adapters.database import Connection, rows
from pipeline.adapters.http import HttpClient
from pipeline.settings import Settings
from pipeline.stages import fetch, poll
from pipeline.stages.poll import add_feed
from pipeline.stages.services import Services

IDLE, TOTAL = 1.0, 4.0  # seconds; time-outs of these tests

# Host: outcome of a poll, outcome of a fetch. "https" and the like are the ports that the host is served on.
PLAIN = {
    "silent": ("timeout", "timeout"),
    "slow-headers": ("timeout", "timeout"),
    "slow-body": ("timeout", "timeout"),
    "early-hints": ("timeout", "timeout"),
    "endless": ("too-large", "too-large"),
    "endless-error": ("http-500", "http-500"),
    "gzip-bomb": ("too-large", "too-large"),
    "brotli-bomb": ("too-large", "too-large"),
    "zstd-bomb": ("too-large", "too-large"),
    "huge-header": ("protocol", "protocol"),
    "many-headers": ("changed", "fetched"),
    "said-to-be-huge": ("too-large", "too-large"),
    "length-too-long": ("protocol", "protocol"),
    "length-too-short": ("changed", "fetched"),
    "cut": ("protocol", "protocol"),
    "reset": ("protocol", "protocol"),
    "bad-chunks": ("protocol", "protocol"),
    "no-http": ("protocol", "protocol"),
    "empty": ("not-a-feed", "empty"),
    "not-modified": ("http-304", "http-304"),
    "false-charset": ("changed", "fetched"),
    "loop": ("too-many-redirects", "too-many-redirects"),
    "cookie-loop": ("too-many-redirects", "too-many-redirects"),
    **dict.fromkeys(REFUSED, ("address-refused", "address-refused")),
    "to-octal": ("protocol", "protocol"),
    "to-file": ("bad-url", "bad-url"),
    "to-password": ("bad-url", "bad-url"),
    "busy-seconds": ("http-429", "http-429"),
    "busy-date": ("http-429", "http-429"),
    "down": ("http-503", "http-503"),
    "good": ("changed", "fetched"),
}
SECURE = {
    "https": ("changed", "fetched"),
    "expired": ("tls", "robots-unreadable"),
    "wrong-name": ("tls", "robots-unreadable"),
    "half-tls": ("timeout", "robots-unreadable"),
    "cut-tls": ("tls", "robots-unreadable"),
    "no-tls": ("tls", "robots-unreadable"),
    "h2": ("changed", "fetched"),
    "h2-goaway": ("protocol", "protocol"),
    "h2-reset": ("protocol", "protocol"),
    "h2-headers": ("protocol", "protocol"),
    "h2-cut": ("protocol", "protocol"),
    "h2-garbage": ("timeout", "timeout"),
    "h2-stalled": ("timeout", "timeout"),
}
EXPECTED = {
    **{f"http://{n}.example": o for n, o in PLAIN.items()},
    **{f"https://{n}.example": o for n, o in SECURE.items()},
}


class Stages(Services):
    """The real services but for the names' addresses, which the hostile ones say themselves."""

    def __init__(self, settings: Settings, clock: MovableClock) -> None:
        super().__init__(settings)
        self.clock = clock  # type: ignore[assignment]
        self.asked: list[str] = []

    async def _resolve(self, name: str, port: int) -> list[str]:
        self.asked.append(name)
        if name == "inside.test":
            return ["127.0.0.1"]
        if name == "rebind.test":  # harmless when first asked, inside ever after
            return [ADDRESS] if self.asked.count(name) == 1 else ["127.0.0.1", "10.0.0.1"]
        return await system_resolver(name, port)  # numbers in all their spellings

    def http(self) -> HttpClient:
        return HttpClient(self.settings.fetch, resolver=self._resolve)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("hostile")) as server:
        yield server


@pytest.fixture
def settings(dsn: str, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Settings:
    context = ssl.create_default_context(cafile=str(server.folder / "authority.pem"))
    monkeypatch.setattr(http, "_tls", lambda: context)
    hosts = {}
    for name in SECURE:
        kind = "h2" if name.startswith("h2") else name
        hosts[f"{name}.example"] = f"{ADDRESS}:{server.ports[kind]}"
    hosts["*.example"] = f"{ADDRESS}:{server.ports['http']}"
    limits = {"idle_timeout": IDLE, "total_timeout": TOTAL, "connect_timeout": IDLE, "max_attempts": 1}
    return make_settings(
        tmp_path, dsn, fetch={"host_map": hosts, "allow_networks": [f"{ADDRESS}/32"], **limits}, lease=60.0
    )


@pytest.fixture
def stages(settings: Settings, clock: MovableClock) -> Stages:
    assert clock.now() + timedelta(hours=1) == hostile.BUSY_UNTIL
    return Stages(settings, clock)


def add_article(conn: Connection, stages: Stages, url: str) -> int:
    """An article that is to be fetched."""
    publisher = rows(conn, "feeds.add_publisher", name="P", family="P", country=None, language=None, kind=None)[0]
    found = conn.execute(
        "insert into ingest.articles (url, publisher_id, first_seen_at) values (%s, %s, %s) returning article_id",
        [url, publisher.publisher_id, stages.clock.now()],
    ).fetchone()
    host = url.split("/")[2].partition(":")[0]
    rows(conn, "work.add", stage="fetch", item_id=found.article_id, host=host, due_at=stages.clock.now())  # type: ignore[union-attr]
    return int(found.article_id)  # type: ignore[union-attr]


def polled(conn: Connection) -> dict[str, tuple[str, str]]:
    found = conn.execute("select url, last_outcome, last_problem from ingest.feeds").fetchall()
    return {r.url: (r.last_outcome, r.last_problem) for r in found}


def fetched(conn: Connection) -> dict[str, tuple[str, str]]:
    found = conn.execute(
        "select url, last_outcome, last_problem from ingest.articles where url like 'http%'"
    ).fetchall()
    return {r.url: (r.last_outcome, r.last_problem) for r in found}


def same(found: dict[str, tuple[str, str]], expected: dict[str, str]) -> None:
    assert set(found) == set(expected)
    other = {url: (told, expected[url]) for url, told in found.items() if told[0] != expected[url]}
    assert not other, "\n".join(f"{url}: {told}, expected {word}" for url, (told, word) in other.items())


def test_polls(conn: Connection, stages: Stages) -> None:
    for host in EXPECTED:
        assert add_feed(conn, stages, f"{host}/feed")
    begun = time.monotonic()
    report = poll.run(conn, stages, 500)
    assert time.monotonic() - begun < 4 * TOTAL
    assert report.claimed == len(EXPECTED) == sum(report.outcomes.values())
    found = polled(conn)
    same(found, {f"{host}/feed": words[0] for host, words in EXPECTED.items()})
    assert all(problem for word, problem in found.values() if word != "changed")


def test_fetches(conn: Connection, stages: Stages) -> None:
    for host in EXPECTED:
        add_article(conn, stages, f"{host}/a")
    begun = time.monotonic()
    report = fetch.run(conn, stages, 500)
    assert time.monotonic() - begun < 4 * TOTAL
    assert report.claimed == len(EXPECTED) == sum(report.outcomes.values())
    found = fetched(conn)
    same(found, {f"{host}/a": words[1] for host, words in EXPECTED.items()})
    assert all(problem for word, problem in found.values() if word != "fetched")
    # Whatever came of them, all go on, with the feed's own text where there is no page.
    assert conn.execute("select count(*) as n from ingest.work where stage = 'extract'").fetchone().n == len(EXPECTED)  # type: ignore[union-attr]


def test_memory_stays_bounded(conn: Connection, stages: Stages) -> None:
    """All that is big at once: 1.8 GB unpacked if nobody stopped it, and three bodies without end."""
    big = ["gzip-bomb", "brotli-bomb", "zstd-bomb", "endless", "endless-error", "huge-header", "said-to-be-huge"]
    for host in big:
        for n in range(3):
            add_article(conn, stages, f"http://{host}.example/{n}")
    gc.collect()
    stop, before = threading.Event(), psutil.Process().memory_info().rss
    peak = [before]
    watcher = threading.Thread(target=hostile_server.watch_memory, args=(stop, peak))
    watcher.start()
    fetch.run(conn, stages, 500)
    stop.set()
    watcher.join()
    caps = len(big) * 2 * stages.settings.fetch.max_body  # two requests at a time to each host
    assert peak[0] - before < caps + 50 * 2**20


def test_a_name_that_changes_its_address(conn: Connection, stages: Stages, server: Server) -> None:
    """The check is made of the address that is connected to, not of one that was looked up before."""
    port = server.ports["http"]
    for n in range(2):
        add_feed(conn, stages, f"http://rebind.test:{port}/feed{n}")
        poll.run(conn, stages, 10)
    words = [word for word, _ in polled(conn).values()]
    assert words == ["changed", "address-refused"]
    assert stages.asked == ["rebind.test"] * 2
    assert server.counts["rebind.test", "/feed0"] == 1
    assert ("rebind.test", "/feed1") not in server.counts


def test_a_rest_of_an_answer_is_no_next_answer(conn: Connection, stages: Stages) -> None:
    for n in range(4):
        add_article(conn, stages, f"http://length-too-short.example/{n}")
    assert fetch.run(conn, stages, 10).outcomes == {"fetched": 4}
    hashes = conn.execute("select distinct body_hash from ingest.pages").fetchall()
    assert len(hashes) == 1


@pytest.mark.parametrize("host", ["busy-seconds", "busy-date"])
def test_too_many_requests_pauses_the_whole_host(conn: Connection, stages: Stages, server: Server, host: str) -> None:
    """For feeds and articles alike, in this process and any other; what waits is put back, not counted as tried."""
    add_feed(conn, stages, f"http://{host}.example/feed")
    for n in range(5):
        add_article(conn, stages, f"http://{host}.example/{n}")
    assert poll.run(conn, stages, 10).outcomes == {"http-429": 1}
    before = dict(server.counts)
    assert fetch.run(conn, stages, 10).outcomes == {"not-its-turn": 5}
    assert server.counts == before
    paused = conn.execute(
        "select extract(epoch from paused_until - now())::float8 as rest, pause_reason from ingest.hosts"
    ).fetchone()
    assert paused.rest == pytest.approx(3600, abs=5)  # type: ignore[union-attr]
    assert "429" in paused.pause_reason  # type: ignore[union-attr]
    waiting = conn.execute("select due_at, attempts from ingest.work where stage = 'fetch'").fetchall()
    assert {w.attempts for w in waiting} == {0}
    assert min(w.due_at for w in waiting) > stages.clock.now() + timedelta(minutes=59)
    assert conn.execute("select due_at from ingest.work where stage = 'poll'").fetchone().due_at > (  # type: ignore[union-attr]
        stages.clock.now() + timedelta(minutes=59)
    )


def test_a_host_that_is_down_does_not_hold_up_a_batch(conn: Connection, stages: Stages, server: Server) -> None:
    """After three time-outs in a row the rest of its feeds is put back, by all processes."""
    for n in range(30):
        add_feed(conn, stages, f"http://silent.example/feed/{n}")
    add_feed(conn, stages, "http://good.example/feed")
    begun = time.monotonic()
    outcomes = poll.run(conn, stages, 100).outcomes
    assert time.monotonic() - begun < 3 * TOTAL
    assert outcomes["changed"] == 1
    assert 3 <= outcomes["timeout"] <= 4
    assert outcomes["not-its-turn"] == 30 - outcomes["timeout"]
    due = conn.execute("select min(due_at) as at from ingest.work where attempts = 0 and stage = 'poll'").fetchone()
    assert due.at > stages.clock.now() + timedelta(minutes=4)  # type: ignore[union-attr]


def entries(conn: Connection) -> int:
    return int(conn.execute("select count(*) as n from ingest.entries").fetchone().n)  # type: ignore[union-attr]


def test_an_etag_that_never_changes_hides_a_feed_for_a_day_at_most(
    conn: Connection, stages: Stages, clock: MovableClock
) -> None:
    add_feed(conn, stages, "http://lying-etag.example/feed")
    words = []
    for _ in range(30):
        report = poll.run(conn, stages, 10)
        words += list(report.outcomes)
        clock.move(hours=2)
    assert words[0] == "changed"
    assert "unchanged" in words
    assert words.count("changed") == entries(conn) >= 2  # 60 hours
    assert "http-304" not in words


def test_a_server_that_ignores_its_own_etag_is_seen_through(
    conn: Connection, stages: Stages, clock: MovableClock
) -> None:
    add_feed(conn, stages, "http://deaf-etag.example/feed")
    words = []
    for _ in range(3):
        words += list(poll.run(conn, stages, 10).outcomes)
        clock.move(days=1)
    assert words == ["changed", "unchanged", "unchanged"]
    assert entries(conn) == 1
