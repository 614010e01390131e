"""Kills poll and fetch at random moments and looks at what is left: in the database, and in the servers' log.

    make soak
    make soak BENCH="--feeds 100 --kills 20"

Two processes poll and fetch 500 feeds with four articles each, at the same time, and are killed with SIGKILL 50 times,
each time at a random moment, and started again. Afterwards every entry and article has to be there once, nothing may
have been asked more often than the leases allow, and no site too fast or over too many connections:

- a page is asked for again only when its last holder was killed and the lease has run out, so two requests for it are
  at least half a lease apart (a holder starts no request in the second half of its lease);
- so there are no more repeats of a page than kills of its stage.

Prints the figures as JSON; ends with 1 where one of the rules was broken.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from logging_server import Log, LoggingServer, article_text, kind

from pipeline.adapters import database
from pipeline.adapters.database import Connection
from pipeline.adapters.warc import Archive, Place
from pipeline.local.prepare import prepare
from pipeline.local.processes import exit_on_signals
from pipeline.settings import Settings
from pipeline.stages import fetch, poll, services
from pipeline.stages.poll import add_feed

FEED_DELAY, ARTICLE_DELAY, CRAWL_DELAY = 0.2, 0.5, 1.0  # seconds; short, so that a run takes minutes
TOTAL_TIMEOUT = 4.0  # of a request; a host whose holder was killed is free again after 2.5 of them
LEASE = 16.0
LIFE = (0.05, 8.0)  # seconds that a process is left alive
STAGES = ("poll", "fetch")


def values(server: LoggingServer, home: Path, dsn: str | None) -> dict[str, Any]:
    """What the settings are made of."""
    return {
        "home": home,
        "database": {"dsn": dsn} if dsn else {},
        "lease": LEASE,
        "log_format": "json",
        "poll": {"host_delay": FEED_DELAY},
        "fetch": {
            "host_map": server.host_map(),
            "allow_networks": ["127.77.0.0/16"],
            "host_delay": ARTICLE_DELAY,
            "total_timeout": TOTAL_TIMEOUT,
            "idle_timeout": TOTAL_TIMEOUT,
            "connect_timeout": TOTAL_TIMEOUT,
            "contact": "benchmark",
        },
        "versions": {"look_again": False},  # every page is asked for once
    }


def work(settings: Settings, stage: str, seconds: float) -> None:
    """What a child does until it is killed: batch after batch."""
    with (settings.home / f"{stage}.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    fetch.FIRST_RETRY = timedelta(seconds=LEASE)  # a machine under load may time out: not for five minutes, here
    deps = services.Services(settings)
    end = time.monotonic() + seconds
    with database.session(settings) as conn:
        while time.monotonic() < end:
            if not services.run_stage(conn, deps, stage).claimed:
                time.sleep(0.2)


class Victim:
    """A process that runs one stage, is killed at a random moment, and started again."""

    def __init__(self, settings: Settings, stage: str, rng: random.Random) -> None:
        self._settings, self.stage, self._rng = settings, stage, rng
        self.kills = 0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=work, args=(self._settings, self.stage, 600.0), daemon=True)
        self._process.start()
        self.dies_at = time.monotonic() + self._rng.uniform(*LIFE)

    def kill(self, *, again: bool = True) -> None:
        if self._process.exitcode is not None:
            told = (self._settings.home / f"{self.stage}.log").read_text()[-2000:]
            raise SystemExit(f"{self.stage} ended by itself with {self._process.exitcode}\n{told}")
        self._process.kill()
        self._process.join()
        if again:
            self.kills += 1
            self._start()


def play(
    settings: Settings, conn: Connection, *, kills: int, seed: int, limit: float, of_each: int
) -> tuple[dict[str, int], float]:
    """Kill as often as said, then let the rest be done; kills by stage, and seconds. `of_each` processes a stage."""
    rng, begun = random.Random(seed), time.monotonic()
    victims = [Victim(settings, stage, rng) for stage in STAGES * of_each]
    try:
        while True:
            time.sleep(0.01)
            done = sum(victim.kills for victim in victims)
            for victim in victims:
                if done < kills and time.monotonic() >= victim.dies_at:
                    victim.kill()
                    done += 1
            if done >= kills and not unfinished(conn):
                by_stage = {stage: sum(v.kills for v in victims if v.stage == stage) for stage in STAGES}
                return by_stage, time.monotonic() - begun
            if time.monotonic() - begun > limit:
                left = conn.execute("select * from ingest.work where stage = 'fetch' limit 5").fetchall()
                raise SystemExit(f"not finished after {limit:g} seconds: {unfinished(conn)} items are left: {left}")
    finally:
        for victim in victims:
            with suppress(SystemExit):
                victim.kill(again=False)


def unfinished(conn: Connection) -> int:
    """Feeds that were never polled, and articles that are still to be fetched."""
    query = (
        "select (select count(*) from ingest.feeds where last_polled_at is null) "
        "+ (select count(*) from ingest.work where stage = 'fetch') as left"
    )
    return int(conn.execute(query).fetchone().left)  # type: ignore[union-attr]


def account(
    conn: Connection, archive: Archive, server: LoggingServer, log: Log, kills: dict[str, int]
) -> dict[str, Any]:
    """What came of it, and which rules were broken."""
    count: Callable[[str], int] = lambda query: int(conn.execute(query).fetchone()[0])  # type: ignore[index,arg-type] # noqa: E731
    expected = server.article_urls()
    entries = Counter(r.url for r in conn.execute("select url from ingest.entries").fetchall())
    asked = log.asked()
    by_kind = {
        stage: Counter({page: n for page, n in asked.items() if kind(page[page.index("/") :]) == word})
        for stage, word in (("poll", "feed"), ("fetch", "article"))
    }
    repeats = log.repeats()
    robots = [sum(path == "/robots.txt" for _, path in seen) for seen in log.requests.values()]
    found = {
        "feeds": server.feeds,
        "articles": len(expected),
        "kills": sum(kills.values()),
        "kills_by_stage": kills,
        "kills_at_work": count("select count(*) from ingest.runs where finished_at is null"),
        "entries_lost": len(set(expected) - set(entries)),
        "entries_doubled": sum(entries.values()) - len(entries),
        "articles_stored": count("select count(*) from ingest.articles"),
        "pages_stored": count("select count(*) from ingest.pages"),
        "pages_wrong": wrong_pages(conn, archive),
        "extract_queued": count("select count(*) from ingest.work where stage = 'extract'"),
        "polls_queued": count("select count(*) from ingest.work where stage = 'poll'"),
        "requests": sum(asked.values()),
        "requests_repeated": len(repeats),
        "most_requests_for_a_page": {stage: max(pages.values()) for stage, pages in by_kind.items()},
        "least_seconds_between_repeats": round(min(repeats), 2) if repeats else None,
        "most_robots_txt_for_a_site": max(robots),
        "most_connections_to_a_site": max(log.connections.values()),
        "least_seconds_over_the_delay": round(log.gaps(FEED_DELAY, ARTICLE_DELAY, CRAWL_DELAY), 4),
    }
    rules = {
        "no entry is lost": found["entries_lost"] == 0,
        "no entry is doubled": found["entries_doubled"] == 0 and sum(entries.values()) == len(expected),
        "every article is there once": found["articles_stored"] == len(expected),
        "every page is there, and the right one": found["pages_stored"] == len(expected) and not found["pages_wrong"],
        "every article goes on": found["extract_queued"] == len(expected),
        "every feed stays": found["polls_queued"] == server.feeds,
        "a page is asked again only after the lease": all(seconds >= LEASE / 2 for seconds in repeats),
        "a page is asked again only after a kill": all(
            max(pages.values()) <= 1 + kills[stage] for stage, pages in by_kind.items()
        ),
        "two connections to a site": found["most_connections_to_a_site"] <= 2,
        "no site is asked faster than its delay": found["least_seconds_over_the_delay"] >= 0,
        "robots.txt once, and again only after a kill": found["most_robots_txt_for_a_site"] <= 1 + kills["fetch"],
    }
    return found | {"broken": [rule for rule, kept in rules.items() if not kept]}


def wrong_pages(conn: Connection, archive: Archive) -> int:
    """Pages whose record in the archive does not hold what the server has at that address."""
    wrong = 0
    query = (
        "select a.url, p.url as found_at, p.body_hash, c.warc_file, c.warc_offset, c.warc_length from ingest.pages p "
        "join ingest.articles a using (article_id) join ingest.captures c using (capture_id)"
    )
    for r in conn.execute(query):
        body = archive.body(Place(r.warc_file, r.warc_offset, r.warc_length), bytes(r.body_hash))
        site = int(r.found_at.split("/")[2].split(".")[0].removeprefix("site"))
        which = r.found_at.rpartition("/")[2]
        expected = article_text(site, which).encode()
        wrong += body != expected or which.removesuffix("-moved") != r.url.rpartition("/")[2]
    return wrong


def soak(
    settings: Settings, server: LoggingServer, *, kills: int, seed: int, limit: float, of_each: int = 1
) -> dict[str, Any]:
    """The whole of it, on a migrated, empty database."""
    with database.session(settings) as conn:
        deps = services.Services(settings)
        with conn.transaction():
            for url in server.feed_urls():
                add_feed(conn, deps, url)
        poll.run(conn, deps, 0)  # everything is imported before the first fork
        fetch.run(conn, deps, 0)
        done, seconds = play(settings, conn, kills=kills, seed=seed, limit=limit, of_each=of_each)
        return account(conn, deps.archive, server, server.log(), done) | {"seconds": round(seconds, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--feeds", type=int, default=500)
    parser.add_argument("--entries", type=int, default=4, help="of each feed")
    parser.add_argument("--sites", type=int, default=50)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=20241119)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds")
    arguments = parser.parse_args()
    exit_on_signals()
    with (
        tempfile.TemporaryDirectory(prefix="claimwatch-soak-") as folder,
        LoggingServer(arguments.sites, arguments.feeds, arguments.entries, crawl_delay=CRAWL_DELAY) as site,
    ):
        home = Path(folder)
        home.chmod(0o755)  # the database server runs as a user of its own
        settings = Settings(**values(site, home, None))
        server = database.embedded_server(settings)
        try:
            prepare(settings)
            found = soak(settings, site, kills=arguments.kills, seed=arguments.seed, limit=arguments.limit)
        finally:
            server.stop("fast")
    print(json.dumps(found, indent=2))
    return 1 if found["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
