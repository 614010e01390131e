"""Connections, named statements and vectors.

Every statement stands in sql/queries/<noun>.sql under a name; Python says `work.claim`. A file reads:

    -- claim --
    -- One line of purpose.
    select ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import namedtuple_row

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings, root

Connection = psycopg.Connection[Any]

MIN_SERVER = 160000  # PostgreSQL 16

_NAME = re.compile(r"^-- ([a-z_]+) --$", re.MULTILINE)
_TABLE = re.compile(r"\bingest\.([a-z_0-9]+)\b(?!\()|\{(embeddings)\}")
_WRITTEN = re.compile(
    r"\b(?:insert into|update|delete from)\s+(?:ingest\.([a-z_0-9]+)|\{(embeddings)\})", re.IGNORECASE
)
_CALLED = re.compile(r"\bingest\.([a-z_0-9]+\()")

Elsewhere = Mapping[str, str]  # name of a table in schema ingest: the schema whose table of that name stands for it
READ_ONLY = "pg_temp"  # the schema whose names are views of ours, to read: a write would go through to schema ingest


@cache
def statements() -> Mapping[str, str]:
    """All named statements: {"work.claim": "with ...", ...}."""
    found: dict[str, str] = {}
    for file in sorted((root() / "sql" / "queries").glob("*.sql")):
        parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            key = f"{file.stem}.{name}"
            if key in found:
                raise ConfigurationError(f"{file}: {name} stands there twice")
            found[key] = text.strip().removesuffix(";")
    return found


def statement(name: str, model_id: int | None = None, elsewhere: Elsewhere | None = None) -> sql.Composed:
    """The statement as psycopg takes it.

    `{embeddings}` in it becomes the model's own table, and a table of schema ingest that `elsewhere` names the one in
    that schema. A statement that then still writes to schema ingest is refused: whoever works elsewhere leaves the
    live state alone.
    """
    text, given = statements()[name], elsewhere or {}
    if given:
        _refuse_live(name, text, given)
    parts: list[sql.Composable] = []
    end = 0
    for found in _TABLE.finditer(text):
        if found[2]:
            if model_id is None:
                raise ValueError(f"{name} needs a model")
            table = sql.Identifier("ingest", f"embeddings_{model_id}")
        elif found[1] in given:
            table = sql.Identifier(given[found[1]], found[1])
        else:
            continue
        parts += [sql.SQL(text[end : found.start()]), table]
        end = found.end()
    return sql.Composed([*parts, sql.SQL(text[end:])])


def _refuse_live(name: str, text: str, elsewhere: Elsewhere) -> None:
    """A function of schema ingest sees the live tables whatever a statement is told, so calling one is refused too."""
    own = {table for table, schema in elsewhere.items() if schema != READ_ONLY}
    touched = {table or embeddings for table, embeddings in _WRITTEN.findall(text)} - own
    touched |= set(_CALLED.findall(text))
    if touched:
        raise ConfigurationError(f"{name} touches the live state: {', '.join(sorted(touched))} is not set up elsewhere")


_elsewhere: WeakKeyDictionary[Connection, Elsewhere] = WeakKeyDictionary()


@contextmanager
def working_elsewhere(conn: Connection, elsewhere: Elsewhere) -> Iterator[None]:
    """Inside, named statements on this connection use other tables in place of some of schema ingest."""
    before = _elsewhere.get(conn, {})
    _elsewhere[conn] = elsewhere
    try:
        yield
    finally:
        _elsewhere[conn] = before


def rows(conn: Connection, name: str, model_id: int | None = None, /, **values: Any) -> list[Any]:
    """Run a named statement; its rows as named tuples, [] where it returns none."""
    cursor = conn.execute(statement(name, model_id, _elsewhere.get(conn)), values)
    return cursor.fetchall() if cursor.description else []


def prepared(conn: Connection, name: str, /, **values: Any) -> list[Any]:
    """Like `rows`, of a statement that the server has read before, from the second call with values like these on: for
    moments in which a millisecond counts.
    """
    return conn.execute(statement(name, None, _elsewhere.get(conn)), values, prepare=True).fetchall()


def row(conn: Connection, name: str, model_id: int | None = None, /, **values: Any) -> Any:
    """The first row, or None."""
    found = rows(conn, name, model_id, **values)
    return found[0] if found else None


def vector_rows(conn: Connection, name: str, model_id: int | None = None, /, **values: Any) -> list[Any]:
    """Like `rows`, for statements that return vectors: they come in binary, which spares parsing 384 numbers each."""
    return conn.execute(statement(name, model_id, _elsewhere.get(conn)), values, binary=True).fetchall()


def shown(conn: Connection, name: str, /, **values: Any) -> str:
    """A named statement with its values in their places, as an analyst would run it in psql."""
    return psycopg.ClientCursor(conn).mogrify(statement(name), values)


def execute_many(conn: Connection, name: str, values: list[dict[str, Any]], model_id: int | None = None) -> None:
    """Run a named statement once for each set of values, in one round trip."""
    if values:
        with conn.cursor() as cursor:
            cursor.executemany(statement(name, model_id, _elsewhere.get(conn)), values)


def embedded_server(settings: Settings) -> EmbeddedServer:
    database = settings.database
    return EmbeddedServer(
        settings.home,
        version=database.embedded_version,
        service_user=database.service_user,
        shared_buffers=database.shared_buffers,
        maintenance_work_mem=database.maintenance_work_mem,
    )


def dsn(settings: Settings, role: str = "claimwatch") -> str:
    """Where the database is, for the pipeline or for one of the analysts' roles."""
    given = settings.database
    if given.dsn is None:
        return embedded_server(settings).dsn(role)
    own = {"claimwatch": given.dsn, "claimwatch_analyst": given.analyst_dsn, "claimwatch_reviewer": given.reviewer_dsn}
    wanted = own[role]
    if wanted is None:
        key = f"{role.removeprefix('claimwatch_')}_dsn"
        raise ConfigurationError(
            f"on your own server, set [database] {key} (CLAIMWATCH_DATABASE__{key.upper()}) for the role {role}: "
            "the pipeline's own role is not used for that"
        )
    return wanted.get_secret_value()


