"""Claims files for tests that encode every phrase: a few claims of the project's own file."""

from __future__ import annotations

from pathlib import Path

import yaml
from conftest import CLAIMS


def some_claims(folder: Path, *ids: str) -> Path:
    """These claims, with four of the topic's decoys."""
    content = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    content["topic"]["decoys"] = {"en": content["topic"]["decoys"]["en"][:4]}
    content["claims"] = [claim for claim in content["claims"] if claim["id"] in ids]
    file = folder / "claims.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file
