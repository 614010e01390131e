"""Replays: the stages over stored texts in a schema of their own, with nothing live touched, and what compares them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from claims_files import some_claims
from conftest import Bench, MovableClock
from newsroom_archive import DATA, FOLLOWED, match_of

from pipeline.adapters import database
from pipeline.adapters.database import Connection, row, rows
from pipeline.errors import ConfigurationError
from pipeline.logic.replays import Event, Match, RunView, compare, verdict
from pipeline.settings import package_data
from pipeline.stages import replay
from pipeline.stages.replay import Plan, Replayed
from pipeline.stages.subscriptions import add_subscription

SINCE, UNTIL = datetime(2024, 10, 1, tzinfo=UTC), datetime(2024, 11, 20, tzinfo=UTC)
MIDDLE = datetime(2024, 10, 23, tzinfo=UTC)

pytestmark = pytest.mark.timeout(900)  # the first test waits until the newsroom is encoded


@pytest.fixture
def dsn(newsroom_copy: str) -> str:
    return newsroom_copy


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(UNTIL)


@pytest.fixture(scope="session")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors") / "vectors.sqlite"


@pytest.fixture
def quick(vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replays of all tests remember sentences in one place."""
    remember = replay.CachedEncoder
    monkeypatch.setattr(replay, "CachedEncoder", lambda encoder, _: remember(encoder, vectors))


def replayed(bench: Bench, name: str = "it", **changes: Any) -> Replayed:
    return replay.run(bench, Plan(**{"name": name, "since": SINCE, "until": UNTIL, **changes}))


def quantile(conn: Connection, part: float) -> float:
    """A probability that so large a part of the accepted matches stays below."""
    accepted = conn.execute("select probability from ingest.matches where tier = 'accepted' order by 1").fetchall()
    return round(float(accepted[int(len(accepted) * part)].probability), 4)


EVENTS = "select claim_id, kind, event_key, story_id, happened_at, known_at from {}.claim_events order by event_id"
MATCHES = "select claim_id, paragraph_id, tier, stance, sentence, matched_at from {}.matches order by 1, 2"


def fingerprint(conn: Connection) -> dict[str, tuple[int, str]]:
    """Rows and hash of every table of schema ingest, and where its sequences stand."""
    found = {}
    for r in conn.execute("select relname from pg_class where relnamespace = 'ingest'::regnamespace and relkind = 'r'"):
        lines = sorted(str(line) for line in conn.execute(f"select t::text from ingest.{r.relname} t").fetchall())
        found[r.relname] = len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()
    numbers = conn.execute("select sequencename, last_value from pg_sequences where schemaname = 'ingest'").fetchall()
    return {**found, **{name: (last or 0, "") for name, last in numbers}}


# The same again


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_the_same_matcher_tells_the_same_at_the_same_time(bench: Bench, conn: Connection) -> None:
    before = fingerprint(conn)
    assert before["claim_events"][0] > 10
    done = replayed(bench)
    assert fingerprint(conn) == before
    assert done.paragraphs == before["paragraphs"][0]
    assert done.events == before["claim_events"][0]
    assert done.waiting == {}
    assert conn.execute(EVENTS.format("replay_it")).fetchall() == conn.execute(EVENTS.format("ingest")).fetchall()
    assert conn.execute(MATCHES.format("replay_it")).fetchall() == conn.execute(MATCHES.format("ingest")).fetchall()
    found = compare(*(replay.view(conn, name, SINCE, UNTIL) for name in ("it", "live")), UNTIL)
    assert (found.alerts_gained, found.alerts_lost, found.matches_gained, found.matches_lost) == ([], [], [], [])
    assert found.lead_hours == 0
    assert len(found.alerts_shared) == done.alerts > 5


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_it_starts_from_what_was_known(bench: Bench, conn: Connection) -> None:
    """From the middle on, the events are those of the whole: a claim that was seen before is not seen first again."""
    live = conn.execute(EVENTS.format("ingest")).fetchall()
    earlier = [e for e in live if e.known_at < MIDDLE]
    assert earlier and len(earlier) < len(live)
    done = replayed(bench, since=MIDDLE)
    assert conn.execute(EVENTS.format("replay_it")).fetchall() == live
    assert done.events == len(live) - len(earlier)


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_nothing_is_sent_and_the_outbox_is_its_own(bench: Bench, conn: Connection) -> None:
    add_subscription(conn, "desk@example.org", bench.clock.now())
    done = replayed(bench)
    assert rows(conn, "alerts.states") == []
    assert conn.execute("select distinct email from replay_it.alerts").fetchall() == [(replay.READER,)]
    assert conn.execute("select count(*) from replay_it.alerts").fetchone()[0] == done.alerts
    assert bench.run(conn, "match", "track")["track"].claimed == 0


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_a_slower_rhythm_tells_later(bench: Bench, conn: Connection) -> None:
    replayed(bench, "weekly", rhythm=timedelta(days=7))
    found = compare(*(replay.view(conn, name, SINCE, UNTIL) for name in ("weekly", "live")), UNTIL)
    assert found.lead_hours is not None
    assert min(s.hours for s in found.alerts_shared) < -24
    assert max(s.hours for s in found.alerts_shared) <= 0


