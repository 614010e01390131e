"""The claim page: what it shows is what the views say, filters narrow it, charts can be read by anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from conftest import MovableClock
from desk_client import browsing, pressed, seen, text
from psycopg.rows import namedtuple_row

from pipeline.adapters.postgres import EmbeddedServer

pytestmark = [pytest.mark.model, pytest.mark.database, pytest.mark.timeout(900)]  # the newsroom is encoded first

CLAIM = "over-10000-troops"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime(2024, 11, 13, 12, tzinfo=UTC))


@pytest.fixture
def client(pg: EmbeddedServer, newsroom_copy: str, tmp_path: Path, clock: MovableClock) -> Iterator[httpx.Client]:
    with browsing(pg, newsroom_copy, tmp_path, clock) as client:
        yield client


@pytest.fixture
def conn(newsroom_copy: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(newsroom_copy, autocommit=True, row_factory=namedtuple_row) as conn:
        yield conn


def stories(conn: psycopg.Connection[Any], where: str = "true", claim: str = CLAIM, **values: Any) -> list[Any]:
    query = f"select * from analysis.evidence where claim_id = %(claim)s and tier = 'accepted' and {where}"
    return conn.execute(query + " order by first_at desc, story_id desc", {"claim": claim, **values}).fetchall()


def shown(page: Any) -> list[int]:
    return [int(item.get("data-match")) for item in page.cssselect(".item")]


def test_evidence_is_a_list_of_stories(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    page = seen(client, f"/claims/{CLAIM}")
    expected = stories(conn)
    assert shown(page) == [e.match_id for e in expected]
    assert len(expected) > 4
    for item, e in zip(page.cssselect(".item"), expected, strict=True):
        said = " ".join(item.text_content().split())
        assert text(item, "mark") == [" ".join(e.sentence.split())]
        assert len(text(item, ".quote")[0]) >= len(text(item, "mark")[0])
        assert e.publisher in said
        assert f"{100 * e.probability:.0f} %" in said
        assert text(item, ".tag")[0] == e.stance
        quote = item.cssselect("blockquote")[0]
        assert (quote.get("lang"), quote.get("dir")) == (e.language, "ltr")
        assert item.cssselect(f"a[href='{e.url}'][rel='noreferrer noopener']"), "the live page"
        assert item.cssselect(f"a[href='/articles/{e.article_id}?version={e.version_id}']"), "the archived text"
        assert item.cssselect(f"a[href='/stories/{e.story_id}']")
    several = next(i for i, e in enumerate(expected) if e.articles > 1)
    copies = page.cssselect(".item")[several].cssselect("details .copies li")
    told = conn.execute(
        "select count(*) as n from analysis.story_articles where story_id = %s", [expected[several].story_id]
    ).fetchone()
    assert len(copies) == told.n - 1, "all but the one quoted"


def test_filters_live_in_the_address(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    page = seen(client, f"/claims/{CLAIM}")
    (form,) = page.cssselect("form.filters")
    every = stories(conn)
    lang = every[0].languages[0]
    narrowed = pressed(client, form, lang=lang)
    assert shown(narrowed) == [e.match_id for e in stories(conn, "%(lang)s = any (languages)", lang=lang)]
    assert narrowed.cssselect(f"select[name=lang] option[value={lang}][selected]")
    for query, where in (
        ("stance=updates", "stance = 'updates'"),
        ("since=2024-10-20&until=2024-10-28", "first_at >= '2024-10-20Z' and first_at < '2024-10-29Z'"),
        ("country=KR", "'KR' = any (countries)"),
        (f"origin={every[-1].origins[0]}", "%(origin)s = any (origins)"),
    ):
        found = shown(seen(client, f"/claims/{CLAIM}?{query}"))
        wanted = stories(conn, where, origin=every[-1].origins[0])
        assert found == [e.match_id for e in wanted], query
        assert 0 < len(found) < len(every), f"{query} is no test of a filter"
    family = conn.execute(
        "select family, count(distinct story_id) as n from analysis.article_evidence where claim_id = %s "
        "group by family order by n, family limit 1",
        [CLAIM],
    ).fetchone()
    assert len(shown(seen(client, f"/claims/{CLAIM}?family={family.family}"))) == family.n
    nothing = seen(client, f"/claims/{CLAIM}?lang=sw")
    assert not shown(nothing)
    assert "Nothing passes these filters" in nothing.text_content()
    assert client.get(f"/claims/{CLAIM}?stance=maybe").status_code == 422
    assert client.get(f"/claims/{CLAIM}?until=yesterday").status_code == 422


def test_tiers_are_kept_apart(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    suggested = conn.execute(
        "select claim_id, match_id from analysis.evidence where tier = 'suggested' limit 1"
    ).fetchone()
    assert suggested.match_id not in shown(seen(client, f"/claims/{suggested.claim_id}"))
    assert suggested.match_id in shown(seen(client, f"/claims/{suggested.claim_id}?tier=suggested"))


def test_pages(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.web.pages import claims

    every = shown(seen(client, f"/claims/{CLAIM}"))
    monkeypatch.setattr(claims, "PAGE", 3)
    first = seen(client, f"/claims/{CLAIM}?lang=en")
    found = shown(first)
    while older := first.cssselect("a[rel=next]"):
        first = seen(client, f"/claims/{CLAIM}{older[0].get('href')}")
        found += shown(first)
    monkeypatch.undo()
    assert found == shown(seen(client, f"/claims/{CLAIM}?lang=en"))
    assert 3 < len(found) <= len(every)


def test_why_in_words(client: httpx.Client) -> None:
    page = seen(client, f"/claims/{CLAIM}")
    why = page.cssselect("details.why")[0]
    full = seen(client, why.cssselect("a")[0].get("href"))
    assert "decision" in text(full, "dt")
    assert "concept group" in text(full, "dt")
    bare = client.get(why.get("data-from") + "?fetch=1")
    assert "<html" not in bare.text
    assert 'class="reasons"' in bare.text
    assert client.get("/matches/999999999/why").status_code == 404
    assert client.get("/matches/99999999999999999999/why").status_code == 422


def test_events_and_figures(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    page = seen(client, f"/claims/{CLAIM}")
    happened = conn.execute("select reason from analysis.claim_events where claim_id = %s", [CLAIM]).fetchall()
    assert sorted(text(page, ".events p")) == sorted(" ".join(r.reason.split()) for r in happened)
    figures = conn.execute("select count(*) as n from analysis.figures where claim_id = %s", [CLAIM]).fetchone()
    assert len(page.cssselect("section[aria-labelledby=figures] tbody tr")) == figures.n > 0


def test_charts_for_light_dark_phone_and_mail(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    page = seen(client, f"/claims/{CLAIM}")
    images = page.cssselect("figure.chart img")
    assert len(images) == 2
    for image in images:
        assert len(image.get("alt")) > 40, "a text alternative"
    widths, grounds = set(), set()
    for address in {s.get("srcset") for s in page.cssselect("figure.chart source")} | {i.get("src") for i in images}:
        answer = client.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert "style=" not in answer.text, "our policy forbids inline style"
        assert "<script" not in answer.text
        widths.add(int(re.findall(r'width="(\d+)', answer.text)[0]) < 400)
        grounds.add(re.findall(r'<rect [^>]*fill="(#\w+)"', answer.text)[0])
        tag = answer.headers["etag"]
        assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert widths == {True, False}
    assert grounds == {"#ffffff", "#1b1f25"}
    timeline = client.get(f"/claims/{CLAIM}/timeline.svg").text
    kinds = conn.execute("select distinct kind from analysis.claim_events where claim_id = %s", [CLAIM]).fetchall()
    marked = {r.kind.replace("_", " ") for r in kinds} - {"new story", "archive"}
    assert marked
    for word in {"supports", *marked}:
        assert word in timeline
    for name in ("timeline", "figures"):
        png = client.get(f"/claims/{CLAIM}/{name}.png")
        assert png.content.startswith(b"\x89PNG")
    assert client.get(f"/claims/{CLAIM}/other.svg").status_code == 404
    assert client.get(f"/claims/{CLAIM}/timeline.pdf").status_code == 422
    assert client.get(f"/claims/{CLAIM}/timeline.svg?theme=mauve").status_code == 422


def test_what_is_not_there(client: httpx.Client) -> None:
    missing = client.get("/claims/no-such-claim")
    assert missing.status_code == 404
    assert "no claim is called no-such-claim" in missing.text
    assert client.get("/claims/no-such-claim/timeline.svg").status_code == 404
    hostile = client.get("/claims/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert hostile.status_code == 404
    assert "<script>alert" not in hostile.text


def test_article_text_is_text(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    """Whatever stands in a title or a paragraph, a browser sees letters."""
    e = stories(conn)[0]
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e'
    conn.execute("update ingest.versions set title = %s where version_id = %s", [evil, e.version_id])
    conn.execute("update ingest.paragraphs set text = %s where paragraph_id = %s", [evil, e.paragraph_id])
    conn.execute("update ingest.matches set sentence = %s where match_id = %s", [evil, e.match_id])
    conn.execute("update ingest.articles set url = %s where article_id = %s", ["javascript:alert(1)", e.article_id])
    for path in (f"/claims/{CLAIM}", "/"):
        page = seen(client, path)
        assert not page.xpath("//img[@onerror]")
        assert not [s for s in page.xpath("//script") if s.text_content()]
        assert not page.xpath("//a[starts-with(@href, 'javascript')]")
        assert evil in page.text_content()
