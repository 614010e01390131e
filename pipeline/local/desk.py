"""The desk as a child program: `claimwatch web` beside Airflow's components."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import httpx

from pipeline.errors import ConfigurationError, TransientError
from pipeline.local import ports
from pipeline.local.processes import Supervisor
from pipeline.settings import ENV_PREFIX, Settings

NAME = "web"
GRACE = 5.0  # seconds from SIGTERM to SIGKILL; a page takes less, only a long export is cut off
READY_SECONDS = 60.0


def start(settings: Settings, supervisor: Supervisor) -> None:
    """Start it on a database that is migrated; returns at once, see `wait_ready`."""
    ports.insist(settings.web.port, ENV_PREFIX + "WEB__PORT", settings.web.host)
    checkout = Path(__file__).parents[2]
    env = {**os.environ, ENV_PREFIX + "HOME": str(settings.home)}
    if (checkout / "pyproject.toml").exists():  # the same `pipeline` as ours
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(checkout), os.environ.get("PYTHONPATH")]))
    supervisor.start(NAME, [sys.executable, "-m", "pipeline", "web"], env, grace=GRACE)


def wait_ready(settings: Settings, supervisor: Supervisor, timeout: float = READY_SECONDS) -> None:
    """Return when it answers and its database does. Raises ConfigurationError where it has ended, TransientError
    when time runs out.
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web.host, settings.web.host)  # noqa: S104 - asked there
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.web.port}/healthz"
    deadline = time.monotonic() + timeout
    with httpx.Client(timeout=5.0, trust_env=False) as client:
        while True:
            for ended in supervisor.check():
                if ended.name == NAME:
                    raise ConfigurationError(f"the desk ended (code {ended.code}):\n{ended.tail}\n({ended.log})")
            try:
                if client.get(url).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                log = supervisor.log(NAME)
                raise TransientError(
                    f"the desk is not ready after {timeout:.0f} s; its log ends:\n{supervisor.tail(NAME)}\n({log})"
                )
            time.sleep(0.25)
