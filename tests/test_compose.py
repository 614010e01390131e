"""docker-compose.yml and what belongs to it, as far as that can be proved without a container engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import psycopg
import pytest
import typer
import yaml
from conftest import PG_MAJOR, ROOT
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from pipeline import settings as settings_module
from pipeline.adapters import database
from pipeline.adapters import migrate as migrations
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.cli import app
from pipeline.clock import SystemClock
from pipeline.local.airflow import AirflowServices
from pipeline.stages import searches
from pipeline.web.security import check

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_]+)(?::([-?])([^}]*))?\}")
REQUIRED = {name for name, operator, _ in VARIABLE.findall(TEXT) if operator == "?"}
ONE_SHOT = {"setup"}
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("claimwatch:")}


def filled(text: str, values: dict[str, str]) -> str:
    """Compose's interpolation, as far as it is used here."""
    text = VARIABLE.sub(lambda m: values.get(m[1]) or (m[3] if m[2] == "-" else ""), text)
    return text.replace("$$", "$")


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """What docker/make-env.sh prints, as names and values."""
    done = subprocess.run(["sh", ROOT / "docker" / "make-env.sh"], capture_output=True, text=True, check=True)
    pairs = (line.split("=", 1) for line in done.stdout.splitlines() if line and not line.startswith("#"))
    return dict(pairs)


def environment(service: str, values: dict[str, str]) -> dict[str, str]:
    given = SERVICES[service]["environment"]
    return {name: filled(str(value), values) for name, value in given.items() if value is not None}


# The file itself


