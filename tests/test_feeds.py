"""Feeds of every format, well and badly made, and the text helpers they pass through."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import PermanentError
from pipeline.logic import text
from pipeline.logic.entries import unique
from pipeline.logic.feeds import discover, parse
from pipeline.model import ParsedEntry, ParsedFeed

URL = "https://paper.test/feeds/news.xml"


def rss(items: str, channel: str = "", head: str = '<?xml version="1.0" encoding="utf-8"?>') -> bytes:
    return (
        f'{head}<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">'
        f"<channel><title>Daily</title>{channel}{items}</channel></rss>"
    ).encode()


def item(body: bytes, url: str = URL, content_type: str | None = None) -> ParsedEntry:
    (entry,) = parse(body, content_type, url).entries
    return entry


def reason(body: bytes, content_type: str | None = None) -> str:
    with pytest.raises(PermanentError) as caught:
        parse(body, content_type, URL)
    assert caught.value.code == "not-a-feed"
    return str(caught.value)


def test_rss() -> None:
    feed = parse(
        rss(
            """<item><guid isPermaLink="false">n1</guid><title>Troops &amp;amp; trains</title>
            <link>/world/1</link><description>&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two.&lt;/p&gt;</description>
            <content:encoded><![CDATA[<h2>Head</h2><p>Body<br>text</p><script>x()</script>]]></content:encoded>
            <dc:creator>A. Writer</dc:creator><pubDate>Fri, 01 Nov 2024 09:00:00 +0900</pubDate>
            <source url="http://agency.test/">Agency</source></item>""",
            "<link>https://paper.test/</link><language>ko-KR</language><ttl>90</ttl>",
        ),
        "text/xml",
        URL,
    )
    assert (feed.format, feed.title, feed.language) == ("rss", "Daily", "ko")
    assert feed.site_url == "https://paper.test/"
    assert feed.ttl == timedelta(minutes=90)
    assert feed.problem is None
    assert feed.entries == (
        ParsedEntry(
            key="n1",
            url="https://paper.test/world/1",
            title="Troops & trains",
            summary="One.\nTwo.",
            content="Head\nBody\ntext",
            author="A. Writer",
            published=datetime(2024, 11, 1, tzinfo=UTC),
            source="Agency",
            source_url="http://agency.test/",
            language="ko",
        ),
    )


def test_atom_resolves_against_xml_base() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="uk" xml:base="https://base.test/x/">
    <title>T</title><link rel="self" href="https://paper.test/feeds/news.xml"/><link href="/"/>
    <entry xml:base="sub/"><id>tag:1</id><title type="html">&lt;b&gt;Bold&lt;/b&gt; a</title>
    <link href="a.html"/>
    <updated>2024-11-01T01:02:03+02:00</updated><summary>S</summary></entry>
    <entry><id>2</id><title>x</title><link rel="enclosure" href="/e.mp3"/><link href="mailto:a@b.c"/>
    <published>2024-11-01T01:02:03</published></entry></feed>"""
    feed = parse(body, None, URL)
    one, two = feed.entries
    assert (feed.format, feed.site_url, one.language) == ("atom", "https://base.test/", "uk")
    assert (one.url, one.title) == ("https://base.test/x/sub/a.html", "Bold a")
    assert one.published == datetime(2024, 10, 31, 23, 2, 3, tzinfo=UTC)
    assert (two.url, two.published) == (None, datetime(2024, 11, 1, 1, 2, 3, tzinfo=UTC))


