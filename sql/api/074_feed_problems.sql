-- view analysis.feed_problems
create or replace view analysis.feed_problems as
select o.item_id as feed_id, o.at, o.outcome, o.problem, o.run_id
from ingest.outcomes o
where o.stage = 'poll';

comment on view analysis.feed_problems is 'The polls that went wrong, as far back as the log is kept: one row a poll. A poll that went well leaves none.';
comment on column analysis.feed_problems.feed_id is 'The feed.';
comment on column analysis.feed_problems.at is 'When it was polled.';
comment on column analysis.feed_problems.outcome is 'How that went, in a word.';
comment on column analysis.feed_problems.problem is 'What was wrong, in plain words.';
comment on column analysis.feed_problems.run_id is 'The run, in analysis.run_log.';