def test_compose_file_is_valid(secrets: dict[str, str]) -> None:
    schema = json.loads((ROOT / "tests" / "data" / "compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(filled(TEXT, secrets)))


def test_nothing_is_published_beyond_loopback() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert not any("network_mode" in service for service in SERVICES.values())


def test_every_variable_has_a_default_or_says_what_is_missing() -> None:
    for name, operator, rest in VARIABLE.findall(TEXT):
        assert operator == "-" or (operator == "?" and name in rest and ".env" in rest), name
    assert not re.search(r"(?<!\$)\$[A-Za-z]", TEXT), "only ${NAME:-default} and ${NAME:?message}"


def test_every_variable_is_in_the_example() -> None:
    shown = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    handed_on = {name for s in SERVICES.values() for name, value in s.get("environment", {}).items() if value is None}
    used = {name for name, _, _ in VARIABLE.findall(TEXT)} | handed_on
    assert used == shown - {"COMPOSE_PROFILES"}


def test_commented_defaults_in_the_example_are_the_real_ones() -> None:
    shown = dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    own_server = {"MAIL_HOST", "MAIL_PORT", "MAIL_SECURITY", "MAIL_SENDER"}
    for name, operator, default in VARIABLE.findall(TEXT):
        if operator == "-" and name not in own_server:
            assert shown[name] == default, name


def test_no_secret_stands_in_the_files() -> None:
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert {name for name, value in example.items() if value == ""} == REQUIRED
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD$|SECRET|_KEY$", name) and value is not None:
                assert value.startswith("${"), name
            assert not re.search(r"//[^/@]*:(?!\$\{)[^/@]+@", str(value)), name
    assert "ARG TORCH_INDEX" in DOCKERFILE
    assert not re.search(r"PASSWORD|SECRET|_KEY", DOCKERFILE)


def test_images_are_pinned() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    images = [filled(service["image"], {}) for service in SERVICES.values()]
    for image in [*images, *bases]:
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+[a-z0-9.-]*", image), image
    assert len(set(bases)) == 1, "what was built for one system runs on the same"


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_watched_confined_and_restarted(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
        assert "memory" in service["deploy"]["resources"]["limits"]
    assert "no-new-privileges:true" in service["security_opt"]
    if name != "postgres":
        assert service["read_only"] and service["cap_drop"] == ["ALL"]


def test_services_wait_for_what_they_need() -> None:
    def waits(name: str) -> dict[str, str]:
        return {other: how["condition"] for other, how in SERVICES[name].get("depends_on", {}).items()}

    assert waits("setup") == {"postgres": "service_healthy"}
    for name in OURS - {"setup"}:
        assert waits(name)["setup"] == "service_completed_successfully"
    for name in OURS - {"setup", "airflow-apiserver", "desk", "listen"}:
        assert waits(name)["airflow-apiserver"] == "service_healthy"
    assert waits("airflow-worker")["redis"] == "service_healthy"


def test_only_those_who_run_stages_know_the_pipelines_password() -> None:
    knows = {name for name in OURS if "PIPELINE_DB_PASSWORD" in str(SERVICES[name]["environment"])}
    assert knows == {"setup", "airflow-scheduler", "airflow-worker", "listen"}
    for password in ("ANALYST_DB_PASSWORD", "REVIEWER_DB_PASSWORD"):
        assert {name for name in SERVICES if password in str(SERVICES[name])} == {"postgres", "desk"}


# The image


def test_image_runs_as_a_plain_user_with_what_the_build_needs() -> None:
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY ((?!--from).*)$", DOCKERFILE, re.MULTILINE)
    for source in (word for words in copied for word in words.split()[:-1]):
        assert f"!{source}" in ignore, source
        if source != "README.md":  # the build itself insists on that one
            assert (ROOT / source).exists(), source
    assert "*" in ignore


def test_paths_in_the_image_are_those_of_the_checkout() -> None:
    for file in re.findall(r"/opt/claimwatch/(docker/[\w.-]+)", TEXT + DOCKERFILE):
        assert (ROOT / file).is_file(), file
    assert "/opt/claimwatch/bundled/dags" in TEXT


# Commands


def commands() -> list[list[str]]:
    """Every call of claimwatch and airflow in compose, Dockerfile and scripts."""
    found = [service["command"] for name, service in SERVICES.items() if name in OURS]
    found += [json.loads(line) for line in re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)]
    for script in (ROOT / "docker").glob("*.sh"):
        text = script.read_text(encoding="utf-8")
        found += [shlex.split(line) for line in re.findall(r"^(?:claimwatch|airflow) .*$", text, re.MULTILINE)]
    calls = [words for words in found if words[0] in {"claimwatch", "airflow"}]
    assert len(calls) + sum(words[0] == "sh" for words in found) == len(found)
    return calls


def test_claimwatch_commands_exist() -> None:
    calls = [words[1:] for words in commands() if words[0] == "claimwatch"]
    assert ["migrate"] in calls and ["up"] in calls
    for words in calls:
        group: Any = typer.main.get_command(app)
        names = []
        while hasattr(group, "commands"):
            names.append(words[len(names)])
            group = group.commands[names[-1]]
        assert CliRunner().invoke(app, [*names, "--help"]).exit_code == 0
        assert len(words) - len(names) == sum(p.param_type_name == "argument" and p.required for p in group.params)


def test_airflow_takes_the_commands_and_knows_the_options(tmp_path: Path) -> None:
    calls = [words[1:] for words in commands() if words[0] == "airflow"]
    assert ["celery", "worker", "--skip-serve-logs"] in calls
    names = sorted(name for name in SERVICES["setup"]["environment"] if name.startswith("AIRFLOW__"))
    program = """
import json, sys
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf
calls, names = json.load(sys.stdin)
parser = get_parser()
for words in calls:
    parser.parse_args(words)
from airflow.providers.celery.get_provider_info import get_provider_info
described = {**get_provider_info()["config"], **conf.configuration_description}
known = {s.lower(): set(d["options"]) for s, d in described.items()}
unknown = [n for n in names if n.split("__")[2].lower() not in known.get(n.split("__")[1].lower(), ())]
sys.exit(f"Airflow has no option {unknown}" if unknown else 0)
"""
    env = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        input=json.dumps([calls, names]),
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_server_sets_what_the_local_airflow_sets(tmp_path: Path) -> None:
    """An option that matters on one machine matters on a server: none is forgotten here."""
    local = AirflowServices(tmp_path, "postgresql+psycopg://x", ROOT / "dags").environment()
    ours = {name for name in local if name.startswith("AIRFLOW__") and name not in os.environ}
    assert ours - set(SERVICES["airflow-scheduler"]["environment"]) == set()


def test_settings_accept_the_environment(
    secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for service in OURS:
        with monkeypatch.context() as patch:
            for name, value in environment(service, secrets).items():
                if name.startswith("CLAIMWATCH_"):
                    patch.setenv(name, value)
            found = settings_module.load(tmp_path)
        if service == "airflow-scheduler":
            assert found.database.dsn is not None
            assert secrets["PIPELINE_DB_PASSWORD"] in found.database.dsn.get_secret_value()
            assert (found.mail.host, found.mail.port) == ("mailcatcher", 1025)
        if service == "desk":
            check(found.web)  # a password is set, so it may listen to the other containers
            assert secrets["PIPELINE_DB_PASSWORD"] not in str(environment(service, secrets))
            roles = [database.dsn(found, f"claimwatch_{role}") for role in ("analyst", "reviewer")]
            assert [psycopg.conninfo.conninfo_to_dict(dsn)["user"] for dsn in roles] == [
                "claimwatch_analyst",
                "claimwatch_reviewer",
            ]
        if service in ("desk", "airflow-apiserver"):
            assert found.web.address == "http://127.0.0.1:8800"


# Secrets and scripts


def test_make_env_fills_every_secret(secrets: dict[str, str]) -> None:
    values = [secrets[name] for name in sorted(REQUIRED)]
    assert len(set(values)) == len(REQUIRED)
    assert all(len(value) >= 44 for value in values)
    Fernet(secrets["AIRFLOW_FERNET_KEY"])
    assert len(secrets["AIRFLOW_JWT_SECRET"]) >= 64
    for name in REQUIRED - {"AIRFLOW_FERNET_KEY"}:
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", secrets[name])


WELL = {name: {"status": "healthy"} for name in ("metadatabase", "scheduler", "dag_processor", "triggerer")}


@pytest.mark.parametrize(
    ("health", "asked", "code"),
    [
        (WELL, [], 0),
        ({**WELL, "triggerer": {"status": None}}, ["scheduler"], 0),
        ({**WELL, "triggerer": {"status": None}}, [], 1),
        ({**WELL, "scheduler": {"status": "unhealthy"}}, ["scheduler"], 1),
        ({}, ["scheduler"], 1),
        (None, ["metadatabase"], 1),
    ],
)
def test_healthcheck(health: dict[str, Any] | None, asked: list[str], code: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if health is not None and self.path == "/api/v2/monitor/health" else 503)
            self.end_headers()
            self.wfile.write(json.dumps(health).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/execution/"
        done = subprocess.run(
            [sys.executable, ROOT / "docker" / "healthcheck.py", *asked],
            env={**os.environ, "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": url, "http_proxy": "http://127.0.0.1:1"},
            capture_output=True,
            text=True,
            check=False,
        )
        server.shutdown()
    assert (done.returncode, done.stderr) == (code, "")
    assert (done.stdout.strip() == "healthy") == (code == 0)


def test_healthcheck_of_the_listener(dsn: str) -> None:
    def asked(where: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, ROOT / "docker" / "healthcheck.py", "listen"],
            env={**os.environ, "CLAIMWATCH_DATABASE__DSN": where},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout.strip()

    assert asked(dsn) == (1, "listen: not connected to the database")
    with psycopg.connect(dsn, application_name=searches.NAME):
        assert asked(dsn) == (0, "healthy")
    assert asked("postgresql://x:secret@127.0.0.1:1/x") == (1, "the database does not answer: OperationalError")


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (None, 1)])
def test_healthcheck_of_the_desk(status: int | None, code: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if status is not None and self.path == "/healthz" else 500)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port if status is not None else 1
        done = subprocess.run(
            [sys.executable, ROOT / "docker" / "healthcheck.py", "desk"],
            env={**os.environ, "CLAIMWATCH_WEB__PORT": str(port), "http_proxy": "http://127.0.0.1:1"},
            capture_output=True,
            text=True,
            check=False,
        )
        server.shutdown()
    assert (done.returncode, done.stderr) == (code, "")


@pytest.fixture(scope="module")
def fresh() -> Iterator[EmbeddedServer]:
    """A server as the postgres image starts it: a superuser and nothing else."""
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="cw-compose-", dir=shm if shm.is_dir() else None) as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer(Path(folder) / "h", PG_MAJOR, shared_buffers="32MB", maintenance_work_mem="32MB")
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def init(server: EmbeddedServer, values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = f"{server.binary('psql').parent}{os.pathsep}{os.environ['PATH']}"
    superuser = {"PGHOST": str(server.socket_folder), "PGPASSWORD": server.password("postgres"), "PATH": path}
    return subprocess.run(
        ["sh", ROOT / "docker" / "postgres-init.sh"],
        env={**os.environ, **superuser, **environment("postgres", values)},
        capture_output=True,
        text=True,
        check=False,
    )


def dsn(server: EmbeddedServer, role: str, password: str, name: str = "claimwatch") -> str:
    return f"postgresql://{role}:{password}@/{name}?host={quote(str(server.socket_folder), safe='')}"


def test_a_password_that_breaks_urls_is_refused(fresh: EmbeddedServer, secrets: dict[str, str]) -> None:
    done = init(fresh, {**secrets, "ANALYST_DB_PASSWORD": "p@ss'word"})
    assert done.returncode == 1
    assert "ANALYST_DB_PASSWORD" in done.stderr and "p@ss" not in done.stderr
    assert "PIPELINE_DB_PASSWORD is not set" in init(fresh, {**secrets, "PIPELINE_DB_PASSWORD": ""}).stderr


def test_init_and_setup_on_a_real_server(fresh: EmbeddedServer, secrets: dict[str, str], tmp_path: Path) -> None:
    for values in ({**secrets, "PIPELINE_DB_PASSWORD": "old"}, secrets):  # the second time with a new password
        done = init(fresh, values)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    pipeline = dsn(fresh, "claimwatch", secrets["PIPELINE_DB_PASSWORD"])
    with psycopg.connect(pipeline, autocommit=True, row_factory=psycopg.rows.namedtuple_row) as conn:
        assert migrations.migrate(conn, SystemClock()).applied
        rights = conn.execute("select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user")
        assert rights.fetchone() == (False, False, False)
    with psycopg.connect(dsn(fresh, "airflow", secrets["AIRFLOW_DB_PASSWORD"], "airflow"), autocommit=True) as conn:
        conn.execute("create table public.proof ()")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(dsn(fresh, "airflow", secrets["AIRFLOW_DB_PASSWORD"]))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dsn(fresh, "claimwatch", "old"))

    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    calls = {"claimwatch": f'exec {sys.executable} -c "from pipeline.cli import main; main()" "$@"'}
    calls["airflow"] = f'printf "%s " "$@" > {tmp_path}/airflow'  # its migration takes half a minute
    calls["python"] = f'exec {sys.executable} "$@"'
    for name, call in calls.items():
        (programs / name).write_text(f"#!/bin/sh\n{call}\n")
        (programs / name).chmod(0o755)
    env = {
        name: value.replace("/var/lib/claimwatch", str(home)) for name, value in environment("setup", secrets).items()
    }
    env |= {"CLAIMWATCH_DATABASE__DSN": pipeline, "CLAIMS_FILE": str(ROOT / "claims" / "nk-russia.yaml")}
    done = subprocess.run(
        ["sh", ROOT / "docker" / "setup.sh"],
        env={**os.environ, **env, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "airflow").read_text() == "db migrate "
    users = home / "secrets" / "airflow_users.json"
    assert json.loads(users.read_text()) == {"admin": secrets["AIRFLOW_ADMIN_PASSWORD"]}
    assert users.stat().st_mode & 0o777 == 0o600

    for role in ("analyst", "reviewer"):
        with psycopg.connect(dsn(fresh, f"claimwatch_{role}", secrets[f"{role.upper()}_DB_PASSWORD"])) as conn:
            assert conn.execute("select count(*) from claims").fetchone() == (17,)  # analysis is in the search path
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("select from ingest.claims")
