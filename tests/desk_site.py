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
from conftest import MovableClock, Serving, clone, desk_settings

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
        clone(admin, name, template)
        try:
            dsn = pg.dsn("claimwatch", name)
            with psycopg.connect(dsn, autocommit=True) as conn:
                keep_pages(conn, home)
                follow(conn)
                before(conn)
            app = create(desk_settings(pg, dsn, home, **web), MovableClock(NOW))
            with Serving(app) as port:
                yield Site(f"http://127.0.0.1:{port}", dsn, app)
            app.state.desk.close()
        finally:
            admin.execute(f"drop database {name} with (force)")


def follow(conn: Any) -> None:
    """A reader of everything, told of some of what happened, and one of a claim's digests who has not answered."""
    at = NOW - timedelta(hours=20)
    (reader,) = conn.execute(
        "insert into ingest.subscriptions (email, languages, min_probability, quiet_from, quiet_until, created_at, "
        "confirmed_at) values ('ada@example.org', '{ko,ru}', 0.8, '22:00', '07:00', %s, %s) returning subscription_id",
        [at, at],
    ).fetchone()
    conn.execute(
        "insert into ingest.subscriptions (email, claim_id, rhythm, created_at, next_digest_at) "
        "select 'bo@example.org', min(claim_id), 'daily', %s, %s from ingest.claims",
        [at, NOW + timedelta(hours=1)],
    )
    conn.execute(
        "with sent as ("
        "  insert into ingest.alerts (delivery_key, event_id, claim_id, subscription_id, email, subject, state, "
        "    created_at, sent_at, problem, message_id) "
        "  select 'test/' || event_id, event_id, claim_id, %(reader)s, 'ada@example.org', 'News of ' || claim_id, "
        "    case when event_id %% 2 = 0 then 'sent' else 'failed' end, %(at)s, %(at)s, "
        "    case when event_id %% 2 = 1 then '550 no such mailbox' end, "
        "    '<' || event_id || '@test>' "
        "  from ingest.claim_events order by event_id limit 4 returning alert_id, event_id) "
        "insert into ingest.notices (event_id, subscription_id, decision, reason, alert_id, decided_at) "
        "select event_id, %(reader)s, case when sent.alert_id is null then 'held' else 'told' end, "
        "  case when sent.alert_id is null then '2 hours after what was told last; this claim rests for 4 days' "
        "  else 'sent at once' end, "
        "  sent.alert_id, %(at)s "
        "from (select event_id from ingest.claim_events order by event_id limit 8) ev left join sent using (event_id)",
        {"reader": reader, "at": at},
    )


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
