"""The origins found in the newsroom's articles, beside its labels: one main origin an article, or none."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.logic.mentions import Finder
from pipeline.logic.origins import find
from pipeline.logic.speakers import Publisher

NONE = "none"


@dataclass(frozen=True)
class Answer:
    """`expected` and `given` are names, NONE for no origin; `cited` are all that the article's paragraphs have."""

    article: str
    language: str
    expected: str
    given: str
    cited: frozenset[str]


@dataclass(frozen=True)
class Measured:
    """Shares of 1. `baseline` is `exact` of the most frequent origin given for every article."""

    articles: int
    precision: float
    recall: float
    f1: float
    exact: float
    cited: float
    baseline: float


def load(finder: Finder, data: Path, split: str) -> list[Answer]:
    """Answers for the articles in the folder `data`, those of `dev` (before 2025) or `test`.

    Copies and later versions are articles of their own.
    """
    outlets: dict[str, Any] = {o["slug"]: o for o in json.loads((data / "outlets.json").read_text(encoding="utf-8"))}
    answers = []
    for line in (data / "articles.jsonl").read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        if (article["published"] < "2025") != (split == "dev"):
            continue
        outlet = outlets[article["outlet"]]
        publisher = Publisher(outlet["name"], outlet["country"], outlet["kind"])
        found = find(finder, article["title"], article["paragraphs"], publisher=publisher)
        given = finder.origins[found.main.origin_id].name if found.main else NONE
        cited = frozenset(finder.origins[a.origin_id].name for a in found.all())
        answers.append(Answer(article["id"], article["lang"], article["origin"], given, cited))
    return answers


def by_language(answers: list[Answer]) -> dict[str, list[Answer]]:
    languages = Counter(a.language for a in answers)
    return {language: [a for a in answers if a.language == language] for language, _ in languages.most_common()}


def measure(answers: list[Answer], baseline: str = "NIS") -> Measured:
    """Precision and recall of the main origin. `baseline` is the most frequent one of dev."""
    given = [a for a in answers if a.given != NONE]
    expected = [a for a in answers if a.expected != NONE]
    right = sum(a.given == a.expected for a in given)
    precision, recall = right / max(1, len(given)), right / max(1, len(expected))
    return Measured(
        len(answers),
        precision,
        recall,
        2 * precision * recall / max(1e-9, precision + recall),
        sum(a.given == a.expected for a in answers) / max(1, len(answers)),
        sum(a.expected in a.cited for a in expected) / max(1, len(expected)),
        sum(a.expected == baseline for a in answers) / max(1, len(answers)),
    )
