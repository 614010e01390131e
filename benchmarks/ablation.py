"""Prints what each part of the matcher is worth: features, materials, a claim's own labels, encoders.

    python benchmarks/ablation.py [--data FOLDER] [--only features,materials,claims,encoders] [--encoders NAME ...]

Every variant is fitted anew on the packaged model's training sets (evaluate.TRAINED and the practice articles) and
measured twice: out of fold over blocks of time on those sets, and on stream/validation by a model of all of them.
A cell is average precision / recall at 90 % precision over all pairs. No split called test is read.

features   each feature left out, each alone, and groups of them. A fit's first round picks passages by the probe in
           every variant.
materials  the matcher without ordinary news, practice articles, context (title and article), decoys, or other languages
claims     each claim without any label of its own: in the fit, and among the examples of its probe. Which pairs had
           their sentences looked at is left as it was.
encoders   --encoders takes names, or NAME=FILE with a file of vectors (as CachedEncoder keeps them); default the
           settings' encoder with the home's vectors.sqlite. Two or more are measured together as well, their vectors
           side by side. `--without stream/train` spares most of the encoding.

The last line is one JSON object. Texts without a vector are encoded first.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from evaluate import DATA, TRAINED

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.evaluation import calibrating, datasets, metrics, training
from pipeline.evaluation.datasets import Labelled
from pipeline.evaluation.pairs import Pairs, measure
from pipeline.evaluation.score import Encodes
from pipeline.logging import configure
from pipeline.logic.claimsfile import Claim
from pipeline.logic.decision import FEATURES
from pipeline.logic.matching import Example, Found, Matcher, Passage
from pipeline.settings import load, package_data, root
from pipeline.stages import materials
from pipeline.stages.materials import Materials

HELD = ("stream", "validation")
PARTS = ("features", "materials", "claims", "encoders")
GROUPS = {
    "vectors": ("cosine_sentence",),
    "words": ("words",),
    "concepts": ("groups_context", "groups_article", "groups_sentence", "groups_topic", "core"),
    "probes": ("probe", "probe_context", "probe_margin"),
}
LEAST = 5  # positives of a claim whose average precision is worth a line
Table = dict[str, dict[str, tuple[float, float]]]


class Untitled(Matcher):
    """Takes every text for a whole one, without a title above it or an article around it."""

    def find(self, passages: Sequence[Passage]) -> Found:
        return super().find([replace(p, title=p.text, article=p.text) for p in passages])


class Together:
    """Several encoders' vectors side by side, divided so that they have length 1 again."""

    def __init__(self, encoders: Sequence[Encodes]) -> None:
        self._encoders = encoders

    def encode(self, texts: list[str]) -> Any:
        return np.hstack([e.encode(texts) for e in self._encoders]) / np.sqrt(len(self._encoders))


@dataclass
class Measured:
    """All training sets, the practice articles' folds after the others, and the held set."""

    sets: list[training.Labels]
    held: Pairs

    @cached_property
    def names(self) -> list[str]:
        real = [f"{s.pairs.data.name}/{s.pairs.data.split}" for s in self.sets if s.real]
        return [*real, "practice", "/".join(HELD)]


def quality(scores: list[np.ndarray], labels: list[np.ndarray]) -> tuple[float, float]:
    """(average precision, recall at 90 % precision) over the used pairs of all."""
    s = np.concatenate([z[y >= 0] for z, y in zip(scores, labels, strict=True)])
    q = metrics.quality(s, np.concatenate([y[y >= 0] for y in labels]))
    return round(q.average_precision, 3), round(q.recall_at_90, 3)


class Bench:
    def __init__(self, data: Path, made_of: Materials, claims: Sequence[Claim], without: Sequence[str] = ()) -> None:
        sets = [given for given in TRAINED if f"{given[0]}/{given[1]}" not in without]
        self.trained = [(datasets.load(data / folder, split), weight) for folder, split, weight in sets]
        self.held = datasets.load(data / HELD[0], HELD[1])
        self.made_of, self.claims = made_of, claims

    def measure(
        self,
        encoder: Encodes,
        made_of: Materials | None = None,
        claims: Sequence[Claim] | None = None,
        kind: type[Matcher] = Matcher,
    ) -> Measured:
        made_of, claims = made_of or self.made_of, claims or self.claims
        matcher = build(made_of, claims, encoder, kind)
        sets = [training.Labels(measure(d, matcher, encoder), weight) for d, weight in self.trained]
        for part, others in practice_folds(made_of.examples):
            pairs = measure(part, build(replace(made_of, examples=others), claims, encoder, kind), encoder)
            sets.append(training.Labels(pairs, calibrating.PRACTICE_WEIGHT, real=False))
        return Measured(sets, measure(self.held, matcher, encoder))