def test_rdf() -> None:
    body = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
    <channel><title>R</title><link>https://paper.test/</link><sy:updatePeriod>daily</sy:updatePeriod>
    <sy:updateFrequency>4</sy:updateFrequency></channel>
    <item rdf:about="https://paper.test/1"><title>One</title><link>https://paper.test/1</link>
    <dc:date>2024-11-01</dc:date><dc:publisher>Wire</dc:publisher></item></rdf:RDF>"""
    feed = parse(body, None, URL)
    assert (feed.format, feed.ttl) == ("rdf", timedelta(hours=6))
    entry = feed.entries[0]
    assert (entry.key, entry.source) == ("https://paper.test/1", "Wire")
    assert entry.published == datetime(2024, 11, 1, tzinfo=UTC)


def test_json_feed() -> None:
    content = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "J",
        "home_page_url": "https://paper.test/",
        "language": "ja-JP",
        "items": [
            {
                "id": 7,
                "url": "/a",
                "title": "T",
                "content_html": "<p>a</p><p>b &amp; c</p>",
                "summary": "s",
                "authors": [{"name": "X"}, {"name": "Y"}],
                "date_published": "2024-11-01T09:00:00+09:00",
            },
            {"id": 7, "title": "the same again"},
            {"id": "https://paper.test/b", "content_text": "1 < 2 & 3\nnext", "language": "en"},
            "rubbish",
            {},
        ],
    }
    feed = parse(b"\xef\xbb\xbf" + json.dumps(content).encode(), "application/json", URL)
    one, again, two = feed.entries
    assert again.key == "7"
    assert unique(feed.entries) == (one, two)
    assert (feed.format, feed.title, feed.language, feed.problem) == ("json", "J", "ja", None)
    assert one == ParsedEntry(
        key="7",
        url="https://paper.test/a",
        title="T",
        summary="s",
        content="a\nb & c",
        author="X, Y",
        published=datetime(2024, 11, 1, tzinfo=UTC),
        language="ja",
    )
    assert (two.url, two.content, two.language) == ("https://paper.test/b", "1 < 2 & 3\nnext", "en")


def test_json_feed_with_a_lone_surrogate_and_no_version() -> None:
    feed = parse(rb'{"title":"x\ud800y","items":[{"id":"\ud83d\ude00","title":"a\u0000b\ud800"}]}', None, URL)
    assert feed.title == "x\ufffdy"
    assert feed.problem
    assert (feed.entries[0].key, feed.entries[0].title) == ("\U0001f600", "ab\ufffd")


def test_keys() -> None:
    feed = parse(
        rss(
            "<item><title>a</title><link>https://paper.test/1</link></item>"
            "<item><title>later copy</title><link>https://paper.test/1</link></item>"
            "<item><title>only a title</title></item><item><title>only a title</title></item><item/>"
            f"<item><guid>{'x' * 5000}</guid></item>"
        ),
        None,
        URL,
    )
    assert [entry.key for entry in feed.entries[:2]] == ["https://paper.test/1"] * 2
    first = unique(feed.entries)
    keys = [entry.key for entry in first]
    assert keys[0] == "https://paper.test/1"
    assert first[0].title == "a"
    assert len(keys) == 3
    assert all(key.startswith("sha256:") for key in keys[1:])


def test_dates_are_kept_as_given_or_left_out() -> None:
    def date(value: str) -> datetime | None:
        return item(rss(f"<item><guid>1</guid><pubDate>{value}</pubDate></item>")).published

    assert date("Wed, 01 Jan 2070 00:00:00 GMT") == datetime(2070, 1, 1, tzinfo=UTC)
    assert date("2024-11-01 10:00:00") == datetime(2024, 11, 1, 10, tzinfo=UTC)
    assert date("yesterday") is None
    assert date("Wed, 99 Foo 2024 99:99:99 GMT") is None
    assert date("") is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (
            rss("<item><title>Солдат</title></item>", head="").decode().encode("cp1251"),
            "text/xml; charset=windows-1251",
        ),
        (
            rss("<item><title>Солдат</title></item>", head='<?xml version="1.0" encoding="koi8-r"?>')
            .decode()
            .encode("koi8-r"),
            None,
        ),
        (rss("<item><title>Солдат</title></item>"), "text/xml; charset=iso-8859-1"),
        (b"\xef\xbb\xbf" + rss("<item><title>Солдат</title></item>"), "text/plain"),
        (rss("<item><title>Солдат</title></item>", head="").decode().encode("utf-16"), None),
        (rss("<item><title>Сол\0дат</title></item>\0"), None),
        (b"\r\n  " + rss("<item><title>Солдат</title></item>"), "text/html"),
    ],
)
def test_charsets(body: bytes, content_type: str | None) -> None:
    assert item(body, content_type=content_type).title == "Солдат"


def test_references_that_xml_does_not_know() -> None:
    def title(value: str, head: str = "") -> str:
        return item(rss(f"<item><guid>1</guid><title>{value}</title></item>", head=head)).title

    assert title("Hot &#xD83D;&#xDE00; &#55357;&#56832;") == "Hot \U0001f600 \U0001f600"
    assert title("Half &#xd83d; &#56832; &#xDE00;&#xD83D; one") == "Half \ufffd \ufffd \ufffd\ufffd one"
    assert title("&#55295;&#57344;&#xE000;") == "\ud7ff\ue000\ue000"
    doctype = '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
    assert title("Caf&eacute; &lt;3 &amp; &hearts;", doctype) == "Café <3 & ♥"


def test_broken_xml_that_still_gives_entries_says_so() -> None:
    feed = parse(rss("<item><title>A & B &nope; <i>c</title><guid>1</guid></item>"), None, URL)
    assert feed.entries[0].key == "1"
    assert feed.problem is not None
    assert "not well-formed" in feed.problem
    assert "line 1" in feed.problem


def test_ids_do_not_depend_on_where_the_feed_is() -> None:
    for title in ("fine", "A & B"):  # read strictly and leniently
        body = rss(f"<item><title>{title}</title><guid>1</guid></item>")
        assert [(e.key, e.url) for e in parse(body, None, URL).entries] == [("1", None)]
        assert parse(body, None, "https://moved.test/").entries == parse(body, None, URL).entries
    linked = item(rss("<item><guid>https://paper.test/1</guid></item>"))
    assert (linked.key, linked.url) == ("https://paper.test/1", "https://paper.test/1")


def test_an_empty_feed_is_a_feed() -> None:
    assert parse(rss(""), None, URL) == ParsedFeed(format="rss", title="Daily", entries=())


def test_what_is_not_a_feed_says_why() -> None:
    assert "empty" in reason(b" \r\n\0")
    assert "names no feed" in reason(b"<!DOCTYPE html><html><body>404")
    page = b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head>'
    assert "https://paper.test/rss" in reason(page, "application/rss+xml")
    assert "human" in reason(b"<!doctype html><html><title>Just a moment...</title>")
    assert "no feed format" in reason(b"hello")
    assert "no feed format" in reason(b"<?xml version='1.0'?><sitemap/>")
    assert "no feed format" in reason(bytes(range(256)))
    assert "JSON" in reason(b'{"a": 1}')
    assert "JSON" in reason(b"[1, 2")
    assert "JSON" in reason(b"[" * 200_000)
    assert "JSON" in reason(b'{"items": []}')
    assert "nested" in reason(rss("<x>" * 200_000))
    assert "attributes" in reason(rss("<item " + " ".join(f'a{i}="1"' for i in range(20_000)) + "/>"))


@pytest.mark.parametrize(
    "items",
    [
        f"<item><description>{'&lt;!-- x &gt; ' * 100_000}</description></item>",
        f"<item><title>{'&lt;![CDATA[' * 100_000}</title></item>",
        f"<item><description>{'&lt;a b=&quot; ' * 50_000}</description></item>",
        "<skipHours><hour>3</hour></skipHours>" * 20_000,
        "<item><title>a<link>x</link></item>" * 2_000,
        f"<item><pubDate>{'1' * 1_000_000}</pubDate></item>",
    ],
    ids=["comments", "cdata", "quotes", "skip", "unclosed", "date"],
)
def test_the_time_grows_with_the_size_alone(items: str) -> None:
    begun = time.process_time()
    assert parse(rss(items), None, URL).format == "rss"
    assert time.process_time() - begun < 15


def test_entities_do_not_explode() -> None:
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    bomb = rss("<item><guid>1</guid><title>&e9;</title></item>", head=f'<!DOCTYPE r [<!ENTITY e0 "ha">{levels}]>')
    begun = time.monotonic()
    assert len(item(bomb).title) < 1000
    assert time.monotonic() - begun < 5


def test_nothing_is_fetched_or_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(rss("<item><guid>secret</guid></item>"))
    assert "no feed format" in reason(str(secret).encode())
    assert "no feed format" in reason(b"file://" + str(secret).encode())
    external = f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]>'
    assert "secret" not in item(rss("<item><guid>1</guid><title>&x;</title></item>", head=external)).title


def test_discover() -> None:
    page = b"""<html><head><base href="https://cdn.test/x/">
    <link rel="Alternate" type="application/atom+xml" href="a">
    <link rel="stylesheet" type="application/rss+xml" href="no">
    <link rel="alternate" hreflang="fr" href="/fr">
    <link rel="alternate home" type="application/rss+xml; charset=x" href="/b">
    <link rel="alternate" type="application/feed+json" href="javascript:x">
    <link rel=alternate type=application/feed+json href=//j.test/></head>"""
    assert discover(page, URL) == ["https://cdn.test/x/a", "https://cdn.test/b", "https://j.test/"]
    assert discover(b"", URL) == []
    page = b"""<link rel=alternate type=application/json href=/wp-json/wp/v2/pages/1>
    <link rel=alternate type="text/xml; charset=utf-8" href=/a.xml>
    <link rel=alternate type=application/json href=/f.json>
    <link rel=alternate type=text/xml href="/api?oembed=1"><link rel=alternate type=application/rss+xml href=/b.xml>"""
    assert discover(page, "https://p.test/") == [
        "https://p.test/b.xml",
        "https://p.test/a.xml",
        "https://p.test/f.json",
    ]


