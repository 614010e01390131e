"""maintain: hourly; frees expired leases, applies retention, checks indexes, looks for edits and silences, mails the
operator about a stall.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from pipeline import airflow_glue
from pipeline.airflow_glue import DEFAULT_ARGS, cron, load_settings


@dag(
    schedule=cron(load_settings().schedule.maintain),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["claimwatch"],
    doc_md=__doc__,
)
def maintain():
    @task
    def housekeeping() -> dict[str, Any]:
        return airflow_glue.maintain()

    housekeeping()


maintain()
