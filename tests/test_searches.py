"""Searches in SQL: stored by name, answered by the listener, by meaning, words and both; as the analysts' role."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from conftest import BagOfWords, Bench, MovableClock, clone_dsn
from psycopg.rows import namedtuple_row

from pipeline.adapters import database
from pipeline.adapters.database import Connection, execute_many, row, rows
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.errors import ConfigurationError, PermanentError
from pipeline.logic.searchwords import VERSION, words
from pipeline.logic.text import content_hash
from pipeline.stages import embed, searches
from pipeline.stages import words as word_stage

START = datetime(2024, 12, 1, tzinfo=UTC)


@pytest.fixture
def encoder() -> Any:
    return BagOfWords()


Store = Callable[..., list[int]]


@pytest.fixture
def store(conn: Connection, bench: Bench) -> Store:
    """Stores texts as an outlet's articles of one paragraph each, with vectors and words; the paragraphs' numbers."""
    model_id = embed.model(conn, bench)

    def put(
        *texts: str, lang: str = "en", outlet: str = "The Harbour", country: str = "GB", at: datetime = START
    ) -> list[int]:
        known = {"name": outlet, "country": country}
        publisher = conn.execute(
            "insert into ingest.publishers (name, family, country) values (%(name)s, %(name)s, %(country)s) "
            "on conflict (name) do update set country = excluded.country returning publisher_id",
            known,
        ).fetchone()
        conn.execute(
            """
            with article as (
                insert into ingest.articles (url, publisher_id, first_seen_at)
                select 'https://' || md5(%(outlet)s || t) || '.example', %(publisher)s, %(at)s
                from unnest(%(texts)s::text[]) t
                returning article_id, url
            ), version as (
                insert into ingest.versions (article_id, version_hash, source, title, language, published_at, known_at)
                select article_id, url::bytea, 'page', '', %(lang)s, %(at)s, %(at)s from article
                returning article_id, version_id
            ), paragraph as (
                insert into ingest.paragraphs (content_hash, text, first_version_id, first_seen_at)
                select g.hash, g.text, version_id, %(at)s
                from unnest(%(texts)s::text[], %(hashes)s::bytea[]) as g (text, hash)
                join article on url = 'https://' || md5(%(outlet)s || g.text) || '.example'
                join version using (article_id)
                on conflict (content_hash) do update set content_hash = excluded.content_hash
                returning paragraph_id, text
            )
            insert into ingest.appearances (version_id, position, paragraph_id, kind)
            select version_id, 1, paragraph_id, 'body'
            from paragraph
            join article on url = 'https://' || md5(%(outlet)s || paragraph.text) || '.example'
            join version using (article_id)
            """,
            {
                "outlet": outlet,
                "publisher": publisher.publisher_id,
                "at": at,
                "lang": lang,
                "texts": list(texts),
                "hashes": [content_hash(text) for text in texts],
            },
        )
        found = conn.execute(
            "select paragraph_id, text from ingest.paragraphs where text = any(%s)", [list(texts)]
        ).fetchall()
        vectors = bench.encoder.encode([r.text for r in found])
        values = [
            {"paragraph_id": r.paragraph_id, "embedding": embed.half(v)} for r, v in zip(found, vectors, strict=True)
        ]
        execute_many(conn, "models.store", values, model_id)
        word_stage.fill(conn)
        number = {r.text: r.paragraph_id for r in found}
        return [number[text] for text in texts]

    return put


@contextmanager
def as_role(pg: EmbeddedServer, dsn: str, role: str) -> Iterator[Any]:
    with psycopg.connect(
        clone_dsn(dsn, role, pg.password(role)), autocommit=True, row_factory=namedtuple_row
    ) as session:
        yield session


@pytest.fixture
def analyst(pg: EmbeddedServer, dsn: str) -> Iterator[Any]:
    with as_role(pg, dsn, "claimwatch_analyst") as session:
        yield session


@contextmanager
def listening(bench: Bench) -> Iterator[None]:
    """The listener in a thread; whatever it raised comes out at the end."""
    stop, trouble = threading.Event(), []

    def work() -> None:
        try:
            searches.listen(bench, stop.is_set)
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()
    assert trouble == []


TEXTS = (
    "Soldiers were killed near the border.",
    "The summer fair opens in the harbour.",
    "A soldier came home from the border.",
    "Prices of bread rise again.",
)


def test_an_analyst_stores_a_search_and_asks_at_once(store: Store, bench: Bench, analyst: Any) -> None:
    ids = store(*TEXTS)
    with listening(bench):
        analyst.execute("insert into analysis.searches (name, text) values ('losses', 'killed soldiers')")
        found = analyst.execute("select * from analysis.search_results('losses', 2)").fetchall()
        assert [r.paragraph_id for r in found] == [ids[0], ids[2]]
        assert [r.rank for r in found] == [1, 2]
        assert found[0].found_by == "both"
        assert found[0].similarity > found[1].similarity
        (search,) = analyst.execute("select * from analysis.searches").fetchall()
        assert (search.state, search.problem, search.owner) == ("ready", None, "claimwatch_analyst")
        assert search.embedded_at - search.created_at < timedelta(seconds=2)
        # Another text waits for its vector again, and gets it.
        analyst.execute("update analysis.searches set text = 'bread prices'")
        (first,) = analyst.execute("select * from analysis.search_results('losses', 1)").fetchall()
        assert first.paragraph_id == ids[3]
        # The same in one statement, as a client with its own parameters has it.
        analyst.execute(
            "insert into analysis.searches (name, text) values ('losses', 'summer fair') "
            "on conflict (owner, name) do update set text = excluded.text"
        )
        (first,) = analyst.execute("select * from analysis.search_results('losses', 1)").fetchall()
        assert first.paragraph_id == ids[1]
        analyst.execute("delete from analysis.searches where name = 'losses'")
        assert analyst.execute("select * from analysis.searches").fetchall() == []


def test_what_waits_is_answered_at_the_start(store: Store, bench: Bench, analyst: Any) -> None:
    store(*TEXTS)
    with analyst.cursor() as cursor:
        many = [(f"s{n}", f"soldiers {n}") for n in range(70)]
        cursor.executemany("insert into analysis.searches (name, text) values (%s, %s)", many)
    assert {r.state for r in analyst.execute("select state from analysis.searches").fetchall()} == {"waiting"}
    with listening(bench):
        deadline = time.monotonic() + 10
        while analyst.execute("select from analysis.searches where state = 'waiting'").fetchall():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_one_encoding_a_batch(store: Store, bench: Bench, conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    store(*TEXTS)
    for n in range(40):
        rows(conn, "searches.ask", name=f"s{n}", text=f"soldiers {n}")
    sizes = []
    real = bench.encoder.encode

    def counting(texts: list[str]) -> Any:
        sizes.append(len(texts))
        return real(texts)

    monkeypatch.setattr(bench.encoder, "encode", counting)
    assert searches.answer(conn, bench) == 40
    assert sizes == [searches.BATCH, 40 - searches.BATCH]
    assert searches.answer(conn, bench) == 0


def test_owners_take_turns(store: Store, bench: Bench, conn: Connection, analyst: Any) -> None:
    model_id = embed.model(conn, bench)
    with analyst.cursor() as cursor:
        cursor.executemany(
            "insert into analysis.searches (name, text) values (%s, 'x')", [(f"s{n}",) for n in range(100)]
        )
    mine = row(conn, "searches.ask", name="mine", text="soldiers").search_id
    first = rows(conn, "searches.waiting", model_id=model_id, chunk=2)
    assert mine in {r.search_id for r in first}


@pytest.mark.parametrize("text", ["", "   ", "?!", "☹"])
def test_a_text_with_nothing_in_it_fails_with_the_reason(
    text: str, bench: Bench, conn: Connection, analyst: Any
) -> None:
    analyst.execute("insert into analysis.searches (name, text) values ('bad', %s), ('good', 'soldiers')", [text])
    searches.answer(conn, bench)
    states = dict(analyst.execute("select name, state from analysis.searches").fetchall())
    assert states == {"bad": "failed", "good": "ready"}
    with pytest.raises(psycopg.errors.DataException, match="neither a letter nor a digit") as raised:
        analyst.execute("select * from analysis.search_results('bad')")
    assert "update analysis.searches set text" in str(raised.value.diag.message_hint)
    analyst.execute("update analysis.searches set text = 'better' where name = 'bad'")
    assert searches.answer(conn, bench) == 1
    assert analyst.execute("select * from analysis.search_results('bad')").fetchall() == []


def test_a_text_that_the_model_chokes_on_spoils_no_other(
    bench: Bench, conn: Connection, analyst: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = bench.encoder.encode

    def choking(texts: list[str]) -> Any:
        if "poison" in texts:
            raise RuntimeError("no")
        found = real(texts)
        for n, text in enumerate(texts):
            if text == "hollow":
                found[n] = np.nan
        return found

    monkeypatch.setattr(bench.encoder, "encode", choking)
    for text in ("poison", "hollow", "bread", "prices"):
        analyst.execute("insert into analysis.searches (name, text) values (%s, %s)", [text, text])
    searches.answer(conn, bench)
    found = {r.name: (r.state, r.problem) for r in analyst.execute("select * from analysis.searches").fetchall()}
    assert found == {
        "poison": ("failed", "the model can't read it (RuntimeError)"),
        "hollow": ("failed", "the model makes no vector of it"),
        "bread": ("ready", None),
        "prices": ("ready", None),
    }


def test_limits(conn: Connection, analyst: Any) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="5000 characters at most, this one has 5001"):
        analyst.execute("insert into analysis.searches (name, text) values ('long', repeat('x', 5001))")
    with pytest.raises(psycopg.errors.CheckViolation):
        analyst.execute("insert into analysis.searches (name, text) values (repeat('n', 101), 'x')")
    analyst.execute("insert into analysis.searches (name, text) select n, 'x' from generate_series(1, 1000) n")
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="claimwatch_analyst has 1000 searches") as raised:
        analyst.execute("insert into analysis.searches (name, text) values ('one more', 'x')")
    assert "delete from analysis.searches" in str(raised.value.diag.message_hint)
    rows(conn, "searches.ask", name="of another", text="x")


def test_everyone_has_searches_of_their_own(pg: EmbeddedServer, dsn: str, conn: Connection, analyst: Any) -> None:
    analyst.execute("insert into analysis.searches (name, text) values ('mine', 'x')")
    with as_role(pg, dsn, "claimwatch_reviewer") as reviewer:
        assert reviewer.execute("select * from analysis.searches").fetchall() == []
        assert reviewer.execute("delete from analysis.searches").rowcount == 0
        assert reviewer.execute("update analysis.searches set text = 'y'").rowcount == 0
        with pytest.raises(psycopg.errors.NoDataFound, match="you have no search named mine") as raised:
            reviewer.execute("select * from analysis.search_results('mine')")
        assert "insert into analysis.searches" in str(raised.value.diag.message_hint)
        reviewer.execute("insert into analysis.searches (name, text) values ('mine', 'of the reviewer')")
    for statement in (
        "insert into analysis.searches (name, text, owner) values ('theirs', 'x', 'claimwatch_reviewer')",
        "update analysis.searches set owner = 'claimwatch_reviewer'",
        "insert into ingest.searches (name, text) values ('x', 'x')",
        "select * from ingest.searches",
        "select ingest.find_search('mine')",
        "select ingest.words_of('x')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute(statement)
    owners = {r.owner for r in conn.execute("select owner from ingest.searches").fetchall()}
    assert owners == {"claimwatch_analyst", "claimwatch_reviewer"}


def test_without_a_listener_one_is_told_so(analyst: Any) -> None:
    analyst.execute("insert into analysis.searches (name, text) values ('losses', 'killed')")
    begun = time.monotonic()
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="still waits") as raised:
        analyst.execute("select * from analysis.search_results('losses')")
    assert 4.5 < time.monotonic() - begun < 10
    assert "claimwatch listen" in str(raised.value.diag.message_hint)


def test_the_listener_survives_a_lost_connection(
    store: Store, bench: Bench, conn: Connection, analyst: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "BACK_OFF", (0.1,))
    store(*TEXTS)
    with listening(bench):
        lost = set()
        for n in range(3):
            deadline = time.monotonic() + 10
            while not (pids := {r.pid for r in rows(conn, "searches.listener", name=searches.NAME)} - lost):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            lost |= pids
            for pid in pids:
                conn.execute("select pg_terminate_backend(%s)", [pid])
            analyst.execute("insert into analysis.searches (name, text) values (%s, 'soldiers')", [f"after {n}"])
            assert analyst.execute("select * from analysis.search_results(%s, 1)", [f"after {n}"]).fetchall()


def test_a_listener_that_never_worked_says_why(bench: Bench) -> None:
    bench.settings = bench.settings.model_copy(
        update={"database": type(bench.settings.database)(dsn="postgresql://nobody@127.0.0.1:1/none")}
    )
    with pytest.raises(ConfigurationError, match="no connection to the database"):
        searches.listen(bench)


def test_a_change_of_model(store: Store, bench: Bench, conn: Connection, analyst: Any) -> None:
    """A search that was ready is so again, with the new model's vector, once that model is in use."""
    store(*TEXTS)
    analyst.execute("insert into analysis.searches (name, text) values ('losses', 'killed')")
    assert searches.answer(conn, bench) == 1
    new = BagOfWords()
    new.name = new.weights_hash = "other words"
    bench.encoder = new  # type: ignore[misc]
    model_id = embed.model(conn, bench)
    assert searches.answer(conn, bench) == 0  # the old one is still in use, and its vector is there
    analyst.execute("insert into analysis.searches (name, text) values ('more', 'bread')")
    assert searches.answer(conn, bench) == 0  # nobody has the old one any more
    with conn.transaction():
        rows(conn, "models.deactivate")
        rows(conn, "models.activate", model_id=model_id)
    assert {r.state for r in analyst.execute("select state from analysis.searches").fetchall()} == {"waiting"}
    assert searches.answer(conn, bench) == 2
    assert {r.state for r in analyst.execute("select state from analysis.searches").fetchall()} == {"ready"}


