"""The sample newsroom: what it shows when, and how it says so over HTTP."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import httpx
import pytest
import trafilatura
from starlette.applications import Starlette

from pipeline.clock import FileClock, FixedClock
from pipeline.errors import ConfigurationError
from pipeline.newsroom import feeds, pages, server
from pipeline.newsroom.conditional import accepts_gzip
from pipeline.newsroom.content import BROKEN, Article, Outlet, Shown, feed_urls, load
from pipeline.newsroom.loopback import require_loopback

ROOT = Path(__file__).parents[1]
LATER = datetime(2025, 6, 1, tzinfo=UTC)
CONTENT = load()
OUTLETS = {outlet.slug: outlet for outlet in CONTENT.outlets}
TEXTS = [Shown(article, version) for article in CONTENT.articles for version in article.versions]
EDITED = [article for article in CONTENT.articles if len(article.versions) > 1]


def newsroom(at: datetime = LATER) -> Starlette:
    return server.create_app(FixedClock(at), CONTENT)


def get(url: str, app: Starlette | None = None, method: str = "GET", **headers: str) -> httpx.Response:
    """One request over ASGI. Header names are given with underscores; compression only on demand."""
    sent = {
        "accept-encoding": "identity",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app or newsroom())
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, url, headers=sent)

    return asyncio.run(once())


def parsed(outlet: Outlet, at: datetime = LATER) -> list[dict[str, Any]]:
    """The items of an outlet's feed: id, link, title, author, language, published, updated."""
    feed = feeds.render(CONTENT, outlet, at)
    if outlet.feed_format == "jsonfeed":
        document = json.loads(feed.body)
        assert document["version"] == "https://jsonfeed.org/version/1.1"
        return [
            {
                "id": item["id"],
                "link": item["url"],
                "title": item["title"],
                "author": item["authors"][0]["name"],
                "summary": item["summary"],
                "published": datetime.fromisoformat(item["date_published"]),
                "updated": datetime.fromisoformat(item.get("date_modified", item["date_published"])),
            }
            for item in document["items"]
        ]
    result = feedparser.parse(feed.body, response_headers={"content-type": f"text/xml; charset={feed.charset}"})
    assert not result.bozo
    assert result.version == {"rss2": "rss20", "rss1": "rss10", "atom": "atom10"}[outlet.feed_format]
    return [
        {
            # RDF's dc:date, the only date that most such feeds have, counts as `updated` in feedparser.
            "published": moment(item.get("published_parsed") or item["updated_parsed"]),
            # Its own get() lends `published` to `updated` and warns of that.
            "updated": moment(dict.get(item, "updated_parsed") or item["published_parsed"]),
            **{key: item[key] for key in ("id", "link", "title", "author", "summary")},
        }
        for item in result.entries
    ]


def moment(parts: time.struct_time) -> datetime:
    return datetime.fromtimestamp(timegm(parts), UTC)


# --- content -----------------------------------------------------------------------------------------------


def test_the_sample_is_complete() -> None:
    assert (len(CONTENT.outlets), len(CONTENT.articles), len(TEXTS)) == (12, 74, 78)
    assert len(EDITED) == 4
    assert len({article.url for article in CONTENT.articles}) == 74


def test_nothing_is_visible_before_publication() -> None:
    first = CONTENT.articles[0]
    assert CONTENT.visible(first.published - timedelta(seconds=1)) == []
    assert [item.article for item in CONTENT.visible(first.published)] == [first]
    assert len(CONTENT.visible(LATER)) == 74


@pytest.mark.parametrize("article", EDITED, ids=lambda article: article.id)
def test_an_edit_replaces_the_text_from_its_time_on(article: Article) -> None:
    before, after = article.versions
    just_before = article.at(after.since - timedelta(seconds=1))
    at_once = article.at(after.since)
    assert just_before is not None
    assert at_once is not None
    assert (just_before.version, just_before.edited) == (before, False)
    assert (at_once.version, at_once.edited) == (after, True)
    assert before.paragraphs != after.paragraphs


