"""The figures read in labelled paragraphs, beside their labels: the newsroom's and the project's own practice.

A figure is right where role, low and high are those of a label of its paragraph. Modality and attribution are measured
on those that are right. What is marked as an earlier figure is no answer: labels are of current ones.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from pipeline.logic.figure_records import Figure, LeftOut, Reading
from pipeline.logic.figures import Figures
from pipeline.logic.mentions import Finder
from pipeline.logic.speakers import Publisher

NONE = "none"
ANY = "any"
_UNATTRIBUTED = re.compile(r"\(unattributed\)")
_FIGURE = re.compile(r"(\S+) (\d+)(?:-(\d+))? (\S+) (\S+)((?: \S+)*)")
_PRACTICE_DAY = date(2024, 12, 20)

Key = tuple[str, float, float]


@dataclass(frozen=True)
class Label:
    """`authorities` are the ids of which one must be named, or `every` one; () where nobody is cited."""

    role: str
    low: float
    high: float
    modality: str
    authority: str
    authorities: frozenset[str]
    as_of: date | None = None
    denied: bool = False
    every: bool = False

    def key(self) -> Key:
        return self.role, self.low, self.high


@dataclass(frozen=True)
class Answer:
    """A paragraph: its labels and what was read."""

    place: str
    language: str
    labels: tuple[Label, ...]
    given: tuple[Figure, ...]
    left_out: tuple[LeftOut, ...]

    def matched(self) -> list[tuple[Label, Figure]]:
        free = list(self.given)
        pairs = []
        for label in self.labels:
            fitting = [f for f in free if _fits(label, f)]
            if fitting:
                best = max(fitting, key=lambda f: (f.modality == label.modality, _named(label, f)))
                free.remove(best)
                pairs.append((label, best))
        return pairs


@dataclass(frozen=True)
class Measured:
    """Shares of 1. The baselines give every figure the most frequent modality and authority of dev."""

    paragraphs: int
    labels: int
    precision: float
    recall: float
    f1: float
    modality: float
    modality_baseline: float
    attribution: float
    attribution_baseline: float
    as_of: float
    modality_exact: float
    attribution_exact: float


def newsroom(reader: Figures, finder: Finder, data: Path, split: str) -> list[Answer]:
    """Answers for the paragraphs of `dev` (published before 2025) or `test`; copies and later versions are left out."""
    outlets: dict[str, Any] = {o["slug"]: o for o in json.loads((data / "outlets.json").read_text(encoding="utf-8"))}
    answers = []
    for line in (data / "articles.jsonl").read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        copy = article.get("syndicated_from") or article.get("edited_from")
        if copy or (article["published"] < "2025") != (split == "dev"):
            continue
        answers += _article(reader, finder, article, outlets[article["outlet"]])
    return answers


def own_articles(reader: Figures, finder: Finder, file: Path, half: str) -> list[Answer]:
    """Answers for the project's own articles (tests/data/figure_articles.jsonl): `practice` or `kept back`."""
    articles = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    chosen = [article for article in articles if article["half"] == half]
    return [answer for article in chosen for answer in _article(reader, finder, article, article["outlet"])]


def _article(reader: Figures, finder: Finder, article: dict[str, Any], outlet: dict[str, Any]) -> list[Answer]:
    readings = reader.article(
        article["title"],
        article["paragraphs"],
        published=datetime.fromisoformat(article["published"]),
        language=article["lang"],
        publisher=Publisher(outlet["name"], outlet["country"], outlet["kind"]),
    )
    answers = []
    for number, reading in enumerate(readings):
        labels = tuple(_label(finder, raw) for raw in article["figures"] if raw["paragraph"] == number)
        answers.append(_answer(f"{article['id']}#{number}", article["lang"], labels, reading))
    return answers


def practice(reader: Figures, file: Path) -> list[Answer]:
    """Answers for the project's own paragraphs (tests/data/figures.yaml explains the form)."""
    answers = []
    for language, listed in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        for number, (text, *told) in enumerate(listed):
            title, _, paragraph = text.rpartition(" || ")
            reading = reader.article(title, [paragraph], published=_PRACTICE_DAY, language=language)[0]
            labels = tuple(label for figure in told if (label := _practice_label(figure)))
            answers.append(_answer(f"{language}-{number + 1}", language, labels, reading))
    return answers


def _answer(place: str, language: str, labels: tuple[Label, ...], reading: Reading) -> Answer:
    current = tuple(figure for figure in reading.figures if not figure.earlier)
    return Answer(place, language, labels, current, reading.left_out)


def _label(finder: Finder, raw: dict[str, Any]) -> Label:
    name = raw["attributed_to"]
    ids = {o.origin_id for o in finder.origins.values() if o.name == name}
    if not ids and not _UNATTRIBUTED.search(name):
        ids = {mention.origin_id for mention in finder.find(name).mentions}
    as_of = date.fromisoformat(raw["as_of"]) if raw.get("as_of") else None
    return Label(raw["role"], raw["low"], raw["high"], raw["modality"], name, frozenset(ids), as_of)


