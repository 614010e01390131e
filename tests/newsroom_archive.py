"""The newsroom's articles of 2024, as their feeds' own entries, taken through the stages evening by evening."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from claims_files import some_claims
from conftest import ROOT, Bench, MovableClock

from pipeline.adapters.database import Connection, rows
from pipeline.stages.services import STAGES, run_stage

DATA = ROOT / "pipeline" / "newsroom" / "data"
UNTIL = "2025"  # what comes after is kept for measuring
FOLLOWED = ("over-10000-troops", "killed-in-kursk", "special-forces", "defence-treaty")
EVENINGS = 12  # to 5 November
__all__ = ["EVENINGS", "FOLLOWED", "match_of", "play", "some_claims"]
LIVE = STAGES[STAGES.index("extract") : STAGES.index("track") + 1]


def articles() -> list[dict[str, Any]]:
    """In the order of publication; each text once in the form that was published first."""
    lines = (DATA / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    found = [article for article in map(json.loads, lines) if article["published"] < UNTIL]
    return sorted((a for a in found if not a["edited_from"]), key=lambda a: datetime.fromisoformat(a["published"]))


def play(conn: Connection, bench: Bench, clock: MovableClock) -> None:
    """Take the articles in, one round of the stages on the evening of each of the first days that have some."""
    by_day = defaultdict(list)
    for article in articles():
        by_day[datetime.fromisoformat(article["published"]).astimezone(UTC).date()].append(article)
    feeds = _feeds(conn, clock)
    for day in sorted(by_day)[:EVENINGS]:
        clock.at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
        for article in by_day[day]:
            _take_in(conn, feeds[article["outlet"]], article, clock.at)
        for stage in LIVE:
            run_stage(conn, bench, stage)


def _feeds(conn: Connection, clock: MovableClock) -> dict[str, tuple[int, int]]:
    """(publisher, feed) of each outlet."""
    found = {}
    for outlet in json.loads((DATA / "outlets.json").read_text(encoding="utf-8")):
        publisher = conn.execute(
            "insert into ingest.publishers (name, family, country, language, kind) "
            "values (%(name)s, %(publisher_family)s, %(country)s, %(language)s, %(kind)s) returning publisher_id",
            outlet,
        ).fetchone()[0]
        feed = conn.execute(
            "insert into ingest.feeds (url, publisher_id, poll_interval, added_at) values (%s, %s, %s, %s) "
            "returning feed_id",
            [f"https://{outlet['slug']}.example/feed", publisher, timedelta(hours=1), clock.at],
        ).fetchone()[0]
        found[outlet["slug"]] = publisher, feed
    return found


def _take_in(conn: Connection, source: tuple[int, int], article: dict[str, Any], now: datetime) -> None:
    publisher, feed = source
    url = f"https://{article['outlet']}.example{article['url_path']}"
    added = conn.execute(
        "insert into ingest.articles (url, publisher_id, first_seen_at) values (%s, %s, %s) returning article_id",
        [url, publisher, now],
    ).fetchone()[0]
    conn.execute(
        "insert into ingest.entries (feed_id, entry_key, article_id, url, title, summary, content, language, "
        "published_at, first_seen_at) values (%s, %s, %s, %s, %s, '', %s, %s, %s, %s)",
        [
            *(feed, article["id"], added, url, article["title"], "\n".join(article["paragraphs"])),
            *(article["lang"], datetime.fromisoformat(article["published"]), now),
        ],
    )
    rows(conn, "work.add", stage="extract", item_id=added, host="", due_at=now)


def match_of(conn: Connection, tier: str, number: int = 0) -> Any:
    """A match of that tier: the number-th in the order of publication."""
    return conn.execute(
        "select m.* from ingest.matches m join ingest.paragraphs p using (paragraph_id) "
        "join ingest.versions v on v.version_id = p.first_version_id "
        "where m.tier = %s order by v.published_at, m.match_id limit 1 offset %s",
        [tier, number],
    ).fetchone()
