"""Subscriptions on the desk, and the links in mails, by plain HTTP as mailboxes, scanners and browsers send it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import lxml.html
import pytest
from conftest import Bench, MovableClock
from desk import CLAIM, NOW, Desk
from desk_client import browsing, pressed, seen, text

from pipeline.adapters.database import Connection
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.secretfile import stored_secret
from pipeline.logic.links import Links
from pipeline.stages.subscriptions import add_subscription

PASSWORD = "correct horse"
BASE = "http://desk.example"
ADA = "ada.lovelace@example.org"
ACTIONS = ("confirm", "unsubscribe", "pause", "manage")


@pytest.fixture
def desk(conn: Connection, bench: Bench, clock: MovableClock, tmp_path: Path) -> Desk:
    made = Desk(conn, bench, clock, tmp_path)
    clock.at = NOW
    return made


@pytest.fixture
def client(desk: Desk, pg: EmbeddedServer, dsn: str, tmp_path: Path, clock: MovableClock) -> Iterator[httpx.Client]:
    """Nobody has logged in."""
    with browsing(pg, dsn, tmp_path, clock, public_url=BASE, password=PASSWORD) as one:
        yield one


@pytest.fixture
def inside(client: httpx.Client) -> httpx.Client:
    assert client.post("/login", data={"password": PASSWORD}).status_code == 303
    return client


@pytest.fixture
def links(desk: Desk, tmp_path: Path) -> Links:
    return Links(BASE, stored_secret(tmp_path, "links.key"))


@pytest.fixture
def number(desk: Desk, clock: MovableClock) -> int:
    found = add_subscription(desk.conn, ADA, clock.now(), claim_id=CLAIM)
    assert found is not None
    return found


def path(link: str | None) -> str:
    parts = urlsplit(link or "")
    return f"{parts.path}?{parts.query}"


def stored(desk: Desk, number: int) -> Any:
    return desk.conn.execute("select * from ingest.subscriptions where subscription_id = %s", [number]).fetchone()


def everything(desk: Desk) -> list[Any]:
    return [
        desk.conn.execute(f"select * from ingest.{table} order by 1").fetchall()
        for table in ("subscriptions", "reviews", "alerts", "work")
    ]


def said(answer: httpx.Response) -> str:
    return " ".join(lxml.html.fromstring(answer.text).cssselect("main")[0].text_content().split())


# The links in mails


def test_a_mailbox_unsubscribes_with_one_click(client: httpx.Client, desk: Desk, links: Links, number: int) -> None:
    """RFC 8058: a POST of its own, without cookie, form token or redirect, in either of two encodings."""
    link = path(links.unsubscribe(number))
    assert stored(desk, number).ended_at is None
    answer = client.post(link, data={"List-Unsubscribe": "One-Click"}, headers={"Origin": "https://mailbox.example"})
    assert (answer.status_code, "location" in answer.headers) == (200, False)
    assert stored(desk, number).ended_at == NOW
    parts = {"List-Unsubscribe": (None, "One-Click")}
    assert client.post(link, files=parts).status_code == 200, "a mailbox that is not sure asks again"
    assert stored(desk, number).ended_at == NOW
    other = add_subscription(desk.conn, "bo@example.org", NOW)
    assert other is not None
    assert client.post(path(links.unsubscribe(other)), files=parts).status_code == 200
    assert stored(desk, other).ended_at == NOW


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(
    client: httpx.Client, desk: Desk, links: Links, number: int, method: str, clock: MovableClock
) -> None:
    """Mail scanners follow each link, some more than once."""
    asked = desk.conn.execute(
        "insert into ingest.subscriptions (email, created_at) values ('b@c.org', %s) returning subscription_id", [NOW]
    ).fetchone()[0]
    match = evidence(desk)
    before = everything(desk)
    paths = [path(getattr(links, action)(number)) for action in ("unsubscribe", "pause", "manage")]
    paths += [path(links.confirm(asked))]
    paths += [path(links.verdict(match, verdict, ADA, NOW)) for verdict in ("confirmed", "rejected")]
    for one in paths * 2:
        answer = client.request(method, one)
        assert answer.status_code == 200, one
        assert answer.headers["cache-control"] == "private, no-store"
    assert everything(desk) == before


def test_each_page_has_one_button_that_does_it(client: httpx.Client, desk: Desk, links: Links, number: int) -> None:
    page = seen(client, path(links.pause(number)))
    assert text(page, "form button") == ["Pause"]
    assert "Killed in Kursk" in page.text_content()
    assert "a…@example.org" in page.text_content()
    assert ADA not in page.text_content()
    pressed(client, page.cssselect("form")[0], days="28")
    assert stored(desk, number).paused_until == NOW + timedelta(days=28)
    again = seen(client, path(links.pause(number)))
    assert text(again, "form button") == ["Go on now"]
    pressed(client, again.cssselect("form")[0])
    assert stored(desk, number).paused_until is None
    ending = seen(client, path(links.unsubscribe(number)))
    assert text(ending, "form button") == ["End it"]
    pressed(client, ending.cssselect("form")[0])
    assert stored(desk, number).ended_at == NOW


def test_what_nobody_signed_is_refused(client: httpx.Client, desk: Desk, links: Links, number: int) -> None:
    match = evidence(desk)
    before = everything(desk)
    for action in ACTIONS:
        true = path(getattr(links, action)(number))
        for forged in (
            f"/mail/{action}",
            f"/mail/{action}?subscription={number}",
            f"/mail/{action}?subscription={number}&sign=" + 40 * "0",
            true.replace(f"subscription={number}", "subscription=1"),
            true[:-1],
            true + "&more=1",
            path(links.verdict(match, "confirmed", ADA, NOW)).replace("/review", f"/{action}"),
        ):
            for method in ("GET", "POST"):
                answer = client.request(method, forged)
                assert answer.status_code == 403, (method, forged)
                assert "not whole" in said(answer)
    other = Links(BASE, "another desk's key")
    assert client.post(path(other.unsubscribe(number))).status_code == 403
    assert client.post(path(links.confirm(number)).replace("confirm", "unsubscribe")).status_code == 403
    assert everything(desk) == before


def test_used_links_say_so(client: httpx.Client, desk: Desk, links: Links, number: int) -> None:
    used = client.get(path(links.confirm(number)))
    assert used.status_code == 410
    assert "said yes already" in said(used)
    client.post(path(links.unsubscribe(number)))
    for action in ACTIONS:
        for method in ("GET", "POST"):
            answer = client.request(method, path(getattr(links, action)(number)))
            assert answer.status_code == (200 if (action, method) == ("unsubscribe", "POST") else 410)
            assert "has ended" in said(answer)
    assert client.get(path(links.pause(10**9))).status_code == 404


def test_a_reader_manages_their_own(client: httpx.Client, desk: Desk, links: Links, number: int) -> None:
    page = seen(client, path(links.manage(number)))
    form = page.cssselect("form.wishes")[0]
    changed = pressed(client, form, rhythm="weekly", hour="6", weekday="5", timezone="asia/seoul", least="90")
    assert text(changed, "[role=status]") == ["Changed."]
    assert "Fridays at 6:00, Asia/Seoul" in changed.text_content()
    kept = stored(desk, number)
    assert (kept.rhythm, kept.hour, kept.weekday, kept.timezone) == ("weekly", 6, 5, "Asia/Seoul")
    assert kept.min_probability == pytest.approx(0.9)
    values = {name: value or "" for name, value in form.form_values()}
    for wrong, words in (
        ({"timezone": "Mars"}, "not a time zone"),
        ({"quiet_from": "22:00"}, "beginning and an end"),
        ({"languages": "english"}, "two or three letters"),
    ):
        answer = client.post(form.action, data=values | wrong)
        assert (answer.status_code, words in said(answer)) == (422, True), wrong
    assert stored(desk, number) == kept
    assert client.get("/subscriptions").status_code == 303, "their link opens nothing else"


# Verdicts by mail


def evidence(desk: Desk) -> int:
    desk.report(NOW - timedelta(days=1))
    return int(desk.one("select max(match_id) from ingest.matches"))


def test_a_verdict_by_mail(client: httpx.Client, desk: Desk, links: Links) -> None:
    match = evidence(desk)
    confirm, reject = (path(links.verdict(match, v, ADA, NOW)) for v in ("confirmed", "rejected"))
    page = seen(client, reject)
    assert text(page, "form button") == ["No, reject it"]
    assert "No reviewer has said anything yet" in page.text_content()
    pressed(client, page.cssselect("form")[0])
    reviews = "select verdict, reviewer, note from analysis.reviews where match_id = %s order by review_id"
    note = "by the link in a mail to a…@example.org"
    assert desk.conn.execute(reviews, [match]).fetchall() == [("rejected", "claimwatch_reviewer", note)]
    assert desk.one("select tier from ingest.matches where match_id = %s", match) == "rejected"
    used = client.get(reject)
    assert (used.status_code, "said already" in said(used)) == (410, True)
    client.post(reject)
    assert len(desk.conn.execute(reviews, [match]).fetchall()) == 1, "pressed twice, it is said once"
    other = seen(client, confirm)
    assert "A reviewer has rejected it" in other.text_content()
    pressed(client, other.cssselect("form")[0])
    assert [r.verdict for r in desk.conn.execute(reviews, [match])] == ["rejected", "confirmed"]
    assert desk.one("select tier from ingest.matches where match_id = %s", match) == "accepted"


def test_a_verdict_s_link_expires(client: httpx.Client, desk: Desk, links: Links, clock: MovableClock) -> None:
    match = evidence(desk)
    link = path(links.verdict(match, "rejected", ADA, NOW + timedelta(days=30)))
    clock.at = NOW + timedelta(days=30, seconds=1)
    for method in ("GET", "POST"):
        answer = client.request(method, link)
        assert (answer.status_code, "expired" in said(answer)) == (410, True)
    assert desk.one("select count(*) from ingest.reviews") == 0
    clock.at = NOW
    longer = link.replace("until=17", "until=19")
    assert longer != link
    assert client.post(longer).status_code == 403
    assert client.get(path(links.verdict(10**9, "rejected", ADA, NOW))).status_code == 404


# The desk's own pages


def test_only_who_is_logged_in_sees_subscriptions(client: httpx.Client, desk: Desk, number: int) -> None:
    before = everything(desk)
    for one in ("/subscriptions", f"/subscriptions/{number}"):
        assert client.get(one).status_code == 303
    for one in ("/subscriptions", f"/subscriptions/{number}/end", f"/subscriptions/{number}/pause"):
        assert client.post(one, data={"token": "x", "days": "7"}).status_code == 401
    assert everything(desk) == before


def test_asked_for_on_the_desk_and_confirmed_by_mail(inside: httpx.Client, desk: Desk, links: Links) -> None:
    form = seen(inside, f"/subscriptions?claim={CLAIM}").cssselect("form[action='/subscriptions'][method=post]")[0]
    assert dict(form.form_values())["about"] == f"claim:{CLAIM}"
    after = pressed(inside, form, email=ADA, quiet_from="22:00", quiet_until="07:00", timezone="Europe/Berlin")
    assert "A mail is on its way" in text(after, "[role=status]")[0]
    assert "as it happens, but for 22:00 to 07:00, Europe/Berlin" in after.text_content()
    number = int(desk.one("select max(subscription_id) from ingest.subscriptions"))
    kept = stored(desk, number)
    assert (kept.email, kept.claim_id, kept.confirmed_at, kept.created_at) == (ADA, CLAIM, None, NOW)
    assert desk.one("select kind from ingest.alerts where subscription_id = %s", number) == "confirmation"
    inside.cookies.clear()
    page = seen(inside, path(links.confirm(number)))
    assert text(page, "form button") == ["Yes, send it"]
    thanks = pressed(inside, page.cssselect("form")[0])
    assert stored(desk, number).confirmed_at == NOW
    managed = seen(inside, thanks.cssselect("main a")[0].get("href"))
    assert managed.cssselect("form.wishes")


def test_a_form_that_is_wrong_comes_back_with_what_was_typed(inside: httpx.Client, desk: Desk) -> None:
    form = seen(inside, "/subscriptions").cssselect("form.wishes")[0]
    values = {name: value or "" for name, value in form.form_values()} | {"email": ADA, "hour": "5", "least": "85"}
    for wrong, words in (
        ({"email": "nobody"}, "not a mail address"),
        ({"timezone": "Mars"}, "not a time zone"),
        ({"about": "claim:nothing-of-the-kind"}, "no claim that is followed"),
        ({"about": "topic:<b>"}, "no topic"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "whole day"),
    ):
        answer = inside.post("/subscriptions", data=values | wrong)
        tree = lxml.html.fromstring(answer.text)
        assert (answer.status_code, words in text(tree, "[role=alert]")[0]) == (422, True), wrong
        back = dict(tree.cssselect("form.wishes")[0].form_values())
        assert (back["hour"], back["least"]) == ("5", "85")
        assert back["email"] == wrong.get("email", ADA)
    for impossible in ({"hour": "24"}, {"rhythm": "hourly"}, {"least": "nan"}, {"least": "101"}, {"weekday": "8"}):
        assert inside.post("/subscriptions", data=values | impossible).status_code == 422, impossible
    assert desk.one("select count(*) from ingest.subscriptions where email = %s", ADA) == 0


def test_changed_paused_and_ended_on_the_desk(inside: httpx.Client, desk: Desk, number: int) -> None:
    listed = seen(inside, "/subscriptions")
    assert ADA not in listed.text_content()
    assert len(listed.cssselect("tbody tr")) == 2, "the test's own reader and Ada"
    own = seen(inside, f"/subscriptions?reader={ADA.upper()}")
    (link,) = own.cssselect("tbody a")
    assert not seen(inside, "/subscriptions?reader=nobody@example.org").cssselect("tbody tr")
    page = seen(inside, link.get("href"))
    page = pressed(inside, page.cssselect("form.wishes")[0], rhythm="daily", hour="7", least="72.5")
    assert "every day at 7:00, UTC" in page.text_content()
    assert stored(desk, number).min_probability == pytest.approx(0.725)
    assert dict(page.cssselect("form.wishes")[0].form_values())["least"] == "72.5"
    page = pressed(inside, page.cssselect("form[action$=pause]")[0], days="28")
    assert stored(desk, number).paused_until == NOW + timedelta(days=28)
    page = pressed(inside, page.cssselect("form[action$=pause]")[0])
    assert stored(desk, number).paused_until is None
    page = pressed(inside, page.cssselect("form[action$=end]")[0])
    assert not page.cssselect("main form")
    assert stored(desk, number).ended_at == NOW
    assert not seen(inside, f"/subscriptions?reader={ADA}").cssselect("tbody tr")


def test_why_a_reader_was_told_or_not(inside: httpx.Client, desk: Desk, number: int) -> None:
    evidence(desk)
    desk.track()
    desk.conn.execute("update ingest.alerts set state = 'failed', problem = %s", [f"550 <{ADA}> unknown"])
    page = seen(inside, f"/subscriptions/{number}")
    assert text(page, "section[aria-labelledby=decided] tbody .tag") == ["told"]
    assert "sent at once" in page.text_content()
    assert "550 <(address)> unknown" in page.text_content()


def test_a_form_of_another_site_changes_nothing(inside: httpx.Client, desk: Desk, number: int) -> None:
    before = everything(desk)
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    token = dict(seen(inside, "/subscriptions").cssselect("form.wishes")[0].form_values())["token"]
    for one in ("", f"/{number}", f"/{number}/pause", f"/{number}/end"):
        values = {"token": "guessed", "email": ADA, "days": "7"}
        assert inside.post(f"/subscriptions{one}", data=values).status_code == 403
        right = values | {"token": str(token)}
        assert inside.post(f"/subscriptions{one}", data=right, headers=foreign).status_code == 403
        assert inside.post(f"/subscriptions{one}", data={"days": "7"}).status_code == 422
    assert everything(desk) == before


def test_without_a_public_address_nobody_can_be_asked(
    desk: Desk, pg: EmbeddedServer, dsn: str, tmp_path: Path, clock: MovableClock
) -> None:
    with browsing(pg, dsn, tmp_path, clock) as client:
        page = seen(client, "/subscriptions")
        assert not page.cssselect("form.wishes")
        assert "public_url" in page.text_content()
        number = add_subscription(desk.conn, ADA, NOW)
        form = seen(client, f"/subscriptions/{number}").cssselect("form.wishes")[0]
        token = {"token": str(dict(form.form_values())["token"])}
        answer = client.post("/subscriptions", data=token | {"email": "bo@example.org"})
        assert (answer.status_code, "public_url" in said(answer)) == (409, True)
    assert desk.one("select count(*) from ingest.alerts") == 0
