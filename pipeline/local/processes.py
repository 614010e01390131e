"""A small supervisor: named programs that live no longer than the process that started them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

from pipeline.errors import ConfigurationError

LOG_LIMIT = 5 * 2**20  # bytes; a longer log is put aside when its program starts
LOGS_KEPT = 3
MARK = "SUPERVISED_BY"  # environment variable: by it even an orphan of a killed child.py is recognised
_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class Ended:
    """A program that ended by itself. `code` as a shell gives it: 128 + n after signal n."""

    name: str
    code: int
    log: Path
    tail: str


class Supervisor:
    """Starts programs and ends them, with everything they started, on `stop`, or when we die in whatever way.

    One supervisor at a time for each `logs` folder: a second one waits for the first one's remains to end,
    then gives up with a ConfigurationError. `grace` is the seconds between SIGTERM and SIGKILL.

        with Supervisor(home / "logs") as supervisor:
            supervisor.start("scheduler", ["airflow", "scheduler"], env)
    """

    def __init__(self, logs: Path, grace: float = 10.0) -> None:
        self.logs = logs
        self.grace = grace
        self._mark = f"claimwatch-{secrets.token_hex(8)}"
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        self._lifelines: dict[str, int] = {}
        self._lock: int | None = None

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        env: Mapping[str, str],
        *,
        cwd: Path | None = None,
        grace: float | None = None,
    ) -> None:
        """Start `command`; its output is appended to <logs>/<name>.log. Secrets belong in `env`.

        `grace` overrides the supervisor's own for this program.
        """
        if name in self._programs:
            raise ValueError(f"{name} is started already")
        lock = self._take_lock()
        log = self.log(name)
        _rotate(log)
        theirs, ours = os.pipe()
        try:
            patience = self.grace if grace is None else grace
            arguments = [str(theirs), str(lock), str(os.getpid()), str(patience), str(log)]
            with log.open("ab") as stream:
                self._programs[name] = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_CHILD), *arguments, *map(str, command)],
                    env={**env, MARK: self._mark},
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    pass_fds=(theirs, lock),
                    start_new_session=True,
                )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._lifelines[name] = ours

    def check(self) -> list[Ended]:
        """The programs that have ended although nobody asked them to."""
        return [
            Ended(name, program.returncode, self.log(name), self.tail(name))
            for name, program in self._programs.items()
            if program.poll() is not None
        ]

    def wait(self, interval: float = 1.0) -> list[Ended]:
        """Block until a program ends by itself. Ctrl-C and, after `exit_on_signals`, SIGTERM end the wait."""
        while not (ended := self.check()):
            time.sleep(interval)
        return ended

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def tail(self, name: str, lines: int = 20) -> str:
        """The last lines of a program's log."""
        try:
            with self.log(name).open("rb") as stream:
                stream.seek(max(0, stream.seek(0, os.SEEK_END) - 200 * lines))
                text = stream.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """End every program, the last one started first, and whatever any of them left."""
        for name, program in reversed(self._programs.items()):
            os.close(self._lifelines.pop(name))
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(timeout=60)
        self._programs.clear()
        self._sweep()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _sweep(self) -> None:
        """What outlived its child.py, for instance because somebody killed that."""
        left = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self._mark:
                    process.terminate()
                    left.append(process)
        _, left = psutil.wait_procs(left, timeout=self.grace / 2)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=5)

    def _take_lock(self) -> int:
        if self._lock is None:
            self.logs.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.logs / ".supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
            patience = time.monotonic() + self.grace + 5
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > patience:
                        os.close(lock)
                        raise ConfigurationError(
                            f"claimwatch runs already with its logs in {self.logs}: stop it, or set another "
                            "CLAIMWATCH_HOME"
                        ) from None
                    time.sleep(0.1)
            self._lock = lock
        return self._lock


def exit_on_signals() -> None:
    """Let SIGTERM and SIGHUP leave by way of SystemExit, so that `with Supervisor` stops in good order."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def _rotate(log: Path) -> None:
    if not log.exists() or log.stat().st_size < LOG_LIMIT:
        return
    names = [log, *(log.with_name(f"{log.name}.{number}") for number in range(1, LOGS_KEPT + 1))]
    for older, newer in reversed(list(zip(names[1:], names, strict=False))):
        if newer.exists():
            newer.replace(older)
