"""One article, however many addresses lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trafilatura  # noqa: F401  # its own warnings at import belong to no test
from conftest import Bench, FakeEncoder, MovableClock, Serving, make_settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pipeline.adapters.database import Connection, row
from pipeline.logic.identity import Claimed, alike, claimed
from pipeline.logic.schedule import PollOutcome
from pipeline.model import ParsedEntry, ParsedFeed
from pipeline.settings import Settings
from pipeline.stages.poll import add_feed
from pipeline.stages.poll_store import Poll, Polled, store_entries
from pipeline.stages.work import Item

CHANGED = PollOutcome.CHANGED

BODY = (
    "The minister told reporters on Tuesday that the talks would go on for as long as they were useful to both sides. "
    "Officials from three countries are expected to meet again in the capital before the end of the year. "
)
A, B, C = "http://paper.example/a", "http://paper.example/b", "http://paper.example/c"


# What is believed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page_url", "canonical_url", "expected"),
    [
        (A, None, []),
        (A, A + "?utm_source=x", []),
        (B, None, [Claimed(B, "redirect")]),
        ("https://elsewhere.test/x", None, [Claimed("https://elsewhere.test/x", "redirect")]),
        ("http://paper.example/", None, []),
        (A, C, [Claimed(C, "canonical")]),
        (A, "/c", [Claimed(C, "canonical")]),
        (A, "http://www.paper.example/c", [Claimed("http://www.paper.example/c", "canonical")]),
        (A, "https://elsewhere.test/c", []),
        (A, "http://paper.example/", []),
        (A, "javascript:x", []),
        (B, C, [Claimed(B, "redirect"), Claimed(C, "canonical")]),
        (B, B, [Claimed(B, "redirect")]),
        ("https://elsewhere.test/x", C, [Claimed("https://elsewhere.test/x", "redirect")]),
        (None, C, [Claimed(C, "canonical")]),
    ],
)
def test_claimed(page_url: str | None, canonical_url: str | None, expected: list[Claimed]) -> None:
    assert claimed(A, page_url, canonical_url) == expected


def test_titles_alike() -> None:
    assert alike("Troops leave for the front", "Troops leave for the front | Paper")
    assert alike("북한군 1만 명 러시아 파병 확인", "북한군 1만명 러시아 파병 확인돼")
    assert alike("Troops leave for the front, ministry says", "Troops left for the front, ministry said")
    assert not alike("Troops leave for the front", "Bakery wins a prize")
    assert not alike("", "")
    assert not alike("War", "Warsaw welcomes a conference of bakers")


# What is stored -------------------------------------------------------------------------------------------------


class Site:
    """Pages of paper.example: a text with an optional canonical link, or an address to be sent to."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, str | None]] = {}
        self.moved: dict[str, str] = {}
        self.app = Starlette(routes=[Route("/{path:path}", self._answer)])

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if path in self.moved:
            return RedirectResponse(self.moved[path], 301)
        if path not in self.pages:
            return Response("nothing", 404)
        title, canonical = self.pages[path]
        link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
        article = f"<h1>{title}</h1>" + f"<p>{title}. {BODY}</p>" * 2
        return Response(
            f"<html><head><title>{title}</title>{link}</head><body><article>{article}</article></body></html>",
            media_type="text/html",
        )


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def settings(dsn: str, tmp_path: Path, site: Site) -> Iterator[Settings]:
    with Serving(site.app) as port:
        hosts = {"*.example": f"127.0.0.1:{port}"}
        yield make_settings(tmp_path, dsn, fetch={"host_map": hosts, "max_attempts": 1})


@pytest.fixture
def bench(settings: Settings, clock: MovableClock) -> Bench:
    return Bench(settings, clock, FakeEncoder())  # type: ignore[arg-type]


class Desk:
    """Feeds whose entries are given, and what became of them."""

    def __init__(self, bench: Bench, conn: Connection) -> None:
        self.bench, self.conn, self.feeds = bench, conn, 0

    def announce(self, *entries: tuple[str, str]) -> None:
        """A new feed with entries (address, title)."""
        self.feeds += 1
        self.polled(f"feed{self.feeds}", *(ParsedEntry(url, url, title) for url, title in entries))

    def polled(self, name: str, *entries: ParsedEntry) -> int:
        """A new feed was polled; how many of its entries were stored."""
        feed_id = add_feed(self.conn, self.bench, f"http://paper.example/{name}")
        assert feed_id is not None
        feed = row(self.conn, "feeds.to_poll", feed_ids=[feed_id])
        poll = Poll(Item(feed_id, 1, ""), feed, Polled("changed", CHANGED, parsed=ParsedFeed("rss", "", entries)))
        with self.conn.transaction():
            return len(store_entries(self.conn, self.bench, [poll], self.bench.clock.now())[0])

    def run(self) -> dict[str, int]:
        """Outcomes of extract."""
        reports = self.bench.run(self.conn, "fetch", "extract")
        return dict(reports["extract"].outcomes)

    def entries(self) -> dict[str, str]:
        """Address of each entry, and that of the article it belongs to."""
        found = self.conn.execute(
            "select e.url, a.url as main from ingest.entries e join ingest.articles a using (article_id)"
        )
        return {each[0]: each[1] for each in found}

    def aliases(self) -> set[tuple[str, str, str]]:
        found = self.conn.execute(
            "select u.url, a.url as main, u.known_from from ingest.article_urls u "
            "join ingest.articles a using (article_id)"
        )
        return {(each[0], each[1], each[2]) for each in found}

    def texts(self) -> dict[str, int]:
        found = self.conn.execute(
            "select a.url, count(*) from ingest.versions v join ingest.articles a using (article_id) group by a.url"
        )
        return {each[0]: each[1] for each in found}


