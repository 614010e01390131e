"""Search by meaning over some thousand vectors: exact where a filter leaves few rows, by the index otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from conftest import clone_dsn
from pgvector.psycopg import register_vector

from pipeline.adapters import database
from pipeline.adapters.database import Connection
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.settings import Settings
from pipeline.stages.embed import half

COUNT = 4000
DIMENSIONS = 384
MEANING = 16  # of them carry something: random vectors in all of them would be unlike any language
START = datetime(2024, 1, 1, tzinfo=UTC)  # paragraph n was published n hours later
KOREAN = 100  # every so-manieth is Korean


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    made = np.zeros((COUNT, DIMENSIONS))
    made[:, :MEANING] = np.random.default_rng(5).normal(size=(COUNT, MEANING))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)


@pytest.fixture(scope="module")
def archive(pg: EmbeddedServer, template: str, vectors: np.ndarray) -> Iterator[str]:
    """A database of COUNT articles of one paragraph each; one server-side statement a table."""
    name = "t_search"
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        admin.execute(f"create database {name} template {template} owner claimwatch")
        with psycopg.connect(pg.dsn("claimwatch", name), autocommit=True) as conn:
            register_vector(conn)
            conn.execute("insert into ingest.publishers (name, family) values ('p', 'p')")
            conn.execute("insert into ingest.stories (first_seen_at) select now() from generate_series(1, %s)", [COUNT])
            conn.execute(
                "insert into ingest.articles (url, publisher_id, story_id, first_seen_at) "
                "select 'https://x.example/' || n, 1, n, now() from generate_series(1, %s) n",
                [COUNT],
            )
            conn.execute(
                "insert into ingest.versions "
                "(article_id, version_hash, source, title, language, published_at, known_at) "
                "select n, int4send(n), 'page', 'title ' || n, case when n %% %s = 0 then 'ko' else 'en' end, "
                "%s + n * interval '1 hour', now() from generate_series(1, %s) n",
                [KOREAN, START, COUNT],
            )
            conn.execute(
                "insert into ingest.paragraphs (content_hash, text, first_version_id, first_seen_at) "
                "select int4send(n), 'text ' || n, n, now() from generate_series(1, %s) n",
                [COUNT],
            )
            conn.execute("insert into ingest.appearances select n, 1, n, 'body' from generate_series(1, %s) n", [COUNT])
            conn.execute("select ingest.register_model('test', 'h', %s, now())", [DIMENSIONS])
            with conn.cursor() as cursor, cursor.copy("copy ingest.embeddings_1 from stdin (format binary)") as copy:
                copy.set_types(["int8", "halfvec"])
                for number, vector in enumerate(vectors, 1):
                    copy.write_row((number, half(vector)))
            conn.execute("analyze")
        yield name
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def conn(pg: EmbeddedServer, archive: str, tmp_path: Any) -> Iterator[Connection]:
    dsn = pg.dsn("claimwatch", archive)
    with database.session(Settings(home=tmp_path, database={"dsn": dsn})) as conn:
        yield conn


def search(conn: Connection, vector: np.ndarray, k: int, **where: Any) -> list[Any]:
    values = {"since": None, "until": None, "lang": None, **where}
    return database.rows(conn, "search.similar", vector=half(vector), k=k, **values)


def nearest(vectors: np.ndarray, query: np.ndarray, k: int, allowed: np.ndarray | None = None) -> list[int]:
    """The exact answer: paragraph numbers, nearest first."""
    near = vectors @ query
    if allowed is not None:
        near = np.where(allowed, near, -2)
    return [int(i) + 1 for i in np.argsort(-near, kind="stable")[:k]]


NUMBERS = np.arange(1, COUNT + 1)


def hour(n: int) -> datetime:
    return START + timedelta(hours=n)


@pytest.mark.parametrize(
    ("where", "allowed"),
    [
        ({"lang": "ko"}, NUMBERS % KOREAN == 0),
        ({"since": hour(3500)}, NUMBERS >= 3500),
        ({"until": hour(500)}, NUMBERS < 500),
        (
            {"since": hour(1000), "until": hour(2000), "lang": "ko"},
            (NUMBERS >= 1000) & (NUMBERS < 2000) & (NUMBERS % KOREAN == 0),
        ),
    ],
    ids=lambda v: ",".join(v) if isinstance(v, dict) else "",
)
def test_narrow_filters_are_exact(
    where: dict[str, Any], allowed: np.ndarray, conn: Connection, vectors: np.ndarray
) -> None:
    for query in vectors[:5]:
        found = search(conn, query, 10, **where)
        assert [r.paragraph_id for r in found] == nearest(vectors, query, 10, allowed)


@pytest.mark.parametrize(
    ("where", "allowed"),
    [({}, None), ({"lang": "en"}, NUMBERS % KOREAN != 0), ({"since": hour(1500)}, NUMBERS >= 1500)],
    ids=["none", "lang", "since"],
)
@pytest.mark.parametrize("k", [1, 10, 100, 400])
def test_wide_searches_give_k_rows_and_nearly_all_neighbours(
    k: int, where: dict[str, Any], allowed: np.ndarray | None, conn: Connection, vectors: np.ndarray
) -> None:
    right = 0
    for query in vectors[2000:2010]:
        found = search(conn, query, k, **where)
        assert len(found) == k
        assert [r.similarity for r in found] == sorted((r.similarity for r in found), reverse=True)
        right += len({r.paragraph_id for r in found} & set(nearest(vectors, query, k, allowed)))
    assert right >= 0.95 * 10 * k


def test_what_a_row_says(conn: Connection, vectors: np.ndarray) -> None:
    (best,) = search(conn, vectors[98], 1)
    assert best.similarity == pytest.approx(1, abs=2e-3)
    assert (best.paragraph_id, best.story_id, best.text, best.title) == (99, 99, "text 99", "title 99")
    assert (best.publisher, best.language, best.url) == ("p", "en", "https://x.example/99")
    assert best.published_at == hour(99)


def test_bounds_of_k(conn: Connection, vectors: np.ndarray) -> None:
    assert len(search(conn, vectors[0], 5000)) == 1000
    assert len(search(conn, vectors[0], 0)) == 1
    assert len(search(conn, vectors[0], 10, since=hour(COUNT - 2))) == 3
    assert search(conn, vectors[0], 10, lang="xx") == []


def test_similar_to_a_paragraph(conn: Connection, vectors: np.ndarray) -> None:
    found = conn.execute("select paragraph_id from analysis.similar_to_paragraph(99, 10)").fetchall()
    assert [r[0] for r in found] == nearest(vectors, vectors[98], 11)[1:]
    # Its own row is left out also where a filter leaves it out already.
    found = conn.execute("select paragraph_id from analysis.similar_to_paragraph(99, 10, lang => 'ko')").fetchall()
    assert [r[0] for r in found] == nearest(vectors, vectors[98], 10, NUMBERS % KOREAN == 0)
    with pytest.raises(psycopg.errors.RaiseException, match="no paragraph 999999 with a vector"):
        conn.execute("select * from analysis.similar_to_paragraph(999999)")


def test_a_vector_of_the_wrong_length(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.DataException, match="different halfvec dimensions"):
        search(conn, np.ones(3, np.float32), 5)


def test_an_analyst_may_search(pg: EmbeddedServer, archive: str, vectors: np.ndarray) -> None:
    text = "[" + ",".join(f"{v:.5f}" for v in vectors[7]) + "]"  # as `claimwatch vector` prints it
    dsn = clone_dsn(pg.dsn("claimwatch", archive), "claimwatch_analyst", pg.password("claimwatch_analyst"))
    with psycopg.connect(dsn) as analyst:
        found = analyst.execute(f"select paragraph_id from analysis.similar('{text}', 3)").fetchall()
    assert found[0] == (8,)


def plans(conn: Connection) -> tuple[str, str]:
    """The two statements inside analysis.similar, as it runs them."""
    source = conn.execute("select prosrc from pg_proc where oid = 'analysis.similar'::regproc").fetchone()[0]
    tail = conn.execute("select ingest.similar_shown()").fetchone()[0]
    narrow, wide = re.findall(r"execute format\(\s*'(.*?)', v_model", source, flags=re.DOTALL)
    return tuple(text.replace("%1$s", "1").replace("%2$s", tail) for text in (narrow, wide))  # type: ignore[return-value]


def explain(conn: Connection, statement: str, vector: np.ndarray, *where: Any) -> str:
    with conn.transaction():
        conn.execute("set local plan_cache_mode = force_custom_plan")  # as EXECUTE in PL/pgSQL plans
        conn.execute("set local hnsw.iterative_scan = relaxed_order")
        conn.execute(f"prepare p (halfvec, int, timestamptz, timestamptz, text) as {statement}")
        values = psycopg.sql.SQL(", ").join(psycopg.sql.Literal(v) for v in (half(vector), 10, *where))
        found = conn.execute(psycopg.sql.SQL("explain execute p ({})").format(values)).fetchall()
        conn.execute("deallocate p")
    return "\n".join(r[0] for r in found)


@pytest.mark.parametrize("where", [(None, None, None), (hour(1500), None, None), (None, None, "en")])
def test_wide_searches_go_through_the_index(where: tuple[Any, ...], conn: Connection, vectors: np.ndarray) -> None:
    plan = explain(conn, plans(conn)[1], vectors[0], *where)
    assert "Index Scan using embeddings_1_hnsw on embeddings_1" in plan, plan


@pytest.mark.parametrize("where", [(None, None, "ko"), (hour(3970), None, None)])
def test_narrow_searches_do_not_scan_all_vectors(where: tuple[Any, ...], conn: Connection, vectors: np.ndarray) -> None:
    plan = explain(conn, plans(conn)[0], vectors[0], *where)
    assert "Seq Scan on embeddings_1" not in plan, plan
