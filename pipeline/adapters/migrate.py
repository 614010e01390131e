"""Brings a database to the state that sql/ describes.

sql/migrations run once, in order, and never change afterwards: their hash is recorded and checked. sql/api is
reapplied every time, in one transaction: replaced in place where the signature allows, else dropped and made
anew. Each API file begins with a line that names its object: `-- view analysis.articles`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import errors, sql

from pipeline.adapters.database import Connection, row, rows
from pipeline.clock import Clock
from pipeline.errors import ConfigurationError
from pipeline.settings import root

_OBJECT = re.compile(r"^-- (view|function) analysis\.([a-z_]+)$", re.MULTILINE)
# What PostgreSQL answers when `create or replace` can't keep the old signature.
_SIGNATURE = (errors.InvalidTableDefinition, errors.InvalidFunctionDefinition, errors.WrongObjectType)


@dataclass(frozen=True)
class Migrated:
    applied: tuple[str, ...]
    recreated: bool


def migrate(conn: Connection, clock: Clock, *, cascade: bool = False) -> Migrated:
    """Apply what is missing. `cascade` also drops analysts' own objects that stand in the way of a change."""
    _extension(conn)
    with conn.transaction():
        row(conn, "migrations.lock")
        rows(conn, "migrations.schema")
        rows(conn, "migrations.analysis")
        rows(conn, "migrations.bootstrap")
    applied = tuple(_apply_missing(conn, clock))
    with conn.transaction():
        row(conn, "migrations.lock")
        recreated = _apply_api(conn, cascade)
    return Migrated(applied, recreated)


def _extension(conn: Connection) -> None:
    try:
        rows(conn, "migrations.extension")
    except psycopg.Error as error:
        raise ConfigurationError(
            f"pgvector can't be set up here: {str(error).strip()}\n"
            "Install it on the server (package postgresql-NN-pgvector), then, as a superuser in this database: "
            "CREATE EXTENSION vector;"
        ) from error


def _apply_missing(conn: Connection, clock: Clock) -> Iterator[str]:
    done = {r.name: bytes(r.hash) for r in rows(conn, "migrations.done")}
    files = sorted((root() / "sql" / "migrations").glob("*.sql"))
    unknown = set(done) - {file.name for file in files}
    if unknown:
        raise ConfigurationError(
            f"the database is newer than this claimwatch: it has had {', '.join(sorted(unknown))}. Update claimwatch."
        )
    for file in files:
        text = file.read_bytes()
        digest = hashlib.sha256(text).digest()
        if file.name in done:
            if done[file.name] != digest:
                raise ConfigurationError(f"{file.name} was changed after it had run here; a change is a new file")
            continue
        with conn.transaction():
            row(conn, "migrations.lock")
            conn.execute(text)
            rows(conn, "migrations.record", name=file.name, hash=digest, now=clock.now())
        yield file.name


def _api_files() -> list[tuple[Path, str, str]]:
    files = []
    for file in sorted((root() / "sql" / "api").glob("*.sql")):
        found = _OBJECT.match(file.read_text(encoding="utf-8"))
        files.append((file, found[1] if found else "", found[2] if found else ""))
    return files


def _apply_api(conn: Connection, cascade: bool) -> bool:
    files = _api_files()
    wanted = {name for _, _, name in files if name}
    leftovers = [(r.kind, r.name) for r in rows(conn, "migrations.api_objects") if r.name not in wanted]
    if leftovers:
        _drop(conn, leftovers, cascade)
    try:
        with conn.transaction():
            for file, _, _ in files:
                conn.execute(file.read_bytes())
    except _SIGNATURE:
        _drop(conn, [(kind, name) for _, kind, name in reversed(files) if name], cascade)
        for file, _, _ in files:
            conn.execute(file.read_bytes())
        return True
    return bool(leftovers)


def _drop(conn: Connection, objects: list[tuple[str, str]], cascade: bool) -> None:
    for kind, name in objects:
        command = sql.SQL("drop {} if exists {}{}").format(
            sql.SQL("view" if kind == "view" else "function"),
            sql.Identifier("analysis", name),
            sql.SQL(" cascade" if cascade else ""),
        )
        try:
            conn.execute(command)
        except errors.DependentObjectsStillExist as error:
            raise ConfigurationError(
                f"analysis.{name} has to change, and objects of your own depend on it:\n{error.diag.message_detail}\n"
                "Drop them yourself and run migrate again, or run `claimwatch migrate --cascade` to have them dropped."
            ) from error
