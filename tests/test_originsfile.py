"""The lexicon of origins: the project's own, and every kind of mistake with its place and reason."""

from __future__ import annotations

import pytest
from conftest import ROOT

from pipeline.errors import ConfigurationError
from pipeline.logic import originsfile
from pipeline.logic.mentions import Finder
from pipeline.logic.originsfile import OriginsFile

LANGUAGES = {"en", "ko", "ru", "uk", "ja", "zh", "fr"}

GOOD = """\
countries:
  XA:
    name: Alphan
    home: [xa]
    words: {en: [alphan, alpha]}
    states: {en: [alpha]}
  XB:
    name: Betan
    words: {en: [betan]}
roles:
  navy:
    name: navy
    kind: military
    beside: {en: [navy, fleet]}
    alone: {xa: [marinha]}
  officials: {name: officials, kind: government, beside: {en: [official]}}
origins:
  - id: alphan-fleet
    name: Fleet
    kind: military
    country: XA
    role: [navy]
    names: {en: [grand fleet]}
    home: {en: [admiralty]}
  - id: herald
    name: Herald
    kind: media
    names: {en: [herald]}
cues:
  said: {en: [said]}
  shows: {en: [shows]}
  before: {en: [according to]}
  after: {}
  headline: {}
  never: {en: [about]}
  never_state: {en: [in]}
"""


@pytest.fixture(scope="module")
def projects() -> OriginsFile:
    return originsfile.parse((ROOT / "claims" / "origins.yaml").read_text(encoding="utf-8"), "claims/origins.yaml")


def test_the_projects_file(projects: OriginsFile) -> None:
    named = {origin.name for origin in projects.origins.values() if not origin.made}
    wanted = {
        "NIS",
        "GUR",
        "SBU",
        "Ukrainian SOF",
        "President of Ukraine",
        "Pentagon",
        "White House",
        "Kremlin",
        "KCNA",
    }
    wanted |= {"US State Department", "Russian MoD", "Russian MFA", "ROK JCS", "ROK MND", "ROK unification ministry"}
    wanted |= {"ROK presidential office", "UN", "NATO", "Chinese MFA", "EU", "Reuters", "Yonhap", "TASS", "Daily NK"}
    wanted |= {"analysis", "own reporting", "captured soldiers", "captured documents", "sources inside North Korea"}
    assert wanted <= named
    for cue in ("said", "headline"):
        assert projects.cues[cue].keys() <= LANGUAGES
    assert projects.cues["said"].keys() == LANGUAGES
    for language in LANGUAGES:
        assert projects.cues["before"].get(language) or projects.cues["after"].get(language), language
    for origin_id in ("nis", "gur", "kremlin", "pentagon", "kcna", "un"):
        assert projects.origins[origin_id].names.keys() == LANGUAGES, origin_id


def test_the_good_file() -> None:
    file = originsfile.parse(GOOD, "f")
    assert set(file.origins) == {"alphan-fleet", "herald", "navy-xb", "officials-xa", "officials-xb"}
    made = file.origins["navy-xb"]
    assert (made.name, made.kind, made.country, made.made) == ("Betan navy", "military", "XB", True)
    assert file.of_role()["XA", "navy"] == "alphan-fleet"
    assert file.of_role()["XB", "navy"] == "navy-xb"
    assert file.homes() == {"xa": "XA"}


@pytest.mark.parametrize(
    ("sentence", "country", "expected"),
    [
        ("The Betan navy said so.", None, ["navy-xb"]),
        ("The fleet of Alpha said so.", None, ["alphan-fleet"]),
        ("The Alphan grand fleet said so.", None, ["alphan-fleet"]),
        ("The Admiralty said so.", "XA", ["alphan-fleet"]),
        ("The Admiralty said so.", "XB", []),
        ("A marinha said so.", None, ["alphan-fleet"]),
        ("A marinha said so.", "XB", ["navy-xb"]),
        ("A marinha said so.", "XX", []),
        ("A navy said so.", None, []),
        ("Alpha said so.", None, ["officials-xa"]),
    ],
)
def test_who_is_named(sentence: str, country: str | None, expected: list[str]) -> None:
    finder = Finder(originsfile.parse(GOOD, "f"))
    assert [m.origin_id for m in finder.find(sentence, country).mentions] == expected


def test_capitals_match_capitals_only() -> None:
    finder = Finder(originsfile.parse(GOOD.replace("[herald]", "[HER]"), "f"))
    assert [m.origin_id for m in finder.find("As HER wrote, her book sold.").mentions] == ["herald"]
    assert finder.find("As her book sold.").mentions == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("countries:\n", "countries: [\n", 3, "not valid YAML"),
        ("  XB:", "  Beta:", 8, "'Beta' is not a two-letter country code in capitals"),
        ("    words: {en: [betan]}\n", "", 8, "countries.XB lacks 'words'"),
        ("    name: Betan", "    nmae: Betan", 8, "countries.XB has no key 'nmae'"),
        ("    home: [xa]", "    home: [xalpha]", 4, "'xalpha' is not a two-letter language code"),
        ("    name: Betan\n", "    name: Betan\n    home: [xa]\n", 2, "'xa' is home to more than one country"),
        ("kind: military\n    beside", "kind: marine\n    beside", 13, "no kind is called 'marine'"),
        ("    kind: media", "    kind: paper", 27, "no kind is called 'paper'; known are intelligence"),
        ("country: XA\n    role", "country: XC\n    role", 21, "no country is called 'XC'"),
        ("role: [navy]", "role: [army]", 22, "no role is called 'army'"),
        ("role: [navy]", "role: army", 22, "no role is called 'army'"),
        ("    country: XA\n    role", "    role", 18, "has a role or home names and lacks 'country'"),
        ("id: herald", "id: alphan-fleet", 25, "the origin 'alphan-fleet' stands here twice"),
        ("name: Herald", "name: Fleet", 25, "two origins are called 'Fleet'"),
        ("names: {en: [herald]}", "country: XA\n    role: navy", 25, "navy of XA is alphan-fleet already"),
        ("    names: {en: [herald]}\n", "", 25, "has no name by which a text could mean it"),
        ("[herald]", "[herald, '...']", 28, "has no word in it"),
        ("[herald]", "[herald, herald]", 28, "the term 'herald' stands here twice"),
        ("[herald]", "[herald + paper]", 28, "has no place, since its parts may stand anywhere"),
        ("[herald]", "herald", 28, "herald.names.en must be a list"),
        ("  officials: {name: officials, kind: government, beside: {en: [official]}}\n", "", 11, "lacks 'officials'"),
        ("  said: {en: [said]}\n", "", 30, "cues lacks 'said'"),
        ("  said:", "  says:", 30, "cues has no key 'says'"),
    ],
)
def test_a_mistake_has_its_place_and_reason(old: str, new: str, line: int, reason: str) -> None:
    content = GOOD.replace(old, new, 1)
    assert content != GOOD
    with pytest.raises(ConfigurationError) as raised:
        originsfile.parse(content, "my.yaml")
    lines = str(raised.value).splitlines()
    assert any(told.startswith(f"my.yaml:{line}: ") and reason in told for told in lines), lines


@pytest.mark.parametrize("content", ["", "[]", "text", "countries: {}", "origins: []"])
def test_a_file_that_is_no_lexicon(content: str) -> None:
    with pytest.raises(ConfigurationError, match=r"my\.yaml:1: "):
        originsfile.parse(content, "my.yaml")