def test_skipped_hours_and_days() -> None:
    channel = "<skipHours><hour>0</hour><hour> 3 </hour><hour>24</hour><hour>25</hour><hour>x</hour></skipHours>"
    channel += "<skipDays><day>Sunday</day><day>monday</day><day>Someday</day></skipDays>"
    feed = parse(rss("<item><guid>1</guid></item>", channel), None, URL)
    assert (feed.skip_hours, feed.skip_days) == (frozenset({0, 3}), frozenset({0, 6}))
    utf16 = rss("", channel, head="").decode().encode("utf-16")
    assert parse(utf16, None, URL).skip_hours == feed.skip_hours
    assert parse(rss("<item><description>&lt;skipHours&gt;5</description></item>"), None, URL).skip_hours == frozenset()


def test_one_id_for_several_pages_is_none() -> None:
    items = "".join(f"<item><guid isPermaLink='false'>0</guid><link>https://paper.test/{n}</link></item>" for n in "ab")
    keys = [entry.key for entry in parse(rss(items), None, URL).entries]
    assert keys == ["https://paper.test/a", "https://paper.test/b"]


def test_relative_links() -> None:
    items = '<item><link>world/1</link><guid isPermaLink="false">/id/7</guid></item>'
    entry = item(rss(items, "<link>https://paper.test/home/</link>"))
    assert (entry.url, entry.key) == ("https://paper.test/home/world/1", "https://paper.test/id/7")
    assert item(rss(items)).url == "https://paper.test/feeds/world/1"
    own = '<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="self" href="https://own.test/f/rss"/>'
    assert item(rss(items, own), url="feed.xml").url == "https://own.test/f/world/1"
    assert item(rss(items), url="feed.xml").url is None
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><link href="https://paper.test/home/"/><entry><id>1</id>
    <link rel="enclosure" href="/e.mp3"/><link href="world/1"/></entry></feed>"""
    assert item(atom).url == "https://paper.test/feeds/world/1"


def test_an_enclosure_is_not_the_page() -> None:
    links = '<link rel="alternate" href="https://paper.test/1"/><link rel="enclosure">https://paper.test/e.mp3</link>'
    assert item(f'<feed xmlns="http://www.w3.org/2005/Atom"><entry>{links}</entry></feed>'.encode()).url == (
        "https://paper.test/1"
    )


def test_captions_are_not_the_text() -> None:
    space = 'xmlns:media="http://search.yahoo.com/mrss/"'
    picture = "<media:content url='/p.jpg'><media:title>Pic</media:title><media:description type='plain'>A bridge"
    picture += "</media:description></media:content>"
    own = "<title>News</title><description>What happened.</description>"
    for parts in (picture + own, own + picture):
        entry = item(rss(f"<item {space}><guid>1</guid>{parts}</item>"))
        assert (entry.title, entry.summary, entry.content) == ("News", "What happened.", "")
    alone = item(rss(f"<item {space}><guid>1</guid><title>Film</title><media:group>{picture}</media:group></item>"))
    assert (alone.title, alone.summary) == ("Film", "A bridge")
    for parts in (picture + own, own + picture):  # & alone: what the strict reader can't read
        broken = item(rss(f"<item {space}><guid>1</guid><author>A & B</author>{parts}</item>"))
        assert (broken.title, broken.summary, broken.content) == ("News", "What happened.", "")


def test_an_empty_link_beside_an_address_as_id() -> None:
    assert item(rss("<item><link/><guid>https://paper.test/1</guid></item>")).url == "https://paper.test/1"
    assert item(rss('<item><guid isPermaLink="false">https://paper.test/1</guid></item>')).url is None


def test_entries_after_a_tag_that_is_never_closed() -> None:
    broken = "<item><title>One<link>https://paper.test/1</link></item><item><title>Two</title><guid>2</guid></item>"
    feed = parse(rss(broken), None, URL)
    assert [entry.title for entry in feed.entries][1:] == ["Two"]
    assert feed.entries[1].key == "2"
    assert "mismatched" in (feed.problem or "")
    cyrillic = rss(broken.replace("Two", "Два")).decode().replace("utf-8", "windows-1251").encode("cp1251")
    assert parse(cyrillic, None, URL).entries[1].title == "Два"


def test_authors_and_sources() -> None:
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><author><name>A. One</name></author>
    <author><name>B. Two</name></author><source><title>Wire</title><link href="https://wire.test/"/></source></entry>
    </feed>"""
    entry = item(atom)
    assert (entry.author, entry.source, entry.source_url) == ("A. One, B. Two", "Wire", "https://wire.test/")
    entry = item(rss("<item><guid>1</guid><author>a@paper.test (A. One)</author></item>"))
    assert entry.author == "a@paper.test (A. One)"
    silent = item(rss("<item><author>A. One</author></item>"))
    assert silent.is_empty
    assert silent.key != item(rss("<item><author>B. Two</author></item>")).key


