"""Which story an article tells: the decision alone, without database or model."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.stories import Bcubed, bcubed
from pipeline.logic import grouping
from pipeline.logic.grouping import Article, Placement, decide, figures, names, resemblance, sketch

BANDS_OF_FERRY = [-9021244827406033717, 1231794269076383469]
NOON = datetime(2025, 1, 2, 12, tzinfo=UTC)
TEXTS = {
    "en": "The ferry to the outer islands stopped on Monday after its engine failed for the third time this winter, "
    "the harbour office said, and two hundred passengers spent the night in a school by the quay. ",
    "ko": "월요일 밤 외곽 섬으로 가던 여객선이 올겨울 세 번째 기관 고장으로 멈춰 섰고 "
    "승객 이백 명이 부두 옆 학교에서 밤을 보냈다고 항만청이 밝혔다. "
    "선사는 새 엔진이 도착하는 대로 운항을 재개하겠다고 말했다. ",
    "ru": "Паром на дальние острова остановился в понедельник после третьей за зиму поломки двигателя, сообщили в "
    "управлении порта, и двести пассажиров провели ночь в школе у причала. "
    "Новый двигатель привезут к выходным, после чего рейсы возобновят, а стоимость билетов вернут всем. ",
    "uk": "Пором до далеких островів зупинився в понеділок після третьої за зиму поломки двигуна, повідомили в "
    "управлінні порту, і двісті пасажирів провели ніч у школі біля причалу. "
    "Новий двигун привезуть до вихідних, після чого рейси відновлять, а вартість квитків повернуть усім. ",
    "ja": "月曜の夜、離島へ向かうフェリーがこの冬三度目の機関故障で止まり、"
    "乗客二百人が岸壁近くの学校で一夜を明かしたと港湾局が発表した。"
    "運航会社は新しいエンジンが届き次第、運航を再開するとしている。",
    "zh": "周一晚上,开往外岛的渡轮今年冬天第三次因发动机故障停航,两百名乘客在码头旁的学校过夜,港务局说。"
    "公司表示新发动机一到就恢复航行,并向乘客退还全部票款。",
}


def vector(seed: int, near: int | None = None, mix: float = 0.0) -> np.ndarray:
    """A unit vector; with `near`, one that has a cosine of about `mix` with that one's."""
    made = np.random.default_rng(seed).normal(size=64)
    made /= np.linalg.norm(made)
    if near is not None:
        other = vector(near)
        made = mix * other + np.sqrt(1 - mix**2) * (made - (made @ other) * other)
        made /= np.linalg.norm(made)
    return made.astype(np.float32)


def article(
    number: int,
    title: str,
    *paragraphs: str,
    seed: int | None = None,
    hours: float = 0,
    lang: str = "en",
    story: int = 0,
) -> Article:
    vectors = np.stack([vector(1000 * (seed or number) + n) for n in range(1 + min(len(paragraphs), 5))])
    return Article(number, NOON + timedelta(hours=hours), lang, sketch(title, paragraphs), vectors, story)


@pytest.mark.parametrize("language", TEXTS)
def test_a_copy_in_any_script(language: str) -> None:
    """Shortened and under another headline, it is a copy; another text of the language is not."""
    whole = TEXTS[language]
    half = whole[: int(len(whole) * 0.7)]
    first = article(1, "Ferry stops", whole, lang=language, story=7)
    copy = article(2, "Night by the quay", half, lang=language, seed=1)
    placed = decide(copy, [first], {})
    assert (placed.story_id, placed.relation) == (7, "copy")
    assert placed.similarity is not None
    assert 0.5 < placed.similarity <= 1
    assert set(grouping.bands(first.sketch)) & set(grouping.bands(article(3, "Ferry stops", whole).sketch))
    shuffled = "".join(random.Random(1).sample(whole, len(whole)))
    assert resemblance(first.sketch, sketch("Ferry stops", [shuffled]))[0] < 0.1


def test_a_copy_joins_the_closest_whatever_the_order() -> None:
    text = TEXTS["en"]
    others = [
        article(1, "One", text[:120], seed=9, story=1),
        article(2, "Ferry stops", text, seed=9, story=2),
        article(3, "Third", TEXTS["ru"], lang="ru", story=3),
        article(4, "Ferry halted", text, seed=9, story=2),
    ]
    copy = article(9, "Ferry stops", text)
    found = {decide(copy, random.Random(n).sample(others, 4), {2: 1.0, 4: 1.0}) for n in range(8)}
    assert len(found) == 1
    assert found.pop() == Placement(2, "copy", 1.0)


def test_shared_paragraphs_make_a_copy_and_a_little_boilerplate_does_not() -> None:
    copy = article(2, "Other words altogether", TEXTS["en"], "A paragraph of its own that nobody else has.")
    first = article(1, "Ferry", TEXTS["ko"], TEXTS["ja"], lang="ko", story=4)
    assert decide(copy, [first], {1: 0.7}) == Placement(4, "copy", 0.7)
    assert decide(copy, [first], {1: 0.3}).relation == "first"


def test_one_notice_below_many_items_makes_no_copies() -> None:
    """Shops and papers put the same lines below whatever they sell; the title tells that it is something else."""
    notice = TEXTS["en"]
    assert decide(article(2, "Golf putter at half price", notice), [article(1, "Soup", notice, story=1)], {1: 1.0}) == (
        Placement(None, "first", None)
    )


