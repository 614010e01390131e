"""How every stage takes items and says what became of them.

    with begin(conn, deps, "fetch") as run:
        for item in run.claim(limit):
            result = slow_work(item)              # no transaction is open here
            with run.settling(item):              # one transaction: result, next work, this item's end
                save(result)
                run.done(item, "fetched")

Items are claimed under a lease (work.sql, claim), committed before the slow work. Whoever comes back after the lease
was taken over by another process writes nothing: `done` and `again` raise LeaseLost inside the transaction.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
import structlog
from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, prepared, row, rows
from pipeline.clock import Clock
from pipeline.errors import ClaimwatchError
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.adapters.encoder import Encoder
    from pipeline.adapters.entailment import Entailment
    from pipeline.adapters.http import HttpClient
    from pipeline.adapters.vector_cache import CachedEncoder
    from pipeline.adapters.warc import Archive

log = structlog.get_logger()

LEASE_LOST = "lease-lost"
CRASH_RETRY = timedelta(minutes=10)
CRASH_RETRY_CAP = timedelta(hours=24)
HOSTED = frozenset({"poll", "fetch", "notify"})  # stages whose batches take turns over hosts


class Deps(Protocol):
    """What every stage is handed; services.Services is the real one."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...


class ArchiveDeps(Deps, Protocol):
    """For stages that keep what was fetched, or read it."""

    @property
    def archive(self) -> Archive: ...


class WebDeps(ArchiveDeps, Protocol):
    """For stages that ask other people's servers."""

    def session(self) -> AbstractContextManager[Connection]: ...
    def http(self) -> HttpClient: ...


class ModelDeps(Deps, Protocol):
    """For stages that need vectors."""

    @property
    def encoder(self) -> Encoder: ...
    @property
    def phrases(self) -> Encoder | CachedEncoder: ...


class MatchDeps(ModelDeps, Protocol):
    """For matching: also an entailment model, where one is set."""

    @property
    def entailment(self) -> Entailment | None: ...


@dataclass(frozen=True)
class Item:
    item_id: int
    attempts: int
    host: str


@dataclass(frozen=True)
class Postponed:
    """An item that stays queued until `due_at`; see Run.again."""

    item: Item
    outcome: str
    due_at: datetime
    problem: str | None = None
    fresh: bool = False
    look: bool = False


@dataclass
class StageReport:
    """What a run did: `claimed` items, each counted once in `outcomes`."""

    stage: str
    claimed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)  # what the stage made, in its own words

    def __add__(self, other: StageReport) -> StageReport:
        claimed = self.claimed + other.claimed
        return StageReport(self.stage, claimed, self.outcomes + other.outcomes, self.counts + other.counts)


class LeaseLost(ClaimwatchError):
    """Another process took the item over after our lease had run out."""

    code = LEASE_LOST


