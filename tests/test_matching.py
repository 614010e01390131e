"""Finding and deciding: the arithmetic on small made-up vectors, the judgement with the real model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import CLAIMS, phrase_vectors

from pipeline.adapters.encoder import Encoder
from pipeline.logic import claimsfile
from pipeline.logic.claimsfile import Claim
from pipeline.logic.matching import FEATURES, DecisionModel, Matcher, Passage, phrases
from pipeline.settings import package_data
from pipeline.stages.match import load_model

Vectors = dict[str, np.ndarray]


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def claim(claim_id: str, groups: dict[str, dict[str, tuple[str, ...]]], **changes: Any) -> Claim:
    values: dict[str, Any] = {"phrasings": (), "decoys": (), "topic_decoys": (), "cues": {"denial": ("denies",)}}
    return Claim(claim_id, f"{claim_id} statement", groups=groups, **{**values, **changes})


STRIKE = claim(
    "strike",
    {"who": {"docker": ("docker*",)}, "did": {"strike": ("strike*", "walk out")}},
    phrasings=(("en", "walked out"),),
    decoys=(("en", "lightning"),),
)
FIRE = claim("fire", {"what": {"fire": ("fire*",)}})  # no further phrasing, no decoy
VECTORS: Vectors = {
    "strike statement": unit(1, 0, 0, 0),
    "walked out": unit(0, 1, 0, 0),
    "lightning": unit(0, 0, 1, 0),
    "fire statement": unit(1, 2, 0, 3),
}
# Weights by hand: the terms of a sentence count, nearness a little.
MODEL = DecisionModel(
    "test",
    np.zeros(6, np.float32),
    np.ones(6, np.float32),
    np.array([0.1, 0, 0, 0, 4, 0], np.float32),
    -2.0,
    0.7,
    0.3,
)


@pytest.fixture
def matcher() -> Matcher:
    return Matcher([STRIKE, FIRE], VECTORS, MODEL)


def value(matcher: Matcher, passage: Passage, claim_index: int, feature: str) -> float:
    return float(matcher.find([passage]).features[0, claim_index, FEATURES.index(feature)])


def baseline() -> tuple[float, float]:
    """Mean and deviation of cosines between phrasings of different claims, by hand."""
    across = np.array(
        [VECTORS["strike statement"] @ VECTORS["fire statement"], VECTORS["walked out"] @ VECTORS["fire statement"]]
    )
    return float(across.mean()), max(float(across.std()), 1e-3)


def test_phrases_lists_each_text_once() -> None:
    assert phrases([STRIKE, FIRE]) == ["strike statement", "walked out", "lightning", "fire statement"]
    assert len(phrases([STRIKE, STRIKE])) == 3


def test_cosines_are_in_units_of_the_encoders_own_baseline(matcher: Matcher) -> None:
    mean, deviation = baseline()
    passage = Passage("x", "t", unit(0.2, 0.9, 0.1, 0))
    best = float(passage.vector @ VECTORS["walked out"])  # the better one of two phrasings
    strike = (best - mean) / deviation
    fire = (float(passage.vector @ VECTORS["fire statement"]) - mean) / deviation
    decoy = (float(passage.vector @ VECTORS["lightning"]) - mean) / deviation
    assert value(matcher, passage, 0, "cosine_sentence") == pytest.approx(strike, rel=1e-4)
    assert value(matcher, passage, 1, "cosine_sentence") == pytest.approx(fire, rel=1e-4)
    assert value(matcher, passage, 0, "cohort") == pytest.approx((strike - fire) / 2, rel=1e-3)
    assert value(matcher, passage, 0, "decoy_margin") == pytest.approx(strike - decoy, rel=1e-4)


def test_a_shift_of_all_cosines_changes_nothing() -> None:
    """Encoders differ in what "unrelated" scores; the units take that out."""
    shared = {text: np.append(0.6 * v, 0.8).astype(np.float32) for text, v in VECTORS.items()}
    passage = unit(0.2, 0.9, 0.1, 0)
    plain = Matcher([STRIKE, FIRE], VECTORS, MODEL).find([Passage("x", "t", passage)]).features
    shifted = Passage("x", "t", np.append(0.6 * passage, 0.8).astype(np.float32))
    found = Matcher([STRIKE, FIRE], shared, MODEL).find([shifted]).features
    assert found[..., :2] == pytest.approx(plain[..., :2], rel=1e-3)


def test_groups_in_the_sentence_and_in_its_context(matcher: Matcher) -> None:
    vector = unit(1, 0, 0, 0)

    def shares(text: str, title: str) -> tuple[float, float, float]:
        passage = Passage(text, title, vector)
        return tuple(value(matcher, passage, 0, f) for f in ("groups_sentence", "groups_context", "all_context"))  # type: ignore[return-value]

    assert shares("Dockers strike.", "News") == (1, 1, 1)
    assert shares("They walk out.", "Dockers in the north") == (0.5, 1, 1)
    assert shares("Dockers sing.", "News") == (0.5, 0.5, 0)
    assert shares("Nothing.", "News") == (0, 0, 0)
    # A compound may begin in the title and end in the text.
    both = Matcher(
        [claim("pair", {"who": {"c": ("kim + putin",)}, "x": {"y": ("met",)}})], {"pair statement": vector}, MODEL
    )
    assert value(both, Passage("They met Putin.", "Kim travels", vector), 0, "groups_context") == 1


def test_only_pairs_with_enough_groups_are_looked_at(matcher: Matcher) -> None:
    vector = VECTORS["strike statement"]
    passages = [
        Passage("Dockers sing.", "News", vector),
        Passage("Dockers strike.", "News", vector),
        Passage("A fire.", "News", vector),
    ]
    assert matcher.find(passages).pairs == [(1, 0), (2, 1)]


def test_the_sentence_that_carries_it(matcher: Matcher) -> None:
    text = "The sun shone. Dockers are on strike. The fair opens."
    found = matcher.find([Passage(text, "Dockers", unit(1, 1, 1, 1))])
    assert found.sentences() == ["The sun shone.", "Dockers are on strike.", "The fair opens."]
    vectors = {
        "The sun shone.": unit(1, 0, 0.1, 0),  # nearest, but names nothing
        "Dockers are on strike.": unit(0.5, 0.5, 1, 0),
        "The fair opens.": unit(0, 0, 0, 1),
    }
    (decision,) = matcher.decide(found, vectors)
    assert decision.sentence == "Dockers are on strike."
    mean, deviation = baseline()
    nearest = float(vectors["The sun shone."] @ VECTORS["strike statement"])
    assert decision.features["cosine_sentence"] == pytest.approx((nearest - mean) / deviation, rel=1e-3)
    assert decision.features["groups_sentence"] == 1
    assert tuple(decision.features) == FEATURES
    row = np.array([list(decision.features.values())], np.float32)
    assert decision.probability == pytest.approx(float(MODEL.probability(row)[0]), abs=1e-3)
    assert matcher.probabilities(found)[0, 0] == pytest.approx(decision.probability)


def test_a_passage_of_one_sentence_needs_no_further_vector(matcher: Matcher) -> None:
    found = matcher.find([Passage("Dockers strike", "News", unit(1, 0, 0, 0))])
    assert found.sentences() == []
    (decision,) = matcher.decide(found, {})
    assert decision.sentence == "Dockers strike"


def test_denial_refutes_where_it_stands_in_the_carrying_sentence(matcher: Matcher) -> None:
    def stance(text: str) -> str:
        found = matcher.find([Passage(text, "News", unit(1, 0, 0, 0))])
        vectors = {sentence: unit(1, 0, 0, 0) for sentence in found.sentences()}
        return matcher.decide(found, vectors)[0].stance

    assert stance("Dockers strike.") == "supports"
    assert stance("The port denies that dockers strike.") == "refutes"
    assert stance("Dockers strike. The mayor denies that it rains.") == "supports"


def test_nothing_found(matcher: Matcher) -> None:
    found = matcher.find([Passage("Nothing.", "News", unit(1, 0, 0, 0))])
    assert found.pairs == []
    assert matcher.decide(found, {}) == []
    assert matcher.probabilities(found).shape == (1, 2)


def test_batching_changes_nothing(matcher: Matcher) -> None:
    random = np.random.default_rng(3)
    words = ["Dockers", "strike", "fire", "sing", "They", "walk out", "denies"]
    passages = []
    for _ in range(40):
        text = " ".join(random.choice(words, 4)) + ". " + " ".join(random.choice(words, 3)) + "."
        passages.append(Passage(text, " ".join(random.choice(words, 2)), unit(*random.normal(size=4))))
    sentence_vectors = {
        text[a:b]: unit(*np.random.default_rng(len(text[a:b]) + ord(text[a])).normal(size=4))
        for text in (p.text for p in passages)
        for a, b in [(0, text.index(".") + 1), (text.index(".") + 2, len(text))]
    }

    def decide(batch: list[Passage]) -> list[tuple[str, int, float, str, str]]:
        found = matcher.find(batch)
        decisions = matcher.decide(found, {s: sentence_vectors[s] for s in found.sentences()})
        return [(batch[d.passage].text, d.claim, round(d.probability, 2), d.stance, d.sentence) for d in decisions]

    together = decide(passages)
    assert together
    assert sorted(together) == sorted(line for passage in passages for line in decide([passage]))


def test_one_claim_alone_and_without_decoys() -> None:
    matcher = Matcher([FIRE], {"fire statement": unit(1, 1, 0, 1)}, MODEL)
    found = matcher.find([Passage("A fire.", "News", unit(1, 1, 0, 1))])
    (decision,) = matcher.decide(found, {})
    assert np.isfinite(list(decision.features.values())).all()
    assert decision.features["cohort"] == 0


def test_the_model_file() -> None:
    model = load_model()
    assert 0 < model.suggested < model.accepted < 1
    assert (model.weights > 0).all()  # every feature speaks for a match
    extreme = model.probability(np.full((2, 6), [[1e6], [-1e6]], np.float32))
    assert np.isfinite(extreme).all()


def test_a_model_of_other_features_is_refused(tmp_path: Any) -> None:
    text = package_data("matcher.json").read_text(encoding="utf-8")
    file = tmp_path / "m.json"
    file.write_text(text.replace('"cohort"', '"herd"'), encoding="utf-8")
    with pytest.raises(ValueError, match="was made for other features"):
        DecisionModel.load(file)


# Language: (evidence, a look-alike) of one claim, all written for this test.
SENTENCES = {
    "killed-in-kursk": [
        (
            "Scores of North Korean soldiers have died in the fighting around Kursk.",
            "North Korean builders died when a crane fell in Vladivostok.",
        ),
        (
            "쿠르스크 전선에서 북한군 수십 명이 숨진 것으로 파악됐다.",
            "쿠르스크에서 우크라이나군 드론에 민간인 세 명이 숨졌다.",
        ),
        ("В Курской области погибли десятки северокорейских солдат.", "В Курской области погибли двое мирных жителей."),
        (
            "У Курській області загинули десятки північнокорейських солдатів.",
            "У Курській області загинули двоє цивільних.",
        ),
        ("クルスク州で北朝鮮兵数十人が戦死したと当局が述べた。", "クルスク州で民間人二人が死亡した。"),
        ("据称数十名朝鲜士兵在库尔斯克阵亡。", "库尔斯克一处工厂起火，两名工人遇难。"),
        (
            "Des dizaines de soldats nord-coréens ont été tués près de Koursk.",
            "Deux civils ont été tués près de Koursk.",
        ),
    ],
    "over-10000-troops": [
        (
            "Seoul puts the North Korean troops sent to Russia at more than 11,000.",
            "North Korea has shipped more than 11,000 containers of shells to Russia.",
        ),
        (
            "국정원은 러시아에 파병된 북한군이 1만1천 명을 넘는다고 밝혔다.",
            "국방부는 해외에 파병된 한국군이 1만 명을 넘은 적이 없다고 밝혔다.",
        ),
        (
            "В Россию отправлено более одиннадцати тысяч солдат КНДР.",
            "В Россию приехали более одиннадцати тысяч рабочих из КНДР.",
        ),
    ],
    "troops-fighting": [
        (
            "North Korean troops are fighting alongside the Russian army against Ukraine.",
            "South Korean troops took part in an exercise against an attack from the North.",
        ),
        (
            "북한군 병사들이 러시아군과 함께 우크라이나군을 상대로 전투를 벌이고 있다.",
            "한국군 장병들이 미군과 함께 연합훈련을 벌이고 있다.",
        ),
        (
            "Північнокорейські солдати воюють на боці Росії проти України.",
            "Громадяни Непалу воюють на боці Росії проти України.",
        ),
    ],
}


@pytest.mark.model
def test_evidence_beats_look_alikes_in_every_language(encoder: Encoder) -> None:
    topic = claimsfile.parse(CLAIMS.read_text(encoding="utf-8"), "claims")
    matcher = Matcher(topic.claims, phrase_vectors(encoder), load_model())
    ids = [c.claim_id for c in topic.claims]
    for claim_id, pairs in SENTENCES.items():
        lines = [line for pair in pairs for line in pair]
        passages = [Passage(t, t, v) for t, v in zip(lines, encoder.encode(lines), strict=True)]
        found = matcher.find(passages)
        matcher.decide(found, dict(zip(found.sentences(), encoder.encode(found.sentences()), strict=True)))
        probabilities = matcher.probabilities(found)[:, ids.index(claim_id)]
        evidence, decoys = probabilities[::2], probabilities[1::2]
        told = [f"{p:.2f} {line}" for p, line in zip(probabilities, lines, strict=True)]
        assert evidence.min() > decoys.max(), told
        assert (evidence >= load_model().suggested).all(), told
        assert (decoys < load_model().accepted).all(), told