def test_markup_where_there_should_be_none() -> None:
    def title(value: str) -> str:
        return item(rss(f"<item><guid>1</guid><title>{value}</title></item>")).title

    assert title("&lt;b&gt;Bold&lt;/b&gt; claim") == "Bold claim"
    assert title("The &lt;name&gt; of a tag") == "The <name> of a tag"
    assert title("Losses &lt; 5 &amp;amp; gains &gt; 6") == "Losses < 5 & gains > 6"
    assert title("&lt;![CDATA[ twice ]]&gt;") == "twice"
    assert title("<![CDATA[cut <!-- here > off]]>") == "cut off"
    assert item(rss("<item><description>safe&lt;object id=1&gt; text</description></item>")).summary == "safe text"


def test_language_of_an_entry() -> None:
    def language(entry: str, feed: str = 'xml:lang="ko"') -> str | None:
        return item(f'<feed xmlns="http://www.w3.org/2005/Atom" {feed}><entry>{entry}</entry></feed>'.encode()).language

    assert language("<title>a</title>") == "ko"
    assert language('<title xml:lang="en">a</title>') == "en"
    assert language('<title xml:lang="en">a</title><summary>b</summary>') == "ko"
    assert language('<title xml:lang="">a</title>') is None
    assert parse(rss("<item><title>a</title></item>"), None, URL, "uk-UA").entries[0].language == "uk"


