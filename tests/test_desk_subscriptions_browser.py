"""Subscribing, and what a mail's links show, in a browser: with and without scripts, light and dark, wide or narrow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import browser as chromium
import psycopg
import pytest
from browser import DESKTOP, PHONE, Visit
from desk_poison import POISON, poison
from desk_site import NOW, Site, served

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.secretfile import stored_secret
from pipeline.logic.links import Links

pytestmark = pytest.mark.timeout(900)
READER = "clara@example.org"
LOOKS = {
    "desktop-light": {"size": DESKTOP, "color_scheme": "light"},
    "phone-dark": {"size": PHONE, "color_scheme": "dark", "has_touch": True},
}


@pytest.fixture(scope="module", params=["clean", "hostile"])
def site(
    request: pytest.FixtureRequest, pg: EmbeddedServer, newsroom_2024: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Site, Links, bool]]:
    home: Path = tmp_path_factory.mktemp(f"subscribing_{request.param}")
    hostile = request.param == "hostile"
    before = poison if hostile else lambda conn: None
    with served(pg, newsroom_2024, home, before, public_url="http://desk.example") as one:
        yield one, Links("", stored_secret(home, "links.key")), hostile


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium.launched() as one:
        yield one


def look(one: Site, query: str, *values: Any) -> Any:
    with psycopg.connect(one.dsn) as conn:
        return conn.execute(query, values).fetchone()


def paths(one: Site, links: Links) -> list[str]:
    """Each page, in each of its states."""
    (active,) = look(one, "select min(subscription_id) from ingest.subscriptions where confirmed_at is not null")
    (unanswered,) = look(one, "select min(subscription_id) from ingest.subscriptions where confirmed_at is null")
    (match,) = look(one, "select min(match_id) from ingest.matches where tier = 'accepted'")
    return [
        *("/subscriptions", "/subscriptions?reader=nobody@example.org"),
        *(f"/subscriptions/{number}" for number in (active, unanswered)),
        *(links.address(action, active) for action in ("unsubscribe", "pause", "manage")),
        links.address("confirm", unanswered),
        links.address("confirm", active),
        verdict(one, match),
        "/mail/unsubscribe",
    ]


def verdict(one: Site, match: int) -> str:
    link = one.app.state.desk.links.verdict(match, "rejected", READER, NOW + timedelta(days=1))
    return str(link).removeprefix("http://desk.example")


@pytest.mark.parametrize("name", LOOKS)
def test_pages_are_sound(site: tuple[Site, Links, bool], browser: Any, name: str) -> None:
    """Nothing refused, nothing too wide, nothing that axe calls serious; and hostile words stay words."""
    one, links, hostile = site
    found, shown = {}, 0
    with Visit(browser, one.base, **LOOKS[name]) as visit:
        for path in paths(one, links):
            status = 403 if path == "/mail/unsubscribe" else 410 if path == paths(one, links)[8] else 200
            page = visit.to(path, status)
            visit.wrong = [line for line in visit.wrong if f"status of {status}" not in line]  # Chromium notes it
            page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
            found[path] = visit.troubles() + visit.overflow() + visit.faults()
            found[path] += ["ran"] * bool(page.evaluate("window.pwned"))
            assert page.locator("h1").count() == 1, path
            shown += POISON in page.evaluate("document.documentElement.textContent")
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert (shown > 4) == hostile, "what is not shown proves nothing"


@pytest.mark.parametrize("scripts", [True, False])
def test_from_a_claim_to_a_yes(site: tuple[Site, Links, bool], browser: Any, scripts: bool) -> None:
    one, links, hostile = site
    if hostile:
        pytest.skip("once is enough")
    reader = f"{scripts}.{READER}"
    with Visit(browser, one.base, java_script_enabled=scripts) as visit:
        page = visit.to("/claims/killed-in-kursk")
        page.get_by_role("link", name="Subscribe by mail").click()
        assert page.get_by_label("About").input_value() == "claim:killed-in-kursk"
        page.get_by_label("Mail address").fill(reader)
        page.get_by_label("How soon").select_option("weekly")
        page.get_by_label("Day of a weekly one").select_option("Friday")
        page.get_by_label("Time zone").fill("Asia/Seoul")
        page.get_by_role("checkbox", name="Korean").check()
        page.get_by_role("button", name="Subscribe").click()
        assert "A mail is on its way" in page.get_by_role("status").inner_text()
        number, languages, confirmed = look(
            one, "select subscription_id, languages, confirmed_at from ingest.subscriptions where email = %s", reader
        )
        assert (languages, confirmed) == (["ko"], None)
        page = visit.to(links.address("confirm", number))
        page.get_by_role("button", name="Yes, send it").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Thank you"
        page.get_by_role("link", name="Choose when and what").click()
        page.get_by_role("link", name="Pause").click()
        page.get_by_role("button", name="Pause").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Paused"
        page = visit.to(links.address("unsubscribe", number))
        page.get_by_role("button", name="End it").click()
        ended = "select confirmed_at, paused_until - %s, ended_at from ingest.subscriptions where subscription_id = %s"
        assert look(one, ended, NOW, number) == (NOW, timedelta(days=7), NOW)


def test_the_visitor_s_own_time_zone_is_proposed(site: tuple[Site, Links, bool], browser: Any) -> None:
    one, _, hostile = site
    if hostile:
        pytest.skip("once is enough")
    context = browser.new_context(base_url=one.base, timezone_id="Asia/Seoul")
    page = context.new_page()
    page.goto("/subscriptions")
    assert page.get_by_label("Time zone").input_value() == "Asia/Seoul"
    context.close()
