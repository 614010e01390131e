"""Finding and deciding: the arithmetic on small made-up vectors, the judgement with the real model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import packaged_materials, project_matcher
from small_claims import BACKGROUND, CLAIMS, DOCKER, FIRE, MODEL, RAIN, STRIKE, VECTORS, claim, unit

from pipeline.adapters.encoder import Encoder
from pipeline.logic.decision import FEATURES, STANCES, Tiers
from pipeline.logic.fulltext import FullText
from pipeline.logic.matching import ARTICLE, FIND, Decision, Example, Matcher, Passage, phrases, run
from pipeline.logic.text import sentences

NEAR = unit(1, 0.1, 0, 0, 0.1)  # what texts about the strike are like
FAR = unit(0.1, 0.1, 0.7, 0, 0.5)


@pytest.fixture
def matcher() -> Matcher:
    return Matcher(CLAIMS, VECTORS, MODEL, BACKGROUND)


def value(matcher: Matcher, passage: Passage, claim_index: int, feature: str) -> float:
    return float(matcher.find([passage]).features[0, claim_index, FEATURES.index(feature)])


def decide(matcher: Matcher, *passages: Passage, **vectors: np.ndarray) -> list[Decision]:
    """With the vectors of some sentences; the others are like their passage."""
    known = {part: p.vector for p in passages for part in _parts(p.text)} | vectors
    return run(matcher, passages, lambda texts: np.stack([known[text] for text in texts]))[1]


def _parts(text: str) -> list[str]:
    return [text[a:b] for a, b in sentences(text)]


def about(text: str, title: str = "News", vector: np.ndarray = NEAR) -> Passage:
    return Passage(text, title, vector)


# What it is made of


def test_phrases_lists_each_text_once() -> None:
    example = Example("They strike.", frozenset({"strike"}))
    texts = phrases(CLAIMS, [*BACKGROUND, "wet"], [example, example])
    assert texts == [*VECTORS.keys(), "They strike."] or sorted(texts) == sorted([*VECTORS, "They strike."])
    assert len(texts) == len(set(texts))
    assert len(phrases([STRIKE, STRIKE])) == 6
    assert phrases([RAIN]) == ["rain statement", "wet"]


def test_a_missing_vector_is_an_error_and_no_guess() -> None:
    without = {text: vector for text, vector in VECTORS.items() if text != "lightning"}
    with pytest.raises(KeyError, match="lightning"):
        Matcher(CLAIMS, without, MODEL)


def test_background_and_examples_are_optional() -> None:
    passages = [about("Dockers strike."), about("Nothing.", vector=FAR)]
    for given in ((), (BACKGROUND,), ((), [Example("walked out", frozenset({"strike"}))])):
        found = Matcher(CLAIMS, VECTORS, MODEL, *given).find(passages)
        assert np.isfinite(found.features).all()
        assert (0, 0) in found.pairs


def test_an_example_moves_only_its_own_claims_probe_up() -> None:
    passage = about("x", vector=unit(0, 0.3, 0.3, 0, 0, 1))
    vectors = {**VECTORS, "out again": unit(0, 0.2, 0.2, 0, 0.1, 1)}

    def probes(*examples: Example) -> list[float]:
        matcher = Matcher(CLAIMS, vectors, MODEL, BACKGROUND, examples)
        return [value(matcher, passage, j, "probe") for j in range(len(CLAIMS))]

    before = probes()
    yes = probes(Example("out again", frozenset({"fire"})))
    assert yes[1] > before[1] + 0.02
    no = probes(Example("out again", frozenset()))
    assert no[1] < before[1]
    unknown = probes(Example("out again", frozenset(), unknown=frozenset(c.claim_id for c in CLAIMS)))
    assert unknown == pytest.approx(before, abs=1e-5)


# Features


def baseline() -> tuple[float, float]:
    """Mean and deviation of cosines between wordings of different claims, by hand."""
    wordings = [[t for texts in c.wordings().values() for t in texts] for c in CLAIMS]
    pairs = [(a, b) for one in wordings for other in wordings if one is not other for a in one for b in other]
    cosines = np.array([VECTORS[a] @ VECTORS[b] for a, b in pairs])
    return float(cosines.mean()), float(cosines.std())


def test_cosines_are_in_units_of_the_encoders_own_baseline(matcher: Matcher) -> None:
    mean, deviation = baseline()
    for j, known in enumerate(CLAIMS):
        wordings = [text for texts in known.wordings().values() for text in texts]
        best = max(float(NEAR @ VECTORS[text]) for text in wordings)
        assert value(matcher, about("x"), j, "cosine_sentence") == pytest.approx((best - mean) / deviation, rel=1e-3)


def test_a_shift_of_all_cosines_changes_nothing(matcher: Matcher) -> None:
    """Encoders differ in what "unrelated" scores; the units take that out, and so do the probes'."""
    shared = {text: np.append(0.6 * v, 0.8).astype(np.float32) for text, v in VECTORS.items()}
    plain = matcher.find([about("Dockers sing.")]).features
    shifted = about("Dockers sing.", vector=np.append(0.6 * NEAR, 0.8).astype(np.float32))
    found = Matcher(CLAIMS, shared, MODEL, BACKGROUND).find([shifted]).features
    probe = FEATURES.index("probe")
    assert found[..., 0] == pytest.approx(plain[..., 0], rel=1e-3, abs=1e-3)
    assert found[..., probe] == pytest.approx(plain[..., probe], abs=0.1)


