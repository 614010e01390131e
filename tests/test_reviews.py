"""Reviews: a yes or no to a match counts at once, by role, with its time, and becomes a label."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import Bench, MovableClock, clone_dsn
from newsroom_archive import FOLLOWED, match_of
from psycopg.rows import namedtuple_row

from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.evaluation import datasets
from pipeline.logic.text import content_hash
from pipeline.stages.subscriptions import add_subscription

pytestmark = [pytest.mark.model, pytest.mark.database, pytest.mark.timeout(900)]  # the newsroom is encoded first


@pytest.fixture
def dsn(newsroom_copy: str) -> str:
    return newsroom_copy


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime(2024, 11, 13, 12, tzinfo=UTC))


@pytest.fixture
def reviewer(pg: EmbeddedServer, dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(
        clone_dsn(dsn, "claimwatch_reviewer", pg.password("claimwatch_reviewer")),
        autocommit=True,
        row_factory=namedtuple_row,
    ) as conn:
        yield conn


def tier(conn: Connection, match_id: int) -> tuple[str, str, str | None]:
    found = conn.execute("select tier, stance, matcher_tier from ingest.matches where match_id = %s", [match_id])
    return tuple(found.fetchone())


def evidence(conn: Connection, match: Any) -> Any:
    """The row of the match's claim and story, as analysts see it."""
    return conn.execute(
        "select e.* from analysis.evidence e join ingest.paragraphs p on p.paragraph_id = %s "
        "join ingest.versions v on v.version_id = p.first_version_id "
        "join ingest.articles a on a.article_id = v.article_id "
        "where e.claim_id = %s and e.story_id = a.story_id",
        [match.paragraph_id, match.claim_id],
    ).fetchone()


def lonely(conn: Connection, tier: str) -> Any:
    """A match that is its claim's only one in the story."""
    number = 0
    while (match := match_of(conn, tier, number)) is not None:
        story = evidence(conn, match).story_id
        matched = conn.execute(
            "select count(distinct m.match_id) from ingest.matches m join ingest.appearances using (paragraph_id) "
            "join ingest.versions using (version_id) join ingest.articles a using (article_id) "
            "where m.claim_id = %s and a.story_id = %s",
            [match.claim_id, story],
        ).fetchone()[0]
        if matched == 1:
            return match
        number += 1
    raise AssertionError(f"no {tier} match stands alone")


# Roles


def test_an_analyst_may_look_and_not_review(pg: EmbeddedServer, dsn: str, conn: Connection) -> None:
    match = match_of(conn, "suggested")
    with psycopg.connect(
        clone_dsn(dsn, "claimwatch_analyst", pg.password("claimwatch_analyst")), autocommit=True
    ) as analyst:
        assert analyst.execute("select count(*) from analysis.review_queue").fetchone()[0] > 0
        assert analyst.execute("select count(*) from analysis.reviews").fetchone() == (0,)
        for call in ("confirm_match", "reject_match", "withdraw_review"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"function {call}"):
                analyst.execute(f"select analysis.{call}(%s::bigint)", [match.match_id])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute("select from ingest.reviews")
    assert tier(conn, match.match_id)[0] == "suggested"


def test_a_reviewer_confirms_corrects_rejects_and_withdraws(
    reviewer: psycopg.Connection[Any], conn: Connection
) -> None:
    match = match_of(conn, "suggested")
    assert match.stance != "refutes"
    call = "select analysis.confirm_match(%s, stance => 'refutes', note => 'they deny it') as it"
    first = reviewer.execute(call, [match.match_id]).fetchone().it
    assert tier(conn, match.match_id) == ("accepted", "refutes", "suggested")
    review = reviewer.execute("select * from analysis.reviews").fetchone()
    assert (review.review_id, review.verdict, review.stance, review.reviewer, review.note, review.in_force) == (
        *(first, "confirmed", "refutes", "claimwatch_reviewer", "they deny it", True),
    )
    assert (review.claim_id, review.paragraph_id, review.matcher_tier) == (
        *(match.claim_id, match.paragraph_id, "suggested"),
    )
    assert abs((datetime.now(UTC) - review.at).total_seconds()) < 60

    reviewer.execute("select analysis.reject_match(%s)", [match.match_id])
    assert tier(conn, match.match_id) == ("rejected", match.stance, "suggested")
    reviewer.execute("select analysis.withdraw_review(%s)", [match.match_id])
    assert tier(conn, match.match_id) == ("suggested", match.stance, None)
    told = reviewer.execute("select verdict, in_force from analysis.reviews order by review_id").fetchall()
    assert told == [("confirmed", False), ("rejected", False), ("withdrawn", False)]