def test_the_command_line_asks_a_listener(store: Store, bench: Bench, conn: Connection) -> None:
    store(*TEXTS)

    class Unloaded:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError("the model was loaded")

    with listening(bench):
        deadline = time.monotonic() + 10
        while not rows(conn, "searches.listener", name=searches.NAME):
            assert time.monotonic() < deadline
        other = Bench(bench.settings, bench.clock, Unloaded())  # type: ignore[arg-type]
        found = searches.query(conn, other, "killed soldiers")
        assert found.words == ["killed", "soldie"]
        assert found.vector.to_list() == embed.half(bench.encoder.encode(["killed soldiers"])[0]).to_list()
        with pytest.raises(PermanentError, match="neither a letter"):
            searches.query(conn, other, "?")
    assert conn.execute("select count(*) as n from ingest.searches").fetchone().n == 0
    assert searches.query(conn, bench, "killed soldiers").words == found.words  # without one it does it itself


# Full text


def texts_found(session: Any, *arguments: Any, k: int = 20, **filters: Any) -> list[str]:
    given = "".join(f", {name} => %({name})s" for name in filters)
    query = f"select text from analysis.full_text(%(query)s, %(k)s{given}) order by rank"
    return [r.text for r in session.execute(query, {"query": arguments[0], "k": k, **filters}).fetchall()]