@pytest.fixture
def desk(bench: Bench, conn: Connection) -> Desk:
    return Desk(bench, conn)


def test_a_redirect_is_recorded_and_later_entries_follow_it(desk: Desk, site: Site) -> None:
    site.pages["/c"] = ("Troops leave", None)
    site.moved["/a"] = C
    desk.announce((A, "Troops leave"))
    assert desk.run() == {"extracted": 1}
    assert desk.aliases() == {(C, A, "redirect")}
    desk.announce((C, "Troops leave"), (C + "?utm_source=rss", "Troops leave again"))
    assert desk.run() == {}
    assert set(desk.entries().values()) == {A}
    assert desk.texts() == {A: 1}


def test_two_addresses_of_one_page_become_one_article(desk: Desk, site: Site) -> None:
    site.pages["/a"] = ("Troops leave", C)
    site.pages["/b"] = ("Troops leave", C)
    desk.announce((A, "Troops leave"))
    desk.announce((B, "Troops leave, ministry says"))
    assert desk.run() == {"extracted": 1, "same-article": 1}
    (main,) = desk.texts()
    assert desk.entries() == {A: main, B: main}
    other = B if main == A else A
    assert desk.aliases() == {(C, main, "canonical"), (other, main, "entry")}
    desk.announce((other, "Troops leave"))
    assert desk.run() == {}


@pytest.mark.parametrize("first", [A, C])
def test_the_page_of_an_announced_article(desk: Desk, site: Site, first: str) -> None:
    """Whichever of them is read first, both entries end at the one that has the text."""
    site.pages["/a"] = ("Troops leave", C)
    site.pages["/c"] = ("Troops leave", C)
    second = C if first == A else A
    desk.announce((first, "Troops leave"))
    desk.run()
    desk.announce((second, "A title that was edited beyond recognition"))
    desk.run()
    assert set(desk.entries().values()) == {first}
    assert desk.texts() == {first: 1}


def test_both_waiting_at_once(desk: Desk, site: Site) -> None:
    site.pages["/a"] = ("Troops leave", C)
    site.pages["/c"] = ("Troops leave", None)
    desk.announce((A, "Troops leave"), (C, "Troops leave"))
    assert desk.run() == {"extracted": 1, "same-article": 1}
    assert len(desk.texts()) == 1
    assert set(desk.entries().values()) == set(desk.texts())


def test_unlike_articles_sent_to_one_page_stay_apart(desk: Desk, site: Site) -> None:
    site.pages["/login"] = ("Please sign in to read on", None)
    site.moved |= {"/a": "/login", "/b": "/login", "/c": "/"}
    site.pages["/"] = ("The paper", None)
    desk.announce((A, "Troops leave for the front"), (B, "Bakery wins a prize"), (C, "Bridge opens"))
    desk.run()
    assert desk.entries() == {A: A, B: B, C: C}
    assert {known_from for _, _, known_from in desk.aliases()} == {"redirect"}
    assert len(desk.aliases()) == 1


def test_nothing_is_lost_where_both_have_texts(desk: Desk, site: Site, conn: Connection, clock: MovableClock) -> None:
    site.pages["/a"] = ("Troops leave", None)
    site.pages["/b"] = ("Troops leave", None)
    desk.announce((A, "Troops leave"), (B, "Troops leave"))
    assert desk.run() == {"extracted": 2}
    site.pages["/b"] = ("Troops leave", A)
    conn.execute(
        "update ingest.work set due_at = %s "
        "where stage = 'fetch' and item_id = (select article_id from ingest.articles where url = %s)",
        [clock.now(), B],
    )
    assert desk.run() == {"same-article": 1}
    assert desk.entries() == {A: A, B: A}
    assert desk.texts() == {A: 1, B: 1}
    problem: Any = conn.execute("select last_problem from ingest.articles where url = %s", [B]).fetchone()
    assert A in problem[0]
    looks: Any = conn.execute("select count(*) from ingest.work where stage = 'fetch'").fetchone()
    assert looks == (1,)  # at the one that stays


def test_an_entry_that_says_nothing_is_not_stored(desk: Desk, conn: Connection) -> None:
    silent = ParsedEntry("k", None, "", author="A. Writer", published=datetime(2024, 1, 1, tzinfo=UTC))
    assert desk.polled("empty", silent, ParsedEntry("t", None, "A title"), ParsedEntry("t", None, "Again")) == 1
