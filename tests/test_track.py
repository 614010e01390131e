"""Tracking on a real database: events, mails and states from matches as the stages before would have left them."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from claims_files import some_claims
from conftest import Bench, MovableClock, make_settings, run_command
from desk import CLAIM, DAY, HOUR, NOW, OTHER, Desk
from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.logic import tracking
from pipeline.settings import Settings
from pipeline.stages import claims, maintain, silence, track
from pipeline.stages.subscriptions import add_subscription
from pipeline.stages.work import begin


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    return make_settings(tmp_path, dsn, match={"freshness_days": 7})


@pytest.fixture
def desk(conn: Connection, bench: Bench, clock: MovableClock, tmp_path: Path) -> Desk:
    return Desk(conn, bench, clock, tmp_path)


# Coverage


def test_a_claims_life(desk: Desk) -> None:
    """Days as they come: each tracked when it is published."""
    mails = []
    for day in (0, 1, 2, 3, 20, 21):
        desk.clock.at = NOW + day * DAY
        desk.report(desk.clock.now() - HOUR, "ABCDEF"[day % 6])
        desk.track()
        mails += desk.mails()
    assert desk.kinds() == ["first_seen", "new_story", "new_story", "new_story", "fresh_coverage", "new_story"]
    assert desk.reason("fresh_coverage") == "quiet for 17 days before this"
    subjects = [mail.subject for mail in mails]
    assert [s.partition(": Report")[0] for s in subjects] == [
        "Killed in Kursk: first report, by The A",
        "Killed in Kursk: new report after 17 days of quiet, by The C",
    ]
    assert all(mail.chart.startswith(b"\x89PNG") for mail in mails)


def test_copies_are_one_story(desk: Desk) -> None:
    desk.clock.at = NOW
    story = desk.report(NOW - HOUR)
    for family in "BCD":
        desk.report(NOW - HOUR / 2, family, story=story)
    assert desk.track() == {"first_seen": 1, "known-story": 3}
    assert len(desk.mails()) == 1
    desk.report(NOW, "E", story=story)  # another copy after the mail
    desk.track()
    assert desk.mails() == []
    state = desk.state()
    assert (state.stories, state.articles, state.publishers, state.families) == (1, 5, 5, 5)


def test_a_paragraph_in_two_stories_counts_in_both(desk: Desk) -> None:
    desk.clock.at = NOW
    (paragraph,) = desk.version(desk.article(NOW - 2 * HOUR), NOW - 2 * HOUR, "The quoted paragraph.")
    desk.version(desk.article(NOW - HOUR, "B"), NOW - HOUR, "The quoted paragraph.", "And a second.")
    desk.match(paragraph)
    assert desk.track() == {"first_seen": 1}
    assert desk.kinds() == ["first_seen", "new_story"]


def test_the_archive_alerts_nobody(desk: Desk) -> None:
    desk.clock.at = NOW
    for days in (100, 50, 20):
        desk.report(NOW - days * DAY)
    desk.report(NOW - DAY, "B")
    assert desk.track() == {"archive": 3, "fresh_coverage": 1}
    assert desk.reason("fresh_coverage") == "the first fresh report since we follow it; 3 older in the archive"
    assert len(desk.mails()) == 1


def test_whatever_the_batch_the_events_are_the_same(desk: Desk) -> None:
    desk.clock.at = NOW
    chance = random.Random(3)
    times = [NOW - chance.random() * 7 * DAY for _ in range(25)]
    found = []
    for limit in (200, 3, 1):
        with desk.conn.transaction(force_rollback=True):
            for number, at in enumerate(times):
                desk.report(at, "ABCDEFG"[number % 7], "refutes" if number % 5 == 4 else "supports")
            desk.track(limit)
            found.append(desk.events())
            assert all(kind != "archive" for kind, _ in found[-1])
    assert found[0] == found[1] == found[2]
    assert "contradiction" in [kind for kind, _ in found[0]]


def eventful(desk: Desk) -> None:
    """Work for track that brings every kind of event but silence."""
    for day in range(20, 7, -1):
        desk.clock.at = NOW - day * DAY
        desk.report(desk.clock.now())
        desk.track()
    desk.clock.at = NOW
    desk.report(NOW - 40 * DAY, "Z")
    for number in range(6):
        desk.report(NOW - (6 - number) * HOUR, "BCDEFG"[number], "refutes")
    article = desk.article(NOW - 3 * HOUR, "H")
    (paragraph,) = desk.version(article, NOW - 3 * HOUR, "This was said.")
    desk.version(article, NOW - 3 * HOUR, "This was said otherwise.")
    desk.match(paragraph)
    desk.match(paragraph, OTHER)


def outcome(desk: Desk) -> list[list[tuple[Any, ...]]]:
    """Events, mails and what each tells, by natural keys."""
    queries = (
        "select claim_id, kind, event_key, happened_at, reason from ingest.claim_events order by 1, 2, 3",
        "select lower(al.email), al.claim_id, count(*) from ingest.alerts al group by 1, 2 order by 1, 2",
        "select ev.claim_id, ev.kind, ev.event_key, lower(s.email), n.decision, n.reason from ingest.notices n "
        "join ingest.claim_events ev using (event_id) join ingest.subscriptions s using (subscription_id) "
        "order by 1, 2, 3, 4",
        "select ev.claim_id, ev.kind, ev.event_key, al.email from ingest.alert_events ae "
        "join ingest.claim_events ev using (event_id) join ingest.alerts al using (alert_id) order by 1, 2, 3, 4",
        "select match_id from ingest.matches where tracked_at is not null order by 1",
        "select stage, count(*) from ingest.work group by 1 order by 1",
    )
    return [[tuple(r) for r in desk.conn.execute(query)] for query in queries]


def test_cut_off_after_any_statement_it_ends_in_the_same_rows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    add_subscription(desk.conn, "Two@example.org", desk.clock.now(), claim_id=CLAIM)
    eventful(desk)
    with desk.conn.transaction(force_rollback=True):
        desk.track()
        expected = outcome(desk)
    kinds = {kind for _, kind, *_ in expected[0]}
    assert kinds == {"first_seen", "fresh_coverage", "new_story", "archive", "surge", "contradiction", "edited"}
    assert all(mails == 1 for *_, mails in expected[1]), "one mail a claim and reader while none has gone out"
    real_rows, real_row, left = track.rows, track.row, 0

    def cut(real: Any) -> Any:
        def statement(*given: Any, **values: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise psycopg.OperationalError("the connection is gone")
            return real(*given, **values)

        return statement

    monkeypatch.setattr(track, "rows", cut(real_rows))
    monkeypatch.setattr(track, "row", cut(real_row))
    for statement in itertools.count(1):
        left = statement
        with desk.conn.transaction(force_rollback=True):
            try:
                desk.track()
            except psycopg.OperationalError:
                left = 0
                desk.track()
                assert outcome(desk) == expected, statement
                continue
            break
    assert statement > 50


def test_reports_that_come_late(desk: Desk) -> None:
    """Out of order: the burst was told; an older report of it is a new story, and only what stands alone is fresh."""
    desk.clock.at = NOW
    desk.report(NOW - 6 * DAY)
    desk.report(NOW - HOUR, "B")
    desk.track()
    assert desk.kinds() == ["first_seen", "fresh_coverage"]
    desk.clock.move(hours=2)
    desk.report(NOW - DAY, "C")
    desk.report(NOW - 7 * DAY + 3 * HOUR, "D")
    desk.track()
    assert sorted(desk.kinds()) == ["first_seen", "fresh_coverage", "new_story", "new_story"]
    assert len(desk.mails()) == 1  # nothing had gone out yet


def test_a_surge(desk: Desk) -> None:
    desk.clock.at = NOW
    for day in range(20, 0, -1):
        desk.clock.at = NOW - day * DAY
        desk.report(desk.clock.now())
        desk.track()
    desk.clock.at = NOW + 6 * HOUR
    desk.mails()
    for number in range(10):
        desk.report(NOW + number * HOUR / 2, "ABCDEFGHIJ"[number])
    desk.track()
    assert desk.kinds().count("surge") == 1
    (mail,) = desk.mails()
    assert mail.subject == "Killed in Kursk: 6 stories within a day, 6 times its usual 1.1 a day"
    assert "6 stories within a day" in mail.text


# Contradictions


def test_one_mail_tells_fresh_coverage_and_denial(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.report(NOW - HOUR)
    desk.track()
    desk.mails()
    desk.clock.move(days=10)
    at = desk.clock.now() - HOUR
    article = desk.article(at, "B")
    first, second = desk.version(article, at, "It was so. Others said as much.", "It was not so at all.")
    desk.match(first)
    desk.match(second, stance="refutes")
    desk.track()
    assert sorted(desk.kinds()) == ["contradiction", "first_seen", "fresh_coverage"]
    (mail,) = desk.mails()
    assert mail.subject == "Killed in Kursk: first denial, by The B"
    for said in (
        "New report after 10 days of quiet.",
        "Before this we knew of 1 story",
        "Why it matched: sentence 1: killed",
        "Estimated precision of this setting: 80 %, from 312 labelled pairs accepted at it.",
    ):
        assert said in mail.text
        assert said in mail.html
    assert desk.state().state == "contested"


def test_a_mail_on_its_way_is_not_changed(desk: Desk) -> None:
    """A process that is sending a mail has read it: what comes now is told in a mail of its own, not lost."""
    desk.clock.at = NOW
    desk.report(NOW - 2 * HOUR, "Z")
    desk.track()
    desk.mails()
    desk.clock.move(days=5)
    at = desk.clock.now() - HOUR
    story = desk.report(at)
    desk.track()
    with begin(desk.conn, desk.bench, "notify") as run:
        (item,) = run.claim(10)
        desk.report(at + HOUR / 2, "B", "refutes", story=story)
        desk.track()
        with run.settling(item):
            run.again(item, "again", desk.clock.now(), fresh=True)
    assert desk.one("select count(*) from ingest.alerts where state = 'pending'") == 2
    assert [m.subject.partition(": ")[2][:13] for m in desk.mails()] == ["new report af", "first denial,"]


def test_archive_is_heard_but_not_told(desk: Desk) -> None:
    """An old denial raises nothing; it makes a new one no first one."""
    desk.clock.at = NOW
    desk.report(NOW - 30 * DAY, "A")
    desk.report(NOW - 29 * DAY, "B", "refutes")
    desk.report(NOW - HOUR, "C", "refutes")
    desk.track()
    assert "contradiction" not in desk.kinds()


def test_a_copy_is_no_voice_of_its_own(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.report(NOW - 3 * HOUR, "A")
    story = desk.report(NOW - 2 * HOUR, "B", "refutes")
    for family in "CDE":
        desk.report(NOW - HOUR, family, "refutes", story=story)
    desk.track()
    assert desk.kinds().count("contradiction") == 1
    voices = rows(desk.conn, "tracking.voices", claim_id=CLAIM, match_id=0)
    assert {(v.family, v.stance) for v in voices} == {("A", "supports"), ("B", "refutes")}


# Edits

KILLED = "At least 100 soldiers were killed, the agency said"
FEWER = "At least 30 soldiers were killed, the agency said"


def test_a_change_around_the_sentence_is_no_edit(desk: Desk) -> None:
    desk.clock.at = NOW
    article = desk.article(NOW - HOUR)
    first, _ = desk.version(article, NOW - HOUR, f"{KILLED}. More follows.", "Something else.")
    desk.match(first)
    desk.track()
    assert len(desk.mails()) == 1
    desk.clock.move(hours=1)
    desk.version(article, NOW - HOUR, f"{KILLED}. More was expected.", "Something else.")  # around it only
    assert desk.track() == {"known-story": 1}
    assert desk.kinds() == ["first_seen"]
    desk.clock.move(hours=1)


def test_an_edit_is_told_once(desk: Desk) -> None:
    desk.clock.at = NOW
    article = desk.article(NOW - HOUR)
    (first, _) = desk.version(article, NOW - HOUR, f"{KILLED}. More follows.", "Something else.")
    desk.match(first)
    desk.track()
    desk.mails()
    desk.clock.move(hours=1)
    edited_at = desk.clock.now()
    desk.version(article, NOW - HOUR, f"{FEWER}.", "Something else.")
    desk.track()
    assert desk.events() == [("first_seen", NOW - HOUR), ("edited", edited_at)]
    assert desk.reason("edited") == f"The A changed “{KILLED}” to “{FEWER}.”"
    (mail,) = desk.mails()
    assert mail.subject == "Killed in Kursk: The A edited its report"
    assert "THE STORY AS IT WAS REPORTED" in mail.text
    for text in (KILLED, FEWER):
        assert text in " ".join(mail.text.split())
    desk.clock.move(hours=1)
    desk.version(article, NOW - HOUR, "All of it is gone.")
    desk.track()
    assert desk.kinds() == ["first_seen", "edited"]


def test_an_edit_that_was_made_before_the_match(desk: Desk) -> None:
    desk.clock.at = NOW
    article = desk.article(NOW - HOUR)
    (first,) = desk.version(article, NOW - HOUR, f"{KILLED}.")
    desk.version(article, NOW - HOUR, "It has been taken down.")
    desk.match(first)
    desk.track()
    assert desk.kinds() == ["first_seen", "edited"]
    assert desk.reason("edited") == f"The A took out “{KILLED}.”"
    assert len(desk.mails()) == 1  # both in one


def test_an_old_edit_is_not_mailed(desk: Desk) -> None:
    desk.clock.at = NOW - 30 * DAY
    article = desk.article(NOW - 30 * DAY)
    (first,) = desk.version(article, NOW - 30 * DAY, f"{KILLED}.")
    desk.version(article, NOW - 30 * DAY, "It has been taken down.")
    desk.clock.at = NOW
    desk.match(first)  # a new claim finds it
    desk.track()
    assert desk.kinds() == ["archive", "edited"]
    assert desk.mails() == []


def test_the_page_after_the_feeds_own_text_is_no_edit(desk: Desk) -> None:
    desk.clock.at = NOW
    article = desk.article(NOW - HOUR)
    (first,) = desk.version(article, NOW - HOUR, f"{KILLED}.", source="entry")
    desk.match(first)
    desk.version(article, NOW - HOUR, "The page says it at length.", source="page")
    desk.track()
    assert desk.kinds() == ["first_seen"]


def test_a_page_that_only_we_read_anew_is_no_edit(desk: Desk) -> None:
    """The publisher's own edit after it is one, of what the new reading had."""
    desk.clock.at = NOW
    article = desk.article(NOW - HOUR)
    (first,) = desk.version(article, NOW - HOUR, f"{KILLED}. More follows.")
    desk.match(first)
    desk.track()
    assert len(desk.mails()) == 1
    (again, _) = desk.version(article, NOW - HOUR, f"{KILLED}.", "More follows.", reextracted=True)
    desk.match(again)
    desk.track()
    assert desk.kinds() == ["first_seen"]
    assert desk.mails() == []
    desk.version(article, NOW - HOUR, f"{FEWER}.", "More follows.")
    desk.track()
    assert desk.kinds() == ["first_seen", "edited"]
    assert len(desk.mails()) == 1