def build(made_of: Materials, claims: Sequence[Claim], encoder: Encodes, kind: type[Matcher] = Matcher) -> Matcher:
    texts = made_of.texts(claims)
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    return kind(claims, vectors, made_of.model, made_of.background, made_of.examples)


def practice_folds(examples: Sequence[Example]) -> Iterator[tuple[Labelled, tuple[Example, ...]]]:
    """The practice articles in the folds of `claimwatch calibrate`, each with the examples of the other folds."""
    data = datasets.load(package_data("practice.jsonl"), "all")
    articles = list(dict.fromkeys(str(item.id).split("#")[0] for item in data.items))
    fold = {article: number % calibrating.PRACTICE_FOLDS for number, article in enumerate(articles)}
    for number in range(calibrating.PRACTICE_FOLDS):
        items = [item for item in data.items if fold[str(item.id).split("#")[0]] == number]
        texts = {item.text for item in items}
        yield replace(data, items=items), tuple(e for e in examples if e.text not in texts)


def row(measured: Measured, names: Sequence[str] = FEATURES, learn_practice: bool = True) -> dict[str, Any]:
    """Quality of one variant, by set."""
    found = scored(measured, names, learn_practice)
    return {name: quality(*values) for name, values in found.items()}


def scored(measured: Measured, names: Sequence[str] = FEATURES, learn_practice: bool = True) -> dict[str, Any]:
    """{set: (logits of its parts, labels of its parts)}, out of fold; the held set's by a model of all."""
    learned = [s for s in measured.sets if s.real or learn_practice]
    real = [s for s in measured.sets if s.real]
    practice = [s for s in measured.sets if not s.real]
    logits = training.out_of_fold(learned, names)
    fitted = training.fit(learned, names)
    found = {
        name: ([z], [s.pairs.labels]) for name, z, s in zip(measured.names, logits[: len(real)], real, strict=False)
    }
    rest = logits[len(real) :] or [s.pairs.best(fitted.logit(s.pairs.features))[0] for s in practice]
    found["practice"] = rest, [s.pairs.labels for s in practice]
    held = measured.held
    found["/".join(HELD)] = [held.best(fitted.logit(held.features))[0]], [held.labels]
    return found


def features(measured: Measured) -> Table:
    lines = {"all": row(measured)}
    for name in FEATURES:
        lines[f"without {name}"] = row(measured, [f for f in FEATURES if f != name])
    for group, names in GROUPS.items():
        if len(names) > 1:
            lines[f"without {group}"] = row(measured, [f for f in FEATURES if f not in names])
    for name in FEATURES:
        lines[f"{name} alone"] = row(measured, [name])
    for group, names in GROUPS.items():
        if len(names) > 1:
            lines[f"{group} alone"] = row(measured, names)
    return lines


def without_materials(bench: Bench, encoder: Encodes) -> Iterator[tuple[str, dict[str, Any]]]:
    made_of, claims = bench.made_of, bench.claims
    yield "without ordinary news", row(bench.measure(encoder, replace(made_of, background=())))
    yield "without practice articles", row(bench.measure(encoder, replace(made_of, examples=())), learn_practice=False)
    yield "without title and article", row(bench.measure(encoder, kind=Untitled))
    bare = [replace(c, decoys=(), topic_decoys=()) for c in claims]
    yield "without decoys", row(bench.measure(encoder, claims=bare))
    yield "English wordings only", row(bench.measure(encoder, claims=[english(c) for c in claims]))


def english(claim: Claim) -> Claim:
    """Concepts keep their terms in all languages; decoys go as wordings do, else a language would mark them."""
    kept = {
        name: tuple(pair for pair in getattr(claim, name) if pair[0] == "en")
        for name in ("phrasings", "refutations", "updates", "decoys", "topic_decoys")
    }
    return replace(claim, **kept)


