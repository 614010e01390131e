"""When to look again, and what changed: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.logic.versions import Change, changes, next_look, words

BORN = datetime(2024, 12, 20, tzinfo=UTC)
USUAL = {"first": timedelta(hours=1), "factor": 3.0, "until": timedelta(days=4)}


def hours(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - BORN) / timedelta(hours=1)


def test_five_looks_in_four_days() -> None:
    looks, now = [], BORN
    while (look := next_look(BORN, now, **USUAL)) is not None:
        looks.append(hours(look))
        now = look
    assert looks == [1, 3, 9, 27, 81]


def test_a_look_that_came_late_moves_the_next() -> None:
    assert hours(next_look(BORN, BORN + timedelta(hours=2.9), **USUAL)) == 8.7
    assert next_look(BORN, BORN + timedelta(hours=40), **USUAL) is None, "120 hours is beyond four days"
    assert hours(next_look(BORN, BORN - timedelta(hours=5), **USUAL)) == 1, "dated in the future"


@given(age=st.floats(0, 10**7), factor=st.floats(1.25, 10), first=st.floats(60, 10**6))
def test_the_next_look_is_ahead_and_within_bounds(age: float, factor: float, first: float) -> None:
    now, until = BORN + timedelta(seconds=age), timedelta(days=4)
    look = next_look(BORN, now, first=timedelta(seconds=first), factor=factor, until=until)
    assert look is None or (look > now and look <= BORN + until)


OLD = ["Title", "The first paragraph says this.", "A second one, on something else.", "The end of it."]


def test_nothing_changed() -> None:
    assert changes(OLD, list(OLD)) == []


def test_a_paragraph_is_reworded_another_comes_a_third_goes() -> None:
    new = ["Title", "The first paragraph says that.", "The end of it.", "Correction: it said this before."]
    assert changes(OLD, new) == [Change("changed", 1, 1), Change("removed", 2, None), Change("added", None, 3)]


def test_a_title_is_compared_with_the_title_alone() -> None:
    assert changes(OLD, ["Other words", *OLD[1:]]) == [Change("changed", 0, 0)]
    assert changes(["", *OLD[1:]], OLD) == [Change("added", None, 0)]
    assert changes(OLD, ["", *OLD[1:]]) == [Change("removed", 0, None)]


def test_a_rewrite_is_no_rewording() -> None:
    found = changes(["t", "one two three four"], ["t", "five six seven eight"])
    assert found == [Change("removed", 1, None), Change("added", None, 1)]


def test_a_text_of_another_length_altogether_takes_no_time() -> None:
    old, new = ([f"{side} {n} words that differ" for n in range(3000)] for side in ("old", "new"))
    assert len(changes(["t", *old], ["t", *new])) == 6000


def test_words() -> None:
    found = words("About 3,000 soldiers died.", "About 4,000 soldiers died.")
    assert [(p.kind, p.text) for p in found] == [
        ("same", "About "),
        ("removed", "3"),
        ("added", "4"),
        ("same", ",000 soldiers died."),
    ]
    korean = words("북한군 1만2천명이 파병됐다.", "북한군 1만명이 파병됐다.")
    assert [(p.kind, p.text) for p in korean if p.kind != "same"] == [("removed", "1만2천명이"), ("added", "1만명이")]
    japanese = words("北朝鮮兵三千人が死亡した。", "北朝鮮兵四千人が死亡した。")
    assert [(p.kind, p.text) for p in japanese if p.kind != "same"] == [("removed", "三"), ("added", "四")]


TEXTS = st.lists(st.sampled_from(["a b c d", "a b c e", "f g h", "i", "j k l m n", "j k l m o"]), max_size=8)


@given(TEXTS, TEXTS)
def test_every_change_is_told_once(old: list[str], new: list[str]) -> None:
    """What is left of the old text without the changes is what is left of the new one, in order."""
    found = changes(["t", *old], ["t", *new])
    gone, come = {c.before for c in found if c.before}, {c.after for c in found if c.after}
    assert [t for n, t in enumerate(old, 1) if n not in gone] == [t for n, t in enumerate(new, 1) if n not in come]
    assert len(found) == len({(c.before, c.after) for c in found})
    for c in found:
        assert (c.before is None, c.after is None) == (c.kind == "added", c.kind == "removed")


@given(st.text(max_size=60), st.text(max_size=60))
def test_words_lose_nothing(before: str, after: str) -> None:
    pieces = words(before, after)
    assert "".join(p.text for p in pieces if p.kind != "added") == before
    assert "".join(p.text for p in pieces if p.kind != "removed") == after