# --- feeds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outlet", CONTENT.outlets, ids=lambda outlet: outlet.slug)
def test_a_feed_lists_what_is_visible(outlet: Outlet) -> None:
    items, shown = parsed(outlet), CONTENT.visible(LATER, outlet)
    assert [item["link"] for item in items] == [item.article.url for item in shown]
    assert [item["title"] for item in items] == [item.version.title for item in shown]
    assert [item["author"] for item in items] == [item.version.byline for item in shown]
    assert [item["published"] for item in items] == [item.article.published for item in shown]
    assert [item["updated"] for item in items] == [item.updated for item in shown]
    assert len({item["id"] for item in items}) == len(items) > 0
    for item, origin in zip(items, shown, strict=True):
        assert origin.version.paragraphs[0].startswith(item["summary"].removesuffix("…"))
        assert len(item["summary"]) <= 201


@pytest.mark.parametrize("outlet", CONTENT.outlets, ids=lambda outlet: outlet.slug)
def test_an_empty_feed_is_still_a_feed(outlet: Outlet) -> None:
    assert parsed(outlet, datetime(2024, 1, 1, tzinfo=UTC)) == []


def test_a_feed_keeps_ids_through_an_edit_and_shows_the_new_title() -> None:
    for article in EDITED:
        before, after = article.versions
        old = next(i for i in parsed(article.outlet, before.since) if i["link"] == article.url)
        new = next(i for i in parsed(article.outlet, after.since) if i["link"] == article.url)
        assert (old["id"], old["title"]) == (new["id"], before.title)
        assert new["title"] == after.title


def test_a_feed_holds_the_newest_items_only() -> None:
    outlet = OUTLETS["saemaru-ilbo"]
    newest = [item.article.url for item in CONTENT.visible(LATER, outlet)[:3]]
    feed = feedparser.parse(feeds.render(CONTENT, outlet, LATER, limit=3).body)
    assert [item.link for item in feed.entries] == newest


def test_the_language_of_an_item_may_differ_from_the_feeds() -> None:
    feed = feedparser.parse(feeds.render(CONTENT, OUTLETS["scheldt-media"], LATER).body)
    languages = {item.link: item.title_detail.language for item in feed.entries}
    assert feed.feed.title_detail.language == "en"
    assert {language for link, language in languages.items() if "/ru/" in link} == {"ru"}
    assert {language for link, language in languages.items() if "/ru/" not in link} == {"en"}


def test_feed_urls_name_every_outlet_and_the_broken_one() -> None:
    listed = feed_urls(CONTENT)
    assert len(listed) == 13
    assert listed[-1][1] == "http://brokenquill.example/feed.xml"
    assert all(url.startswith("http://") and set(more) == METADATA for _, url, more in listed)


METADATA = {"name", "family", "country", "language", "kind"}


# --- pages -------------------------------------------------------------------------------------------------


def extracted(shown: Shown, at: datetime) -> list[str]:
    page = pages.article(CONTENT, shown, at)
    return (trafilatura.extract(page.body, url=shown.article.url) or "").splitlines()


@pytest.mark.parametrize("shown", TEXTS[::4], ids=lambda shown: shown.version.id)
def test_extraction_finds_the_paragraphs_and_nothing_else(shown: Shown) -> None:
    lines = [line for line in extracted(shown, shown.version.since) if line and line != shown.version.title]
    assert lines == list(shown.version.paragraphs)