class Run:
    """One run of a stage: claims items and ends each exactly once."""

    def __init__(self, conn: Connection, deps: Deps, stage: str, shard: int, shards: int) -> None:
        self.conn = conn
        self.clock = deps.clock
        self.lease = timedelta(seconds=deps.settings.lease)
        self.shard, self.shards = shard, shards
        self.token = uuid.uuid4()
        self.report = StageReport(stage)
        self.run_id: int = row(conn, "work.start_run", stage=stage, now=self.clock.now()).run_id

    @property
    def stage(self) -> str:
        return self.report.stage

    def claim(self, limit: int, a_host: int | None = None) -> list[Item]:
        """Lease up to `limit` due items, at most `a_host` of one host, committed at once."""
        values: dict[str, Any] = {
            "stage": self.stage,
            "now": self.clock.now(),
            "lease": self.lease,
            "limit": limit,
            "token": self.token,
        }
        if self.stage in HOSTED:
            found = rows(self.conn, "work.claim", shard=self.shard, shards=self.shards, a_host=a_host, **values)
        elif self.stage == "track":
            found = rows(self.conn, "work.claim_matches", **values)
        else:
            found = rows(self.conn, "work.claim_plain", **values)
        items = [Item(r.item_id, r.attempts, r.host) for r in found]
        self.report.claimed += len(items)
        if items:
            rows(self.conn, "work.count_claimed", run_id=self.run_id, claimed=self.report.claimed)
        return sorted(items, key=lambda item: item.item_id)

    @contextmanager
    def settling(self, *items: Item) -> Iterator[None]:
        """The transaction in which the items' results are stored. A lost lease rolls it back and is counted."""
        try:
            with self.storing():
                yield
        except LeaseLost as error:
            self.report.outcomes[LEASE_LOST] += len(items)
            log.warning("lease lost", stage=self.stage, items=len(items), reason=str(error))

    @contextmanager
    def storing(self) -> Iterator[None]:
        """A transaction; where it is rolled back, so are the counts. For several items at once, of which each is then
        settled alone where this fails.
        """
        before = Counter(self.report.outcomes), Counter(self.report.counts)
        try:
            with self.conn.transaction():
                yield
        except BaseException:
            self.report.outcomes, self.report.counts = before
            raise

    def done(self, item: Item, outcome: str, problem: str | None = None) -> None:
        """The item is finished, well or not; `problem` says why not. Call inside `settling`."""
        self.all_done([item], outcome)
        if problem is not None:
            self._record(item, outcome, problem)

    def all_done(self, items: Sequence[Item], outcome: str) -> None:
        """Finish many items with one outcome. Call inside `settling`."""
        ids = [item.item_id for item in items]
        settled = rows(self.conn, "work.settle", stage=self.stage, item_ids=ids, token=self.token)
        if len(settled) != len(ids):
            raise LeaseLost(f"{len(ids) - len(settled)} items of {self.stage} were taken over by another process")
        self.report.outcomes[outcome] += len(ids)

    def again(
        self,
        item: Item,
        outcome: str,
        due_at: datetime,
        problem: str | None = None,
        *,
        fresh: bool = False,
        look: bool = False,
    ) -> None:
        """The item stays queued until `due_at`; `fresh` forgets its failed attempts, a `look` at what is known
        already gives way to what was never done. Call inside `settling`.
        """
        self.all_again([Postponed(item, outcome, due_at, problem, fresh, look)])

    def all_again(self, postponed: Sequence[Postponed]) -> None:
        """Put many items back into the queue, each with a time and outcome of its own. Call inside `settling`."""
        given = [
            {
                "item_id": each.item.item_id,
                "due_at": each.due_at.isoformat(),
                "outcome": each.outcome,
                "problem": each.problem,
                "fresh": each.fresh,
                "look": each.look,
            }
            for each in postponed
        ]
        put = rows(self.conn, "work.postpone", stage=self.stage, token=self.token, items=Jsonb(given))
        if len(put) != len(postponed):
            lost = {each.item.item_id for each in postponed} - {r.item_id for r in put}
            raise LeaseLost(f"items {sorted(lost)} of {self.stage} were taken over by another process")
        for each in postponed:
            self.report.outcomes[each.outcome] += 1
            if each.problem is not None:
                self._record(each.item, each.outcome, each.problem)

    def finish(self, item: Item, outcome: str, name: str, **values: Any) -> None:
        """The item is finished by a named statement that stores its result and takes it off the queue at once, whoever
        has it by now: for what has happened and can't be taken back.
        """
        prepared(self.conn, name, **values)
        self.report.outcomes[outcome] += 1

    def renew(self, item: Item, until: datetime) -> None:
        """The item is ours until then at least. Call inside `settling`."""
        held = rows(self.conn, "work.renew", stage=self.stage, item_id=item.item_id, token=self.token, until=until)
        if not held:
            raise LeaseLost(f"item {item.item_id} of {self.stage} was taken over by another process")

    def _record(self, item: Item, outcome: str, problem: str) -> None:
        rows(
            self.conn,
            "work.record_outcome",
            run_id=self.run_id,
            stage=self.stage,
            item_id=item.item_id,
            outcome=outcome,
            problem=problem,
            now=self.clock.now(),
        )

    def queue(self, stage: str, item_ids: Sequence[int]) -> None:
        """Queue items for a stage that goes to no host. Call inside `settling`."""
        if item_ids:
            rows(self.conn, "work.add_all", stage=stage, item_ids=list(item_ids), due_at=self.clock.now())

    @contextmanager
    def shield(self, item: Item) -> Iterator[None]:
        """Keeps one item's unforeseen trouble from the others: recorded as `crashed`, tried again ever later."""
        try:
            yield
        except (ClaimwatchError, psycopg.OperationalError):
            raise
        except Exception as error:
            log.exception("crashed", stage=self.stage, item=item.item_id)
            wait = backoff(CRASH_RETRY, item.attempts, CRASH_RETRY_CAP)
            with self.settling(item):
                self.again(item, "crashed", self.clock.now() + wait, f"{type(error).__name__}: {error}")


def backoff(first: timedelta, attempts: int, cap: timedelta) -> timedelta:
    """How long to wait after so many attempts: `first`, then twice as long each time, `cap` at most."""
    doubled: int = 2 ** min(attempts - 1, 30)  # a delay of years is the cap's business, not the number's
    return min(first * doubled, cap)


@contextmanager
def begin(conn: Connection, deps: Deps, stage: str, *, shard: int = 0, shards: int = 1) -> Iterator[Run]:
    """One run, with its row in ingest.runs; a run that found nothing leaves none."""
    run = Run(conn, deps, stage, shard, shards)
    problem: str | None = None
    try:
        yield run
    except BaseException as error:
        problem = f"{type(error).__name__}: {error}"
        raise
    finally:
        if not conn.broken:
            if problem:  # what was taken and not finished is pending again at once
                released = rows(conn, "work.release", stage=stage, token=run.token)
                run.report.outcomes["released"] += len(released)
            elif run.report.claimed:  # queued items whose rows were deleted meanwhile
                rest = rows(conn, "work.settle_rest", stage=stage, token=run.token)
                run.report.outcomes.update({"deleted": len(rest)} if rest else {})
            if run.report.claimed or problem:
                rows(
                    conn,
                    "work.finish_run",
                    run_id=run.run_id,
                    now=run.clock.now(),
                    outcomes=Jsonb(dict(run.report.outcomes)),
                    problem=problem,
                )
            else:
                rows(conn, "work.drop_run", run_id=run.run_id)
