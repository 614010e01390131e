-- view analysis.feed_health
create or replace view analysis.feed_health as
select f.feed_id, f.url, pub.name as publisher, pub.country, f.state, f.last_outcome, f.last_problem,
       f.last_polled_at, f.last_success_at, w.due_at as next_poll_at, f.poll_interval,
       (select count(*) from ingest.entries e where e.feed_id = f.feed_id) as entries,
       (select max(e.first_seen_at) from ingest.entries e where e.feed_id = f.feed_id) as last_entry_at
from ingest.feeds f
join ingest.publishers pub using (publisher_id)
left join ingest.work w on w.stage = 'poll' and w.item_id = f.feed_id;

comment on view analysis.feed_health is 'How every feed is doing.';
comment on column analysis.feed_health.feed_id is 'Number of the feed.';
comment on column analysis.feed_health.url is 'Its address.';
comment on column analysis.feed_health.publisher is 'Who publishes it.';
comment on column analysis.feed_health.country is 'The publisher''s country.';
comment on column analysis.feed_health.state is 'active, paused, or gone when the server said so.';
comment on column analysis.feed_health.last_outcome is 'How the last poll went, in a word.';
comment on column analysis.feed_health.last_problem is 'What was wrong with it, in plain words.';
comment on column analysis.feed_health.last_polled_at is 'When it was polled last.';
comment on column analysis.feed_health.last_success_at is 'When it last answered well.';
comment on column analysis.feed_health.next_poll_at is 'When it is polled next.';
comment on column analysis.feed_health.poll_interval is 'Its polling rhythm at present.';
comment on column analysis.feed_health.entries is 'Items it has brought so far.';
comment on column analysis.feed_health.last_entry_at is 'When it last brought a new one.';
