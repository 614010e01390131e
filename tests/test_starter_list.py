"""The starter list of real outlets: complete, consistent, and not polled before it was checked."""

from __future__ import annotations

from collections import Counter

import pytest
from conftest import ROOT, Bench, FakeEncoder, MovableClock

from pipeline.adapters.database import Connection, rows
from pipeline.logic import opml, urls
from pipeline.logic.opml import Outline
from pipeline.settings import Settings
from pipeline.stages import sources

FILE = ROOT / "feeds" / "nk-russia.opml"


@pytest.fixture(scope="module")
def feeds() -> list[Outline]:
    return opml.parse(FILE.read_bytes())


def test_every_voice_is_there(feeds: list[Outline]) -> None:
    assert len(feeds) >= 100
    languages = Counter(feed.language for feed in feeds)
    assert all(languages[code] >= 4 for code in ("en", "ko", "ru", "uk", "ja", "zh")), languages
    countries = {feed.country for feed in feeds}
    assert countries >= {"KR", "RU", "UA", "JP", "CN", "US", "GB"}
    assert {feed.kind for feed in feeds} >= {"wire", "newspaper", "broadcaster", "state", "think-tank"}


def test_every_feed_says_who_it_is_and_is_unverified(feeds: list[Outline]) -> None:
    for feed in feeds:
        assert feed.state == "unverified", feed.url
        assert feed.verified_at is None
        assert all((feed.title, feed.publisher, feed.family, feed.country, feed.language, feed.kind, feed.tags)), (
            feed.url
        )
        assert urls.canonical(feed.url) is not None


def test_addresses_and_publishers_are_consistent(feeds: list[Outline]) -> None:
    assert len({urls.canonical(feed.url) for feed in feeds}) == len(feeds)
    about: dict[str | None, tuple[str | None, ...]] = {}
    for feed in feeds:
        told = (feed.family, feed.country, feed.language, feed.kind)
        assert about.setdefault(feed.publisher, told) == told, feed.publisher


def test_nothing_of_it_is_polled_before_it_was_checked(
    settings: Settings, conn: Connection, clock: MovableClock, feeds: list[Outline]
) -> None:
    bench = Bench(settings, clock, FakeEncoder())  # type: ignore[arg-type]
    for feed in feeds:
        assert sources.add(conn, bench, feed) is not None
    clock.move(days=90)
    assert bench.run(conn, "poll")["poll"].claimed == 0
    assert {feed.state for feed in rows(conn, "feeds.managed", feed_ids=None)} == {"unverified"}


def test_the_program_itself_never_reads_it() -> None:
    """`up` and `demo` must not poll real outlets: the list is taken up by `feeds import` alone."""
    for file in [*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "dags").glob("*.py")]:
        assert FILE.name not in file.read_text(encoding="utf-8"), file
