"""Subscriptions in SQL, as the reviewers' role makes and changes them; what analysts see of readers and mails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from claims_files import some_claims
from conftest import Bench, FakeEncoder, MovableClock, clone_dsn
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.adapters import database
from pipeline.adapters.database import Connection, row, rows
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.logic import news
from pipeline.logic.news import Wishes
from pipeline.settings import Settings
from pipeline.stages import announce, claims, maintain
from pipeline.stages.subscriptions import add_subscription

CLAIM = "killed-in-kursk"
ADA = "ada.lovelace@example.org"
Ask = Callable[..., Any]


@pytest.fixture
def filled(conn: Connection, settings: Settings, clock: MovableClock, tmp_path: Path) -> Connection:
    bench = Bench(settings, clock, FakeEncoder())  # type: ignore[arg-type]
    claims.load(conn, bench, some_claims(tmp_path, CLAIM, "desertion"))
    return conn


@pytest.fixture
def login(pg: EmbeddedServer, dsn: str, filled: Connection) -> Iterator[Callable[[str], psycopg.Connection[Any]]]:
    with ExitStack() as stack:
        yield lambda role: stack.enter_context(
            psycopg.connect(clone_dsn(dsn, role, pg.password(role)), autocommit=True)
        )


@pytest.fixture
def ask(login: Callable[[str], psycopg.Connection[Any]], clock: MovableClock) -> Ask:
    """Calls a function as the reviewer, at the test's time: ask("subscribe", email=ADA) -> 1."""
    reviewer = login("claimwatch_reviewer")

    def call(function: str, **values: Any) -> Any:
        values.setdefault("as_of", clock.now())
        named = ", ".join(f"{name} => %({name})s" for name in values)
        return reviewer.execute(f"select analysis.{function}({named})", values).fetchone()[0]

    return call


def stored(conn: Connection, number: int) -> Any:
    return conn.execute("select * from ingest.subscriptions where subscription_id = %s", [number]).fetchone()


def test_it_is_asked_before_anything_is_sent(ask: Ask, filled: Connection, clock: MovableClock) -> None:
    number = ask("subscribe", email=f" {ADA} ", claim=CLAIM, sender_domain="Desk.example")
    kept = stored(filled, number)
    assert (kept.email, kept.claim_id, kept.rhythm, kept.confirmed_at) == (ADA, CLAIM, "instant", None)
    assert rows(filled, "alerts.instant", claim_id=CLAIM, topic_id=None) == [], "nobody is told before the yes"
    mail = filled.execute("select * from ingest.alerts").fetchone()
    assert (mail.kind, mail.email, mail.subscription_id, mail.state) == ("confirmation", ADA, number, "pending")
    work = filled.execute("select * from ingest.work where stage = 'notify'").fetchone()
    assert (work.item_id, work.host, work.due_at) == (mail.alert_id, "example.org", clock.now())
    clock.move(minutes=5)
    assert ask("confirm_subscription", subscription_id=number) is True
    assert ask("confirm_subscription", subscription_id=number) is False
    assert [r.subscription_id for r in rows(filled, "alerts.instant", claim_id=CLAIM, topic_id=None)] == [number]
    assert stored(filled, number).confirmed_at == clock.now()


def test_the_mail_is_named_as_the_outbox_names_mail(ask: Ask, filled: Connection, settings: Settings) -> None:
    number = ask("subscribe", email=ADA, sender_domain=settings.mail.domain)
    named = filled.execute("select delivery_key, message_id from ingest.alerts").fetchone()
    filled.execute("delete from ingest.alerts")
    with filled.transaction():
        announce.queue(filled, settings, named.delivery_key, ADA, datetime.now(UTC), "confirmation")
    assert filled.execute("select message_id from ingest.alerts").fetchone() == (named.message_id,)
    assert named.delivery_key == f"confirm/{number}"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": "no address"}, "not a mail address"),
        ({"email": "a@b\r\nBcc: c@d"}, "not a mail address"),
        ({"email": None}, "not a mail address"),
        ({"claim": "no-such-claim"}, "no claim that is followed"),
        ({"topic": "no-such-topic"}, "no topic"),
        ({"claim": CLAIM, "topic": "nk-russia"}, "a claim or about a topic"),
        ({"timezone": "Mars/Olympus"}, "not a time zone"),
        ({"timezone": "EST5EDT,M3.2.0"}, "not a time zone"),
        ({"timezone": "posix/Europe/Berlin"}, "not a time zone"),
        ({"rhythm": "hourly"}, "no rhythm"),
        ({"hour": 24}, "no hour 24"),
        ({"weekday": 0}, "no day 0"),
        ({"quiet_from": time(22)}, "beginning and an end"),
        ({"quiet_from": time(22), "quiet_until": time(22)}, "whole day"),
        ({"min_probability": 1.5}, "no 1.5"),
        ({"languages": ["Korean"]}, "two or three letters"),
        ({"languages": [None]}, "two or three letters"),
    ],
)
def test_what_there_is_not_is_refused_in_words(ask: Ask, filled: Connection, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=said) as refused:
        ask("subscribe", **{"email": ADA, **wrong})
    assert refused.value.diag.message_hint
    assert filled.execute("select count(*) from ingest.subscriptions").fetchone() == (0,)
    assert filled.execute("select count(*) from ingest.alerts").fetchone() == (0,)