def test_a_reviewer_may_do_nothing_else(reviewer: psycopg.Connection[Any]) -> None:
    for statement in (
        "select from ingest.matches",
        "insert into ingest.reviews default values",
        "select ingest.review(1, 'confirmed', null, null, 'somebody else', now())",
        "select ingest.drop_replay('x')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reviewer.execute(statement)
    assert reviewer.execute("select count(*) from analysis.evidence").fetchone()[0] > 0


def test_a_reviewer_of_ones_own_name(pg: EmbeddedServer, dsn: str, conn: Connection) -> None:
    with psycopg.connect(clone_dsn(dsn, "postgres", pg.password("postgres")), autocommit=True) as admin:
        admin.execute("create role ada login password 'ada' in role claimwatch_reviewer")
        try:
            with psycopg.connect(clone_dsn(dsn, "ada", "ada"), autocommit=True) as ada:
                ada.execute("select analysis.confirm_match(%s)", [match_of(conn, "suggested").match_id])
            assert [r.reviewer for r in rows(conn, "reviews.given", claim_id=None, limit=9)] == ["ada"]
        finally:
            admin.execute("drop role ada")


@pytest.mark.parametrize(
    ("call", "problem", "hint"),
    [
        ("confirm_match(0)", "no match has the number 0", "analysis.review_queue"),
        ("reject_match(null)", "no match is named", "analysis.review_queue"),
        ("withdraw_review(0)", "no match has the number 0", "analysis.evidence"),
        ("confirm_match({}, 'denies')", "no stance is called 'denies'", "supports, refutes or updates"),
        ("withdraw_review({})", "has no review to withdraw", "in_force"),
    ],
)
def test_mistakes_are_explained(
    call: str, problem: str, hint: str, reviewer: psycopg.Connection[Any], conn: Connection
) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=problem) as raised:
        reviewer.execute(f"select analysis.{call}".format(match_of(conn, "suggested").match_id))
    assert hint in raised.value.diag.message_hint


def test_a_function_can_not_be_led_astray(reviewer: psycopg.Connection[Any], conn: Connection) -> None:
    """The search path is pinned: objects of the caller's own do not take the place of ours."""
    settings = conn.execute(
        "select proname, prosecdef, proconfig::text from pg_proc "
        "where pronamespace = 'analysis'::regnamespace "
        "and proname in ('confirm_match', 'reject_match', 'withdraw_review')"
    ).fetchall()
    assert len(settings) == 3
    assert all(r.prosecdef and "search_path=pg_catalog, pg_temp" in r.proconfig for r in settings)


# What counts


def test_reviews_are_never_changed(conn: Connection) -> None:
    row(conn, "reviews.add", **given(conn, "suggested"))
    for statement in ("update ingest.reviews set verdict = 'rejected'", "delete from ingest.reviews"):
        with pytest.raises(psycopg.errors.RaiseException, match="reviews are never changed"):
            conn.execute(statement)
    conn.execute("delete from ingest.articles")  # but they go with their texts
    assert rows(conn, "reviews.given", claim_id=None, limit=9) == []


def given(conn: Connection, tier: str, verdict: str = "confirmed", **values: Any) -> dict[str, Any]:
    return {
        "match_id": match_of(conn, tier).match_id,
        "verdict": verdict,
        "stance": None,
        "note": None,
        "reviewer": None,
        "now": datetime(2024, 11, 13, 12, tzinfo=UTC),
        **values,
    }


def test_a_rejected_match_counts_nowhere(conn: Connection) -> None:
    match = lonely(conn, "accepted")
    before = evidence(conn, match)
    assert (before.tier, before.review) == ("accepted", None)
    timeline = "select coalesce(sum(stories), 0) from analysis.claim_timeline where claim_id = %s"
    stories = conn.execute(timeline, [match.claim_id]).fetchone()[0]
    counted = conn.execute("select stories from analysis.claims where claim_id = %s", [match.claim_id]).fetchone()[0]
    coverage = row(conn, "alerts.coverage", claim_id=match.claim_id, without=[]).stories

    row(conn, "reviews.add", **given(conn, "accepted", "rejected", match_id=match.match_id))
    after = evidence(conn, match)
    assert (after.tier, after.review, after.articles, after.families) == ("rejected", "rejected", 0, 0)
    assert conn.execute(timeline, [match.claim_id]).fetchone()[0] == stories - 1
    now = conn.execute("select stories from analysis.claims where claim_id = %s", [match.claim_id]).fetchone()[0]
    assert now == counted - 1
    assert row(conn, "alerts.coverage", claim_id=match.claim_id, without=[]).stories == coverage - 1
    found = rows(conn, "alerts.evidence", claim_id=match.claim_id, story_ids=[before.story_id])
    assert found == []  # a mail that has not gone out stays here

    row(conn, "reviews.add", **given(conn, "accepted", "withdrawn", match_id=match.match_id))
    assert evidence(conn, match) == before


