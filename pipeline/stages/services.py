"""What stages are handed in real life, and the list of stages. Everything heavy is made at first use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import structlog

from pipeline.adapters import database
from pipeline.adapters.database import Connection
from pipeline.clock import Clock
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from pipeline.stages.work import HOSTED, StageReport

if TYPE_CHECKING:
    from pipeline.adapters.encoder import Encoder
    from pipeline.adapters.entailment import Entailment
    from pipeline.adapters.http import HttpClient
    from pipeline.adapters.mailer import Mailer
    from pipeline.adapters.services import Messenger
    from pipeline.adapters.vector_cache import CachedEncoder
    from pipeline.adapters.warc import Archive
    from pipeline.logic.links import Links

log = structlog.get_logger()

STAGES = ("poll", "fetch", "extract", "embed", "group", "match", "track", "notify")
NO_CONTACT = "set contact in [fetch]: sites read in the User-Agent whom to write to, and are slower to block it"
PLAIN_BATCH = 200  # items a transaction's worth of work for stages without a batch setting of their own


class Services:
    """The real encoder, HTTP client, mailer and clock, made from the settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def clock(self) -> Clock:
        return self.settings.clock()

    @cached_property
    def encoder(self) -> Encoder:
        from pipeline.adapters.encoder import Encoder

        return Encoder(self.settings.embed)

    @cached_property
    def phrases(self) -> Encoder | CachedEncoder:
        """The encoder for what a Matcher is made of."""
        from pipeline.adapters.vector_cache import of_phrases

        return of_phrases(self.encoder)

    @cached_property
    def entailment(self) -> Entailment | None:
        """The entailment model, where one is set."""
        name = self.settings.match.nli
        if name is None:
            return None
        from pipeline.adapters.entailment import Entailment

        return Entailment(name, threads=self.settings.embed.threads)

    @cached_property
    def _nameless(self) -> bool:
        """Whether sites can't write to us; said once a process."""
        if self.settings.fetch.contact:
            return False
        log.warning("no contact", hint=NO_CONTACT)
        return True

    def http(self) -> HttpClient:
        from pipeline.adapters.http import HttpClient

        _ = self._nameless
        return HttpClient(self.settings.fetch, clock=self.clock)

    @cached_property
    def archive(self) -> Archive:
        from pipeline.adapters.warc import Archive

        return Archive(self.settings.archive_folder, self.settings.archive)

    @cached_property
    def links(self) -> Links:
        """Signed links into the desk; the desk reads them with the same key."""
        from pipeline.adapters.secretfile import stored_secret
        from pipeline.logic.links import Links

        return Links(self.settings.web.public_url, stored_secret(self.settings.home, "links.key"))

    def mailer(self) -> Mailer:
        """Raises ConfigurationError where the mails go by a connection that only Airflow's tasks can read."""
        from pipeline.adapters.mailer import Mailer
        from pipeline.logic import mime

        if self.settings.mail.connection is not None:
            raise ConfigurationError(
                f"mails go by Airflow's connection {self.settings.mail.connection!r} ([mail] connection), which only "
                "its tasks can read: leave them to the DAG `alert`, or set host, port and login in [mail] instead"
            )
        return Mailer(self.settings.mail, self.clock, mime.build)

    def messenger(self) -> Messenger:
        from pipeline.adapters.services import Messenger

        return Messenger(self.settings.alerts.services)

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection as the pipeline's role; the embedded server is started where it is not running."""
        if self.settings.database.dsn is None:
            database.embedded_server(self.settings).start()
        with database.session(self.settings) as conn:
            yield conn


def batch_size(settings: Settings, stage: str) -> int:
    sizes = {
        "poll": settings.poll.batch,
        "fetch": settings.fetch.batch,
        "embed": settings.embed.batch,
        "match": settings.match.batch,
        "notify": settings.mail.batch,
    }
    return sizes.get(stage, PLAIN_BATCH)


def run_stage(
    conn: Connection,
    services: Services,
    stage: str,
    *,
    limit: int | None = None,
    shard: int = 0,
    shards: int = 1,
    seconds: float | None = None,
    progress: Callable[[StageReport], None] | None = None,
) -> StageReport:
    """Run a stage batch by batch until nothing is due, `limit` items are done or `seconds` have passed."""
    run: Callable[..., StageReport] = import_module(f"pipeline.stages.{stage}").run
    size = batch_size(services.settings, stage)
    sharding: dict[str, Any] = {"shard": shard, "shards": shards} if stage in HOSTED - {"notify"} else {}
    total = StageReport(stage)
    begun = time.monotonic()
    while limit is None or total.claimed < limit:
        wanted = size if limit is None else min(size, limit - total.claimed)
        report = run(conn, services, wanted, **sharding)
        total += report
        if report.claimed:
            log.info(stage, claimed=report.claimed, **dict(report.outcomes))
            if progress:
                progress(total)
        if report.claimed == 0 or (seconds is not None and time.monotonic() - begun > seconds):
            break
    return total


def due(conn: Connection, services: Services, stage: str) -> int:
    """How many items of a stage wait to be taken now."""
    pending = database.rows(conn, "work.pending", now=services.clock.now())
    return sum(int(r.due) for r in pending if r.stage == stage)
