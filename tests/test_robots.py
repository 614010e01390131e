"""robots.txt: read, kept for a day, shared between processes; asked for wherever a redirect leads."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from http_site import Handler, answer, fixed, routes, serving

from pipeline.adapters.database import Connection
from pipeline.adapters.hosts import HostTable
from pipeline.adapters.http import HttpClient
from pipeline.adapters.robots import KEPT, RETRY, UNREADABLE_FOR, Known, Robots, RobotsAnswer
from pipeline.adapters.web import Web
from pipeline.errors import PermanentError, TransientError
from pipeline.settings import Settings

RULES = b"""User-agent: *
Disallow: /private
Crawl-delay: 7

User-agent: claimwatch
Disallow: /ours
Crawl-delay: 500
"""


def ask(handler: Handler, url: str = "http://paper.test/a", **options: Any) -> RobotsAnswer:
    async def run() -> RobotsAnswer:
        async with serving(handler, **options) as (_, client), Web(HttpClient(client.settings), robots=True) as web:
            assert web.robots is not None
            return await web.robots.allowed(url)

    return asyncio.run(run())


def test_robots_rules() -> None:
    site = routes({"/robots.txt": answer(200, RULES)})
    assert ask(site).allowed
    assert ask(site).crawl_delay == 120.0  # capped
    no = ask(site, "http://paper.test/ours/x?y")
    assert (no.allowed, no.reason) == (False, "disallowed")
    assert "/ours/x?y" in no.detail
    assert ask(site, "http://paper.test/private").allowed  # our own group counts, not the general one
    moved = routes({"/robots.txt": answer(301, location="/r"), "/r": answer(200, b"User-agent: *\nDisallow: /\n")})
    assert not ask(moved).allowed


@pytest.mark.parametrize(
    ("status", "allowed", "reason"),
    [
        (404, True, "no-robots"),
        (403, True, "no-robots"),
        (429, False, "robots-unreadable"),
        (500, False, "robots-unreadable"),
        (503, False, "robots-unreadable"),
    ],
)
def test_robots_statuses(status: int, allowed: bool, reason: str) -> None:
    got = ask(fixed(answer(status)))
    assert (got.allowed, got.reason) == (allowed, reason)


def test_robots_that_can_not_be_had() -> None:
    async def hang(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    assert ask(hang, idle_timeout=0.2).reason == "robots-unreadable"
    assert ask(fixed(answer(302, location="/robots.txt"))).reason == "no-robots"
    big = b"User-agent: *\nDisallow: /a\n" + b"# padding\n" * 100_000
    assert not ask(fixed(answer(200, big))).allowed
    for rubbish in (b"\xff\xfe\0\0", b"<html>Disallow: /", b"Disallow", b"User-agent: *\nCrawl-delay: x\n"):
        assert ask(fixed(answer(200, rubbish))).allowed


class Moving:
    """Time that a test moves."""

    at = 1000.0

    def now(self) -> float:
        return self.at


def robots_of(client: Any, time: Moving, memory: Any = None) -> Robots:
    async def get(url: str) -> Any:
        return await client.get(url, max_body=10**6, truncate=True)

    return Robots(get, memory, now=time.now)


def test_robots_are_kept_for_a_day_and_asked_for_once() -> None:
    async def run() -> None:
        async with serving(routes({"/robots.txt": answer(200, RULES)})) as (site, client):
            time = Moving()
            robots = robots_of(client, time)
            await asyncio.gather(*(robots.allowed(f"http://paper.test/{n}") for n in range(20)))
            assert [path for path, _, _ in site.seen] == ["/robots.txt"]
            time.at += KEPT - 1
            await robots.allowed("http://paper.test/x")
            assert len(site.seen) == 1
            time.at += 1
            await robots.allowed("http://paper.test/x")
            await robots.allowed("http://other.test/x")
            assert len(site.seen) == 3

    asyncio.run(run())


def test_an_unreadable_one_means_no_for_thirty_days_and_then_the_last_copy_counts() -> None:
    async def run() -> None:
        async with serving(routes({"/robots.txt": answer(200, RULES)})) as (site, client):
            time = Moving()
            robots = robots_of(client, time)
            assert (await robots.allowed("http://paper.test/x")).allowed
            site.handler = fixed(answer(500))
            begun = time.at = time.at + KEPT
            asked = len(site.seen)
            while time.at < begun + UNREADABLE_FOR:
                assert (await robots.allowed("http://paper.test/x")).reason == "robots-unreadable"
                time.at += RETRY
            assert 30 < len(site.seen) - asked < 60  # ever less often, once a day in the end
            time.at += KEPT
            assert (await robots.allowed("http://paper.test/x")).allowed
            assert not (await robots.allowed("http://paper.test/ours")).allowed
            site.handler = fixed(answer(200, b"User-agent: *\nDisallow: /x"))
            time.at += KEPT
            assert not (await robots.allowed("http://paper.test/x")).allowed
            assert (await robots.allowed("http://paper.test/ours")).allowed

    asyncio.run(run())


def test_never_readable_for_thirty_days_is_no_robots() -> None:
    class Old:
        def robots(self, origins: list[str]) -> dict[str, Known]:
            return {origins[0]: Known("unreadable", "500", None, 100.0, UNREADABLE_FOR)} if origins else {}

        def keep_robots(self, *_: Any) -> None:
            raise AssertionError("it was not asked for")

    async def run() -> RobotsAnswer:
        return await Robots(None, Old()).allowed("http://paper.test/x")  # type: ignore[arg-type]

    assert asyncio.run(run()).reason == "no-robots"


def table(conn: Connection, settings: Settings) -> HostTable:
    return HostTable(conn, uuid.uuid4(), settings)


def test_all_processes_share_what_one_has_read(conn: Connection, settings: Settings) -> None:
    async def run() -> None:
        async with serving(routes({"/robots.txt": answer(200, RULES)})) as (site, client):
            for _ in range(3):
                robots = robots_of(client, Moving(), table(conn, settings))
                table(conn, settings).take(["paper.test"])
                robots.look_up(["http://paper.test/a", "http://[bad/"])
                assert not (await robots.allowed("http://paper.test/ours")).allowed
            assert len(site.seen) == 1
            kept = conn.execute("select * from ingest.robots").fetchone()
            assert (kept.outcome, kept.crawl_delay, kept.body.encode()) == ("rules", 120.0, RULES)  # type: ignore[union-attr]

            # A day later it is asked for again; unreadable now, it is by the next process too, and its text is kept.
            day = "read_at = read_at - interval '1 day', expires_at = expires_at - interval '1 day'"
            conn.execute(f"update ingest.robots set {day}")
            site.handler = fixed(answer(503))
            for _ in range(2):
                robots = robots_of(client, Moving(), table(conn, settings))
                assert (await robots.allowed("http://paper.test/a")).reason == "robots-unreadable"
            assert len(site.seen) == 2
            conn.execute(f"update ingest.robots set unreadable_since = unreadable_since - interval '30 days', {day}")
            robots = robots_of(client, Moving(), table(conn, settings))
            assert (await robots.allowed("http://paper.test/a")).allowed
            assert not (await robots.allowed("http://paper.test/ours")).allowed

            # A clock that was put back: what was read in the future is read again.
            conn.execute("update ingest.robots set read_at = read_at + interval '9 years', expires_at = 'infinity'")
            asked = len(site.seen)
            await robots_of(client, Moving(), table(conn, settings)).allowed("http://paper.test/a")
            assert len(site.seen) == asked + 1

    asyncio.run(run())


def test_a_redirect_asks_the_site_that_it_leads_to() -> None:
    async def handler(path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bytes:
        host = headers["host"]
        if path == "/robots.txt":
            return {"closed.test": answer(200, b"User-agent: *\nDisallow: /"), "ill.test": answer(500)}.get(
                host, answer(404)
            )
        return answer(302, location=f"http://{path[1:]}.test/x") if host == "short.test" else answer(200, b"page")

    async def run() -> None:
        async with serving(handler) as (site, client), Web(HttpClient(client.settings), robots=True) as web:
            assert (await web.get("http://short.test/open", max_body=99)).body == b"page"
            with pytest.raises(PermanentError) as refused:
                await web.get("http://short.test/closed", max_body=99)
            assert (refused.value.code, "closed.test" in str(refused.value)) == ("robots", True)
            with pytest.raises(TransientError) as unreadable:
                await web.get("http://short.test/ill", max_body=99)
            assert unreadable.value.code == "robots-unreadable"
            assert [headers["host"] for path, headers, _ in site.seen if path == "/x"] == ["open.test"]

    asyncio.run(run())