def test_words_in_many_languages(store: Store, analyst: Any) -> None:
    said = {
        "en": "North Korean soldiers were killed.",
        "ru": "Северокорейских солдат перебросили в Курскую область.",
        "uk": "Військовослужбовці КНДР п’ятий день штурмують Курщину.",
        "ko": "북한군이 쿠르스크에 파병됐다.",
        "ja": "北朝鮮軍の兵士が派遣された。",
        "zh": "朝鲜军队抵达库尔斯克。",
        "fr": "Des soldats nord-coréens déployés à Koursk.",
    }
    for lang, text in said.items():
        store(text, lang=lang, outlet=lang)
    asked = {
        "en": "soldier",
        "ru": "северокорейские",
        "uk": "військовослужбовець П'ЯТИЙ",
        "ko": "파병",
        "ja": "兵士",
        "zh": "库尔斯克",
        "fr": "DEPLOYE",
    }
    for lang, query in asked.items():
        assert texts_found(analyst, query)[0] == said[lang], lang
        assert texts_found(analyst, query, lang=lang) == [said[lang]]


def test_rare_words_count_more_and_short_texts_too(store: Store, analyst: Any) -> None:
    store(*(f"The border and the harbour, day {n}." for n in range(30)), "A zeppelin at the border.", "The border.")
    found = texts_found(analyst, "the border zeppelin")
    assert found[0] == "A zeppelin at the border."
    assert found[1] == "The border."


