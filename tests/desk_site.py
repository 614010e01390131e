"""A desk over a copy of the newsroom's archive that a whole test file shares."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from conftest import MovableClock, Serving, desk_settings

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.warc import Archive
from pipeline.settings import ArchiveSettings
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
                keep_pages(conn, home)
                before(conn)
            app = create(desk_settings(pg, dsn, home, **web), MovableClock(NOW))
            with Serving(app) as port:
                yield Site(f"http://127.0.0.1:{port}", dsn, app)
            app.state.desk.close()
        finally:
            admin.execute(f"drop database {name} with (force)")


def keep_pages(conn: Any, home: Path, count: int = 8) -> None:
    """The newsroom's articles came with their feeds: some get a page in the archive, as a fetch would have left it."""
    at = NOW - timedelta(days=1)
    archive = Archive(home / "archive", ArchiveSettings())
    for article_id, url in conn.execute(
        "select distinct article_id, url from analysis.article_evidence order by article_id limit %s", [count]
    ).fetchall():
        body = f"<html><body>{url}</body></html>".encode()
        place = archive.resource(url, body, "text/html", at, at)
        (capture,) = conn.execute(
            "insert into ingest.captures (article_id, kind, captured_at, url, final_url, status, content_type, digest, "
            "size, warc_file, warc_offset, warc_length) "
            "values (%s, 'resource', %s, %s, %s, 200, 'text/html', %s, %s, %s, %s, %s) returning capture_id",
            [
                *(article_id, at, url, url, hashlib.sha256(body).digest(), len(body)),
                *(place.file, place.offset, place.length),
            ],
        ).fetchone()
        conn.execute("update ingest.versions set capture_id = %s where article_id = %s", [capture, article_id])
    archive.close()