def test_a_form_filled_in_anew_is_no_copy() -> None:
    form = "Losses as of this morning: {0} tanks, {1} guns and {2} lorries were destroyed along the whole front line. "
    form += "The headquarters asks readers to trust official sources only and to send no pictures of positions."
    yesterday = article(1, "Daily losses", form.format(141, 214, 317), story=3)
    assert (
        decide(article(2, "Daily losses", form.format(152, 231, 333), hours=1, seed=1), [yesterday], {}).relation
        == "copy"
    )
    assert (
        decide(article(2, "Daily losses", form.format(152, 231, 333), hours=26, seed=1), [yesterday], {}).relation
        != "copy"
    )


def test_a_rewrite_is_near_in_meaning_and_time() -> None:
    first = article(1, "Ferry to Sandholm stops as engine fails", TEXTS["en"], "Kapitan Ek of Sandholm Line.", story=5)
    rewrite = article(
        2, "Engine failure strands Sandholm passengers", "They slept in Sandholm, says Kapitan Ek.", "Short.", seed=1
    )
    placed = decide(rewrite, [first], {})
    assert (placed.story_id, placed.relation) == (5, "rewrite")
    assert placed.similarity is not None
    assert placed.similarity > 0.3
    odds = [
        grouping.log_odds(article(2, "Engine failure strands Sandholm people", "Slept.", seed=1, hours=h), [first])[0]
        for h in (0, 12, 36, 100)
    ]
    assert odds == sorted(odds, reverse=True)
    unrelated = article(3, "Parliament votes on the budget after a long night", TEXTS["en"][::-1])
    assert decide(unrelated, [first], {}) == Placement(None, "first", None)


def test_weeks_later_other_figures_are_more_likely_a_later_development() -> None:
    told = "The agency counts {0} dead and {1} wounded in Sandholm, deputies say."
    before = article(1, "Sandholm losses", told.format(100, 1000), story=4)
    same, grown = (
        article(2, "Sandholm losses", told.format(*n), seed=1, hours=24 * 25) for n in ((100, 1000), (300, 2700))
    )
    likely, less = (grouping.log_odds(one, [before])[0] for one in (same, grown))
    assert likely - less == pytest.approx(grouping.CAUTION_LATER)
    soon = article(2, "Sandholm losses", told.format(300, 2700), seed=1, hours=24 * 10)
    assert grouping.log_odds(soon, [before])[0] == pytest.approx(likely)


def test_empty_and_very_short_texts_fold_with_nothing() -> None:
    """ "Live updates" of two papers have the same vector and say nothing."""
    for title in ("", "Live updates", "속보", "Видео"):
        one, other = article(1, title, seed=1, story=1), article(2, title, seed=1)
        assert decide(other, [one], {}) == Placement(None, "first", None), title
        assert grouping.bands(other.sketch) == []
    assert resemblance(sketch("", []), sketch("", [])) == (0.0, 0.0)


def test_without_candidates_it_founds_a_story_and_itself_is_none() -> None:
    one = article(1, "Ferry stops", TEXTS["en"], story=1)
    assert decide(one, [], {}) == Placement(None, "first", None)
    assert decide(one, [one], {1: 1.0}) == Placement(None, "first", None)


@given(st.text(max_size=300), st.lists(st.text(max_size=200), max_size=4))
def test_any_text_has_a_sketch_and_the_same_one_every_time(title: str, paragraphs: list[str]) -> None:
    found = sketch(title, paragraphs)
    again = sketch(title, list(paragraphs))
    assert (found.signature == again.signature).all()
    assert found.names == again.names
    assert found.figures == again.figures
    assert len(grouping.bands(found)) in (0, grouping.BANDS)
    assert all(-(2**63) <= band < 2**63 for band in grouping.bands(found))


def test_stored_signatures_stay_comparable() -> None:
    """What lies in a database was made by these permutations; others would make every old text a stranger."""
    assert grouping.bands(sketch("Ferry stops", [TEXTS["en"]]))[:2] == BANDS_OF_FERRY


def test_resemblance_estimates_jaccard() -> None:
    words = [f"w{n}" for n in range(600)]
    for start in (0, 100, 200, 300):
        one, other = " ".join(words[:400]), " ".join(words[start : start + 400])
        a, b = grouping.shingles(one), grouping.shingles(other)
        true = len(a & b) / len(a | b)
        assert resemblance(sketch("", [one]), sketch("", [other]))[0] == pytest.approx(true, abs=0.13)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("about 12,000 men", {"12000"}),
        ("1만2천 명", {"12000"}),
        ("12 тыс. военных", {"12000"}),
        ("12 тис. військових", {"12000"}),
        ("1万2千人", {"12000"}),
        ("2.5 million tons", {"2.5e+06"}),
        ("3,000 to 3,500 soldiers", {"3000", "3500"}),
        ("on 7 May 2025, nine of them", set()),
        ("12 000 солдат", {"12000"}),
    ],
)
def test_figures_in_any_notation(text: str, expected: set[str]) -> None:
    assert figures([text]) == expected


def test_names_in_any_script() -> None:
    assert {"sandho", "ek"} <= names(["Engine fails", "Yesterday in Sandholm Captain Ek said no."])
    assert "yester" not in names(["x", "Yesterday in Sandholm."])
    assert names(["х", "В понедельник Сандхольм ждал."]) == {"сандхо"}
    assert "サンドホルム" in names(["昨夜サンドホルムで"])


def test_bcubed() -> None:
    truth = {"a": 1, "b": 1, "c": 2}
    assert bcubed(truth, truth) == Bcubed(1.0, 1.0)
    assert bcubed(truth, {"a": 1, "b": 2, "c": 3}) == Bcubed(1.0, pytest.approx(2 / 3))  # type: ignore[arg-type]
    assert bcubed(truth, {"a": 1, "b": 1, "c": 1}) == Bcubed(pytest.approx(5 / 9), 1.0)  # type: ignore[arg-type]
    assert Bcubed(0.0, 0.0).f1 == 0.0
