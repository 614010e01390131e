"""The stage `group` on a real database: stories, waiting, tracking what comes later, and look-ups of fixed size."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from conftest import Bench, FakeEncoder, MovableClock
from desk import UNREAD

from pipeline.adapters import database
from pipeline.adapters.database import Connection, rows
from pipeline.logic import grouping
from pipeline.logic.text import content_hash
from pipeline.stages import embed, group
from pipeline.stages.services import run_stage

REPORT = (
    "The ferry to the outer islands stopped on Monday after its engine failed for the third time this winter.",
    "Two hundred passengers spent the night in a school by the quay, the harbour office said on Tuesday morning.",
    "The owner promises a new engine by the weekend and wants to give the money for the tickets back to everybody.",
)
OTHER = (
    "Parliament has passed the budget after a night of talks in which both chambers changed most of its chapters.",
    "The minister called it a good day for schools, while the opposition left the hall before the final vote.",
)


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.encoder = FakeEncoder()  # type: ignore[assignment]
    return bench


class Desk:
    """Puts articles into the database as `extract` does, without pages."""

    def __init__(self, conn: Connection, bench: Bench) -> None:
        self.conn, self.bench = conn, bench
        conn.execute("insert into ingest.publishers (name, family) values ('A', 'A'), ('B', 'B')")

    def article(self, title: str, *paragraphs: str, hours: float = 0, publisher: int = 1) -> int:
        from pipeline.stages.extract import _add_paragraphs
        from pipeline.stages.work import Run

        now = self.bench.clock.now()
        run = Run(self.conn, self.bench, "extract", 0, 1)
        with self.conn.transaction():
            number = self.conn.execute(
                "insert into ingest.articles (url, publisher_id, first_seen_at) "
                "select 'https://x.example/' || count(*), %s, %s from ingest.articles returning article_id",
                [publisher, now],
            ).fetchone()[0]
            texts = [title, *paragraphs]
            version = database.row(
                self.conn,
                "articles.add_version",
                article_id=number,
                version_hash=content_hash(f"{number} {texts}"),
                source="page",
                title=title,
                author=None,
                **UNREAD,
                language="en",
                published_at=now + timedelta(hours=hours),
                now=now,
            )
            new = _add_paragraphs(run, version.version_id, texts, "en", now)
            run.queue("embed", new)
            if not new:
                run.queue("group", [number])
        rows(self.conn, "work.drop_run", run_id=run.run_id)
        return int(number)

    def told(self) -> dict[int, tuple[int, str]]:
        query = "select article_id, story_id, story_relation from ingest.articles where story_id is not null"
        return {r[0]: (r[1], r[2]) for r in self.conn.execute(query)}


@pytest.fixture
def desk(conn: Connection, bench: Bench) -> Desk:
    return Desk(conn, bench)


def pending(conn: Connection, stage: str) -> list[int]:
    query = "select item_id from ingest.work where stage = %s order by item_id"
    return [r[0] for r in conn.execute(query, [stage])]


def test_copies_join_and_others_found_stories(desk: Desk, conn: Connection, bench: Bench, clock: MovableClock) -> None:
    first = desk.article("Ferry stops", *REPORT)
    short = desk.article("Night by the quay", *REPORT[:2], hours=2, publisher=2)
    other = desk.article("Budget passed", *OTHER, hours=1)
    bench.run(conn, "embed")
    assert pending(conn, "group") == [first, short, other]
    report = bench.run(conn, "group")["group"]
    assert report.outcomes == {"first": 2, "copy": 1}
    told = desk.told()
    assert told[first][0] == told[short][0] != told[other][0]
    assert (told[first][1], told[short][1], told[other][1]) == ("first", "copy", "first")

    clock.move(days=20)  # a copy found later, with small changes in its words
    late = desk.article("Ferry stops", *(p.replace("the quay", "the port") for p in REPORT), hours=0)
    same = desk.article("Ferry stops", *REPORT)  # nothing of it is new: extract itself queues it
    assert pending(conn, "group") == [same]
    bench.run(conn, "embed", "group")
    assert desk.told()[late] == desk.told()[same] == (told[first][0], "copy")
    assert conn.execute("select count(*) from ingest.stories").fetchone()[0] == 2

    story = conn.execute("select * from analysis.stories where story_id = %s", [told[first][0]]).fetchone()
    assert (story.articles, story.publishers, story.families, story.copies_only) == (4, 2, 2, True)
    assert (story.first_title, story.languages) == ("Ferry stops", ["en"])
    lines = conn.execute(
        "select article_id, relation, similarity from analysis.story_articles where story_id = %s order by article_id",
        [told[first][0]],
    ).fetchall()
    assert [r.relation for r in lines] == ["first", "copy", "copy", "copy"]
    assert lines[0].similarity is None
    assert all(0.5 <= r.similarity <= 1 for r in lines[1:])


def test_again_changes_nothing(desk: Desk, conn: Connection, bench: Bench) -> None:
    number = desk.article("Ferry stops", *REPORT)
    bench.run(conn, "embed", "group")
    before = desk.told()
    rows(conn, "work.add_all", stage="group", item_ids=[number], due_at=bench.clock.now())
    assert bench.run(conn, "group")["group"].outcomes == {"known": 1}
    conn.execute("delete from ingest.story_sketches")  # as for what was grouped before there were sketches
    rows(conn, "work.add_all", stage="group", item_ids=[number], due_at=bench.clock.now())
    assert bench.run(conn, "group")["group"].outcomes == {"sketched": 1}
    assert desk.told() == before
    copy = desk.article("Ferry stops", *REPORT)
    bench.run(conn, "group")
    assert desk.told()[copy] == (before[number][0], "copy")


def test_it_waits_for_vectors(desk: Desk, conn: Connection, bench: Bench, clock: MovableClock) -> None:
    number = desk.article("Ferry stops", *REPORT)
    run_stage(conn, bench, "embed", limit=2)
    assert pending(conn, "group") == []
    rows(conn, "work.add_all", stage="group", item_ids=[number], due_at=bench.clock.now())
    assert bench.run(conn, "group")["group"].outcomes == {"waiting-for-vectors": 1}
    clock.move(minutes=2)
    assert bench.run(conn, "embed", "group")["group"].outcomes == {"first": 1}


def test_two_embedders_with_parts_of_one_article(
    desk: Desk, conn: Connection, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees the other's vectors while both are open: the lock makes the later one look after the earlier."""
    number = desk.article("Ferry stops", *REPORT)
    barrier, errors = threading.Barrier(2, timeout=20), []
    real = database.execute_many

    def together(conn: Connection, name: str, values: list[dict[str, Any]], model_id: int | None = None) -> None:
        real(conn, name, values, model_id)
        if name == "models.store":
            barrier.wait()

    embed.model(conn, bench)
    monkeypatch.setattr(embed, "execute_many", together)

    def work() -> None:
        try:
            with database.session(bench.settings) as own:
                embed.run(own, bench, 2)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert pending(conn, "embed") == []
    assert pending(conn, "group") == [number]


