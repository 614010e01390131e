"""The claims file: the project's own, and every kind of mistake with its place and reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import CLAIMS

from pipeline.errors import ConfigurationError
from pipeline.logic import claimsfile
from pipeline.logic.claimsfile import Claim, Topic
from pipeline.logic.terms import normalise

LANGUAGES = {"en", "ko", "ru", "uk", "ja", "zh", "fr"}

GOOD = """\
topic:
  id: harbour
  name: The harbour strike
  decoys:
    en: ["The harbour holds its summer fair."]
concepts:
  dockers:
    en: [docker*, dock worker*]
    fr: [dockers]
  strike:
    en: [strike*, walk out]
  denial:
    en: [denies]
claims:
  - id: dockers-strike
    statement: Dockers are on strike.
    phrasings:
      en: ["Dock workers have walked out."]
      fr: ["Les dockers font grève."]
    refutations:
      en: ["The dockers are all at work."]
    updates:
      en: ["More than a thousand dockers are out."]
    decoys:
      en: ["A lightning strike hits the dock."]
    groups:
      who: [dockers]
      did: [strike]
  - id: strike-ends
    statement: The strike is over.
    phrasings: {en: ["Work resumes in the harbour."]}
    groups: {did: [strike]}
"""


@pytest.fixture(scope="module")
def topic() -> Topic:
    return claimsfile.parse(CLAIMS.read_text(encoding="utf-8"), "claims/nk-russia.yaml")


def test_the_projects_file(topic: Topic) -> None:
    assert topic.topic_id == "nk-russia"
    assert len(topic.claims) == 17
    for claim in topic.claims:
        for key in ("phrasings", "refutations", "updates"):
            assert {language for language, _ in getattr(claim, key)} == LANGUAGES, (claim.claim_id, key)
        texts = [text for said in claim.wordings().values() for text in said]
        texts += [text for _, text in (*claim.decoys, *claim.topic_decoys)]
        assert len({_plain(text) for text in texts}) == len(texts), claim.claim_id
        assert {language for language, _ in claim.topic_decoys} == LANGUAGES
        assert len(claim.groups) >= 2, claim.claim_id
        assert set(claim.cues) == set(claimsfile.CUES)


def _plain(text: str) -> str:
    return " ".join(normalise(text).split()).rstrip(".。")


def test_no_wording_of_a_claim_is_a_decoy_of_the_topic(topic: Topic) -> None:
    decoys = {_plain(text) for claim in topic.claims for _, text in claim.topic_decoys}
    for claim in topic.claims:
        for texts in claim.wordings().values():
            assert not decoys & {_plain(text) for text in texts}, claim.claim_id


def test_wordings_by_stance() -> None:
    first, last = claimsfile.parse(GOOD, "f").claims
    assert first.wordings() == {
        "supports": ["Dockers are on strike.", "Dock workers have walked out.", "Les dockers font grève."],
        "refutes": ["The dockers are all at work."],
        "updates": ["More than a thousand dockers are out."],
    }
    assert last.wordings() == {
        "supports": ["The strike is over.", "Work resumes in the harbour."],
        "refutes": [],
        "updates": [],
    }


def test_a_claim_may_do_without_groups() -> None:
    topic = claimsfile.parse(GOOD.replace("    groups: {did: [strike]}\n", ""), "f")
    assert topic.claims[1].groups == {}
    stored = json.loads(json.dumps(topic.claims[1].definition()))
    assert Claim.from_definition("strike-ends", "The strike is over.", stored) == topic.claims[1]


def test_a_definition_stored_before_there_were_stances(topic: Topic) -> None:
    claim = topic.claims[0]
    stored = {k: v for k, v in claim.definition().items() if k not in ("refutations", "updates")}
    former = Claim.from_definition(claim.claim_id, claim.statement, json.loads(json.dumps(stored)))
    assert (former.refutations, former.updates) == ((), ())
    assert former.phrasings == claim.phrasings
    assert former.definition_hash() != claim.definition_hash()


def test_the_projects_claims_are_those_asked_for(topic: Topic, shared: Path) -> None:
    asked = json.loads((shared / "claims" / "claims.json").read_text(encoding="utf-8"))
    assert [(claim.claim_id, claim.statement) for claim in topic.claims] == [(c["id"], c["s"]) for c in asked]


def test_a_definition_survives_storage(topic: Topic) -> None:
    for claim in topic.claims:
        stored = json.loads(json.dumps(claim.definition()))
        again = Claim.from_definition(claim.claim_id, claim.statement, stored)
        assert again == replace(claim, title=None)  # no part of what is matched
        assert again.definition_hash() == claim.definition_hash()


def test_every_edit_that_matters_changes_the_hash(topic: Topic) -> None:
    def hashes(content: str) -> list[bytes]:
        return [claim.definition_hash() for claim in claimsfile.parse(content, "f").claims]

    before = hashes(GOOD)
    assert hashes(GOOD.replace("[docker*, dock", "[docker*, longshore*, dock"))[0] != before[0]
    assert hashes(GOOD.replace("[docker*, dock", "[docker*, longshore*, dock"))[1] == before[1]
    assert hashes(GOOD.replace("Dockers are", "The dockers are"))[1] == before[1]
    assert hashes(GOOD.replace("summer fair", "winter fair"))[0] != before[0]
    assert hashes(GOOD.replace("all at work", "at work"))[0] != before[0]
    assert hashes(GOOD.replace("a thousand", "two thousand"))[0] != before[0]
    assert (
        hashes(
            GOOD.replace("    refutations:", "    updates:", 1).replace(
                '    updates:\n      en: ["More', '    refutations:\n      en: ["More'
            )
        )[0]
        != before[0]
    )
    assert hashes("# a comment\n" + GOOD.replace("The harbour strike", "Another name")) == before


def test_the_good_file() -> None:
    topic = claimsfile.parse(GOOD, "f")
    first = topic.claims[0]
    assert first.groups == {
        "who": {"dockers": ("docker*", "dock worker*", "dockers")},
        "did": {"strike": ("strike*", "walk out")},
    }
    assert first.phrasings == (("en", "Dock workers have walked out."), ("fr", "Les dockers font grève."))
    assert first.cues == {"denial": ("denies",)}
    assert topic.claims[1].decoys == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("topic:\n", "topic: [\n", 3, "not valid YAML"),
        ("  id: harbour", "\tid: harbour", 2, "not valid YAML"),
        ("  name: The harbour strike", "  name: \x00", 3, "not valid YAML"),
        ("claims:", "---\nclaims:", 14, "not valid YAML"),
        ("  name:", "  nmae:", 3, "topic has no key 'nmae'; known are id, name, decoys"),
        ("  name: The harbour strike\n", "", 2, "topic lacks 'name'"),
        ("    statement: Dockers are on strike.\n", "", 15, "a claim lacks 'statement'"),
        ("concepts:\n", "concept:\n", 1, "the file lacks 'concepts'"),
        ("did: [strike]\n  -", "did: [strikes]\n  -", 28, "no concept is called 'strikes'"),
        ("id: strike-ends", "id: dockers-strike", 29, "the claim 'dockers-strike' stands here twice"),
        ("id: strike-ends", "id: Strike ends", 29, "must be small letters, digits and single hyphens"),
        ("[strike*, walk out]", "[strike*, walk out, strike*]", 11, "the term 'strike*' stands here twice"),
        ("[strike*, walk out]", "[strike*, '...']", 11, "has no word in it"),
        ("[strike*, walk out]", "[strike*, '파업*']", 11, "needs no star"),
        ("[strike*, walk out]", "[strike*, '']", 11, "must be a text and not be empty"),
        ("[strike*, walk out]", "[strike*, [walk]]", 11, "must be a text and not be empty"),
        ("[strike*, walk out]", "strike*", 11, "concepts.strike.en must be a list"),
        ("    en: [strike*, walk out]", "    en: []", 7, "concepts.strike has no term"),
        ("    en: [strike*, walk out]", "    - strike*", 11, "concepts.strike must be a mapping"),
        ("  denial:", "  strike:", 12, "the key 'strike' stands here twice"),
        ("statement: Dockers are on strike.", 'statement: "  "', 16, "must be a text and not be empty"),
        ("statement: Dockers are on strike.", "statement: {en: x}", 16, "must be a text and not be empty"),
        ("      fr: [", "      french: [", 19, "'french' is not a two-letter language code"),
        ("      fr: [", "      EN: [", 19, "'EN' is not a two-letter language code"),
        ("phrasings: {en: [", "phrasings: {en: []}\n    decoys: {en: [", 31, "strike-ends has no phrasing"),
        ("groups: {did: [strike]}", "groups: {}", 32, "strike-ends has no group"),
        ("groups: {did: [strike]}", "groups: {did: []}", 32, "strike-ends.groups.did names no concept"),
        ("groups: {did: [strike]}", "groups: [strike]", 32, "strike-ends.groups must be a mapping"),
        ("groups: {did: [strike]}", "groups: {[did]: [strike]}", 32, "a key must be a text"),
        ("groups: {did: [strike]}", "groups: {did: [strike]}\n    note: x", 33, "a claim has no key 'note'"),
        ("    refutations:", "    refutation:", 20, "a claim has no key 'refutation'; known are"),
        ('en: ["The dockers are all at work."]', "[x]", 21, "dockers-strike.refutations must be a mapping"),
        ('["The dockers are all at work."]', "The dockers", 21, "dockers-strike.refutations.en must be a list"),
        ('["More than a thousand dockers are out."]', '[""]', 23, "must be a text and not be empty"),
    ],
)
def test_a_mistake_has_its_place_and_reason(old: str, new: str, line: int, reason: str) -> None:
    content = GOOD.replace(old, new, 1)
    assert content != GOOD
    with pytest.raises(ConfigurationError) as raised:
        claimsfile.parse(content, "my.yaml")
    lines = str(raised.value).splitlines()
    assert any(told.startswith(f"my.yaml:{line}: ") and reason in told for told in lines), lines
    assert all(told.startswith("my.yaml:") for told in lines), lines


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "[]", "just text", "claims: []", "a: &a [*a]", "? {a: b}\n: c\n"]
)
def test_a_file_that_is_no_claims_file(content: str) -> None:
    with pytest.raises(ConfigurationError, match=r"my\.yaml:1: "):
        claimsfile.parse(content, "my.yaml")


def test_all_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    content = (
        GOOD.replace("  name:", "  nmae:").replace("[docker*", "['', docker*").replace("did: [strike]", "did: [no]")
    )
    with pytest.raises(ConfigurationError) as raised:
        claimsfile.parse(content, "f")
    places = [int(line.split(":")[1]) for line in str(raised.value).splitlines()]
    assert places == sorted(places)
    assert {2, 3, 8, 28, 32} <= set(places)
