"""The concepts that texts name, for many claims at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_claims import CLAIMS, DOCKER, FIRE, RAIN, STRIKE, claim

from pipeline.logic.concepts import ConceptTable

TEXTS = ["Dockers strike.", "They walk out.", "A fire, he denies.", "Nothing.", "", "DOCKERS' STRIKES, FIRES"]


@pytest.fixture
def table() -> ConceptTable:
    return ConceptTable(CLAIMS)


def test_hits_and_shares(table: ConceptTable) -> None:
    assert sorted(table.names) == ["denial", "docker", "fire", "strike"]
    hits = table.hits(TEXTS)
    named = [{table.names[c] for c in np.flatnonzero(row)} for row in hits]
    assert named == [{"docker", "strike"}, {"strike"}, {"fire", "denial"}, set(), set(), {"docker", "strike", "fire"}]
    assert table.shares(hits).tolist() == [[1, 0.5, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0], [0, 0, 0], [1, 1, 0]]


def test_alternatives_of_a_group_count_once() -> None:
    either = claim("either", {"who": {**DOCKER, "crane": ("crane*",)}, "did": {"strike": ("strike*",)}})
    table = ConceptTable([either])
    found = table.shares(table.hits(["Docker and crane", "crane", "crane strike", "docker crane strike"]))
    assert found[:, 0].tolist() == [0.5, 0.5, 1, 1]


def test_a_concept_may_serve_two_groups_of_a_claim() -> None:
    twice = claim("twice", {"a": DOCKER, "b": {**DOCKER, "fire": ("fire*",)}})
    table = ConceptTable([twice])
    hits = table.hits(["docker", "fire"])
    assert table.shares(hits)[:, 0].tolist() == [1, 0.5]
    assert table.group_names(twice, hits[0]) == ["docker"]


def test_the_core_is_what_most_claims_name(table: ConceptTable) -> None:
    assert table.core is not None
    assert table.names[table.core] == "docker"
    assert table.names_core(table.hits(TEXTS)).tolist() == [1, 0, 0, 0, 0, 1]


def test_which_claims_have_groups(table: ConceptTable) -> None:
    assert table.grouped.tolist() == [True, True, False]
    none = ConceptTable([replace(RAIN, cues={})])
    assert none.size == 0
    assert none.core is None
    hits = none.hits(TEXTS)
    assert hits.shape == (len(TEXTS), 0)
    assert not none.shares(hits).any()
    assert not none.names_core(hits).any()
    assert not none.cue(0, "denial", hits).any()


def test_cues_are_each_claims_own(table: ConceptTable) -> None:
    assert table.cue(0, "denial", table.hits(TEXTS)).tolist() == [0, 0, 1, 0, 0, 0]
    assert not table.cue(0, "no such cue", table.hits(TEXTS)).any()


def test_concepts_of_one_name_may_differ_between_topics() -> None:
    other = claim("other", {"who": {"docker": ("sailor*",)}}, cues={"denial": ("denies", "rejects")})
    table = ConceptTable([STRIKE, other])
    found = table.shares(table.hits(["dockers", "sailors"]))
    assert found.tolist() == [[0.5, 0], [0, 1]]
    assert table.cue(0, "denial", table.hits(["rejects"])) == [0]
    assert table.cue(1, "denial", table.hits(["rejects"])) == [1]


def test_names_come_in_the_order_of_the_groups(table: ConceptTable) -> None:
    hits = table.hits(["Fire: a strike of dockers"])[0]
    assert table.group_names(STRIKE, hits) == ["docker", "strike"]
    assert table.group_names(FIRE, hits) == ["docker", "fire"]
    assert table.group_names(RAIN, hits) == []


def test_a_text_that_comes_twice_is_read_once(table: ConceptTable, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = table._lexicon.concepts_in
    monkeypatch.setattr(table._lexicon, "concepts_in", lambda text: read.append(text) or real(text))
    hits = table.hits(["dockers", "fire", "dockers"])
    assert read == ["dockers", "fire"]
    assert (hits[0] == hits[2]).all()
