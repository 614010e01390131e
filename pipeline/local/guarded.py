"""Runs a function over many items in child processes, so that one that hangs or kills its process costs itself alone.

    for item, result in guarded.each(read_file, paths, seconds=30):
        ...                      # result is what read_file returned, or a Failed

Results come in the order of the items; only a few items are under way at once, so memory stays bounded.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

WORKERS = 2
MEMORY = 4 * 2**30  # bytes of address space of one worker; a runaway ends with MemoryError and not with the machine
Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 32  # results kept while an earlier item is still under way


@dataclass(frozen=True)
class Failed:
    """No result: `code` is timeout, killed or crashed."""

    code: str
    message: str


def each(
    function: Callable[[Item], Result], items: Iterable[Item], *, seconds: float, workers: int | None = None
) -> Iterator[tuple[Item, Result | Failed]]:
    """Call `function`, of a module's top level, with each item in a child process, `seconds` long at most."""
    count = workers or min(WORKERS, os.cpu_count() or 1)
    queue = enumerate(items)
    done: dict[int, tuple[Item, Result | Failed]] = {}
    following, exhausted = 0, False
    crew = [_Worker(function) for _ in range(count)]
    try:
        while True:
            for worker in crew:
                while not exhausted and worker.idle and len(done) < _AHEAD:
                    given = next(queue, None)
                    if given is None:
                        exhausted = True
                    else:
                        worker.give(given, seconds)
            while following in done:
                yield done.pop(following)
                following += 1
            busy = [worker for worker in crew if not worker.idle]
            if not busy:
                if exhausted:
                    return
                continue
            for worker in _first_of(busy):
                index, item, result = worker.take()
                done[index] = (item, result)
    finally:
        for worker in crew:
            worker.end()


def _first_of(busy: list[_Worker]) -> list[_Worker]:
    """Those that have a result, died, or are out of time."""
    left = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
    ready = wait([worker.pipe for worker in busy], timeout=left)
    now = time.monotonic()
    return [worker for worker in busy if worker.pipe in ready or worker.deadline <= now]


class _Worker:
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._given: tuple[int, Any] | None = None
        self._waiting: deque[Any] = deque()
        self.deadline = 0.0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._function), daemon=True)
        self._process.start()
        theirs.close()
        self._fresh = True

    @property
    def idle(self) -> bool:
        return self._given is None

    def give(self, given: tuple[int, Any], seconds: float) -> None:
        self._given = given
        try:
            self.pipe.send(given[1])
        except (BrokenPipeError, OSError):  # it died between two items
            self._restart()
            self.pipe.send(given[1])
        self.deadline = time.monotonic() + seconds + (30.0 if self._fresh else 0.0)  # a new process has to import first
        self._fresh = False

    def take(self) -> tuple[int, Any, Any]:
        index, item = self._given or (0, None)
        self._given = None
        try:
            if self.pipe.poll():
                return index, item, self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join(5)
            code = self._process.exitcode
            self._restart()
            return index, item, Failed("killed", f"the process that read it ended (exit code {code})")
        self._restart()
        return index, item, Failed("timeout", "it was not read within the time that one file may take")

    def _restart(self) -> None:
        self.end()
        self._start()

    def end(self) -> None:
        self._process.kill()
        self._process.join(5)
        self.pipe.close()


def _serve(pipe: Connection, function: Callable[[Any], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends us
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        try:
            result = function(item)
        except Exception as error:
            result = Failed("crashed", f"{type(error).__name__}: {error}")
        pipe.send(result)
