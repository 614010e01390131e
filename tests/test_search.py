"""Search by meaning over some thousand vectors: exact where a filter leaves few rows, by the index otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from conftest import clone, clone_dsn
from pgvector.psycopg import register_vector

from pipeline.adapters import database
from pipeline.adapters.database import Connection
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.settings import Settings
from pipeline.stages.embed import half

COUNT = 11_000
BORDER = 8000  # rows that a filter may leave in so small an archive for exact distances to be taken
DIMENSIONS = 64
MEANING = 12  # of them carry something: random vectors in all of them would be unlike any language
START = datetime(2024, 1, 1, tzinfo=UTC)  # paragraph n was published n minutes later
KOREAN = 100  # every so-manieth is Korean; of the others those that point one way are English, three quarters French
PAPERS = 40  # the last paragraph stands in as many articles
ANALYST, REVIEWER = "claimwatch_analyst", "claimwatch_reviewer"


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    made = np.zeros((COUNT, DIMENSIONS))
    made[:, :MEANING] = np.random.default_rng(5).normal(size=(COUNT, MEANING))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)


@pytest.fixture(scope="module")
def languages(vectors: np.ndarray) -> np.ndarray:
    by_meaning = np.where(vectors[:, 0] > np.quantile(vectors[:, 0], 0.75), "en", "fr")
    return np.where(NUMBERS % KOREAN == 0, "ko", by_meaning)


@pytest.fixture(scope="module")
def archive(pg: EmbeddedServer, template: str, vectors: np.ndarray, languages: np.ndarray) -> Iterator[str]:
    """A database of COUNT articles of one paragraph each; one server-side statement a table."""
    name = "t_search"
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        clone(admin, name, template)
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
                "select n, int4send(n::int), 'page', 'title ' || n, lang, %s + n * interval '1 minute', now() "
                "from unnest(%s::text[]) with ordinality as given (lang, n)",
                [START, languages.tolist()],
            )
            conn.execute(
                "insert into ingest.paragraphs (content_hash, text, first_version_id, first_seen_at) "
                "select int4send(n), 'text ' || n, n, now() from generate_series(1, %s) n",
                [COUNT],
            )
            conn.execute("insert into ingest.appearances select n, 1, n, 'body' from generate_series(1, %s) n", [COUNT])
            conn.execute(  # forty papers carry it: in the articles before its own, too
                "insert into ingest.appearances select %s - n, 2, %s, 'body' from generate_series(1, %s) n",
                [COUNT, COUNT, PAPERS - 1],
            )
            conn.execute("select ingest.register_model('test', 'h', %s, now())", [DIMENSIONS])
            index = "ingest.embeddings_1_hnsw"
            definition = conn.execute("select pg_get_indexdef(%s::regclass)", [index]).fetchone()[0]
            conn.execute(f"drop index {index}")
            with conn.cursor() as cursor, cursor.copy("copy ingest.embeddings_1 from stdin (format binary)") as copy:
                copy.set_types(["int8", "halfvec"])
                for number, vector in enumerate(vectors, 1):
                    copy.write_row((number, half(vector)))
            conn.execute(definition)
            stored = "insert into ingest.searches (name, owner, text, model_id, embedding) values (%s, %s, 'a', 1, %s)"
            conn.execute(stored, ["mine", ANALYST, half(vectors[6])])
            conn.execute(stored, ["mine", REVIEWER, half(vectors[7])])
            conn.execute(stored, ["theirs", REVIEWER, half(vectors[8])])
            conn.execute("insert into ingest.searches (name, owner, text) values ('new', %s, 'a')", [ANALYST])
            conn.execute(
                "insert into ingest.searches (name, owner, text, problem) values ('bad', %s, 'a', 'its text is empty')",
                [ANALYST],
            )
            conn.execute("vacuum analyze")
        yield name
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def conn(pg: EmbeddedServer, archive: str, tmp_path: Any) -> Iterator[Connection]:
    dsn = pg.dsn("claimwatch", archive)
    with database.session(Settings(home=tmp_path, database={"dsn": dsn})) as conn:
        yield conn


@pytest.fixture
def analyst(pg: EmbeddedServer, archive: str) -> Iterator[psycopg.Connection[Any]]:
    dsn = clone_dsn(pg.dsn("claimwatch", archive), ANALYST, pg.password(ANALYST))
    with psycopg.connect(dsn, autocommit=True) as conn:
        yield conn


def search(conn: Connection, vector: np.ndarray, k: int | None, **where: Any) -> list[Any]:
    values = {"since": None, "until": None, "lang": None, **where}
    return database.rows(conn, "search.similar", vector=half(vector), k=k, **values)


def nearest(vectors: np.ndarray, query: np.ndarray, k: int, allowed: np.ndarray | None = None) -> list[int]:
    """The exact answer: paragraph numbers, nearest first."""
    near = vectors @ query
    if allowed is not None:
        near = np.where(allowed, near, -2)
    return [int(i) + 1 for i in np.argsort(-near, kind="stable")[:k]]


NUMBERS = np.arange(1, COUNT + 1)


def minute(n: int) -> datetime:
    return START + timedelta(minutes=n)


@pytest.mark.parametrize(
    ("where", "allowed"),
    [
        ({"lang": "ko"}, NUMBERS % KOREAN == 0),
        ({"since": minute(10_000)}, NUMBERS >= 10_000),
        ({"until": minute(500)}, NUMBERS < 500),
        ({"until": minute(BORDER - 30)}, NUMBERS < BORDER - 30),  # as many as are measured one by one
        (
            {"since": minute(1000), "until": minute(9000), "lang": "ko"},
            (NUMBERS >= 1000) & (NUMBERS < 9000) & (NUMBERS % KOREAN == 0),
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
    [
        ({}, None),
        ({"since": minute(1500)}, NUMBERS >= 1500),
        ({"until": minute(BORDER + 30)}, NUMBERS < BORDER + 30),  # just too many for exact distances
    ],
    ids=["none", "since", "border"],
)
@pytest.mark.parametrize("k", [1, 10, 100, 1000])
def test_wide_searches_give_k_rows_and_nearly_all_neighbours(
    k: int, where: dict[str, Any], allowed: np.ndarray | None, conn: Connection, vectors: np.ndarray
) -> None:
    right = 0
    for query in vectors[2000:2010]:
        found = search(conn, query, k, **where)
        assert len(found) == k
        assert [r.similarity for r in found] == sorted((r.similarity for r in found), reverse=True)
        right += len({r.paragraph_id for r in found} & set(nearest(vectors, query, k, allowed)))
    assert right >= 0.97 * 10 * k


@pytest.mark.parametrize("scanned", [None, "200"])
def test_a_wide_filter_that_leaves_nothing_near_still_gives_k_rows(
    scanned: str | None, conn: Connection, vectors: np.ndarray, languages: np.ndarray
) -> None:
    """The index comes upon thousands outside the filter first. Where it gives up, all inside are measured."""
    query = np.zeros(DIMENSIONS, np.float32)
    query[0] = 1
    allowed = languages == "fr"
    assert allowed.sum() > BORDER
    with conn.transaction(force_rollback=True):
        if scanned:
            name = "analysis.similar(halfvec,integer,timestamptz,timestamptz,text)"
            body = conn.execute("select pg_get_functiondef(%s::regprocedure) as it", [name]).fetchone().it
            assert "'100000'" in body
            conn.execute(body.replace("'100000'", f"'{scanned}'"))
        found = search(conn, query, 300, lang="fr")
    assert len(found) == 300
    right = {r.paragraph_id for r in found} & set(nearest(vectors, query, 300, allowed))
    assert len(right) >= (299 if scanned else 290)  # the last may be as near as the next


def test_what_a_row_says(conn: Connection, vectors: np.ndarray, languages: np.ndarray) -> None:
    (best,) = search(conn, vectors[98], 1)
    assert best.similarity == pytest.approx(1, abs=2e-3)
    assert (best.paragraph_id, best.story_id, best.text, best.title) == (99, 99, "text 99", "title 99")
    assert (best.publisher, best.language, best.url) == ("p", languages[98], "https://x.example/99")
    assert (best.published_at, best.article_id) == (minute(99), 99)


def test_a_paragraph_in_forty_papers_is_one_row_with_the_earliest_that_passes(
    conn: Connection, vectors: np.ndarray
) -> None:
    for where, first in (
        ({}, COUNT - PAPERS + 1),
        ({"since": minute(COUNT - 5)}, COUNT - 5),
        ({"lang": "ko"}, COUNT),
    ):
        found = search(conn, vectors[COUNT - 1], 20, **where)
        numbers = [r.paragraph_id for r in found]
        assert len(numbers) == len(set(numbers)) == (6 if "since" in where else 20)
        assert numbers[0] == COUNT
        assert (found[0].article_id, found[0].published_at) == (first, minute(first))


def test_bounds_of_k(conn: Connection, vectors: np.ndarray) -> None:
    for where in ({}, {"since": minute(5000)}):
        assert len(search(conn, vectors[0], 5000, **where)) == 1000
        assert len(search(conn, vectors[0], 0, **where)) == 1
        assert len(search(conn, vectors[0], -7, **where)) == 1
        assert len(search(conn, vectors[0], None, **where)) == 20
    assert len(search(conn, vectors[0], 10, since=minute(COUNT - 2))) == 3
    assert search(conn, vectors[0], 10, lang="xx") == []
    assert search(conn, vectors[0], 10, since=minute(10), until=minute(5)) == []


def test_the_sessions_settings_stay_as_they_were(conn: Connection, vectors: np.ndarray) -> None:
    names = ("hnsw.iterative_scan", "hnsw.ef_search", "hnsw.max_scan_tuples", "enable_hashjoin", "random_page_cost")
    shown = "select array[" + ", ".join(f"current_setting('{name}')" for name in names) + "] as them"
    search(conn, vectors[0], 1)  # the extension is loaded, its settings are known
    with conn.transaction():
        conn.execute("set local hnsw.ef_search = 77")
        before = conn.execute(shown).fetchone()
        search(conn, vectors[0], 10)
        search(conn, vectors[0], 10, lang="ko")
        assert conn.execute(shown).fetchone() == before
        assert before.them[1] == "77"


def test_similar_to_a_paragraph(conn: Connection, vectors: np.ndarray) -> None:
    found = conn.execute("select paragraph_id from analysis.similar_to_paragraph(99, 10)").fetchall()
    assert [r[0] for r in found] == nearest(vectors, vectors[98], 11)[1:]
    # Its own row is left out also where a filter leaves it out already.
    found = conn.execute("select paragraph_id from analysis.similar_to_paragraph(99, 10, lang => 'ko')").fetchall()
    assert [r[0] for r in found] == nearest(vectors, vectors[98], 10, NUMBERS % KOREAN == 0)
    counts = [
        len(conn.execute("select from analysis.similar_to_paragraph(99, %s)", [k]).fetchall())
        for k in (None, 0, 2**31 - 1)
    ]
    assert counts == [20, 1, 999]
    with pytest.raises(psycopg.errors.RaiseException, match="no paragraph has the number 999999") as raised:
        conn.execute("select * from analysis.similar_to_paragraph(999999)")
    assert "analysis.paragraphs" in str(raised.value.diag.message_hint)


def test_similar_to_a_claim_says_what_is_missing(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="no claim is called 'x'") as raised:
        conn.execute("select * from analysis.similar_to_claim('x')")
    assert "analysis.claims" in str(raised.value.diag.message_hint)


def test_a_vector_of_the_wrong_length(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.DataException, match="different halfvec dimensions"):
        search(conn, np.ones(3, np.float32), 5)


def test_by_the_name_of_a_search(analyst: psycopg.Connection[Any], vectors: np.ndarray) -> None:
    def ids(name: str, *rest: Any) -> list[int]:
        places = ", ".join(["%s"] * (1 + len(rest)))
        return [r[0] for r in analyst.execute(f"select paragraph_id from analysis.similar({places})", [name, *rest])]

    assert ids("mine", 3) == nearest(vectors, vectors[6], 3)  # not the other's of that name
    assert ids("theirs", 3) == nearest(vectors, vectors[8], 3)
    since = minute(10_000)
    assert ids("mine", 3, since) == nearest(vectors, vectors[6], 3, NUMBERS >= 10_000)
    for name, said, hint in (
        ("nobody's", "no search is called 'nobody''s'", "insert into analysis.searches"),
        ("new", "the search 'new' has no vector yet", "claimwatch listen"),
        ("bad", "the search 'bad' can't be used: its text is empty", "update analysis.searches"),
        (None, "nothing to search for", "name of a row"),
    ):
        with pytest.raises(psycopg.errors.RaiseException) as raised:
            analyst.execute("select * from analysis.similar(%s::text)", [name])
        assert raised.value.diag.message_primary == said
        assert hint in str(raised.value.diag.message_hint)


def test_a_vector_in_quotes_is_one(
    analyst: psycopg.Connection[Any], vectors: np.ndarray, languages: np.ndarray
) -> None:
    text = "[" + ",".join(f"{v:.5f}" for v in vectors[7]) + "]"  # as `claimwatch vector` prints it
    for call in (f"'{text}', 3", f"' {text}'::halfvec, 3", f"'{text}', k => 3, lang => '{languages[7]}'"):
        found = analyst.execute(f"select paragraph_id from analysis.similar({call})").fetchall()
        assert found[0] == (8,)
        assert len(found) == 3


def plans(conn: Connection) -> tuple[str, str]:
    """The two statements inside analysis.similar, as it runs them: by the index, and exact."""
    name = "analysis.similar(halfvec,integer,timestamptz,timestamptz,text)"
    source = conn.execute("select prosrc from pg_proc where oid = %s::regprocedure", [name]).fetchone()[0]
    index, exact = re.findall(r"execute format\(\s*'(.*?)', v_model", source, flags=re.DOTALL)
    return tuple(text.replace("%1$s", "1") for text in (index, exact))  # type: ignore[return-value]


def explain(conn: Connection, statement: str, vector: np.ndarray, *where: Any) -> str:
    with conn.transaction():
        conn.execute("set local plan_cache_mode = force_custom_plan")  # as EXECUTE in PL/pgSQL plans
        conn.execute("set local hnsw.iterative_scan = relaxed_order")
        for setting in ("random_page_cost = 1.1", "enable_hashjoin = off", "enable_mergejoin = off"):
            conn.execute(f"set local {setting}")
        conn.execute(f"prepare p (halfvec, int, timestamptz, timestamptz, text) as {statement}")
        values = psycopg.sql.SQL(", ").join(psycopg.sql.Literal(v) for v in (half(vector), 10, *where))
        found = conn.execute(psycopg.sql.SQL("explain execute p ({})").format(values)).fetchall()
        conn.execute("deallocate p")
    return "\n".join(r[0] for r in found)


def test_the_function_has_the_settings_that_are_explained(conn: Connection) -> None:
    name = "analysis.similar(halfvec,integer,timestamptz,timestamptz,text)"
    (settings,) = conn.execute("select proconfig from pg_proc where oid = %s::regprocedure", [name]).fetchone()
    assert {"random_page_cost=1.1", "enable_hashjoin=off", "enable_mergejoin=off"} <= set(settings)


@pytest.mark.parametrize("where", [(None, None, None), (minute(1500), None, None), (None, None, "fr")])
def test_wide_searches_go_through_the_index(where: tuple[Any, ...], conn: Connection, vectors: np.ndarray) -> None:
    plan = explain(conn, plans(conn)[0], vectors[0], *where)
    assert "Index Scan using embeddings_1_hnsw on embeddings_1" in plan, plan


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ((None, None, "ko"), "versions_language"),
        ((minute(10_970), None, None), "versions_published"),
        ((minute(10_000), minute(10_100), None), "versions_published"),
    ],
)
def test_narrow_searches_scan_nothing_whole(
    where: tuple[Any, ...], index: str, conn: Connection, vectors: np.ndarray
) -> None:
    plan = explain(conn, plans(conn)[1], vectors[0], *where)
    assert "Seq Scan" not in plan, plan
    assert "embeddings_1_hnsw" not in plan, plan
    assert index in plan, plan
    assert "embeddings_1_pkey" in plan, plan
