"""What all commands share: the settings, and a connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from pipeline import settings as settings_module
from pipeline.adapters.database import Connection
from pipeline.errors import PermanentError
from pipeline.logging import configure
from pipeline.settings import Settings
from pipeline.stages.services import Services
from pipeline.terminal import Format

FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to print the result.")]


def load_settings(home: Path | None = None) -> Settings:
    settings = settings_module.load(home)
    configure(settings.log_format)
    return settings


@contextmanager
def opened() -> Iterator[tuple[Services, Connection]]:
    """Services and a session; the embedded server is started where it is not running."""
    services = Services(load_settings())
    with services.session() as conn:
        yield services, conn


@contextmanager
def said_by_the_database() -> Iterator[None]:
    """What a function of ours in SQL refuses is told in its words. Raises PermanentError."""
    try:
        yield
    except psycopg.errors.RaiseException as error:
        hint = f"\n{error.diag.message_hint}" if error.diag.message_hint else ""
        raise PermanentError(f"{error.diag.message_primary}{hint}") from error
