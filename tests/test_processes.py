"""The supervisor leaves nothing behind: programs are counted by a marker in their environment."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.errors import ConfigurationError
from pipeline.local import processes
from pipeline.local.processes import Supervisor

# Lasting are itself, a child, and an orphaned grandchild in a session of its own; none obeys SIGTERM.
STUBBORN = textwrap.dedent(
    """
    import os, signal, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            if os.fork() != 0:
                os._exit(0)
        else:
            os.wait()
    print("up", os.getpid(), flush=True)
    time.sleep(600)
    """
)
COUNT = 3  # programs of STUBBORN that last
PARENT = textwrap.dedent(
    """
    import os, signal, sys, time
    from pathlib import Path
    from pipeline.local.processes import Supervisor, exit_on_signals
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
    if sys.argv[2] == "orderly":
        exit_on_signals()
    with Supervisor(Path(sys.argv[1]), grace=1.0) as supervisor:
        for name in ("one", "two"):
            supervisor.start(name, [sys.executable, "-c", sys.argv[3]], dict(os.environ))
        supervisor.wait()
    """
)


@pytest.fixture
def mark() -> Iterator[str]:
    mark = f"test-{secrets.token_hex(8)}"
    yield mark
    for process in marked(mark):
        process.kill()


def environment(mark: str) -> dict[str, str]:
    return {**os.environ, "TEST_MARK": mark}


def marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and process.environ().get("TEST_MARK") == mark:
                found.append(process)
    return found


def programs(mark: str) -> list[psutil.Process]:
    """Without the child.py in between and the test's own parent script."""
    return [process for process in marked(mark) if process.cmdline()[1:] == ["-c", STUBBORN]]


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ups(folder: Path) -> int:
    return sum(path.read_text().count("up") for path in folder.glob("*.log"))


def test_stop_leaves_nothing(tmp_path: Path, mark: str) -> None:
    supervisor = Supervisor(tmp_path, grace=1.0)
    supervisor.start("one", [sys.executable, "-c", STUBBORN], environment(mark))
    until(lambda: ups(tmp_path) == COUNT)
    assert len(programs(mark)) == COUNT
    assert supervisor.check() == []
    started = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started < 3
    assert marked(mark) == []
    supervisor.stop()  # again is no error


def test_the_obedient_end_at_once(tmp_path: Path, mark: str) -> None:
    with Supervisor(tmp_path, grace=30.0) as supervisor:
        supervisor.start("one", ["sh", "-c", "sleep 600 & sleep 600; true"], environment(mark))
        until(lambda: len(marked(mark)) == 4)
        started = time.monotonic()
    assert time.monotonic() - started < 2
    assert marked(mark) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
@pytest.mark.parametrize("manner", ["orderly", "rude"])
def test_nothing_outlives_the_parent(tmp_path: Path, mark: str, number: signal.Signals, manner: str) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path), manner, STUBBORN]
    parent = subprocess.Popen(command, env=environment(mark), stderr=subprocess.DEVNULL)
    until(lambda: ups(tmp_path) == 2 * COUNT)
    assert len(programs(mark)) == 2 * COUNT
    parent.send_signal(number)
    parent.wait(timeout=15)
    until(lambda: marked(mark) == [], seconds=5)


def test_killed_between_is_swept(tmp_path: Path, mark: str) -> None:
    supervisor = Supervisor(tmp_path, grace=1.0)
    supervisor.start("one", [sys.executable, "-c", STUBBORN], environment(mark))
    until(lambda: ups(tmp_path) == COUNT)
    os.kill(supervisor._programs["one"].pid, signal.SIGKILL)
    until(lambda: bool(supervisor.check()))
    supervisor.stop()
    assert marked(mark) == []


def test_check_tells_how_a_program_ended(tmp_path: Path, mark: str) -> None:
    with Supervisor(tmp_path, grace=1.0) as supervisor:
        supervisor.start("good", ["sleep", "600"], environment(mark))
        supervisor.start("bad", ["sh", "-c", "sleep 600 & echo oh no; exit 3"], environment(mark))
        supervisor.start("shot", ["sh", "-c", "kill -9 $$"], environment(mark))
        supervisor.start("none", ["/no/such/program"], environment(mark))
        until(lambda: len(supervisor.check()) == 3)
        ended = {one.name: one for one in supervisor.check()}
        assert (ended["bad"].code, ended["shot"].code, ended["none"].code) == (3, 137, 127)
        assert ended["bad"].tail == "oh no"
        assert "No such file" in ended["none"].tail
        assert len(marked(mark)) == 2  # of "bad" not even the sleep is left
    assert marked(mark) == []


def test_one_supervisor_at_a_time(tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Supervisor(tmp_path, grace=1.0) as first:
        first.start("one", ["sleep", "600"], environment(mark))
        second = Supervisor(tmp_path, grace=-4.9)
        with pytest.raises(ConfigurationError, match="runs already"):
            second.start("two", ["sleep", "600"], environment(mark))
    with Supervisor(tmp_path, grace=1.0) as third:
        third.start("two", ["sleep", "600"], environment(mark))


def test_logs_are_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOG_LIMIT", 4)
    for word in ("first", "second", "third", "fourth", "fifth"):
        with Supervisor(tmp_path) as supervisor:
            supervisor.start("say", ["echo", word], dict(os.environ))
            until(lambda: bool(supervisor.check()))
    assert (tmp_path / "say.log").read_text() == "fifth\n"
    assert (tmp_path / "say.log.3").read_text() == "second\n"
    assert not (tmp_path / "say.log.4").exists()
