"""maintain: frees expired leases, applies retention, checks indexes, has pages with evidence read again, looks for
claims that have fallen silent, and tells the operator when a stage stalls.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pipeline.adapters.database import Connection, rows
from pipeline.logic import urls
from pipeline.stages import captures, embed, silence, words
from pipeline.stages.announce import queue
from pipeline.stages.services import Services

STALLED_AFTER = timedelta(hours=3)  # work that has been due this long while nothing took it
WORDS_SECONDS = 120.0  # a round's time for making words of older paragraphs
MOVED = 200  # page bodies that are taken from the database at a time
CHUNK = 5000  # rows deleted a transaction, so that retention never holds locks for long


@dataclass
class Maintained:
    freed: int = 0
    deleted: dict[str, int] = field(default_factory=dict)
    moved: int = 0  # page bodies, from the database to the archive
    requeued: int = 0
    worded: int = 0  # paragraphs that got their words for full text
    reread: int = 0
    silences: int = 0
    unanswered: int = 0  # subscriptions that ended because nobody said yes
    broken_indexes: list[str] = field(default_factory=list)
    stalled: list[str] = field(default_factory=list)
    mailed: bool = False


def run(conn: Connection, services: Services) -> Maintained:
    """One round of housekeeping. Every step stands alone: a crash between two loses nothing."""
    now = services.clock.now()
    done = Maintained(freed=len(rows(conn, "work.free_expired", now=now)))
    done.deleted = _retention(conn, services)
    done.deleted["log files"] = _old_logs(services)
    done.moved = captures.move_bodies(conn, services, MOVED)
    done.deleted["archive files"] = captures.expire(conn, services)
    done.requeued = _active_model(conn, services)
    done.worded = words.fill(conn, WORDS_SECONDS)
    words.count(conn, now)
    unasked = now - timedelta(days=services.settings.alerts.link_days)
    done.unanswered = len(rows(conn, "alerts.end_unanswered", now=now, before=unasked))
    done.broken_indexes = [r.name for r in rows(conn, "maintain.broken_indexes")]
    done.reread = _reread(conn, services)
    done.stalled = _stalled(conn, services)
    if all(line.startswith("notify:") for line in done.stalled):
        # Else what waits unread may hold the coverage that seems to be missing.
        done.silences = silence.run(conn, services)
    if done.stalled or done.broken_indexes:
        done.mailed = _tell_operator(conn, services, done)
    return done


def _retention(conn: Connection, services: Services) -> dict[str, int]:
    kept = services.settings.retention
    now = services.clock.now()
    rules: dict[str, int | None] = {
        "runs": kept.runs_days,
        "articles": kept.articles_days,
    }
    deleted = {}
    for what, days in rules.items():
        if days is None:
            continue
        total = 0
        while True:
            gone = rows(conn, f"maintain.expire_{what}", before=now - timedelta(days=days), chunk=CHUNK)
            total += len(gone)
            if len(gone) < CHUNK:
                break
        deleted[what] = total
    hosts = rows(conn, "maintain.expire_hosts", kept=timedelta(days=kept.runs_days), chunk=CHUNK)
    return deleted | {"hosts": len(hosts)}


def _old_logs(services: Services) -> int:
    """Airflow never removes a log: files past their time go, then the folders that were left alone as long."""
    oldest = time.time() - services.settings.retention.logs_days * 86_400
    removed = 0
    logs = (services.settings.home / "airflow" / "logs").rglob("*")
    old = sorted((path for path in logs if path.lstat().st_mtime < oldest), reverse=True)  # files before their folder
    for path in old:
        with contextlib.suppress(OSError):  # a folder that still holds something stays
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
                removed += 1
    return removed


def _active_model(conn: Connection, services: Services) -> int:
    """Switch to the settings' model once all its vectors are there; until then queue what is missing."""
    if not rows(conn, "models.any"):
        return 0
    model_id = embed.model(conn, services)
    with conn.transaction():
        missing = embed.queue_missing(conn, services, model_id)
        waiting = rows(conn, "models.missing_count", model_id)[0].missing
        if waiting == 0 and not rows(conn, "models.is_active", model_id=model_id):
            rows(conn, "models.deactivate")
            rows(conn, "models.activate", model_id=model_id)
            rows(conn, "claims.rematch_all", model_id, now=services.clock.now())
    return missing


def _reread(conn: Connection, services: Services) -> int:
    """Have pages that carry evidence fetched again, so that edits are seen."""
    now = services.clock.now()
    due = rows(conn, "tracking.to_reread", now=now)
    for r in due:
        with conn.transaction():
            rows(conn, "work.look_again", stage="fetch", item_id=r.article_id, host=urls.host(r.url), due_at=now)
            rows(conn, "tracking.rereading", article_id=r.article_id, now=now)
    return len(due)


def _stalled(conn: Connection, services: Services) -> list[str]:
    now = services.clock.now()
    pending = rows(conn, "work.pending", now=now)
    return [
        f"{r.stage}: {r.due} items are due, the oldest since {r.oldest_due:%Y-%m-%d %H:%M} UTC"
        for r in pending
        if r.oldest_due is not None and r.oldest_due < now - STALLED_AFTER
    ]


def _tell_operator(conn: Connection, services: Services, done: Maintained) -> bool:
    """One mail a day and set of troubles."""
    operator = services.settings.mail.operator
    if operator is None:
        return False
    now = services.clock.now()
    lines = [
        *done.stalled,
        *(f"index {name} is not valid: REINDEX INDEX CONCURRENTLY {name}" for name in done.broken_indexes),
    ]
    stages = ",".join(sorted(line.split(":")[0] for line in done.stalled))
    body = "\n".join(["The pipeline needs a look:", "", *lines, "", "`claimwatch status` shows more."])
    with conn.transaction():
        key = f"operator/{now:%Y-%m-%d}/{stages}/{len(done.broken_indexes)}"
        subject = "the pipeline has stalled"
        added = queue(conn, services.settings, key, operator, now, "operator", subject=subject, body=body)
        return added is not None


def summary(done: Maintained) -> dict[str, Any]:
    """Counts only, for logs and XCom."""
    return {
        "freed": done.freed,
        "deleted": done.deleted,
        "moved": done.moved,
        "requeued": done.requeued,
        "worded": done.worded,
        "reread": done.reread,
        "silences": done.silences,
        "unanswered": done.unanswered,
        "broken_indexes": len(done.broken_indexes),
        "stalled": len(done.stalled),
    }
