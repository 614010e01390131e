"""Replays a real stream of feed items through the real stages and accounts for every one of them.

    python benchmarks/stream.py [--items N] [--data FOLDER] [--home FOLDER] [--vectors FILE] [--profile FILE]

The items are served as feeds on loopback (stream_feeds.py) while the clock moves through their dates, in steps small
enough that no item can fall out of a feed between two polls. At every step poll, fetch, extract, embed, group,
match and track run until nothing is due, on an embedded PostgreSQL of the benchmark's own. The article pages are not in
the data: fetch gets a 404 for each, and the text is the entry's own title and summary.

The last line is one JSON object. The exit status is 1 where an item is lost or a stage's outcomes do not add up.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
from stream_feeds import DOMAIN, KEY, WINDOW, Outlet, StreamItem, outlets, read

from pipeline.adapters import database
from pipeline.adapters.database import Connection
from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.local.prepare import prepare
from pipeline.local.processes import exit_on_signals
from pipeline.logging import configure
from pipeline.logic.text import line, paragraphs
from pipeline.settings import Settings, root
from pipeline.stages import claims, embed, match
from pipeline.stages.poll import add_feed
from pipeline.stages.services import Services, run_stage
from pipeline.stages.subscriptions import add_subscription
from pipeline.stages.work import StageReport

STAGES = ("poll", "fetch", "extract", "embed", "group", "match", "track")
GAINED = 90  # items a feed may gain between two polls; it shows WINDOW
LONGEST_STEP = timedelta(days=1)  # from the first new item on, so that what is fresh is still fresh when it is seen
SHORTEST_STEP = timedelta(seconds=70)  # the feeds' poll interval is 60 s and up to 15 % jitter
READER = "desk@analysts.example"
DATA = Path(__file__).parents[1].parent / "shared" / "data" / "stream"


class ReplayClock:
    """Stands where the replay puts it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class CachedVectors(CachedEncoder):
    """An Encoder for the stages whose vectors come from a file where it has them."""

    def __init__(self, encoder: Encoder, path: Path) -> None:
        super().__init__(encoder, path)
        self.name, self.weights_hash = encoder.name, encoder.weights_hash

    @property
    def dimensions(self) -> int:
        return self._encoder.dimensions


class ReplayServices(Services):
    """The real services but for the clock and, with --vectors, the encoder."""

    def __init__(self, settings: Settings, clock: ReplayClock, vectors: Path | None) -> None:
        super().__init__(settings)
        self.clock = clock  # type: ignore[assignment]
        self._vectors = vectors

    @cached_property
    def encoder(self) -> Encoder:  # type: ignore[override]
        real = Encoder(self.settings.embed)
        return real if self._vectors is None else CachedVectors(real, self._vectors)  # type: ignore[return-value]


def first_days(items: list[StreamItem], wanted: int | None) -> list[StreamItem]:
    """The stream's first whole days (UTC) with at least `wanted` items in all; everything for None."""
    if wanted is None or wanted >= len(items):
        return items
    last = items[wanted - 1].published.date()
    return [item for item in items if item.published.date() <= last]


def moments(items: list[StreamItem]) -> list[datetime]:
    """When to poll. Items of one moment stay together; a source never gains more than GAINED between two moments."""
    found: list[datetime] = []
    gained: Counter[str] = Counter()
    begun = last = items[0].published
    for moment, same in groupby(items, key=lambda item: item.published):
        coming = Counter(item.source for item in same)
        too_many = any(gained[source] + count > GAINED for source, count in coming.items())
        if gained and (too_many or moment > begun + LONGEST_STEP):
            found.append(last)
            gained, begun = Counter(), moment
        gained += coming
        last = moment
    return [*found, last]


