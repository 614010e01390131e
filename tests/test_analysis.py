"""The views and functions that the desk's pages are made of, over some evenings of the newsroom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from conftest import Bench, clone

from pipeline.adapters.database import Connection, rows
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.logic.decision import FEATURES

pytestmark = pytest.mark.model
NOW = datetime(2024, 11, 5, 23, 59, tzinfo=UTC)  # the last evening
BEFORE = datetime(2024, 10, 23, 23, 59, tzinfo=UTC)


@pytest.fixture
def dsn(newsroom_copy: str) -> str:
    return newsroom_copy


def all_of(conn: Connection, query: str, *values: Any) -> list[Any]:
    return list(conn.execute(query, values).fetchall())


def board(conn: Connection, since: datetime = BEFORE, as_of: datetime = NOW) -> dict[str, Any]:
    return {r.claim_id: r for r in all_of(conn, "select * from analysis.board(%s, %s)", since, as_of)}


# The board


def test_the_board_says_what_the_single_views_say(conn: Connection) -> None:
    shown = board(conn)
    assert list(shown) == [r.claim_id for r in all_of(conn, "select claim_id from ingest.claims order by position")]
    moved = {r.claim_id: r for r in all_of(conn, "select * from analysis.what_changed(%s, %s)", BEFORE, NOW)}
    assert moved, "something happened in between"
    for claim, line in shown.items():
        (state,) = all_of(conn, "select * from analysis.claim_state(%s, %s, %s)", claim, NOW, NOW)
        for name in (
            "state",
            "stories",
            "articles",
            "families",
            "origins",
            "supports",
            "refutes",
            "last_at",
            "last_event",
        ):
            assert getattr(line, name) == getattr(state, name), (claim, name)
        change = moved.get(claim)
        assert line.new_stories == (change.new_stories if change else 0)
        assert line.new_articles == (change.new_articles if change else 0)
        assert line.new_events == (change.events if change else [])


def test_the_sparkline_is_the_timeline(conn: Connection) -> None:
    for claim, line in board(conn).items():
        assert len(line.days) == 60
        assert line.last_day == NOW.date()
        timeline = all_of(conn, "select day, stories from analysis.claim_timeline where claim_id = %s", claim)
        days = {line.last_day - timedelta(days=59 - i): count for i, count in enumerate(line.days) if count}
        assert days == {r.day: r.stories for r in timeline if line.last_day - r.day < timedelta(days=60)}
    assert any(sum(line.days) for line in board(conn).values())


def test_the_latest_sentence_is_that_of_the_latest_story(conn: Connection) -> None:
    for claim, line in board(conn).items():
        if not line.stories:
            assert line.latest_match is None
            continue
        (best,) = all_of(
            conn,
            "select * from analysis.evidence where claim_id = %s and story_id = %s",
            *(claim, line.latest_story),
        )
        assert (best.match_id, best.sentence, best.stance) == (
            line.latest_match,
            line.latest_sentence,
            line.latest_stance,
        )
        assert (best.publisher, best.url, best.article_id) == (
            line.latest_publisher,
            line.latest_url,
            line.latest_article,
        )
        began = "select min(published_at) from analysis.article_evidence where claim_id = %s group by story_id"
        assert max(r.min for r in all_of(conn, began, claim)) == line.last_at


def test_an_earlier_board_knows_no_more_than_we_did(conn: Connection) -> None:
    then, today = board(conn, BEFORE - timedelta(days=7), BEFORE), board(conn)
    for claim, line in then.items():
        assert line.stories <= today[claim].stories
        assert line.last_at is None or line.last_at <= BEFORE
    assert sum(line.stories for line in then.values()) < sum(line.stories for line in today.values())


# What reviews had made of a match by then


def state_by_tiers(conn: Connection, claim: str, at: datetime) -> Any:
    """Stories and articles, match by match: what ingest.tier_known says of each."""
    return all_of(
        conn,
        """
        select count(distinct a.story_id) as stories, count(distinct a.article_id) as articles
        from ingest.matches m
        join ingest.appearances ap using (paragraph_id)
        join ingest.versions v using (version_id)
        join ingest.articles a using (article_id)
        where m.claim_id = %s and ingest.tier_known(m, %s) = 'accepted' and m.matched_at <= %s and v.known_at <= %s
          and v.published_at <= %s and (m.superseded_at is null or m.superseded_at > %s) and a.story_id is not null
        """,
        *(claim, at, at, at, at, at),
    )


def test_states_follow_the_reviews_of_their_time(conn: Connection) -> None:
    """Confirmed, rejected, withdrawn: at each moment what counted then, however it ended."""
    tiers = {
        tier: [r.match_id for r in all_of(conn, "select match_id from ingest.matches where tier = %s order by 1", tier)]
        for tier in ("accepted", "suggested")
    }
    said = [
        (tiers["suggested"][0], "confirmed"),
        (tiers["suggested"][1], "confirmed"),
        (tiers["accepted"][0], "rejected"),
        (tiers["accepted"][1], "rejected"),
        (tiers["suggested"][1], "withdrawn"),
        (tiers["accepted"][1], "withdrawn"),
        (tiers["accepted"][0], "confirmed"),
        (tiers["suggested"][2], "rejected"),
    ]
    moments = [NOW + timedelta(hours=n) for n in range(len(said) + 1)]
    for at, (match, verdict) in zip(moments[1:], said, strict=True):
        all_of(conn, "select ingest.review(%s, %s, null, null, 'tester', %s)", match, verdict, at)
    seen = set()
    for at in [BEFORE, *moments]:
        states = all_of(conn, "select * from analysis.claim_states(%s, %s)", at, at)
        for state in states:
            assert [(state.stories, state.articles)] == state_by_tiers(conn, state.claim_id, at), (state.claim_id, at)
        seen.add(tuple((state.stories, state.articles) for state in states))
    assert len(seen) > 3, "the reviews made a difference"
    # What was confirmed since is new, though it was matched before.
    new = all_of(
        conn, "select sum(new_articles) from analysis.claim_states(%s, %s, null, %s)", moments[1], moments[1], NOW
    )
    grown = all_of(
        conn,
        "select sum(b.articles) - sum(a.articles) from analysis.claim_states(%s, %s) a "
        "join analysis.claim_states(%s, %s) b using (claim_id)",
        *(NOW, NOW, moments[1], moments[1]),
    )
    assert new == grown


def test_named_claims_alone(conn: Connection) -> None:
    (one,) = all_of(conn, "select * from analysis.claim_states(%s, %s, array['killed-in-kursk'])", NOW, NOW)
    assert one in all_of(conn, "select * from analysis.claim_states(%s, %s)", NOW, NOW)


# Why


def test_every_figure_of_a_decision_has_words(conn: Connection) -> None:
    match = all_of(conn, "select match_id from analysis.evidence where tier = 'accepted' order by match_id limit 1")[0][
        0
    ]
    told = all_of(conn, "select * from analysis.why(%s)", match)
    features = {r.name: r.says for r in told if r.part == "feature"}
    assert set(features) == set(FEATURES)
    assert all(" " in says and "%s" not in says for says in features.values()), "words, not a bare figure"
    assert [r.part for r in told] == sorted(
        (r.part for r in told), key=["decision", "sentence", "concept group", "feature"].index
    )


def test_why_names_the_groups_that_the_matcher_named(conn: Connection) -> None:
    for match in all_of(
        conn, "select m.*, cv.definition from ingest.matches m join ingest.claim_versions cv using (claim_version_id)"
    ):
        groups = {
            r.name: r
            for r in all_of(conn, "select * from analysis.why(%s)", match.match_id)
            if r.part == "concept group"
        }
        assert groups.keys() == match.definition["groups"].keys()
        for role, concepts in match.definition["groups"].items():
            named = [name for name in concepts if name in match.why.split(": ", 1)[1].split("; ")[0].split(" + ")]
            assert bool(groups[role].value) == bool(named)
            assert all(name in groups[role].says for name in named)


def test_why_tells_of_a_review(conn: Connection) -> None:
    match = all_of(conn, "select match_id from ingest.matches where tier = 'suggested' order by 1 limit 1")[0][0]
    all_of(conn, "select ingest.review(%s, 'confirmed', 'refutes', null, 'kim', %s)", match, NOW)
    told = {r.name: r.says for r in all_of(conn, "select * from analysis.why(%s)", match)}
    assert told["review"] == "confirmed by kim on 2024-11-05"
    assert told["tier"].startswith("suggested, "), "what the matcher itself had said"
    assert all_of(conn, "select * from analysis.why(-1)") == []


# Articles to read


def test_an_article_is_its_paragraphs_in_order(conn: Connection) -> None:
    article = all_of(conn, "select article_id from analysis.article_evidence order by article_id limit 1")[0][0]
    text = all_of(conn, "select * from analysis.article_text(%s)", article)
    placed = all_of(
        conn, "select position, text from analysis.paragraphs where article_id = %s order by position", article
    )
    assert [(r.position, r.text) for r in text] == [tuple(r) for r in placed]
    for paragraph in text:
        accepted = [e["claim_id"] for e in paragraph.evidence if e["tier"] == "accepted"]
        assert sorted(accepted) == sorted(paragraph.claims)
        for one in paragraph.evidence:
            assert one["sentence"] in paragraph.text
    assert any(r.claims for r in text)
    assert all_of(conn, "select * from analysis.article_text(-1)") == []


def test_an_edited_article_shows_what_is_new(conn: Connection, bench: Bench) -> None:
    article, title = all_of(conn, "select article_id, title from analysis.articles order by article_id limit 1")[0]
    first = all_of(conn, "select * from analysis.article_text(%s)", article)
    edited = [title, *(r.text for r in first[1:])]
    edited[2] = edited[2].replace(edited[2].split()[0], "Corrected:", 1)
    (page,) = all_of(
        conn,
        "insert into ingest.versions (article_id, version_hash, source, title, published_at, known_at) "
        "select article_id, 'x', source, title, published_at, %s from ingest.versions where article_id = %s "
        "returning version_id",
        *(NOW, article),
    )
    hashes = [str(n).encode() for n in range(len(edited))]
    rows(
        conn, "articles.add_paragraphs", version_id=page.version_id, positions=list(range(len(edited))), hashes=hashes,
        texts=edited, language="en", now=NOW,
    )  # fmt: skip
    all_of(
        conn,
        "insert into ingest.version_changes values (%s, 1, 'changed', %s, 2, 2) returning 1",
        *(page.version_id, first[0].version_id),
    )
    latest = all_of(conn, "select * from analysis.article_text(%s)", article)
    assert [(r.position, r.change, r.text_before) for r in latest if r.change] == [(2, "changed", first[2].text)]
    assert all_of(conn, "select * from analysis.article_text(%s, %s)", article, first[0].version_id) == first
    texts = all_of(
        conn,
        "select number, latest, changes, paragraphs from analysis.versions where article_id = %s order by 1",
        article,
    )
    assert [tuple(r) for r in texts] == [(1, False, 0, len(first) - 1), (2, True, 1, len(first) - 1)]


# Claims, publishers


def test_wordings_and_concepts_are_those_of_the_file(conn: Connection) -> None:
    for claim in all_of(conn, "select claim_id, statement, phrasings from analysis.claims"):
        said = all_of(conn, "select * from analysis.claim_phrasings where claim_id = %s", claim.claim_id)
        assert (said[0].kind, said[0].text) == ("statement", claim.statement)
        assert sum(r.kind in ("statement", "phrasing", "refutation", "update") for r in said) == claim.phrasings
        assert {r.kind for r in said} >= {"decoy", "topic decoy"}
        assert all(r.language and r.text for r in said[1:])
        concepts = all_of(conn, "select * from analysis.claim_concepts where claim_id = %s", claim.claim_id)
        assert {r.concept for r in concepts if r.concept_group is None} >= {"denial", "pending"}
        assert all(r.terms for r in concepts)


def test_publishers_count_what_they_carried(conn: Connection) -> None:
    for publisher in all_of(conn, "select * from analysis.publishers"):
        carried = all_of(
            conn, "select * from analysis.article_evidence where publisher_id = %s", publisher.publisher_id
        )
        assert publisher.articles_with_evidence == len({r.article_id for r in carried}) <= publisher.articles
        assert publisher.claims == sorted({r.claim_id for r in carried})
        assert publisher.feeds == 1


# Quick, however much there is

LARGE = 30_000  # paragraphs: so many that nobody plans to read them all for the sake of one article
QUICK = {
    "an article": "select * from analysis.article_text(20000)",
    "its texts": "select * from analysis.versions where article_id = 20000",
    "its record": "select * from analysis.captures where version_id = 20000",
    "a story": "select * from analysis.story_articles where story_id = 20000",
    "why": "select * from analysis.why((select min(match_id) from analysis.evidence))",
    "a claim's evidence": "select * from analysis.evidence where claim_id = 'special-forces'",
    "a claim's articles": "select * from analysis.article_evidence where claim_id = 'special-forces'",
    "a claim's state": "select * from analysis.claim_state('special-forces', now(), now())",
    "the board": "select * from analysis.board(now() - interval '1 day', now())",
    "what waits": "select * from analysis.review_queue limit 20",
    "a claim's name": "select claim_id, statement from analysis.claims",
}


@pytest.fixture(scope="module")
def large(pg: EmbeddedServer, newsroom_2024: str) -> Iterator[str]:
    """The newsroom with an archive around it that has nothing to do with its claims."""
    name = "t_large"
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        clone(admin, name, newsroom_2024)
        with psycopg.connect(pg.dsn("postgres", name), autocommit=True) as conn:
            conn.execute("set session_replication_role = replica")  # no look-ups of foreign keys, row by row
            for statement in (
                "insert into ingest.stories (story_id, first_seen_at) "
                "overriding system value select n, now() from {rows}",
                "insert into ingest.articles (article_id, url, publisher_id, story_id, first_seen_at, story_relation) "
                "overriding system value select n, 'https://x.example/' || n, 1, n, now(), 'first' from {rows}",
                "insert into ingest.versions (version_id, article_id, version_hash, source, title, published_at, "
                "known_at) overriding system value select n, n, int4send(n), 'page', 't', now(), now() from {rows}",
                "insert into ingest.paragraphs (paragraph_id, content_hash, text, first_version_id, first_seen_at) "
                "overriding system value select n, int4send(n), 'text ' || n, n, now() from {rows}",
                "insert into ingest.appearances select n, 1, n, 'body' from {rows}",
                "insert into ingest.captures (capture_id, article_id, kind, captured_at, url, final_url, warc_file, "
                "warc_offset, warc_length) "
                "overriding system value select n, n, 'response', now(), 'u', 'u', 'w', 0, 0 from {rows}",
            ):
                conn.execute(statement.format(rows=f"generate_series(1000, {1000 + LARGE}) n"))
            conn.execute("update ingest.versions set capture_id = version_id where version_id >= 1000")
            conn.execute("vacuum analyze")
        yield pg.dsn("claimwatch", name)
        admin.execute(f"drop database {name} with (force)")


@pytest.mark.parametrize("what", QUICK)
def test_nothing_that_grows_is_read_whole(what: str, large: str) -> None:
    """Counted by the server itself, since the plan of what a function does can't be asked for."""
    scans = (
        "select relname, seq_scan from pg_stat_xact_user_tables where schemaname = 'ingest' and seq_scan > 0 "
        "and relname in ('articles', 'versions', 'paragraphs', 'appearances', 'captures', 'stories')"
    )
    with psycopg.connect(large) as conn:
        conn.execute("select 1")
        before = dict(conn.execute(scans).fetchall())
        conn.execute(QUICK[what].encode()).fetchall()
        assert dict(conn.execute(scans).fetchall()) == before == {}