def test_full_text_is_bm25_with_each_word_counted_once(store: Store, conn: Connection) -> None:
    store(*TEXTS)
    bags = [set(words(text)) for text in TEXTS]
    mean = float(np.mean([len(bag) for bag in bags]))
    for query in ("killed soldiers border", "the fair", "border border bread"):
        expected = {}
        for text, bag in zip(TEXTS, bags, strict=True):
            weight = 0.0
            for word in set(words(query)) & bag:
                having = sum(word in other for other in bags)
                weight += np.log1p((len(TEXTS) - having + 0.5) / (having + 0.5))
            if weight:
                expected[text] = weight * 2.2 / (1 + 1.2 * (0.25 + 0.75 * len(bag) / mean))
        found = conn.execute("select text, score, rank from analysis.full_text(%s)", [query]).fetchall()
        assert {r.text: r.score for r in found} == pytest.approx(expected, rel=1e-4)
        assert [r.score for r in found] == sorted((r.score for r in found), reverse=True)


def test_filters_and_k(store: Store, conn: Connection) -> None:
    store("Soldiers at the border.", outlet="One", country="GB", at=START)
    store("Soldiers at the border again.", outlet="Two", country="KR", lang="ko", at=START + timedelta(days=2))
    store("Soldiers at the border.", outlet="Two", country="KR", lang="ko", at=START + timedelta(days=3))
    both = {"Soldiers at the border.", "Soldiers at the border again."}
    assert set(texts_found(conn, "soldiers")) == both
    assert texts_found(conn, "soldiers", until=START + timedelta(days=1)) == ["Soldiers at the border."]
    assert texts_found(conn, "soldiers", since=START + timedelta(days=4)) == []
    assert set(texts_found(conn, "soldiers", lang="ko")) == both
    for k, length in ((1, 1), (0, 1), (-5, 1), (None, 2), (10**6, 2)):
        assert len(texts_found(conn, "soldiers", k=k)) == length  # type: ignore[arg-type]
    # Shown where it stands within the filter, not where it stood first.
    query = "select publisher, published_at from analysis.full_text('soldiers', since => %s) where text = %s"
    shown = conn.execute(query, [START + timedelta(days=1), "Soldiers at the border."]).fetchall()
    assert [r.publisher for r in shown] == ["Two"]


