"""The DAGs import cleanly and have the structure that the README draws; tests/test_demo.py runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

LOOK = """
import importlib, json, sys
sys.path.insert(0, "dags")
found = {}
for name in ("ingest", "match", "alert", "maintain", "backfill"):
    dag = getattr(importlib.import_module(name), name)()
    found[name] = {
        "tasks": {t.task_id: sorted(t.downstream_task_ids) for t in dag.tasks},
        "rules": {t.task_id: getattr(t.trigger_rule, "value", t.trigger_rule) for t in dag.tasks},
        "outlets": {t.task_id: [o.name for o in t.outlets] for t in dag.tasks if t.outlets},
        "schedule": type(dag.timetable).__name__,
        "assets": [asset.name for asset in getattr(dag.timetable.asset_condition, "objects", [])],
        "catchup": dag.catchup,
        "runs": dag.max_active_runs,
        "at_once": {t.task_id: t.max_active_tis_per_dagrun for t in dag.tasks},
        "params": {name: dag.params.get_param(name).dump() for name in dag.params},
    }
print("FOUND" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("airflow")
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "CLAIMWATCH_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(done.stdout.rpartition("FOUND")[2])
    return result


def test_order_of_tasks(found: dict[str, Any]) -> None:
    assert found["ingest"]["tasks"] == {"poll": ["fetch"], "fetch": ["extract"], "extract": ["embed"], "embed": []}
    assert found["match"]["tasks"] == {"group": ["decide"], "decide": ["track"], "track": []}
    assert found["alert"]["tasks"] == {"notify": []}
    assert found["maintain"]["tasks"] == {"housekeeping": []}


def test_assets_wake_what_comes_next(found: dict[str, Any]) -> None:
    assert found["ingest"]["outlets"] == {"embed": ["claimwatch://paragraphs"]}
    assert found["match"]["assets"] == ["claimwatch://paragraphs"]
    assert found["match"]["outlets"] == {"track": ["claimwatch://alerts"]}
    assert found["alert"]["assets"] == ["claimwatch://alerts"]
    assert {name: dag["schedule"] for name, dag in found.items()} == {
        "ingest": "CronTriggerTimetable",
        "match": "AssetOrTimeSchedule",
        "alert": "AssetOrTimeSchedule",
        "maintain": "CronTriggerTimetable",
        "backfill": "NullTimetable",
    }


def test_backfill_reads_a_file_a_task_and_few_at_a_time(found: dict[str, Any]) -> None:
    dag = found["backfill"]
    assert dag["tasks"] == {"list_files": ["read"], "read": ["summary"], "summary": []}
    assert dag["at_once"]["read"] == 2
    assert dag["rules"]["summary"] == "all_done"
    assert all(param["description"] for param in dag["params"].values())
    assert dag["params"]["kind"]["schema"]["enum"] == ["urls", "sitemap", "warc"]


def test_one_run_at_a_time_and_no_catching_up(found: dict[str, Any]) -> None:
    for name, dag in found.items():
        assert dag["runs"] == 1 or name == "backfill"
        assert dag["catchup"] is False


def test_trouble_in_one_shard_does_not_stop_the_others(found: dict[str, Any]) -> None:
    assert found["ingest"]["rules"]["fetch"] == found["ingest"]["rules"]["embed"] == "all_done"


def test_every_task_makes_one_call() -> None:
    for file in (ROOT / "dags").glob("*.py"):
        assert len(Path(file).read_text().splitlines()) < 60, f"{file.name} is more than wiring"
