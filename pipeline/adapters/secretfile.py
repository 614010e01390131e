"""Secrets made on this machine: one file each under <home>/secrets, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import ConfigurationError


def random_secret() -> str:
    """32 characters that need no quoting in a URL (192 bits)."""
    return secrets.token_urlsafe(24)


def stored_secret(home: Path, name: str, make: Callable[[], str] = random_secret) -> str:
    """The secret kept in <home>/secrets/<name>; made on first use, and by one process only.

    Raises ConfigurationError when the file belongs to somebody else or is empty.
    """
    folder = home / "secrets"
    file = folder / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        if not file.exists():
            _create(file, make())
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(
            f"{file} can't be read or made ({error.strerror}): start claimwatch as the user who owns {home}"
        ) from error
    if not text:
        raise ConfigurationError(f"{file} is empty: restore it from a backup")
    return text


def write_private(file: Path, text: str) -> None:
    """Replace `file` by `text` in one step, mode 0600."""
    temporary = _temporary(file, text)
    temporary.replace(file)


def _create(file: Path, text: str) -> None:
    temporary = _temporary(file, text)
    try:
        # A hard link fails where the name is taken, so that of two processes the first one's secret stays.
        file.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _temporary(file: Path, text: str) -> Path:
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return temporary
