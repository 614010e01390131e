"""Retrains the decision model from labelled folders, and takes it only where it is not worse on held ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.errors import ConfigurationError
from pipeline.evaluation import datasets, training
from pipeline.evaluation.metrics import average_precision
from pipeline.evaluation.pairs import Pairs, measure
from pipeline.logic.claimsfile import Claim
from pipeline.logic.decision import DecisionModel
from pipeline.settings import Settings, package_data
from pipeline.stages import materials
from pipeline.stages.materials import Materials

# Few, since their texts were made for it and are not what feeds are like: with more, articles' paragraphs are ordered
# better and the stream's validation split worse.
PRACTICE_WEIGHT = 0.1
PRACTICE_FOLDS = 4
MARGIN = 0.005  # of average precision: less is within what a different rounding does


@dataclass(frozen=True)
class Calibrated:
    version: str
    lines: list[list[Any]]  # held set, average precision before, after
    taken: bool
    path: Path
    kept: Path | None  # where the model before lies now


def calibrate(
    settings: Settings,
    claims: Path,
    sets: Sequence[str],
    held: Sequence[str],
    out: Path,
    version: str | None = None,
    *,
    force: bool = False,
) -> Calibrated:
    """`sets` are FOLDER[:SPLIT[:WEIGHT]], `held` FOLDER[:SPLIT]; a set that is learned from can't be held."""
    learned, kept_back = [_place(text) for text in sets], [_place(text) for text in held]
    seen = {(folder.resolve(), split) for folder, split, _ in learned}
    for folder, split, _ in kept_back:
        if (folder.resolve(), split) in seen:
            raise ConfigurationError(f"{folder}, split {split} is learned from; it can't decide on the model as well")
    encoder = CachedEncoder(Encoder(settings.embed), settings.home / "vectors.sqlite")
    before = materials.load(settings)
    followed = materials.claims_of(claims)
    matcher = before.matcher(followed, encoder.encode)

    def run(folder: Path, split: str) -> Pairs:
        return measure(datasets.load(folder, split), matcher, encoder)

    labels = [training.Labels(run(folder, split), weight) for folder, split, weight in learned]
    labels += [training.Labels(pairs, PRACTICE_WEIGHT, real=False) for pairs in practice(before, followed, encoder)]
    name = version or datetime.now(UTC).strftime("%Y-%m-%dT%H%M")
    stored = training.train(labels, name, [*(f"{folder.name}/{split}" for folder, split, _ in learned), "practice"])
    after = DecisionModel.read(stored, name)
    lines: list[list[Any]] = []
    for folder, split, _ in kept_back:
        pairs = run(folder, split)
        old = _precision(pairs)
        matcher.model = after
        lines.append([f"{folder.name}/{split}", old, _precision(replace(pairs, matcher=matcher))])
        matcher.model = before.model
    taken = force or all(new >= old - MARGIN for _, old, new in lines)
    kept = _write(out, stored) if taken else None
    return Calibrated(name, lines, taken, out, kept)


def practice(made_of: Materials, claims: Sequence[Claim], encoder: CachedEncoder) -> Iterator[Pairs]:
    """The practice articles in folds, each by a matcher that has not had its articles as examples."""
    data = datasets.load(package_data("practice.jsonl"), "all")
    articles = list(dict.fromkeys(str(item.id).split("#")[0] for item in data.items))
    fold = {article: number % PRACTICE_FOLDS for number, article in enumerate(articles)}
    for number in range(PRACTICE_FOLDS):
        items = [item for item in data.items if fold[str(item.id).split("#")[0]] == number]
        texts = {item.text for item in items}
        others = tuple(example for example in made_of.examples if example.text not in texts)
        matcher = replace(made_of, examples=others).matcher(claims, encoder.encode)
        yield measure(replace(data, items=items), matcher, encoder)


def _precision(pairs: Pairs) -> float:
    used = pairs.used
    return average_precision(pairs.probabilities()[used], pairs.labels[used])


def _place(text: str) -> tuple[Path, str, float]:
    """FOLDER[:SPLIT[:WEIGHT]]; the split is `all` and the weight 1 where they are not given."""
    folder, _, rest = text.partition(":")
    split, _, weight = rest.partition(":")
    try:
        return Path(folder), split or "all", float(weight or 1)
    except ValueError as error:
        raise ConfigurationError(f"{text}: the weight {weight!r} is no number; FOLDER[:SPLIT[:WEIGHT]]") from error


def _write(out: Path, stored: dict[str, Any]) -> Path | None:
    """Writes the model; one that is there already is kept under its version's name."""
    kept = None
    if out.exists():
        former = json.loads(out.read_text(encoding="utf-8")).get("version", "unknown")
        kept = out.with_name(f"{out.stem}-{former}{out.suffix}")
        out.replace(kept)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    return kept
