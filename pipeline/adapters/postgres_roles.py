"""Roles, databases and extensions of the embedded server: least privilege from the start.

claimwatch          owns the database of that name; the pipeline. No superuser, makes no roles or databases
claimwatch_analyst  may connect there and nothing more; the views grant it what analysts read
claimwatch_reviewer the same, and it is granted the functions that confirm and reject matches too
airflow             owns Airflow's metadata, can't see the claims; the others can't see Airflow's

What analysts and reviewers run is bounded by the defaults below: a query that was forgotten, or a transaction left
open, ends by itself and holds up nobody's work. Who needs longer sets statement_timeout in that session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from pipeline.errors import ConfigurationError

SUPERUSER = "postgres"
PIPELINE = "claimwatch"
ANALYST = "claimwatch_analyst"
REVIEWER = "claimwatch_reviewer"
AIRFLOW = "airflow"
# Which role may connect to which database; the first one owns it.
DATABASES = {"claimwatch": (PIPELINE, ANALYST, REVIEWER), "airflow": (AIRFLOW,)}
# Of those who read; docker/postgres-init.sh has the same.
READERS = (ANALYST, REVIEWER)
READERS_DEFAULTS = {
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "5min",
    "lock_timeout": "5s",
    "work_mem": "32MB",
}
_LOCK = 0x636C61696D  # an arbitrary key ("claim") for pg_advisory_lock

Connection = psycopg.Connection[tuple[Any, ...]]


def bootstrap(superuser: Callable[[str], str], password: Callable[[str], str]) -> None:
    """Bring roles and databases to the state above, whatever was there before.

    `superuser` gives the superuser's conninfo for a database, `password` a role's password.
    """
    with _connect(superuser("postgres")) as conn:
        conn.execute("select pg_advisory_lock(%s)", [_LOCK])
        for role in (PIPELINE, ANALYST, REVIEWER, AIRFLOW):
            _ensure_role(conn, role, password(role))
        for role in READERS:
            for name, value in READERS_DEFAULTS.items():
                statement = sql.SQL("alter role {} set {} = {}")
                conn.execute(statement.format(sql.Identifier(role), sql.Identifier(name), sql.Literal(value)))
        for database, roles in DATABASES.items():
            _ensure_database(conn, database, roles)
        conn.execute("revoke all on database postgres, template1 from public")
        for database in DATABASES:
            with _connect(superuser(database)) as inside:
                inside.execute("revoke create on schema public from public")
                if database == "claimwatch":
                    for role in READERS:
                        statement = sql.SQL("alter role {} in database {} set search_path = analysis, public")
                        inside.execute(statement.format(sql.Identifier(role), sql.Identifier(database)))
                    inside.execute("create extension if not exists vector")
                    inside.execute("alter extension vector update")  # after a newer wheel


def _connect(dsn: str) -> Connection:
    try:
        return psycopg.connect(dsn, autocommit=True, options="-c client_min_messages=warning")
    except psycopg.OperationalError as error:
        raise ConfigurationError(
            f"the embedded server refuses its superuser ({error}): is it running, and is "
            f"secrets/{SUPERUSER}.password in the home the one this database was made with?"
        ) from error


def _ensure_role(conn: Connection, role: str, password: str) -> None:
    # Hashed here, so that the server never sees the password in a statement.
    verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    known = conn.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
    statement = sql.SQL("{verb} role {role} login nosuperuser nocreatedb nocreaterole password {verifier}")
    conn.execute(
        statement.format(
            verb=sql.SQL("alter" if known else "create"),
            role=sql.Identifier(role),
            verifier=sql.Literal(verifier),
        )
    )


def _ensure_database(conn: Connection, database: str, roles: tuple[str, ...]) -> None:
    name, owner = sql.Identifier(database), sql.Identifier(roles[0])
    if not conn.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
        conn.execute(sql.SQL("create database {} owner {} template template0").format(name, owner))
    conn.execute(sql.SQL("revoke all on database {} from public").format(name))
    for role in roles[1:]:
        conn.execute(sql.SQL("grant connect on database {} to {}").format(name, sql.Identifier(role)))
