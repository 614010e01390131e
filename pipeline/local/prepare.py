"""Brings a home's database to the point where stages can run."""

from __future__ import annotations

from pipeline.adapters import database
from pipeline.adapters import migrate as migrations
from pipeline.settings import Settings
from pipeline.stages import origins


def prepare(settings: Settings, *, cascade: bool = False) -> migrations.Migrated:
    """Start the embedded server where it is used, make roles and databases, migrate, load the lexicon of origins."""
    if settings.database.dsn is None:
        server = database.embedded_server(settings)
        server.start()
        server.bootstrap()
    with database.connect(settings) as conn:
        migrated = migrations.migrate(conn, settings.clock(), cascade=cascade)
        origins.sync(conn, settings, settings.clock())
        return migrated
