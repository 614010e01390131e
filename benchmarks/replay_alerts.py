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
reverse): told where a mail on the claim tells a story of that event; a contradiction where it tells that stance too.
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
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP

from pipeline.adapters import database, migrate
from pipeline.adapters.database import Connection
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.clock import FileClock, SystemClock
from pipeline.logging import configure
from pipeline.newsroom.content import Content, feed_urls, load
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
QUIET = timedelta(days=7)  # without a labelled event, after which the next is first coverage again
LEAST_PRECISION, LEAST_RECALL = 0.9, 0.85
MARKS = ("<!-- replay begins -->", "<!-- replay ends -->")


@dataclass(frozen=True)
class Label:
    """What the newsroom says of one article: stances by claim, figures, and the event that it reports."""

    article: str
    published: datetime
    family: str
    event: str  # the least id of the articles that report it
    wire: str  # the id of what it copies, itself included
    stances: dict[str, frozenset[str]]
    figures: tuple[tuple[str, float, float], ...]


@dataclass
class Mail:
    """A mail that was sent, with what it tells and how that was judged."""

    alert_id: int
    claim: str
    sent_at: datetime
    subject: str
    events: list[Any]
    articles: dict[int, list[str]] = field(default_factory=dict)  # by story, the newsroom's ids
    published: datetime | None = None
    right: bool = False
    why: str = ""


# The newsroom's labels -----------------------------------------------------------------------------------------


def read_labels(folder: Path, content: Content) -> dict[str, Label]:
    """By article id; later versions of an article belong to its first."""
    rows = [json.loads(line) for line in (folder / "articles.jsonl").read_text(encoding="utf-8").splitlines()]
    by_id = {row["id"]: row for row in rows}
    families = {outlet.slug: outlet.family for outlet in content.outlets}

    def wire(row: dict[str, Any]) -> str:
        while row["syndicated_from"] or row["edited_from"]:
            row = by_id[row["syndicated_from"] or row["edited_from"]]
        return str(row["id"])

    labels = {}
    for row in rows:
        if row["edited_from"]:
            continue
        versions = [row, *(other for other in rows if other["edited_from"] == row["id"])]
        source = wire(row)
        stances = defaultdict(set)
        for label in (label for version in versions for label in version["labels"]):
            stances[label["claim"]].add(label["stance"])
        figures = {(f["role"], float(f["low"]), float(f["high"])) for version in versions for f in version["figures"]}
        labels[row["id"]] = Label(
            row["id"],
            datetime.fromisoformat(row["published"]).astimezone(UTC),
            families[row["outlet"]],
            min([source, *by_id[source]["same_event_as"]]),
            source,
            {claim: frozenset(found) for claim, found in stances.items()},
            tuple(sorted(figures)),
        )
    return labels


@dataclass(frozen=True)
class Expected:
    """What a reader should have been told."""

    claim: str
    kind: str  # first coverage or contradiction
    event: str
    at: datetime
    stance: str | None = None


def expected(labels: dict[str, Label], until: datetime) -> list[Expected]:
    found = []
    for claim in sorted({claim for label in labels.values() for claim in label.stances}):
        events: dict[str, list[Label]] = defaultdict(list)
        for label in sorted(labels.values(), key=lambda one: one.published):
            if label.stances.get(claim, frozenset()) & {"supports", "refutes"} and label.published < until:
                events[label.event].append(label)
        last: datetime | None = None
        said: dict[str, set[str]] = {"supports": set(), "refutes": set()}
        turned = False
        for event, reports in events.items():
            first = reports[0]
            if last is None or first.published - last >= QUIET:
                found.append(Expected(claim, "first coverage", event, first.published))
            last = max(report.published for report in reports)
            for report in reports:
                for stance, other in (("refutes", "supports"), ("supports", "refutes")):
                    if stance in report.stances[claim] and said[other] - {report.family} and not turned:
                        found.append(Expected(claim, "contradiction", event, report.published, stance))
                        turned = True
                for stance in report.stances[claim] & said.keys():
                    said[stance].add(report.family)
    return found


# The replay ----------------------------------------------------------------------------------------------------


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


# Judging -------------------------------------------------------------------------------------------------------


def mails(conn: Connection, content: Content) -> list[Mail]:
    """Every alert that was sent, in that order."""
    ids = {article.url: article.id for article in content.articles}
    sent = conn.execute(
        "select alert_id, claim_id, sent_at, subject from ingest.alerts where state = 'sent' order by sent_at, alert_id"
    ).fetchall()
    found = []
    for row in sent:
        events = database.rows(conn, "alerts.told", alert_id=row.alert_id)
        mail = Mail(row.alert_id, row.claim_id, row.sent_at, row.subject, events)
        for story in {event.story_id for event in events if event.story_id}:
            urls = conn.execute(
                "select url from ingest.articles where story_id = %s and first_seen_at <= %s order by first_seen_at",
                [story, row.sent_at],
            ).fetchall()
            mail.articles[story] = [ids[url] for (url,) in urls if url in ids]
        found.append(mail)
    return found