def connect(settings: Settings, role: str = "claimwatch") -> Connection:
    """An autocommit connection: a transaction is whatever stands in `with conn.transaction()`."""
    conninfo = dsn(settings, role)
    try:
        conn: Connection = psycopg.connect(
            conninfo,
            autocommit=True,
            row_factory=namedtuple_row,
            connect_timeout=10,
            application_name="claimwatch",
            options="-c timezone=UTC",
        )
    except psycopg.ProgrammingError:  # its text quotes the DSN, and may quote the password
        raise ConfigurationError(
            "CLAIMWATCH_DATABASE__DSN can't be read; it looks like postgresql://user:password@host:5432/database, "
            "with special characters of the password percent-encoded"
        ) from None
    except psycopg.OperationalError as error:
        raise ConfigurationError(
            f"no connection to the database{_without_secrets(conninfo, error)}\n"
            "Check CLAIMWATCH_DATABASE__DSN, or leave it out to use the embedded server (`claimwatch up` starts it)."
        ) from error
    if conn.info.server_version < MIN_SERVER:
        raise ConfigurationError(f"the server is PostgreSQL {conn.info.server_version // 10000}; 16 or newer is needed")
    return conn


def register_vector(conn: Connection) -> None:
    """Teach the connection halfvec; after `migrate`, which makes sure that the extension is there."""
    from pgvector.psycopg import register_vector as register

    register(conn)


@contextmanager
def session(settings: Settings, role: str = "claimwatch") -> Iterator[Connection]:
    """A connection that understands vectors, closed at the end."""
    with connect(settings, role) as conn:
        try:
            register_vector(conn)
        except psycopg.ProgrammingError as error:
            raise ConfigurationError("the database has no pgvector yet: run `claimwatch migrate`") from error
        yield conn


def _without_secrets(conninfo: str, error: Exception) -> str:
    """What was tried and what came of it."""
    parts = conninfo_to_dict(conninfo)
    shown = " ".join(f"{key}={value}" for key, value in parts.items() if "password" not in key)
    reason = str(error).strip()
    for key, value in parts.items():
        if "password" in key and value:
            reason = reason.replace(str(value), "***")
    return f" {shown}: {reason}"
