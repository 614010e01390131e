"""Which pages of an archive are worth extracting: their text without a tree, the terms, and the cheap look before."""

from __future__ import annotations

import time
import unicodedata

import pytest
from conftest import CLAIMS
from hypothesis import given, settings
from hypothesis import strategies as st
from warc_files import newsroom_pages

from pipeline.logic import keyterms, terms
from pipeline.logic.claimsfile import Claim
from pipeline.logic.keyterms import ClaimTerms, Gate, KeyTerms, visible
from pipeline.stages.materials import claims_of

TERMS = ("north korean soldier*", "북한 + 파병", "кндр", "corée du nord", "kim's army", "front line*", "北朝鮮")


def test_visible_leaves_out_what_no_reader_sees() -> None:
    page = """<!doctype html><html><head><title>The title</title><style>p { color: red }</style>
    <script>var north = "Korea <p>";</script></head><body><!-- a note > --><nav><a>Menu</a></nav>
    <p>Fish &amp; <b>chips</b></p><FOOTER>Imprint</FOOTER><p>End"""
    assert visible(page).split() == ["The", "title", "Fish", "&", "chips", "End"]


@pytest.mark.parametrize("piece", ["<script>", "<nav ", "<!--", "<", "<svg><svg", "</script", "<p <p "])
def test_visible_takes_linear_time(piece: str) -> None:
    begun = time.perf_counter()
    visible(piece * (2 * 2**20 // len(piece)))
    assert time.perf_counter() - begun < 5


def test_an_unclosed_script_hides_nothing_behind_it() -> None:
    assert visible("<p>one</p><script>two<p>three</p>").split() == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Two North Korean soldiers crossed", True),
        ("북한이 러시아에 파병했다", True),
        ("북한이 미사일을 쏘았다", False),
        ("Военные КНДР вернулись", True),
        ("La CORÉE DU NORD nie", True),
        ("Kim’s army marches", True),
        ("on the front-lines", True),
        ("North Korea is far", False),
        ("", False),
    ],
)
def test_terms(text: str, named: bool) -> None:
    wanted = KeyTerms(TERMS)
    assert wanted.named_in(text) is named
    assert wanted.may_be_in(terms.normalise(text)) or not named


SPOKEN = """north korean soldiers soldier 북한 파병 북한이 파병했다 КНДР corée du nord Kim’s army Front-Lines front line
 北朝鮮兵 the of ё ＫＩＭ'ｓ КНДРовец - ."""
WORDS = st.lists(st.sampled_from([*SPOKEN.split(), " ", "\u00a0", ". "]), max_size=12)


@given(words=WORDS, joint=st.sampled_from([" ", "", "-", "\n"]))
@settings(max_examples=500)
def test_the_gate_lets_through_whatever_names_a_term(words: list[str], joint: str) -> None:
    text = joint.join(words)
    wanted = KeyTerms(TERMS)
    assert wanted.may_be_in(terms.normalise(text)) or not wanted.named_in(text)


def test_the_gate_keeps_ordinary_pages_out() -> None:
    assert not Gate(TERMS).opens(terms.normalise("The council voted on Tuesday to mend the bridge."))


def test_the_claims_subjects() -> None:
    """Every claim has a group of which all terms are among them."""
    claims = claims_of(CLAIMS)
    found = set(keyterms.subjects(claims))
    for claim in claims:
        groups = [{t for listed in concepts.values() for t in listed} for concepts in claim.groups.values()]
        assert any(group <= found for group in groups)
    assert {"북한군", "north korean soldier*"} <= found


def test_lexical_evidence() -> None:
    """A term of each group of one claim, not some of this claim's and some of another's."""
    killed, treaty = (
        Claim(name, "s", *[()] * 5, groups=groups, cues={})
        for name, groups in (
            ("killed", {"who": {"troops": ("북한군",)}, "did": {"killed": ("전사",), "wounded": ("부상",)}}),
            ("treaty", {"who": {"state": ("dprk",)}, "what": {"treaty": ("조약", "treaty")}}),
        )
    )
    wanted = ClaimTerms([killed, treaty, Claim("bare", "s", *[()] * 5, groups={}, cues={})])
    for text, named in (("북한군 전사", True), ("DPRK treaty", True), ("북한군 조약", False), ("DPRK 부상", False)):
        assert wanted.named_in(text) is named
        assert wanted.may_be_in(terms.normalise(text)) or not named
    assert not wanted.may_be_in("nothing of the kind")


def test_the_newsrooms_pages() -> None:
    """Articles about the claims pass; the gate is never the stricter one."""
    wanted = ClaimTerms(claims_of(CLAIMS))
    shown = [visible(page.body.decode()) for page in newsroom_pages()]
    passed = [text for text in shown if wanted.named_in(text)]
    assert 15 < len(passed) < len(shown)
    assert all(wanted.may_be_in(terms.normalise(text)) for text in passed)


def test_claims_without_groups_have_no_subjects() -> None:
    assert keyterms.subjects([]) == ()


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(max_examples=300)
def test_normalising_folds_what_it_always_did(text: str) -> None:
    apostrophes = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u02b9`\u00b4"), "'")
    folded = unicodedata.normalize("NFKC", text.translate(apostrophes)).casefold()
    assert terms.normalise(text) == folded.translate({**apostrophes, ord("ё"): "е"})