@pytest.mark.parametrize("query", ["", "  ", "?", None, "'", "\\", "a'b\\c", "zzz", "x" * 6000, "& | ! ( ) :*"])
def test_any_words_may_be_asked_for(query: str | None, store: Store, analyst: Any) -> None:
    store(*TEXTS)
    assert analyst.execute("select * from analysis.full_text(%s)", [query]).fetchall() == []
    odd = [query, "'", "\\", "", None, "a & b", "soldie"]
    found = analyst.execute("select * from analysis.hybrid(null, %s)", [odd]).fetchall()
    assert {r.text for r in found} == {TEXTS[0], TEXTS[2]}
    assert {r.found_by for r in found} == {"words"}


def test_counted_beforehand_or_not_the_order_is_the_same(
    store: Store, conn: Connection, monkeypatch: pytest.MonkeyPatch, clock: MovableClock
) -> None:
    rng = np.random.default_rng(0)
    vocabulary = [f"w{n}q" for n in range(60)]
    store(*{" ".join(rng.choice(vocabulary, 12, p=_zipf(60))) + f" u{n}v" for n in range(300)})
    query = "w1q w7q w20q w33q"
    before = texts_found(conn, query)
    assert not word_stage.count(conn, clock.now())
    monkeypatch.setattr(word_stage, "COUNTED_FROM", 100)
    monkeypatch.setattr(word_stage, "RARE", 1)
    assert word_stage.count(conn, clock.now())
    counted = {r.word: r.paragraphs for r in conn.execute("select * from ingest.word_counts").fetchall()}
    exact = conn.execute("select count(*) as n from ingest.paragraph_words where words @@ 'w1q'").fetchone().n
    assert counted["w1q"] == exact
    assert "u5v" not in counted  # a word that hardly any paragraph has is not listed
    assert texts_found(conn, query) == before
    assert not word_stage.count(conn, clock.now())  # nothing has changed since
    store(*(f"again w1q {n}" for n in range(40)))
    assert word_stage.count(conn, clock.now())
    monkeypatch.setattr(word_stage, "COUNTED_FROM", 10_000)
    assert not word_stage.count(conn, clock.now())
    assert conn.execute("select * from ingest.word_counts").fetchall() == []


