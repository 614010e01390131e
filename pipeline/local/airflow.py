"""Airflow's own components as child programs: scheduler, DAG processor, triggerer, API server.

Airflow is never imported here, only run and asked over REST; its import alone takes seconds and 100 MB.
Everything is set by environment variables, so that no airflow.cfg with old defaults outlives an upgrade.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.metadata
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg

from pipeline.adapters.secretfile import stored_secret, write_private
from pipeline.errors import ConfigurationError, TransientError
from pipeline.local import ports
from pipeline.local.airflow_api import AirflowApi
from pipeline.local.processes import Supervisor

USER = "admin"
HOST = "127.0.0.1"
# In the order of their start; `Supervisor.stop` goes backwards, so that a task that the scheduler's end
# interrupts can still tell the API server what became of it. --skip-serve-logs: task logs are read from the
# disk, the log servers would only add processes and ports open to the network.
COMPONENTS = {
    "api-server": ["api-server"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
}
# Seconds from SIGTERM to SIGKILL (a second SIGTERM comes halfway). A Python task ignores SIGTERM, so a longer
# one may end here in the middle. The API server is done at once, yet leaves only on the second SIGTERM.
GRACE = {"api-server": 4.0, "scheduler": 10.0}
_HEARTBEATS = {"dag_processor": "dag-processor", "triggerer": "triggerer", "scheduler": "scheduler"}


class AirflowServices:
    """One Airflow for one home, its metadata in the database of `sqlalchemy_url` (postgresql+psycopg://...).

    `extra_env` is what tasks need besides, for instance CLAIMWATCH_HOME: they get the scheduler's own.
    """

    def __init__(
        self,
        home: Path,
        sqlalchemy_url: str,
        dags_folder: Path,
        *,
        plugins_folder: Path | None = None,
        port: int = 8080,
        parallelism: int = 4,
        extra_env: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home.absolute()
        self.folder = self.home / "airflow"
        self.url = f"http://{HOST}:{port}"
        self._database = sqlalchemy_url
        self._dags = dags_folder.absolute()
        self._plugins = (plugins_folder or self.folder / "plugins").absolute()
        self._port = port
        self._parallelism = parallelism
        self._extra = dict(extra_env or {})
        self._started: datetime | None = None

    def login(self) -> tuple[str, str]:
        """User and password of the web interface. The file may be edited to change the password."""
        return USER, str(json.loads(self._users())[USER])

    def api(self) -> AirflowApi:
        return AirflowApi(self.url, *self.login())

    def environment(self) -> dict[str, str]:
        """Our own environment with Airflow's settings in it. Holds secrets: never print it."""
        secret = partial(stored_secret, self.home)
        self._users()
        options = {
            "CORE__DAGS_FOLDER": str(self._dags),
            "CORE__PLUGINS_FOLDER": str(self._plugins),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": str(self._parallelism),
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "CORE__FERNET_KEY": secret("airflow_fernet_key", _fernet_key),
            "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "secrets" / "airflow_users.json"),
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "DATABASE__SQL_ALCHEMY_CONN": self._database,
            # Airflow would derive an asyncpg URL; psycopg does both, with one set of rules for the socket.
            "DATABASE__SQL_ALCHEMY_CONN_ASYNC": self._database,
            "API__HOST": HOST,
            "API__PORT": str(self._port),
            "API__BASE_URL": self.url,
            "API__WORKERS": "1",
            "API__SECRET_KEY": secret("airflow_secret_key", _long_secret),
            "API_AUTH__JWT_SECRET": secret("airflow_jwt_secret", _long_secret),
            "LOGGING__BASE_LOG_FOLDER": str(self.folder / "logs"),
            "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(self.folder / "logs" / "dag_processor"),
            "LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
            "LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
            "LOGGING__COLORED_CONSOLE_LOG": "False",
            # One line a request, of which heartbeats make several a second, says nothing.
            "LOGGING__NAMESPACE_LEVELS": "http.access=WARNING",
            "SCHEDULER__CATCHUP_BY_DEFAULT": "False",
            "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            # A task whose worker was killed is tried again after one minute instead of five.
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            # A worker may notice its task's end only at the next heartbeat, and stays taken until then.
            "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            # A changed DAG file is seen within 20 s; an unchanged one is parsed only every five minutes.
            "DAG_PROCESSOR__REFRESH_INTERVAL": "20",
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
            "DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
            "DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(self.folder / "bundles"),
        }
        if sys.platform == "linux":
            # Python 3.14's default would import Airflow again in every worker instead of sharing it.
            options["CORE__MP_START_METHOD"] = "fork"
        env = {
            **os.environ,
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW_CONFIG": str(self.folder / "airflow.cfg"),
        }
        env |= {f"AIRFLOW__{name}": value for name, value in options.items()}
        env["SPT_NOENV"] = "1"  # setproctitle would overwrite the environment by which orphans are found
        # Tasks talk to the API server on loopback, whatever proxy this machine uses.
        for name in ("NO_PROXY", "no_proxy"):
            env[name] = ",".join(filter(None, [os.environ.get(name), HOST, "localhost"]))
        checkout = Path(__file__).parents[2]
        if (checkout / "pyproject.toml").exists():  # DAGs import the same `pipeline` as we do
            env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(checkout), os.environ.get("PYTHONPATH")]))
        return env | self._extra

    def migrate(self) -> None:
        """Bring Airflow's tables up to date; takes a few ms if this version did so on this database."""
        env = self._prepare()
        marker = self.folder / "migrated.json"
        version = importlib.metadata.version("apache-airflow-core")
        with contextlib.suppress(OSError, ValueError):
            if json.loads(marker.read_text("utf-8")) == [version, self._revision()]:
                return
        done = subprocess.run(
            _airflow("db", "migrate"),
            check=False,
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if done.returncode != 0:
            tail = "\n".join(done.stdout.strip().splitlines()[-20:])
            raise ConfigurationError(f"Airflow can't migrate its database:\n{tail}")
        write_private(marker, json.dumps([version, self._revision()]))

    def start(self, supervisor: Supervisor) -> None:
        """Start all four components; returns at once, see `wait_ready`. `migrate` comes first."""
        ports.insist(self._port, "CLAIMWATCH_AIRFLOW__PORT", HOST)
        env = self._prepare()
        self._started = datetime.now(UTC)
        for name, arguments in COMPONENTS.items():
            supervisor.start(name, _airflow(*arguments), env, cwd=self.folder, grace=GRACE.get(name))

    def wait_ready(self, supervisor: Supervisor, timeout: float = 120.0) -> None:
        """Return when database, scheduler, DAG processor and triggerer report healthy.

        Raises ConfigurationError with the end of its log when a component has ended, TransientError when
        time runs out.
        """
        deadline = time.monotonic() + timeout
        with self.api() as api:
            while missing := self._missing(api):
                for ended in supervisor.check():
                    if ended.name in COMPONENTS:
                        raise ConfigurationError(
                            f"Airflow's {ended.name} ended (code {ended.code}):\n{ended.tail}\n({ended.log})"
                        )
                if time.monotonic() > deadline:
                    log = supervisor.log(missing[0])
                    raise TransientError(
                        f"not ready after {timeout:.0f} s: Airflow's {', '.join(missing)}; the first one's "
                        f"log ends:\n{supervisor.tail(missing[0])}\n({log})"
                    )
                time.sleep(0.25)

    def _missing(self, api: AirflowApi) -> list[str]:
        """The components not ready yet. Only heartbeats since our start count: health alone would still show
        the ones of a run that was killed half a minute ago."""
        try:
            health = api.health()
        except TransientError:
            return list(COMPONENTS)
        if health["metadatabase"]["status"] != "healthy":
            return ["api-server"]
        missing = []
        for name, program in _HEARTBEATS.items():
            beat = health[name].get(f"latest_{name}_heartbeat")
            fresh = beat is not None and (self._started is None or datetime.fromisoformat(beat) >= self._started)
            if health[name]["status"] != "healthy" or not fresh:
                missing.append(program)
        return missing

    def _users(self) -> str:
        # The file that Airflow itself reads: user name to password.
        return stored_secret(self.home, "airflow_users.json", lambda: json.dumps({USER: secrets.token_urlsafe(18)}))

    def _prepare(self) -> dict[str, str]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = self.folder / "airflow.cfg"
        if not config.exists():  # without one Airflow writes a full copy of its defaults
            write_private(config, "# Settings come from the environment; what is set here is weaker.")
        return self.environment()

    def _revision(self) -> str | None:
        """The state of Airflow's tables by its own record; None where there are no tables."""
        dsn = self._database.replace("postgresql+psycopg://", "postgresql://", 1)
        try:
            with psycopg.connect(dsn) as conn:
                row = conn.execute("select version_num from alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
        except psycopg.OperationalError as error:
            raise TransientError(f"Airflow's database does not answer: {error}") from error
        return str(row[0]) if row else None


def _airflow(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _long_secret() -> str:
    return secrets.token_urlsafe(64)  # HS512, Airflow's default, wants 64 bytes