def judge(mail: Mail, labels: dict[str, Label]) -> None:
    """Whether what a mail leads with is true."""
    from pipeline.logic.news import by_weight
    from pipeline.stages.quoting import event_of

    lead = by_weight([event_of(row) for row in mail.events])[0]
    row = next(r for r in mail.events if (r.kind, r.event_key) == (lead.kind, lead.key))
    reports = [labels[name] for name in mail.articles.get(row.story_id, [])]
    labelled = [r for r in reports if mail.claim in r.stances]
    mail.published = min((r.published for r in reports), default=None)
    stances = {stance for r in labelled for stance in r.stances[mail.claim]}
    evidence = {"supports", "refutes"}
    mail.why = f"{lead.kind}: " + (f"labelled {', '.join(sorted(stances))}" if stances else "no label")
    match lead.kind:
        case "first_seen":
            mine = {r.event for r in labelled}
            before = [
                one
                for one in labels.values()
                if one.stances.get(mail.claim, frozenset()) & evidence
                and one.event not in mine
                and labelled
                and one.published < labelled[0].published
            ]
            mail.right = bool(labelled) and not before
            mail.why += f", but {before[0].article} was before" if before else ""
        case "contradiction":
            stance = lead.key.split("/")[1]
            mail.right = stance in stances
        case "new_maximum" | "new_minimum" | "first_official_figure":
            role, *rest = lead.key.split("/")
            heights = {
                high if lead.kind == "new_maximum" else low for r in reports for f, low, high in r.figures if f == role
            }
            mail.right = bool(heights) and (not rest or float(rest[0]) in heights)
            mail.why += f"; {role} labelled {sorted(heights)}"
        case "edited" | "figure_edited":
            mail.right = any(
                len(article.versions) > 1 for article in load().articles if article.id in {r.article for r in reports}
            )
        case "silence":
            mail.right = True  # that nothing was published is what makes it; checked below
            since = max(
                (
                    one.published
                    for one in labels.values()
                    if mail.claim in one.stances and one.published < mail.sent_at
                ),
                default=mail.sent_at,
            )
            mail.right = mail.sent_at - since >= timedelta(days=3)
        case "surge":
            day = {
                one.event
                for one in labels.values()
                if mail.claim in one.stances
                and timedelta(0) <= mail.sent_at - one.published <= timedelta(days=1, hours=1)
            }
            mail.right = bool(labelled) and len(day) >= 3
        case _:
            mail.right = bool(labelled)


def told(want: Expected, sent: Sequence[Mail], labels: dict[str, Label]) -> bool:
    for mail in sent:
        if mail.claim != want.claim:
            continue
        for names in mail.articles.values():
            if any(labels[name].event == want.event for name in names) and (
                want.stance is None
                or any(e.kind == "contradiction" and e.event_key.split("/")[1] == want.stance for e in mail.events)
            ):
                return True
    return False


def copies_mailed(sent: Sequence[Mail], labels: dict[str, Label]) -> list[str]:
    """Mails on a claim that tell coverage of a wire story that an earlier one had told."""
    known: set[tuple[str, str]] = set()
    found = []
    for mail in sent:
        coverage = {
            e.story_id for e in mail.events if e.kind in ("first_seen", "fresh_coverage", "new_origin", "surge")
        }
        wires = {(mail.claim, labels[name].wire) for story in coverage for name in mail.articles.get(story, [])}
        found += [mail.subject] if wires & known else []
        known |= wires
    return found


def report(conn: Connection, folder: Path, until: datetime) -> tuple[dict[str, Any], list[str]]:
    content = load()
    labels = read_labels(folder, content)
    sent = mails(conn, content)
    for mail in sent:
        judge(mail, labels)
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
        f"- {w.at:%Y-%m-%d} {w.claim}: {w.kind}{f' ({w.stance})' if w.stance else ''}, {w.event}"
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
        "expected": len(wanted),
        "median_delay_s": round(statistics.median(delays), 1) if delays else None,
        "poll_interval_s": POLL.total_seconds(),
        "copies_mailed": len(copies),
    }
    return result, lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--labels", type=Path, default=Path("../shared/data/newsroom"), help="folder with articles.jsonl"
    )
    parser.add_argument("--until", type=datetime.fromisoformat, default=UNTIL, help="where the replay ends")
    parser.add_argument("--docs", action="store_true", help="write the list of mails into docs/alerts.md")
    arguments = parser.parse_args()
    if not (arguments.labels / "articles.jsonl").exists():
        raise SystemExit(f"no articles.jsonl in {arguments.labels}: say where it is with --labels")
    until = arguments.until if arguments.until.tzinfo else arguments.until.replace(tzinfo=UTC)
    configure("console", quiet=True)
    inbox = Inbox()
    with tempfile.TemporaryDirectory(prefix="claimwatch-replay-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # the server's own user has to get in
        server = EmbeddedServer(home / "home", 18, shared_buffers="64MB", maintenance_work_mem="64MB")
        server.start()
        try:
            server.bootstrap()
            clock = FileClock(home / "home" / "clock.json")
            with newsroom(clock) as site, mail_server(inbox) as smtp:
                settings = settings_for(home / "home", server.dsn(), site, smtp)
                with database.session(settings) as conn:
                    migrate.migrate(conn, SystemClock())
                    play(conn, Services(settings), clock, until)
                    result, lines = report(conn, arguments.labels, until)
        finally:
            server.stop()
    result["delivered"] = len(inbox.messages)
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
