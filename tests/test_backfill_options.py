"""What a backfill may be asked for, and the lists that it is given."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.errors import ConfigurationError
from pipeline.logic.backfills import Options, addresses, checked, manifest

CC = "https://data.commoncrawl.org/crawl-data/CC-NEWS/2024/10/warc.paths.gz"
LINES = b"crawl-data/CC-NEWS/2024/10/CC-NEWS-1.warc.gz\ncrawl-data/CC-NEWS/2024/10/CC-NEWS-2.warc.gz\n"


def test_options_survive_storing() -> None:
    given = {"languages": ["KO", "en"], "terms": ["북한군"], "since": "2024-10-01", "until": "2024-11-01", "limit": 5}
    options = checked("warc", "/data", given)
    assert options == Options.of(options.stored())
    assert options.languages == ("ko", "en")
    assert options.since == datetime(2024, 10, 1, tzinfo=UTC)
    assert Options.of({}) == checked("urls", "list.txt", {}) == Options()


@pytest.mark.parametrize(
    ("kind", "source", "given", "told"),
    [
        ("wark", "x", {}, "kind: 'wark' is none of"),
        ("urls", " ", {}, "source: it has to name"),
        ("urls", "x", {"terms": ["a"]}, "terms: it is for warc, not for urls"),
        ("sitemap", "x", {"anything": True}, "anything: it is for warc, not for sitemap"),
        ("warc", "x", {"languages": ["xx"]}, "languages: 'xx' is no two-letter code"),
        ("warc", "x", {"terms": ["*"]}, "terms: the term '\\*' has no word"),
        ("warc", "x", {"terms": ["a"], "anything": True}, "terms: either name terms or take anything"),
        ("warc", "x", {"since": "2024-13-01"}, "since: '2024-13-01' is no date"),
        ("warc", "x", {"since": "2024-10-02", "until": "2024-10-02"}, "since: it has to lie before until"),
        ("warc", "x", {"limit": 0}, "limit: it has to be 1 or more"),
    ],
)
def test_mistakes_are_told(kind: str, source: str, given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        checked(kind, source, given)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as error:
        checked("urls", "", {"languages": ["xx"], "limit": -1})
    assert str(error.value).count("\n") == 4


def test_a_window_of_dates() -> None:
    options = checked("warc", "x", {"since": "2024-10-01", "until": "2024-10-02"})
    assert options.covers(datetime(2024, 10, 1, tzinfo=UTC))
    assert not options.covers(datetime(2024, 10, 2, tzinfo=UTC))
    assert not options.covers(datetime(2024, 9, 30, 23, 59, tzinfo=UTC))
    assert options.covers(None)


def test_addresses_have_line_numbers() -> None:
    lines = ["\ufeffhttp://a.example/", "", "  # a comment", " http://b.example/ ", "not one"]
    assert list(addresses(lines)) == [(1, "http://a.example/"), (4, "http://b.example/"), (5, "not one")]


@pytest.mark.parametrize(
    ("source", "base", "expected"),
    [
        (CC, None, "https://data.commoncrawl.org/crawl-data/CC-NEWS/2024/10/CC-NEWS-1.warc.gz"),
        (CC, "https://mirror.example/cc", "https://mirror.example/cc/crawl-data/CC-NEWS/2024/10/CC-NEWS-1.warc.gz"),
        ("/data/warc.paths", None, "/data/crawl-data/CC-NEWS/2024/10/CC-NEWS-1.warc.gz"),
        ("/data/warc.paths", "/mnt/cc", "/mnt/cc/crawl-data/CC-NEWS/2024/10/CC-NEWS-1.warc.gz"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_manifest(source: str, base: str | None, expected: str, packed: bool) -> None:
    found = manifest(gzip.compress(LINES) if packed else LINES, source, base)
    assert found[0] == expected
    assert len(found) == 2


def test_manifest_of_addresses_and_absolute_paths() -> None:
    content = b"https://h.example/a.warc.gz\n/data/b.warc\n/data/b.warc\n"
    assert manifest(content, "/list/paths.txt", None) == ["https://h.example/a.warc.gz", "/data/b.warc"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "names no file"),
        (b"<html>", "not the path of a .warc"),
        (b"s3://commoncrawl/x.warc.gz", "can't be read directly"),
        (b"\xff\xfe\x00", "neither a WARC file nor a list"),
        (b"\x1f\x8bxxxxxxxxxxxx", "can't be unpacked"),
        (gzip.compress(LINES, mtime=0)[:-20], "cut off"),
    ],
)
def test_what_is_no_manifest(content: bytes, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        manifest(content, "/data/paths", None)