def test_what_a_new_reading_brings_up_is_no_news(desk: Desk) -> None:
    desk.clock.at = NOW
    article = desk.article(NOW - HOUR)
    desk.version(article, NOW - HOUR, "A caption.")
    (found,) = desk.version(article, NOW - HOUR, f"{KILLED}.", reextracted=True)
    desk.match(found)
    desk.track()
    assert desk.kinds() == ["archive"]
    assert desk.mails() == []
    desk.report(NOW, "B")  # news of it still is
    desk.track()
    assert len(desk.mails()) == 1


def test_pages_with_evidence_are_read_again_ever_more_rarely(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.report(NOW - HOUR)
    desk.version(desk.article(NOW), NOW, "Nothing to see.")
    desk.track()
    asked = []
    for hour in range(24 * 9):
        desk.clock.at = NOW + hour * HOUR
        if maintain.run(desk.conn, desk.bench).reread:
            asked.append(hour)
            assert desk.one("select host from ingest.work where stage = 'fetch'") == "a.example"
            desk.conn.execute("delete from ingest.work where stage = 'fetch'")
    assert asked == [6, 12, 24, 48, 96]


# Silence


def polled(desk: Desk, day: datetime, outcome: str) -> None:
    """A run of poll on that day, by which all feeds went so."""
    desk.conn.execute(
        "insert into ingest.runs (stage, started_at, finished_at, claimed, outcomes) values ('poll', %s, %s, 2, %s)",
        [day, day, Jsonb({outcome: 2})],
    )


@pytest.fixture
def rhythm(desk: Desk) -> Desk:
    """A claim with a story a day for ten days, up to NOW, from a feed that is polled."""
    publisher = row(desk.conn, "feeds.add_publisher", name="The A", family="A", country=None, language=None, kind=None)
    feed = row(
        desk.conn, "feeds.add", url="http://a.example/rss", publisher_id=publisher.publisher_id, title=None,
        interval=HOUR, now=NOW - 20 * DAY,
    )  # fmt: skip
    for day in range(9, -1, -1):
        desk.clock.at = NOW - day * DAY
        desk.report(desk.clock.now())
        desk.track()
    desk.conn.execute(
        "insert into ingest.entries (feed_id, entry_key, article_id, title, summary, content, first_seen_at) "
        "select %s, article_id::text, article_id, '', '', '', first_seen_at from ingest.articles",
        [feed.feed_id],
    )
    return desk


def answered(desk: Desk, at: datetime) -> None:
    desk.conn.execute("update ingest.feeds set last_success_at = %s", [at])


def test_silence_once_and_until_the_next_story(rhythm: Desk) -> None:
    found = []
    mails = rhythm.mails()
    for day in range(1, 15):
        rhythm.clock.at = NOW + day * DAY
        polled(rhythm, rhythm.clock.now(), "unchanged")
        answered(rhythm, rhythm.clock.now())
        if silence.run(rhythm.conn, rhythm.bench):
            found.append(day)
        mails += rhythm.mails()
    assert found == [6]  # after five whole days
    assert rhythm.kinds()[-1] == "silence"
    assert rhythm.state().state == "silent"
    assert rhythm.reason("silence").startswith("no story for 5 days on which feeds were read")
    rhythm.report(rhythm.clock.now() - HOUR, "B")
    rhythm.track()
    assert rhythm.kinds()[-2:] == ["silence", "fresh_coverage"]
    assert rhythm.state().state == "active"
    mails += rhythm.mails()
    assert [m.subject.partition(": ")[2][:12] for m in mails] == ["first report", "no story for", "new report a"]


@pytest.mark.parametrize("down", ["all feeds", "the claim's feeds", "the pipeline"])
def test_no_silence_while_feeds_are_down(rhythm: Desk, down: str) -> None:
    for day in range(1, 15):
        rhythm.clock.at = NOW + day * DAY
        if down != "the pipeline":
            polled(rhythm, rhythm.clock.now(), "http-500" if down == "all feeds" else "unchanged")
        answered(rhythm, rhythm.clock.now() if down == "all feeds" else NOW)
        assert silence.run(rhythm.conn, rhythm.bench) == 0
    assert rhythm.state().state == "quiet"


def test_days_without_feeds_do_not_count(rhythm: Desk) -> None:
    for day in range(1, 15):
        rhythm.clock.at = NOW + day * DAY
        polled(rhythm, rhythm.clock.now(), "timeout" if day < 8 else "changed")
        answered(rhythm, rhythm.clock.now())
        silence.run(rhythm.conn, rhythm.bench)
    assert rhythm.events()[-1] == ("silence", NOW + 13 * DAY)


def test_no_silence_while_work_waits_unread(rhythm: Desk) -> None:
    for day in range(1, 10):
        polled(rhythm, NOW + day * DAY, "changed")
    rhythm.clock.at = NOW + 9 * DAY
    answered(rhythm, rhythm.clock.now())
    rows(rhythm.conn, "work.add", stage="extract", item_id=1, host="", due_at=rhythm.clock.now() - DAY)
    done = maintain.run(rhythm.conn, rhythm.bench)
    assert done.stalled
    assert done.silences == 0
    rhythm.conn.execute("delete from ingest.work where stage = 'extract'")
    assert maintain.run(rhythm.conn, rhythm.bench).silences == 1


def test_a_clock_that_jumps(rhythm: Desk) -> None:
    """Weeks ahead: nothing is silent, since no feed was read. Back again: nothing breaks, nothing is told twice."""
    rhythm.clock.at = NOW + 90 * DAY
    assert silence.run(rhythm.conn, rhythm.bench) == 0
    rhythm.report(rhythm.clock.now() - HOUR, "B")
    rhythm.track()
    rhythm.clock.at = NOW + HOUR
    rhythm.report(NOW, "C")
    rhythm.track()
    rhythm.report(NOW + 90 * DAY, "D")  # from the future, as it seems now
    rhythm.track()
    assert Counter(rhythm.kinds()) == {"first_seen": 1, "new_story": 11, "fresh_coverage": 1}


# A change of wording


def test_the_latest_judgement_counts(desk: Desk, tmp_path: Path) -> None:
    desk.clock.at = NOW
    article = desk.article(NOW - HOUR)
    kept, dropped, waiting = desk.version(
        article, NOW - HOUR, "Both find this.", "The old found it.", "Not judged yet."
    )
    for paragraph in (kept, dropped, waiting):
        desk.match(paragraph)
    desk.track()
    before = desk.clock.now()
    desk.clock.move(hours=1)
    file = some_claims(tmp_path, CLAIM, OTHER)
    file.write_text(
        file.read_text(encoding="utf-8").replace("statement: ", "statement: In fact, ", 2), encoding="utf-8"
    )
    assert set(claims.load(desk.conn, desk.bench, file).changed) == {CLAIM, OTHER}
    current = [r.claim_version_id for r in rows(desk.conn, "claims.in_force")]

    def judge(*paragraphs: int, versions: list[int] = current, model: int = desk.model) -> int:
        values = {"paragraph_ids": list(paragraphs), "model_id": model, "now": desk.clock.now()}
        return len(rows(desk.conn, "matches.supersede", claim_version_ids=versions, **values))

    assert judge(kept, dropped) == 2
    desk.match(kept)
    standing = "select array_agg(paragraph_id order by paragraph_id) from ingest.matches where superseded_at is null"
    assert desk.one(standing) == [kept, waiting]
    assert judge(kept, dropped) == 0
    old = [
        r.claim_version_id
        for r in desk.conn.execute("select claim_version_id from ingest.claim_versions where version = 1")
    ]
    assert judge(kept, versions=old) == 0  # a slow process with the former wording changes nothing
    assert desk.one("select count(*) from ingest.matches") == 4  # nothing is deleted
    assert judge(waiting) == 1
    assert desk.state().articles == 1
    desk.conn.execute("update ingest.matches set superseded_at = %s where superseded_at is null", [desk.clock.now()])
    assert desk.state().state == "unseen"
    assert desk.state(known_at=before).stories == 1
    assert desk.one("select count(*) from analysis.evidence") == 0


def test_a_judgement_that_is_made_again_stands_again(desk: Desk) -> None:
    desk.clock.at = NOW
    (paragraph,) = desk.version(desk.article(NOW), NOW, "It is so.")
    match = desk.match(paragraph)
    other = row(desk.conn, "models.register", name="n", weights_hash="x", dimensions=8, now=NOW).model_id
    current = [r.claim_version_id for r in rows(desk.conn, "claims.in_force")]
    rows(desk.conn, "matches.supersede", claim_version_ids=current, paragraph_ids=[paragraph], model_id=other, now=NOW)
    assert desk.one("select superseded_at from ingest.matches") == NOW
    assert desk.match(paragraph) == match
    assert desk.one("select superseded_at from ingest.matches") is None
    assert desk.match(paragraph) is None


# State


def test_states_and_two_times(desk: Desk) -> None:
    """What was published by one moment, as known at another."""
    assert desk.state().state == "unseen"
    desk.clock.at = NOW
    desk.report(NOW - HOUR, "A")
    desk.track()
    assert desk.state().state == "new"
    desk.clock.at = NOW + 3 * DAY
    desk.report(NOW - 2 * HOUR, "B", "refutes")  # published before, known later
    desk.track()
    assert desk.state(as_of=NOW, known_at=NOW).stories == 1
    assert desk.state(as_of=NOW, known_at=NOW).state == "new"
    later = desk.state(as_of=NOW)
    assert (later.stories, later.supports, later.refutes, later.state) == (2, 1, 1, "contested")
    assert later.first_at == NOW - 2 * HOUR
    assert later.last_event == "first_seen"
    assert desk.state(as_of=NOW - 3 * HOUR).state == "unseen"
    assert desk.state(as_of=NOW + 30 * DAY).state == "quiet"
    assert desk.state(known_at=NOW - HOUR).stories == 0
    assert desk.state(claim=OTHER).state == "unseen"


def test_what_changed(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.report(NOW - HOUR)
    desk.track()
    desk.clock.move(hours=5)
    desk.report(NOW + HOUR, "B", "refutes")
    desk.track()
    query = "select * from analysis.what_changed(%s, %s)"
    (changed,) = desk.conn.execute(query, [NOW + HOUR, NOW + DAY]).fetchall()
    assert (changed.claim_id, changed.state_before, changed.state) == (CLAIM, "new", "contested")
    assert (changed.new_stories, changed.new_families, changed.refutes) == (1, 1, 1)
    assert changed.events == ["new_story", "contradiction"]
    assert changed.last_reason.startswith("first report that denies it")
    assert desk.conn.execute(query, [NOW + 6 * HOUR, NOW + DAY]).fetchall() == []
    (all_of_it,) = desk.conn.execute(query, [NOW - DAY, NOW + DAY]).fetchall()
    assert (all_of_it.state_before, all_of_it.new_stories) == ("unseen", 2)


def test_coverage_by_day_and_week(desk: Desk) -> None:
    desk.clock.at = NOW
    monday = datetime(2024, 12, 16, 1, tzinfo=UTC)
    story = desk.report(monday, "A")
    desk.report(monday + HOUR, "A", story=story, publisher="The other A")
    desk.report(monday + DAY, "B", "refutes")
    desk.track()
    days = desk.conn.execute("select * from analysis.coverage_by_day order by day, family").fetchall()
    assert [(str(d.day), d.family, d.stories, d.articles, d.publishers, d.supports, d.refutes) for d in days] == [
        ("2024-12-16", "A", 1, 2, 2, 2, 0),
        ("2024-12-17", "B", 1, 1, 1, 0, 1),
    ]
    weeks = desk.conn.execute("select * from analysis.coverage_by_week order by family").fetchall()
    assert [(str(w.week), w.family, w.articles) for w in weeks] == [("2024-12-16", "A", 2), ("2024-12-16", "B", 1)]


def test_quiet_time_is_the_same_in_sql(conn: Connection) -> None:
    chance = random.Random(7)
    for _ in range(60):
        gaps = [chance.choice([0.1, 1, 30]) * chance.random() * DAY for _ in range(chance.randrange(0, 40))]
        times = [NOW]
        for gap in gaps:
            times.append(times[-1] + gap)
        found = conn.execute("select ingest.quiet_time(%s)", [times]).fetchone()[0]
        assert abs(found - tracking.quiet_time(times)) < timedelta(seconds=1), gaps
    assert conn.execute("select ingest.quiet_time(null)").fetchone()[0] == tracking.QUIET_DEFAULT


def test_claims_do_not_mix(desk: Desk, pg: EmbeddedServer) -> None:
    desk.clock.at = NOW
    desk.report(NOW - 2 * HOUR, "A")
    desk.report(NOW - HOUR, "B", "refutes", claim=OTHER)
    desk.track()
    assert desk.kinds() == desk.kinds(OTHER) == ["first_seen"]
    assert len(desk.mails()) == 2


# Commands


@pytest.fixture
def command(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    monkeypatch.setenv("CLAIMWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLAIMWATCH_DATABASE__DSN", dsn)

    def run(*arguments: object, status: int = 0) -> str:
        capsys.readouterr()
        assert run_command(monkeypatch, *arguments) == status
        shown = capsys.readouterr()
        return shown.err if status else shown.out

    return run


def test_timeline(desk: Desk, command: Callable[..., str]) -> None:
    desk.clock.at = NOW
    desk.report(NOW - 2 * HOUR)
    desk.track()
    desk.mails()
    desk.clock.move(days=1)
    desk.report(NOW + HOUR, "B [x]", "refutes")
    desk.track()
    shown = command("timeline", CLAIM, "--as-of", "2024-12-21", "--known-at", "2024-12-22")
    assert "North Korean soldiers have been killed in combat in Russia's Kursk region." in shown
    assert "contested; 2 stories, 2 families: 2 articles, 2 publishers, 0 origins; 1 support, 1 refute" in shown
    body = shown[shown.index("first_seen") :]
    assert body.index("new_story") < body.index("contradiction")
    assert "first report that denies it, by The B [x], after 1" in " ".join(shown.split())
    then = command("timeline", CLAIM, "--as-of", "2024-12-21", "--known-at", "2024-12-20T13:00", "-f", "json")
    (event,) = [json.loads(line) for line in then.splitlines()]
    assert (event["kind"], event["publisher"], event["mailed"]) == ("first_seen", "The A", True)
    assert event["happened_at"].startswith("2024-12-20T10:00")
    assert command("timeline", CLAIM, "--as-of", "2024-12-20", "-f", "csv").splitlines()[1:] == []
    assert "no claim is called 'nothing'" in command("timeline", "nothing", status=2)


def test_claims_show_their_state(desk: Desk, command: Callable[..., str]) -> None:
    desk.clock.at = NOW
    desk.report(NOW - 2 * HOUR)
    desk.track()
    lines = [json.loads(line) for line in command("claims", "list", "--as-of", "2024-12-21", "-f", "json").splitlines()]
    assert {(line["claim"], line["state"], line["families"]) for line in lines} == {
        (CLAIM, "new", 1),
        (OTHER, "unseen", 0),
    }
    shown = command("claims")
    assert "quiet" in shown  # by today
    assert "1 story," in shown
    assert "1 story, 1 family: 1 article, 1 publisher, 0 origins" in command("status")
