"""The one place where tasks meet the pipeline: each task of dags/ makes one call here.

Nothing heavy is imported before a task runs: the scheduler parses DAG files all day. What goes back to Airflow are
counts; the queue in Postgres says what is to be done, and an asset event only wakes the next DAG sooner.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable
from airflow.sdk.exceptions import AirflowSkipException

from pipeline import settings as settings_module
from pipeline.settings import Settings

PARAGRAPHS = Asset("claimwatch://paragraphs")  # there are embedded paragraphs to match
EVENTS = Asset("claimwatch://alerts")  # there are alerts to send

# A failed task is tried again at once-ish; what it had leased is free again after the lease anyway.
DEFAULT_ARGS = {"owner": "claimwatch", "retries": 2, "retry_delay": timedelta(seconds=30)}
TASK_SECONDS = 600.0  # a task stops taking batches after this; the next run goes on


def load_settings() -> Settings:
    return settings_module.load()


def cron(line: str) -> CronTriggerTimetable:
    return CronTriggerTimetable(line, timezone="UTC")


def asset_or_cron(asset: Asset, line: str) -> AssetOrTimeSchedule:
    """Woken by the asset, and by the clock in case its event was lost."""
    return AssetOrTimeSchedule(timetable=cron(line), assets=[asset])


def run_stage(stage: str, shard: int = 0, wakes: str | Sequence[str] = ()) -> dict[str, int]:
    """Run a stage until nothing is due. `wakes` names the stages that the task's asset wakes: the task is shown
    as skipped, and sends no event, where none of them has anything to do.
    """
    from pipeline.logging import configure
    from pipeline.stages.services import Services, due, run_stage

    settings = load_settings()
    configure(settings.log_format)
    services = Services(settings)
    with services.session() as conn:
        shards = settings.schedule.shards
        report = run_stage(conn, services, stage, shard=shard, shards=shards, seconds=TASK_SECONDS)
        woken = [wakes] if isinstance(wakes, str) else wakes
        if woken and not any(due(conn, services, name) for name in woken):
            raise AirflowSkipException(f"{stage}: {report.claimed} items, nothing for {' or '.join(woken)}")
    return {"claimed": report.claimed, **report.outcomes}


def maintain() -> dict[str, Any]:
    from pipeline.logging import configure
    from pipeline.stages import maintain
    from pipeline.stages.services import Services

    settings = load_settings()
    configure(settings.log_format)
    services = Services(settings)
    with services.session() as conn:
        return maintain.summary(maintain.run(conn, services))
