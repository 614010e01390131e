"""What a Matcher is made of besides the claims: the decision model, ordinary news and labelled practice texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import ConfigurationError
from pipeline.logic import claimsfile
from pipeline.logic.claimsfile import Claim
from pipeline.logic.decision import DecisionModel
from pipeline.logic.matching import Example, Matcher, phrases
from pipeline.settings import Settings, package_data


@dataclass(frozen=True)
class Materials:
    model: DecisionModel
    background: tuple[str, ...]
    examples: tuple[Example, ...]

    def texts(self, claims: Sequence[Claim]) -> list[str]:
        """Every text whose vector `matcher` needs, each once."""
        return phrases(claims, self.background, self.examples)

    def matcher(self, claims: Sequence[Claim], encode: Callable[[list[str]], Any]) -> Matcher:
        texts = self.texts(claims)
        vectors = dict(zip(texts, encode(texts), strict=True))
        return Matcher(claims, vectors, self.model, self.background, self.examples)


def load(settings: Settings) -> Materials:
    """The decision model of the settings: `match.matcher`, else what `claimwatch calibrate` made, else the packaged."""
    made = settings.home / "matcher.json"
    path = settings.match.matcher or (made if made.exists() else package_data("matcher.json"))
    return of_model(path)


def claims_of(path: Path) -> tuple[Claim, ...]:
    """The claims in a claims file. Raises ConfigurationError."""
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"the claims file {path} can't be read: {error}") from error
    return claimsfile.parse(content, str(path)).claims


@cache
def of_model(path: Path) -> Materials:
    """Raises ConfigurationError where the file is not a decision model of this version."""
    try:
        model = DecisionModel.load(path)
    except OSError as error:
        raise ConfigurationError(f"the decision model {path} can't be read: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path} is no decision model: {error}") from error
    return Materials(model, background(), practice())


@cache
def background() -> tuple[str, ...]:
    """Ordinary news in the sources' languages: what a probe takes for no evidence."""
    stored = yaml.safe_load(package_data("background.yaml").read_text(encoding="utf-8"))
    return tuple(text for texts in stored["texts"].values() for text in texts)


@cache
def practice() -> tuple[Example, ...]:
    """The paragraphs of the practice articles with their labels."""
    found = {}
    for line in package_data("practice.jsonl").read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        for number, text in enumerate(article["paragraphs"]):
            claims = frozenset(label["claim"] for label in article["labels"] if label["paragraph"] == number)
            found[text] = Example(text, claims)
    return tuple(found.values())
