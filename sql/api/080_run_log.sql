-- view analysis.run_log
create or replace view analysis.run_log as
select r.run_id, r.stage, r.started_at, r.finished_at, r.claimed, r.outcomes, r.problem
from ingest.runs r;

comment on view analysis.run_log is 'What the pipeline did: one row a run of a stage that found work.';
comment on column analysis.run_log.run_id is 'Number of the run.';
comment on column analysis.run_log.stage is 'poll, fetch, extract, embed, group, match, track or notify.';
comment on column analysis.run_log.started_at is 'When it started.';
comment on column analysis.run_log.finished_at is 'When it ended; empty while it runs or where it was killed.';
comment on column analysis.run_log.claimed is 'Items it took.';
comment on column analysis.run_log.outcomes is 'What became of them; the counts add up to claimed.';
comment on column analysis.run_log.problem is 'Why the whole run stopped early, if it did.';
