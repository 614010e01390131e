"""Claims files for tests that encode every phrase: a few claims of the project's own file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from conftest import CLAIMS


def some_claims(folder: Path, *ids: str) -> Path:
    """These claims, with four of the topic's decoys."""
    file = folder / "claims.yaml"
    file.write_text(_written(ids), encoding="utf-8")
    return file


@cache
def _written(ids: tuple[str, ...]) -> str:
    content = yaml.load(CLAIMS.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    content["topic"]["decoys"] = {"en": content["topic"]["decoys"]["en"][:4]}
    content["claims"] = [claim for claim in content["claims"] if claim["id"] in ids]
    return str(
        yaml.dump(content, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), allow_unicode=True, sort_keys=False)
    )
