"""`claimwatch demo --once`, twice: through the real scheduler to the delivered mail, and not a second time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from conftest import ROOT

from pipeline import settings as settings_module
from pipeline.adapters import database
from pipeline.newsroom.sink import read

TABLES = ("entries", "articles", "versions", "paragraphs", "appearances", "matches", "claim_events", "alerts")


def demo(home: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CLAIMWATCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "demo", "--once", "--home", str(home)],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """As root the server's files lie elsewhere: they go with the home."""
    home = tmp_path / "demo"
    yield home
    server = database.embedded_server(settings_module.load(home))
    server.stop("immediate")
    shutil.rmtree(server.base)


def rows_of(home: Path) -> dict[str, int]:
    settings = settings_module.load(home)
    server = database.embedded_server(settings)
    server.start()
    try:
        with database.session(settings) as conn:
            return {t: conn.execute(f"select count(*) from ingest.{t}").fetchone()[0] for t in TABLES}
    finally:
        server.stop()


@pytest.mark.airflow
@pytest.mark.timeout(900)
def test_demo_twice(home: Path) -> None:
    shown = demo(home)
    assert "invented" in shown
    assert "Traceback" not in (home / "logs" / "listen.log").read_text()
    for title in ("What came in", "Evidence on the claims", "Mail"):
        assert title in shown
    assert re.search(r"\d+ read, \d+ new, [1-9]\d* known copies", shown)
    assert re.search(r"desk ready: http://127\.0\.0\.1:\d+", shown)
    mails = read(home / "mail.mbox")
    first = rows_of(home)
    assert len(mails) == first["alerts"] > 0
    assert {m["To"] for m in mails} == {"desk@analysts.example", "kursk@analysts.example"}
    desk = re.search(r"desk ready: (\S+)", shown)[1]
    assert all(m["List-Unsubscribe"].startswith(f"<{desk}/") for m in mails), "a reader leaves by a click"

    again = demo(home)
    assert "12 changed, 1 http-500" in again  # polled in the first run; the second adds to these counts
    assert "unchanged" in again
    assert rows_of(home) == first
    assert len(read(home / "mail.mbox")) == len(mails)
    left = [p.info for p in psutil.process_iter(["cmdline"]) if str(home) in " ".join(p.info["cmdline"] or [])]
    assert left == []
