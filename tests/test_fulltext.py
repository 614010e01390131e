"""Full-text search: what counts of a text, BM25's figures by hand, and that matrix products say what loops would."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logic.fulltext import BEGINNING, K1, POINT, B, FullText, fuse, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kim's soldiers", ["kim", "soldie"]),
        ("Families of the US armies", ["family", "of", "the", "us", "army"]),
        ("Soldats nord-coréens à l’arrière", ["soldat", "nord", "coréen", "à", "l'arri"]),
        ("Северокорейские солдаты ещё идут", ["северо", "солдат", "еще", "идут"]),
        ("північнокорейських військових", ["північ", "військ"]),
        ("북한군이 왔다", ["북한", "한군", "군이", "왔다"]),
        ("北朝鮮軍の兵士", ["北朝", "朝鮮", "鮮軍", "軍の", "の兵", "兵士"]),
        ("ｶﾞｲﾄﾞ", ["ガイ", "イド"]),
        ("朝鲜 军", ["朝鲜", "军"]),
        ("NIS가 2024년 10,000명", ["nis", "2024", "10", "000", "가", "년", "명"]),
        ("", []),
        ("— … !", []),
    ],
)
def test_what_counts_of_a_text(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("soldier", "soldiers'"),
        ("Ukraine", "Ukrainian"),
        ("солдаты погибли", "солдатами погибших"),
        ("військових", "військові"),
        ("déployé", "déploy" + "és"),
        ("북한군은", "북한군이"),
        ("ＮＡＴＯ", "nato"),
    ],
)
def test_forms_of_a_word_share_tokens(one: str, other: str) -> None:
    assert set(tokens(one)) & set(tokens(other))


DOCUMENTS = ["dockers strike in the port", "a fire in the port", "the strike goes on, the dockers say", "북한군 파병"]


def by_hand(query: str, document: int) -> float:
    counted = [Counter(tokens(text)) for text in DOCUMENTS]
    mean = sum(c.total() for c in counted) / len(counted)
    found = 0.0
    for word in set(tokens(query)):
        containing = sum(word in c for c in counted)
        times = counted[document][word]
        rarity = math.log(1 + (len(counted) - containing + 0.5) / (containing + 0.5))
        length = counted[document].total() / mean
        found += rarity * times * (K1 + 1) / (times + K1 * (1 - B + B * length))
    return found


def test_bm25_by_hand() -> None:
    queries = ["the dockers' strike", "fire fire fire", "북한군이 파병됐다", "nothing of the sort", ""]
    found = FullText(DOCUMENTS).scores(queries)
    assert found.dtype == np.float32
    assert found.shape == (5, 4)
    expected = [[by_hand(query, k) for k in range(len(DOCUMENTS))] for query in queries]
    assert found == pytest.approx(np.array(expected), rel=1e-5)
    assert found[1].argmax() == 1
    assert found[2].argmax() == 3
    assert not found[4].any()


def test_a_group_scores_as_its_best_document() -> None:
    queries = ["dockers strike", "fire in the port", "파병"]
    each = FullText(DOCUMENTS).scores(queries)
    grouped = FullText(DOCUMENTS, [1, 0, 1, 2]).scores(queries)
    assert grouped == pytest.approx(np.stack([each[:, 1], each[:, [0, 2]].max(axis=1), each[:, 3]], axis=1))


def test_groups_have_to_fit() -> None:
    with pytest.raises(ValueError, match="groups of 2"):
        FullText(DOCUMENTS, [0, 1])
    with pytest.raises(ValueError, match="without a gap"):
        FullText(DOCUMENTS, [0, 1, 3, 3])


def test_nothing_to_search_and_nothing_asked() -> None:
    assert FullText([]).scores(["a"]).shape == (1, 0)
    assert FullText(DOCUMENTS).scores([]).shape == (0, 4)
    assert FullText(["", "—"]).scores(["a"]).tolist() == [[0, 0]]


WORDS = st.sampled_from(
    ["strike", "fire", "солдат", "погиб", "북한군", "파병", "北朝鮮", "兵士", "port", "the", "2024", "déployé"]
)
TEXTS = st.lists(WORDS, max_size=8).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(TEXTS, min_size=1, max_size=6), queries=st.lists(TEXTS, min_size=1, max_size=4))
def test_properties(documents: list[str], queries: list[str]) -> None:
    index = FullText(documents)
    found = index.scores(queries)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    for q, query in enumerate(queries):
        for d, document in enumerate(documents):
            assert (found[q, d] > 0) == bool(set(tokens(query)) & set(tokens(document)))
    # Neither the company of a query nor the order of its words or of the documents changes a score.
    assert index.scores(queries[:1]) == pytest.approx(found[:1])
    shuffled = [" ".join(reversed(query.split())) for query in queries]
    assert index.scores(shuffled) == pytest.approx(found, rel=1e-5)
    assert FullText(documents[::-1]).scores(queries)[:, ::-1] == pytest.approx(found, rel=1e-5)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.text("äéÏйЇґ가각ガプｶﾞ北朝 '", max_size=30))
def test_tokens_of_any_text(text: str, composed: str) -> None:
    assert all(0 < len(token) <= BEGINNING for token in tokens(text))
    assert tokens(unicodedata.normalize("NFD", composed)) == tokens(composed)


def test_fusing_adds_words_to_nearness() -> None:
    cosines = np.array([[1.0, 0.5, -1.0]], np.float32)
    words = np.array([[0.0, 8.0, 0.0]], np.float32)
    found = fuse(cosines, words)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[1.0, 0.5 + 8 * POINT, -1.0]]))
    assert fuse(cosines, np.zeros_like(words)) == pytest.approx(cosines)
