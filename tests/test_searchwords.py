"""The words of full text: what counts of a text, and that Python and SQL say the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.adapters.database import Connection
from pipeline.logic.searchwords import BEGINNING, LONGEST, words
from pipeline.newsroom.content import load


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kim's soldiers", ["kim", "soldie"]),
        ("Families of the US armies", ["family", "of", "the", "us", "army"]),
        ("Soldats nord-coréens à l’arrière", ["soldat", "nord", "coreen", "arrier"]),
        ("Северокорейские солдаты ещё идут", ["северо", "солд", "еще", "идут"]),
        ("північнокорейських військових п’ять", ["північ", "військ", "пят"]),
        ("북한군이 왔다", ["북한", "한군", "군이", "왔다"]),
        ("北朝鮮軍の兵士", ["北朝", "朝鮮", "鮮軍", "軍の", "の兵", "兵士"]),
        ("ｶﾞｲﾄﾞ ＮＡＴＯ", ["ガイ", "イド", "nato"]),
        ("朝鲜 军", ["朝鲜", "军"]),
        ("NIS가 2024년 10,000명, 12 000, 1 234 567 или 1.5", ["nis", "가", "2024", "년", "10000", "명", "12000",
                                                              "1234567", "или", "1", "5"]),
        ("جندي، كوري", ["جندي", "كوري"]),
        ("", []),
        ("— … !", []),
    ],
)  # fmt: skip
def test_what_counts_of_a_text(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("soldier", "soldiers'"),
        ("солдат", "солдаты"),
        ("генерал", "генералами"),
        ("бюджет", "бюджета"),
        ("аппарат", "аппараты"),
        ("солдаты погибли", "солдатами погибших"),
        ("военные учения", "военных учений"),
        ("військових", "військові"),
        ("Зеленський заявив", "Зеленського заявили"),
        ("Україною", "Україна"),
        ("déployé", "déploy" + "és"),
        ("Zelenský", "ZELENSKY"),
        ("북한군은", "북한군이"),
        ("10,000", "10 000"),
        ("п'ять", "п’ять"),
    ],
)
def test_forms_of_a_word_are_one(one: str, other: str) -> None:
    assert set(words(one)) & set(words(other))


@pytest.mark.parametrize(
    ("one", "other"), [("погибли", "победили"), ("Курск", "Курилы"), ("війська", "вибори"), ("сила", "село")]
)
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert not set(words(one)) & set(words(other))


def in_sql(conn: Connection, texts: list[str]) -> list[list[str]]:
    query = "select ingest.words_of(t) as words from unnest(%s::text[]) with ordinality as u (t, n) order by n"
    return [r.words for r in conn.execute(query, [texts]).fetchall()]


def test_sql_reads_the_newsroom_alike(conn: Connection) -> None:
    versions = [version for article in load().articles if article.published.year < 2025 for version in article.versions]
    texts = [text for version in versions for text in (version.title, *version.paragraphs)]
    assert len(texts) > 200
    assert in_sql(conn, texts) == [words(text) for text in texts]


def test_sql_reads_every_character_alike(conn: Connection) -> None:
    """Of every assigned character: between letters of three scripts, and beside an apostrophe."""
    old = unicodedata.ucd_3_2_0  # what both Unicode versions, Python's and the server's, agree on
    assigned = [chr(c) for c in range(1, 0x10000) if old.category(chr(c)) not in ("Cn", "Cs", "Co")]
    texts = [f"ab{c}cd мно{c}'{c}кас 북{c}한 1{c}234" for c in assigned]
    differing = [
        (c, one, other)
        for c, one, other in zip(assigned, in_sql(conn, texts), map(words, texts), strict=True)
        if one != other
    ]
    assert differing == []


PIECES = st.sampled_from(
    [
        *("солдат", "ами", "ться", "ння", "'", "’", "s", "ies", "class", "10", ",000", " 000", "북한", "군이", "兵士"),
        *("é", "ß", "ｶﾞ", " ", "-", "Ґ", "ЇВ", "\u0301", "x1", "1x", "\n", "İ", "ẞ", "ﬁ"),
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(PIECES, max_size=9).map("".join), min_size=1, max_size=30))
def test_sql_reads_any_text_alike(conn: Connection, texts: list[str]) -> None:
    assert in_sql(conn, texts) == [words(text) for text in texts]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text("äéÏйЇґ가각ガプｶﾞ北朝 '", max_size=30))
def test_words_of_any_text(text: str, composed: str) -> None:
    assert all(0 < len(word) <= LONGEST for word in words(text))
    assert all(len(word) <= BEGINNING or word[0].isdigit() for word in words(text))
    assert words(unicodedata.normalize("NFD", composed)) == words(composed)
