"""The search page: by meaning and words, and by words alone where there is no vector."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import lxml.html
import numpy as np
import pytest
from conftest import MovableClock
from desk_client import browsing, pressed, seen, text

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.errors import ConfigurationError
from pipeline.logic import searchwords
from pipeline.settings import EmbedSettings
from pipeline.web import highlights
from pipeline.web.meaning import ABSENT, LOADING, NO_VECTORS, OTHER, Meaning

pytestmark = [pytest.mark.model, pytest.mark.database, pytest.mark.timeout(900)]  # the newsroom is encoded first

ABOUT = "North Korea has sent soldiers to Russia"  # no article's own words
KOREAN = "폭풍군단"


class Known:
    """The real vectors of some texts, which threads of a server may share."""

    def __init__(self, encoder: Encoder, *texts: str) -> None:
        self.weights_hash = encoder.weights_hash
        self.vectors = dict(zip(texts, encoder.encode(list(texts)), strict=True))
        self.asked: list[str] = []

    def encode(self, texts: list[str]) -> Any:
        self.asked += texts
        return np.stack([self.vectors[text] for text in texts])


@pytest.fixture
def known(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Known:
    """What the desk loads as its model."""
    made = Known(encoder, "ready", ABOUT, KOREAN, "?!")
    monkeypatch.setattr("pipeline.adapters.encoder.Encoder", lambda settings: made)
    return made


@pytest.fixture
def client(pg: EmbeddedServer, newsroom_copy: str, tmp_path: Path, clock: MovableClock) -> Iterator[httpx.Client]:
    with browsing(pg, newsroom_copy, tmp_path, clock) as client:
        yield client


def found(page: Any) -> list[str]:
    return [a.get("href") for a in page.cssselect(".results h2 a")]


def languages(client: httpx.Client, number: int) -> Any:
    return seen(client, f"/search?q={ABOUT}&way=meaning&page={number}").cssselect(".results [lang]")


def test_meaning_finds_what_no_word_does(client: httpx.Client, known: Known) -> None:
    page = seen(client, f"/search?q={ABOUT}")
    assert len(found(page)) > 3
    assert len({*found(page)}) == len(found(page)), "an article stands there once"
    assert not page.cssselect(".notice")
    others = {part.get("lang") for n in (1, 2, 3, 4, 5) for part in languages(client, n)}
    assert others > {"en", "ko"}, "and so it is found in other languages"
    assert text(page, ".about")[0].startswith("The first 100 paragraphs")
    assert "similarity 0." in page.text_content()
    first = seen(client, found(page)[0])
    assert first.cssselect(".reading")


def test_words_are_marked(client: httpx.Client, known: Known) -> None:
    page = seen(client, f"/search?q={KOREAN}&way=words")
    assert found(page)
    assert {mark.text_content() for mark in page.cssselect(".results mark")} >= {KOREAN}
    assert all(KOREAN in " ".join(hit.text_content().split()) for hit in page.cssselect(".results article")[:1])
    assert known.asked == [], "by words alone no vector is made"


def test_pages_cut_one_list_and_the_vector_is_made_once(client: httpx.Client, known: Known) -> None:
    pages = [seen(client, f"/search?q={ABOUT}&page={n}") for n in (1, 2)]
    hits = [{" ".join(hit.text_content().split()) for hit in page.cssselect(".hit p[dir]")} for page in pages]
    assert all(hits)
    assert not hits[0] & hits[1]
    assert known.asked == ["ready", ABOUT]
    (following,) = pages[0].cssselect(".pages a[rel=next]")
    assert found(seen(client, "/search" + following.get("href"))) == found(pages[1])
    assert "Nothing was found" in seen(client, f"/search?q={ABOUT}&page=9").text_content()


def test_filters(client: httpx.Client, known: Known) -> None:
    page = seen(client, f"/search?q={ABOUT}")
    form = page.cssselect("form.search")[0]
    korean = pressed(client, form, lang="ko")
    assert {p.get("lang") for p in korean.cssselect(".results [lang]")} == {"ko"}
    early = pressed(client, form, until="2024-10-18")
    assert found(early)
    assert all(at.get("datetime") < "2024-10-19" for at in early.cssselect(".results time"))
    wire = pressed(client, form, publisher="Halyard Wire")
    assert {
        facts[1] for facts in ([li.text_content() for li in a.cssselect("li")] for a in wire.cssselect("article"))
    } == {"Halyard Wire"}
    assert "Nothing was found under these filters" in pressed(client, form, country="XX").text_content()


def test_the_same_list_for_programs(client: httpx.Client, known: Known) -> None:
    shown = found(seen(client, f"/search?q={ABOUT}"))
    rows = client.get("/api/search", params={"q": ABOUT, "size": 20}).json()["rows"]
    assert list(dict.fromkeys(f"/articles/{row['article_id']}" for row in rows)) == shown
    assert [row["rank"] for row in rows] == list(range(1, 21))
    assert len(client.get("/api/search", params={"q": ABOUT, "format": "csv"}).text.splitlines()) > 50
    assert client.get("/api/search").status_code == 422


def test_nothing_to_look_for(client: httpx.Client, known: Known) -> None:
    assert not seen(client, "/search").cssselect(".results")
    assert not seen(client, "/search?q=%20").cssselect(".results")
    assert "Nothing was found" in seen(client, "/search?q=%3F!&way=words").text_content(), "no letter to look for"
    assert found(seen(client, "/search?q=%3F!")), "something is near to everything"
    assert client.get("/search", params={"q": "x" * 1001}).status_code == 422
    assert client.get("/search?q=x&way=magic").status_code == 422


def test_without_a_model_words_are_left(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(settings: Any) -> Any:
        raise ConfigurationError("no such model")

    monkeypatch.setattr("pipeline.adapters.encoder.Encoder", missing)
    for path in (f"/search?q={KOREAN}", f"/search?q={KOREAN}&way=meaning"):
        page = seen(client, path)
        assert text(page, ".notice") == [f"{ABSENT} What follows was found by words alone."]
        assert found(page)
    assert not seen(client, f"/search?q={KOREAN}&way=words").cssselect(".notice"), "nobody asked for more"


def test_why_there_is_no_vector(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    active = SimpleNamespace(model="e5-small", weights_hash=known.weights_hash)
    meaning = Meaning(EmbedSettings())
    assert meaning.vector(ABOUT, None) == (None, NO_VECTORS)
    assert meaning.vector(ABOUT, SimpleNamespace(model="m", weights_hash="w")) == (None, OTHER.format("m"))
    vector, problem = meaning.vector(ABOUT, active)
    assert problem is None
    assert np.allclose(vector.to_numpy(), known.vectors[ABOUT], atol=1e-3)

    go_on = threading.Event()

    def slow(settings: Any) -> Known:
        go_on.wait(30)
        return known

    monkeypatch.setattr("pipeline.adapters.encoder.Encoder", slow)
    meaning = Meaning(EmbedSettings(), wait=0.05)
    assert meaning.vector(ABOUT, active) == (None, LOADING)
    go_on.set()
    meaning._loaded.wait(30)
    assert meaning.vector(ABOUT, active)[1] is None


def test_a_model_that_could_not_be_loaded_is_tried_again(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    active = SimpleNamespace(model="e5-small", weights_hash=known.weights_hash)
    tries = []

    def moody(settings: Any) -> Known:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no network")
        return known

    monkeypatch.setattr("pipeline.adapters.encoder.Encoder", moody)
    meaning = Meaning(EmbedSettings())
    assert meaning.vector(ABOUT, active) == (None, ABSENT)
    assert meaning.vector(ABOUT, active) == (None, ABSENT)
    assert len(tries) == 1, "not at every search"
    monkeypatch.setattr("pipeline.web.meaning.RETRY", 0.0)
    assert meaning.vector(ABOUT, active)[1] is None


@pytest.mark.parametrize(
    ("query", "given", "marked"),
    [
        ("soldier", "Kim's soldiers, the Soldiers", ["soldiers", "Soldiers"]),
        ("the troops of Kim", "the troop of them", ["troop"]),
        ("북한군", "북한군이 왔다", ["북한군"]),
        ("12,000", "some 12,000 men, 12 000", ["12,000"]),
        ("военные", "у военных в Курске", ["военных"]),
        ("of the", "of the men", ["of", "the"]),
        ("<big>", "a <big> Bigs", ["big", "Bigs"]),
    ],
)
def test_marking_words(query: str, given: str, marked: list[str]) -> None:
    shown = highlights.marked(given, highlights.words(given, frozenset(searchwords.words(query))))
    tree = lxml.html.fromstring(f"<p>{shown}</p>")
    assert [mark.text for mark in tree.cssselect("mark")] == marked
    assert tree.text_content() == given