# Other thresholds, matchers and claims


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_a_stricter_threshold_loses_alerts(bench: Bench, conn: Connection) -> None:
    strict = quantile(conn, 0.75)
    replayed(bench, "strict", accepted=strict)
    found = compare(*(replay.view(conn, name, SINCE, UNTIL) for name in ("strict", "live")), UNTIL)
    assert found.alerts_lost
    assert found.matches_lost and not found.matches_gained
    # What it gains it tells of a story that both accept: one before it is missing, so this one is news.
    both = {(m.claim, m.story) for m in replay.view(conn, "live", SINCE, UNTIL).matches if m.tier == "accepted"}
    assert {(e.claim, e.story) for e in found.alerts_gained} <= both
    assert all(m.probability < strict for m in found.matches_lost)
    assert found.a.alerts < found.b.alerts
    told = {(e.claim, e.story) for e in found.alerts_lost}
    strong = {(m.claim, m.story) for m in replay.view(conn, "strict", SINCE, UNTIL).matches if m.tier == "accepted"}
    assert all(e.title for e in found.alerts_lost)
    assert told - strong


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_another_matcher(bench: Bench, conn: Connection, tmp_path: Path) -> None:
    high = quantile(conn, 0.6)
    other = {**json.loads(package_data("matcher.json").read_text()), "version": "other", "by_claim": {}}
    for point in ("accepted", "strict"):
        other["points"][point]["probability"] = high
    (tmp_path / "matcher.json").write_text(json.dumps(other))
    replayed(bench, matcher=tmp_path / "matcher.json")
    assert conn.execute("select distinct matcher from replay_it.matches").fetchall() == [("other",)]
    lowest = conn.execute("select min(probability) from replay_it.matches where tier = 'accepted'").fetchone()[0]
    assert lowest >= high
    assert replay.kept(conn)[0].options["matcher"] == "other"
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(ConfigurationError, match=r"bad\.json is no decision model"):
        replayed(bench, "bad", matcher=tmp_path / "bad.json")
    assert [r.name for r in replay.kept(conn)] == ["it"]


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_other_claims(bench: Bench, conn: Connection, tmp_path: Path) -> None:
    before = fingerprint(conn)
    new = "language-barrier"  # one that is not followed live, beside one that is
    replayed(bench, claims=some_claims(tmp_path, FOLLOWED[0], new))
    assert fingerprint(conn) == before
    matched = {r.claim_id for r in conn.execute("select distinct claim_id from replay_it.matches")}
    assert matched == {FOLLOWED[0], new}
    found = compare(*(replay.view(conn, name, SINCE, UNTIL) for name in ("it", "live")), UNTIL)
    # What else is followed bears on a claim's own matches: a text belongs to the claim that it says most of.
    assert new in {m.claim for m in found.matches_gained} <= matched
    assert set(FOLLOWED[1:]) <= {e.claim for e in found.alerts_lost}


