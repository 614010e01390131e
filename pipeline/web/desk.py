"""What every page needs: the database as an analyst or a reviewer, the settings and the time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from psycopg_pool import ConnectionPool

from pipeline.adapters import database
from pipeline.adapters.database import Connection
from pipeline.adapters.secretfile import stored_secret
from pipeline.clock import Clock
from pipeline.logic.links import Links
from pipeline.settings import Settings

ANALYST, REVIEWER = "claimwatch_analyst", "claimwatch_reviewer"
MOST = 8  # connections a role; a page takes one for as long as it asks
PATIENCE = 10.0  # seconds that a page waits for one


class Desk:
    """Connections by role, never as the pipeline: what an analyst may not see, a page can't show."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or settings.clock()
        self._pools: dict[str, ConnectionPool[Connection]] = {}

    @property
    def public_url(self) -> str:
        """Where readers find the desk, without a slash at the end."""
        return self.settings.web.address

    def now(self) -> datetime:
        return self.clock.now()

    @cached_property
    def links(self) -> Links:
        """Reads the signed links in mails; the pipeline makes them with the same key."""
        return Links(self.settings.web.public_url, stored_secret(self.settings.home, "links.key"))

    def rows(self, name: str, **values: Any) -> list[Any]:
        """A named statement as the analyst; its rows as named tuples."""
        with self.analyst() as conn:
            return database.rows(conn, name, **values)

    def row(self, name: str, **values: Any) -> Any:
        """The first row, or None."""
        with self.analyst() as conn:
            return database.row(conn, name, **values)

    @contextmanager
    def analyst(self) -> Iterator[Connection]:
        with self._pool(ANALYST).connection() as conn:
            yield conn

    @contextmanager
    def reviewer(self) -> Iterator[Connection]:
        """For confirming and rejecting and for subscriptions, and for nothing else."""
        with self._pool(REVIEWER).connection() as conn:
            yield conn

    def trusted(self, name: str, **values: Any) -> list[Any]:
        """A named statement as the reviewer."""
        with self.reviewer() as conn:
            return database.rows(conn, name, **values)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _pool(self, role: str) -> ConnectionPool[Connection]:
        if role not in self._pools:
            self._pools[role] = ConnectionPool(
                database.dsn(self.settings, role),
                min_size=0,
                max_size=MOST,
                timeout=PATIENCE,
                open=True,
                name=role,
                check=ConnectionPool.check_connection,  # the server may have been started anew
                configure=_configure,
                kwargs={
                    "autocommit": True,
                    "row_factory": namedtuple_row,
                    "connect_timeout": 10,
                    "application_name": "claimwatch web",
                    "options": "-c timezone=UTC",
                },
            )
        return self._pools[role]


def _configure(conn: psycopg.Connection[Any]) -> None:
    database.register_vector(conn)