def test_groups_in_the_sentence_and_in_its_context(matcher: Matcher) -> None:
    def shares(text: str, title: str) -> tuple[float, ...]:
        names = ("groups_sentence", "groups_context", "groups_topic", "core")
        return tuple(value(matcher, about(text, title), 0, name) for name in names)

    assert shares("Dockers strike.", "News") == (1, 1, 1, 1)
    assert shares("They walk out.", "Dockers in the north") == (0.5, 1, 1, 1)
    assert shares("Dockers sing.", "News") == (0.5, 0.5, 0.5, 1)
    assert shares("Fire among dockers.", "News") == (0.5, 0.5, 1, 1)  # another claim's groups are all there
    assert shares("They walk out.", "News") == (0.5, 0.5, 0.5, 0)
    assert shares("Nothing.", "News") == (0, 0, 0, 0)


def test_what_the_article_names_elsewhere_is_a_feature_of_its_own(matcher: Matcher) -> None:
    """The lead says who "the men" are: groups and subject are looked for in the whole article."""
    alone = about("They walk out.", "News")
    within = replace(alone, article="News\nDockers in the north.\nThey walk out.\nFire.")
    names = ("groups_sentence", "groups_context", "groups_article", "groups_topic", "core")
    assert tuple(value(matcher, alone, 0, name) for name in names) == (0.5, 0.5, 0.5, 0.5, 0)
    assert tuple(value(matcher, within, 0, name) for name in names) == (0.5, 0.5, 1, 1, 1)
    far = replace(alone, article="x" * ARTICLE + "\nDockers in the north.")
    assert value(matcher, far, 0, "groups_article") == 0


def test_a_compound_may_begin_in_the_title_and_end_in_the_text() -> None:
    met = claim("met", {"who": {"c": ("kim + putin",)}, "x": {"y": ("met",)}})
    matcher = Matcher([met], {"met statement": NEAR}, MODEL)
    assert value(matcher, about("They met Putin.", "Kim travels"), 0, "groups_context") == 1
    assert value(matcher, about("They met Putin.", "Kim travels"), 0, "groups_sentence") == 0.5


def test_the_title_moves_the_probe_in_its_context_alone(matcher: Matcher) -> None:
    bare, titled = (about("They are out.", title) for title in ("News", "Dockers strike"))
    assert value(matcher, titled, 0, "probe") == value(matcher, bare, 0, "probe")
    assert value(matcher, bare, 0, "probe_context") == pytest.approx(value(matcher, bare, 0, "probe"))
    assert value(matcher, titled, 0, "probe_context") > value(matcher, bare, 0, "probe_context")


def test_the_margin_is_to_the_best_other_claim(matcher: Matcher) -> None:
    probe = np.array([value(matcher, about("x"), j, "probe") for j in range(3)])
    margin = np.array([value(matcher, about("x"), j, "probe_margin") for j in range(3)])
    first, second = sorted(range(3), key=lambda j: -probe[j])[:2]
    assert first == 0
    assert margin[first] == pytest.approx(probe[first] - probe[second], abs=1e-5)
    for j in {0, 1, 2} - {first}:
        assert margin[j] == pytest.approx(probe[j] - probe[first], abs=1e-5)