# Broken off, side by side, gone


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_one_that_broke_off_is_replaced(bench: Bench, conn: Connection) -> None:
    class Killed(Exception):
        pass

    def progress(done: int, _: int) -> None:
        if done > 60:
            raise Killed

    before = fingerprint(conn)
    with pytest.raises(Killed):
        replay.run(bench, Plan("it", SINCE, UNTIL), progress)
    assert [(r.name, r.state) for r in replay.kept(conn)] == [("it", "broken off")]
    assert 0 < conn.execute("select count(*) from replay_it.matches").fetchone()[0] < before["matches"][0]
    with pytest.raises(ConfigurationError, match="is broken off: run it again"):
        replay.finished(conn, "it")
    done = replayed(bench)
    assert (done.events, done.paragraphs) == (before["claim_events"][0], before["paragraphs"][0])
    assert replay.finished(conn, "it").paragraphs == done.paragraphs
    assert fingerprint(conn) == before


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_one_process_at_a_time_for_a_name(bench: Bench, conn: Connection) -> None:
    seen = []

    def progress(*_: int) -> None:
        if not seen:
            seen.append([(r.name, r.state) for r in replay.kept(conn)])
            for attempt in (lambda: replayed(bench), lambda: replay.drop(conn, "it")):
                with pytest.raises(ConfigurationError, match="running in another process"):
                    attempt()

    replay.run(bench, Plan("it", SINCE, MIDDLE), progress)
    assert seen == [[("it", "running")]]
    assert replay.drop(conn, "it")
    assert not replay.drop(conn, "it")
    assert replay.kept(conn) == []


@pytest.mark.parametrize("name", ["", "Big", "a-b", "1st", 'x"; drop schema ingest; --', "a" * 41, "live"])
def test_names_are_plain(name: str, bench: Bench, conn: Connection) -> None:
    for attempt in (lambda: replayed(bench, name), lambda: replay.drop(conn, name), lambda: replay.tables(name)):
        with pytest.raises(ConfigurationError, match="can't be called"):
            attempt()
    if name != "live":
        with pytest.raises(psycopg.errors.RaiseException, match="can't be called"):
            rows(conn, "replay.drop", name=name)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"until": SINCE}, "has to end after it begins"),
        ({"accepted": 1.5}, "accepted: input should be less than 1"),
        ({"accepted": 0.05}, "lies above accepted"),
        ({"matcher": Path("/nowhere/m.json")}, "can't be read"),
    ],
)
def test_a_wrong_plan_makes_nothing(changes: dict[str, Any], problem: str, bench: Bench, conn: Connection) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        replayed(bench, **changes)
    assert replay.kept(conn) == []


def test_a_model_without_vectors_is_refused(bench: Bench, conn: Connection) -> None:
    conn.execute("update ingest.models set weights_hash = 'another'")
    before = fingerprint(conn)
    with pytest.raises(ConfigurationError, match="no paragraph has a vector of the model"):
        replayed(bench)
    assert fingerprint(conn) == before


# Elsewhere


def test_statements_name_the_tables_elsewhere(conn: Connection) -> None:
    plain = database.statement(
        "tracking.add_event" if "tracking.add_event" in database.statements() else "matches.store"
    )
    assert "replay_x" not in plain.as_string(conn)
    moved = database.statement("matches.store", None, replay.tables("x")).as_string(conn)
    assert 'insert into "replay_x"."matches" (claim_id' in moved
    assert "ingest." not in moved
    past = database.statement("matches.to_match", 7, replay.tables("x", past=True)).as_string(conn)
    assert 'join "ingest"."embeddings_7" e' in past
    assert 'from "pg_temp"."paragraphs" p' in past


def test_what_would_touch_the_live_state_is_refused(bench: Bench, conn: Connection) -> None:
    elsewhere = replay.tables("x", past=True)
    for name in ("models.store", "models.register", "models.activate", "reviews.add", "articles.add_version"):
        with pytest.raises(ConfigurationError, match=f"{name} touches the live state"):
            database.statement(name, 1, elsewhere)
    with database.working_elsewhere(conn, elsewhere), pytest.raises(ConfigurationError, match="touches the live state"):
        row(conn, "models.register", name="m", weights_hash="h", dimensions=4, now=UNTIL)
    assert row(conn, "models.find", name="m", weights_hash="h") is None
    with pytest.raises(KeyError), database.working_elsewhere(conn, elsewhere):
        raise KeyError
    assert rows(conn, "claims.in_force")  # and afterwards everything is as before


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_every_statement_that_a_replay_may_run_can_be_prepared_there(bench: Bench, conn: Connection) -> None:
    from psycopg._queries import PostgresQuery
    from psycopg.adapt import Transformer

    replay.run(bench, Plan("it", SINCE, SINCE + timedelta(days=10)))
    rows(conn, "replay.set_moment", now=UNTIL)
    rows(conn, "replay.open_past")
    prepared, refused = 0, 0
    for name, text in database.statements().items():
        try:
            moved = database.statement(name, 1, replay.tables("it", past=True))
        except ConfigurationError:
            refused += 1
            continue
        query = PostgresQuery(Transformer(conn))
        query.convert(moved.as_string(conn), dict.fromkeys(_names(text)))
        if query.query.decode().lstrip("-").split()[0] in ("create", "drop") or name.startswith("migrations."):
            continue
        result = conn.pgconn.prepare(b"", query.query)
        assert result.status == psycopg.pq.ExecStatus.COMMAND_OK, (name, result.error_message)
        prepared += 1
    assert prepared > 40 and refused > 10


