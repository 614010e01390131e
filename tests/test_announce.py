"""From claim events to the outbox: whom the database tells, what it holds back, digests, and the dry run."""

from __future__ import annotations

import itertools
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Bench, MovableClock, make_settings
from desk import CLAIM, DAY, HOUR, NOW, OTHER, Desk

from pipeline.adapters.database import Connection, row, rows
from pipeline.logic.news import Wishes
from pipeline.settings import Settings
from pipeline.stages import digests, notify, shadow
from pipeline.stages.subscriptions import add_subscription

ALL = "desk@example.org"


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    return make_settings(tmp_path, dsn, mail={"chart": False})


@pytest.fixture
def desk(conn: Connection, bench: Bench, clock: MovableClock, tmp_path: Path) -> Desk:
    found = Desk(conn, bench, clock, tmp_path)
    clock.at = NOW
    return found


def notices(desk: Desk) -> list[tuple[str, str, str]]:
    """Reader, kind of event and decision, in that order."""
    found = desk.conn.execute(
        "select s.email, ev.kind, n.decision from ingest.notices n join ingest.subscriptions s using (subscription_id) "
        "join ingest.claim_events ev using (event_id) order by s.email, ev.event_id, s.subscription_id"
    ).fetchall()
    return [tuple(r) for r in found]


def reader(desk: Desk, email: str, wishes: Wishes | None = None, **about: Any) -> int:
    number = add_subscription(desk.conn, email, desk.clock.now(), wishes or Wishes(), **about)
    assert number is not None
    return number


def reported(desk: Desk, *args: Any, **where: Any) -> int:
    story = desk.report(*args, **where)
    desk.track()
    return story


def test_each_reader_by_their_own_wishes(desk: Desk) -> None:
    reader(desk, "claim@example.org", claim_id=CLAIM)
    reader(desk, "other@example.org", claim_id=OTHER)
    reader(desk, "topic@example.org", topic_id="nk-russia")
    reader(desk, "sure@example.org", Wishes(min_probability=0.95))
    reader(desk, "korean@example.org", Wishes(languages=frozenset({"ko"})))
    reader(desk, "english@example.org", Wishes(languages=frozenset({"ko", "en"}), min_probability=0.9))
    reader(desk, "later@example.org", Wishes("daily"))
    paused = reader(desk, "paused@example.org")
    row(desk.conn, "alerts.pause", subscription_id=paused, until=NOW + DAY, now=NOW)
    desk.conn.execute("update ingest.subscriptions set confirmed_at = null where email like 'unsure%'")
    unsure = reader(desk, "unsure@example.org")
    desk.conn.execute("update ingest.subscriptions set confirmed_at = null where subscription_id = %s", [unsure])
    reported(desk, NOW - HOUR)
    decided = {email: decision for email, _, decision in notices(desk)}
    assert decided == {
        ALL: "told",
        "claim@example.org": "told",
        "topic@example.org": "told",
        "english@example.org": "told",
        "sure@example.org": "skipped",
        "korean@example.org": "skipped",
        "paused@example.org": "skipped",
    }
    assert sorted(m.to for m in desk.mails()) == sorted(email for email, d in decided.items() if d == "told")


def test_one_mail_a_reader_however_many_subscriptions(desk: Desk) -> None:
    reader(desk, "DESK@example.org", claim_id=CLAIM)
    reader(desk, "desk@Example.org", Wishes(min_probability=0.95), topic_id="nk-russia")
    reported(desk, NOW - HOUR)
    assert [decision for _, _, decision in notices(desk)] == ["told", "told", "skipped"] or sorted(
        decision for _, _, decision in notices(desk)
    ) == ["skipped", "told", "told"]
    assert len(desk.mails()) == 1