def test_what_counted_when(conn: Connection) -> None:
    """A review changes what counts from its own moment on; what was known before stays known to have been so."""
    match = match_of(conn, "suggested")
    days = [datetime(2024, 11, day, tzinfo=UTC) for day in (13, 14, 15)]
    for verdict, day in zip(("confirmed", "rejected", "withdrawn"), days, strict=True):
        row(conn, "reviews.add", **given(conn, "suggested", verdict, match_id=match.match_id, now=day))
    known = [
        conn.execute(
            "select ingest.tier_known(m, %s) as it from ingest.matches m where match_id = %s", [at, match.match_id]
        )
        .fetchone()
        .it
        for at in [days[0] - timedelta(hours=1), *days]
    ]
    assert known == ["suggested", "accepted", "rejected", "suggested"]


def test_another_match_of_the_story_takes_its_place(conn: Connection) -> None:
    match = conn.execute(
        "select m.* from ingest.matches m join analysis.evidence e using (match_id) where exists ("
        "  select from ingest.matches o join ingest.appearances using (paragraph_id)"
        "  join ingest.versions using (version_id)"
        "  join ingest.articles a using (article_id) where o.claim_id = m.claim_id and a.story_id = e.story_id"
        "  and o.match_id <> m.match_id and o.paragraph_id <> m.paragraph_id and o.tier = 'accepted')"
        " and m.tier = 'accepted' order by m.match_id limit 1"
    ).fetchone()
    before = evidence(conn, match)
    row(conn, "reviews.add", **given(conn, "accepted", "rejected", match_id=match.match_id))
    after = evidence(conn, match)
    assert (after.tier, after.review) == ("accepted", None)
    assert after.match_id != before.match_id
    assert after.probability <= before.probability


def test_a_confirmed_suggestion_is_tracked(conn: Connection, bench: Bench, clock: MovableClock) -> None:
    add_subscription(conn, "desk@example.org", clock.at)
    match = newest_suggestion(conn)
    clock.at = match.matched_at + timedelta(hours=1)
    row(conn, "reviews.add", **given(conn, "suggested", match_id=match.match_id, now=clock.at))
    report = bench.run(conn, "track")["track"]
    assert sum(report.outcomes.values()) == report.claimed == 1
    event = conn.execute(
        "select kind, known_at, story_id from ingest.claim_events where claim_id = %s and kind <> 'contradiction' "
        "order by event_id desc limit 1",
        [match.claim_id],
    ).fetchone()
    assert event.kind in ("first_seen", "fresh_coverage")
    assert (event.known_at, event.story_id) == (clock.at, match.story_id)
    assert row(conn, "alerts.states").alerts == 1
    shown = evidence(conn, match)
    assert (shown.tier, shown.review) == ("accepted", "confirmed")
    # Confirming again tells nothing twice.
    row(conn, "reviews.add", **given(conn, "suggested", "withdrawn", match_id=match.match_id))
    row(conn, "reviews.add", **given(conn, "suggested", match_id=match.match_id))
    bench.run(conn, "track")
    assert row(conn, "alerts.states").alerts == 1


def test_a_suggestion_that_is_confirmed_late_is_no_news(conn: Connection, bench: Bench, clock: MovableClock) -> None:
    add_subscription(conn, "desk@example.org", clock.at)
    match = newest_suggestion(conn)
    clock.move(days=60)
    row(conn, "reviews.add", **given(conn, "suggested", match_id=match.match_id, now=clock.at))
    assert bench.run(conn, "track")["track"].outcomes == {"archive": 1}
    assert rows(conn, "alerts.states") == []