def _names(text: str) -> set[str]:
    import re

    return set(re.findall(r"%\((\w+)\)s", text))


def test_the_past_knows_nothing_later(conn: Connection) -> None:
    for moment in (SINCE, MIDDLE, UNTIL):
        rows(conn, "replay.set_moment", now=moment)
        rows(conn, "replay.open_past")
        for table, column in (("articles", "first_seen_at"), ("versions", "known_at"), ("paragraphs", "first_seen_at")):
            expected = f"select count(*) from ingest.{table} where {column} <= %s"
            there = conn.execute(f"select count(*) from pg_temp.{table}").fetchone()
            assert there == conn.execute(expected, [moment]).fetchone()
        there = conn.execute("select count(*) from pg_temp.appearances").fetchone()
        assert (
            there
            == conn.execute(
                "select count(*) from pg_temp.versions v join ingest.appearances using (version_id)"
            ).fetchone()
        )
    assert there[0] > 0


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_a_kept_replay_is_in_nobodys_way(bench: Bench, conn: Connection) -> None:
    """Later migrations may change what a replay was made of."""
    replay.run(bench, Plan("it", SINCE, SINCE + timedelta(days=10)))
    conn.execute("alter table ingest.versions drop column author cascade")
    conn.execute("alter table ingest.matches rename column sentence to said")
    assert [r.state for r in replay.kept(conn)] == ["finished"]


# The command


Command = Callable[..., tuple[int, str, str]]


@pytest.mark.usefixtures("quick")
@pytest.mark.model
def test_replay_list_compare_drop(command: Command, conn: Connection) -> None:
    status, out, err = command("replay", "--from", "2024-10-01", "--to", "2024-11-20", "--name", "same")
    assert status == 0, err
    assert "same: " in out and " of them alerts" in out
    accepted = match_of(conn, "accepted")
    strict = quantile(conn, 0.5)
    assert (
        command("replay", "--from", "2024-10-01", "--to", "2024-11-20", "--accepted", strict, "--name", "strict")[0]
        == 0
    )
    kept = [json.loads(line) for line in command("replay", "list", "-f", "json")[1].splitlines()]
    assert [(k["name"], k["state"], k["claims"]) for k in kept] == [
        ("same", "finished", "in force"),
        ("strict", "finished", "in force"),
    ]
    assert kept[1]["accepted"] == strict

    rows(conn, "reviews.add", **_given(accepted, "confirmed"))
    rows(conn, "reviews.add", **_given(match_of(conn, "accepted", 1), "rejected"))
    status, out, _ = command("replay", "compare", "same")
    assert status == 0
    assert "no alerts gained" in out and "no alerts lost" in out and "no matches lost" in out
    assert "raised them at the same time in the median" in out
    figures = [line.split() for line in out.splitlines() if line.strip().startswith(("same", "live"))]
    assert figures[0][1:] == figures[1][1:]
    assert figures[0][-3:] == ["2", "1", "0.50"]

    lines = [json.loads(line) for line in command("replay", "compare", "strict", "same", "-f", "json")[1].splitlines()]
    lost = [line for line in lines if (line["change"], line["what"]) == ("lost", "alert")]
    assert lost
    assert all(line["claim"] and line["story"] and line["title"] and line["time"] for line in lost)
    assert not [line for line in lines if (line["change"], line["what"]) == ("gained", "match")]
    assert "alerts lost" in command("replay", "compare", "strict", "same", "--limit", 2)[1]

    judged = command("replay", "compare", "strict", "same", "--labels", DATA)[1]
    figures = [line.split() for line in judged.splitlines() if line.strip().startswith(("strict", "same"))]
    strict_precision, same_precision = (float(line[-1]) for line in figures[:2])
    assert strict_precision >= same_precision > 0.5
    assert command("replay", "drop", "strict", "nothing")[1] == "strict dropped\nthere is no replay called nothing\n"
    status, _, err = command("replay", "compare", "strict")
    assert (status, err) == (2, "claimwatch: there is no replay called 'strict'; those kept: same\n")