@contextmanager
def feeds_server(items: Path, count: int) -> Iterator[int]:
    """The feeds in a process of their own, so that their time and memory are not the pipeline's; the port."""
    command = [sys.executable, str(Path(__file__).with_name("stream_feeds.py")), str(items), "--items", str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


class Replay:
    """One run of the benchmark on a prepared database."""

    def __init__(self, conn: Connection, services: ReplayServices, port: int) -> None:
        self.conn, self.services = conn, services
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.reports = {stage: StageReport(stage) for stage in STAGES}
        self._server = httpx.Client(base_url=f"http://127.0.0.1:{port}")

    def move_to(self, moment: datetime) -> None:
        self._server.put("/_now", content=moment.isoformat()).raise_for_status()
        self.services.clock.at = moment  # type: ignore[attr-defined]

    def step(self, moment: datetime) -> None:
        self.move_to(moment)
        for stage in STAGES:
            begun = time.perf_counter()
            self.reports[stage] += run_stage(self.conn, self.services, stage)
            self.seconds[stage] += time.perf_counter() - begun


def play(replay: Replay, sources: list[Outlet], items: list[StreamItem]) -> float:
    """Add the feeds, move through all moments; the seconds of the latter."""
    steps = moments(items)
    replay.move_to(steps[0])
    for outlet in sources:
        add_feed(replay.conn, replay.services, outlet.url, name=outlet.source, language=outlet.language)
    say(f"{len(items)} items, {len(sources)} feeds, {len(steps)} steps")
    begun = shown = time.perf_counter()
    previous = None
    for planned in steps:
        moment = planned if previous is None else max(planned, previous + SHORTEST_STEP)
        check_window(sources, previous, moment)
        replay.step(moment)
        previous = moment
        if time.perf_counter() - shown > 15:
            shown = time.perf_counter()
            done = sum(1 for item in items if item.published <= moment)
            say(f"{moment:%Y-%m-%d %H:%M}  {done} items after {shown - begun:.0f} s")
    return time.perf_counter() - begun


def check_window(sources: list[Outlet], previous: datetime | None, moment: datetime) -> None:
    """Every item published since the last poll has to be in the feed: what isn't shown can't be read."""
    for outlet in sources:
        new = sum(
            1 for item in outlet.items if (previous is None or item.published > previous) and item.published <= moment
        )
        if new > WINDOW:
            raise SystemExit(f"{outlet.source} gains {new} items until {moment}; its feed shows {WINDOW}")


# What became of every item: whether its entry is stored, its article has a text or a recorded outcome, and every
# paragraph of it has a vector and is through matching.
ACCOUNT = """
select e.entry_key, e.title, e.summary, e.article_id, v.version_id is not null as has_text,
       a.last_outcome, count(*) over (partition by e.article_id) as entries_of_article
from ingest.entries e
join ingest.articles a using (article_id)
left join ingest.versions v using (article_id)
"""
COUNTS = """
select (select count(*) from ingest.entries) as entries,
       (select count(*) from ingest.articles) as articles,
       (select count(*) from ingest.paragraphs) as paragraphs,
       (select count(*) from ingest.appearances) as appearances,
       (select count(*) from ingest.stories) as stories,
       (select count(*) from ingest.matches where tier = 'accepted') as accepted,
       (select count(*) from ingest.matches where tier = 'suggested') as suggested,
       (select count(*) from ingest.claim_events) as events,
       (select count(*) from ingest.alerts) as alerts,
       (select count(*) from ingest.work where stage not in ('poll', 'notify')) as unfinished,
       (select count(*) from ingest.outcomes where outcome in ('crashed', 'lease-lost')) as crashed,
       pg_database_size(current_database()) as bytes
"""


def account(conn: Connection, items: list[StreamItem], reports: dict[str, StageReport]) -> dict[str, Any]:
    """Where the items are. `lost`: those with neither a text in the database nor a recorded reason."""
    found = {r.entry_key: r for r in conn.execute(ACCOUNT).fetchall()}
    counts = conn.execute(COUNTS).fetchone()
    lost = [item.id for item in items if not _accounted(found.get(f"{KEY}{item.id}"))]
    changed = [item.id for item in items if not _same_text(item, found.get(f"{KEY}{item.id}"))]
    wrong = {
        s: r.claimed - sum(r.outcomes.values()) for s, r in reports.items() if r.claimed != sum(r.outcomes.values())
    }
    embedded = reports["embed"].outcomes["embedded"]
    matched = reports["match"].outcomes["matched"]
    if lost or changed or wrong:
        say(f"lost: {lost[:20]}, text changed: {changed[:20]}, stages whose outcomes don't add up: {wrong}")
    return {
        "entries": counts.entries,
        "articles": counts.articles,
        "same_address": sum(1 for r in found.values() if r.entries_of_article > 1),
        "without_text": sum(1 for r in found.values() if not r.has_text),
        "text_changed": len(changed),
        "paragraphs": counts.paragraphs,
        "known_copies": counts.appearances - counts.paragraphs,
        "stories": counts.stories,
        "lost": len(lost),
        "unfinished": counts.unfinished,
        "crashed": counts.crashed,
        "outcomes_add_up": not wrong,
        "embedded": embedded,
        "matched": matched,
        "accepted": counts.accepted,
        "suggested": counts.suggested,
        "events": counts.events,
        "alerts": counts.alerts,
        "database_mb": round(counts.bytes / 2**20),
        "complete": not lost
        and not wrong
        and counts.unfinished == counts.crashed == 0
        and counts.entries == len(items)
        and embedded == matched == counts.paragraphs,
    }


def _accounted(row: Any) -> bool:
    return row is not None and (row.has_text or row.last_outcome == "empty")


def _same_text(item: StreamItem, row: Any) -> bool:
    return row is None or (row.title == line(item.title) and paragraphs(row.summary) == paragraphs(item.text))


def speeds(replay: Replay, items: int, seconds: float) -> dict[str, Any]:
    claimed = {stage: report.claimed for stage, report in replay.reports.items()}
    each = {s: round(claimed[s] / replay.seconds[s], 1) if replay.seconds[s] else None for s in STAGES}
    return {
        "outcomes": {stage: dict(report.outcomes) for stage, report in replay.reports.items()},
        "seconds": round(seconds, 1),
        "seconds_per_stage": {stage: round(value, 1) for stage, value in replay.seconds.items()},
        "items_per_second": round(items / seconds, 1),
        "items_per_second_per_stage": each,
        "paragraphs_per_second_embed": each["embed"],
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def settings_for(home: Path, port: int) -> Settings:
    """Politeness, robots.txt and address checks stay on; only the pauses meant for other people's servers go."""
    return Settings(
        home=home,
        poll={"min_interval": 60, "max_interval": 60, "host_delay": 0},
        fetch={
            "host_map": {f"*.{DOMAIN}": f"127.0.0.1:{port}"},
            "allow_networks": ["127.0.0.0/8"],
            "host_delay": 0,
            "contact": "benchmark",
        },
    )


@contextmanager
def home_folder(given: Path | None) -> Iterator[Path]:
    """`given` has to be empty and is kept; a temporary one is removed with its database."""
    if given is not None:
        if given.exists() and any(given.iterdir()):
            raise SystemExit(f"{given} is not empty")
        given.mkdir(parents=True, exist_ok=True)
        yield given.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="claimwatch-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # the database server runs as a user of its own
        yield home


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    file = arguments.data / "items.jsonl.gz"
    items = first_days(read(file), arguments.items)
    with home_folder(arguments.home) as home, feeds_server(file, len(items)) as port:
        vectors = None
        if arguments.vectors is not None:
            vectors = Path(shutil.copyfile(arguments.vectors, home / "vectors.sqlite"))
        settings = settings_for(home, port)
        clock = ReplayClock(items[0].published)
        services = ReplayServices(settings, clock, vectors)
        server = database.embedded_server(settings)
        try:
            prepare(settings)
            with database.session(settings) as conn:
                claims.load(conn, services, root() / "claims" / "nk-russia.yaml")
                add_subscription(conn, READER, clock.now())
                # Loading the model and the vectors of the claims' wordings are made once; they are not the stream's.
                match.build(conn, services, embed.model(conn, services), database.rows(conn, "claims.in_force"))
                replay = Replay(conn, services, port)
                with profiled(arguments.profile):
                    seconds = play(replay, outlets(items), items)
                found = account(conn, items, replay.reports)
                found |= speeds(replay, len(items), seconds)
        finally:
            server.stop("fast")
            if arguments.home is None:
                shutil.rmtree(server.base, ignore_errors=True)
    cached = isinstance(services.encoder, CachedEncoder)
    made = services.encoder.made if cached else None
    return {
        "benchmark": "stream",
        "items": len(items),
        **found,
        "model": settings.embed.model,
        "embeddings": f"from a cache, {made} texts encoded" if cached else "encoded",
        "postgres": server.version(),
        "cpus": len(os.sched_getaffinity(0)),
        "machine": platform.machine(),
    }


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def profiled(file: Path | None) -> Iterator[None]:
    if file is None:
        yield
        return
    profile = cProfile.Profile()
    with profile:
        yield
    profile.dump_stats(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, help="replay the first whole days with at least so many items")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with items.jsonl.gz")
    parser.add_argument("--home", type=Path, help="an empty folder to keep the database in; default: a temporary one")
    parser.add_argument("--vectors", type=Path, help="a cache of vectors (for development): read from a copy")
    parser.add_argument("--profile", type=Path, help="write the replay's cProfile here; slows it down")
    arguments = parser.parse_args()
    if not (arguments.data / "items.jsonl.gz").exists():
        raise SystemExit(f"no items.jsonl.gz in {arguments.data}: say where it is with --data")
    configure("console", quiet=True)
    exit_on_signals()
    result = run(arguments)
    print(json.dumps(result))
    if not result["complete"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
