"""Photographs the desk and its mails for the docs: docs/img/*.png, from a home that the demo has filled.

    make screenshots                                       .demo, as `make demo` leaves it
    python scripts/screenshots.py --home HOME --out FOLDER

The demo should have been played to its end, and not be running: the desk's clock stands where it left it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mailshots
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from pipeline import settings as settings_module
from pipeline.adapters import database
from pipeline.settings import Settings
from pipeline.web.app import create

IMAGES = Path(__file__).parents[1] / "docs" / "img"
WIDE, TALL, PHONE = (1280, 860), (1280, 1240), (390, 780)
SEARCH = "soldiers buried in secret to hide the losses"

# What shows most on each page: rows of the analysts' views, so that no example is chosen by hand.
CLAIM = (
    "select claim_id from analysis.evidence where tier = 'accepted' group by claim_id order by count(*) desc limit 1"
)
STORY = "select story_id from analysis.stories order by families desc, articles desc, story_id limit 1"
ARTICLE = (
    "select article_id from analysis.article_evidence group by article_id order by count(*) desc, article_id limit 1"
)
# The copy that was changed most, beside the article that the story began with.
COPY = """
select c.article_id, f.version_id as first
from analysis.story_articles c join analysis.story_articles f using (story_id)
where c.relation = 'copy' and f.relation = 'first' and c.language = f.language
order by c.similarity, c.article_id limit 1
"""


@dataclass(frozen=True)
class Shot:
    """One image: `name`.png of the page at `path`."""

    name: str
    path: str
    size: tuple[int, int] = WIDE
    dark: bool = False
    first: Callable[[Page], None] = lambda page: None  # what to do before
    part: str | None = None  # scrolled to the top


def model_is_there(page: Page) -> None:
    """The model is loaded at the first search, and the page says so until it is."""
    for _ in range(60):
        if not page.get_by_text("model is being loaded").count():
            return
        time.sleep(2)
        page.reload(wait_until="networkidle")
    sys.exit("the embedding model does not load")


def shots(settings: Settings) -> list[Shot]:
    """The pages, with the examples that this home has."""
    with database.connect(settings, "claimwatch_analyst") as conn:
        claim = f"/claims/{conn.execute(CLAIM).fetchone()[0]}"
        story = f"/stories/{conn.execute(STORY).fetchone()[0]}"
        article = f"/articles/{conn.execute(ARTICLE).fetchone()[0]}"
        copy = conn.execute(COPY).fetchone()
    found = [
        Shot("board", "/", TALL),
        Shot("board-dark", "/", TALL, dark=True),
        Shot("board-phone", "/", PHONE),
        Shot("claim", claim),
        Shot("claim-dark", claim, dark=True),
        Shot("claim-phone", claim, PHONE),
        Shot("evidence", claim, part="#evidence", first=lambda page: page.keyboard.press("j")),
        Shot("story", story),
        Shot("article", article),
        Shot("search", f"/search?q={SEARCH.replace(' ', '+')}", first=model_is_there),
        Shot("reviews", "/reviews", first=lambda page: page.keyboard.press("j")),
        Shot("feeds", "/feeds"),
        Shot("subscriptions", "/subscriptions"),
        Shot("api", "/api"),
    ]
    if copy is not None:
        found.append(Shot("comparison", f"/articles/{copy.article_id}?against={copy.first}"))
    return found


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(create(settings), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def photograph(browser: Browser, base: str, shot: Shot, out: Path) -> None:
    width, height = shot.size
    context = browser.new_context(
        base_url=base,
        viewport={"width": width, "height": height},
        color_scheme="dark" if shot.dark else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = context.new_page()
    answer = page.goto(shot.path, wait_until="networkidle")
    if answer is None or not answer.ok:
        sys.exit(f"{shot.path}: {answer and answer.status}")
    shot.first(page)
    if shot.part:
        page.locator(shot.part).evaluate("(e) => e.scrollIntoView()")
    page.screenshot(path=out / f"{shot.name}.png")
    context.close()


def chromium() -> dict[str, Any]:
    """How Playwright starts it."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        sys.exit("needs Chromium: apt-get install chromium, or name one in CHROMIUM")
    return {"executable_path": found, **({"args": ["--no-sandbox"]} if os.geteuid() == 0 else {})}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path(".demo"))
    parser.add_argument("--out", type=Path, default=IMAGES)
    parser.add_argument("--only", default="", help="names, with commas between")
    given = parser.parse_args(arguments)
    options = chromium()
    if not (given.home / "claimwatch.toml").exists():
        sys.exit(f"{given.home} is no home of the demo: `make demo` fills one")
    settings = settings_module.load(given.home)
    server = database.embedded_server(settings)
    was_running = server.running()
    server.start()
    given.out.mkdir(parents=True, exist_ok=True)
    try:
        with serving(settings) as base, sync_playwright() as playwright:
            browser = playwright.chromium.launch(**options)
            for shot in shots(settings):
                if not given.only or shot.name in given.only.split(","):
                    photograph(browser, base, shot, given.out)
                    print(given.out / f"{shot.name}.png")
            mails = mailshots.of_mbox(given.home / "mail.mbox")
            wanted = {n: m for n, m in mails.items() if not given.only or n in given.only.split(",")}
            mailshots.photograph(browser, wanted, given.out)
            browser.close()
    finally:
        if not was_running:
            server.stop()


if __name__ == "__main__":
    main()
