"""`claimwatch up`: the database, Airflow, the desk and what answers searches on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.adapters import database
from pipeline.errors import TransientError
from pipeline.local import desk
from pipeline.local.airflow import AirflowServices
from pipeline.local.prepare import prepare
from pipeline.local.processes import Supervisor, exit_on_signals
from pipeline.settings import Settings, root
from pipeline.terminal import console

DAGS = ("ingest", "match", "alert", "maintain", "backfill")
READY_SECONDS = 180.0
PARSE_SECONDS = 120.0


@contextmanager
def airflow(settings: Settings, supervisor: Supervisor) -> Iterator[AirflowServices]:
    """A migrated database, Airflow running the DAGs on it, and the desk; the children end with the supervisor."""
    server = database.embedded_server(settings)
    console.print("database ...")
    server.start()  # holds Airflow's own tables even where the pipeline's live elsewhere
    server.bootstrap()
    prepare(settings)
    desk.start(settings, supervisor)
    services = AirflowServices(
        settings.home,
        server.sqlalchemy_url(),
        root() / "dags",
        plugins_folder=root() / "plugins",
        port=settings.airflow.port,
        parallelism=settings.airflow.parallelism,
        extra_env={"CLAIMWATCH_HOME": str(settings.home)},
    )
    console.print("Airflow ... (its tables the first time: half a minute)")
    services.migrate()
    services.start(supervisor)
    services.wait_ready(supervisor, READY_SECONDS)
    _unpause(services)
    listen(settings, supervisor)
    console.print(f"Airflow ready: {services.url}, DAGs {', '.join(DAGS)} unpaused")
    desk.wait_ready(settings, supervisor)
    console.print(f"desk ready: {settings.web.address}")
    yield services


def listen(settings: Settings, supervisor: Supervisor) -> None:
    """What makes the vectors of searches that analysts store in SQL. It starts itself anew after a lost connection."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    env = {**os.environ, "CLAIMWATCH_HOME": str(settings.home), "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    supervisor.start("listen", [sys.executable, "-m", "pipeline", "listen"], env, cwd=settings.home)


def _unpause(services: AirflowServices) -> None:
    with services.api() as api:
        deadline = time.monotonic() + PARSE_SECONDS
        while missing := set(DAGS) - {dag["dag_id"] for dag in api.dags()}:
            broken = api.import_errors()
            if broken:
                raise TransientError(f"a DAG can't be read: {broken[0]['filename']}: {broken[0]['stack_trace'][-500:]}")
            if time.monotonic() > deadline:
                raise TransientError(f"Airflow has not read the DAGs {', '.join(sorted(missing))}")
            time.sleep(1)
        for dag_id in DAGS:
            api.unpause(dag_id)


def watch(settings: Settings, supervisor: Supervisor, seconds: float) -> None:
    """Wait; a crashed database server is started again, any crashed child ends the wait with an error."""
    server = database.embedded_server(settings)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for ended in supervisor.check():
            raise TransientError(f"{ended.name} ended with status {ended.code}; the end of {ended.log}:\n{ended.tail}")
        server.start()
        time.sleep(min(1.0, max(0.0, deadline - time.monotonic())))


def where_to_look(settings: Settings, services: AirflowServices | None = None) -> None:
    """`services` is what runs and stays up."""
    command = "claimwatch" if shutil.which("claimwatch") else str(Path(sys.executable).with_name("claimwatch"))
    if services is not None:
        console.print(f"The desk:        {settings.web.address}", soft_wrap=True)
        user, _ = services.login()
        where = f"(user {user}, password in {settings.home}/secrets/airflow_users.json)"
        console.print(f"Airflow's page:  {services.url}  {where}", soft_wrap=True)
    console.print(f"Analysts' SQL:   {command} --home {settings.home} psql", soft_wrap=True)
    console.print(f"How it stands:   {command} --home {settings.home} status", soft_wrap=True)


def run(settings: Settings) -> None:
    exit_on_signals()
    try:
        with Supervisor(settings.home / "logs") as supervisor, airflow(settings, supervisor) as services:
            where_to_look(settings, services)
            console.print("Ctrl-C ends it.")
            while True:
                watch(settings, supervisor, 3600)
    except KeyboardInterrupt:
        console.print("ended")
    finally:
        database.embedded_server(settings).stop()
