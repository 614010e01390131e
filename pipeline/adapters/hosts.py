"""Hosts and their robots.txt in the database, where all processes agree on them. Times are the server's own: a host is
spared in real time, whatever clock the pipeline is given, and a clock put back freezes no host (sql/queries/hosts.sql).
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from pipeline.adapters.database import Connection, rows
from pipeline.adapters.gate import HOLD, Returned, Taken
from pipeline.adapters.robots import Known
from pipeline.settings import Settings


class HostTable:
    """One run's view of ingest.hosts and ingest.robots; see gate.Hosts and robots.Memory."""

    def __init__(self, conn: Connection, holder: UUID, settings: Settings) -> None:
        self._conn, self._holder = conn, holder
        self._hold = timedelta(seconds=settings.fetch.total_timeout * HOLD)
        self._spacing = timedelta(seconds=max(settings.fetch.host_delay, settings.poll.host_delay))

    def take(self, hosts: list[str]) -> dict[str, Taken]:
        found = rows(self._conn, "hosts.take", hosts=hosts, holder=self._holder, hold=self._hold, spacing=self._spacing)
        return {r.host: Taken(r.since_start, r.spacing, r.pause) for r in found}

    def renew(self, hosts: list[str]) -> set[str]:
        return {r.host for r in rows(self._conn, "hosts.renew", hosts=hosts, holder=self._holder, hold=self._hold)}

    def give_back(self, hosts: dict[str, Returned]) -> None:
        rows(
            self._conn,
            "hosts.give_back",
            hosts=list(hosts),
            ages=[host.age for host in hosts.values()],
            spacings=[host.spacing for host in hosts.values()],
            holder=self._holder,
        )

    def pause(self, host: str, seconds: float, reason: str) -> None:
        rows(self._conn, "hosts.pause", host=host, pause=timedelta(seconds=seconds), reason=reason)

    def robots(self, origins: list[str]) -> dict[str, Known]:
        found = rows(self._conn, "hosts.robots", origins=origins)
        return {r.origin: Known(r.outcome, r.problem, r.body, r.fresh_for, r.unreadable_for) for r in found}

    def keep_robots(self, origin: str, host: str, known: Known, crawl_delay: float | None) -> None:
        rows(
            self._conn,
            "hosts.keep_robots",
            origin=origin,
            host=host,
            outcome=known.outcome,
            problem=known.problem,
            body=known.body,
            crawl_delay=crawl_delay,
            fresh=timedelta(seconds=known.fresh_for),
            unreadable=timedelta(seconds=known.unreadable_for or 0.0),
        )
