"""The desk as a child of `claimwatch up` and of the demo."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest
from conftest import desk_settings

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.errors import ConfigurationError, TransientError
from pipeline.local import desk, ports
from pipeline.local.processes import Supervisor
from pipeline.settings import Settings


@pytest.fixture
def settings(pg: EmbeddedServer, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As the child finds them in its environment."""
    made = desk_settings(pg, dsn, tmp_path / "home", port=ports.free(0))
    for name in ("dsn", "analyst_dsn", "reviewer_dsn"):
        secret = getattr(made.database, name)
        monkeypatch.setenv(f"CLAIMWATCH_DATABASE__{name.upper()}", secret.get_secret_value())
    monkeypatch.setenv("CLAIMWATCH_WEB__PORT", str(made.web.port))
    return made


def test_it_runs_until_the_supervisor_ends(settings: Settings) -> None:
    with Supervisor(settings.home / "logs") as supervisor:
        desk.start(settings, supervisor)
        desk.wait_ready(settings, supervisor)
        board = httpx.get(f"{settings.web.address}/")
        assert (board.status_code, "Board" in board.text) == (200, True)
        assert supervisor.check() == []
        assert settings.web.address in supervisor.tail(desk.NAME)
    assert ports.is_free(settings.web.port)


def test_a_busy_port_names_the_setting(settings: Settings) -> None:
    with socket.socket() as busy, Supervisor(settings.home / "logs") as supervisor:
        busy.bind(("127.0.0.1", settings.web.port))
        busy.listen()
        with pytest.raises(ConfigurationError, match=rf"port {settings.web.port} .* CLAIMWATCH_WEB__PORT"):
            desk.start(settings, supervisor)


def test_a_desk_that_ends_says_why(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMWATCH_WEB__HOST", "0.0.0.0")  # open to the network, and no password
    with Supervisor(settings.home / "logs") as supervisor:
        desk.start(settings, supervisor)
        with pytest.raises(ConfigurationError, match=r"(?s)the desk ended \(code \d+\).*password or token"):
            desk.wait_ready(settings, supervisor)


def test_a_desk_without_its_database_is_not_ready(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMWATCH_DATABASE__ANALYST_DSN", "postgresql://claimwatch_analyst@127.0.0.1:1/none")
    with Supervisor(settings.home / "logs") as supervisor:
        desk.start(settings, supervisor)
        with pytest.raises(TransientError, match="the desk is not ready after 4 s"):
            desk.wait_ready(settings, supervisor, timeout=4)


def test_the_next_free_port_is_found(settings: Settings) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", settings.web.port))
        busy.listen()
        assert not ports.is_free(settings.web.port)
        assert ports.free(settings.web.port) != settings.web.port
    assert ports.free(settings.web.port) == settings.web.port