class Reprobed:
    """A set's pairs whose probes are made anew from other examples; all else stays as it was measured."""

    def __init__(self, labelled: training.Labels, examples: Sequence[Example], made_of: Materials, encoder: Encodes):
        self._labelled, self._examples, self._made_of = labelled, examples, made_of
        found = labelled.pairs.found
        self._matcher = labelled.pairs.matcher
        texts = replace(made_of, examples=tuple(examples)).texts(self._matcher.claims)
        self._vectors = dict(zip(texts, encoder.encode(texts), strict=True))
        table, space = self._matcher.table, self._matcher._space
        titled = [p.text if p.title == p.text else f"{p.title}\n{p.text}" for p in found.passages]
        own = np.stack([p.vector for p in found.passages]).astype(np.float32)
        self._context = space.join(own, table.hits(titled))
        parts = found.sentences()
        self._row = {part: k for k, part in enumerate(parts)}
        self._parts = space.join(encoder.encode(parts), table.hits(parts)) if parts else None

    def without(self, claim: str) -> training.Labels:
        """Features from probes that have no example's word on the claim, and no label of it to learn from."""
        unlabelled = [replace(e, claims=e.claims - {claim}, unknown=e.unknown | {claim}) for e in self._examples]
        matcher = copy(self._matcher)
        matcher._build(self._vectors, self._made_of.background, unlabelled)
        pairs = self._labelled.pairs
        values = pairs.features.copy()
        probe = matcher._probes.values(pairs.found.texts)
        margin = margins(probe)
        if self._parts is not None:
            best = margins(matcher._probes.values(self._parts))
            for i, j in pairs.found.pairs:
                if len(pairs.found.spans[i]) > 1:
                    margin[i, j] = best[[self._row[part] for part in pairs.found.spans[i]], j].max()
        for name, new in (
            ("probe", probe),
            ("probe_context", matcher._probes.values(self._context)),
            ("probe_margin", margin),
        ):
            values[..., FEATURES.index(name)] = new
        labels = pairs.labels.copy()
        labels[:, [c.claim_id for c in matcher.claims].index(claim)] = -1
        new = replace(pairs, matcher=matcher, found=replace(pairs.found, features=values), labels=labels)
        return replace(self._labelled, pairs=new)


def margins(values: np.ndarray) -> np.ndarray:
    """Each value less the best other claim's, as matching has it."""
    order = np.sort(values, axis=1)
    best, second = order[:, -1:], order[:, -2:-1]
    return np.asarray(values - np.where(values == best, second, best))


def left_out(bench: Bench, measured: Measured, encoder: Encodes) -> dict[str, dict[str, Any]]:
    """{claim: its average precision with its labels and without}, over the real sets and over the practice articles."""
    folds = [others for _, others in practice_folds(bench.made_of.examples)]
    examples = [bench.made_of.examples] * len(bench.trained) + folds
    made = [Reprobed(s, e, bench.made_of, encoder) for s, e in zip(measured.sets, examples, strict=True)]
    usual = training.out_of_fold(measured.sets)
    count = len(bench.trained)
    lines = {}
    for j, claim in enumerate(bench.claims):
        labels = [s.pairs.labels[:, j] for s in measured.sets]
        positives = [int(sum((y == 1).sum() for y in part)) for part in (labels[:count], labels[count:])]
        if max(positives) < LEAST:
            continue
        alone = training.out_of_fold([m.without(claim.claim_id) for m in made])
        line: dict[str, Any] = {}
        parts = (("sets", np.s_[:count]), ("practice", np.s_[count:]))
        for (name, part), many in zip(parts, positives, strict=True):
            if many >= LEAST:
                with_labels, without = (
                    quality([z[:, j] for z in found[part]], labels[part])[0] for found in (usual, alone)
                )
                kept = round(without / max(with_labels, 1e-6), 3)
                line[name] = {"positives": many, "with": with_labels, "without": without, "kept": kept}
        lines[claim.claim_id] = line
        print(f"{claim.claim_id:<22}", line, flush=True)
    return lines


