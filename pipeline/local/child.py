"""Stands between the supervisor and one of its programs, so that nothing of that program is left behind.

Run as a file by `processes.Supervisor`, with the standard library alone (python -I -S), since each program
has one: it starts the command, waits, and when the command ends, on SIGTERM, or when the supervisor dies
however suddenly (then the `lifeline` pipe closes), it ends the command and every descendant of it: SIGTERM
first, SIGKILL for what is left after the grace period. As a "child subreaper" (Linux) it becomes the parent
of whatever a dying program leaves, even in sessions of their own. Elsewhere the process group has to do.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterable

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
PR_SET_CHILD_SUBREAPER = 36
TICK = 10.0  # seconds between looks at the log's size and at our parent
LOG_LIMIT = 20 * 2**20  # bytes
LINUX = sys.platform == "linux"


def prctl(option: int, value: int) -> None:
    if LINUX:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def start(command: list[str]) -> int:
    """The command in a process group of its own; it gets SIGTERM should we be killed ourselves."""
    ourselves = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() == ourselves:
                os.execvp(command[0], command)  # noqa: S606
        except OSError as error:
            print(f"{command[0]}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(127)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    return pid


def descendants() -> dict[int, int]:
    """Every living process below us and its parent (zombies don't count); empty where there is no /proc."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc") if LINUX else []:  # noqa: PTH208
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stream:  # noqa: PTH123
                    state, parent = stream.read().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            if state not in b"ZX":
                parents[int(name)] = int(parent)
    found, rest = {os.getpid()}, True
    while rest:
        more = {pid for pid, parent in parents.items() if parent in found and pid not in found}
        found |= more
        rest = bool(more)
    return {pid: parent for pid, parent in parents.items() if pid in found and pid != os.getpid()}


def reap(main: int) -> int | None:
    """Collect the dead; the exit code of `main` if it is among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == main:
            code = os.waitstatus_to_exitcode(status)


def send(number: int, pids: Iterable[int], group: int | None = None) -> None:
    if group is not None:
        with contextlib.suppress(OSError):
            os.killpg(group, number)
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def end_all(main: int, code: int | None, grace: float) -> int:
    """SIGTERM to the command's group; after it, or half the grace period, to all descendants; then SIGKILL.

    For the first second SIGKILL goes only to those without children: a parent that waits for a child which
    does not obey can then still tell of its end and leave in good order.
    """
    begun = time.monotonic()
    send(signal.SIGTERM, [], group=main)
    told_all = False
    while True:
        found = reap(main)
        code = found if found is not None else code
        left = descendants()
        passed = time.monotonic() - begun
        if code is not None and not left and (LINUX or passed > 0.5):
            break
        if passed > grace + 10:
            break  # unkillable: in an uninterruptible system call
        if passed > grace + 1:
            send(signal.SIGKILL, left, group=main)
        elif passed > grace:
            send(signal.SIGKILL, left.keys() - set(left.values()))
        elif not told_all and (code is not None or passed > grace / 2):
            send(signal.SIGTERM, left)
            told_all = True
        time.sleep(0.25 if passed > grace else 0.05)
    if not LINUX:
        send(signal.SIGKILL, [], group=main)
    return code if code is not None else -signal.SIGKILL


def limit_log(path: str) -> None:
    """Keep the log's size in bounds while the program runs; it appends, so cutting it short is safe."""
    try:
        if os.fstat(1).st_size > LOG_LIMIT:
            shutil.copyfile(path, path + ".1")
            os.ftruncate(1, 0)
    except OSError:
        return


def run(arguments: list[str]) -> int:
    """Arguments as `Supervisor.start` gives them; `held` is its lock, which stays taken until we end."""
    lifeline, held, parent = map(int, arguments[:3])
    grace, log, command = float(arguments[3]), arguments[4], arguments[5:]
    for descriptor in (lifeline, held):
        os.set_inheritable(descriptor, False)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if LINUX else os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: asked.append(number))
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    main = start(command)
    code = None
    while code is None:
        ready, _, _ = select.select([lifeline, woken], [], [], TICK)
        if woken in ready:
            os.read(woken, 512)
        code = reap(main)
        if lifeline in ready or asked or os.getppid() != parent:
            break
        limit_log(log)
    return end_all(main, code, grace)


if __name__ == "__main__":
    ended = run(sys.argv[1:])
    sys.exit(ended if ended >= 0 else 128 - ended)
