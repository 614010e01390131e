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
from typing import Any

import psycopg
from psycopg import errors, sql

from pipeline.adapters.database import Connection, row, rows
from pipeline.clock import Clock
from pipeline.errors import ConfigurationError
from pipeline.settings import root

_OBJECT = re.compile(r"^-- (view|function) analysis\.([a-z_]+)$", re.MULTILINE)
# What PostgreSQL answers when `create or replace` can't keep the old signature. A function with other arguments it
# puts beside the old one: there the file's own `comment on function analysis.name` no longer knows which is meant.
_SIGNATURE = (
    errors.InvalidTableDefinition,
    errors.InvalidFunctionDefinition,
    errors.WrongObjectType,
    errors.AmbiguousFunction,
)


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
            if any(r.name == file.name for r in rows(conn, "migrations.done")):
                continue  # another process has just done it
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
    order = [name for _, _, name in files if name]
    before = rows(conn, "migrations.api_objects")
    leftovers = [found for found in before if found.name not in order]
    _drop(conn, leftovers, cascade)
    try:
        with conn.transaction():
            _execute(conn, [file for file, kind, _ in files if kind])
    except _SIGNATURE:
        present = rows(conn, "migrations.api_objects")
        # The last ones first: they may rest on those before them.
        _drop(conn, sorted(present, key=lambda found: order.index(found.name), reverse=True), cascade)
        _execute(conn, [file for file, _, _ in files])
        return True
    # One of several functions of a name that got other arguments: its old self stands beside it, as it was before.
    untouched = {(found.number, found.written) for found in before if found.kind == "function"}
    stale = [f for f in rows(conn, "migrations.api_objects") if (f.number, f.written) in untouched]
    _drop(conn, stale, cascade)
    _execute(conn, [file for file, kind, _ in files if not kind])  # the grants, which would touch everything
    return bool(leftovers or stale)


def _execute(conn: Connection, files: list[Path]) -> None:
    for file in files:
        conn.execute(file.read_bytes())


def _drop(conn: Connection, objects: list[Any], cascade: bool) -> None:
    for found in objects:
        arguments = "" if found.arguments is None else f"({found.arguments})"
        command = sql.SQL("drop {} if exists {}{}{}").format(
            sql.SQL(found.kind),
            sql.Identifier("analysis", found.name),
            sql.SQL(arguments),  # as the catalogue writes them
            sql.SQL(" cascade" if cascade else ""),
        )
        try:
            conn.execute(command)
        except errors.DependentObjectsStillExist as error:
            raise ConfigurationError(
                f"analysis.{found.name} has to change, and objects of your own depend on it:\n"
                f"{error.diag.message_detail}\n"
                "Drop them yourself and run migrate again, or run `claimwatch migrate --cascade` to have them dropped."
            ) from error
