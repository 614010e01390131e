"""alert: alerts in the outbox -> mail, as soon as there are any."""

from __future__ import annotations

from airflow.sdk import dag, task

from pipeline.airflow_glue import DEFAULT_ARGS, EVENTS, asset_or_cron, load_settings, run_stage


@dag(
    schedule=asset_or_cron(EVENTS, load_settings().schedule.alert),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["claimwatch"],
    doc_md=__doc__,
)
def alert():
    @task
    def notify() -> dict[str, int]:
        return run_stage("notify")

    notify()


alert()
