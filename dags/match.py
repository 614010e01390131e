"""match: articles -> stories; paragraphs -> matches -> claim events and alerts in the outbox.

As soon as there are new paragraphs or articles.
"""

from __future__ import annotations

from airflow.sdk import dag, task

from pipeline.airflow_glue import DEFAULT_ARGS, EVENTS, PARAGRAPHS, asset_or_cron, load_settings, run_stage


@dag(
    schedule=asset_or_cron(PARAGRAPHS, load_settings().schedule.match),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["claimwatch"],
    doc_md=__doc__,
)
def match():
    @task
    def group() -> dict[str, int]:
        return run_stage("group")

    # Trouble in grouping is no reason to leave paragraphs waiting; track waits for stories by itself.
    @task(trigger_rule="all_done")
    def decide() -> dict[str, int]:
        return run_stage("match")

    @task(outlets=[EVENTS])
    def track() -> dict[str, int]:
        return run_stage("track", wakes="notify")

    group() >> decide() >> track()


match()
