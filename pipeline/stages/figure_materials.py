"""What figures are read with: the lexicons of numerals and of words around them, and the origins."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

import yaml

from pipeline.errors import ConfigurationError
from pipeline.logic import numeralsfile
from pipeline.logic.claimsfile import Claim
from pipeline.logic.figure_words import Words
from pipeline.logic.figures import Figures
from pipeline.logic.mentions import Finder
from pipeline.logic.numerals import Grammar
from pipeline.logic.roles import Roles
from pipeline.settings import Settings, package_data
from pipeline.stages.origins import lexicon


def reader_of(claims: Iterable[Claim], settings: Settings) -> Figures | None:
    """A reader of the figures that these claims have, of one topic; None where none has any."""
    roles = next((claim.roles for claim in claims if claim.roles), None)
    return reader(roles, lexicon(settings).finder) if roles else None


@lru_cache(maxsize=4)
def reader(roles: Roles, finder: Finder) -> Figures:
    """A reader of a topic's figures; the same as long as roles and lexicon are the same."""
    return Figures(roles, finder, grammar(), words())


@cache
def grammar() -> Grammar:
    file = package_data("numerals.yaml")
    return Grammar(numeralsfile.parse(file.read_text(encoding="utf-8"), str(file)))


@cache
def words() -> Words:
    file = package_data("figure_words.yaml")
    try:
        return Words.of(yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ConfigurationError(f"{file}: {error}") from error
