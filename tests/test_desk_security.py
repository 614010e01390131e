"""Who gets to see the desk, and what a foreign page can make a browser do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import MovableClock, Serving, desk_settings
from pydantic import ValidationError

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.errors import ConfigurationError
from pipeline.settings import WebSettings
from pipeline.web.app import create
from pipeline.web.security import HEADERS, check, local_path

PASSWORD, TOKEN = "correct horse", "0123456789abcdef"

Served = Callable[..., AbstractContextManager[httpx.Client]]


@pytest.fixture
def served(pg: EmbeddedServer, dsn: str, tmp_path: Path, clock: MovableClock) -> Served:
    @contextmanager
    def serve(**web: Any) -> Iterator[httpx.Client]:
        app = create(desk_settings(pg, dsn, tmp_path, **web), clock)
        with Serving(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            yield client
        app.state.desk.close()

    return serve


def token_of(client: httpx.Client, path: str = "/") -> str:
    """The form token of a page, as a browser sends it back."""
    return client.get(path).text.split('name="token" value="')[1].split('"')[0]


def test_open_on_this_machine_and_under_its_names_only(served: Served) -> None:
    with served() as client:
        assert client.get("/").status_code == 200
        assert client.get("/", headers={"Host": "localhost:8800"}).status_code == 200
        rebound = client.get("/", headers={"Host": "evil.example"})
        assert rebound.status_code == 421
        assert "password" in rebound.text
        assert client.get("/", headers={"Host": "127.0.0.1.evil.example"}).status_code == 421


def test_never_open_to_the_network(served: Served) -> None:
    with pytest.raises(ConfigurationError, match="password or token"), served(host="0.0.0.0"):
        pass
    check(WebSettings(host="0.0.0.0", password=PASSWORD))
    check(WebSettings(host="::1"))
    with pytest.raises(ValidationError):
        WebSettings(password="short")
    with pytest.raises(ValidationError):
        WebSettings(public_url="desk.example.org")


def test_every_answer_has_the_headers(served: Served) -> None:
    with served(password=PASSWORD) as client:
        for path in ("/", "/login", "/no-such-page", "/static/desk.css", "/api/openapi.json"):
            answer = client.get(path)
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
        assert "unsafe-inline" not in HEADERS["Content-Security-Policy"]


def test_a_password_is_asked_for(served: Served) -> None:
    with served(password=PASSWORD) as client:
        asked = client.get("/reviews?x=1")
        assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=%2Freviews%3Fx%3D1")
        assert client.get("/api/openapi.json").status_code == 401
        assert client.post("/logout", data={"token": "x"}).status_code == 401
        wrong = client.post("/login", data={"password": "battery staple", "next": "/"})
        assert wrong.status_code == 403
        assert "not the password" in wrong.text
        right = client.post("/login", data={"password": PASSWORD, "next": "//evil.example/"})
        assert (right.status_code, right.headers["location"]) == (303, "/")
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert client.get("/").status_code == 200
        token = token_of(client)
        assert client.post("/logout", data={"token": token}).status_code == 303
        assert client.get("/").status_code == 303


def test_a_changed_password_ends_sessions(served: Served) -> None:
    with served(password=PASSWORD) as client:
        client.post("/login", data={"password": PASSWORD})
        cookies = client.cookies
    with served(password="another one") as client:
        client.cookies = cookies
        assert client.get("/").status_code == 303


def test_guessing_is_slowed(served: Served) -> None:
    with served(password=PASSWORD) as client:
        answers = [client.post("/login", data={"password": f"guess {i}"}).status_code for i in range(12)]
        assert answers == [403] * 10 + [429] * 2
        assert client.post("/login", data={"password": PASSWORD}).status_code == 429


def test_a_token_is_for_programs(served: Served) -> None:
    with served(token=TOKEN) as client:
        assert client.get("/api/openapi.json").status_code == 401
        assert client.get("/api/openapi.json", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/api/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert client.post("/login", data={"password": TOKEN}).status_code == 403


def test_a_form_of_another_site_changes_nothing(served: Served) -> None:
    with served(password=PASSWORD) as client:
        client.post("/login", data={"password": PASSWORD})
        token = token_of(client)
        assert client.post("/logout", data={"token": "guessed"}).status_code == 403
        foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
        assert client.post("/logout", data={"token": token}, headers=foreign).status_code == 403
        assert client.post("/logout", data={"token": token}, headers={"Origin": "null"}).status_code == 403
        assert client.get("/").status_code == 200, "still logged in"


def test_login_leads_nowhere_else() -> None:
    assert local_path("/claims/x?lang=ko") == "/claims/x?lang=ko"
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\nb"):
        assert local_path(elsewhere) == "/", elsewhere


def test_errors_say_what_and_hide_how(served: Served) -> None:
    with served() as client:
        missing = client.get("/no-such-page")
        assert (missing.status_code, "there is no such page" in missing.text) == (404, True)
        assert client.get("/api/no-such").json() == {"error": "there is no such page"}
        assert client.get("/healthz").text == "ok\n"