def test_words_are_the_best_wordings_bm25(matcher: Matcher) -> None:
    wordings = [[t for texts in c.wordings().values() for t in texts] for c in CLAIMS]
    groups = [j for j, texts in enumerate(wordings) for _ in texts] + [len(CLAIMS)] * len(BACKGROUND)
    expected = FullText([*(t for texts in wordings for t in texts), *BACKGROUND], groups).rates(["They walked out"])[0]
    found = [value(matcher, about("They walked out"), j, "words") for j in range(3)]
    assert found == pytest.approx(expected[:3].tolist())
    assert found[0] > 0 == found[2]


# Finding


def test_only_pairs_that_may_matter_are_looked_at(matcher: Matcher) -> None:
    passages = [about("Nothing.", vector=FAR), about("Dockers strike."), about("A fire.", "Dockers")]
    found = matcher.find(passages)
    probabilities = matcher.probabilities(found)
    assert set(found.pairs) == {(int(i), int(j)) for i, j in np.argwhere(probabilities >= FIND)}
    assert {(1, 0), (2, 1)} <= set(found.pairs)
    assert not any(i == 0 for i, _ in found.pairs)


def test_a_claim_without_groups_is_judged_by_its_wordings(matcher: Matcher) -> None:
    (decision,) = (d for d in decide(matcher, about("It pours.", vector=VECTORS["wet"])) if d.claim == 2)
    assert decision.features["groups_context"] == decision.features["groups_sentence"] == 0
    assert decision.probability > MODEL.accepted.probability
    assert decision.why.startswith("the whole text: no term of its groups; ")
    far = matcher.probabilities(matcher.find([about("It pours.", vector=FAR)]))[0, 2]
    assert far < 0.3 < decision.probability


def test_nothing_found(matcher: Matcher) -> None:
    found = matcher.find([about("Nothing.", vector=FAR)])
    assert found.pairs == []
    assert found.sentences() == []
    assert matcher.decide(found, {}) == []
    assert matcher.probabilities(found).shape == (1, 3)
    assert matcher.stances(found, []) == []


def test_an_empty_batch(matcher: Matcher) -> None:
    found, decisions = run(matcher, [], lambda texts: pytest.fail(f"asked for {texts}"))
    assert decisions == []
    assert found.sentences() == []
    assert matcher.probabilities(found).shape == (0, 3)


# Deciding


def test_the_sentence_that_carries_it(matcher: Matcher) -> None:
    text = "The sun shone. Dockers are on strike. The fair opens."
    found = matcher.find([about(text, "Dockers", unit(1, 1, 1, 1))])
    assert found.sentences() == ["The sun shone.", "Dockers are on strike.", "The fair opens."]
    vectors = {
        "The sun shone.": unit(1, 0, 0.1, 0),  # nearest, but names nothing
        "Dockers are on strike.": unit(0.5, 0.5, 1, 0),
        "The fair opens.": unit(0, 0, 0, 1),
    }
    decision = next(d for d in matcher.decide(found, vectors) if d.claim == 0)
    assert decision.sentence == "Dockers are on strike."
    mean, deviation = baseline()
    nearest = float(vectors["The sun shone."] @ VECTORS["strike statement"])
    assert decision.features["cosine_sentence"] == pytest.approx((nearest - mean) / deviation, rel=1e-2)
    assert decision.features["groups_sentence"] == 1
    assert tuple(decision.features) == FEATURES
    row = np.array([list(decision.features.values())], np.float32)[None]
    assert decision.probability == pytest.approx(float(MODEL.probability(row, np.array([True]))[0, 0]), abs=1e-3)
    assert matcher.probabilities(found)[0, 0] == pytest.approx(decision.probability)


def test_each_claim_has_its_own_sentence(matcher: Matcher) -> None:
    passage = about("Dockers strike. Fire among dockers.")
    assert {d.claim: d.sentence for d in decide(matcher, passage) if d.claim < 2} == {
        0: "Dockers strike.",
        1: "Fire among dockers.",
    }


