"""Looking after feeds, on a real database and real servers: found, checked, imported, edited, polled, told about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import Bench, FakeEncoder, MovableClock, Serving, make_settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.adapters.database import Connection, rows
from pipeline.errors import ConfigurationError, PermanentError
from pipeline.logic import opml
from pipeline.logic.opml import Outline
from pipeline.settings import Settings
from pipeline.stages import feed_check, poll, sources
from pipeline.stages.poll import add_feed

RSS = "application/rss+xml"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def rss(*names: str, at: datetime | dict[str, datetime] | None = None, more: str = "") -> bytes:
    """A feed of entries with these names, `at` a date for all or for each."""
    items = ""
    for name in names:
        date = at.get(name) if isinstance(at, dict) else at
        items += f"<item><title>{name}</title><guid>{name}</guid><description>Text.</description>"
        items += f"<pubDate>{format_datetime(date)}</pubDate></item>" if date else "</item>"
    return f'<rss version="2.0"><channel><title>The News</title>{more}{items}</channel></rss>'.encode()


class Web:
    """Answers by address: bytes, a status, or (status, headers, bytes). Everything else is a 404. `asked` counts."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self.app = Starlette(routes=[Route("/{path:path}", self._respond)])

    async def _respond(self, request: Request) -> Response:
        address = request.headers["host"].partition(":")[0] + request.url.path
        self.asked.append(address)
        found = self.answers.get(address, 404)
        status, headers, body = found if isinstance(found, tuple) else (200, {}, found)
        if isinstance(body, int):
            status, body = body, b"no"
        if headers.get("etag") and request.headers.get("if-none-match") == headers["etag"]:
            status, body = 304, b""
        kind = RSS if b"<rss" in body else "text/html"
        return Response(body, status, headers={"content-type": kind, **headers})


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def settings(dsn: str, tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    with Serving(web.app) as port:
        hosts = {"*.example": f"127.0.0.1:{port}"}
        monkeypatch.setenv("CLAIMWATCH_FETCH__HOST_MAP", json.dumps(hosts))
        monkeypatch.setenv("CLAIMWATCH_FETCH__ALLOW_NETWORKS", '["127.0.0.0/8"]')
        monkeypatch.setenv("CLAIMWATCH_FETCH__HOST_DELAY", "0")
        yield make_settings(tmp_path, dsn, fetch={"host_map": hosts})


@pytest.fixture
def bench(settings: Settings, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(Settings, "clock", lambda _self: clock)
    return Bench(settings, clock, FakeEncoder())  # type: ignore[arg-type]


def feed(conn: Connection, word: object = 1) -> Any:
    return sources.find(conn, str(word))


def health(conn: Connection) -> dict[str, Any]:
    return {r.url: r for r in conn.execute("select * from analysis.feed_health").fetchall()}


# Finding feeds ------------------------------------------------------------------------------------------------


def test_a_page_names_its_feed(web: Web, bench: Bench) -> None:
    page = (
        '<html><head><link rel="alternate" type="application/rss+xml" href="/comments/feed" title="Comments">'
        '<link rel="alternate" type="application/rss+xml" href="http://news.example/rss">'
        '<link rel="alternate" type="application/atom+xml" href="/dead"></head><body>Hello</body></html>'
    )
    web.answers |= {
        "news.example/": page.encode(),
        "news.example/rss": rss("a", "b"),
        "news.example/comments/feed": rss("c"),
    }
    found = feed_check.discover(bench, "http://news.example/")
    assert [(one.url, one.how, one.outcome) for one in found] == [
        ("http://news.example/rss", "linked", "feed"),
        ("http://news.example/comments/feed", "linked", "feed"),
        ("http://news.example/", "given", "not-a-feed"),
        ("http://news.example/dead", "linked", "http-404"),
    ]
    assert (found[0].title, found[0].entries, found[0].format) == ("The News", 2, "rss")


def test_feeds_are_looked_for_where_they_often_stand(web: Web, bench: Bench) -> None:
    web.answers |= {
        "plain.example/world": b"<html><body>News</body></html>",
        "plain.example/robots.txt": (
            200,
            {"content-type": "text/plain"},
            b"User-agent: *\nDisallow: /rss\nAllow: /rss.xml",
        ),
        "plain.example/rss": rss("hidden"),
        "plain.example/rss.xml": rss("a"),
    }
    found = feed_check.discover(bench, "http://plain.example/world")
    assert (found[0].url, found[0].how) == ("http://plain.example/rss.xml", "guessed")
    assert "plain.example/rss" not in web.asked  # robots.txt says no
    assert "plain.example/atom.xml" not in web.asked  # the first that is a feed ends the search
    assert {one.outcome for one in found[1:]} == {"not-a-feed", "http-404", "robots"}

    nothing = feed_check.discover(bench, "http://empty.example/")
    assert [one.outcome for one in nothing] == ["http-404"]  # a site that does not answer is not searched


def test_add_by_a_pages_address(command: Any, web: Web, bench: Bench, conn: Connection) -> None:
    link = '<link rel="alternate" type="application/rss+xml" href="/{}">'
    web.answers |= {
        "news.example/": f"<html><head>{link.format('all')}{link.format('world')}</head></html>".encode(),
        "news.example/all": rss("a"),
        "news.example/world": rss("b", "c"),
    }
    status, out, _ = command(
        "feeds", "add", "http://news.example", "--tag", "World,News", "--kind", "blog", "--take", 2
    )
    assert status == 0
    assert "added as feed 1: http://news.example/world" in out
    added = feed(conn)
    assert (added.tags, added.kind, added.title, added.state) == (["world news"], "blog", "The News", "active")
    assert added.verified_at == added.next_poll_at == bench.clock.now()
    assert "the first is taken" in command("feeds", "add", "http://news.example/")[1]
    for arguments, wanted, said in (
        (("http://gone.example/",), 1, "There is nothing at this address now. (--no-check"),
        (("http://news.example/", "--take", 3), 2, "between 1 and 2"),
        (("http://news.example/", "--kind", "tabloid"), 2, "known are wire, newspaper"),
        (("http://news.example/", "--country", "Korea"), 2, "--country"),
        (("ftp://news.example/",), 1, "is not a web address"),
    ):
        status, _, err = command("feeds", "add", *arguments)
        assert (status, said in err) == (wanted, True), err
    assert command("feeds", "add", "http://gone.example/", "--no-check")[0] == 0


# Lists --------------------------------------------------------------------------------------------------------


def test_a_list_is_imported_checked_and_exported(
    command: Any, web: Web, bench: Bench, conn: Connection, tmp_path: Path, clock: MovableClock
) -> None:
    given = [
        Outline("http://good.example/rss", "Good", ("korea", "papers"), "The Good", "Good Group", "KR", "ko",
                "newspaper", state="unverified", note="found\nby hand", min_interval=HOUR, max_interval=DAY),
        Outline("http://page.example/", "Page", ("korea",), "The Page", state="unverified"),
        Outline("http://moved.example/rss", "Moved", (), "The Moved", "Good Group", "US", "en", "wire",
                state="unverified"),
        Outline("http://paused.example/rss", "Paused", ("x",), "The Paused", state="paused", read_pages=False,
                feed_language="uk"),
        Outline("http://live.example/rss", "Live", (), "The Live"),
    ]  # fmt: skip
    web.answers |= {
        "good.example/rss": rss("a", at=clock.now() - HOUR),
        "page.example/": b"<html><head><link rel=alternate type=application/rss+xml href=/feed></head></html>",
        "moved.example/rss": (301, {"location": "http://good.example/other"}, b""),
        "good.example/other": rss("b"),
        "live.example/rss": rss("c"),
    }
    file = tmp_path / "list.opml"
    file.write_bytes(opml.write(given, "Mine", clock.now()))
    status, out, _ = command("feeds", "import", file, "--tag", "Test")
    assert status == 0
    assert "5 feeds added" in out
    assert "3 of them are not polled until" in out
    assert bench.run(conn, "poll")["poll"].claimed == 1  # the live one; nobody has asked the others
    assert set(web.asked) == {"live.example/rss"}

    status, out, _ = command("feeds", "check", "-f", "json")
    assert status == 1  # one is no feed
    told = {line["address"]: line for line in map(json.loads, out.splitlines())}
    assert set(told) == {one.url for one in given[:3]}
    assert (told[given[0].url]["result"], told[given[0].url]["entries"]) == ("rss", 1)
    assert told[given[0].url]["newest"] == (clock.now() - HOUR).isoformat()
    assert told[given[2].url]["moved to"] == "http://good.example/other"
    assert "http://page.example/feed" in told[given[1].url]["reason"]
    assert rows(conn, "feeds.entries_of_late", feed_id=1, limit=5) == []  # nothing is stored
    states = {
        r.url: (r.state, r.verified_at is not None, r.next_poll_at) for r in rows(conn, "feeds.managed", feed_ids=None)
    }
    assert states[given[0].url] == ("active", True, clock.now())
    assert states[given[1].url] == ("unverified", False, None)
    assert "names its feed" in health(conn)[given[1].url].reason

    status, out, _ = command("feeds", "export", tmp_path / "out.opml")
    assert "5 feeds written" in out
    back = {one.url: one for one in opml.parse((tmp_path / "out.opml").read_bytes())}
    stored = {one.url: one for one in sources.everything(conn)}
    assert back == stored
    assert back[given[3].url].tags == ("x", "test")
    for name in ("publisher", "state", "read_pages", "feed_language"):
        assert getattr(back[given[3].url], name) == getattr(given[3], name)
    for name in ("family", "country", "language", "kind", "note", "min_interval", "max_interval"):
        assert getattr(back[given[0].url], name) == getattr(given[0], name)
    assert b"<opml" in command("feeds", "export")[1].encode()

    # Imported again nothing changes; renewed, what the list says is set and the rest stays.
    assert "0 feeds added, 5 were there already" in command("feeds", "import", file)[1]
    file.write_bytes(
        opml.write([Outline(given[0].url, tags=("new",), publisher="The Good", kind="wire")], "", clock.now())
    )
    command("feeds", "import", file, "--renew")
    renewed = feed(conn, given[0].url)
    assert (renewed.tags, renewed.kind, renewed.country, renewed.state) == (["new"], "wire", "KR", "active")

    # A list that says nothing of it resumes no paused feed, and what was checked stays checked.
    for before, listed in (("paused", "active"), ("active", "unverified"), ("active", "gone")):
        known = feed(conn, given[0].url)
        sources.update(conn, bench, known, replace(sources.outline(known), state=before, read_pages=False))
        file.write_bytes(opml.write([Outline(given[0].url, state=listed)], "", clock.now()))
        command("feeds", "import", file, "--renew")
        assert (feed(conn, given[0].url).state, feed(conn, given[0].url).read_pages) == (before, False)
    file.write_bytes(opml.write([Outline(given[0].url, state="paused")], "", clock.now()))
    command("feeds", "import", file, "--renew")
    assert feed(conn, given[0].url).state == "paused"
    assert command("feeds", "check", tmp_path / "no.opml")[0] == 2
    assert command("feeds", "check", tmp_path / "out.opml")[0] == 1


# One feed -----------------------------------------------------------------------------------------------------


def test_which_feed_is_meant(bench: Bench, conn: Connection) -> None:
    add_feed(conn, bench, "http://one.example/rss", name="The One")
    add_feed(conn, bench, "http://two.example/rss", name="The Two")
    for word in ("2", "two", "The Two", "HTTP://two.example:80/rss", "TWO.example"):
        assert feed(conn, word).feed_id == 2
    with pytest.raises(ConfigurationError, match="may mean 2 feeds") as several:
        feed(conn, "the")
    assert "http://one.example/rss" in str(several.value)
    for word in ("three", "17", "9" * 30, "%", ""):
        with pytest.raises(ConfigurationError, match=r"no feed is meant|may mean"):
            feed(conn, word)


def test_edit_pause_resume_poll_remove(
    command: Any, web: Web, bench: Bench, conn: Connection, clock: MovableClock
) -> None:
    web.answers["one.example/rss"] = rss("a")
    add_feed(conn, bench, "http://one.example/rss", name="The One", country="GB")
    bench.run(conn, "poll")
    edit = [
        "feeds",
        "edit",
        "one",
        "--kind",
        "wire",
        "--family",
        "Group",
        "--tag",
        "A",
        "--tag",
        "b",
        "--note",
        "hello",
    ]
    assert (
        command(*edit, "--min-interval", "90", "--max-interval", "120", "--feed-language", "ko", "--no-pages")[0] == 0
    )
    edited = feed(conn)
    assert (edited.kind, edited.family, edited.country, edited.tags, edited.note) == (
        "wire",
        "Group",
        "GB",
        ["a", "b"],
        "hello",
    )
    assert (edited.min_interval, edited.max_interval, edited.language, edited.read_pages) == (
        1.5 * HOUR,
        2 * HOUR,
        "ko",
        False,
    )
    command("feeds", "edit", "one", "--country", "none", "--note", "none", "--tag", "none", "--min-interval", "none")
    edited = feed(conn)
    assert (edited.country, edited.note, edited.tags, edited.min_interval, edited.kind) == (
        None,
        None,
        [],
        None,
        "wire",
    )
    command("feeds", "edit", "one", "--publisher", "The Other", "--country", "us")
    edited = feed(conn)
    assert (edited.publisher, edited.family, edited.country, edited.kind) == ("The Other", "The Other", "US", None)
    for wrong in (["--min-interval", "0"], ["--min-interval", "nan"], ["--kind", "x"], ["--min-interval", "600"]):
        assert command("feeds", "edit", "one", *wrong)[0] == 2
    assert command("feeds", "edit", "one", "--url", "no address")[0] == 1
    add_feed(conn, bench, "http://two.example/rss")
    assert "address of another feed" in command("feeds", "edit", "1", "--url", "http://two.example/rss")[2]
    assert command("feeds", "remove", "2", "--yes")[0] == 0
    command("feeds", "edit", "1", "--url", "http://new.example/rss")
    assert (feed(conn).url, feed(conn).body_hash, feed(conn).next_poll_at) == (
        "http://new.example/rss",
        None,
        clock.now(),
    )

    clock.move(days=40)
    assert command("feeds", "pause", "1")[0] == 0
    assert (feed(conn).state, feed(conn).next_poll_at) == ("paused", None)
    assert command("feeds", "poll", "1")[0] == 2
    assert bench.run(conn, "poll")["poll"].claimed == 0
    command("feeds", "resume", "1")
    assert (feed(conn).state, feed(conn).next_poll_at) == ("active", clock.now())
    bench.run(conn, "poll")
    assert feed(conn).next_poll_at > clock.now()
    command("feeds", "poll", "1")
    assert feed(conn).next_poll_at == clock.now()
    command("feeds", "remove", "1", "-y")
    assert rows(conn, "feeds.managed", feed_ids=None) == []
    assert conn.execute("select count(*) from ingest.articles").fetchone()[0] == 1  # what it has told stays
    assert conn.execute("select count(*) from ingest.work where stage = 'poll'").fetchone()[0] == 0


# Polls --------------------------------------------------------------------------------------------------------


def test_a_poll_keeps_what_the_feed_asks_for_and_its_own_limits(
    web: Web, bench: Bench, conn: Connection, clock: MovableClock
) -> None:
    wish = "<ttl>600</ttl>"
    web.answers["one.example/rss"] = (200, {"etag": '"1"'}, rss("a", more=wish))
    web.answers["two.example/rss"] = rss("b")
    add_feed(conn, bench, "http://one.example/rss")
    sources.add(conn, bench, Outline("http://two.example/rss", min_interval=5 * HOUR, max_interval=6 * HOUR,
                                     read_pages=False, feed_language="uk"))  # fmt: skip
    bench.run(conn, "poll")
    assert feed(conn).next_poll_at >= clock.now() + 10 * HOUR
    assert clock.now() + 5 * HOUR <= feed(conn, 2).next_poll_at <= clock.now() + 7 * HOUR
    assert [r.language for r in conn.execute("select language from ingest.entries where feed_id = 2").fetchall()] == [
        "uk"
    ]
    clock.move(hours=12)
    bench.run(conn, "poll")
    kept = feed(conn)  # 304: the answer has no body, and the wish stands
    assert (kept.recent_outcomes, kept.ttl) == (["changed", "unchanged"], 10 * HOUR)
    assert kept.next_poll_at >= clock.now() + 10 * HOUR


def test_a_feed_that_moved_to_anothers_address_says_so(
    web: Web, bench: Bench, conn: Connection, clock: MovableClock, command: Any
) -> None:
    web.answers["new.example/rss"] = rss("a")
    web.answers["old.example/rss"] = (301, {"location": "http://new.example/rss"}, b"")
    add_feed(conn, bench, "http://new.example/rss")
    add_feed(conn, bench, "http://old.example/rss")
    for _ in range(5):
        bench.run(conn, "poll")
        clock.move(hours=30)
    old = feed(conn, 2)
    assert (old.url, old.moved_to) == ("http://old.example/rss", "http://new.example/rss")
    assert "moves to" in command("feeds", "show", 2)[1]


def test_pages_are_left_alone_where_the_feed_is_enough(web: Web, bench: Bench, conn: Connection) -> None:
    item = "<item><title>A</title><link>http://one.example/{0}</link><description>Text of {0}.</description></item>"
    web.answers["one.example/rss"] = f'<rss version="2.0"><channel>{item.format("a")}</channel></rss>'.encode()
    sources.add(conn, bench, Outline("http://one.example/rss", read_pages=False))
    reports = bench.run(conn, "poll", "fetch", "extract")
    assert (reports["fetch"].claimed, reports["extract"].claimed) == (0, 1)
    assert "one.example/a" not in web.asked
    assert conn.execute("select source from ingest.versions").fetchone()[0] == "entry"


def test_a_rhythm_is_learned_and_shown(
    command: Any, web: Web, bench: Bench, conn: Connection, clock: MovableClock
) -> None:
    add_feed(conn, bench, "http://one.example/rss")
    clock.at = clock.at.replace(hour=0, minute=0)
    begun, dates = clock.now(), dict[str, datetime]()
    while clock.now() < begun + 12 * DAY:
        if 8 <= clock.now().hour < 12:
            dates |= {f"n{len(dates) + n}": clock.now() - timedelta(minutes=20) for n in range(2)}
        web.answers["one.example/rss"] = rss(*list(dates)[-20:], at=dates)
        bench.run(conn, "poll")
        clock.move(hours=1)
    got = feed(conn)
    assert sum(got.rhythm) > 40
    assert len(got.recent_outcomes) == 20
    assert sum(got.rhythm[7:12]) > 0.95 * sum(got.rhythm)
    _, out, _ = command("feeds", "show", "one")
    assert "█" in out
    assert "changed" in out
    about = json.loads(command("feeds", "show", "one", "-f", "json")[1])
    assert about["health"] == "well"
    assert 40 < about["entries a week"] < 70

    morning, evening = 9, 20
    waits = {}
    for hour in (morning, evening):
        clock.at = begun + 13 * DAY + hour * HOUR
        command("feeds", "poll", "1")
        bench.run(conn, "poll")
        waits[hour] = feed(conn).poll_interval
    assert waits[morning] < HOUR < 3 * HOUR < waits[evening]

    # Silence is told of a feed that used to speak.
    clock.move(days=4)
    command("feeds", "poll", "1")
    bench.run(conn, "poll")
    told = health(conn)["http://one.example/rss"]
    assert (told.health, told.entries_missed > 10, told.silent_for > 3 * DAY) == ("silent", True, True)
    assert command("feeds", "health", "--check")[0] == 1
    _, out, _ = command("feeds", "health")
    assert "1 silent" in out
    assert "nothing new" in " ".join(out.split())


def test_trouble_is_told_in_plain_words(command: Any, web: Web, bench: Bench, conn: Connection) -> None:
    web.answers |= {
        "gone.example/rss": 410,
        "wall.example/rss": b"<html><head><title>Just a moment...</title></head><body>challenge-platform</body></html>",
        "busy.example/rss": (429, {"retry-after": "7200"}, b""),
        "fine.example/rss": rss("a"),
    }
    for name in ("gone", "wall", "busy", "fine", "lost"):
        add_feed(conn, bench, f"http://{name}.example/rss", name=name)
    sources.add(conn, bench, Outline("http://later.example/rss", publisher="later", state="unverified", tags=("t",)))
    bench.run(conn, "poll")
    told = {r.publisher: r for r in health(conn).values()}
    assert {name: r.health for name, r in told.items()} == {
        "gone": "gone", "wall": "failing", "busy": "failing", "fine": "well", "lost": "failing", "later": "unverified",
    }  # fmt: skip
    assert "human reader" in told["wall"].reason
    assert "too often until 21 Dec 00:00 UTC" in told["busy"].reason
    assert "nothing at this address" in told["lost"].reason
    assert told["fine"].reason is None
    assert told["gone"].next_poll_at > bench.clock.now() + 29 * DAY  # not lost: asked again in a month
    listed = [json.loads(line) for line in command("feeds", "list", "--failing", "-f", "json")[1].splitlines()]
    assert {line["publisher"] for line in listed} == {"gone", "wall", "busy", "lost"}
    assert [
        json.loads(line)["publisher"] for line in command("feeds", "list", "--tag", "T", "-f", "json")[1].splitlines()
    ] == ["later"]
    assert command("feeds", "list", "--state", "nonsense")[0] == 2
    status, out, _ = command("feeds", "health")
    assert status == 0
    assert "3 failing" in out
    assert command("feeds", "health", "--check")[0] == 1
    shown = " ".join(command("feeds", "show", "wall")[1].split())
    assert "human reader" in shown
    assert "not-a-feed" in shown

    web.answers["gone.example/rss"] = rss("back")
    bench.clock.move(days=40)  # type: ignore[attr-defined]
    bench.run(conn, "poll")
    assert health(conn)["http://gone.example/rss"].state == "active"


def test_a_sitemap_index_is_read_through_its_sitemaps(
    web: Web, bench: Bench, conn: Connection, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is played by a feed whose channel names its children: reading the format is the reader's part."""
    from pipeline.logic import feeds
    from pipeline.model import ParsedFeed

    real = feeds.parse

    def parse(body: bytes, content_type: str | None, url: str) -> ParsedFeed:
        if body.startswith(b"index"):
            return ParsedFeed("sitemap", "", (), children=tuple(body.decode().split()[1:]))
        return real(body, content_type, url)

    monkeypatch.setattr(feeds, "parse", parse)
    names = " ".join(f"http://one.example/{n}" for n in "abcde") + " http://evil.example/x"
    web.answers |= {
        "one.example/index": (200, {"etag": '"i"'}, f"index http://evil.example/y {names}".encode()),
        "one.example/a": (200, {"etag": '"a"'}, rss("1", "2")),
        "one.example/b": (200, {"etag": '"b"'}, rss("2", "3")),
        "one.example/c": 500,
    }
    add_feed(conn, bench, "http://one.example/index")
    bench.run(conn, "poll")
    assert [a for a in web.asked if a.startswith("one")] == [f"one.example/{n}" for n in ("index", "a", "b", "c")]
    assert not [a for a in web.asked if a.startswith("evil")]
    got = feed(conn)
    assert (got.last_outcome, got.format, len(rows(conn, "feeds.entries_of_late", feed_id=1, limit=9))) == (
        "changed",
        "sitemap",
        3,
    )
    assert "1 of 3 sitemaps" in got.last_problem

    web.answers |= {"one.example/c": (200, {"etag": '"c"'}, rss("4"))}
    for wanted in ("changed", "unchanged"):  # the index stays as it is
        clock.move(days=2)
        bench.run(conn, "poll")
        assert feed(conn).last_outcome == wanted
    assert len(rows(conn, "feeds.entries_of_late", feed_id=1, limit=9)) == 4
    web.answers |= dict.fromkeys((f"one.example/{n}" for n in "abc"), 500)
    clock.move(days=2)
    bench.run(conn, "poll")
    assert (feed(conn).last_outcome, feed(conn).failures) == ("sitemaps-unreadable", 0.5)


@pytest.mark.parametrize("what", ["pause", "remove"])
def test_what_a_person_does_during_a_poll_stands(
    what: str, web: Web, bench: Bench, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.answers["one.example/rss"] = rss("a")
    add_feed(conn, bench, "http://one.example/rss")
    real = poll._read

    def meanwhile(known: Any, response: Any) -> Any:
        if what == "pause":
            sources.set_state(conn, bench, feed(conn), "paused")
        else:
            sources.remove(conn, feed(conn))
        return real(known, response)

    monkeypatch.setattr(poll, "_read", meanwhile)
    assert bench.run(conn, "poll")["poll"].outcomes == {"lease-lost": 1}
    assert conn.execute("select count(*) from ingest.work").fetchone()[0] == 0
    assert [f.state for f in rows(conn, "feeds.managed", feed_ids=None)] == (["paused"] if what == "pause" else [])


def test_a_list_that_is_no_list(command: Any, bench: Bench, conn: Connection, tmp_path: Path) -> None:
    (tmp_path / "no.opml").write_text("hello", encoding="utf-8")
    assert command("feeds", "import", tmp_path / "no.opml")[0] == 1
    with pytest.raises(PermanentError):
        sources.add(conn, bench, Outline("ftp://one.example/rss"))
    assert rows(conn, "feeds.managed", feed_ids=None) == []
