"""Vectors kept on disk by model and text, where the same texts come again and again."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.adapters import packaged_models
from pipeline.adapters.encoder import Encoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAVE_EVERY = 1024  # texts; what a killed run has done so far is kept
LOCK_WAIT = 60.0  # seconds, where several processes write


class CachedEncoder:
    """An Encoder that remembers. Vectors are kept in half precision."""

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self._encoder = encoder
        path.parent.mkdir(parents=True, exist_ok=True)
        self._store = sqlite3.connect(path, timeout=LOCK_WAIT)
        self._store.execute("create table if not exists vectors (key blob primary key, vector blob not null)")
        self.made = 0  # texts encoded by this object

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def weights_hash(self) -> str:
        return self._encoder.weights_hash

    @property
    def dimensions(self) -> int:
        return self._encoder.dimensions

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        keys = {text: self._key(text) for text in texts}
        known = {text: vector for text, key in keys.items() if (vector := self._read(key)) is not None}
        new = sorted((text for text in keys if text not in known), key=len)
        for start in range(0, len(new), SAVE_EVERY):
            part = new[start : start + SAVE_EVERY]
            for text, vector in zip(part, self._encoder.encode(part), strict=True):
                known[text] = vector.astype(np.float16)
                row = (keys[text], known[text].tobytes())
                self._store.execute("insert or replace into vectors values (?, ?)", row)
            self._store.commit()
            self.made += len(part)
        return np.stack([known[text] for text in texts]).astype(np.float32) if texts else self._encoder.encode([])

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._encoder.weights_hash}\n{text}".encode()).digest()

    def _read(self, key: bytes) -> NDArray[np.float16] | None:
        found = self._store.execute("select vector from vectors where key = ?", (key,)).fetchone()
        return None if found is None else np.frombuffer(found[0], np.float16)


def of_phrases(encoder: Encoder) -> Encoder | CachedEncoder:
    """The encoder with a memory beside the models, for all homes of a user: the claims' wordings and what else a
    Matcher is made of are thousands of texts, a minute's work that is the same in each home. Without that memory
    where the folder can't be written to.
    """
    folder = packaged_models.cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return CachedEncoder(encoder, folder / "phrases.sqlite") if os.access(folder, os.W_OK) else encoder
    except (OSError, sqlite3.OperationalError):
        return encoder
