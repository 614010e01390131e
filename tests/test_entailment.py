"""The entailment adapter, on a tiny cross-encoder that is built here."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tiny_nli import WORDS, tiny_nli

from pipeline.adapters.entailment import MAX_TOKENS, Entailment
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from pipeline.stages.services import Services

PAIRS = [
    ("soldiers were killed near the village", "soldiers were killed"),
    ("nobody was hurt", "soldiers were killed"),
    ("rain fell all near the village", "nobody was hurt there"),
    ("rain", "rain"),
]

Build = Callable[[list[str]], Path]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Saves a tiny cross-encoder with labels in a given order; its folder."""
    return partial(tiny_nli, tmp_path)


def test_columns_follow_the_models_own_labels(build: Build) -> None:
    """The same weights under other names for their outputs give the same numbers in other columns."""
    first = Entailment(str(build(["entailment", "contradiction", "neutral"]))).predict(PAIRS)
    other = Entailment(str(build(["NEUTRAL", "Entailment", "contradiction"]))).predict(PAIRS)
    assert first.shape == (4, 3)
    assert first.dtype == np.float32
    assert np.allclose(first.sum(axis=1), 1, atol=1e-5)
    assert np.ptp(first, axis=0).max() > 1e-3, "pairs differ"
    # The first output is called entailment there, neutral here; the second contradiction there, entailment here.
    assert np.allclose(other[:, [2, 0, 1]], first, atol=1e-5)
    assert not np.allclose(other, first, atol=1e-3)


def test_pairs_keep_their_order_whatever_their_length(build: Build) -> None:
    model = Entailment(str(build(["entailment", "neutral", "contradiction"])))
    many = [(" ".join(WORDS[: 1 + n % len(WORDS)]), WORDS[n % 3]) for n in range(150)]
    together = model.predict(many)
    alone = np.vstack([model.predict([pair]) for pair in many[:20]])
    assert np.allclose(together[:20], alone, atol=1e-4)


def test_no_pair_and_a_pair_that_is_too_long(build: Build) -> None:
    model = Entailment(str(build(["entailment", "neutral", "contradiction"])))
    assert model.predict([]).shape == (0, 3)
    long = model.predict([(" ".join(["rain"] * 5000), "soldiers were killed"), ("", "")])
    assert np.isfinite(long).all()
    assert model._model.max_seq_length <= min(64, MAX_TOKENS)


@pytest.mark.parametrize("labels", [["positive", "negative"], ["LABEL_0", "LABEL_1", "LABEL_2"], ["entailment"]])
def test_a_model_for_something_else_is_refused(labels: list[str], build: Build) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Entailment(str(build(labels))).predict(PAIRS)
    assert labels[0] in str(raised.value)
    assert "entailment, contradiction, neutral" in str(raised.value)
    assert "CLAIMWATCH_MATCH__NLI" in str(raised.value)


def test_nothing_is_loaded_before_the_first_pair(tmp_path: Path) -> None:
    model = Entailment(str(tmp_path / "nowhere"))
    with pytest.raises(ConfigurationError, match="can't be loaded") as raised:
        model.predict(PAIRS)
    assert "CLAIMWATCH_MATCH__NLI" in str(raised.value)


def test_a_name_that_the_hub_does_not_give(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigurationError, match="'nobody/no-such-model' can't be loaded"):
        Entailment("nobody/no-such-model").predict(PAIRS)


def test_a_damaged_folder(build: Build) -> None:
    folder = build(["entailment", "neutral", "contradiction"])
    (folder / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(ConfigurationError, match="can't be loaded"):
        Entailment(str(folder)).predict(PAIRS)
    (folder / "config.json").write_text(json.dumps({"model_type": "no such"}), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="can't be loaded"):
        Entailment(str(folder)).predict(PAIRS)


def test_services_have_one_where_it_is_set(tmp_path: Path) -> None:
    assert Services(Settings(home=tmp_path)).entailment is None
    made = Services(Settings(home=tmp_path, match={"nli": "some/model"})).entailment
    assert made is not None
    assert made.name == "some/model"
