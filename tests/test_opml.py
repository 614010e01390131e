"""Feed lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import PermanentError
from pipeline.logic.opml import KINDS, MOST_TAGS, STATES, Outline, parse, tag, tags, write
from pipeline.logic.text import clean, line

LIST = """\
<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>Feeds</title></head><body>
  <outline text="Wires">
    <outline type="rss" text="Wire &amp; Sons" title="The Wire" xmlUrl="https://wire.example/rss?a=1&amp;b=2" htmlUrl="https://wire.example"/>
    <outline text="새벽일보" xmlUrl=" https://dawn.example/feed "/>
  </outline>
  <outline xmlurl="https://small.example/feed"/>
  <outline text="again" xmlUrl="https://small.example/feed"/>
  <outline text="a folder without feeds"/>
</body></opml>
"""


def test_a_list() -> None:
    assert parse(LIST.encode()) == [
        Outline("https://wire.example/rss?a=1&b=2", "The Wire", ("wires",)),
        Outline("https://dawn.example/feed", "새벽일보", ("wires",)),
        Outline("https://small.example/feed"),
    ]


def test_folders_and_categories_are_tags() -> None:
    content = """<opml version="2.0"><body><outline text="Asia"><outline title="Korea, South">
      <outline text="Papers / dailies">
      <outline text="One" xmlUrl="https://one.example/" category="/News/Korea South,asia, ,Élan"/>
    </outline></outline></outline></body></opml>"""
    [feed] = parse(content.encode())
    assert feed.tags == ("asia", "korea south", "papers dailies", "news", "élan")


def test_what_is_no_value_is_left_out() -> None:
    content = """<opml xmlns:c="urn:claimwatch:opml"><body><outline xmlUrl="https://one.example/" language="en-GB"
      c:state="nonsense" c:kind="tabloid" c:country="Korea" c:minInterval="0" c:maxInterval="nan" c:verified="yesterday"
      c:pages="perhaps" c:feedLanguage="KO"/></body></opml>"""
    assert parse(content.encode()) == [Outline("https://one.example/", feed_language="ko")]
    plain = """<opml><body><outline xmlUrl="https://one.example/" language="en-GB"/></body></opml>"""
    assert parse(plain.encode()) == [Outline("https://one.example/", language="en")]


def test_other_encodings_and_broken_lists() -> None:
    assert parse(LIST.replace("UTF-8", "UTF-16").encode("utf-16"))[1].title == "새벽일보"
    assert len(parse(LIST.partition("</body>")[0].encode())) == 3  # cut off
    assert len(parse(LIST.replace("Wire &amp; Sons", "Wire & Sons").encode())) == 3
    assert parse(LIST.replace("새벽일보", "Новости утра").encode("cp1251"))[1].title == "Новости утра"


def test_lists_written_by_hand() -> None:
    """Bare ampersands change no address, and HTML's names and old schemes are understood."""
    content = b"""<opml><body><outline text="AT&T &eacute;&amp;&#233; &nope;" xmlUrl="http://one.test/?a=1&b=2&copy=3&amp;d=4"/>
      <outline xmlUrl="feed://two.test/rss"/><outline xmlUrl="feed:https://three.test/rss"/></body></opml>"""
    first, second, third = parse(content)
    assert (first.title, first.url) == ("AT&T é&é &nope;", "http://one.test/?a=1&b=2&copy=3&d=4")
    assert (second.url, third.url) == ("http://two.test/rss", "https://three.test/rss")
    assert parse(b"\xef\xbb\xbf<opml/>") == []


@pytest.mark.parametrize("content", [b"", b"hello", b"<html/>", b"<rss><channel/></rss>", b"\x00", b"<!-- -->"])
def test_not_a_list(content: bytes) -> None:
    with pytest.raises(PermanentError) as raised:
        parse(content)
    assert raised.value.code == "not-opml"


def test_entities_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2", encoding="utf-8")
    content = f'<!DOCTYPE opml [<!ENTITY x SYSTEM "file://{secret}">]><opml><body>&x;<outline text="&x;" xmlUrl="https://a.example"/></body></opml>'
    assert "hunter2" not in str(parse(content.encode()))


@example(b"<:/>")
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: f"<opml>{t}</opml>".encode("utf-8", "replace")))
def test_no_bytes_are_too_strange(content: bytes) -> None:
    try:
        parse(content)
    except PermanentError as error:
        assert error.code == "not-opml"


_CHARACTERS = st.characters(exclude_characters="\ufffe\uffff", codec="utf-8")
_LINES = st.text(_CHARACTERS, max_size=30).map(line).filter(bool)
_CODES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=2)
_INTERVALS = st.none() | st.integers(60, 30 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
_FEEDS = st.builds(
    Outline,
    url=st.text(_CHARACTERS, max_size=30).map(lambda text: line(f"https://a.example/{text}")),
    title=st.none() | _LINES,
    tags=st.lists(st.text(_CHARACTERS, max_size=12), max_size=5).map(tags),
    publisher=st.none() | _LINES,
    family=st.none() | _LINES,
    country=st.none() | _CODES.map(str.upper),
    language=st.none() | _CODES,
    kind=st.none() | st.sampled_from(KINDS),
    state=st.sampled_from(STATES),
    verified_at=st.none()
    | st.timedeltas(timedelta(0), timedelta(days=9000)).map(lambda t: datetime(2020, 1, 1, tzinfo=UTC) + t),
    note=st.none() | st.text(_CHARACTERS, max_size=60).map(clean).filter(bool),
    feed_language=st.none() | _CODES,
    min_interval=_INTERVALS,
    max_interval=_INTERVALS,
    read_pages=st.booleans(),
)


@given(st.lists(_FEEDS, max_size=6, unique_by=lambda feed: feed.url), st.text(max_size=30))
def test_a_list_comes_back_as_it_was_written(feeds: list[Outline], title: str) -> None:
    got = {feed.url: feed for feed in parse(write(feeds, title, datetime(2024, 12, 1, tzinfo=UTC)))}
    assert set(got) == {feed.url for feed in feeds}
    for feed in feeds:
        shown = feed.title or feed.publisher or feed.url  # a reader has to show something
        named = replace(feed, title=shown)
        assert got[feed.url] == named


@given(st.text(max_size=40))
def test_a_tag_has_one_spelling(text: str) -> None:
    assert tag(tag(text)) == tag(text)
    assert len(tags([text] * 3 + [str(n) for n in range(40)])) == MOST_TAGS