def _practice_label(told: str) -> Label | None:
    match = _FIGURE.fullmatch(told)
    if match is None:
        raise ValueError(f"not a figure: {told!r}")
    role, low, high, modality, authority, flags = match.groups()
    if "earlier" in flags:
        return None
    ids = frozenset() if authority == NONE else frozenset(authority.split("+"))
    as_of = re.search(r"=(\S+)", flags)
    day = date.fromisoformat(as_of.group(1)) if as_of else None
    return Label(role, float(low), float(high or low), modality, authority, ids, day, "denied" in flags, len(ids) > 1)


def _fits(label: Label, figure: Figure) -> bool:
    return (label.role in (ANY, figure.role)) and (label.low, label.high) == (figure.low, figure.high)


def _named(label: Label, figure: Figure) -> bool:
    if label.authority == ANY:
        return True
    if label.every:
        return label.authorities == set(figure.attributed_to)
    return bool(label.authorities & set(figure.attributed_to)) if label.authorities else not figure.attributed_to


def measure(
    answers: Sequence[Answer], role: str | None = None, modality: str = "about", authority: str = "nis"
) -> Measured:
    """`role` looks at one role alone. `modality` and `authority` are the most frequent of dev."""
    pairs = [pair for answer in answers for pair in answer.matched() if role in (None, pair[0].role)]
    labels = [label for answer in answers for label in answer.labels if role in (None, label.role)]
    given = [figure for answer in answers for figure in answer.given if role in (None, figure.role)]
    precision, recall = len(pairs) / max(1, len(given)), len(pairs) / max(1, len(labels))
    modalities = [(label.modality, figure.modality) for label, figure in pairs if label.modality != ANY]
    told = [(label, figure) for label, figure in pairs if label.authority != ANY]
    names = [(_class(label), _class(label) if _named(label, f) else _first(f)) for label, f in told]
    days = [(label.as_of, figure.as_of) for label, figure in pairs if label.as_of]
    return Measured(
        len(answers),
        len(labels),
        precision,
        recall,
        2 * precision * recall / max(1e-9, precision + recall),
        macro_f1(modalities),
        macro_f1([(expected, modality) for expected, _ in modalities]),
        macro_f1(names),
        macro_f1([(expected, authority) for expected, _ in names]),
        _share(days),
        _share(modalities),
        _share(names),
    )


def _class(label: Label) -> str:
    """An authority's class: names that mean the same origins are one."""
    return "+".join(sorted(label.authorities)) or NONE


def _first(figure: Figure) -> str:
    return figure.attributed_to[0] if figure.attributed_to else NONE


def _share(pairs: Sequence[tuple[object, object]]) -> float:
    return sum(1 for a, b in pairs if a == b) / max(1, len(pairs))


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Mean F1 of the classes that the labels have, of (expected, given). A wrong answer of no class counts against."""
    classes = sorted({expected for expected, _ in pairs})
    found = []
    for one in classes:
        right = sum(expected == given == one for expected, given in pairs)
        found.append(2 * right / (sum(e == one for e, _ in pairs) + sum(g == one for _, g in pairs)))
    return sum(found) / max(1, len(found))


def by_language(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    return _grouped(answers, lambda answer: answer.language)


def by_role(answers: Sequence[Answer]) -> list[str]:
    counted = Counter(label.role for answer in answers for label in answer.labels if label.role != ANY)
    return [role for role, _ in counted.most_common()]


def _grouped(answers: Iterable[Answer], key: Callable[[Answer], str]) -> dict[str, list[Answer]]:
    groups: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[key(answer)].append(answer)
    return dict(sorted(groups.items(), key=lambda item: -len(item[1])))


@dataclass(frozen=True)
class Wrong:
    place: str
    kind: str  # missed, extra, role, modality, attribution, denied, as-of
    expected: str
    given: str


def wrong(answers: Sequence[Answer]) -> list[Wrong]:
    """Every error. A missed figure beside an extra one of the same numbers is one error of role."""
    found = []
    for answer in answers:
        pairs = answer.matched()
        missed = [label for label in answer.labels if all(label is not known for known, _ in pairs)]
        extra = [figure for figure in answer.given if all(figure is not known for _, known in pairs)]
        for label in missed:
            twin = next((f for f in extra if (f.low, f.high) == (label.low, label.high)), None)
            if twin is not None:
                extra.remove(twin)
                found.append(Wrong(answer.place, "role", _shown(label), twin.role))
            else:
                reasons = [f"{o.span!r}: {o.reason}" for o in answer.left_out]
                found.append(Wrong(answer.place, "missed", _shown(label), "; ".join(reasons)))
        for figure in extra:
            given = f"{figure.role} {figure.low:g}-{figure.high:g}: {figure.span!r}"
            found.append(Wrong(answer.place, "extra", "", given))
        for label, figure in pairs:
            if label.modality not in (ANY, figure.modality):
                found.append(Wrong(answer.place, "modality", _shown(label), figure.modality))
            if not _named(label, figure):
                found.append(Wrong(answer.place, "attribution", _shown(label), ", ".join(figure.attributed_to) or NONE))
            if label.as_of and label.as_of != figure.as_of:
                found.append(Wrong(answer.place, "as-of", f"{_shown(label)} {label.as_of}", str(figure.as_of)))
            if label.denied and not figure.denied:
                found.append(Wrong(answer.place, "denied", _shown(label), "not denied"))
    return found


def _shown(label: Label) -> str:
    return f"{label.role} {label.low:g}-{label.high:g} {label.modality} by {label.authority}"
