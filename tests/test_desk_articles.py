"""The article page: evidence is marked where it stands, texts stand side by side, the archive's record is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from conftest import MovableClock
from desk_client import browsing, seen, text
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb
from test_warc import answer, digest

from pipeline.adapters import database
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.warc import Archive
from pipeline.logic.text import content_hash
from pipeline.logic.versions import changes
from pipeline.settings import ArchiveSettings

pytestmark = [pytest.mark.model, pytest.mark.database, pytest.mark.timeout(900)]  # the newsroom is encoded first
EDITED = "<script>alert(1)</script> A paragraph that was put in later."


@pytest.fixture
def client(pg: EmbeddedServer, newsroom_copy: str, tmp_path: Path, clock: MovableClock) -> Iterator[httpx.Client]:
    with browsing(pg, newsroom_copy, tmp_path, clock) as client:
        yield client


@pytest.fixture
def conn(newsroom_copy: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(newsroom_copy, autocommit=True, row_factory=namedtuple_row) as conn:
        yield conn


def bearing(conn: psycopg.Connection[Any]) -> Any:
    """The article with the most accepted evidence."""
    query = "select article_id, count(*) from analysis.article_evidence group by 1 order by 2 desc, 1 limit 1"
    return conn.execute(query).fetchone().article_id


def text_of(conn: psycopg.Connection[Any], article: int) -> list[Any]:
    return conn.execute("select * from analysis.article_text(%s)", [article]).fetchall()


def edit(conn: psycopg.Connection[Any], article: int, *, title: str, reextracted: bool = False) -> tuple[int, int]:
    """A later text: another title, one paragraph more, the last one gone. Numbers of the text before and of it."""
    old = conn.execute(
        "select * from ingest.versions where article_id = %s order by version_id desc limit 1", [article]
    ).fetchone()
    before = [p.text for p in text_of(conn, article)]
    after = [title, EDITED, *before[1:-1]]
    new = conn.execute(
        "insert into ingest.versions (article_id, version_hash, source, title, language, published_at, known_at, "
        "reextracted) values (%s, %s, %s, %s, %s, %s, %s, %s) returning version_id",
        [
            *(article, hashlib.sha256(title.encode()).digest(), old.source, title, old.language, old.published_at),
            *(old.known_at + timedelta(hours=3), reextracted),
        ],
    ).fetchone()[0]
    database.rows(
        conn,
        "articles.add_paragraphs",
        version_id=new,
        positions=list(range(len(after))),
        hashes=[content_hash(p) for p in after],
        texts=after,
        language=old.language,
        now=old.known_at,
    )
    found = changes(before, after)
    database.rows(
        conn,
        "versions.add_changes",
        version_id=new,
        before_id=old.version_id,
        kinds=[c.kind for c in found],
        befores=[c.before for c in found],
        afters=[c.after for c in found],
    )
    return old.version_id, new


def marks(page: Any) -> list[tuple[str, str]]:
    return [(mark.get("class"), " ".join(mark.text_content().split())) for mark in page.cssselect(".reading mark")]


def test_evidence_is_marked_where_it_stands(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    article = bearing(conn)
    page = seen(client, f"/articles/{article}")
    shown = {p.get("id"): p for p in page.cssselect(".paragraph")}
    found = 0
    for p in text_of(conn, article):
        accepted = [e for e in p.evidence if e["tier"] == "accepted"]
        if not accepted:
            continue
        place = shown[f"p{p.position}"]
        assert text(place, "p")[0] == " ".join(p.text.split())
        linked = [a.get("href") for a in place.cssselect(".notes a")]
        assert linked[: len(accepted)] == [f"/claims/{e['claim_id']}" for e in accepted]
        marked = "".join(mark.text_content() for mark in place.cssselect("mark"))
        assert accepted[0]["sentence"] in marked
        found += 1
    assert found > 1
    assert {name for name, _ in marks(page)} <= {"supports", "refutes", "updates", "weak"}


def test_texts_stand_side_by_side(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    article = bearing(conn)
    title = text_of(conn, article)[0].text
    before, after = edit(conn, article, title=f"{title} <b>officials</b> say")
    page = seen(client, f"/articles/{article}")
    assert len(page.cssselect(".versions li")) == 2
    assert text(page, ".versions li[aria-current]") and "changed by the publisher" in text(page, ".versions")[0]
    (link,) = [a.get("href") for a in page.cssselect(".versions a") if "against" in a.get("href")]
    assert link == f"/articles/{article}?version={after}&against={before}"
    both = seen(client, link)
    assert text(both, ".pair.changed ins") == ["<b>officials</b> say"]
    assert not both.cssselect(".pair.changed del")
    assert text(both, ".pair.added ins") == [EDITED]
    assert len(both.cssselect(".pair.removed del")) == 1
    assert "1 reworded, 1 added, 1 removed" in both.text_content()
    assert EDITED not in client.get(link).text, "markup in a text is text"
    first = seen(client, f"/articles/{article}?version={before}")
    assert text(first, "h1") == [" ".join(title.split())]
    assert "This is text 1 of 2" in first.text_content()
    same = seen(client, f"/articles/{article}?version={before}&against={before}")
    assert "the same, word for word" in " ".join(same.text_content().split())


def test_a_page_that_we_read_anew_is_no_edit(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    article = bearing(conn)
    before, after = edit(conn, article, title="Read by a later extractor", reextracted=True)
    assert "read anew by us, the page is the same" in text(seen(client, f"/articles/{article}"), ".versions")[0]
    both = seen(client, f"/articles/{article}?version={after}&against={before}")
    assert "The publisher changed nothing" in both.text_content()


def test_what_is_not_there(client: httpx.Client, conn: psycopg.Connection[Any]) -> None:
    article = bearing(conn)
    other = conn.execute("select max(version_id) from analysis.versions where article_id <> %s", [article]).fetchone()[
        0
    ]
    for path in (
        "/articles/999999",
        f"/articles/{article}?version={other}",
        f"/articles/{article}?against=999999",
        "/articles?url=https://nobody.example/",
        "/captures/999999",
        "/captures/999999/record",
    ):
        assert client.get(path).status_code == 404, path
    url = conn.execute("select url from analysis.articles where article_id = %s", [article]).fetchone()[0]
    answer = client.get("/articles", params={"url": url})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/articles/{article}")


def captured(conn: psycopg.Connection[Any], article: int, folder: Path, body: bytes) -> tuple[int, Path]:
    """A record of the article's page in the archive, and its text read from it; its number and file."""
    at = datetime(2024, 12, 20, 22, tzinfo=UTC)
    archive = Archive(folder, ArchiveSettings())
    place = archive.response(answer(body), at, at, digest=digest(body))
    archive.close()
    record = {
        **{"position": 0, "article_id": article, "feed_id": None, "kind": "response", "captured_at": at.isoformat()},
        **{"url": "https://paper.example/2024/a", "final_url": "javascript:alert(1)", "status": 200},
        **{"content_type": "text/html", "digest": digest(body).hex(), "size": len(body), "revisit_of": None},
        **{"warc_file": place.file, "warc_offset": place.offset, "warc_length": place.length},
    }
    capture = database.row(conn, "captures.add", records=Jsonb([record])).capture_id
    conn.execute("update ingest.versions set capture_id = %s where article_id = %s", [capture, article])
    return capture, folder / place.file