@pytest.mark.parametrize("slug", ["halyard-wire", "saemaru-ilbo", "vestovoy"], ids=["semantic", "divs", "table"])
def test_a_page_says_what_it_is(slug: str) -> None:
    shown = CONTENT.visible(LATER, OUTLETS[slug])[0]
    body = pages.article(CONTENT, shown, LATER).body
    about = trafilatura.extract_metadata(body).as_dict()
    assert about["title"] == shown.version.title
    assert about["sitename"] == shown.article.outlet.name
    assert about["url"] == shown.article.url
    assert about["date"] == shown.article.published.date().isoformat()
    text = body.decode()
    assert f'<html lang="{shown.version.language}">' in text
    data = json.loads(text.split('<script type="application/ld+json">')[1].split("</script>")[0])
    assert (data["@type"], data["headline"]) == ("NewsArticle", shown.version.title)
    assert data["datePublished"] == shown.article.published.isoformat()


def test_every_page_says_that_it_is_invented() -> None:
    for outlet in CONTENT.outlets:
        words = json.loads((ROOT / "pipeline/newsroom/data/furniture.json").read_text("utf-8"))[outlet.language]
        for path in ("/", "/nowhere"):
            assert words["sample"] in get(outlet.base_url + path).text


# --- server ------------------------------------------------------------------------------------------------


def test_hosts_are_told_apart_by_name_without_port_or_case() -> None:
    for host in ("vestovoy.example", "vestovoy.example:8123", "Vestovoy.Example"):
        assert "Агентство «Вестовой»" in get("http://127.0.0.1/", host=host).text
    assert get("http://elsewhere.example/").status_code == 404
    assert get("http://halyardwire.example" + OUTLETS["vestovoy"].feed_path).status_code == 404


def test_home_page_links_its_feed_and_its_articles() -> None:
    outlet = OUTLETS["kyiv-ledger"]
    text = get(outlet.base_url + "/").text
    assert f'rel="alternate" type="application/rss+xml" title="Kyiv Ledger" href="{outlet.feed_url}"' in text
    assert all(f'href="{item.article.path}"' in text for item in CONTENT.visible(LATER, outlet))
    assert get(outlet.base_url + "/news/").status_code == 200


def test_robots_allow_articles_and_one_asks_for_a_pause() -> None:
    files = {outlet.slug: get(outlet.base_url + "/robots.txt").text for outlet in CONTENT.outlets}
    assert all("Disallow: /search" in text for text in files.values())
    assert [slug for slug, text in files.items() if "Crawl-delay: 1\n" in text] == ["kyiv-ledger"]


def test_an_article_is_404_until_it_is_published() -> None:
    article = CONTENT.articles[10]
    assert get(article.url, newsroom(article.published - timedelta(seconds=1))).status_code == 404
    assert get(article.url, newsroom(article.published)).status_code == 200


@pytest.mark.parametrize("kind", ["feed", "page"])
def test_conditional_requests(kind: str) -> None:
    article = EDITED[0]
    url = article.outlet.feed_url if kind == "feed" else article.url
    before, after = newsroom(article.published), newsroom(article.versions[1].since)
    first = get(url, before)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    for condition in (
        {"if_none_match": etag},
        {"if_none_match": f'"x", W/{etag}'},
        {"if_modified_since": modified},
    ):
        unchanged = get(url, before, **condition)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == etag
        assert get(url, after, **condition).status_code == 200
    assert get(url, before, if_none_match='"x"', if_modified_since=modified).status_code == 200
    assert get(url, before, if_modified_since="yesterday").status_code == 200


def test_gzip_has_an_etag_of_its_own_and_both_are_recognised() -> None:
    url = OUTLETS["halyard-wire"].feed_url
    plain, zipped = get(url), get(url, accept_encoding="br, gzip;q=0.8")
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.content == plain.content  # httpx unpacks
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert get(url, accept_encoding="gzip", if_none_match=zipped.headers["etag"]).status_code == 304


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        ("gzip", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("*;q=0.1, gzip;q=0", False),
    ],
)
def test_accept_encoding(header: str, allowed: bool) -> None:
    assert accepts_gzip(header) is allowed


def test_head_has_the_headers_and_no_body() -> None:
    url = OUTLETS["turret-ring"].feed_url
    whole, head = get(url), get(url, method="HEAD")
    assert head.headers == whole.headers
    assert head.content == b""


