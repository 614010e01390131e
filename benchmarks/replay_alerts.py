"""Replays the sample newsroom's seven months and judges every mail by the newsroom's own labels.

    python benchmarks/replay_alerts.py --labels ../shared/data/newsroom [--until 2025-01-01] [--docs]

The whole pipeline runs on real parts: feeds and pages over HTTP, the packaged model, PostgreSQL, mail by SMTP. The
clock goes on by itself and is moved over times in which nothing is due: to the next poll after a publication or an edit
(feeds are polled every POLL), to work that is due, and to every morning. One reader gets everything as it happens.

A mail is right where what it leads with is true by the labels:
  first_seen             its story has a label for the claim, and no other event with one was published before
  fresh_coverage, surge  its story has a label for the claim (and for a surge there are three such events in the day)
  contradiction          its story has a label for the claim with that stance
  new_maximum, ...       a figure of that role and height stands among the labelled ones of the story
  new_origin             its story has a label for the claim
  edited, figure_edited  the newsroom did edit the article
  silence                no article with a label for the claim was published in that time
Recall is over first coverage (each claim's first event with a label that supports or refutes it, and each such event
after seven days without one) and contradictions (the first event that refutes what another family supported, or the
reverse): told where a mail on the claim tells a story of that event; a contradiction where it quotes that stance, or
calls it a contradiction (contradictions_by_name counts those alone).
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP
from replay_judge import copies_mailed, expected, judge, mails, read_labels, told

from pipeline.adapters import database, migrate
from pipeline.adapters.database import Connection
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.clock import FileClock, SystemClock
from pipeline.logging import configure
from pipeline.newsroom.content import feed_urls, load
from pipeline.newsroom.server import create_app
from pipeline.settings import Settings, root
from pipeline.stages import claims, maintain
from pipeline.stages.poll import add_feed
from pipeline.stages.services import STAGES, Services, due, run_stage
from pipeline.stages.subscriptions import add_subscription

FROM = datetime(2024, 10, 9, 6, tzinfo=UTC)
UNTIL = datetime(2025, 5, 10, 6, tzinfo=UTC)
POLL = timedelta(minutes=15)
MORNING = 6  # hour (UTC) at which the clock stops once a day
READER = "desk@newsroom.example"
LEAST_PRECISION, LEAST_RECALL = 0.9, 0.85
MARKS = ("<!-- replay begins -->", "<!-- replay ends -->")


class Inbox:
    """Keeps what comes, as a mail server would."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=default))
        return "250 kept"