def newest_suggestion(conn: Connection) -> Any:
    """The newest match that is its claim's only one in the story, as if the matcher had been less sure of it: a
    suggestion, and the claim has heard of nothing.
    """
    match = conn.execute(
        "select m.*, v.published_at, a.story_id from ingest.matches m join ingest.paragraphs p using (paragraph_id) "
        "join ingest.versions v on v.version_id = p.first_version_id join ingest.articles a using (article_id) "
        "where not exists (select from ingest.matches o join ingest.appearances using (paragraph_id) "
        "  join ingest.versions using (version_id) join ingest.articles oa using (article_id) "
        "  where o.claim_id = m.claim_id and o.match_id <> m.match_id and oa.story_id = a.story_id) "
        "order by v.published_at desc, m.match_id limit 1"
    ).fetchone()
    conn.execute("delete from ingest.alerts")
    conn.execute("delete from ingest.claim_events where claim_id = %s", [match.claim_id])
    conn.execute(
        "update ingest.matches set tier = 'suggested', tracked_at = null where match_id = %s", [match.match_id]
    )
    return match


def test_a_match_rejected_before_it_was_tracked_raises_no_event(conn: Connection, bench: Bench) -> None:
    match = lonely(conn, "accepted")
    conn.execute("delete from ingest.alerts")
    conn.execute("delete from ingest.claim_events where claim_id = %s", [match.claim_id])
    row(conn, "reviews.add", **given(conn, "accepted", "rejected", match_id=match.match_id))
    rows(conn, "work.add_all", stage="track", item_ids=[match.match_id], due_at=bench.clock.now())
    assert bench.run(conn, "track")["track"].claimed == 1
    assert (
        conn.execute("select count(*) from ingest.claim_events where claim_id = %s", [match.claim_id]).fetchone()[0]
        == 0
    )
    row(conn, "reviews.add", **given(conn, "accepted", "withdrawn", match_id=match.match_id))
    assert bench.run(conn, "track")["track"].claimed == 1  # it is evidence again, and told now
    assert (
        conn.execute("select count(*) from ingest.claim_events where claim_id = %s", [match.claim_id]).fetchone()[0]
        == 1
    )


@pytest.mark.parametrize(("verdict", "expected"), [("confirmed", "accepted"), ("rejected", "rejected")])
def test_a_verdict_holds_for_later_matches(verdict: str, expected: str, conn: Connection) -> None:
    """A reworded claim, or another matcher, comes to the same paragraph: nobody is asked twice."""
    match = newest_suggestion(conn) if verdict == "confirmed" else lonely(conn, "accepted")
    row(conn, "reviews.add", **given(conn, "suggested", verdict, match_id=match.match_id))
    conn.execute(
        "insert into ingest.claim_versions (claim_id, version, statement, definition, definition_hash, loaded_at) "
        "select claim_id, version + 1, statement, definition, '\\x00', loaded_at from ingest.claim_versions "
        "where claim_version_id = %s",
        [match.claim_version_id],
    )
    later = conn.execute(
        "insert into ingest.matches (claim_id, claim_version_id, paragraph_id, model_id, matcher, probability, tier, "
        "stance, sentence, features, matched_at) select m.claim_id, v.claim_version_id, m.paragraph_id, m.model_id, "
        "'other', 0.3, 'suggested', 'supports', m.sentence, '{}', m.matched_at from ingest.matches m "
        "join ingest.claim_versions v on v.claim_id = m.claim_id and v.version = 2 where m.match_id = %s returning *",
        [match.match_id],
    ).fetchone()
    assert (later.tier, later.matcher_tier) == (expected, "suggested")
    queued = conn.execute("select count(*) from ingest.work where stage = 'track' and item_id = %s", [later.match_id])
    assert queued.fetchone()[0] == (verdict == "confirmed")
    # Decided anew in place, it keeps the verdict too.
    conn.execute("update ingest.matches set tier = 'accepted', probability = 0.9 where match_id = %s", [later.match_id])
    assert tier(conn, later.match_id) == (expected, "supports", "accepted")


# The queue


def test_the_queue_has_one_a_claim_and_story_the_most_telling_first(conn: Connection) -> None:
    found = conn.execute("select * from analysis.review_queue").fetchall()
    assert len(found) == len({(r.claim_id, r.story_id) for r in found}) > 3
    expected = conn.execute(
        "select count(distinct (m.claim_id, a.story_id)) from ingest.matches m "
        "join ingest.paragraphs p using (paragraph_id) "
        "join ingest.versions v on v.version_id = p.first_version_id join ingest.articles a using (article_id) "
        "where m.tier = 'suggested'"
    ).fetchone()[0]
    assert len(found) == expected
    assert [r.distance for r in found] == sorted(r.distance for r in found)
    for r in found:
        point = conn.execute(
            "select min(probability) from ingest.matches where tier = 'accepted' and claim_id = %s", [r.claim_id]
        ).fetchone()[0]
        assert r.distance == pytest.approx(point - r.probability, abs=1e-5)
    first = found[0]
    row(conn, "reviews.add", **given(conn, "suggested", "rejected", match_id=first.match_id))
    assert first.match_id not in {r.match_id for r in conn.execute("select match_id from analysis.review_queue")}


