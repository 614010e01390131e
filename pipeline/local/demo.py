"""`claimwatch demo`: an invented newsroom, played through the whole pipeline by the real scheduler.

The newsroom's outlets have their own host names, mapped to one server on loopback; its clock and the pipeline's are
one file, moved from date to date. Everything else is as in earnest: feeds, robots.txt, delays, conditional requests,
Airflow, Postgres, the model, SMTP.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline import settings as settings_module
from pipeline.adapters import database
from pipeline.adapters.database import Connection, row, rows
from pipeline.clock import FileClock
from pipeline.errors import TransientError
from pipeline.local import ports, report, up
from pipeline.local.airflow import AirflowServices
from pipeline.local.prepare import prepare
from pipeline.local.processes import Supervisor, exit_on_signals
from pipeline.logging import configure
from pipeline.logic.news import Wishes
from pipeline.newsroom.content import feed_urls
from pipeline.settings import Settings, root
from pipeline.stages import claims
from pipeline.stages.poll import add_feed
from pipeline.stages.services import Services
from pipeline.stages.subscriptions import add_subscription
from pipeline.terminal import console

# The evenings (UTC) after which the newsroom's story has moved on.
DATES = ("2024-10-18", "2024-10-28", "2024-11-20", "2024-12-20", "2025-01-14", "2025-02-28", "2025-05-04")
EVENING = timedelta(hours=22)
AGAIN = timedelta(hours=1)  # a later run goes on from here, so that every feed is due once more
STEP_SECONDS = 900  # a date that takes longer is stuck
INSTANT, WEEKLY = Wishes(), Wishes("weekly")
READERS = (
    ("desk@analysts.example", None, INSTANT),
    ("kursk@analysts.example", "killed-in-kursk", INSTANT),
    ("kursk@analysts.example", "troops-fighting", INSTANT),
    ("chief@analysts.example", None, WEEKLY),
)

_SETTINGS = """\
# Written by `claimwatch demo` at every start.
clock_file = {clock}
[fetch]
contact = "demo@claimwatch.example"
host_delay = 1.0
host_map = {{ "*.example" = "127.0.0.1:{newsroom}" }}
allow_networks = ["127.0.0.0/8"]
[mail]
host = "127.0.0.1"
port = {smtp}
sender = "claimwatch@demo.example"
operator = "operator@analysts.example"
[schedule]
ingest = "* * * * *"
[airflow]
port = {airflow}
[web]
port = {web}
public_url = "http://127.0.0.1:{web}"
[database]
shared_buffers = "128MB"
maintenance_work_mem = "128MB"
"""


def run(home: Path, *, once: bool, limit: int) -> int:
    """0 when alerts were delivered (with `once`) or at Ctrl-C; 1 when `once` waited in vain."""
    exit_on_signals()
    console.print(
        "[bold]claimwatch demo.[/] All outlets, bylines and texts of its newsroom are invented sample content.\n"
    )
    settings = _settings(home)
    configure(settings.log_format, quiet=True)
    clock = FileClock(home / "clock.json")
    services = Services(settings)
    try:
        database.embedded_server(settings).start()
        database.embedded_server(settings).bootstrap()
        prepare(settings)
        with services.session() as conn, Supervisor(home / "logs") as supervisor:
            _furnish(conn, services, clock)
            _serve(settings, supervisor, home)
            with up.airflow(settings, supervisor) as airflow:
                return _play(conn, services, clock, airflow, supervisor, once=once, limit=limit)
    except KeyboardInterrupt:
        console.print("\nended")
        return 0
    finally:
        database.embedded_server(settings).stop()


def _settings(home: Path) -> Settings:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    # In a demo nothing but its own file counts, so that it can't reach a real mail server or database.
    for name in [name for name in os.environ if name.startswith(settings_module.ENV_PREFIX)]:
        if not name.startswith(settings_module.ENV_PREFIX + "EMBED"):
            del os.environ[name]
    os.environ[settings_module.ENV_PREFIX + "HOME"] = str(home)
    wanted = {"newsroom": 8123, "smtp": 8125, "airflow": 8080, "web": 8800}
    found = {name: ports.free(port) for name, port in wanted.items()}
    clock = json.dumps(str(home / "clock.json"))
    (home / "claimwatch.toml").write_text(_SETTINGS.format(clock=clock, **found), encoding="utf-8")
    return settings_module.load(home)


def _furnish(conn: Connection, services: Services, clock: FileClock) -> None:
    """Claims, feeds and readers, and the clock where the last run left it."""
    last = row(conn, "work.last_moment").at
    clock.move_to(_evening(DATES[0]) if last is None else last + AGAIN)
    console.print("embedding model ... (the first time it is fetched from PyPI: a minute)")
    _ = services.encoder.folder
    loaded = claims.load(conn, services, root() / "claims" / "nk-russia.yaml")
    console.print(f"claims: {len(loaded.added) + len(loaded.changed)} loaded, {len(loaded.unchanged)} unchanged")
    feeds = 0
    for _, url, publisher in feed_urls():
        details = {key: publisher.get(key) for key in ("name", "family", "country", "language", "kind")}
        feeds += add_feed(conn, services, url, **details) is not None
    for mail, claim, wishes in READERS:
        add_subscription(conn, mail, services.clock.now(), wishes, claim_id=claim)
    console.print(f"feeds: {feeds} added; readers: {len({mail for mail, *_ in READERS})}")


def _serve(settings: Settings, supervisor: Supervisor, home: Path) -> None:
    newsroom = settings.fetch.host_map["*.example"].rpartition(":")[2]
    python = [sys.executable, "-m"]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for name in [n for n in here if n.startswith(settings_module.ENV_PREFIX)]:
        del here[name]
    clock = str(home / "clock.json")
    supervisor.start("newsroom", [*python, "pipeline.newsroom", "--port", newsroom, "--clock-file", clock], here)
    sink = ["pipeline.newsroom.sink", "--port", str(settings.mail.port), "--mbox", str(home / "mail.mbox")]
    supervisor.start("sink", [*python, *sink], here)
    console.print(f"newsroom on 127.0.0.1:{newsroom}, mail sink on 127.0.0.1:{settings.mail.port}")


def _play(
    conn: Connection,
    services: Services,
    clock: FileClock,
    airflow: AirflowServices,
    supervisor: Supervisor,
    *,
    once: bool,
    limit: int,
) -> int:
    settings = services.settings
    begun = time.monotonic()
    _await_quiet(conn, services, airflow, supervisor, limit if once else STEP_SECONDS)
    dates = [date for date in DATES if _evening(date) > clock.now()]
    while not once and dates:
        date = dates.pop(0)
        clock.move_to(_evening(date))
        console.print(f"\nThe clock moves to the evening of {date}.")
        _await_quiet(conn, services, airflow, supervisor, STEP_SECONDS)
    console.print()
    report.demo(conn)
    console.print()
    up.where_to_look(settings, None if once else airflow)
    console.print(f"The mail itself: {settings.home}/mail.mbox", soft_wrap=True)
    sent = sum(r.alerts for r in rows(conn, "alerts.states") if r.state == "sent")
    if once:
        if not sent:
            console.print(f"[red]no alert was delivered within {limit} s: see {settings.home}/logs[/]")
            return 1
        console.print(f"{sent} alerts delivered; {time.monotonic() - begun:.0f} s from a running scheduler.")
        return 0
    console.print("Ctrl-C ends it.")
    while True:
        up.watch(settings, supervisor, 3600)


def _await_quiet(
    conn: Connection, services: Services, airflow: AirflowServices, supervisor: Supervisor, seconds: float
) -> None:
    """Wait until the scheduler has run ingest once more and nothing is left to do."""
    told: dict[str, str] = {}
    since = datetime.now(UTC)
    deadline = time.monotonic() + seconds
    with airflow.api() as api:

        def ingested() -> bool:
            return any(r["state"] == "success" and _start(r) > since for r in api.runs("ingest"))

        while not (ingested() and _idle(conn, services)):
            if time.monotonic() > deadline:
                waiting = [f"{r.stage}: {r.due} due, {r.in_work} in work" for r in _open_work(conn, services)]
                raise TransientError(f"still not done after {seconds:.0f} s ({'; '.join(waiting)}); see the logs")
            _tell(conn, told, console.print)
            up.watch(services.settings, supervisor, 2)
        _tell(conn, told, console.print)


def _start(dag_run: dict[str, str]) -> datetime:
    return datetime.fromisoformat(dag_run["start_date"]) if dag_run["start_date"] else datetime.min.replace(tzinfo=UTC)


def _open_work(conn: Connection, services: Services) -> list[Any]:
    return [r for r in rows(conn, "work.pending", now=services.clock.now()) if r.due or r.in_work]


def _idle(conn: Connection, services: Services) -> bool:
    return not _open_work(conn, services)


def _tell(conn: Connection, told: dict[str, str], say: Callable[[str], None]) -> None:
    """A line whenever a stage has got further."""
    counts: dict[str, list[str]] = {}
    for r in rows(conn, "work.outcome_counts"):
        counts.setdefault(r.stage, []).append(f"{r.items} {r.outcome}")
    for stage, parts in counts.items():
        line = ", ".join(parts)
        if told.get(stage) != line:
            if stage in told or parts:
                say(f"  {stage:8} {line}")
            told[stage] = line


def _evening(date: str) -> datetime:
    return datetime.fromisoformat(date).replace(tzinfo=UTC) + EVENING