@contextmanager
def mail_server(inbox: Inbox) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncio.Server:
        return await loop.create_server(lambda: SMTP(inbox, hostname="replay", loop=loop), "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextmanager
def newsroom(clock: FileClock) -> Iterator[int]:
    config = uvicorn.Config(create_app(clock, delays={}), host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)


def settings_for(home: Path, dsn: str, site: int, smtp: int) -> Settings:
    return Settings(
        home=home,
        clock_file=home / "clock.json",
        database={"dsn": dsn},
        fetch={
            "host_map": {"*.example": f"127.0.0.1:{site}"},
            "allow_networks": ["127.0.0.0/8"],
            "host_delay": 0.0,
            "contact": "replay@claimwatch.example",
        },
        poll={
            "host_delay": 0.0,
            "min_interval": POLL.total_seconds(),
            "max_interval": POLL.total_seconds(),
        },
        mail={"host": "127.0.0.1", "port": smtp, "sender": "watch@claimwatch.example"},
    )


def play(conn: Connection, services: Services, clock: FileClock, until: datetime) -> None:
    """Every stage at every moment at which something can happen."""
    clock.move_to(FROM)
    claims.load(conn, services, root() / "claims" / "nk-russia.yaml")
    for _, url, publisher in feed_urls():
        details = {key: publisher.get(key) for key in ("name", "family", "country", "language", "kind")}
        add_feed(conn, services, url, **details)
    add_subscription(conn, READER, clock.now())
    changes = sorted({version.since.astimezone(UTC) for a in load().articles for version in a.versions})
    began, steps, tended = time.monotonic(), 0, FROM
    while True:
        for stage in STAGES:
            if due(conn, services, stage):
                run_stage(conn, services, stage)
        now = clock.now()
        if now >= tended + timedelta(hours=6):
            maintain.run(conn, services)
            tended = now
        at = next_moment(conn, changes, now)
        if at > until:
            say(f"{steps} moments in {time.monotonic() - began:.0f} s")
            return
        steps += 1
        if at > now:
            clock.move_to(at)
        if steps % 50 == 0:
            say(f"{at:%Y-%m-%d}: {steps} moments in {time.monotonic() - began:.0f} s")


def next_moment(conn: Connection, changes: Sequence[datetime], now: datetime) -> datetime:
    """The next poll after a change, the next work that is due, or the next morning."""
    morning = now.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    moments = [morning + timedelta(days=1) if morning <= now else morning]
    moments += [at for at in (_poll_after(change) for change in changes) if at > now][:1]
    (due,) = conn.execute("select min(due_at) from ingest.work where stage <> 'poll'").fetchone()
    return min([*moments, max(due, now + timedelta(seconds=1))] if due is not None else moments)


def _poll_after(change: datetime) -> datetime:
    midnight = change.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((change - midnight) // POLL + 1) * POLL


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def report(conn: Connection, folder: Path, until: datetime) -> tuple[dict[str, Any], list[str]]:
    content = load()
    labels = read_labels(folder, content)
    sent = mails(conn, content)
    for mail in sent:
        judge(mail, labels, content)
    wanted = expected(labels, until)
    got = {want: told(want, sent, labels) for want in wanted}
    delays = [
        (mail.sent_at - mail.published).total_seconds()
        for mail in sent
        if mail.published and mail.events[0].kind not in ("edited", "figure_edited", "silence")
    ]
    copies = copies_mailed(sent, labels)
    lines = ["| sent | mail | right | by the labels |", "|---|---|---|---|"]
    lines += [
        f"| {m.sent_at:%Y-%m-%d %H:%M} | {m.subject.replace('|', '/')} | {'yes' if m.right else '**no**'} | {m.why} |"
        for m in sent
    ]
    lines += ["", "Not told:", ""]
    lines += [
        " ".join(["-", f"{w.at:%Y-%m-%d}", f"{w.claim}:", w.kind, *sorted(w.stances), f"({w.event})"])
        for w, t in got.items()
        if not t
    ]

    def share(kind: str | None) -> float:
        some = [t for w, t in got.items() if kind in (None, w.kind)]
        return round(sum(some) / len(some), 3) if some else 1.0

    result = {
        "mails": len(sent),
        "precision": round(sum(m.right for m in sent) / max(1, len(sent)), 3),
        "recall": share(None),
        "recall_first_coverage": share("first coverage"),
        "recall_contradictions": share("contradiction"),
        "contradictions_by_name": sum(told(w, sent, labels, by_name=True) for w in wanted if w.kind == "contradiction"),
        "expected": len(wanted),
        "median_delay_s": round(statistics.median(delays), 1) if delays else None,
        "poll_interval_s": POLL.total_seconds(),
        "copies_mailed": len(copies),
    }
    return result, lines


def run(folder: Path, labels: Path, until: datetime) -> tuple[dict[str, Any], list[str]]:
    """Replay into a database below `folder`, or judge anew what an earlier replay has left there."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # the server's own user has to get in
    home, inbox = folder / "home", Inbox()
    server = EmbeddedServer(home, 18, shared_buffers="64MB", maintenance_work_mem="64MB")
    server.start()
    try:
        server.bootstrap()
        clock = FileClock(home / "clock.json")
        with newsroom(clock) as site, mail_server(inbox) as smtp:
            settings = settings_for(home, server.dsn(), site, smtp)
            with database.session(settings) as conn:
                migrate.migrate(conn, SystemClock())
                if not conn.execute("select from ingest.alerts limit 1").fetchone():
                    play(conn, Services(settings), clock, until)
                    say(f"{len(inbox.messages)} mails delivered")
                return report(conn, labels, until)
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--labels", type=Path, default=Path("../shared/data/newsroom"), help="folder with articles.jsonl"
    )
    parser.add_argument("--until", type=datetime.fromisoformat, default=UNTIL, help="where the replay ends")
    parser.add_argument("--docs", action="store_true", help="write the list of mails into docs/alerts.md")
    parser.add_argument("--home", type=Path, help="keep the database here; one that is there is only judged anew")
    arguments = parser.parse_args()
    if not (arguments.labels / "articles.jsonl").exists():
        raise SystemExit(f"no articles.jsonl in {arguments.labels}: say where it is with --labels")
    until = arguments.until if arguments.until.tzinfo else arguments.until.replace(tzinfo=UTC)
    configure("console", quiet=True)
    with tempfile.TemporaryDirectory(prefix="claimwatch-replay-") as folder:
        result, lines = run(arguments.home or Path(folder), arguments.labels, until)
    print("\n".join(lines))
    if arguments.docs:
        page = root() / "docs" / "alerts.md"
        before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        page.write_text(f"{before}{MARKS[0]}\n" + "\n".join(lines) + f"\n{MARKS[1]}{after}", encoding="utf-8")
    print(json.dumps(result))
    good = result["precision"] >= LEAST_PRECISION and result["recall"] >= LEAST_RECALL and not result["copies_mailed"]
    in_time = result["median_delay_s"] is not None and result["median_delay_s"] < POLL.total_seconds() + 60
    sys.exit(0 if good and in_time else 1)


if __name__ == "__main__":
    main()