def test_labels_do_not_overrule_utf8() -> None:
    body = rss("<item><title>Солдат</title></item>", head='<?xml version="1.0" encoding="iso-8859-1"?>')
    assert item(body).title == item(body, content_type="text/xml").title == "Солдат"


def test_old_formats() -> None:
    cdf = b"<CHANNEL><TITLE>Old</TITLE><ITEM HREF='https://paper.test/1'><TITLE>One</TITLE></ITEM></CHANNEL>"
    feed = parse(cdf, None, URL)
    assert (feed.title, feed.entries[0].title, feed.entries[0].url) == ("Old", "One", "https://paper.test/1")
    assert parse(b"<CHANNEL><TITLE>Old</TITLE></CHANNEL>", None, URL).title == "Old"
    rss090 = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns="http://my.netscape.com/rdf/simple/0.9/"><item><title>One</title><link>https://paper.test/1</link></item>
    </rdf:RDF>"""
    assert parse(rss090, None, URL).format == "rdf"
    atom03 = b"""<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title mode="escaped" type="text/html">
    &lt;i&gt;One&lt;/i&gt;</title><issued>2004-01-01T19:48:21Z</issued></entry></feed>"""
    entry = parse(atom03, None, URL).entries[0]
    assert (entry.title, entry.published) == ("One", datetime(2004, 1, 1, 19, 48, 21, tzinfo=UTC))


def test_a_list_of_feeds_is_called_one() -> None:
    opml = b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- mine --><opml version="2.0"><head><title>x</title></head></opml>'
    assert "feeds import" in reason(opml)


def test_a_pages_comments_are_not_the_feed_that_is_meant() -> None:
    link = "<link rel=alternate type=application/rss+xml href=/{}>"
    page = f"<html><head>{link.format('comments/feed')}{link.format('feed')}{link.format('all')}</head></html>"
    assert reason(page.encode()).endswith("names this feed: https://paper.test/feed")


def test_a_gzipped_feed() -> None:
    assert item(gzip.compress(rss("<item><guid>1</guid></item>")), content_type="application/gzip").key == "1"
    body = rss("<item><guid>1</guid></item>" + "<item><guid>2</guid></item>")
    parts = gzip.compress(body[:400]) + gzip.compress(b"") + gzip.compress(body[400:])
    for packed in (parts, parts + bytes(512), parts + b"\x1f\x8brubbish"):
        assert len(parse(packed, None, URL).entries) == 2


_PIECES = ["<p>", "</p>", "<br/>", "<b>", "</b>", "<a href='x>y'>", "</a>", "one", " ", "two\n", "&amp;", "&lt;b&gt;"]


@given(st.lists(st.sampled_from([*_PIECES, "북한", "&nbsp;", "5 < 6"]), max_size=12).map("".join))
@settings(max_examples=300, deadline=None)
def test_the_fast_reading_of_html_has_the_same_words(fragment: str) -> None:
    fast = text._simple_text(fragment)
    if fast is not None:
        assert "".join(fast.split()) == "".join(text._parsed_text(fragment).split())


# --- text ---


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a\0b\x07c\x9fd", "abcd"),
        ("e\u0301", "é"),
        ("a\u00a0\u2003\u3000 b", "a b"),
        ("soft\u00adhy\u200bphen\ufeff", "softhyphen"),
        ("a\ud800b\ud83d\ude00", "a\ufffdb\U0001f600"),
        (" a \t\r\n \n b\u2028c ", "a\nb\nc"),
        ("\u200b", ""),
    ],
)
def test_clean(raw: str, expected: str) -> None:
    assert text.clean(raw) == expected


@given(st.text(alphabet=st.characters(), max_size=80))
@settings(max_examples=300, deadline=None)
def test_clean_is_idempotent_and_storable(raw: str) -> None:
    once = text.clean(raw)
    assert text.clean(once) == once
    once.encode("utf-8")
    assert "\0" not in once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("a &amp; b &lt; c", "a & b < c"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("<p>a</p><p>b<br>c</p>d", "a\nb\nc\nd"),
        ("<b>a</b><i>b</i> <a href=x>c</a>", "ab c"),
        ("x<script>if (a<b) {}</script><style>p{}</style>y<!-- no -->z", "xyz"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("<p>a\n  b</p>", "a b"),
        ("line one\nline two", "line one\nline two"),
        ("<p", ""),
        ("<p>x\ud800\x00y</p>", "x\ufffdy"),
        ("&#0;&#xD800;&#1114112;<b>&#0;</b>a", None),
        ("<>", "<>"),
        ("<!-->", None),
    ],
)
def test_strip_html(fragment: str, expected: str | None) -> None:
    got = text.strip_html(fragment)
    assert text.clean(got) == got
    if expected is not None:
        assert got == expected


@given(st.text(alphabet="<>/&;#x0abpdivsctle!-\"'= \n\0\ud800中", max_size=80))
@settings(max_examples=300, deadline=None)
def test_strip_html_never_fails(fragment: str) -> None:
    got = text.strip_html(fragment)
    assert text.clean(got) == got


def test_content_hash() -> None:
    assert text.content_hash("A  b\nc\u200b") == text.content_hash("A b c")
    assert text.content_hash("a b c") != text.content_hash("A b c")
    assert len(text.content_hash("")) == 32


def cut(raw: str) -> list[str]:
    return [raw[a:b] for a, b in text.sentences(raw)]


@pytest.mark.parametrize(
    "parts",
    [
        ["Gen. A. B. Smith of the U.S. Army spoke.", "He said 3.5 million."],
        ["They met in the U.S.", "The minister left."],
        ['"Stop!" he said.', '"Why?"', "Nobody knew..."],
        ["It cost $1.5 bn.", "(See p. 4.)", "Done"],
        ["북한군 1만 2천 명이 파병됐다.", "국정원은 27.5%라고 밝혔다.", '"사실이다."', "끝"],
        ["Потери составили 3 тыс. человек.", "Об этом заявил ген. Иванов.", "«Это правда».", "Он ушёл."],
        ["Це сталося 5 грн. тому в м. Київ.", "Президент заявив!"],
        ["北朝鮮は派兵した。", "「本当か？」", "と彼は言った。"],
        ["朝鲜派兵了！", "是吗？", "没有人知道……"],
        ["M. Dupont est parti.", "Pourquoi ?", "« On ne sait pas. »"],
        ["one line", "another line"],
    ],
)
def test_sentences(parts: list[str]) -> None:
    joiner = "\n" if parts[0] == "one line" else " "
    assert cut(joiner.join(parts)) == parts
    if parts[0].endswith(("。", "！")):
        assert cut("".join(parts)) == parts


def test_korean_sentences_without_a_space() -> None:
    assert cut("파병했다.국정원은 밝혔다.") == ["파병했다.", "국정원은 밝혔다."]


@given(st.text(alphabet="Aa1.?!… \n\t。！」»\"')(다가Бб\u3000-", max_size=80))
@settings(max_examples=500, deadline=None)
def test_sentences_cover_the_text_in_order(raw: str) -> None:
    at = 0
    for begin, end in text.sentences(raw):
        assert not raw[at:begin].strip()
        assert begin < end
        assert raw[begin:end] == raw[begin:end].strip()
        at = end
    assert not raw[at:].strip()


@given(st.lists(st.sampled_from(["A sentence here. ", "word ", "x" * 700, "다. ", "。", "\n"]), max_size=60))
@settings(max_examples=150, deadline=None)
def test_paragraphs_keep_everything(parts: list[str]) -> None:
    raw = "".join(parts)
    got = text.paragraphs(raw)
    assert "".join("".join(got).split()) == "".join(raw.split())
    assert all(0 < len(each) <= text.LONG_PARAGRAPH for each in got)


def test_a_long_paragraph_is_split_at_sentence_ends() -> None:
    got = text.paragraphs("This is one sentence of many. " * 200)
    assert len(got) > 2
    assert all(each.endswith(".") for each in got)
    assert text.paragraphs("a\n\n b ") == ("a", "b")


def test_light_imports_stay_light() -> None:
    code = (
        "import sys\n"
        "from pipeline.logic import extraction, feeds, schedule, text, urls\n"
        "heavy = {'trafilatura', 'feedparser', 'lxml', 'py3langid', 'courlan', 'numpy', 'httpx', 'idna'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
