"""Every page of the desk in a real browser: light and dark, on a desktop and a phone, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import browser as chromium
import httpx
import pytest
from browser import DESKTOP, PHONE, Visit
from conftest import MovableClock, Serving, desk_settings
from desk_crawl import Found, crawl, pages_of
from desk_site import NOW, Site, served

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.web import desk as desk_module
from pipeline.web.app import create

pytestmark = pytest.mark.timeout(900)  # every page, in a browser, on whatever machine
PASSWORD = "correct horse"
LOOKS = {
    "desktop-light": {"size": DESKTOP, "color_scheme": "light"},
    "desktop-dark": {"size": DESKTOP, "color_scheme": "dark"},
    "phone-light": {"size": PHONE, "color_scheme": "light", "has_touch": True},
    "phone-dark": {"size": PHONE, "color_scheme": "dark", "has_touch": True},
}


@dataclass
class Desk(Site):
    """A desk that serves the newsroom's first evenings."""

    pages: list[Found]


@pytest.fixture(scope="module")
def desk(pg: EmbeddedServer, newsroom_2024: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with (
        served(pg, newsroom_2024, tmp_path_factory.mktemp("browser")) as site,
        httpx.Client(base_url=site.base, timeout=60) as client,
    ):
        yield Desk(site.base, site.dsn, site.app, crawl(client, site.app))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium.launched() as one:
        yield one


def test_links_reach_every_page(desk: Desk) -> None:
    """Following links from the board finds each kind of page that there is, and none that is broken."""
    assert [(one.path, one.status) for one in desk.pages if one.status != 200] == []
    unlinked = {"/login", "/healthz", "/articles"}  # the last finds an article by its address, for those who have one
    mails = {route for route in pages_of(desk.app) if route.startswith("/mail/")}  # only mails lead there
    assert pages_of(desk.app) - {one.route for one in desk.pages} - unlinked == mails


@pytest.mark.parametrize("look", LOOKS)
def test_pages_are_sound(desk: Desk, browser: Any, look: str) -> None:
    """No error, nothing refused or asked elsewhere, no sideways scrolling."""
    found: dict[str, list[str]] = {}
    with Visit(browser, desk.base, **LOOKS[look]) as visit:
        for one in desk.pages:
            if one.html:
                visit.to(one.path)
                found[one.path] = visit.troubles() + [f"too wide: {w}" for w in visit.overflow()]
    assert_none(found)


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_serious(desk: Desk, browser: Any, look: str) -> None:
    chromium.axe()
    found: dict[str, list[str]] = {}
    with Visit(browser, desk.base, **LOOKS[look]) as visit:
        for one in desk.pages:
            if one.html and one.first:
                page = visit.to(one.path)
                page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
                found[one.path] = visit.faults()
    assert_none(found)


def assert_none(found: dict[str, list[str]]) -> None:
    wrong = {path: lines for path, lines in found.items() if lines}
    assert not wrong, "\n".join(f"{path}:\n  " + "\n  ".join(lines) for path, lines in wrong.items())


def test_pages_say_the_same_without_scripts(desk: Desk, browser: Any) -> None:
    with Visit(browser, desk.base, java_script_enabled=False) as visit:
        for one in desk.pages:
            if one.html:
                page = visit.to(one.path)
                assert page.locator("h1").count() == 1, one.path
                assert page.locator("main").inner_text().strip(), one.path


def test_pages_have_titles_of_their_own(desk: Desk, browser: Any) -> None:
    titles: dict[str, str] = {}
    with Visit(browser, desk.base) as visit:
        for one in desk.pages:
            if one.html and one.first:
                title = visit.to(one.path).title()
                assert title.endswith("claimwatch"), one.path
                assert titles.setdefault(title, one.route) == one.route, f"{one.path} is called like {titles[title]}"


def test_the_search_field_has_a_key(desk: Desk, browser: Any) -> None:
    with Visit(browser, desk.base) as visit:
        page = visit.to("/")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.name") == "q"
        page.keyboard.type("/")
        assert page.locator("input[name=q]").first.input_value() == "/", "typed into the field, it is a letter"


def test_a_keyboard_reaches_the_content_first(desk: Desk, browser: Any) -> None:
    with Visit(browser, desk.base) as visit:
        page = visit.to("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("scripts", [True, False])
def test_log_in_and_out(pg: EmbeddedServer, dsn: str, tmp_path: Path, browser: Any, scripts: bool) -> None:
    app = create(desk_settings(pg, dsn, tmp_path, password=PASSWORD), MovableClock(NOW))
    with Serving(app) as port, Visit(browser, f"http://127.0.0.1:{port}", java_script_enabled=scripts) as visit:
        page = visit.to("/?x=1")
        assert "/login" in page.url
        if scripts:
            assert visit.faults() + visit.overflow() + visit.troubles() == []
        page.get_by_label("Password").fill("battery staple")
        page.get_by_role("button", name="Log in").click()
        assert "not the password" in page.get_by_role("alert").inner_text()
        visit.wrong.clear()  # Chromium notes the 403
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/?x=1")
        assert page.get_by_role("heading", level=1).inner_text() == "Board"
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login")
        assert "/login" in visit.to("/").url
    app.state.desk.close()


def test_without_its_database_the_desk_says_so(
    pg: EmbeddedServer, dsn: str, tmp_path: Path, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "PATIENCE", 1.0)
    app = create(desk_settings(pg, dsn.replace("/t_", "/gone_"), tmp_path), MovableClock(NOW))
    with Serving(app) as port, Visit(browser, f"http://127.0.0.1:{port}") as visit:
        page = visit.to("/", 503)
        assert "database does not answer" in page.locator("main").inner_text()
        assert visit.faults() == []
    app.state.desk.close()
