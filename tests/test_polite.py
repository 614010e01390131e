"""Polite as the servers see it: their own log, with several processes at work and with processes killed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from pipeline.settings import Settings

sys.path.insert(0, str(ROOT / "benchmarks"))
import kill
from logging_server import LoggingServer


@pytest.fixture
def site() -> Any:
    with LoggingServer(sites=8, feeds=24, entries=3, crawl_delay=kill.CRAWL_DELAY) as server:
        yield server


def test_two_processes_poll_and_two_fetch_at_once(site: LoggingServer, dsn: str, tmp_path: Path) -> None:
    """No site sees more than two connections, or two requests nearer to each other than its delay."""
    settings = Settings(**kill.values(site, tmp_path, dsn))
    found = kill.soak(settings, site, kills=0, seed=1, limit=120, of_each=2)
    assert found["broken"] == []
    assert found["most_connections_to_a_site"] <= 2
    assert 0 <= found["least_seconds_over_the_delay"] < 1
    assert found["requests_repeated"] == 0
    assert found["most_robots_txt_for_a_site"] == 1


def test_killed_at_random_moments(site: LoggingServer, dsn: str, tmp_path: Path) -> None:
    """A small part of `make soak`."""
    settings = Settings(**kill.values(site, tmp_path, dsn))
    found = kill.soak(settings, site, kills=6, seed=2, limit=180)
    assert found["broken"] == []
    assert found["kills_at_work"] >= 1
