"""Sitemaps of every kind, alone and as feeds."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import PermanentError
from pipeline.logic import feeds
from pipeline.logic.sitemaps import MAX_ENTRIES, SitemapChild, SitemapPage, parse, recent

URL = "https://paper.test/sitemap.xml"
SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
NEWS_SPACE = f'{SPACE} xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def urlset(pages: str, space: str = SPACE) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {space}>{pages}</urlset>'.encode()


def page(loc: str, lastmod: str = "") -> str:
    return f"<url><loc>{loc}</loc>{f'<lastmod>{lastmod}</lastmod>' if lastmod else ''}</url>"


NEWS = urlset(
    """<url><loc>https://paper.test/1</loc><lastmod>2024-11-01T10:00:00Z</lastmod>
    <image:image><image:loc>https://cdn.test/1.jpg</image:loc><image:title>A picture</image:title></image:image>
    <news:news><news:publication><news:name>The Paper</news:name><news:language>ko</news:language></news:publication>
    <news:publication_date>2024-11-01T09:00:00+09:00</news:publication_date>
    <news:title>Troops &amp; trains</news:title><news:keywords>army, trains,</news:keywords></news:news></url>
    <url><loc>/2</loc><news:news><news:publication><news:name>The Paper</news:name><news:language>ko-KR</news:language>
    </news:publication><news:publication_date>2024-10-31</news:publication_date><news:title>Second</news:title>
    </news:news></url>""",
    NEWS_SPACE,
)


def test_news() -> None:
    found = parse(NEWS, URL)
    assert found.pages[0] == SitemapPage(
        "https://paper.test/1",
        modified=datetime(2024, 11, 1, 10, tzinfo=UTC),
        published=datetime(2024, 11, 1, tzinfo=UTC),
        title="Troops & trains",
        language="ko",
        publication="The Paper",
        keywords=("army", "trains"),
    )
    assert found.pages[1].url == "https://paper.test/2"
    assert (found.children, found.problem) == ((), None)


def test_news_as_a_feed() -> None:
    feed = feeds.parse(NEWS, "text/xml", URL)
    assert (feed.format, feed.title, feed.language, len(feed.entries)) == ("sitemap", "The Paper", "ko", 2)
    entry = feed.entries[0]
    assert (entry.key, entry.url, entry.title) == ("https://paper.test/1", "https://paper.test/1", "Troops & trains")
    assert entry.published == datetime(2024, 11, 1, tzinfo=UTC)
    assert feeds.parse(gzip.compress(NEWS), "application/x-gzip", URL) == feed


def test_an_index_names_its_children_the_newest_first() -> None:
    body = f"""<sitemapindex {SPACE}><sitemap><loc>https://paper.test/old.xml</loc><lastmod>2020-01-01</lastmod></sitemap>
    <sitemap><loc>/new.xml.gz</loc><lastmod>2024-11-01</lastmod></sitemap>
    <sitemap><loc>https://paper.test/undated.xml</loc></sitemap></sitemapindex>""".encode()
    found = parse(body, URL)
    assert found.pages == ()
    assert found.children[1] == SitemapChild("https://paper.test/new.xml.gz", datetime(2024, 11, 1, tzinfo=UTC))
    assert [child.url for child in parse(body, URL, datetime(2024, 1, 1, tzinfo=UTC)).children] == [
        "https://paper.test/new.xml.gz",
        "https://paper.test/undated.xml",
    ]
    feed = feeds.parse(body, None, URL)
    assert (feed.format, feed.entries) == ("sitemap", ())
    assert feed.children[0] == "https://paper.test/new.xml.gz"


def test_a_plain_one_as_a_feed_has_the_recent_pages() -> None:
    body = urlset(
        page("https://paper.test/about")
        + page("https://paper.test/old", "2019-05-01")
        + page("https://paper.test/today", "2024-11-01T08:00:00Z")
        + page("https://paper.test/before", "2024-10-30")
        + page("https://paper.test/today", "2024-11-01")
    )
    assert len(parse(body, URL).pages) == 4
    assert [e.url for e in feeds.parse(body, None, URL).entries] == [
        "https://paper.test/today",
        "https://paper.test/before",
    ]
    since = parse(body, URL, datetime(2024, 10, 31, tzinfo=UTC)).pages
    assert [each.url for each in since] == ["https://paper.test/about", "https://paper.test/today"]


def test_one_date_in_the_future_does_not_hide_the_rest() -> None:
    now = datetime(2024, 11, 1, tzinfo=UTC)
    pages = [SitemapPage(f"https://paper.test/{n}", now - timedelta(minutes=n)) for n in range(150)]
    assert len(recent([*pages, SitemapPage("https://paper.test/x", now + timedelta(days=400))])) == 151
    assert len(recent([SitemapPage(f"https://paper.test/{n}") for n in range(3 * MAX_ENTRIES)])) == MAX_ENTRIES


def test_a_list_of_addresses() -> None:
    body = b"\xef\xbb\xbfhttps://paper.test/1\r\nhttps://paper.test/2\n\nnonsense\nhttps://paper.test/1\n"
    assert [each.url for each in parse(body, URL).pages] == ["https://paper.test/1", "https://paper.test/2"]
    assert feeds.parse(body, "text/plain", URL).format == "sitemap"


def test_broken_ones() -> None:
    cut = urlset(page("https://paper.test/1") + page("https://paper.test/2"))[:-30]
    found = parse(cut, URL)
    assert found.pages[0].url == "https://paper.test/1"
    assert found.problem is not None
    for body in (b"<rss/>", b"", b"<html><urlset>", b"\x1f\x8bnonsense"):
        with pytest.raises(PermanentError) as caught:
            parse(body, URL)
        assert caught.value.code == "not-a-feed"
    entities = b'<!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + urlset(page("https://paper.test/&x;"))[38:]
    assert all("root" not in each.url for each in parse(entities, URL).pages)


def test_a_bomb_is_not_opened() -> None:
    bomb = gzip.compress(b"<urlset>" + b" " * 200_000_000, 9)
    begun = time.process_time()
    with pytest.raises(PermanentError) as caught:
        feeds.parse(bomb, None, URL)
    assert caught.value.code == "too-large"
    assert time.process_time() - begun < 5


def test_a_large_one_is_read_quickly() -> None:
    body = urlset("".join(page(f"https://paper.test/{n}", "2024-11-01") for n in range(50_000)))
    begun = time.process_time()
    assert len(parse(body, URL).pages) == 50_000
    assert time.process_time() - begun < 10