def test_one_feed_is_not_in_utf8_and_says_so() -> None:
    response = get(OUTLETS["vestovoy"].feed_url)
    assert response.headers["content-type"] == "application/rss+xml; charset=windows-1251"
    assert response.content.startswith(b"<?xml version='1.0' encoding='windows-1251'?>")
    assert "Вестовой" in response.content.decode("windows-1251")
    assert feedparser.parse(response.content).encoding == "windows-1251"
    types = {get(o.feed_url).headers["content-type"] for o in CONTENT.outlets if o.slug in {"kyiv-ledger"}}
    assert types == {"application/rss+xml; charset=utf-8"}


def test_the_broken_outlet() -> None:
    response = get(BROKEN.feed_url)
    assert (response.status_code, response.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "<html" in response.text
    assert "etag" not in response.headers
    assert get(BROKEN.base_url + "/robots.txt").status_code == 200


def test_the_slow_outlet() -> None:
    started = time.monotonic()
    assert get(OUTLETS["minato-nippo"].feed_url).status_code == 200
    assert 1.4 < time.monotonic() - started < 5


def test_requests_are_logged_by_host_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LOG_LENGTH", 3)
    app = newsroom()
    for path in ("/", "/robots.txt", "/nowhere"):
        get("http://tradewind.example" + path, app)
    get("http://turretring.example/", app)
    log = get("http://newsroom.localhost/_requests", app).json()
    assert log["counts"] == {"tradewind.example": 3, "turretring.example": 1}
    assert [entry[1:] for entry in log["requests"]] == [
        ["tradewind.example", "/robots.txt", 200],
        ["tradewind.example", "/nowhere", 404],
        ["turretring.example", "/", 200],
    ]
    times = [entry[0] for entry in log["requests"]]
    assert times == sorted(times)


# --- command -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, FileClock]]:
    """The command on a free port, as (address, its clock)."""
    clock = FileClock(tmp_path_factory.mktemp("newsroom") / "clock.json")
    command = [sys.executable, "-W", "error", "-m", "pipeline.newsroom", "--port", "0"]
    command += ["--clock-file", str(clock.path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = process.stdout.readline()
        assert ready.startswith("newsroom ready on http://127.0.0.1:"), process.stderr.read()
        yield ready.split()[-1], clock
        process.terminate()
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
        assert process.stdout.read() == ""


def test_a_move_of_the_clock_moves_a_running_newsroom(running: tuple[str, FileClock]) -> None:
    address, clock = running
    article = EDITED[1]
    headers = {"host": article.outlet.host}
    with httpx.Client(base_url=address, headers=headers, trust_env=False) as client:
        clock.move_to(article.published - timedelta(minutes=1))
        assert client.get(article.path).status_code == 404
        clock.move_to(article.published)
        first = client.get(article.path)
        assert article.versions[0].paragraphs[-1][:30] in first.text
        again = client.get(article.path, headers={"if-none-match": first.headers["etag"]})
        assert again.status_code == 304
        clock.move_to(article.versions[1].since)
        edited = client.get(article.path, headers={"if-none-match": first.headers["etag"]})
        assert (edited.status_code, edited.headers["content-encoding"]) == (200, "gzip")
        assert article.versions[1].since.isoformat() in edited.text
        log = client.get("/_requests", headers={"host": server.CONTROL_HOST}).json()
    assert [entry[3] for entry in log["requests"]] == [404, 200, 304, 200]


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "192.168.1.4", "example.org", ""])
def test_only_this_machine_is_served(bind: str) -> None:
    with pytest.raises(ConfigurationError):
        require_loopback(bind)


def test_the_command_refuses_other_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    from pipeline.newsroom.__main__ import main

    assert main(["--bind", "0.0.0.0", "--port", "0"]) == 2
    assert "refusing to bind" in capsys.readouterr().err
    assert [require_loopback(bind) for bind in ("127.0.0.1", "::1", "localhost")]