def test_groups_that_no_sentence_has_alone_are_not_one_sentences(matcher: Matcher) -> None:
    apart, together = about("Dockers sing. They walk out."), about("Dockers walk out. They sing.")
    split, whole = (next(d for d in decide(matcher, p) if d.claim == 0) for p in (apart, together))
    assert (split.features["groups_sentence"], split.features["groups_context"]) == (0.5, 1)
    assert (whole.features["groups_sentence"], whole.features["groups_context"]) == (1, 1)
    assert split.probability < whole.probability


def test_a_passage_of_one_sentence_needs_no_further_vector(matcher: Matcher) -> None:
    found = matcher.find([about("Dockers strike")])
    assert found.sentences() == []
    assert {d.sentence for d in matcher.decide(found, {})} == {"Dockers strike"}


def test_a_sentence_of_two_passages_is_encoded_once(matcher: Matcher) -> None:
    found = matcher.find([about("Dockers strike. It rains."), about("Dockers strike. It snows.")])
    assert found.sentences() == ["Dockers strike.", "It rains.", "It snows."]


def test_the_line_that_says_why(matcher: Matcher) -> None:
    passage = about("The sun shone. Dockers, they said, strike. The fair opens.")
    decision = next(d for d in decide(matcher, passage) if d.claim == 0)
    values = decision.features
    other = values["probe"] - values["probe_margin"]
    assert decision.why == (
        f"sentence 2 of 3: docker + strike; 100% of its groups in the article; "
        f"as its wordings {values['probe']:.2f}, the next claim {other:.2f}; "
        f"wording {values['cosine_sentence']:+.1f} sd; {decision.probability:.0%}"
    )
    # What nobody will see is not put into words.
    doubtful = next(d for d in decide(matcher, about("Dockers sing.", vector=FAR)) if d.claim == 1)
    assert doubtful.probability < MODEL.suggested.probability
    assert doubtful.why == ""


# Stances


@pytest.mark.parametrize(
    ("text", "vector", "stance"),
    [
        ("Dockers strike.", unit(1, 0, 0, 0), "supports"),
        ("Dockers strike.", VECTORS["all at work"], "refutes"),
        ("Dockers strike.", VECTORS["a thousand out"], "updates"),
        ("The port denies that dockers strike.", VECTORS["all at work"], "refutes"),
    ],
)
def test_stance_follows_the_wordings(matcher: Matcher, text: str, vector: np.ndarray, stance: str) -> None:
    model = replace(MODEL, stance=replace(MODEL.stance, bias=np.array([0.5, -0.5, -0.5], np.float32)))
    matcher.model = model
    assert next(d for d in decide(matcher, about(text, vector=vector)) if d.claim == 0).stance == stance


def test_words_of_denial_count_in_the_paragraph_and_in_the_title(matcher: Matcher) -> None:
    def features(text: str, title: str) -> list[float]:
        found = matcher.find([about(text, title)])
        return matcher.stance_features(found, [(0, 0)])[0, 4:6].tolist()

    assert features("Dockers strike.", "News") == [0, 0]
    assert features("He denies that dockers strike.", "News") == [1, 0]
    assert features("Dockers strike.", "Port denies it") == [0, 1]
    assert decide(matcher, about("He denies that dockers strike."))[0].stance == "refutes"


def test_without_wordings_of_a_stance_only_the_other_claims_speak(matcher: Matcher) -> None:
    found = matcher.find([about("A fire.", "Dockers", VECTORS["all at work"])])
    own_refutes, own_updates, *_ = matcher.stance_features(found, [(0, 1)])[0]
    assert (own_refutes, own_updates) == (0, 0)
    alone = Matcher([RAIN], VECTORS, MODEL)
    found = alone.find([about("x", vector=VECTORS["wet"])])
    assert not alone.stance_features(found, [(0, 0)]).any()
    assert alone.stances(found, [(0, 0)]) == ["supports"]


def test_a_claims_own_rates_of_stances_count(matcher: Matcher) -> None:
    found = matcher.find([about("Dockers strike.", vector=unit(1, 0, 0, 0))])
    assert matcher.stances(found, [(0, 0)]) == ["supports"]
    matcher.model = replace(MODEL, stance_rates={"strike": (0.0, 1.5)})
    assert matcher.stances(found, [(0, 0)]) == ["updates"]


# Company


