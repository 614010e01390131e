"""How poll and fetch go to other people's servers: in turn with every other process, and within their lease."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pipeline.adapters.gate import NotItsTurn
from pipeline.adapters.hosts import HostTable
from pipeline.adapters.web import Web
from pipeline.stages.work import Item, Run, WebDeps

STAY = 60.0  # seconds of one host's turns that a batch takes, so that a slow host does not hold up the others

BEGUN = 0.5  # of the lease: no fetch is begun later
FOLLOWED = 0.75  # of the lease: no redirect is followed later


@asynccontextmanager
async def polite(run: Run, deps: WebDeps, *, delay: float, robots: bool = False) -> AsyncIterator[Web]:
    """The batch's way to other servers, `delay` seconds between two requests to a host."""
    # Half of the lease is left for a slow end: an item that would be started later goes back into the queue, but one
    # that was started follows its redirects.
    now, lease = asyncio.get_running_loop().time(), deps.settings.lease
    times = {"deadline": now + lease * BEGUN, "late": now + lease * FOLLOWED}
    # A connection of its own: hosts are taken and given back while the run's own may be storing in another thread.
    with deps.session() as conn:
        table = HostTable(conn, run.token, deps.settings)
        async with Web(deps.http(), table, delay=delay, robots=robots, **times) as web:
            yield web


def turns(delay: float) -> int | None:
    """How many items of one host a batch takes; None: any number."""
    return math.ceil(STAY / delay) if delay else None


def put_back(run: Run, item: Item, why: NotItsTurn) -> None:
    """Its host's turn did not come in this batch: nothing was asked, so that was no attempt."""
    with run.settling(item):
        wait = timedelta(seconds=why.retry_after or 0.0)
        run.again(item, why.code, run.clock.now() + wait, fresh=True)
