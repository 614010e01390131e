"""Measures polling at the server: many feeds on many hosts, beside lemon24/reader on the same feeds in one run.

    python benchmarks/poll.py [--feeds N] [--hosts N] [--latency S] [--reader PYTHON] [--polite-feeds N]

Every one of the --feeds is new: it is fetched, parsed and its entries stored. Ours: the poll stage in one process,
then in two shards; with PostgreSQL, and a row in the queue for every article found. reader: one worker and twenty, with
its SQLite. No delay between two requests to a host, for both; ours keeps to two connections a host all the same. A
second round follows each, answered with 304. Then --polite-feeds are polled by two shards with the delays on, and the
server's log is read: the most connections of a host at a time, and the smallest gap between two requests.

--reader is the Python of an environment with reader and sgmllib3k (`make bench-poll` makes one); without it ours runs
alone. The last line is one JSON object. The exit status is 1 where a feed was not stored, a host had more than two
connections, or two requests came sooner than the delay.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

from poll_server import ENTRIES, host_of
from stream import home_folder, say

from pipeline.adapters import database
from pipeline.local.prepare import prepare
from pipeline.local.processes import exit_on_signals
from pipeline.logging import configure
from pipeline.settings import FetchSettings, PollSettings, ScheduleSettings, Settings
from pipeline.stages.poll import add_feed
from pipeline.stages.services import Services, run_stage

LOOPBACK = ["127.0.0.0/8"]
SLACK = 0.005  # seconds: what two clocks may differ by when a gap is judged
HERE = Path(__file__).parent


def settings(home: Path, delay: float) -> Settings:
    fetch = FetchSettings(allow_networks=LOOPBACK, contact="benchmark")
    return Settings(home=home, fetch=fetch, poll=PollSettings(host_delay=delay), schedule=ScheduleSettings())


def shard_process(home: Path, delay: float, shard: int, shards: int) -> None:
    """One of our processes: for every line on standard input it polls what is due in its shard."""
    configure("console", quiet=True)
    services = Services(settings(home, delay))
    with services.session() as conn:
        print("ready", flush=True)
        for _ in sys.stdin:
            begun, used = time.monotonic(), time.process_time()
            report = run_stage(conn, services, "poll", shard=shard, shards=shards)
            told = {
                "seconds": time.monotonic() - begun,
                "cpu": time.process_time() - used,
                "outcomes": dict(report.outcomes),
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
            print(json.dumps(told), flush=True)


class Children:
    """Processes that wait for a line to begin a round and answer with a line of JSON."""

    def __init__(self, commands: list[list[str]]) -> None:
        self._all = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for command in commands
        ]
        for child in self._all:
            if child.stdout is None or child.stdout.readline().strip() != "ready":
                raise SystemExit(f"{child.args} did not start")

    def round(self) -> tuple[float, list[dict[str, Any]]]:
        """Seconds until the last one is through, and what each told."""
        begun = time.monotonic()
        for child in self._all:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        told = [json.loads(child.stdout.readline()) for child in self._all if child.stdout]
        return time.monotonic() - begun, told

    def end(self) -> None:
        for child in self._all:
            assert child.stdin is not None
            child.stdin.close()
            child.wait(30)


def ours(
    conn: database.Connection, home: Path, addresses: list[str], shards: int, delay: float = 0.0
) -> dict[str, Any]:
    """A round of new feeds and one of 304s in `shards` processes."""
    reset(conn, Services(settings(home, delay)), addresses)
    own = [sys.executable, __file__, "--shard"]
    children = Children([[*own, str(home), str(delay), str(k), str(shards)] for k in range(shards)])
    first, told = children.round()
    stored = conn.execute("select count(*) as n from ingest.entries").fetchone().n
    if stored != len(addresses) * ENTRIES:
        raise SystemExit(f"{stored} entries are stored of {len(addresses) * ENTRIES}: {told}")
    conn.execute("update ingest.work set due_at = now() where stage = 'poll'")
    second, again = children.round()
    children.end()
    unchanged = sum(each["outcomes"].get("unchanged", 0) for each in again)
    if unchanged != len(addresses):
        raise SystemExit(f"only {unchanged} of {len(addresses)} feeds were unchanged: {again}")
    return {
        "feeds_per_s": round(len(addresses) / first, 1),
        "unchanged_per_s": round(len(addresses) / second, 1),
        "cpu_ms": round(1000 * sum(each["cpu"] for each in told) / len(addresses), 1),
        "peak_mb": max(each["peak_mb"] for each in again),
    }


def reset(conn: database.Connection, services: Services, addresses: list[str]) -> None:
    conn.execute("truncate ingest.feeds, ingest.articles, ingest.work cascade")
    with conn.transaction():
        for address in addresses:
            add_feed(conn, services, address)
    conn.execute("analyze")


def readers(python: str, addresses: list[str], workers: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "addresses"
        listed.write_text("\n".join(addresses))
        children = Children(
            [[python, str(HERE / "poll_reader.py"), f"{folder}/reader.sqlite", str(listed), str(workers)]]
        )
        first, told = children.round()
        second, again = children.round()
        children.end()
    if told[0]["updated"] != len(addresses) or again[0]["unchanged"] != len(addresses):
        raise SystemExit(f"reader did not take every feed: {told}, {again}")
    return {
        "feeds_per_s": round(len(addresses) / first, 1),
        "unchanged_per_s": round(len(addresses) / second, 1),
        "peak_mb": again[0]["peak_mb"],
    }


def log_of(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_log") as answer:
        content: dict[str, Any] = json.load(answer)
        return content


def judged(log: dict[str, Any]) -> dict[str, Any]:
    """The most connections that a host had at a time, and the smallest gap between two of its requests."""
    at: dict[str, list[float]] = defaultdict(list)
    for host, moment, _ in log["requests"]:
        at[host].append(moment)
    gaps = [b - a for moments in at.values() for a, b in zip(sorted(moments), sorted(moments)[1:], strict=False)]
    return {"connections": max(log["connections"].values(), default=0), "gap_s": round(min(gaps, default=0.0), 3)}


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "poll_server.py")]
    command += [str(arguments.feeds), str(arguments.hosts), str(arguments.latency)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = int(server.stdout.readline())
    addresses = [f"http://{host_of(n, arguments.hosts)}:{port}/feed/{n}.xml" for n in range(arguments.feeds)]
    result: dict[str, Any] = {"benchmark": "poll", "feeds": arguments.feeds, "hosts": arguments.hosts}
    try:
        with home_folder(None) as home:
            postgres = database.embedded_server(Settings(home=home))
            postgres.start()
            try:
                prepare(settings(home, 0.0))
                with database.session(settings(home, 0.0)) as conn:
                    result |= measured(arguments, conn, home, addresses, port)
            finally:
                postgres.stop("fast")
                shutil.rmtree(postgres.base, ignore_errors=True)
    finally:
        server.terminate()
        server.wait()
    return result


def measured(
    arguments: argparse.Namespace, conn: database.Connection, home: Path, addresses: list[str], port: int
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    log_of(port)
    one = ours(conn, home, addresses, 1)
    found["open_connections"] = judged(log_of(port))["connections"]
    say(f"ours, one process: {one}")
    two = ours(conn, home, addresses, 2)
    found["open_connections"] = max(found["open_connections"], judged(log_of(port))["connections"])
    say(f"ours, two shards: {two}")
    found |= one
    found |= {f"two_shards_{key}": value for key, value in two.items()}
    if arguments.reader:
        for name, workers in (("reader", 1), ("reader_w20", 20)):
            other = readers(arguments.reader, addresses, workers)
            say(f"reader, {workers} workers: {other}")
            found |= {f"{name}_{key}": value for key, value in other.items()}
        found["times_reader"] = round(found["feeds_per_s"] / found["reader_feeds_per_s"], 2)
        found["times_reader_w20"] = round(found["two_shards_feeds_per_s"] / found["reader_w20_feeds_per_s"], 2)
    log_of(port)
    ours(conn, home, addresses[: arguments.polite_feeds], 2, arguments.delay)
    polite = judged(log_of(port))
    say(f"with a delay of {arguments.delay} s: {polite}")
    return found | {
        "delay_s": arguments.delay,
        "polite_connections": polite["connections"],
        "polite_gap_s": polite["gap_s"],
    }


def main() -> None:
    if sys.argv[1:2] == ["--shard"]:
        shard_process(Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--latency", type=float, default=0.02, help="seconds")
    parser.add_argument("--reader", help="Python of an environment with reader")
    parser.add_argument("--polite-feeds", type=int, default=600)
    parser.add_argument("--delay", type=float, default=PollSettings().host_delay, help="seconds, of the polite round")
    arguments = parser.parse_args()
    configure("console", quiet=True)
    exit_on_signals()
    result = run(arguments)
    print(json.dumps(result))
    fair = result["polite_connections"] <= 2 and result["open_connections"] <= 2
    sys.exit(0 if fair and result["polite_gap_s"] >= result["delay_s"] - SLACK else 1)


if __name__ == "__main__":
    main()