def test_batching_changes_nothing(matcher: Matcher) -> None:
    random = np.random.default_rng(3)
    words = ["Dockers", "strike", "fire", "sing", "They", "walk out", "denies"]
    passages = []
    for _ in range(40):
        text = " ".join(random.choice(words, 4)) + ". " + " ".join(random.choice(words, 3)) + "."
        passages.append(about(text, " ".join(random.choice(words, 2)), unit(*random.normal(size=4))))
    parts = dict.fromkeys(part for p in passages for part in _parts(p.text))
    vectors = {part: unit(*np.random.default_rng(list(part.encode())).normal(size=4)) for part in parts}

    def lines(batch: list[Passage]) -> list[tuple[Any, ...]]:
        found = decide(matcher, *batch, **vectors)
        return [(batch[d.passage].text, d.claim, round(d.probability, 2), d.stance, d.sentence) for d in found]

    together = lines(passages)
    assert len(together) > 30
    assert {stance for *_, stance, _ in together} == set(STANCES)
    assert sorted(together) == sorted(line for passage in passages for line in lines([passage]))


def test_one_claim_alone_and_without_decoys() -> None:
    matcher = Matcher([FIRE], {"fire statement": unit(1, 1, 0, 1)}, MODEL)
    (decision,) = decide(matcher, about("A fire among dockers.", vector=unit(1, 1, 0, 1)))
    assert np.isfinite(list(decision.features.values())).all()
    assert decision.features["probe_margin"] == decision.features["probe"]
    assert decision.probability > 0.5


def test_claims_may_share_wordings_and_concepts() -> None:
    twin = replace(STRIKE, claim_id="twin")
    matcher = Matcher([STRIKE, twin], VECTORS, MODEL, BACKGROUND)
    found = decide(matcher, about("Dockers strike."))
    assert [d.claim for d in found] == [0, 1]
    assert found[0].probability == pytest.approx(found[1].probability, abs=1e-4)
    assert found[0].features["probe_margin"] == pytest.approx(0, abs=1e-3)


def test_a_thousand_claims_at_once() -> None:
    random = np.random.default_rng(1)
    claims, vectors = [], {}
    for n in range(1000):
        made = claim(f"c{n}", {"who": DOCKER, "did": {f"d{n}": (f"did{n}x",)}}, phrasings=(("en", f"p{n}"),))
        claims.append(made)
        centre = random.normal(size=6)
        for text in phrases([made]):
            vectors[text] = unit(*(centre + 0.1 * random.normal(size=6)))
    matcher = Matcher(claims, vectors, MODEL)
    found = decide(matcher, about("Dockers did712x.", vector=vectors["p712"]))
    assert max(found, key=lambda d: d.probability).claim == 712
    assert max(found, key=lambda d: d.features["cosine_sentence"]).claim == 712


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
    matcher, model = project_matcher(encoder), packaged_materials().model
    ids = [c.claim_id for c in matcher.claims]
    for claim_id, pairs in SENTENCES.items():
        lines = [line for pair in pairs for line in pair]
        passages = [Passage(t, t, v) for t, v in zip(lines, encoder.encode(lines), strict=True)]
        found, _ = run(matcher, passages, encoder.encode)
        probabilities = matcher.probabilities(found)[:, ids.index(claim_id)]
        evidence, decoys = probabilities[::2], probabilities[1::2]
        told = [f"{p:.2f} {line}" for p, line in zip(probabilities, lines, strict=True)]
        assert evidence.min() > decoys.max(), told
        assert (evidence >= model.suggested.probability).all(), told
        stances = matcher.stances(found, [(i, ids.index(claim_id)) for i in range(0, len(lines), 2)])
        assert set(stances) <= {"supports", "updates"}, list(zip(stances, lines[::2], strict=True))


@pytest.mark.model
def test_look_alikes_are_not_accepted(encoder: Encoder) -> None:
    matcher, tiers = project_matcher(encoder), Tiers(packaged_materials().model)
    ids = [c.claim_id for c in matcher.claims]
    for claim_id, pairs in SENTENCES.items():
        lines = [decoy for _, decoy in pairs]
        passages = [Passage(t, t, v) for t, v in zip(lines, encoder.encode(lines), strict=True)]
        for decision in run(matcher, passages, encoder.encode)[1]:
            if ids[decision.claim] == claim_id:
                text = lines[decision.passage]
                told = tiers.of(claim_id, decision.probability, text, subject=decision.subject)
                assert told != "accepted", (text, decision)
