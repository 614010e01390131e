"""Feed lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PermanentError
from pipeline.logic.opml import Outline, parse

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
        Outline("https://wire.example/rss?a=1&b=2", "The Wire", "Wires"),
        Outline("https://dawn.example/feed", "새벽일보", "Wires"),
        Outline("https://small.example/feed", None, None),
    ]


def test_other_encodings_and_broken_lists() -> None:
    assert parse(LIST.replace("UTF-8", "UTF-16").encode("utf-16"))[1].title == "새벽일보"
    assert len(parse(LIST.partition("</body>")[0].encode())) == 3  # cut off
    assert len(parse(LIST.replace("Wire &amp; Sons", "Wire & Sons").encode())) == 3
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


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: f"<opml>{t}</opml>".encode("utf-8", "replace")))
def test_no_bytes_are_too_strange(content: bytes) -> None:
    try:
        parse(content)
    except PermanentError as error:
        assert error.code == "not-opml"
