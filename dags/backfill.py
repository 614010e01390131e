"""backfill: older material, once: a list of addresses, a sitemap, or files of a web archive. Started by hand.

One task lists the files, one mapped task a file reads it, and `ingest` and `match` take what they queue. A run that
was killed or has failed is gone on with by clearing its tasks, or by a new run with `resume`: no record comes twice.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from pipeline import airflow_glue
from pipeline.airflow_glue import DEFAULT_ARGS

DATE = {"type": ["null", "string"], "format": "date"}
WORDS = {"type": ["null", "array"], "items": {"type": "string"}}
SOURCE = "A path on the machine of the workers, or an http(s) address. For `warc`: a file, a folder, a pattern, or a \
manifest such as https://data.commoncrawl.org/crawl-data/CC-NEWS/2024/10/warc.paths.gz"
TERMS = "Keep pages that name one of these (`warc`); written as in a claims file. Empty: what the claims are about."
PARAMS = {
    "kind": Param("urls", enum=["urls", "sitemap", "warc"], description="What the source is."),
    "source": Param("", type="string", title="Source", description=SOURCE),
    "languages": Param(None, **WORDS, description="Two-letter codes, one a line; empty for all."),
    "terms": Param(None, **WORDS, description=TERMS),
    "anything": Param(False, type="boolean", description="Keep pages that name no term, too (`warc`)."),
    "since": Param(None, **DATE, description="Only what the sitemap or the archive dates on or after this day (UTC)."),
    "until": Param(None, **DATE, description="Only what it dates before this day (UTC)."),
    "limit": Param(None, type=["null", "integer"], minimum=1, description="At most so many articles."),
    "base": Param(None, type=["null", "string"], description="Where the lines of a manifest lie; its server's root."),
    "publisher": Param(None, type=["null", "string"], description="Publisher of everything; by site where empty."),
    "resume": Param(None, type=["null", "integer"], minimum=1, description="Number of a backfill to go on with."),
}


@dag(schedule=None, catchup=False, params=PARAMS, default_args=DEFAULT_ARGS, tags=["claimwatch"], doc_md=__doc__)
def backfill():
    @task
    def list_files() -> list[list[int]]:
        context = get_current_context()
        return airflow_glue.start_backfill(dict(context["params"]), context["run_id"])

    @task(max_active_tis_per_dagrun=2)
    def read(files: list[int]) -> dict[str, int]:
        return airflow_glue.read_backfill(files)

    @task(trigger_rule="all_done")
    def summary() -> dict[str, Any]:
        context = get_current_context()
        return airflow_glue.finish_backfill(dict(context["params"]), context["run_id"])

    read.expand(files=list_files()) >> summary()


backfill()