def test_two_groupers_found_one_story(
    desk: Desk, conn: Connection, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two copies come at once: who comes second sees the first one's story."""
    numbers = [desk.article(f"Ferry stops {n}", *REPORT) for n in range(2)]
    bench.run(conn, "embed")
    barrier, errors = threading.Barrier(2, timeout=20), []
    real = group.rows

    def together(conn: Connection, name: str, model_id: int | None = None, /, **values: Any) -> list[Any]:
        if name == "stories.lock":
            barrier.wait()
        return real(conn, name, model_id, **values)

    monkeypatch.setattr(group, "rows", together)

    def work() -> None:
        try:
            with database.session(bench.settings) as own:
                group.run(own, bench, 1)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    told = desk.told()
    assert len(told) == 2
    assert told[numbers[0]][0] == told[numbers[1]][0]
    assert sorted(relation for _, relation in told.values()) == ["copy", "first"]


def match(conn: Connection, bench: Bench, paragraph: str) -> int:
    """An accepted match of a paragraph, queued for tracking."""
    now = bench.clock.now()
    with conn.transaction():
        conn.execute("insert into ingest.topics values ('t', 't', %s) on conflict do nothing", [now])
        conn.execute("insert into ingest.claims values ('c', 't', 1, 1, %s) on conflict do nothing", [now])
        conn.execute(
            "insert into ingest.claim_versions (claim_id, version, statement, definition, definition_hash, loaded_at) "
            "values ('c', 1, 's', '{}', '', %s)",
            [now],
        )
        number = conn.execute(
            "insert into ingest.matches (claim_id, claim_version_id, paragraph_id, model_id, matcher, probability, "
            "tier, stance, sentence, features, matched_at) select 'c', 1, paragraph_id, 1, 'm', 0.9, 'accepted', "
            "'supports', 's', '{}', %s from ingest.paragraphs where text = %s returning match_id",
            [now, paragraph],
        ).fetchone()[0]
        rows(conn, "work.add_all", stage="track", item_ids=[number], due_at=now)
    return int(number)


def test_track_waits_for_the_story_and_hears_of_later_ones(
    desk: Desk, conn: Connection, bench: Bench, clock: MovableClock
) -> None:
    desk.article("Ferry stops", *REPORT)
    bench.run(conn, "embed")
    number = match(conn, bench, REPORT[0])
    report = bench.run(conn, "track")["track"]
    assert report.outcomes == {"waiting-for-story": 1}
    bench.run(conn, "group")
    assert bench.run(conn, "track")["track"].outcomes == {"first_seen": 1}  # at once: its story has queued it

    # A copy brings no news; a story of its own that quotes the paragraph does.
    clock.move(hours=1)
    desk.article("Ferry stops", *REPORT)
    bench.run(conn, "embed", "group")
    assert pending(conn, "track") == [number]
    assert bench.run(conn, "track")["track"].outcomes == {"known-story": 1}
    desk.article("What the islands need", *OTHER, *(f"{p} Said nobody." for p in OTHER), REPORT[0])
    bench.run(conn, "embed", "group", "track")
    events = conn.execute("select kind, story_id from ingest.claim_events order by event_id").fetchall()
    assert [r.kind for r in events] == ["first_seen", "new_story"]
    assert events[0].story_id != events[1].story_id


def test_a_match_in_work_is_taken_back(desk: Desk, conn: Connection, bench: Bench, clock: MovableClock) -> None:
    """A tracker that read the stories before this one was there may not settle the match."""
    desk.article("Ferry stops", *REPORT)
    bench.run(conn, "embed", "group")
    number = match(conn, bench, REPORT[0])
    desk.article("Ferry stops", *REPORT)
    from pipeline.stages.work import begin

    with begin(conn, bench, "track") as run:
        [item] = run.claim(10)
        assert item.item_id == number
        bench.run(conn, "group")
        with run.settling(item):
            run.done(item, "first_seen")
        assert run.report.outcomes == {"lease-lost": 1}
    assert bench.run(conn, "track")["track"].outcomes == {"first_seen": 1}


@pytest.fixture
def large(conn: Connection, bench: Bench) -> Iterator[int]:
    """An archive of 5,000 grouped articles of two paragraphs: enough that reading it whole would be the dear way."""
    count = 5000
    model_id = embed.model(conn, bench)
    with conn.transaction():
        conn.execute("insert into ingest.publishers (name, family) values ('p', 'p')")
        conn.execute("insert into ingest.stories (first_seen_at) select now() from generate_series(1, %s)", [count])
        conn.execute(
            "insert into ingest.articles (url, publisher_id, story_id, first_seen_at) "
            "select 'u' || n, 1, n, now() from generate_series(1, %s) n",
            [count],
        )
        conn.execute(
            "insert into ingest.versions (article_id, version_hash, source, title, language, published_at, known_at) "
            "select n, int4send(n), 'page', 't', 'en', now() - n * interval '1 hour', now() "
            "from generate_series(1, %s) n",
            [count],
        )
        conn.execute(
            "insert into ingest.paragraphs (content_hash, text, first_version_id, first_seen_at) "
            "select int4send(n), 'text ' || n, n, now() from generate_series(1, %s) n",
            [count],
        )
        conn.execute("insert into ingest.appearances select n, 0, n, 'title' from generate_series(1, %s) n", [count])
        conn.execute("insert into ingest.appearances select n, 1, 1, 'body' from generate_series(1, %s) n", [count])
        conn.execute(
            "insert into ingest.story_sketches select n, n, '', 9, '{}', '{}' from generate_series(1, %s) n", [count]
        )
        conn.execute(
            "insert into ingest.story_bands select case when n %% 2 = 0 then 1 else n end, n "
            "from generate_series(1, %s) n",
            [count],
        )
        values = np.random.default_rng(3).normal(size=(count, bench.encoder.dimensions)).astype(np.float32)
        database.execute_many(
            conn,
            "models.store",
            [{"paragraph_id": n, "embedding": embed.half(v)} for n, v in enumerate(values, 1)],
            model_id,
        )
    conn.execute("vacuum analyze")
    yield model_id


LOOKUPS: dict[str, dict[str, Any]] = {
    "to_group": {"article_ids": [7, 8]},
    "texts": {"version_id": 7},
    "same_bands": {"bands": [1, 7, 9], "article_id": 7, "each": grouping.LATEST, "k": grouping.COPIES},
    "sharing": {"version_id": 7, "article_id": 7, "each": grouping.LATEST, "k": grouping.COPIES},
    "candidates": {"article_ids": [7, 8, 9]},
    "vectors": {"version_ids": [7, 8, 9], "head": grouping.HEAD},
    "near": {"head": grouping.HEAD, "k": grouping.NEAR, "each": grouping.EACH, "latest": grouping.LATEST},
    "queue_embedded": {"paragraph_ids": [7, 8]},
    "queue_track": {"article_id": 7},
}


def test_lookups_do_not_grow_with_the_archive(large: int, conn: Connection, clock: MovableClock) -> None:
    """Each goes by indexes, and reads few rows of the 5,000; one paragraph stands in all of them."""
    for name in LOOKUPS:
        assert_indexed(name, large, conn, clock)


def assert_indexed(name: str, large: int, conn: Connection, clock: MovableClock) -> None:
    values = dict(LOOKUPS[name])
    now = conn.execute("select now()").fetchone()[0]
    if name == "near":
        values |= {"vector": embed.half(np.ones(8, np.float32)), "since": now - timedelta(days=7), "until": now}
    if name.startswith("queue"):
        values["now"] = clock.now()
    with conn.transaction(force_rollback=True):
        scan = {"ef_search": str(grouping.NEAR_ANYTIME), "max_scan_tuples": str(group.MAX_SCAN)}
        rows(conn, "stories.bound_search", **scan)
        explain = "explain (analyze, format json) "
        query = database.sql.SQL(explain) + database.statement(f"stories.{name}", large)
        plan = conn.execute(query, values).fetchone()[0][0]["Plan"]
    seen = list(nodes(plan))
    for node in seen:
        if node["Node Type"] == "Seq Scan":
            assert node["Relation Name"] in ("matches", "publishers", "work"), (name, node)
    if name == "near":
        assert any(node.get("Index Name") == f"embeddings_{large}_hnsw" for node in seen)
    else:
        most = max(node["Actual Rows"] * node["Actual Loops"] for node in seen)
        assert most <= 300, (name, [(n["Node Type"], n["Actual Rows"], n["Actual Loops"]) for n in seen])


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)
