"""Marks that turn the direction of reading stay inside the text that brought them."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from pipeline.web.render import LONGEST, environment, kept_apart

OPENING = {"LRE": "PDF", "RLE": "PDF", "LRO": "PDF", "RLO": "PDF", "LRI": "PDI", "RLI": "PDI", "FSI": "PDI"}
TEXTS = st.text(st.sampled_from("ab א.\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), max_size=20)


def left_open(text: str) -> list[str]:
    """What a text leaves open, by the names of Unicode's own table: the ends that are still to come."""
    stack: list[str] = []
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in OPENING:
            stack.append(OPENING[kind])
        elif kind == "PDF" and stack and stack[-1] == "PDF":  # never reaches out of an isolate
            stack.pop()
        elif kind == "PDI" and "PDI" in stack:  # ends what is open inside it too
            while stack.pop() != "PDI":
                pass
    return stack


@given(TEXTS)
def test_nothing_is_left_open(text: str) -> None:
    shown = kept_apart(text)
    assert shown.startswith(text)
    assert left_open(shown) == []
    assert len(shown) - len(text) == len(left_open(text)), "no more marks than are needed"
    assert type(kept_apart(Markup(text))) is Markup


def test_what_is_no_text_stays() -> None:
    assert kept_apart(7) == 7
    assert kept_apart(None) is None
    assert kept_apart("plain") == "plain"


def test_what_is_printed_has_an_end() -> None:
    made = environment().from_string("{{ title }}")
    shown = made.render(title="\u202e" + "x" * 1_000_000)
    assert len(shown) == LONGEST + 2
    assert shown.endswith("…\u202c")


def test_every_template_does_so() -> None:
    made = environment().from_string("<b title='{{ title }}'>{{ title }}</b> ours")
    assert made.render(title="<\u202eevil") == "<b title='&lt;\u202eevil\u202c'>&lt;\u202eevil\u202c</b> ours"
