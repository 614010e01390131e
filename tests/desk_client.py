"""A browser without JavaScript, for tests of the desk's pages: follows forms as they stand in the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import lxml.html
from conftest import MovableClock, Serving, desk_settings

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.web.app import create


@contextmanager
def browsing(pg: EmbeddedServer, dsn: str, home: Path, clock: MovableClock, **web: Any) -> Iterator[httpx.Client]:
    """The desk on a database, and a client that keeps its cookies."""
    app = create(desk_settings(pg, dsn, home, **web), clock)
    try:
        with Serving(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        app.state.desk.close()


def seen(client: httpx.Client, path: str) -> Any:
    """The page as a tree; it has to be there."""
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == 200, (path, answer.status_code, answer.text[-500:])
    return lxml.html.fromstring(answer.text)


def text(tree: Any, selector: str) -> list[str]:
    """Texts of the elements, white space folded."""
    return [" ".join(element.text_content().split()) for element in tree.cssselect(selector)]


def pressed(client: httpx.Client, form: Any, **changes: str) -> Any:
    """The page that comes of sending the form with some values changed."""
    values = {name: value or "" for name, value in form.form_values()} | changes
    if form.method == "GET":
        answer = client.get(form.action, params=values, follow_redirects=True)
    else:
        answer = client.post(form.action, data=values, follow_redirects=True)
    assert answer.status_code == 200, (form.action, values, answer.status_code)
    return lxml.html.fromstring(answer.text)
