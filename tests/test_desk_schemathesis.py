"""The API against requests made from its own description, sensible and senseless ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from conftest import MovableClock, Serving, desk_settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from pipeline.adapters.postgres import EmbeddedServer
from pipeline.web.app import create
from pipeline.web.meaning import Meaning

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
EXAMPLES = 20  # an operation and mode


class NoModel(Meaning):
    """Words alone: what the model makes of a text is another test's business."""

    def vector(self, text: str, active: object) -> tuple[None, str]:
        return None, "no model"


@pytest.fixture
def address(pg: EmbeddedServer, newsroom_copy: str, tmp_path: Path, clock: MovableClock) -> Iterator[str]:
    settings = desk_settings(pg, newsroom_copy, tmp_path)
    app = create(settings, clock)
    app.state.meaning = NoModel(settings.embed)
    with Serving(app) as port:
        yield f"http://127.0.0.1:{port}"
    app.state.desk.close()


def test_no_request_breaks_the_api(address: str) -> None:
    schema = schemathesis.openapi.from_url(f"{address}/api/openapi.json")
    names, answered = set(), set()
    for result in schema.get_all_operations():
        operation = result.ok()
        names.add(operation.label)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @hypothesis.settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(hypothesis.HealthCheck),
            )
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                answer = case.call_and_validate(checks=CHECKS, timeout=30)
                answered.add(answer.status_code)

            ask()
    assert len(names) > 20
    assert {200, 404, 422} <= answered
    assert not {code for code in answered if code >= 500}
