"""Batches of the encoder: every text once, few tokens wasted, and the same vectors however texts are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.encoder import BATCH_TEXTS, BATCH_TOKENS, Encoder, batches
from pipeline.settings import EmbedSettings


@given(st.lists(st.integers(0, 2 * BATCH_TOKENS), max_size=300))
def test_batches_hold_every_text_once_and_keep_their_limits(lengths: list[int]) -> None:
    found = batches(lengths)
    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    for batch in found:
        assert 1 <= len(batch) <= BATCH_TEXTS
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= BATCH_TOKENS


def test_texts_of_like_length_are_together() -> None:
    lengths = [10, 500] * 100
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches(lengths))
    assert padded < 1.05 * sum(lengths)


@pytest.mark.model
def test_a_vector_does_not_depend_on_its_neighbours() -> None:
    encoder = Encoder(EmbedSettings())  # the session's remembers
    texts = [
        "Short.",
        "북한군이 쿠르스크에 있다.",
        "A longer sentence about the harbour and its boats. " * 30,
        "",
        "日本の新聞",
    ]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert together.shape == (5, encoder.dimensions)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    assert ((together * alone).sum(axis=1) > 0.995).all()
    assert encoder.encode([]).shape == (0, encoder.dimensions)