def test_a_record_is_read_again_and_checked(
    client: httpx.Client, conn: psycopg.Connection[Any], tmp_path: Path
) -> None:
    article = bearing(conn)
    body = b"<html><script>alert(1)</script>hello</html>"
    capture, file = captured(conn, article, tmp_path / "archive", body)
    page = seen(client, f"/articles/{article}")
    assert f"/captures/{capture}" in [a.get("href") for a in page.cssselect("#archive ~ ul a")]
    record = seen(client, f"/captures/{capture}")
    assert record.cssselect(".check.good")
    assert hashlib.sha256(body).hexdigest() in record.text_content()
    assert not [a for a in record.cssselect("a") if a.get("href").startswith("javascript")]
    taken = client.get(f"/captures/{capture}/record")
    assert taken.content.startswith(b"WARC/1.1\r\n")
    assert body in taken.content
    assert taken.headers["content-type"] == "application/warc"
    assert taken.headers["content-disposition"].startswith("attachment")

    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] + b"\0" * (len(whole) - len(whole) // 2))
    assert seen(client, f"/captures/{capture}").cssselect(".check.bad")
    file.unlink()
    assert "not in the archive" in seen(client, f"/captures/{capture}").cssselect(".check.bad")[0].text_content()
    assert client.get(f"/captures/{capture}/record").status_code == 404
    conn.execute("update ingest.captures set expired_at = now() where capture_id = %s", [capture])
    assert "Retention has deleted" in text(seen(client, f"/captures/{capture}"), ".check.away")[0]
    assert client.get(f"/captures/{capture}/record").status_code == 410
