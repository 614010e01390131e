"""PostgreSQL's NOTIFY: being woken by what others store."""

from __future__ import annotations

from psycopg import sql

from pipeline.adapters.database import Connection


def subscribe(conn: Connection, channel: str) -> None:
    """From now on `wait` hears of the channel, also of what came in between two waits."""
    conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))


def wait(conn: Connection, seconds: float) -> bool:
    """Until somebody notifies, or that long; whether somebody did. Raises psycopg.OperationalError when the connection
    is lost.
    """
    return any(True for _ in conn.notifies(timeout=seconds, stop_after=1))