def test_what_is_held_is_told_by_the_next_mail(desk: Desk) -> None:
    for day in range(20, 0, -1):
        desk.clock.at = NOW - day * DAY
        reported(desk, desk.clock.now())
        desk.mails()
    desk.clock.at = NOW - 2 * HOUR
    reported(desk, NOW - 2 * HOUR, "B", "refutes")
    (denial,) = desk.mails()  # new in kind
    assert "first denial" in denial.subject
    desk.clock.at = NOW
    for number in range(6):
        reported(desk, NOW - HOUR, "CDEFGH"[number])
    assert "surge" in desk.kinds()
    assert desk.mails() == []
    (reason,) = [r.reason for r in desk.conn.execute("select reason from ingest.notices where decision = 'held'")]
    assert reason.endswith("after what was told last; this claim rests for 3 days")
    desk.clock.at = NOW + 10 * DAY
    reported(desk, desk.clock.now(), "A")
    (mail,) = desk.mails()
    assert "new report after" in mail.subject
    for text in (mail.text, mail.html):
        assert "stories within a day" in text
    desk.clock.at = NOW + 30 * DAY
    reported(desk, desk.clock.now(), "A")
    (mail,) = desk.mails()
    assert "stories within a day" not in mail.text  # once


def test_quiet_hours_gather_what_happens_meanwhile(desk: Desk) -> None:
    desk.conn.execute("update ingest.subscriptions set ended_at = now()")
    night = Wishes(zone="Asia/Seoul", quiet_from=time(21), quiet_until=time(7))  # 12:00 to 22:00 UTC
    reader(desk, "seoul@example.org", night)
    reported(desk, NOW - HOUR)
    desk.clock.at = NOW + 3 * HOUR
    reported(desk, desk.clock.now(), "B", "refutes")
    assert desk.mails() == []
    desk.clock.at = NOW + 10 * HOUR
    (mail,) = desk.mails()
    assert len(rows(desk.conn, "alerts.told", alert_id=1)) == 2
    assert "denial" in mail.text


def test_what_may_have_gone_out_is_not_changed(desk: Desk) -> None:
    class Broken:
        def __enter__(self) -> Broken:
            return self

        def __exit__(self, *_: object) -> None: ...

        def send(self, message: Any, accepted: Any = None) -> None:
            from pipeline.errors import TransientError

            raise TransientError("the connection broke", code="smtp-down")

    reported(desk, NOW - HOUR)
    desk.bench.mailer = Broken  # type: ignore[assignment, method-assign]
    notify.run(desk.conn, desk.bench, 10)
    reported(desk, NOW, "B", "refutes")
    assert desk.one("select count(*) from ingest.alerts") == 2
    desk.clock.move(hours=5)
    assert len(desk.mails()) == 2


def test_mails_on_a_claim_make_a_thread(desk: Desk) -> None:
    mails = []
    for day in (0, 10, 20):
        desk.clock.at = NOW + day * DAY
        reported(desk, desk.clock.now())
        mails += desk.mails()
    reported(desk, desk.clock.now(), claim=OTHER)
    (other,) = desk.mails()
    root = f"<claim.{CLAIM}@localhost>"
    ids = [mail.message_id for mail in mails]
    assert [mail.headers["References"].split() for mail in mails] == [[root], [root, ids[0]], [root, *ids[:2]]]
    assert mails[2].headers["In-Reply-To"] == ids[1]
    assert other.headers["References"] == f"<claim.{OTHER}@localhost>"


def test_a_digest_a_day(desk: Desk) -> None:
    desk.conn.execute("update ingest.subscriptions set ended_at = now()")
    reader(desk, "daily@example.org", Wishes("daily", hour=8, zone="Asia/Seoul"))
    assert digests.queue_due(desk.conn, desk.bench) == 0
    reported(desk, NOW - HOUR)
    reported(desk, NOW - HOUR / 2, "B", "refutes")
    desk.clock.at = NOW + 11 * HOUR  # 8 o'clock in Seoul
    assert digests.queue_due(desk.conn, desk.bench) == 1
    assert digests.queue_due(desk.conn, desk.bench) == 0
    (mail,) = desk.mails()
    for said in ("killed in kursk", "first denial", "desertion"):
        assert said in mail.text.lower()
        assert said in mail.html.lower()
    desk.clock.at += DAY
    assert digests.queue_due(desk.conn, desk.bench) == 1
    (mail,) = desk.mails()
    assert "denial" not in mail.text  # told the day before
    desk.clock.at += 3 * DAY  # the pipeline stood still: one digest, of all that time
    assert digests.queue_due(desk.conn, desk.bench) == 1
    spans = desk.conn.execute(
        "select since, until from ingest.alerts where kind = 'digest' order by alert_id"
    ).fetchall()
    assert all(before.until == after.since for before, after in itertools.pairwise(spans))


