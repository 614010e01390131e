"""The embedded PostgreSQL server: the wheel's binaries with our own launcher.

It listens on a Unix socket in a private folder only, asks every role for its password, and outlives the
process that started it until `stop`. Everything a start leaves half done is put right by the next one.

    <home>/postgres/            see postgres_files.server_folder for where else this may be
        start.lock              held while someone starts or stops the server
        data18/ run18/ log/     cluster and socket of one major version; the server's log
    <home>/secrets/<role>.password
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psutil

from pipeline.adapters.postgres_files import (
    ServiceUser,
    installation,
    server_folder,
    service_user,
    socket_folder,
)
from pipeline.adapters.postgres_roles import AIRFLOW, PIPELINE, SUPERUSER, bootstrap
from pipeline.adapters.secretfile import stored_secret, write_private
from pipeline.errors import ConfigurationError, TransientError

LOGS_KEPT = 5
START_SECONDS = 300  # crash recovery after a power cut may take minutes


class EmbeddedServer:
    """One PostgreSQL server for one home. Cheap to make: nothing happens before the first call.

    `shared_buffers` and `maintenance_work_mem` take PostgreSQL's own notation and count from the next start.
    """

    def __init__(
        self,
        home: Path,
        version: Literal[16, 18] = 18,
        service_user: str = "claimwatch",
        shared_buffers: str = "512MB",
        maintenance_work_mem: str = "512MB",
    ) -> None:
        self.home = home.absolute()
        self.major = version
        self._account = service_user
        self._memory = {"shared_buffers": shared_buffers, "maintenance_work_mem": maintenance_work_mem}

    # Places

    @cached_property
    def user(self) -> ServiceUser:
        return service_user(self._account)

    @cached_property
    def base(self) -> Path:
        return server_folder(self.home, self.user)

    @property
    def data(self) -> Path:
        return self.base / f"data{self.major}"

    @cached_property
    def socket_folder(self) -> Path:
        return socket_folder(self.base, self.major, self.user)

    @property
    def log_folder(self) -> Path:
        return self.base / "log"

    @cached_property
    def _installation(self) -> Path:
        return installation(self.major, self.user)

    def binary(self, name: str) -> Path:
        """The path of a program of this version, for instance psql, pg_dump or pg_restore."""
        path = self._installation / "bin" / name
        if not path.exists():
            raise ConfigurationError(f"the embedded PostgreSQL {self.major} has no program {name!r}")
        return path

    def version(self) -> str:
        """For instance "18.4"."""
        return self.user.run([self.binary("postgres"), "--version"]).stdout.split()[2]

    # Connecting

    def password(self, role: str = PIPELINE) -> str:
        return stored_secret(self.home, f"{role}.password")

    def dsn(self, role: str = PIPELINE, database: str = "claimwatch") -> str:
        """A libpq URL with the password in it: for psycopg and environments, never for an argument list."""
        return self._url("postgresql", role, database)

    def sqlalchemy_url(self, role: str = AIRFLOW, database: str = "airflow") -> str:
        return self._url("postgresql+psycopg", role, database)

    def _url(self, scheme: str, role: str, database: str) -> str:
        login = f"{quote(role, safe='')}:{quote(self.password(role), safe='')}"
        return f"{scheme}://{login}@/{quote(database, safe='')}?host={quote(str(self.socket_folder), safe='')}"

    # Life

    def running(self) -> bool:
        """True if the server lives and accepts connections."""
        return self._postmaster() is not None and self._accepts()

    def start(self) -> None:
        """Make sure that the server runs; the first time, make its data directory (a few seconds).

        Raises ConfigurationError with the end of the server's log, TransientError while it still recovers.
        """
        try:
            if self.running():
                return
            with self._lock() as lock:
                if self._postmaster() is None:
                    self._clear_crash()
                    if not (self.data / "PG_VERSION").exists():
                        self._initdb(lock)
                    self._launch()
                self._wait()
        except OSError as error:
            raise ConfigurationError(
                f"the database server can't be set up: {error}; start claimwatch as the user who owns "
                f"{self.home}, and see that its disk has room"
            ) from error

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """End the server and wait for it; nothing happens where none runs."""
        with self._lock():
            if self._postmaster() is None:
                return
            done = self.user.run([self.binary("pg_ctl"), "stop", "-w", "-t", "120", "-m", mode, "-D", self.data])
            if done.returncode != 0 and self._postmaster() is not None:
                raise TransientError(f"the database server does not stop: {done.stdout.strip()}{self._tail()}")
            self._clear_crash()

    @contextmanager
    def _lock(self) -> Iterator[int]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(self.base / "start.lock", flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _postmaster(self) -> psutil.Process | None:
        """The living postmaster of our data directory. A pid file alone proves nothing: after a crash its
        number may be a zombie's or another program's, but only our postmaster works in our data directory.
        """
        try:
            process = psutil.Process(_first_number(self.data / "postmaster.pid"))
            return process if _is_server(process, self.data) else None
        except (OSError, ValueError, IndexError, psutil.Error):
            return None

    def _clear_crash(self) -> None:
        """End what a killed postmaster left running, and remove lock files that would keep a new one out:
        PostgreSQL overlooks one with a dead number, but not one with a zombie's or a stranger's."""
        left = [process for process in psutil.process_iter() if _is_server(process, self.data)]
        _, left = psutil.wait_procs(left, timeout=5)
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=5)
        for file in (self.data / "postmaster.pid", self.socket_folder / ".s.PGSQL.5432.lock"):
            try:
                if psutil.pid_exists(_first_number(file)):
                    file.unlink()
            except (FileNotFoundError, ValueError, IndexError):
                continue

    def _initdb(self, lock: int) -> None:
        """Make the cluster aside and move it into place. initdb inherits the lock: if we are killed
        meanwhile, the next starter waits for that orphan to end and then clears its folder away."""
        for left in self.base.glob("init-*"):
            shutil.rmtree(left)
        work = self.user.own(self.base / f"init-{os.getpid()}")
        try:
            password = work / "password"
            write_private(password, self.password(SUPERUSER))
            if self.user.switch:
                os.chown(password, self.user.uid, self.user.gid, follow_symlinks=False)
            done = self.user.run(
                [
                    *(self.binary("initdb"), "-D", work / "data", "-U", SUPERUSER, f"--pwfile={password}"),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", *self._locale()),
                ],
                pass_fds=(lock,),
            )
            if done.returncode != 0:
                raise ConfigurationError(
                    f"no database could be made in {self.base}, which takes some 50 MB; initdb says:\n"
                    f"{_last(done.stdout, lines=8)}"
                )
            (work / "data").rename(self.data)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _locale(self) -> list[str]:
        # libc's C.UTF-8 classifies letters for text search; 18's own also sorts alike on every system.
        names = ["--locale=C", "--lc-ctype=UTF-8"] if sys.platform == "darwin" else ["--locale=C.UTF-8"]
        if self.major >= 17:
            names += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return names

    def _options(self) -> dict[str, str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
            "port": "5432",
            "max_connections": "200",
            **self._memory,
            "wal_compression": "on",
            "jit": "off",
            "timezone": "UTC",
            "logging_collector": "on",
            "log_destination": "stderr",
            "log_directory": str(self.log_folder),
            # A new name each time: rotation by size would append to a file whose name stays.
            "log_filename": f"postgresql{self.major}-%Y%m%d-%H%M%S.log",
            "log_rotation_age": "0",
            "log_rotation_size": "10MB",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%u@%d ",
        }
        shared = Path("/dev/shm")  # noqa: S108
        if shared.is_dir() and shutil.disk_usage(shared).free < 2**30:
            # Containers often give 64 MB: a parallel index build would fail for want of shared memory.
            options["dynamic_shared_memory_type"] = "mmap"
        return options

    def _launch(self) -> None:
        self.user.own(self.log_folder)
        for old in sorted(self.log_folder.glob(f"postgresql{self.major}-*.log"))[: -LOGS_KEPT or None]:
            old.unlink()
        options = " ".join(shlex.quote(f"--{name}={value}") for name, value in self._options().items())
        first = self.log_folder / f"start{self.major}.log"  # until the server's own log takes over
        first.unlink(missing_ok=True)
        wait = ("-w", "-t", str(START_SECONDS))
        done = self.user.run([self.binary("pg_ctl"), "start", *wait, "-D", self.data, "-l", first, "-o", options])
        if done.returncode != 0 and self._postmaster() is None:
            raise ConfigurationError(
                f"PostgreSQL {self.version()} does not start on {self.data}; free disk space, correct the "
                f"memory settings under CLAIMWATCH_DATABASE__ or what else its log names:{self._tail()}"
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._accepts():
            if self._postmaster() is None:
                raise ConfigurationError(f"the database server ended while starting:{self._tail()}")
            if time.monotonic() > deadline:
                raise TransientError(f"the database server does not accept connections yet:{self._tail()}")
            time.sleep(0.1)

    def _accepts(self) -> bool:
        probe = self.user.run([self.binary("pg_isready"), "-q", "-h", self.socket_folder, "-t", "3"])
        return probe.returncode == 0

    def _tail(self) -> str:
        first = self.log_folder / f"start{self.major}.log"
        later = [
            path
            for path in sorted(self.log_folder.glob(f"postgresql{self.major}-*.log"))
            if not first.exists() or path.stat().st_mtime >= first.stat().st_mtime
        ]
        texts = [path.read_text("utf-8", "replace") for path in (first, *later[-1:]) if path.is_file()]
        return "\n" + _last("\n".join(texts)) + f"\n({self.log_folder})"

    # First-time contents

    def bootstrap(self) -> None:
        """Create roles, databases and pgvector, or correct them; may be run at every start.

        Raises ConfigurationError when the server no longer takes the superuser's password.
        """
        bootstrap(lambda database: self.dsn(SUPERUSER, database), self.password)


def _is_server(process: psutil.Process, data: Path) -> bool:
    try:
        return (
            process.name().startswith("postgres")
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()).samefile(data)
        )
    except (OSError, psutil.Error):
        return False


def _first_number(file: Path) -> int:
    return int(file.read_text(encoding="utf-8").split()[0])


def _last(text: str, lines: int = 20) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
