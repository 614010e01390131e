"""The decision model as data, and the tiers: accepted, suggested or none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CLAIMS, packaged_materials
from hypothesis import given
from hypothesis import strategies as st
from small_claims import MODEL

from pipeline.errors import ConfigurationError
from pipeline.logic.decision import FEATURES, SHORT, STANCE_FEATURES, STANCES, DecisionModel, Point, Tiers, letters
from pipeline.settings import MatchSettings, Settings, package_data
from pipeline.stages import materials
from pipeline.stages.match import tiers_of

LONG = "Dockers in the north are on strike again."
OWN = replace(MODEL, by_claim={"strike": Point(0.5, 0.8, 40)})


@pytest.fixture
def stored() -> dict[str, Any]:
    return json.loads(package_data("matcher.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_the_packaged_model() -> None:
    model = packaged_materials().model
    ids = {claim.claim_id for claim in materials.claims_of(CLAIMS)}
    assert 0 < model.suggested.probability < model.accepted.probability < model.strict.probability < 1
    assert model.strict.precision > model.accepted.precision >= 0.8
    assert model.by_claim.keys() <= ids
    assert model.stance_rates.keys() == ids
    assert (model.weights.weights > 0).all(), "every feature speaks for a match"
    lexical = [FEATURES.index(name) for name in ("groups_context", "groups_sentence")]
    assert not model.plain.weights[lexical].any(), "a claim without groups can't be asked for them"


def test_extremes_are_probabilities() -> None:
    model = packaged_materials().model
    features = np.stack([np.full((2, len(FEATURES)), x, np.float32) for x in (-1e6, 0, 1e6)])
    found = model.probability(features, np.array([True, False]))
    assert found.shape == (3, 2)
    assert np.isfinite(found).all()
    assert (found[0] < 1e-6).all() and (found[2] > 1 - 1e-6).all()
    assert set(model.stances(np.full((2, len(STANCE_FEATURES)), [[1e6], [-1e6]], np.float32))) <= set(STANCES)


def test_claims_with_and_without_groups_have_their_own_weights() -> None:
    features = np.zeros((1, 2, len(FEATURES)), np.float32)
    features[..., FEATURES.index("probe")] = 1
    grouped, plain = MODEL.probability(features, np.array([True, False]))[0]
    assert grouped == pytest.approx(1 / (1 + np.exp(5.8)))
    assert plain == pytest.approx(1 / (1 + np.exp(-2)))


@pytest.mark.parametrize("key", ["features", "stance_features"])
def test_a_model_of_other_features_is_refused(key: str, stored: dict[str, Any], tmp_path: Path) -> None:
    stored[key][0] = "herd"
    file = tmp_path / "m.json"
    file.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(ValueError, match=r"was made for other features: .*herd"):
        DecisionModel.load(file)


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", "{not json", '"x"', b"\xff", None),
        {"points": {}},
        {"weights": {}},
        {"points": {"accepted": {"probability": 0.5}}},
        {"by_claim": {"c": {"p": 1}}},
        {"by_claim": []},
    ],
)
def test_a_file_that_is_no_model(content: Any, stored: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "matcher.json"
    if isinstance(content, dict):
        content = json.dumps({**stored, **content})
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = Settings(home=tmp_path / "home", match=MatchSettings(matcher=file))
    wrong = r"matcher\.json is no decision model: " if content is not None else r"matcher\.json can't be read: "
    with pytest.raises(ConfigurationError, match=wrong):
        materials.load(settings)


def test_the_homes_model_is_taken_before_the_packaged_one(stored: dict[str, Any], tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert materials.load(settings).model.version == stored["version"]
    (tmp_path / "matcher.json").write_text(json.dumps({**stored, "version": "mine"}), encoding="utf-8")
    assert materials.load(settings).model.version == "mine"
    named = tmp_path / "named.json"
    named.write_text(json.dumps({**stored, "version": "named"}), encoding="utf-8")
    assert materials.load(Settings(home=tmp_path, match=MatchSettings(matcher=named))).model.version == "named"


def test_ordinary_news_and_practice_texts() -> None:
    made_of = packaged_materials()
    ids = {claim.claim_id for claim in materials.claims_of(CLAIMS)}
    assert len(made_of.background) == len(set(made_of.background)) > 200
    assert len({example.text for example in made_of.examples}) == len(made_of.examples) > 300
    assert set().union(*(example.claims for example in made_of.examples)) == ids, "each claim is practised"
    assert sum(not example.claims for example in made_of.examples) > 100, "and texts that are no evidence"
    assert not {example.text for example in made_of.examples} & set(made_of.background)


def test_claims_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be read"):
        materials.claims_of(tmp_path / "no.yaml")


# Tiers


@pytest.mark.parametrize(
    ("probability", "tier"), [(0, "none"), (0.19, "none"), (0.2, "suggested"), (0.69, "suggested"), (0.7, "accepted")]
)
def test_tiers(probability: float, tier: str) -> None:
    assert Tiers(MODEL).of("strike", probability, LONG) == tier


def test_a_claims_own_point() -> None:
    tiers = Tiers(OWN)
    assert tiers.of("strike", 0.5, LONG) == "accepted"
    assert tiers.of("fire", 0.5, LONG) == "suggested"


@pytest.mark.parametrize(("text", "short"), [("On strike", True), (LONG, False), ("북한군 파병 규모", True)])
def test_short_texts_and_stale_claims_must_be_surer(text: str, short: bool) -> None:
    for tiers in (Tiers(MODEL), Tiers(OWN)):
        assert tiers.of("strike", 0.8, text) == ("suggested" if short else "accepted")
        assert tiers.of("strike", 0.8, text, stale=True) == "suggested"
        assert tiers.of("strike", 0.9, text, stale=True) == "accepted"
        assert tiers.of("strike", 0.1, text, stale=True) == "none"


def test_without_its_subject_a_text_is_suggested_at_most() -> None:
    assert Tiers(MODEL).of("strike", 0.99, LONG, subject=False) == "suggested"
    assert Tiers(MODEL).of("strike", 0.1, LONG, subject=False) == "none"


def test_nothing_is_known_of_a_persons_own_point() -> None:
    assert Tiers(OWN).basis("strike") == Point(0.5, 0.8, 40)
    assert Tiers(MODEL).basis("strike") == MODEL.accepted
    assert Tiers(OWN, accepted=0.3).basis("strike") is None


def test_letters() -> None:
    assert letters("A 1, b!") == 3
    assert letters("북한군이 왔다") == 12
    assert letters("北朝鮮の兵") == 10
    assert letters("північ") == 6
    assert letters(" — … ") == 0
    assert letters(LONG) >= SHORT


def test_a_persons_own_points_come_before_the_models(tmp_path: Path) -> None:
    tiers = Tiers(OWN, accepted=0.95, suggested=0.6)
    assert [tiers.of("strike", p, LONG) for p in (0.59, 0.6, 0.94, 0.95)] == [
        "none",
        "suggested",
        "suggested",
        "accepted",
    ]
    given = tiers_of(Settings(home=tmp_path, match=MatchSettings(accepted=0.95, suggested=0.6)))
    assert (given.accepted, given.lowest) == (0.95, 0.6)
    plain = tiers_of(Settings(home=tmp_path))
    assert (plain.accepted, plain.lowest) == (None, packaged_materials().model.suggested.probability)


ORDER = ["none", "suggested", "accepted"]


@given(st.floats(0, 1), st.floats(0, 1), st.booleans(), st.sampled_from(["", "short", LONG]))
def test_more_likely_is_never_a_lower_tier(one: float, other: float, stale: bool, text: str) -> None:
    for tiers in (Tiers(MODEL), Tiers(OWN, accepted=0.3)):
        low, high = (ORDER.index(tiers.of("strike", p, text, stale=stale)) for p in sorted((one, other)))
        assert low <= high
        assert high <= ORDER.index(tiers.of("strike", max(one, other), LONG))
