"""`claimwatch calibrate` and `eval` on small labelled folders: what is learned, what is refused, what is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import BagOfWords, run_command

from pipeline.adapters.encoder import Encoder
from pipeline.errors import ConfigurationError
from pipeline.evaluation import calibrating, datasets, metrics, report, training
from pipeline.evaluation.pairs import measure
from pipeline.logic.decision import FEATURES, STANCES, DecisionModel
from pipeline.logic.matching import Example
from pipeline.settings import package_data
from pipeline.stages import materials

TINY = """\
topic: {id: t, name: Harbour}
concepts:
  dockers: {en: [docker*]}
  strike: {en: [strike*, walk out]}
  fire: {en: [fire*, burn*]}
  denial: {en: [denies]}
claims:
  - id: strike
    statement: Dockers are on strike.
    phrasings: {en: ["Dock workers have walked out.", "A strike of dockers goes on."]}
    refutations: {en: ["No docker is on strike.", "The port denies that dockers strike."]}
    updates: {en: ["The number of striking dockers rises to thousands."]}
    groups: {who: [dockers], did: [strike]}
  - id: fire
    statement: A fire burns in the harbour.
    phrasings: {en: ["Flames in the harbour.", "The harbour is burning."]}
    groups: {what: [fire]}
"""
EVIDENCE = {
    "strike": {
        "supports": "Dockers went on strike in port {n}.",
        "refutes": "The port {n} denies that dockers strike.",
        "updates": "The number of striking dockers rises to {n} thousands.",
    },
    "fire": {"supports": "A fire burns in harbour {n}."},
}
OTHER = (
    "Shares of company {n} fell.",
    "Dockers sing in choir {n}.",
    "The match of team {n} was won.",
    "Rain fell on {n}.",
)


def write(folder: Path, start: int, count: int, *, lies: bool = False) -> Path:
    """A labelled folder; with `lies` what is evidence is labelled as none, and the other way round."""
    folder.mkdir()
    items, labels = [], []
    for n in range(start, start + count):
        texts = [(t, {c: s}) for c, said in EVIDENCE.items() for s, t in said.items()] + [(t, {}) for t in OTHER]
        for k, (text, direct) in enumerate(texts):
            stamp = f"2024-{1 + n % 12:02}-{1 + k:02}T00:00:00+00:00"
            given = ({} if direct else {"strike": "supports"}) if lies else direct
            items.append(
                {"id": f"{n}-{k}", "title": text.format(n=n), "published": stamp, "lang": "en" if k % 2 else "fr"}
            )
            labels.append({"id": f"{n}-{k}", "direct": given, "related": []})
    for name, lines in (("items", items), ("labels", labels)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines), encoding="utf-8")
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLAIMWATCH_HOME", str(tmp_path / "home"))
    for attribute in ("weights_hash", "dimensions"):
        monkeypatch.setattr(Encoder, attribute, getattr(BagOfWords, attribute))
    monkeypatch.setattr(Encoder, "encode", lambda _self, texts: BagOfWords().encode(texts))
    # A practice of a few texts, and hardly any ordinary news.
    lines = package_data("practice.jsonl").read_text(encoding="utf-8").splitlines()[:8]
    (tmp_path / "practice.jsonl").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(calibrating, "package_data", lambda name: tmp_path / name)
    monkeypatch.setattr(materials, "background", lambda: tuple(t.format(n=0) for t in OTHER))
    monkeypatch.setattr(materials, "practice", lambda: (Example("They walk out of the docks.", frozenset({"strike"})),))
    materials.of_model.cache_clear()
    (tmp_path / "claims.yaml").write_text(TINY, encoding="utf-8")
    yield tmp_path
    materials.of_model.cache_clear()


@pytest.fixture
def calibrate(place: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(*arguments: object) -> int:
        return run_command(monkeypatch, "calibrate", *arguments, "--claims", place / "claims.yaml")

    return run


def test_a_model_is_learned_taken_and_the_former_kept(
    place: Path, calibrate: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learned, held = write(place / "learned", 0, 12), write(place / "held", 20, 6)
    made = place / "home" / "matcher.json"
    assert calibrate(learned, "--held", held, "--version", "one") == 0
    assert "the model before: none" in told(capsys)
    stored = json.loads(made.read_text(encoding="utf-8"))
    model = DecisionModel.load(made)
    assert (stored["version"], stored["trained_on"]) == ("one", ["learned/all", "practice"])
    assert model.suggested.probability <= model.accepted.probability <= model.strict.probability
    assert stored["points"]["accepted"]["precision"] >= training.ACCEPTED_PRECISION
    assert set(model.stance_rates) == {"strike", "fire"}
    assert model.stance_rates["strike"][0] > model.stance_rates["fire"][0], "it was refuted oftener"

    # The next one is taken as well, and the first is kept under its name.
    assert calibrate(learned, "--held", held, "--version", "two") == 0
    assert DecisionModel.load(made).version == "two"
    assert DecisionModel.load(made.with_name("matcher-one.json")).version == "one"

    # A worse one is refused: nothing changes, and the exit code says it.
    lies = write(place / "lies", 0, 12, lies=True)
    before = made.read_bytes()
    assert calibrate(lies, "--held", held, "--version", "three") == 1
    error = told(capsys)
    assert "worse on the held sets and was not taken" in error
    assert made.read_bytes() == before
    assert sorted(file.name for file in made.parent.glob("matcher*")) == ["matcher-one.json", "matcher.json"]

    # Unless it is wanted.
    assert calibrate(lies, "--held", held, "--version", "four", "--force") == 0
    assert DecisionModel.load(made).version == "four"
    assert DecisionModel.load(made.with_name("matcher-two.json")).version == "two"


@pytest.mark.parametrize(
    ("sets", "reason"),
    [
        (["learned", "--held", "learned"], "is learned from; it can't decide on the model as well"),
        (["learned:all:much", "--held", "held"], "the weight 'much' is no number"),
        (["nothing", "--held", "held"], "holds no labelled set"),
    ],
)
def test_what_can_not_be_learned_from(
    sets: list[str], reason: str, place: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place / "learned", 0, 2)
    write(place / "held", 2, 2)
    assert calibrate(*(s if s.startswith("--") else place / s for s in sets)) == 2
    assert reason in told(capsys)
    assert not (place / "home" / "matcher.json").exists()


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join("".join(capsys.readouterr()).split())


def pairs_of(place: Path, folder: Path) -> Any:
    matcher = materials.of_model(package_data("matcher.json")).matcher(
        materials.claims_of(place / "claims.yaml"), BagOfWords().encode
    )
    return measure(datasets.load(folder, "all"), matcher, BagOfWords())  # type: ignore[arg-type]


def test_folds_are_blocks_of_time_and_keep_articles_together(place: Path) -> None:
    pairs = pairs_of(place, write(place / "set", 0, 10))
    blocks = training.folds(pairs)
    published = np.array([item.published for item in pairs.data.items])
    assert set(blocks) == set(range(training.FOLDS))
    for earlier, later in zip(range(4), range(1, 5), strict=True):
        assert max(published[blocks == earlier]) <= min(published[blocks == later])


def test_out_of_fold_says_what_evidence_is(place: Path) -> None:
    pairs = pairs_of(place, write(place / "set", 0, 12))
    (logits,) = training.out_of_fold([training.Labels(pairs, 1.0)])
    assert logits.shape == pairs.labels.shape
    assert metrics.average_precision(logits.ravel(), pairs.labels.ravel()) > 0.95
    only_words = training.fit([training.Labels(pairs, 1.0)], ["words"])
    stored = only_words.stored()
    assert np.flatnonzero(stored["weights"]).tolist() == [FEATURES.index("words")]


def test_points() -> None:
    probability = np.array([0.9, 0.8, 0.7, 0.6, 0.5], np.float32)
    truth = np.array([True, True, False, True, False])
    one = np.zeros(5, np.intp)
    assert training.point(probability, truth, one, 1.0) == {"probability": 0.8, "precision": 1.0, "labels": 2}
    assert training.point(probability, truth, one, 0.75) == {"probability": 0.6, "precision": 0.75, "labels": 4}
    assert training.point(probability, ~truth, one, 0.9)["probability"] == pytest.approx(0.9)
    low = np.array([0.9, 0.8, 0.01], np.float32)  # the last could come in at a precision of two thirds
    of_low = training.point(low, np.array([True, True, False]), one[:3], 0.6)
    assert of_low["probability"] == training.SUGGESTED
    assert training.at(probability, truth, one, 0.95) == {"probability": 0.95, "precision": 0.0, "labels": 0}


def test_a_point_holds_in_the_worst_set_that_has_labels_enough() -> None:
    """A clean set doesn't speak for a hard one; a handful of labels has no say."""
    probability = np.linspace(0.99, 0.5, 60, dtype=np.float32)
    clean, hard, few = np.ones(60, bool), np.arange(60) < 45, np.zeros(3, bool)
    both = np.concatenate([probability, probability, probability[:3]])
    truth = np.concatenate([clean, hard, few])
    source = np.repeat([0, 1, 2], [60, 60, 3])
    found = training.point(both, truth, source, 0.9)
    assert found["probability"] == pytest.approx(float(probability[49]), abs=1e-4)  # 45 of 50 are right
    assert (found["precision"], found["labels"]) == (0.9, 50)
    assert training.point(both[:60], truth[:60], source[:60], 0.9)["probability"] == pytest.approx(0.5)


