"""Confirming and rejecting in a browser: with keys, with buttons, and with scripts off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import browser as chromium
import psycopg
import pytest
from browser import PHONE, Visit
from desk_site import Site, served

from pipeline.adapters.postgres import EmbeddedServer

CLAIM = "/claims/killed-in-kursk"


@pytest.fixture(scope="module")
def site(pg: EmbeddedServer, newsroom_2024: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(pg, newsroom_2024, tmp_path_factory.mktemp("reviewing")) as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium.launched() as one:
        yield one


@pytest.fixture
def reviews(site: Site) -> Iterator[Any]:
    """Looks at what the database holds: reviews("m5") -> [("confirmed", "claimwatch_reviewer"), ...]; none at first."""
    with psycopg.connect(site.dsn, autocommit=True) as conn:
        before = conn.execute("select coalesce(max(review_id), 0) from ingest.reviews").fetchone()[0]

        def given(item: str) -> list[tuple[str, str]]:
            return conn.execute(
                "select verdict, reviewer from ingest.reviews where match_id = %s and review_id > %s "
                "order by review_id",
                [int(item.removeprefix("m")), before],
            ).fetchall()

        yield given


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.id"))


def said(page: Any, item: str, words: str) -> None:
    page.wait_for_function(
        "([id, words]) => document.querySelector(`#${id} .said`).textContent === words", arg=[item, words]
    )


@pytest.mark.parametrize("path", [CLAIM, "/reviews"])
def test_with_keys(site: Site, browser: Any, reviews: Any, path: str) -> None:
    with Visit(browser, site.base) as visit:
        page = visit.to(path)
        page.keyboard.press("j")
        first = focused(page)
        assert first.startswith("m") and reviews(first) == []
        page.keyboard.press("j")
        second = focused(page)
        assert second != first
        page.keyboard.press("k")
        assert focused(page) == first
        page.keyboard.press("c")
        said(page, first, "confirmed")
        assert reviews(first) == [("confirmed", "claimwatch_reviewer")]
        page.wait_for_function("(id) => document.activeElement.id === id", arg=second)  # on to the next by itself
        page.keyboard.press("r")
        said(page, second, "rejected")
        assert [verdict for verdict, _ in reviews(second)] == ["rejected"]
        page.keyboard.press("u")
        said(page, second, "taken back")
        page.keyboard.press("u")
        said(page, first, "taken back")
        assert [verdict for verdict, _ in reviews(first)] == ["confirmed", "withdrawn"]
        assert [verdict for verdict, _ in reviews(second)] == ["rejected", "withdrawn"]
        assert visit.troubles() == []
        page.reload()
        assert page.locator(f"#{first} form.verdict").get_attribute("data-given") in ("", None)


def test_keys_are_letters_while_one_types(site: Site, browser: Any, reviews: Any) -> None:
    with Visit(browser, site.base) as visit:
        page = visit.to(CLAIM)
        page.keyboard.press("j")
        first = focused(page)
        page.locator("input[name=q]").first.focus()
        page.keyboard.type("crujok")
        assert page.locator("input[name=q]").first.input_value() == "crujok"
        assert reviews(first) == []
        page.keyboard.press("Control+r")
        assert reviews(first) == []


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("size", [chromium.DESKTOP, PHONE])
def test_with_buttons(site: Site, browser: Any, reviews: Any, scripts: bool, size: tuple[int, int]) -> None:
    with Visit(browser, site.base, size=size, java_script_enabled=scripts) as visit:
        page = visit.to(CLAIM)
        item = page.locator("article.item").nth(1)
        name = item.get_attribute("id")
        item.get_by_role("button", name="Reject").click()
        if scripts:
            said(page, name, "rejected")
        else:
            assert page.get_by_role("status").filter(has_text="rejected").count() == 1
            assert page.locator(f"article#{name}").count() == 0, "it has gone from the accepted"
        assert [verdict for verdict, _ in reviews(name)] == ["rejected"]
        if scripts:
            item.get_by_role("button", name="Undo").click()
            said(page, name, "taken back")
        else:
            page.locator("form.flash").get_by_role("button", name="Undo").click()
            assert page.locator(f"article#{name}").count() == 1
        assert [verdict for verdict, _ in reviews(name)] == ["rejected", "withdrawn"]
        page = visit.to(CLAIM)
        assert page.locator("form.flash").count() == 0, "told once"


def test_a_verdict_corrects_the_stance(site: Site, browser: Any) -> None:
    with Visit(browser, site.base, java_script_enabled=False) as visit:
        page = visit.to(CLAIM)
        item = page.locator("article.item").first
        name = item.get_attribute("id")
        item.locator("select[name=stance]").select_option("refutes")
        item.get_by_role("button", name="Confirm").click()
        assert page.locator(f"#{name} .tag.refutes").count() >= 1
        with psycopg.connect(site.dsn) as conn:
            found = conn.execute(
                "select verdict, stance from ingest.reviews where match_id = %s order by review_id desc limit 1",
                [int(name.removeprefix("m"))],
            ).fetchone()
        assert found == ("confirmed", "refutes")
        page.locator("form.flash").get_by_role("button", name="Undo").click()


def test_the_queue_grows_shorter(site: Site, browser: Any) -> None:
    with Visit(browser, site.base, java_script_enabled=False) as visit:
        page = visit.to("/reviews")
        before = [item.get_attribute("id") for item in page.locator("article.item").all()]
        assert before
        page.locator(f"#{before[0]}").get_by_role("button", name="Reject").click()
        after = [item.get_attribute("id") for item in page.locator("article.item").all()]
        assert before[0] not in after
        page.get_by_role("button", name="Take back the review").first.click()
        assert before[0] in [item.get_attribute("id") for item in page.locator("article.item").all()]


def test_an_old_page_is_told_so(site: Site, browser: Any, reviews: Any) -> None:
    """The session's token has changed since: nothing is stored, and the page says what to do."""
    with Visit(browser, site.base) as visit:
        page = visit.to(CLAIM)
        page.keyboard.press("j")
        first = focused(page)
        visit.context.clear_cookies()
        page.keyboard.press("c")
        said(page, first, "That did not work: load the page again")
        assert reviews(first) == []


def test_why_opens_in_place(site: Site, browser: Any) -> None:
    with Visit(browser, site.base) as visit:
        page = visit.to(CLAIM)
        page.locator("details.why summary").first.click()
        page.locator("details.why dl.reasons").first.wait_for()
        assert page.locator("details.why dl.reasons dd").count() > 2
        assert visit.troubles() + visit.faults() == []
    with Visit(browser, site.base, java_script_enabled=False) as visit:
        page = visit.to(CLAIM)
        page.locator("details.why summary").first.click()
        page.get_by_role("link", name="in full").first.click()
        assert page.locator("dl.reasons dd").count() > 2


def test_filters_live_in_the_address(site: Site, browser: Any) -> None:
    with Visit(browser, site.base) as visit:
        page = visit.to(CLAIM)
        every = page.locator("article.item").count()
        page.get_by_label("Stance").first.select_option("refutes")  # sent at once
        page.wait_for_url("**stance=refutes*")
        some = page.locator("article.item").count()
        assert 0 < some < every
        assert page.locator("article.item .tag.refutes").count() >= some
        page.go_back()
        assert page.locator("article.item").count() == every
    with Visit(browser, site.base, java_script_enabled=False) as visit:
        page = visit.to(CLAIM)
        page.get_by_label("Stance").first.select_option("refutes")
        page.get_by_role("button", name="Show").click()
        assert "stance=refutes" in page.url
        assert page.locator("article.item").count() == some