def test_what_a_digest_could_not_deliver_is_told_again_and_a_pause_is_not(desk: Desk) -> None:
    number = reader(desk, "daily@example.org", Wishes("daily"))

    def next_span() -> Any:
        desk.clock.at += DAY
        assert digests.queue_due(desk.conn, desk.bench) == 1
        return row(desk.conn, "alerts.to_send", alert_ids=[desk.one("select max(alert_id) from ingest.alerts")])

    first, second = next_span(), next_span()
    assert second.since == first.until
    desk.conn.execute("update ingest.alerts set state = 'failed' where alert_id = %s", [second.alert_id])
    third = next_span()
    assert third.since == first.until
    paused = desk.clock.now() + DAY / 2
    row(desk.conn, "alerts.pause", subscription_id=number, until=paused, now=desk.clock.now())
    assert next_span().since == paused


def test_a_digest_says_what_could_not_be_read(desk: Desk) -> None:
    from pipeline.stages.poll import add_feed

    for number in range(4):
        add_feed(desk.conn, desk.bench, f"http://feed{number}.example/rss", name=f"Outlet {number}", family="F")
    down = NOW - 3 * DAY
    desk.conn.execute("update ingest.feeds set failures = 5, last_success_at = %s", [down])
    desk.conn.execute("update ingest.feeds set failures = 0 where url like '%feed3%'")
    (line, *_) = digests.health(desk.conn, NOW)
    assert line == "3 feeds have been down since Tuesday, 17 December: Outlet 0, Outlet 1, Outlet 2"
    desk.conn.execute("update ingest.feeds set failures = 0")
    assert digests.health(desk.conn, NOW) == []


def test_the_dry_run_decides_as_it_was_decided(desk: Desk) -> None:
    """Over a past in which every mail went out at once; nothing is written."""
    reader(desk, "sure@example.org", Wishes(min_probability=0.95))
    reader(desk, "claim@example.org", claim_id=CLAIM)
    reader(desk, "Claim@Example.org")  # the same reader twice
    for step in range(40):
        desk.clock.at = NOW + step * 7 * HOUR
        reported(desk, desk.clock.now(), "ABCDEFGHIJ"[step % 10], "refutes" if step >= 20 else "supports")
        desk.mails()
    before = desk.conn.execute("select count(*) from ingest.notices").fetchone()
    outcomes = shadow.run(desk.conn, shadow.readers(desk.conn), NOW - DAY, desk.clock.now() + DAY)
    assert sorted((o.reader, o.news.event.kind, o.decision.decision) for o in outcomes) == sorted(notices(desk))
    assert {d for _, _, d in notices(desk)} == {"told", "held", "skipped"}
    assert len({o.mail for o in outcomes if o.mail}) == desk.one("select count(*) from ingest.alerts")
    assert desk.conn.execute("select count(*) from ingest.notices").fetchone() == before


def test_a_new_authority_and_a_new_figure_are_events(desk: Desk) -> None:
    """Only authorities of states, and not those of the claim's first report."""
    for origin, name, kind in (
        ("nis", "NIS", "intelligence"),
        ("paper", "A paper", "media"),
        ("gur", "GUR", "military"),
    ):
        desk.conn.execute(
            "insert into ingest.origins (origin_id, name, kind, lexicon_hash) values (%s, %s, %s, %s)",
            [origin, name, kind, b""],
        )

    def resting(origin: str, family: str) -> None:
        story = desk.report(desk.clock.now(), family)
        desk.conn.execute(
            "insert into ingest.version_origins (version_id, position, origin_id, sentence, how, strength) "
            "select version_id, 1, %s, 's', 'cue', 1 from ingest.versions join ingest.articles using (article_id) "
            "where story_id = %s",
            [origin, story],
        )
        desk.track()

    for origin, family in (("nis", "A"), ("nis", "B"), ("paper", "C"), ("gur", "D"), ("gur", "E")):
        desk.clock.move(hours=1)
        resting(origin, family)
    assert [kind for kind in desk.kinds() if kind == "new_origin"] == ["new_origin"]
    assert desk.reason("new_origin") == "the first evidence that rests on GUR, by The D"
