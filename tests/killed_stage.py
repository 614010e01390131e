"""Runs one stage in a process of its own and, where asked, kills it at a given moment. Started by test_crash.py.

    python tests/killed_stage.py \
        '{"settings": {...}, "stage": "embed", "batch": 5, "kill": ["before-commit", 3], "vectors": "vectors.npz"}'

Moments: claimed, before-commit, after-commit, before-send, after-send, within-record (half of it is in the archive),
recorded (all of it, and its row is not stored); the number says at which of them. With
"wait" the process says "ready" and begins when a line comes in. Prints what it did as JSON, if it lives to do so.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.mailer import Mailer
from pipeline.adapters.warc_files import Files
from pipeline.logging import configure
from pipeline.settings import EmbedSettings, Settings
from pipeline.stages import services, work

LARGER_THAN_A_HEAD = 600  # bytes: a file's own first record is smaller, one with a page larger


class Stored:
    """The model's vectors of texts that it has encoded before, from a file."""

    def __init__(self, settings: EmbedSettings, file: str) -> None:
        real = Encoder(settings)
        self.name, self.weights_hash = real.name, real.weights_hash
        with np.load(file) as content:
            self._vectors = dict(zip(content["texts"].tolist(), content["vectors"], strict=True))
        self.dimensions = len(next(iter(self._vectors.values())))

    def encode(self, texts: list[str]) -> Any:
        return np.stack([self._vectors[text] for text in texts])


def hook(moment: str, times: int) -> None:
    """Make this process kill itself at the given one of such moments."""
    left = times

    def now(this: str) -> None:
        nonlocal left
        left -= this == moment
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    claim, storing, finish, send = work.Run.claim, work.Run.storing, work.Run.finish, Mailer.send

    def killed_claim(self: work.Run, limit: int, a_host: int | None = None) -> list[work.Item]:
        items = claim(self, limit, a_host)
        if items:
            now("claimed")
        return items

    @contextmanager
    def killed_storing(self: work.Run) -> Iterator[None]:
        with storing(self):
            yield
            now("before-commit")
        now("after-commit")

    def killed_finish(self: work.Run, *given: Any, **values: Any) -> None:
        now("before-commit")
        finish(self, *given, **values)
        now("after-commit")

    def killed_send(self: Mailer, message: Any) -> None:
        now("before-send")
        send(self, message)
        now("after-send")

    append, write = Files.append, os.pwrite

    def killed_append(self: Files, *given: Any) -> Any:
        place = append(self, *given)
        now("recorded")
        return place

    def killed_write(handle: int, data: Any, offset: int) -> int:
        if moment == "within-record" and left == 1 and len(data) > LARGER_THAN_A_HEAD:
            write(handle, data[: len(data) // 2], offset)
        if len(data) > LARGER_THAN_A_HEAD:
            now("within-record")
        return write(handle, data, offset)

    Files.append, os.pwrite = killed_append, killed_write  # type: ignore[method-assign,assignment]
    work.Run.claim, work.Run.storing, work.Run.finish = killed_claim, killed_storing, killed_finish  # type: ignore[method-assign,assignment]
    Mailer.send = killed_send  # type: ignore[method-assign]


def main(task: dict[str, Any]) -> None:
    settings = Settings(**task["settings"])
    configure("json")
    stage, batch = task["stage"], task.get("batch")
    if batch:
        size: Callable[[Settings, str], int] = lambda _settings, _stage: batch  # noqa: E731
        services.batch_size = size
    if task.get("kill"):
        hook(*task["kill"])
    import_module(f"pipeline.stages.{stage}")
    deps = services.Services(settings)
    deps.encoder = Stored(settings.embed, task["vectors"])  # type: ignore[assignment]
    with deps.session() as conn:
        if task.get("wait"):
            print("ready", flush=True)
            sys.stdin.readline()
        report = services.run_stage(conn, deps, stage)
    print(json.dumps({"claimed": report.claimed, "outcomes": dict(report.outcomes)}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
