"""Which terms a text names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.logic.terms import Lexicon, normalise


def names(term: str, text: str) -> bool:
    return bool(Lexicon({"c": [term]}).concepts_in(text))


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        # Whole words
        ("nis", "The NIS said so.", True),
        ("nis", "Tunis said so.", False),
        ("nis", "finish", False),
        ("soldier", "soldiers", False),
        ("soldier", "(soldier)", True),
        ("soldier", "soldier_x", True),  # an underscore parts words
        # Stars
        ("soldier*", "Soldiers", True),
        ("soldier*", "soldier", True),
        ("soldier*", "ex-soldiers", True),
        ("soldier*", "nonsoldiers", False),
        ("солдат*", "солдатами", True),
        ("north korea* army", "the North Korean army", True),
        ("north korea* army", "the North Korean armys", False),
        # Several words: a space or a hyphen, in order, next to each other
        ("front line", "on the front-line", True),
        ("front line", "on the front\nline", True),
        ("front line", "front of the line", False),
        ("front line", "line front", False),
        ("front line", "frontline", False),
        ("front-line", "the front line", True),
        # Conjunctions: anywhere, in any order
        ("kim + putin", "Putin met Kim.", True),
        ("kim + putin", "Kim met nobody.", False),
        ("nis + troop* + kursk", "Kursk: troops are there, NIS says", True),
        ("북한 + 파병", "파병된 북한 병사", True),
        # East Asian terms: anywhere
        ("북한군", "북한군은", True),
        ("북한군", "북한 군", False),
        ("朝鲜士兵", "据称朝鲜士兵抵达", True),
        ("北朝鮮兵", "北朝鮮兵士が", True),
        ("キム", "ｷﾑ・ジョンウン", True),  # half-width kana
        ("북한", unicodedata.normalize("NFD", "북한군"), True),
        # Latin and digits beside Hangul
        ("nis", "NIS는 밝혔다", True),
        ("dprk", "한국DPRK한국", True),
        ("nis", "NISA는", False),
        # Case, apostrophes, ё, compatibility forms
        ("kim jong un", "KIM JONG UN", True),
        ("soldiers' families", "soldiers’ families", True),
        ("l'armée", "l’armée", True),
        ("l'armée", "l´armée", True),
        ("l'armée", "l`armée", True),
        ("прем'єр", "премʼєр", True),
        ("самолет", "самолёт", True),
        ("самолёт", "самолет", True),
        ("самолет", unicodedata.normalize("NFD", "самолёт"), True),
        ("straße", "STRASSE", True),
        ("kursk", "\uff2b\uff35\uff32\uff33\uff2b", True),  # full-width letters
    ],
)
def test_matching(term: str, text: str, expected: bool) -> None:
    assert names(term, text) is expected


def test_several_concepts_share_a_term() -> None:
    lexicon = Lexicon({"a": ["kursk*", "nis + troop*"], "b": ["kursk*"], "c": ["belgorod"]})
    assert lexicon.concepts_in("In Kursk") == {"a", "b"}
    assert lexicon.concepts_in("NIS: troops") == {"a"}
    assert lexicon.concepts_in("") == frozenset()


@pytest.mark.parametrize("term", ["", "*", "-", "kim + *", "...", "북한군*", "kim +", "+ kim"])
def test_terms_that_could_never_match_are_refused(term: str) -> None:
    with pytest.raises(ValueError, match="the term"):
        Lexicon({"c": [term]})


SMALL = Lexicon({"a": ["north korea* + troop*", "북한군"], "b": ["l'armée", "front line", "k*"]})


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    assert SMALL.concepts_in(text) <= {"a", "b"}


LETTERS = st.sampled_from("aqzéßıİžйёіїєґж북한군러朝鲜兵北カなﾑﬁǅ７'’")
WORDS = st.text(LETTERS, min_size=1, max_size=6).filter(lambda w: any(c.isalnum() for c in normalise(w)))
TERMS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@given(TERMS)
def test_a_term_is_found_where_it_stands(term: str) -> None:
    lexicon = Lexicon({"c": [term]})
    assert lexicon.concepts_in(f"x {term} y") == {"c"}
    assert lexicon.concepts_in(f"x {term.upper()} y") == lexicon.concepts_in(f"x {normalise(term.upper())} y")


@given(TERMS, TERMS)
def test_a_conjunction_is_found_in_either_order(first: str, second: str) -> None:
    lexicon = Lexicon({"c": [f"{first} + {second}"]})
    assert lexicon.concepts_in(f"{first} x {second}") == {"c"}
    assert lexicon.concepts_in(f"{second} x {first}") == {"c"}
