"""Reads one file of a backfill in a process of its own and, where asked, kills it. Started by test_backfill.py.

Moments: read (a record was read), page (a page was stored), before-commit and after-commit of a batch of twenty; the
number says at which of them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from conftest import make_settings

from pipeline.logging import configure
from pipeline.stages import backfill, backfill_store, backfill_warc
from pipeline.stages.services import Services


def hook(moment: str, times: int) -> None:
    left = times

    def now(this: str) -> None:
        nonlocal left
        left -= this == moment
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            found = real(*arguments, **named)
            now(name)
            return found

        return wrapped

    backfill_warc.judge = around(backfill_warc.judge, "read")
    backfill_store.store_page = around(backfill_store.store_page, "page")
    backfill_store.Store._store = around(backfill_store.Store._store, "before-commit")  # type: ignore[method-assign]
    backfill_store.Store.flush = around(backfill_store.Store.flush, "after-commit")  # type: ignore[method-assign]


def main(task: dict[str, Any]) -> None:
    from pathlib import Path

    configure("json")
    backfill_store.BATCH = 20
    if task["kill"]:
        hook(task["kill"], task["at"])
    services = Services(make_settings(Path(task["home"]), task["dsn"]))
    with services.session() as conn:
        time.sleep(max(task["wait"] - time.time(), 0))
        backfill.read(conn, services, task["file_id"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
