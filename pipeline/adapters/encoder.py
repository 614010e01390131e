"""Text to vectors by sentence-transformers. The model is loaded once a process, at the first text."""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog

from pipeline.adapters import packaged_models
from pipeline.errors import ConfigurationError
from pipeline.settings import EmbedSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = structlog.get_logger()

BATCH_TOKENS = 1024  # of a batch, what pads it included
BATCH_TEXTS = 64


class Encoder:
    """`name` and `weights_hash` identify the model; vectors are float32, normalised, shape (texts, dimensions)."""

    def __init__(self, settings: EmbedSettings, models: Path | None = None) -> None:
        self.name = settings.model
        self._settings = settings
        self._models = models or packaged_models.cache_folder()

    @cached_property
    def folder(self) -> str:
        """What SentenceTransformer is given: a packaged model's folder, else the name or path as set."""
        return str(packaged_models.folder(self.name, self._models) or self.name)

    @cached_property
    def weights_hash(self) -> str:
        """The packaged source's hash; else of the local weight files; else of the name, where a hub holds them."""
        packaged = packaged_models.PACKAGED.get(self.name)
        if packaged is not None:
            return packaged.sha256
        digest = hashlib.sha256()
        files = sorted(Path(self.folder).glob("**/*.safetensors")) if Path(self.folder).is_dir() else []
        for file in files:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        if not files:
            digest.update(self.name.encode())
        return digest.hexdigest()

    @cached_property
    def _model(self) -> Any:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        import transformers
        from sentence_transformers import SentenceTransformer

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        if self._settings.threads:
            torch.set_num_threads(self._settings.threads)
        dtype = torch.bfloat16 if self._bfloat16() else torch.float32
        try:
            model = SentenceTransformer(self.folder, device="cpu", model_kwargs={"dtype": dtype})
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"the embedding model {self.name!r} can't be loaded: {error}\n"
                "Set CLAIMWATCH_EMBED__MODEL to e5-small, minilm, or a sentence-transformers name or path."
            ) from error
        model.eval()
        log.info("model loaded", model=self.name, dtype=str(dtype))
        return model

    def _bfloat16(self) -> bool:
        if self._settings.precision != "auto":
            return self._settings.precision == "bfloat16"
        try:  # without the CPU's own instructions bf16 is emulated and slower than float32
            return "avx512_bf16" in Path("/proc/cpuinfo").read_text()
        except OSError:
            return False

    @property
    def dimensions(self) -> int:
        return int(self._model.get_embedding_dimension())

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Vectors of the texts in their order."""
        found = np.zeros((len(texts), self.dimensions), np.float32)
        for batch in batches(self._lengths(texts)):
            vectors = self._model.encode(
                [texts[i] for i in batch],
                batch_size=len(batch),
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_tensor=True,
            )
            found[batch] = vectors.float().numpy()
        norms = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(norms, 1e-6), np.float32)

    def _lengths(self, texts: list[str]) -> list[int]:
        """Tokens of each text as the model reads it; a guess where its tokenizer is no function."""
        if not texts:
            return []
        tokenizer = self._model.tokenizer
        if not callable(tokenizer):
            return [1 + len(text.encode()) // 4 for text in texts]
        read = tokenizer(texts, truncation=True, max_length=self._model.max_seq_length)
        return [len(tokens) for tokens in read["input_ids"]]


def batches(lengths: list[int]) -> list[list[int]]:
    """Numbers of texts of like length, longest first. In a batch every text costs as much as its longest: titles among
    summaries would take twice the time, since feeds mix scripts whose characters make few tokens or many.
    """
    found: list[list[int]] = []
    room = 0  # texts that still fit into the last batch
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if room == 0:
            found.append([])
            room = max(1, min(BATCH_TEXTS, BATCH_TOKENS // max(1, lengths[i])))
        found[-1].append(i)
        room -= 1
    return found