def test_a_claim_has_a_point_of_its_own_where_it_asks_for_more() -> None:
    accepted = {"probability": 0.6, "precision": 0.8, "labels": 100}
    assert training.harder({**accepted, "probability": 0.7}, accepted)
    assert not training.harder({**accepted, "probability": 0.5}, accepted)


def test_stance_rates_are_drawn_to_the_usual() -> None:
    usual = np.array([0] * 80 + [1] * 10 + [2] * 10, np.int8)
    assert training.stance_rates(np.array([], np.int8), usual) == pytest.approx([0, 0])
    few, many = (training.stance_rates(np.ones(n, np.int8), usual)[0] for n in (1, 20))
    assert 0 < few < many < np.log(10)


def test_labels_without_evidence_teach_nothing(place: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    learned = write(place / "learned", 0, 3)
    file = learned / "labels.jsonl"
    lines = [{**json.loads(line), "direct": {}} for line in file.read_text(encoding="utf-8").splitlines()]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert calibrate(learned, "--held", write(place / "held", 5, 2)) == 2
    assert "need both texts that are evidence and texts that are none" in told(capsys)


# What eval tells


def test_the_report(place: Path) -> None:
    pairs = pairs_of(place, write(place / "set", 0, 6))
    lines = report.ranking(pairs)
    assert [line[0] for line in lines] == ["strike", "fire", "in en", "in fr", report.POOLED]
    assert [line[1] for line in lines] == [18, 6, 12, 12, 24]
    points = report.operating_points(pairs)
    assert [line[0] for line in points] == ["strict", "accepted", "suggested"]
    probability, truth = pairs.probabilities(), pairs.labels == 1
    for _, lowest, count, precision, recall in points:
        taken = probability >= lowest
        assert count == taken.sum()
        assert precision == pytest.approx((taken & truth).sum() / max(count, 1))
        assert recall == pytest.approx((taken & truth).sum() / truth.sum())
    gap, count = report.calibration(pairs)
    assert count == (probability >= 0.1).sum()
    assert 0 <= gap <= 1
    stances, quality = report.stances(pairs)
    assert [line[:2] for line in stances] == [["supports", 12], ["refutes", 6], ["updates", 6]]
    assert quality["majority"] == pytest.approx(0.5)
    assert quality["accuracy"] == pytest.approx(sum(line[2] for line in stances) / 24)


def test_errors_are_the_worst_of_each_kind(place: Path) -> None:
    pairs = pairs_of(place, write(place / "set", 0, 4))
    lines = [dict(zip(report.ERRORS, line, strict=True)) for line in report.errors(pairs, 3)]
    assert [line["error"] for line in lines] == ["false alarm"] * 3 + ["miss"] * 3
    alarms, misses = (
        [line["probability"] for line in lines if line["error"] == kind] for kind in ("false alarm", "miss")
    )
    probability = pairs.probabilities()
    assert alarms == sorted(alarms, reverse=True)
    assert misses == sorted(misses)
    assert alarms[0] == pytest.approx(probability[pairs.labels == 0].max())
    assert misses[0] == pytest.approx(probability[pairs.labels == 1].min())
    assert all(name in lines[0]["features"] for name in FEATURES)
    assert report.errors(pairs, 0) == []


def test_what_is_left_out_counts_neither_way(place: Path) -> None:
    folder = write(place / "set", 0, 3)
    file = folder / "labels.jsonl"
    file.write_text(
        file.read_text(encoding="utf-8").replace('"related": []', '"related": ["fire"]', 1), encoding="utf-8"
    )
    pairs = pairs_of(place, folder)
    assert (pairs.labels == -1).sum() == 1
    assert (~pairs.used).sum() == 1


def test_stance_quality_by_hand() -> None:
    truth, said = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0])
    lines, quality = report.stance_quality(truth, said)
    assert [line[:3] for line in lines] == [["supports", 3, 2], ["refutes", 2, 1], ["updates", 0, 0]]
    assert quality["accuracy"] == pytest.approx(0.6)
    assert quality["majority"] == pytest.approx(0.6)
    assert quality["macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2), "a stance without labels is no zero"
    none = np.array([], np.int64)
    assert report.stance_quality(none, none)[1] == {"accuracy": 0.0, "macro_f1": 0.0, "majority": 0.0}


def test_calibration_error_by_hand() -> None:
    probability = np.array([0.05, 0.2, 0.2, 0.9, 0.9], np.float32)
    labels = np.array([1, 0, 1, 1, 1], np.int8)
    assert metrics.calibration_error(probability, labels, bins=2) == (pytest.approx((0.3 + 0.1) / 2), 4)
    assert metrics.calibration_error(probability[:1], labels[:1]) == (0.0, 0)


# Sets


def test_a_file_of_articles(tmp_path: Path) -> None:
    article = {
        "id": "a",
        "lang": "en",
        "published": "2024-05-01T00:00:00+00:00",
        "title": "T",
        "paragraphs": ["x", "y"],
    }
    label = {"paragraph": 1, "claim": "fire", "stance": STANCES[1]}
    later = {**article, "id": "b", "published": "2025-05-01T00:00:00+00:00", "labels": []}
    copy = {**article, "id": "c", "syndicated_from": "a", "labels": [label]}
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(json.dumps(a) for a in ({**article, "labels": [label]}, later, copy)), encoding="utf-8")
    data = datasets.load(file, "all")
    assert (data.name, [item.id for item in data.items]) == ("mine", ["a#0", "a#1", "b#0", "b#1"])
    assert data.direct == {"a#1": {"fire": "refutes"}}
    assert all(item.title_is_context for item in data.items)
    assert [item.id for item in datasets.load(file, "dev").items] == ["a#0", "a#1"]
    with pytest.raises(ConfigurationError, match="holds no labelled set"):
        datasets.load(tmp_path / "no.jsonl", "all")
