"""Kills the senders of 1,000 alerts at random moments, and looks at what arrived.

    make soak-alerts
    make soak-alerts BENCH="--alerts 200 --kills 10"

Two processes send the alerts that are due, to a mail server with greylisting, refusals that pass, dropped connections
and delays. Thirty times one of them is killed with SIGKILL at a random moment and started again. Afterwards every alert
has to have arrived, and none may have arrived more often than a kill explains: one that came after the server had
answered 250 and before the sender had noted it. Which kills these were is read off the logs: the server's, which says
what it took and when, and the sender's, which says which mail it was at and which it had noted as sent. A line that is
missing may be one that was about to be written: in_window is rather too many than too few.

Prints the figures as JSON; ends with 1 where one of the rules was broken. Keys: due (alerts), delivered, doubled
(deliveries beyond the first), kills, in_window (of them, between the server's 250 and the commit).
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
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from mail_server import MailServer, Taken

from pipeline.adapters import database
from pipeline.adapters.database import Connection
from pipeline.adapters.mailer import Mailer
from pipeline.local.prepare import prepare
from pipeline.local.processes import exit_on_signals
from pipeline.logging import configure
from pipeline.settings import Settings
from pipeline.stages import announce, notify, services
from pipeline.stages.work import Run

LEASE = 12.0
LIFE = (0.05, 4.0)  # seconds that a process is left alive
RETRY = timedelta(seconds=2)  # the first of the waits, which double; a minute in real life
RETRY_CAP = timedelta(seconds=8)
DOMAINS = 15
BATCH = 25
BEGUN, ACCEPTED, SENT = "mail begun", "mail accepted", "mail sent"

log = structlog.get_logger()


def values(port: int, home: Path, dsn: str | None) -> dict[str, Any]:
    """What the settings are made of."""
    return {
        "home": home,
        "database": {"dsn": dsn} if dsn else {},
        "lease": LEASE,
        "log_format": "json",
        "mail": {
            "host": "127.0.0.1",
            "port": port,
            "sender": "watch@soak.example",
            "timeout": 0.5,
            "answer_timeout": 5.0,
            "batch": BATCH,
            "max_attempts": 40,  # a mail may have been begun by a process that was killed
        },
    }


def work(settings: Settings, file: Path, linger: float) -> None:
    """What a child does until it is killed: batch after batch. Its log also says which mail it is at."""
    with file.open("ab") as told:
        os.dup2(told.fileno(), 1)
        os.dup2(told.fileno(), 2)
    configure("json")
    notify.FIRST_RETRY = notify.DOWN_RETRY = RETRY
    notify.RETRY_CAP = RETRY_CAP
    send, finish = Mailer.send, Run.finish

    def noted(self: Mailer, message: Any) -> None:
        log.info(BEGUN, message_id=message.message_id)
        send(self, message)

    def lingering(self: Run, *given: Any, **values: Any) -> None:
        time.sleep(linger)
        finish(self, *given, **values)

    Mailer.send, Run.finish = noted, lingering  # type: ignore[method-assign]
    deps = services.Services(settings)
    with database.session(settings) as conn:
        while True:
            if not services.run_stage(conn, deps, "notify").claimed:
                time.sleep(0.1)


@dataclass(frozen=True)
class Said:
    event: str
    message_id: str
    at: float


@dataclass(frozen=True)
class Life:
    """One process: its log, and when it was killed; None where it was ended when all was done."""

    file: Path
    killed_at: float | None

    def told(self) -> list[Said]:
        """What it said of mails, in order. A line that the kill cut off counts as not said."""
        said = []
        for line in self.file.read_text(errors="replace").splitlines():
            with suppress(json.JSONDecodeError):
                found = json.loads(line)
                if found.get("event") in {BEGUN, ACCEPTED, SENT, "mail unanswered"}:
                    at = datetime.fromisoformat(found["timestamp"]).timestamp()
                    said.append(Said(found["event"], found["message_id"], at))
        return said

    def unfinished(self) -> Said | None:
        """The last thing that it said, where that leaves open what became of a mail."""
        told = self.told()
        return told[-1] if told and told[-1].event in {BEGUN, ACCEPTED} else None


class Victim:
    """A sender that is killed at a random moment and started again."""

    def __init__(self, settings: Settings, number: int, rng: random.Random, linger: float) -> None:
        self._settings, self._number, self._rng, self._linger = settings, number, rng, linger
        self.lives: list[Life] = []
        self._start()

    def _start(self) -> None:
        self._file = self._settings.home / f"sender-{self._number}-{len(self.lives)}.log"
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=work, args=(self._settings, self._file, self._linger), daemon=True)
        self._process.start()
        self.dies_at = time.monotonic() + self._rng.uniform(*LIFE)

    def kill(self, *, again: bool = True) -> None:
        if self._process.exitcode is not None:
            raise SystemExit(f"a sender ended by itself:\n{self._file.read_text()[-3000:]}")
        self._process.kill()
        self._process.join()
        self.lives.append(Life(self._file, time.time() if again else None))
        if again:
            self._start()


def play(
    settings: Settings, conn: Connection, *, kills: int, senders: int, seed: int, limit: float, linger: float = 0.0
) -> list[Life]:
    """Kill as often as said while there is something to send, then let the rest be sent."""
    rng, begun, done = random.Random(seed), time.monotonic(), 0
    victims = [Victim(settings, number, rng, linger) for number in range(senders)]
    try:
        while pending(conn):
            time.sleep(0.01)
            for victim in victims:
                if done < kills and time.monotonic() >= victim.dies_at:
                    victim.kill()
                    done += 1
            if time.monotonic() - begun > limit:
                left = conn.execute("select * from ingest.work where stage = 'notify' limit 3").fetchall()
                raise SystemExit(f"not finished after {limit:g} seconds: {pending(conn)} alerts are left: {left}")
    finally:
        for victim in victims:
            with suppress(SystemExit):
                victim.kill(again=False)
    return [life for victim in victims for life in victim.lives]


def pending(conn: Connection) -> int:
    return int(conn.execute("select count(*) from ingest.alerts where state = 'pending'").fetchone()[0])  # type: ignore[index]


@dataclass(frozen=True)
class Struck:
    """A kill that left a mail which the server took, and of which the sender did not say that it was noted."""

    message_id: str
    heard: bool  # whether it said that the server had taken it
    late: bool  # whether the server took it when the sender was dead already


def struck(lives: list[Life], taken: list[Taken]) -> list[Struck]:
    begun, taking = defaultdict(list), defaultdict(list)
    for life in lives:
        for said in life.told():
            if said.event == BEGUN:
                begun[said.message_id].append(said.at)
    for mail in taken:
        taking[mail.message_id].append(mail.at)
    found = []
    for life in lives:
        last = life.unfinished()
        if last is None or life.killed_at is None:
            continue
        begin = max(said.at for said in life.told() if (said.event, said.message_id) == (BEGUN, last.message_id))
        following = min((at for at in begun[last.message_id] if at > begin), default=float("inf"))
        took = [at for at in taking[last.message_id] if begin <= at < following]
        if took:
            found.append(Struck(last.message_id, last.event == ACCEPTED, took[0] > life.killed_at))
    return found


def account(conn: Connection, server: MailServer, lives: list[Life], due: int) -> dict[str, Any]:
    """What came of it, and which rules were broken."""
    taken = server.taken()
    times = Counter(mail.message_id for mail in taken)
    hits = struck(lives, taken)
    events = Counter(event["event"] for event in server.events())
    ids = {r.message_id for r in conn.execute("select message_id from ingest.alerts where state = 'sent'").fetchall()}
    found = {
        "due": due,
        "delivered": len(times),
        "doubled": len(taken) - len(times),
        "kills": sum(life.killed_at is not None for life in lives),
        "in_window": sum(not hit.late for hit in hits),
        "in_window_heard": sum(hit.heard for hit in hits),
        "taken_after_the_kill": sum(hit.late for hit in hits),
        "kills_in_a_mail": sum(life.killed_at is not None and life.unfinished() is not None for life in lives),
        "sent": len(ids),
        "greylisted": events["greylisted"],
        "refused": events["refused"],
        "hung_up": events["hung up"],
        "most_a_minute_for_a_domain": most_a_minute(taken),
    }
    doubled = {message for message, count in times.items() if count > 1}
    rules = {
        "every alert is delivered": found["delivered"] == due == found["sent"] and ids == set(times),
        "no more are doubled than kills explain": found["doubled"]
        <= found["in_window"] + (found["taken_after_the_kill"] if server.careless else 0),
        "what is doubled was in a killed sender's hands": doubled <= {hit.message_id for hit in hits},
        "no domain gets more than its rate": found["most_a_minute_for_a_domain"]
        <= Settings(**values(1, Path("/"), "x")).alerts.domain_rate,
    }
    return found | {"broken": [rule for rule, kept in rules.items() if not kept]}


def most_a_minute(taken: list[Taken]) -> int:
    """The most mails that a domain got within 60 seconds."""
    moments = defaultdict(list)
    for mail in taken:
        moments[mail.to.partition("@")[2]].append(mail.at)
    return max(sum(at <= other < at + 60 for other in same) for same in moments.values() for at in same)


def soak(settings: Settings, server: MailServer, *, alerts: int, **playing: Any) -> dict[str, Any]:
    """The whole of it, on a migrated, empty database."""
    with database.session(settings) as conn:
        deps = services.Services(settings)
        note: Any = {"subject": "새 소식: a note", "body": "Some words.\n" * 40}
        with conn.transaction():
            for number in range(alerts):
                to = f"reader-{number}@domain-{number % DOMAINS}.example"
                announce.queue(conn, settings, f"soak/{number}", to, deps.clock.now(), "operator", **note)
        notify.run(conn, deps, 0)  # everything is imported before the first fork
        begun = time.monotonic()
        lives = play(settings, conn, **playing)
        return account(conn, server, lives, alerts) | {"seconds": round(time.monotonic() - begun, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--alerts", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20241119)
    parser.add_argument(
        "--linger", type=float, default=0.0, help="seconds between the 250 and the commit, to see kills that hit there"
    )
    parser.add_argument(
        "--careless", action="store_true", help="the server also takes mails whose sender has gone before its answer"
    )
    parser.add_argument("--limit", type=float, default=600.0, help="seconds")
    arguments = parser.parse_args()
    playing = vars(arguments)
    careless = playing.pop("careless")
    exit_on_signals()
    with (
        tempfile.TemporaryDirectory(prefix="claimwatch-soak-") as folder,
        MailServer(Path(folder), 7, careless) as mail,
    ):
        home = Path(folder)
        home.chmod(0o755)  # the database server runs as a user of its own
        settings = Settings(**values(mail.port, home, None))
        server = database.embedded_server(settings)
        try:
            prepare(settings)
            found = soak(settings, mail, **playing)
        finally:
            server.stop("fast")
    print(json.dumps(found, indent=2))
    return 1 if found["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
