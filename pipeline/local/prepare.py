"""Brings a home's database to the point where stages can run."""

from __future__ import annotations

from pipeline.adapters import database
from pipeline.adapters import migrate as migrations
from pipeline.settings import Settings


def prepare(settings: Settings, *, cascade: bool = False) -> migrations.Migrated:
    """Start the embedded server where it is used, make roles and databases, and migrate."""
    if settings.database.dsn is None:
        server = database.embedded_server(settings)
        server.start()
        server.bootstrap()
    with database.connect(settings) as conn:
        return migrations.migrate(conn, settings.clock(), cascade=cascade)