def summed_up(lines: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Mean and worst share that is kept."""
    found = {}
    for name in ("sets", "practice"):
        kept = {claim: line[name]["kept"] for claim, line in lines.items() if name in line}
        if kept:
            worst = min(kept, key=lambda c: kept[c])
            mean = round(float(np.mean(list(kept.values()))), 3)
            found[name] = {"claims": len(kept), "mean_kept": mean, "worst": worst, "worst_kept": kept[worst]}
    return found


def languages(measured: Measured) -> dict[str, dict[str, tuple[int, float]]]:
    """{"all sets" or the held set: {language: (positives, average precision)}}; practice is not among them."""
    found = scored(measured)
    real = [s.pairs for s in measured.sets if s.real]
    groups = {
        "training sets": (real, [found[name][0][0] for name in measured.names[: len(real)]]),
        "/".join(HELD): ([measured.held], found["/".join(HELD)][0]),
    }
    table = {}
    for group, (pairs, logits) in groups.items():
        spoken = [np.array([item.lang or "?" for item in p.data.items]) for p in pairs]
        table[group] = {}
        for language in sorted({str(name) for names in spoken for name in names}):
            rows = [names == language for names in spoken]
            labels = [p.labels[r] for p, r in zip(pairs, rows, strict=True)]
            positives = int(sum((y == 1).sum() for y in labels))
            if positives:
                own = [z[r] for z, r in zip(logits, rows, strict=True)]
                table[group][language] = positives, quality(own, labels)[0]
    return table


def show(title: str, lines: Table, names: Sequence[str]) -> None:
    print(f"\n{title:<28}", *(f"{name:>18}" for name in names))
    for variant, sets in lines.items():
        print(f"{variant:<28}", *(f"{sets[name][0]:>11.3f} / {sets[name][1]:.2f}" for name in names), flush=True)


def encoders_of(given: Sequence[str], home: Path) -> dict[str, Encodes]:
    settings = load().embed
    found: dict[str, Encodes] = {}
    for name, _, file in (one.partition("=") for one in given or [settings.model]):
        encoder = Encoder(settings.model_copy(update={"model": name}))
        found[name] = CachedEncoder(encoder, Path(file) if file else home / "vectors.sqlite")
    if len(found) > 1:
        found[" + ".join(found)] = Together(list(found.values()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with newsroom/, stream/ and reports/")
    parser.add_argument("--claims", type=Path, default=root() / "claims" / "nk-russia.yaml")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them")
    parser.add_argument("--encoders", nargs="*", default=[], metavar="NAME[=FILE]")
    parser.add_argument("--without", nargs="*", default=[], metavar="SET", help="training sets to do without")
    arguments = parser.parse_args()
    wanted = arguments.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    configure("console", quiet=True)
    settings = load()
    encoder = CachedEncoder(Encoder(settings.embed), settings.home / "vectors.sqlite")
    # The packaged model finds the pairs whose sentences are looked at; it is fitted anew in every variant.
    made_of = materials.of_model(package_data("matcher.json"))
    bench = Bench(arguments.data, made_of, materials.claims_of(arguments.claims), arguments.without)
    begun, result = time.perf_counter(), {"benchmark": "ablation", "model": settings.embed.model}
    whole = bench.measure(encoder) if {"features", "materials", "claims"} & set(wanted) else None
    if whole and "features" in wanted:
        result["features"] = lines = features(whole)
        show("features", lines, whole.names)
    if whole and "materials" in wanted:
        result["materials"] = lines = {"everything": row(whole), **dict(without_materials(bench, encoder))}
        show("materials", lines, whole.names)
    if whole and "claims" in wanted:
        print("\nclaims without labels of their own")
        lines_of = left_out(bench, whole, encoder)
        result["claims"] = {**summed_up(lines_of), "by_claim": lines_of}
        print(summed_up(lines_of))
    if "encoders" in wanted:
        compared: Table = {}
        spoken = {}
        for name, one in encoders_of(arguments.encoders, settings.home).items():
            measured = bench.measure(one)
            compared[name], spoken[name] = row(measured), languages(measured)
        show("encoders", compared, measured.names)
        for name, groups in spoken.items():
            for group, values in groups.items():
                print(f"{name}, {group}:", "  ".join(f"{k} {ap:.2f} ({n})" for k, (n, ap) in values.items()))
        result["encoders"] = {name: {"sets": compared[name], "languages": spoken[name]} for name in compared}
    result["seconds"] = round(time.perf_counter() - begun, 1)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