def _zipf(n: int) -> Any:
    weights = 1 / np.arange(1, n + 1)
    return weights / weights.sum()


def test_words_of_older_paragraphs_are_made(store: Store, conn: Connection) -> None:
    ids = store(*TEXTS)
    conn.execute("delete from ingest.paragraph_words where paragraph_id = %s", [ids[0]])
    conn.execute(
        "update ingest.paragraph_words set version = %s, words = '' where paragraph_id = %s", [VERSION - 1, ids[1]]
    )
    assert texts_found(conn, "killed") == []
    assert word_stage.fill(conn) == 2
    assert word_stage.fill(conn) == 0
    assert texts_found(conn, "killed") == [TEXTS[0]]
    assert texts_found(conn, "summer") == [TEXTS[1]]


def test_a_paragraph_of_a_megabyte_has_words(store: Store, conn: Connection) -> None:
    text = " ".join(f"слов{n:06d}" for n in range(80_000))
    store(text)
    assert len(text.encode()) > 10**6
    assert texts_found(conn, "слов000001 слов000002") == [text]


# Both


def test_hybrid_brings_what_either_finds(store: Store, conn: Connection, bench: Bench) -> None:
    ids = store(*TEXTS)
    vector = embed.half(bench.encoder.encode(["bread prices"])[0])
    found = conn.execute("select * from analysis.hybrid(%s, %s, 4)", [vector, ["summer"]]).fetchall()
    assert {r.paragraph_id: r.found_by for r in found} == {
        ids[0]: "meaning", ids[1]: "both", ids[2]: "meaning", ids[3]: "meaning",
    }  # fmt: skip
    assert [r.rank for r in found] == [1, 2, 3, 4]
    assert found[0].paragraph_id == ids[3]
    similar = conn.execute("select * from analysis.similar(%s, 4)", [vector]).fetchall()
    assert [r.paragraph_id for r in similar] == [
        r.paragraph_id for r in conn.execute("select * from analysis.hybrid(%s, null, 4)", [vector]).fetchall()
    ]
    assert similar[0]._fields[:9] == found[0]._fields[:9]
    assert {r.paragraph_id: r.similarity for r in similar} == {r.paragraph_id: r.similarity for r in found}


