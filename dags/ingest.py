"""ingest: feeds -> entries -> articles -> pages -> paragraphs -> embeddings, every few minutes."""

from __future__ import annotations

from airflow.sdk import dag, task

from pipeline.airflow_glue import DEFAULT_ARGS, PARAGRAPHS, cron, load_settings, run_stage

SCHEDULE = load_settings().schedule


@dag(
    schedule=cron(SCHEDULE.ingest),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["claimwatch"],
    doc_md=__doc__,
)
def ingest():
    # A host belongs to one shard, so that tasks seldom have to wait for one another (only one at a time asks a host).
    shards = list(range(SCHEDULE.shards))

    @task
    def poll(shard: int) -> dict[str, int]:
        return run_stage("poll", shard)

    # all_done: trouble in one shard's poll is no reason to leave the others' articles waiting.
    @task(trigger_rule="all_done")
    def fetch(shard: int) -> dict[str, int]:
        return run_stage("fetch", shard)

    @task(trigger_rule="all_done")
    def extract() -> dict[str, int]:
        return run_stage("extract")

    @task(trigger_rule="all_done", outlets=[PARAGRAPHS])
    def embed() -> dict[str, int]:
        return run_stage("embed", wakes=("group", "match"))

    poll.expand(shard=shards) >> fetch.expand(shard=shards) >> extract() >> embed()


ingest()
