"""A desk over a copy of the newsroom's archive that a whole test file shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from conftest import MovableClock, Serving, desk_settings

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.web.app import create

NOW = datetime(2024, 11, 6, 8, tzinfo=UTC)  # the morning after the newsroom's last evening in newsroom_2024


@dataclass
class Site:
    """Where a desk is served, and the database behind it as the pipeline."""

    base: str
    dsn: str
    app: Any


@contextmanager
def served(
    pg: EmbeddedServer, template: str, home: Path, before: Callable[[Any], None] = lambda conn: None, **web: Any
) -> Iterator[Site]:
    """`before` may change the copy first."""
    name = f"t_desk_{home.name}".replace("-", "_").lower()
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        admin.execute(f"create database {name} template {template} owner claimwatch")
        try:
            dsn = pg.dsn("claimwatch", name)
            with psycopg.connect(dsn, autocommit=True) as conn:
                before(conn)
            app = create(desk_settings(pg, dsn, home, **web), MovableClock(NOW))
            with Serving(app) as port:
                yield Site(f"http://127.0.0.1:{port}", dsn, app)
            app.state.desk.close()
        finally:
            admin.execute(f"drop database {name} with (force)")