def test_hybrid_takes_the_fusion_that_was_chosen(store: Store, conn: Connection, bench: Bench) -> None:
    """Similarity between the nearest and the hundredth, and half a share of the best words, by hand."""
    rng = np.random.default_rng(1)
    vocabulary = [f"w{n}q" for n in range(40)]
    ids = np.array(store(*{" ".join(rng.choice(vocabulary, 9, p=_zipf(40))) for _ in range(250)}))
    asked = "w0q w4q w9q w15q"
    vector = bench.encoder.encode([asked])[0]
    got = conn.execute("select * from analysis.hybrid(%s, %s, 50)", [embed.half(vector), words(asked)]).fetchall()
    nearness = "select paragraph_id, -(embedding <#> %s) from ingest.embeddings_1"
    cosines = dict(conn.execute(nearness, [embed.half(vector)]).fetchall())
    scores = dict(conn.execute("select paragraph_id, score from analysis.full_text(%s, 1000)", [asked]).fetchall())
    near = sorted(ids, key=lambda i: -cosines[i])[:100]
    best_words = sorted(scores, key=lambda i: (-scores[i], i))[:100]
    top, far, most = cosines[near[0]], cosines[near[-1]], max(scores.values())
    fused = {
        i: (cosines[i] - far) / (top - far) + 0.5 * scores.get(i, 0) / most for i in {*map(int, near), *best_words}
    }
    expected = sorted(fused.values(), reverse=True)[:50]
    assert [fused[r.paragraph_id] for r in got] == pytest.approx(expected, abs=2e-3)
    assert {r.found_by for r in got} <= {"both", "meaning", "words"}


@pytest.mark.parametrize("many", [False, True], ids=["few pass", "many pass"])
def test_hybrid_by_country_and_outlet(many: bool, store: Store, conn: Connection, bench: Bench) -> None:
    if many:  # more texts than are looked at one by one
        store(*(f"Filler number {n}." for n in range(2100)), outlet="Two", country="KR")
    (one,) = store("Soldiers at the border.", outlet="One", country="GB")
    (two,) = store("Soldiers at the border again.", outlet="Two", country="KR")
    vector = embed.half(bench.encoder.encode(["soldiers border"])[0])

    def found(**filters: Any) -> list[int]:
        given = "".join(f", {name} => %({name})s" for name in filters)
        query = f"select paragraph_id from analysis.hybrid(%(vector)s, %(words)s, 3{given}) order by rank"
        values = {"vector": vector, "words": ["soldie"], **filters}
        return [r.paragraph_id for r in conn.execute(query, values).fetchall()]

    assert set(found()[:2]) == {one, two}
    assert found(country="GB") == [one]
    assert found(country="KR")[0] == two
    assert found(outlet="One") == [one]
    assert found(outlet="Two", lang="en")[0] == two
    assert found(outlet="One", country="KR") == []
    assert found(country="GB", until=START) == []


def test_the_channel_is_the_one_that_the_trigger_tells(settings: Any) -> None:
    with database.session(settings) as one, database.session(settings) as other:
        from pipeline.adapters import notifications

        notifications.subscribe(one, searches.CHANNEL)
        assert not notifications.wait(one, 0.05)
        rows(other, "searches.ask", name="x", text="x")
        assert notifications.wait(one, 5)