def _given(match: Any, verdict: str) -> dict[str, Any]:
    values = {"stance": None, "note": None, "reviewer": "ada", "now": UNTIL}
    return {"match_id": match.match_id, "verdict": verdict, **values}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--name", "x"], "--from says where the replay begins"),
        (["--from", "2024-10-01", "--name", "X"], "can't be called 'X'"),
        (["--from", "2024-10-01", "--rhythm", "0"], "more than 0 minutes"),
        (["--from", "2024-11-01", "--to", "2024-10-01"], "has to end after it begins"),
        (["compare", "nothing"], "those kept: none yet"),
    ],
)
def test_wrong_calls(arguments: list[str], problem: str, command: Command) -> None:
    status, _, err = command("replay", *arguments)
    assert status == 2
    assert problem in err


# Comparing, without a database


T0 = datetime(2024, 10, 1, tzinfo=UTC)


def event(story: int | None, hours: float, kind: str = "fresh_coverage", *, mailed: bool = False) -> Event:
    return Event("c", story, kind, T0, T0 + timedelta(hours=hours), f"story {story}", mailed)


def match(paragraph: int, tier: str = "accepted", judged: str | None = None) -> Match:
    return Match("c", paragraph, tier, 0.5, "s", "t", T0, paragraph, f"h{paragraph}", judged)


def test_gained_lost_and_lead() -> None:
    a = RunView("a", [event(1, 1), event(2, 5), event(3, 1), event(1, 9), event(9, 200)], [])
    b = RunView("b", [event(1, 4), event(2, 4), event(4, 1), event(8, 300)], [])
    found = compare(a, b, T0 + timedelta(hours=100))
    assert [e.story for e in found.alerts_gained] == [3]  # 9 came when the other run had ended
    assert [e.story for e in found.alerts_lost] == [4]
    assert [(s.event.story, s.hours) for s in found.alerts_shared] == [(1, 3), (2, -1)]
    assert found.lead_hours == 1
    assert (found.a.events, found.a.alerts) == (4, 3)  # as the lists: what came within the time


def test_what_is_an_alert() -> None:
    """A kind that is mailed anywhere counts in both; archive, and what a replay can't see, in neither."""
    a = RunView(
        "a", [event(1, 1, "surge", mailed=True), event(2, 1, "archive"), event(None, 1, "silence", mailed=True)], []
    )
    b = RunView("b", [event(3, 1, "surge"), event(4, 1, "edited", mailed=True)], [])
    found = compare(a, b, UNTIL)
    assert [e.story for e in found.alerts_gained] == [1]
    assert [e.story for e in found.alerts_lost] == [3]
    assert found.lead_hours is None
    assert [e.story for e in compare(a, b, UNTIL, {"archive"}).alerts_gained] == [1, 2]


def test_precision_is_of_what_somebody_judged() -> None:
    a = [match(1, judged="confirmed"), match(2, judged="rejected"), match(3), match(4, "suggested", "confirmed")]
    found = compare(RunView("a", [], a), RunView("b", [], [match(1, judged="confirmed"), match(4)]), UNTIL)
    assert (found.a.accepted, found.a.suggested, found.a.right, found.a.wrong, found.a.precision) == (3, 1, 1, 1, 0.5)
    assert found.b.precision == 1
    assert [m.paragraph for m in found.matches_gained] == [2, 3]
    assert [m.paragraph for m in found.matches_lost] == [4]
    assert compare(RunView("a", [], []), RunView("b", [], []), UNTIL).a.precision is None


def test_what_labels_say() -> None:
    labels = {"h": (["yes"], ["unsure"])}
    assert [verdict(c, "h", labels) for c in ("yes", "unsure", "no")] == ["confirmed", None, "rejected"]
    assert verdict("yes", "other", labels) is None