def test_the_same_twice_is_one(ask: Ask, filled: Connection) -> None:
    ask("subscribe", email=ADA, claim=CLAIM)
    with pytest.raises(psycopg.errors.RaiseException, match="such a subscription"):
        ask("subscribe", email=ADA.upper(), claim=CLAIM)
    digest = ask("subscribe", email=ADA, claim=CLAIM, rhythm="daily")
    with pytest.raises(psycopg.errors.RaiseException, match="another subscription"):
        ask("change_subscription", subscription_id=digest, rhythm="instant")
    assert stored(filled, digest).rhythm == "daily"


def test_a_stranger_is_not_asked_without_end(ask: Ask, clock: MovableClock) -> None:
    for rhythm in ("instant", "daily", "weekly"):
        ask("subscribe", email=ADA, rhythm=rhythm)
    for claim in (CLAIM, "desertion"):
        ask("subscribe", email=ADA, claim=claim)
    with pytest.raises(psycopg.errors.RaiseException, match="five times"):
        ask("subscribe", email=ADA.upper(), claim=CLAIM, rhythm="daily")
    ask("subscribe", email="somebody@example.org")
    clock.move(days=1, minutes=1)
    ask("subscribe", email=ADA, claim=CLAIM, rhythm="daily")


def test_changed_paused_and_ended(ask: Ask, filled: Connection, clock: MovableClock) -> None:
    number = ask("subscribe", email=ADA, rhythm="daily", hour=7)
    ask("confirm_subscription", subscription_id=number)
    due = stored(filled, number).next_digest_at
    wishes = {"rhythm": "daily", "hour": 7, "languages": ["ru", "ko", "ru"], "min_probability": 0.9}
    ask("change_subscription", subscription_id=number, **wishes)
    kept = stored(filled, number)
    assert (kept.languages, kept.next_digest_at) == (["ko", "ru"], due), "a digest that is due stays due"
    ask("change_subscription", subscription_id=number, **wishes | {"timezone": "asia/seoul"})
    kept = stored(filled, number)
    assert (kept.timezone, kept.next_digest_at) == ("Asia/Seoul", news.next_digest(announce.wishes(kept), clock.now()))
    until = clock.now() + timedelta(days=7)
    assert ask("pause_subscription", subscription_id=number, until=until) == until
    assert ask("pause_subscription", subscription_id=number, until=None) is None
    for never in (clock.now(), clock.now() + timedelta(days=500), "infinity"):
        with pytest.raises(psycopg.errors.RaiseException, match="within a year"):
            ask("pause_subscription", subscription_id=number, until=never)
    assert [ask("end_subscription", subscription_id=number) for _ in range(2)] == [True, False]
    assert stored(filled, number).ended_at == clock.now()
    for function in ("change_subscription", "pause_subscription", "confirm_subscription"):
        with pytest.raises(psycopg.errors.RaiseException, match="has ended"):
            ask(function, subscription_id=number)
    with pytest.raises(psycopg.errors.RaiseException, match="no subscription has the number 99"):
        ask("end_subscription", subscription_id=99)
    assert ask("subscribe", email=ADA, rhythm="daily") != number, "who left may come back"


def test_who_never_answers_is_not_waited_for(ask: Ask, filled: Connection, clock: MovableClock, bench: Bench) -> None:
    yes, never = ask("subscribe", email=ADA), ask("subscribe", email="never@example.org")
    ask("confirm_subscription", subscription_id=yes)
    clock.move(days=bench.settings.alerts.link_days)
    assert maintain.run(filled, bench).unanswered == 0
    clock.move(seconds=1)
    assert maintain.run(filled, bench).unanswered == 1
    assert stored(filled, yes).ended_at is None
    with pytest.raises(psycopg.errors.RaiseException, match="has ended"):
        ask("confirm_subscription", subscription_id=never)


