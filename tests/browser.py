"""Chromium for the tests of the desk: what a page logs, refuses and looks like, and axe-core to judge it.

Chromium is the system's (`apt-get install chromium`), axe-core comes from npm once and is kept in the user's cache.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.adapters import packaged_models

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE = "4.14.1"
AXE_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="  # as npm has it
DESKTOP, PHONE = (1280, 900), (390, 844)

# Chromium's own list of what the policy forbade, also where it logs nothing; read by Visit.violations.
LISTEN = """
window.__refused = [];
document.addEventListener("securitypolicyviolation", (e) => {
  window.__refused.push(`${e.effectiveDirective}: ${e.blockedURI} ${e.sample}`);
});
"""


def chromium() -> str:
    """The program; skips the test where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium, or name one in CHROMIUM")
    return found


@cache
def axe() -> str:
    """The source of axe-core, as npm published it."""
    kept = packaged_models.cache_folder().parent / "tests" / f"axe-core-{AXE}.js"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(_packed())
    return kept.read_text(encoding="utf-8")


def _packed() -> bytes:
    if shutil.which("npm") is None:
        pytest.skip("needs axe-core from npm: apt-get install npm")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["npm", "pack", f"axe-core@{AXE}", "--pack-destination", folder],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"npm can't fetch axe-core: {done.stderr.strip().splitlines()[-1:]}")
        (file,) = Path(folder).glob("*.tgz")
        found = base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
        assert found == AXE_SHA512, "axe-core is not the file that was pinned"
        with tarfile.open(file) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            return member.read()


@contextmanager
def launched() -> Iterator[Any]:
    """A headless browser."""
    program = chromium()
    from playwright.sync_api import sync_playwright

    # Without its sandbox it runs as root too, in a container; what it shows here is ours.
    options = ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A tab of a browser of its own, which keeps what went wrong on its pages."""

    def __init__(self, browser: Any, base: str, *, size: tuple[int, int] = DESKTOP, **context: Any) -> None:
        width, height = size
        self.base = base
        self.context = browser.new_context(
            base_url=base, viewport={"width": width, "height": height}, locale="en-GB", timezone_id="UTC", **context
        )
        self.context.add_init_script(LISTEN)
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", self._logged)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", self._failed)

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _logged(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.type}: {message.text}")

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # asked for by the page that was just left
            self.wrong.append(f"failed: {request.url} {request.failure}")

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def to(self, path: str, status: int = 200) -> Any:
        """The page at that path, loaded."""
        answer = self.page.goto(path, wait_until="load")
        assert answer is not None and answer.status == status, (path, answer and answer.status)
        return self.page

    def troubles(self) -> list[str]:
        """Errors, warnings, dialogs, what the policy refused and what was asked of another host, up to now."""
        refused = [f"refused: {one}" for one in self.page.evaluate("window.__refused || []")]
        foreign = [f"asked: {url}" for url in self.asked if not url.startswith((self.base, "data:", "about:"))]
        found = [*self.wrong, *refused, *foreign]
        self.wrong.clear()
        self.asked.clear()
        return found

    def overflow(self) -> list[str]:
        """What stands out to the right of the window, so that the whole page would scroll sideways."""
        wide: list[str] = self.page.evaluate(
            """() => {
              const width = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= width) return [];
              const found = [...document.querySelectorAll("body *")].filter((e) => {
                const box = e.getBoundingClientRect();
                if (!box.width || box.right <= width + 1) return false;
                for (let p = e.parentElement; p; p = p.parentElement)
                  if (getComputedStyle(p).overflowX !== "visible") return false;
                return true;
              });
              return [`${document.documentElement.scrollWidth} of ${width} px`,
                ...found.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))];
            }"""
        )
        return wide

    def faults(self) -> list[str]:
        """What axe-core finds serious or critical, by the rules of WCAG 2.2 at levels A and AA and good practice."""
        self.page.evaluate(axe())
        found = self.page.evaluate(
            """async () => (await axe.run(document, {
              runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
              resultTypes: ["violations"],
            })).violations.map((v) => [v.impact, v.id, v.help, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160))])"""
        )
        return [
            f"{impact}: {rule} ({help_}): {where}"
            for impact, rule, help_, where in found
            if impact in ("serious", "critical")
        ]
