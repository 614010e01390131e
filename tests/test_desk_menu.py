"""Airflow's menu leads to the desk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from pipeline.local.airflow import AirflowServices

LOOK = """
import json
from airflow import plugins_manager
from airflow.api_fastapi.core_api.datamodels.plugins import PluginResponse
found = [p for p in plugins_manager.get_plugin_info() if p["name"] == "claimwatch_desk"]
views = [v.model_dump() for p in found for v in PluginResponse(**p).external_views]
print("FOUND" + json.dumps([views, plugins_manager.get_import_errors()]))
"""


@pytest.mark.parametrize(
    ("settings", "address"),
    [({}, "http://127.0.0.1:8800"), ({"CLAIMWATCH_WEB__PUBLIC_URL": "https://desk.test/"}, "https://desk.test")],
)
def test_airflow_shows_the_desk_in_its_menu(settings: dict[str, str], address: str, tmp_path: Path) -> None:
    """As the API server of `claimwatch up` would load it, asked through the model of Airflow's own answer."""
    services = AirflowServices(
        tmp_path, "postgresql+psycopg://nobody@/none?host=/none", ROOT / "dags", plugins_folder=ROOT / "plugins"
    )
    env = {**services.environment(), "CLAIMWATCH_HOME": str(tmp_path), **settings}
    done = subprocess.run([sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: tuple[list[dict[str, Any]], dict[str, str]] = json.loads(done.stdout.rpartition("FOUND")[2])
    views, errors = found
    assert errors == {}
    assert [(view["name"], view["href"], view["destination"]) for view in views] == [
        ("claimwatch desk", address, "nav")
    ]
    assert views[0]["url_route"] is None, "a link: the desk refuses frames"