def test_a_digest_begins_with_the_yes(ask: Ask, filled: Connection, clock: MovableClock) -> None:
    """One that waited a month for its yes does not come at once with the whole month."""
    number = ask("subscribe", email=ADA, rhythm="weekly", weekday=3, hour=6, timezone="Asia/Seoul")
    clock.move(days=30)
    ask("confirm_subscription", subscription_id=number)
    kept = stored(filled, number)
    assert kept.next_digest_at == news.next_digest(announce.wishes(kept), clock.now()) > clock.now()


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Seoul", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])


@given(
    rhythm=st.sampled_from(["daily", "weekly"]),
    hour=st.integers(0, 23),
    weekday=st.integers(1, 7),
    zone=ZONES,
    after=st.integers(1_704_067_200, 1_798_761_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
@hypothesis_settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
def test_the_database_counts_digests_as_the_pipeline_does(
    conn: Connection, rhythm: str, hour: int, weekday: int, zone: str, after: datetime
) -> None:
    said = conn.execute(
        "select ingest.next_digest(%s, %s, %s, %s, %s)", [rhythm, hour, weekday, zone, after]
    ).fetchone()
    assert said[0] == news.next_digest(Wishes(rhythm, hour, weekday, zone), after)


@pytest.mark.parametrize("hour", [1, 2, 3])
@pytest.mark.parametrize("day", ["2025-03-29", "2025-03-30", "2025-10-25", "2025-10-26"])
def test_also_where_the_clock_is_put_forward_and_back(conn: Connection, day: str, hour: int) -> None:
    for minutes in range(0, 48 * 60, 15):
        after = datetime.fromisoformat(f"{day}T00:00+00:00") - timedelta(hours=12) + timedelta(minutes=minutes)
        said = conn.execute("select ingest.next_digest('daily', %s, 1, 'Europe/Berlin', %s)", [hour, after]).fetchone()
        assert said[0] == news.next_digest(Wishes("daily", hour, 1, "Europe/Berlin"), after), after


def test_addresses_are_shown_to_nobody(
    ask: Ask, filled: Connection, login: Callable[[str], psycopg.Connection[Any]], clock: MovableClock
) -> None:
    number = ask("subscribe", email=ADA)
    add_subscription(filled, "team", clock.now(), channel="service")
    filled.execute(
        "update ingest.alerts set state = 'failed', subject = %s, problem = %s",
        [f"Is {ADA} your address?", f"550 5.1.1 <{ADA}>: Recipient address rejected; ask postmaster@example.org"],
    )
    reviewer, analyst = login("claimwatch_reviewer"), login("claimwatch_analyst")
    readers = reviewer.execute("select reader from analysis.subscriptions order by 1").fetchall()
    assert readers == [("a…@example.org",), ("team",)]
    found = reviewer.execute("select * from analysis.subscriptions_of(%s)", [ADA.upper()]).fetchall()
    assert found == [(number,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute("select * from analysis.subscriptions")
    shown = analyst.execute("select subject, problem from analysis.alerts").fetchone()
    assert shown == ("Is (address) your address?", "550 5.1.1 <(address)>: Recipient address rejected; ask (address)")
    for view in ("alerts", "notices"):
        columns = [d.name for d in analyst.execute(f"select * from analysis.{view}").description or ()]
        assert not {"email", "body", "delivery_key", "message_id"} & set(columns)


def test_what_it_is_about_in_words(ask: Ask, filled: Connection, login: Any) -> None:
    filled.execute("update ingest.claims set title = 'Killed in Kursk' where claim_id = %s", [CLAIM])
    for about in ({"claim": CLAIM}, {"claim": "desertion"}, {"topic": "nk-russia"}, {}):
        ask("subscribe", email=ADA, **about)
    said = login("claimwatch_reviewer").execute("select about from analysis.subscriptions order by subscription_id")
    name = row(filled, "digests.scope", claim_id=None, topic_id="nk-russia").name
    assert [r[0] for r in said] == ["Killed in Kursk", "Desertion and surrender", name, "All claims"]


def test_two_at_once_are_one(ask: Ask, filled: Connection, pg: EmbeddedServer, dsn: str, clock: MovableClock) -> None:
    """The second waits for the first, and is told that there is one."""
    other = clone_dsn(dsn, "claimwatch_reviewer", pg.password("claimwatch_reviewer"))
    with psycopg.connect(other) as first:
        first.execute("select analysis.subscribe(%s)", [ADA])
        with psycopg.connect(other, autocommit=True) as second:
            second.execute("set lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                second.execute("select analysis.subscribe(%s)", [ADA])
            first.commit()
            with pytest.raises(psycopg.errors.RaiseException, match="such a subscription"):
                second.execute("select analysis.subscribe(%s)", [ADA])
    assert len(database.rows(filled, "alerts.subscriptions")) == 1
