"""Airflow's components on this machine: ready, working, and gone again."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.errors import ConfigurationError, PermanentError, TransientError
from pipeline.local import airflow
from pipeline.local.airflow import AirflowServices
from pipeline.local.airflow_api import AirflowApi
from pipeline.local.processes import Supervisor

DAG = """
import os
from airflow.sdk import dag, task

@dag(schedule=None, params={"word": "none"})
def tiny():
    @task
    def say(params=None):
        print("said", params["word"], os.environ["TEST_MARK"])
    say()

tiny()
"""
PARENT = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from pipeline.local.airflow import AirflowServices
    from pipeline.local.processes import Supervisor
    home = Path(sys.argv[1])
    services = AirflowServices(home, sys.stdin.readline().strip(), home / "dags", port=int(sys.argv[2]))
    with Supervisor(home / "logs") as supervisor:
        services.migrate()
        services.start(supervisor)
        services.wait_ready(supervisor)
        print("ready", flush=True)
        supervisor.wait()
    """
)


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="cw", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "dags").mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.fixture
def mark() -> Iterator[str]:
    mark = f"test-{secrets.token_hex(8)}"
    yield mark
    for process in marked(mark):
        process.kill()


def marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and process.environ().get("TEST_MARK") == mark:
                found.append(process)
    return found


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def make(home: Path, port: int, url: str = "postgresql+psycopg://nobody@/none?host=/none") -> AirflowServices:
    return AirflowServices(home, url, home / "dags", port=port)


def test_a_busy_port_names_the_setting(home: Path, port: int) -> None:
    with socket.socket() as busy, Supervisor(home / "logs") as supervisor:
        busy.bind(("127.0.0.1", port))
        busy.listen()
        with pytest.raises(ConfigurationError, match="CLAIMWATCH_AIRFLOW__PORT"):
            make(home, port).start(supervisor)


def test_a_component_that_ends_is_named(home: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow, "_airflow", lambda *a: ["sh", "-c", f"echo broken {a[0]}; exec sleep 60"])
    services = make(home, port)
    with Supervisor(home / "logs") as supervisor:
        services.start(supervisor)
        with pytest.raises(TransientError, match=r"(?s)not ready after .*api-server.*broken api-server"):
            services.wait_ready(supervisor, timeout=0.5)
    monkeypatch.setattr(airflow, "_airflow", lambda *a: ["sh", "-c", f"echo broken {a[0]}; exit 7"])
    with Supervisor(home / "logs") as supervisor:
        services.start(supervisor)
        with pytest.raises(ConfigurationError, match=r"(?s)ended \(code 7\).*broken"):
            services.wait_ready(supervisor, timeout=30)


def test_secrets_are_private_and_stay(home: Path, port: int) -> None:
    services = make(home, port)
    first = services.environment()
    assert services.environment() == first
    assert services.login()[0] == "admin"
    for path in (home / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_no_answer_is_transient(port: int) -> None:
    with AirflowApi(f"http://127.0.0.1:{port}", "admin", "x") as api, pytest.raises(TransientError):
        api.dags()


@pytest.mark.airflow
@pytest.mark.timeout(600)
def test_components_work_and_leave_nothing(home: Path, port: int, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_MARK", mark)
    (home / "dags" / "tiny.py").write_text(DAG)
    server = EmbeddedServer(home, shared_buffers="64MB")
    server.start()
    server.bootstrap()
    try:
        services = make(home, port, server.sqlalchemy_url())
        services.migrate()
        before = {process.pid for process in marked(mark)}
        with Supervisor(home / "logs") as supervisor:
            started = time.monotonic()
            services.start(supervisor)
            services.wait_ready(supervisor)
            print(f"ready after {time.monotonic() - started:.1f} s")
            with services.api() as api:
                until(lambda: [dag["dag_id"] for dag in api.dags()] == ["tiny"])
                assert api.dags()[0]["is_paused"]
                assert api.import_errors() == []
                api.unpause("tiny")
                run = api.trigger("tiny", {"word": "hello"})
                until(lambda: api.runs("tiny")[0]["state"] == "success")
                assert api.runs("tiny")[0]["dag_run_id"] == run
                assert [one["state"] for one in api.tasks("tiny", run)] == ["success"]
                with pytest.raises(PermanentError, match="404"):
                    api.trigger("absent")
                with AirflowApi(services.url, "admin", "guess") as other, pytest.raises(ConfigurationError):
                    other.dags()
            running = [process for process in marked(mark) if process.pid not in before]
            # Four components, four stand-ins, four workers, the triggerer's runner.
            assert len(running) >= 13
            print(f"{sum(process.memory_full_info().pss for process in running) / 2**20:.0f} MiB PSS")
            secret = [path.read_text().strip() for path in (home / "secrets").iterdir()]
            said = "".join(" ".join(process.cmdline()) for process in running)
            logs = [path for path in home.rglob("*.log") if path.is_file() and "postgres" not in path.parts]
            said += "".join(path.read_text() for path in logs)
            assert f"said hello {mark}" in said
            assert not [one for one in secret if one in said]
            assert supervisor.check() == []
        assert {process.pid for process in marked(mark)} == before
        started = time.monotonic()
        services.migrate()  # nothing to do
        assert time.monotonic() - started < 1

        command = [sys.executable, "-c", PARENT, str(home), str(port)]
        parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert parent.stdin is not None
        assert parent.stdout is not None
        with parent.stdin, parent.stdout:
            print(server.sqlalchemy_url(), file=parent.stdin, flush=True)
            assert parent.stdout.readline() == "ready\n"
            assert len(marked(mark)) >= len(before) + 13
            parent.send_signal(signal.SIGKILL)
            parent.wait()
        until(lambda: {process.pid for process in marked(mark)} == before, seconds=30)
    finally:
        server.stop("immediate")