# The command


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_list_confirm_reject_withdraw(command: Any, conn: Connection) -> None:
    waiting = lines(command("review", "list", "-f", "json")[1])
    assert {"match", "claim", "probability", "sentence", "why"} <= set(waiting[0])
    assert all(line["why"] and line["sentence"] for line in waiting)
    one = lines(command("review", "list", "--claim", waiting[0]["claim"], "--limit", "1", "-f", "json")[1])
    assert one == waiting[:1]
    first, second = waiting[0]["match"], waiting[1]["match"]
    stance = dict(tuple(line) for line in conn.execute("select match_id, stance from ingest.matches").fetchall())
    status, out, _ = command("review", "confirm", first, "--stance", "updates", "--note", "said so", "--as", "ada")
    assert (status, out) == (0, f"{first} confirmed: {waiting[0]['claim']}, now accepted, updates\n")
    assert command("review", "reject", second)[0] == 0
    done = lines(command("review", "list", "--done", "-f", "json")[1])
    assert [(d["match_id"], d["verdict"], d["stance"], d["reviewer"], d["note"]) for d in done] == [
        (second, "rejected", stance[second], "claimwatch", None),
        (first, "confirmed", "updates", "ada", "said so"),
    ]
    assert command("review", "withdraw", first)[1].endswith(f"now suggested, {stance[first]}\n")
    assert len(lines(command("review", "list", "--done", "-f", "json")[1])) == 1
    assert waiting[0]["sentence"][:20] in command("review", "list")[1]


def test_mistakes_end_in_one_message(command: Any, conn: Connection) -> None:
    status, _, err = command("review", "confirm", 0)
    assert status == 1
    assert err.splitlines() == [
        "claimwatch: no match has the number 0",
        "Numbers stand in analysis.review_queue and analysis.evidence, column match_id.",
    ]
    good = match_of(conn, "suggested").match_id
    assert command("review", "reject", good, 0)[0] == 1  # all or none
    assert tier(conn, good)[0] == "suggested"
    assert command("review", "confirm", good, "--as", " ")[0] == 2
    assert command("review", "confirm", good, "--stance", "maybe")[0] == 1


def test_export_is_a_labelled_set(command: Any, conn: Connection, tmp_path: Path) -> None:
    yes, no = match_of(conn, "suggested"), lonely(conn, "accepted")
    assert yes.paragraph_id != no.paragraph_id
    assert command("review", "confirm", yes.match_id, "--stance", "refutes")[0] == 0
    assert command("review", "reject", no.match_id)[0] == 0
    undone = match_of(conn, "suggested")
    assert command("review", "reject", undone.match_id)[0] == 0
    assert command("review", "withdraw", undone.match_id)[0] == 0

    folder = tmp_path / "reviewed"
    status, out, _ = command("review", "export", "--out", folder / "labels.jsonl")
    assert (status, out) == (0, f"wrote 2 texts with 1 confirmed and 1 rejected pairs to {folder}\n")
    assert command("review", "export", "--out", folder / "other.jsonl")[0] == 2
    loaded = datasets.load(folder, "all")
    by_text = {content_hash(item.text): item for item in loaded.items}
    texts = dict(conn.execute("select paragraph_id, text from ingest.paragraphs").fetchall())
    confirmed, rejected = (by_text[content_hash(texts[m.paragraph_id])] for m in (yes, no))
    assert loaded.direct == {confirmed.id: {yes.claim_id: "refutes"}}
    assert loaded.left_out[confirmed.id] == set(FOLLOWED) - {yes.claim_id}
    assert loaded.left_out[rejected.id] == set(FOLLOWED) - {no.claim_id}  # so that one claim is a negative
    assert confirmed.title and confirmed.published and confirmed.lang
    again = tmp_path / "again"
    command("review", "export", "--out", again)
    assert (again / "items.jsonl").read_bytes() == (folder / "items.jsonl").read_bytes()
