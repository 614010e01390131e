"""The corpus of feeds: every file has an outcome, and agreement does not fall below what was reached.

Floors in tests/feeds_quality.json, by suite: [expectations compared, those that hold]. They are raised by hand, from
`make bench-feeds`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT

from pipeline.evaluation import feed_expectations as expectations
from pipeline.evaluation.feed_corpus import Looked, files, look, summary
from pipeline.logic import text
from pipeline.model import ParsedEntry, ParsedFeed

FLOORS = json.loads((ROOT / "tests" / "feeds_quality.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def looked() -> list[Looked]:
    corpus = ROOT.parent / "shared" / "data" / "feeds"
    if not corpus.is_dir():
        pytest.skip("needs ../shared")
    return [look(given) for given in files(corpus)]


def test_every_file_has_an_outcome(looked: list[Looked]) -> None:
    assert len(looked) >= FLOORS["files"]
    assert {one.outcome for one in looked} == {"ok", "not-a-feed"}
    assert sum(one.outcome == "ok" for one in looked) >= FLOORS["read"]
    assert all(one.problem for one in looked if one.outcome != "ok")
    assert max(one.seconds for one in looked) < 5


def test_agreement(looked: list[Looked]) -> None:
    for name, suite in summary(looked).items():
        compared, agreed = FLOORS["suites"][name]
        assert suite.compared >= compared, name
        assert suite.ours >= agreed, name
        assert suite.ours >= suite.theirs, f"{name}: feedparser alone agrees more often"
    assert all(one.ours for one in looked if one.file.endswith(".json") and one.ours is not None)


def test_what_comes_out_is_clean(shared: Path) -> None:
    from pipeline.errors import PermanentError
    from pipeline.logic.feeds import parse

    for folder, file in files(shared / "data" / "feeds" / "feedparser")[::3]:
        try:
            feed = parse((Path(folder) / file).read_bytes(), None, "https://paper.test/rss")
        except PermanentError:
            continue
        for entry in feed.entries:
            for value in (entry.key, entry.title, entry.summary, entry.content, entry.author or ""):
                assert value == text.clean(value)
            assert entry.key
            assert entry.url is None or entry.url.lower().startswith(("http://", "https://"))


# The reader of expectations ---------------------------------------------------------------------------------------


def holds(expected: str, feed: ParsedFeed) -> bool:
    case = expectations.read(f"<!--\nDescription: x\nExpect:   {expected}\n-->".encode())
    assert case is not None
    return expectations.holds(case, expectations.Ours(feed, "https://paper.test/"))


FEED = ParsedFeed("rss", "A title", (ParsedEntry("1", "https://paper.test/a", "One & two", "A summary"),))


@pytest.mark.parametrize(
    ("expected", "outcome"),
    [
        ("not bozo and feed['title'] == 'A title'", True),
        ("feed.title == u'A title' and len(entries) == 1", True),
        ("entries[0]['title'] == '<b>One</b> &amp; two'", True),
        ("entries[0]['title'] == 'One'", False),
        ("entries[0]['link'] == '/a'", True),
        ("entries[0].has_key('link') and not feed.has_key('language')", True),
        ("entries[1]['title'] == 'x'", False),
        ("bozo", False),
        ("entries[0]['title'] != 'One' or feed['title'] == 'x'", True),
    ],
)
def test_expectations(expected: str, outcome: bool) -> None:
    assert holds(expected, FEED) is outcome


@pytest.mark.parametrize("expected", ["__import__('os').system('x')", "(lambda: 1)()", "[x for x in entries]", "feed["])
def test_expectations_are_not_run(expected: str) -> None:
    with pytest.raises((expectations.Unreadable, expectations.NotKept)):
        holds(expected, FEED)


def test_what_is_not_kept_is_told() -> None:
    for expected in ("feed['cloud']['port'] == 80", "not bozo and entries[0]['tags'][0]['term'] == 'x'", "encoding"):
        with pytest.raises(expectations.NotKept):
            holds(expected, FEED)
