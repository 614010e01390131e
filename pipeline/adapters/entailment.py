"""Whether one text entails another, by any sentence-transformers CrossEncoder that was trained for it (NLI)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog

from pipeline.adapters.encoder import batches
from pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = structlog.get_logger()

LABELS = ("entailment", "contradiction", "neutral")  # the order of the columns that `predict` returns
MAX_TOKENS = 256  # of premise and hypothesis together; a long premise is cut


class Entailment:
    """`name` is the model's name or path. The model is loaded once a process, at the first pair."""

    def __init__(self, name: str, *, threads: int | None = None) -> None:
        self.name = name
        self._threads = threads

    @cached_property
    def _model(self) -> Any:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        import transformers
        from sentence_transformers import CrossEncoder

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        if self._threads:
            torch.set_num_threads(self._threads)
        try:
            model = CrossEncoder(
                _folder(self.name), device="cpu", local_files_only=True, activation_fn=torch.nn.Identity()
            )
        # What stands behind a name decides how it fails: a hub that can't be reached, a folder without a model, files
        # that are cut short or of another kind. To the operator all of them are one thing.
        except Exception as error:
            raise ConfigurationError(
                f"the entailment model {self.name!r} can't be loaded: {error}\n"
                "Set CLAIMWATCH_MATCH__NLI to the folder of a sentence-transformers CrossEncoder for natural language "
                "inference, or to its name where this machine reaches the model hub; without the setting, stances "
                "come from the rules alone."
            ) from error
        longest = model.max_seq_length or MAX_TOKENS
        model.max_seq_length = min(longest, MAX_TOKENS)
        model.model.eval()
        log.info("entailment model loaded", model=self.name)
        return model

    @cached_property
    def _columns(self) -> list[int]:
        """Where the model's own output has each of LABELS."""
        return columns(self._model.config.id2label, self.name)

    def predict(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """Probabilities of (premise, hypothesis) pairs: entails, contradicts, neutral; shape (pairs, 3)."""
        found = np.zeros((len(pairs), len(LABELS)), np.float32)
        if not pairs:
            return found
        order = self._columns
        for batch in batches(self._lengths(pairs)):
            scores = self._model.predict(
                [pairs[i] for i in batch],
                batch_size=len(batch),
                show_progress_bar=False,
                convert_to_numpy=True,
            )
            found[batch] = softmax(np.asarray(scores, np.float32)[:, order])
        return found

    def _lengths(self, pairs: Sequence[tuple[str, str]]) -> list[int]:
        """Tokens of each pair, as the model reads it."""
        premises, hypotheses = [p for p, _ in pairs], [h for _, h in pairs]
        read = self._model.tokenizer(premises, hypotheses, truncation=True, max_length=self._model.max_seq_length)
        return [len(tokens) for tokens in read["input_ids"]]


def _folder(name: str) -> str:
    """Where the model's files are: a path as given, the hub's local cache, or there after one download.

    The library's own loading asks the hub at every start, and again and again for each file where it can't be reached.
    """
    path = Path(name).expanduser()
    if path.is_dir() or name.startswith(("/", ".", "~")):
        return str(path)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    left_out = ["*.onnx", "*.h5", "*.msgpack", "onnx/*", "openvino/*"]  # the same weights for other engines
    try:
        return str(snapshot_download(name, local_files_only=True, ignore_patterns=left_out))
    except LocalEntryNotFoundError:
        log.info("entailment model is fetched from the hub", model=name)
        return str(snapshot_download(name, ignore_patterns=left_out))


def columns(id2label: Mapping[Any, str], name: str) -> list[int]:
    """Column of each of LABELS, found by the model's own names for them, in any order and case."""
    by_label = {str(label).strip().lower(): int(number) for number, label in id2label.items()}
    if len(id2label) != len(LABELS) or set(by_label) != set(LABELS):
        told = ", ".join(str(label) for label in id2label.values())
        raise ConfigurationError(
            f"the model {name!r} is none for entailment: its labels are {told}; "
            f"needed are {', '.join(LABELS)}, in any order. Set CLAIMWATCH_MATCH__NLI to another model."
        )
    return [by_label[label] for label in LABELS]


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities by row."""
    risen = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(risen / risen.sum(axis=1, keepdims=True), np.float32)
