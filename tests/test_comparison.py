"""Two texts side by side: nothing is lost, and what differs is what is marked."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.logic.comparison import side_by_side, smoothed, stretches
from pipeline.logic.versions import Piece, words

KEPT = "Seoul's spy agency released satellite photographs of seven vessels of the Pacific Fleet."


def told(text: tuple[Piece, ...]) -> str:
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "".join(marks[piece.kind].format(piece.text) for piece in text)


def test_a_reworded_paragraph_stands_against_its_old_self() -> None:
    before = ["Title", "North Korea has sent some ten thousand men to Russia, Kyiv says.", KEPT]
    after = ["Title", "North Korea has sent about 12,000 men to Russia, Kyiv says.", KEPT]
    title, changed, kept = side_by_side(before, after)
    assert (title.kind, changed.kind, kept.kind) == ("same", "changed", "same")
    assert told(changed.before) == "North Korea has sent [-some ten thousand-] men to Russia, Kyiv says."
    assert told(changed.after) == "North Korea has sent {+about 12,000+} men to Russia, Kyiv says."
    assert (changed.position_before, changed.position_after) == (1, 1)


def test_paragraphs_that_came_and_went_stand_alone_where_they_stood() -> None:
    lines = side_by_side(["T", "Gone for good.", KEPT], ["T", KEPT, "Wholly new, and last."])
    assert [(line.kind, line.position_before, line.position_after) for line in lines] == [
        ("same", 0, 0),
        ("removed", 1, None),
        ("same", 2, 1),
        ("added", None, 2),
    ]
    assert [line.text for line in lines] == ["T", "Gone for good.", KEPT, "Wholly new, and last."]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (["", KEPT], ["A title", KEPT], ["added", "same"]),
        (["A title", KEPT], ["", KEPT], ["removed", "same"]),
        (["", KEPT], ["", KEPT], ["same"]),
        ([""], [""], []),
        (["A"], ["B"], ["changed"]),
        (["", "Old."], ["", "Entirely other words"], ["removed", "added"]),
    ],
)
def test_titles_may_be_missing(before: list[str], after: list[str], kinds: list[str]) -> None:
    assert [line.kind for line in side_by_side(before, after)] == kinds


def test_scripts_without_spaces_are_compared_by_character() -> None:
    (line,) = side_by_side(["", "北朝鮮は兵士を一万人送った。"], ["", "北朝鮮は兵士を二万人送った。"])
    assert told(line.after) == "北朝鮮は兵士を{+二+}万人送った。"


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine too
PARAGRAPHS = st.lists(
    st.sampled_from(["one two three four", "one two three five", "six seven", "eight", KEPT, "nine  ten nine ten"]),
    max_size=7,
)
TITLES = st.sampled_from(["", "A title", "Another title", "A title again"])


@unhurried
@given(TITLES, PARAGRAPHS, TITLES, PARAGRAPHS)
def test_both_texts_can_be_read_off_the_lines(t1: str, before: list[str], t2: str, after: list[str]) -> None:
    lines = side_by_side([t1, *before], [t2, *after])
    left = ["".join(piece.text for piece in line.before) for line in lines if line.position_before is not None]
    right = ["".join(piece.text for piece in line.after) for line in lines if line.position_after is not None]
    assert left == [*filter(None, [t1]), *before]
    assert right == [*filter(None, [t2]), *after]
    assert [s for part in stretches(lines) for s in part.lines] == lines
    for line in lines:
        same = "".join(p.text for p in line.before if p.kind == "same")
        assert same == "".join(p.text for p in line.after if p.kind == "same")
        assert (line.kind == "same") == (bool(line.before) and line.before == line.after)


@unhurried
@given(st.text(alphabet="ab ,", max_size=30), st.text(alphabet="ab ,", max_size=30))
def test_smoothing_loses_nothing(before: str, after: str) -> None:
    pieces = smoothed(words(before, after))
    assert "".join(p.text for p in pieces if p.kind != "added") == before
    assert "".join(p.text for p in pieces if p.kind != "removed") == after


def test_long_parts_without_a_change_can_be_folded() -> None:
    same = [f"Paragraph {i} of many, which stays as it is." for i in range(9)]
    parts = stretches(side_by_side(["T", *same, "Old end."], ["T", *same, "Quite another thing here"]))
    assert [(part.same, len(part.lines)) for part in parts] == [(True, 9), (False, 3)]


def test_enormous_texts_are_marked_as_a_whole() -> None:
    """Thousands of different words in every paragraph: word by word, that would take minutes."""
    before = ["T", *(" ".join(f"a{i}x{j}" for j in range(3000)) + " tail" * 4000 for i in range(12))]
    after = ["T", *(" ".join(f"b{i}x{j}" for j in range(3000)) + " tail" * 4000 for i in range(12))]
    began = time.monotonic()
    lines = side_by_side(before, after)
    assert time.monotonic() - began < 5
    assert all(line.kind != "same" and len(line.before) <= 1 for line in lines[1:])
