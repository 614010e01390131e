"""What is written for others: CSV for spreadsheets, Atom for readers, ClaimReview for machines. Pure."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipeline.logic import atom, claimreview, csvtext
from pipeline.logic.claimreview import Appearance, Standing
from pipeline.logic.written import is_link, short

NOW = datetime(2024, 12, 20, 12, tzinfo=UTC)
TEXT = st.text(max_size=60)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        " =1+1",
        "\ufeff=1",
        "\t=1",
        "\n=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "\x00=1",
        "|calc",
    ],
)
def test_no_cell_is_a_formula(text: str) -> None:
    assert csvtext.cell(text).startswith("'")
    assert csvtext.cell([text, "x"]).startswith("'")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (-1.5, "-1.5"),
        (Decimal("-3"), "-3"),
        (True, "true"),
        (NOW, "2024-12-20T12:00:00Z"),
        (date(2024, 12, 1), "2024-12-01"),
        (timedelta(minutes=2), "120.0"),
        (["NIS", "GUR"], "NIS; GUR"),
        ([], ""),
        ({"a": "ü"}, '{"a": "ü"}'),
        ("북한군 3,000명", "북한군 3,000명"),
        ("a\x00b\x1b", "ab"),
    ],
)
def test_cells(value: object, cell: str) -> None:
    assert csvtext.cell(value) == cell


@given(st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=5))
def test_csv_is_read_as_it_was_written(rows: list[list[str]]) -> None:
    text = csvtext.table(["a", "b"], rows)
    assert text.startswith(csvtext.MARK)
    found = list(csv.reader(StringIO(text.removeprefix(csvtext.MARK), newline="")))
    assert found[1:] == [[csvtext.cell(cell) for cell in row] for row in rows]


def entry(number: int = 1, text: str = "x", url: str | None = "https://a.example/1") -> atom.Entry:
    return atom.Entry(
        event_id=number,
        kind="new_story",
        happened_at=NOW - timedelta(days=1),
        known_at=NOW,
        reason=text,
        sentence=text,
        language="ko",
        direction="ltr",
        stance="supports",
        title=text,
        publisher=text,
        country="KR",
        url=url,
    )


def feed(*entries: atom.Entry, statement: str = "It is so.") -> etree._Element:
    made = atom.document(atom.Feed("a-claim", statement, NOW, entries), "https://desk.example.org", "/claims/a-claim/e")
    return etree.fromstring(made)


@given(TEXT, TEXT)
def test_any_text_makes_a_feed(text: str, url: str) -> None:
    root = feed(entry(1, text, url), entry(2, text), statement=text)
    assert len(root.findall(f"{{{atom.ATOM}}}entry")) == 2
    for link in root.iter(f"{{{atom.ATOM}}}link"):
        assert is_link(link.get("href"))
    for content in root.iter(f"{{{atom.ATOM}}}content"):
        html = etree.HTML(content.text or "<p></p>")
        assert {node.tag for node in html.iter()} <= {"html", "body", "p", "blockquote", "bdi", "a"}


def test_hostile_links_and_lengths() -> None:
    root = feed(entry(1, "<b>" * 500_000, "javascript:alert(1)"))
    assert len(etree.tostring(root)) < 100_000
    assert b"javascript" not in etree.tostring(root)
    assert not is_link("http://[")
    assert not is_link("data:text/html,x")
    assert short("a " * 1_000_000, 10) == "a a a a a…"


def test_every_feed_is_a_valid_one() -> None:
    """What RFC 4287 asks for: one id, title and updated each, an author, ids that differ and stay."""
    root, again = feed(entry(1), entry(2)), feed(entry(1), entry(2), entry(3))
    name = f"{{{atom.ATOM}}}"
    for node in (root, *root.findall(f"{name}entry")):
        assert [len(node.findall(name + part)) for part in ("id", "title", "updated")] == [1, 1, 1]
    assert root.find(f"{name}author/{name}name") is not None
    ids = [node.findtext(f"{name}id") for node in root.findall(f"{name}entry")]
    assert len(set(ids)) == 2
    assert set(ids) < {node.findtext(f"{name}id") for node in again.findall(f"{name}entry")}


# Types and properties of schema.org, as its pages list them, of those that are used.
SCHEMA = {
    "ClaimReview": {"url", "claimReviewed", "datePublished", "inLanguage", "author", "itemReviewed", "reviewRating"},
    "Claim": {"text", "author", "datePublished", "firstAppearance", "appearance"},
    "Rating": {"alternateName", "ratingExplanation", "ratingValue", "bestRating", "worstRating"},
    "NewsArticle": {"url", "headline", "datePublished", "publisher", "inLanguage"},
    "Organization": {"name", "url"},
}


def check_schema(value: object) -> None:
    if isinstance(value, list):
        for part in value:
            check_schema(part)
    if isinstance(value, dict):
        assert set(value) - {"@type", "@context"} <= SCHEMA[value["@type"]]
        for part in value.values():
            check_schema(part)


def test_claimreview_is_of_schema_org() -> None:
    standing = Standing("a-claim", "It is so.", "contested", 1, 2, 0, NOW)
    appearances = [
        Appearance("https://a.example/2", "second", "A", NOW, "ko", "supports"),
        Appearance("https://a.example/1", "first", "A", NOW - timedelta(days=1), None, "supports"),
        Appearance("https://a.example/3", "a denial", "A", NOW, "ru", "refutes"),
        Appearance("javascript:alert(1)", "no link", "A", NOW, "ru", "supports"),
    ]
    review = claimreview.document(standing, appearances, ["NIS"], "https://desk.example.org")
    check_schema(json.loads(json.dumps(review)))
    # What readers of fact checks ask for: the claim, its page, and a rating in words.
    assert {"claimReviewed", "url", "reviewRating", "author", "itemReviewed"} <= set(review)
    assert review["reviewRating"]["alternateName"] == "Contested"
    assert [a["headline"] for a in review["itemReviewed"]["appearance"]] == ["first", "second"]
    assert "1 story supports the claim, 2 refute it, 0 update it" in review["reviewRating"]["ratingExplanation"]
    unseen = Standing("b", "x", "unseen", 0, 0, 0, NOW)
    assert "appearance" not in claimreview.document(unseen, [], [], "https://d.example")["itemReviewed"]
