-- view analysis.feed_health
create or replace view analysis.feed_health as
select f.feed_id, f.url, pub.name as publisher, pub.country, f.state, f.last_outcome, f.last_problem,
       f.last_polled_at, f.last_success_at, w.due_at as next_poll_at, f.poll_interval,
       e.entries, e.last_entry_at,
       f.title, pub.family, pub.kind, coalesce(f.language, pub.language) as language, f.tags,
       case when f.state = 'unverified' then 'unverified'
            when f.state in ('paused', 'gone') then f.state
            when f.failures > 0 then 'failing'
            when f.last_success_at is null then 'new'
            when e.last_entry_at is null or r.expected > 10 then 'silent'
            else 'well' end as health,
       case when f.failures > 0 or f.state in ('gone', 'unverified') then f.last_reason end as reason,
       f.failures, f.verified_at, r.entries_a_week,
       case when f.last_success_at >= e.last_entry_at then f.last_success_at - e.last_entry_at end as silent_for,
       r.expected as entries_missed
from ingest.feeds f
join ingest.publishers pub using (publisher_id)
left join ingest.work w on w.stage = 'poll' and w.item_id = f.feed_id
left join lateral (
    select count(*) as entries, max(first_seen_at) as last_entry_at
    from ingest.entries where feed_id = f.feed_id
) e on true
left join lateral (
    -- What it brought in the four weeks before its last entry, so that silence does not lower it. The first poll's
    -- entries are a list's length, no rate.
    select count(*) * 604800.0 / extract(epoch from least(interval '28 days', e.last_entry_at - f.rhythm_since))
               as a_week
    from ingest.entries
    where feed_id = f.feed_id and first_seen_at > f.rhythm_since
      and first_seen_at > e.last_entry_at - interval '28 days'
      and e.last_entry_at >= f.rhythm_since + interval '3 days'
    having count(*) > 0
) before on true
left join lateral (
    select round(before.a_week, 1) as entries_a_week,
           round(before.a_week * greatest(0, extract(epoch from f.last_success_at - e.last_entry_at)) / 604800, 1)
               as expected
) r on true;

comment on view analysis.feed_health is 'How every feed is doing.';
comment on column analysis.feed_health.feed_id is 'Number of the feed.';
comment on column analysis.feed_health.url is 'Its address.';
comment on column analysis.feed_health.publisher is 'Who publishes it.';
comment on column analysis.feed_health.country is 'The publisher''s country.';
comment on column analysis.feed_health.state is 'active; paused by a person; unverified, so not polled until its address was checked; gone when the server said so.';
comment on column analysis.feed_health.last_outcome is 'How the last poll went, in a word.';
comment on column analysis.feed_health.last_problem is 'What was wrong with it, in plain words.';
comment on column analysis.feed_health.last_polled_at is 'When it was polled last.';
comment on column analysis.feed_health.last_success_at is 'When it last answered well.';
comment on column analysis.feed_health.next_poll_at is 'When it is polled next.';
comment on column analysis.feed_health.poll_interval is 'Its polling rhythm at present.';
comment on column analysis.feed_health.entries is 'Items it has brought so far.';
comment on column analysis.feed_health.last_entry_at is 'When it last brought a new one.';
comment on column analysis.feed_health.title is 'Its own title.';
comment on column analysis.feed_health.family is 'The publisher''s owner.';
comment on column analysis.feed_health.kind is 'The publisher''s kind: wire, newspaper, broadcaster, state ...';
comment on column analysis.feed_health.language is 'Main language of its items.';
comment on column analysis.feed_health.tags is 'Words it is grouped by.';
comment on column analysis.feed_health.health is 'well; failing; silent: answers, but brings far less than it used to; new: not polled yet; unverified; paused; gone.';
comment on column analysis.feed_health.reason is 'What its trouble means and what can be done about it; empty while all is well.';
comment on column analysis.feed_health.failures is 'Weight of the failures in a row; 0 after a success.';
comment on column analysis.feed_health.verified_at is 'When its address was first seen to be a feed.';
comment on column analysis.feed_health.entries_a_week is 'Items a week, in the four weeks before its last one; empty in its first days.';
comment on column analysis.feed_health.silent_for is 'How long it has answered without a new item: from the last one to the last good poll.';
comment on column analysis.feed_health.entries_missed is 'Items it would have brought in that time at its usual rate; above ten, the silence is unusual.';
