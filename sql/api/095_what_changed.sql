-- function analysis.what_changed
create or replace function analysis.what_changed(since timestamptz, until timestamptz default now())
returns table (claim_id text, state_before text, state text, new_stories bigint, new_articles bigint,
               new_families bigint, supports bigint, refutes bigint, events text[], last_reason text,
               last_known_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
select c.claim_id, before.state, after.state, after.stories - before.stories, after.articles - before.articles,
       after.families - before.families, after.supports - before.supports, after.refutes - before.refutes,
       coalesce(heard.kinds, '{}'), heard.reason, heard.at
from ingest.claims c
join analysis.claim_states(what_changed.since, what_changed.since) before using (claim_id)
join analysis.claim_states(what_changed.until, what_changed.until) after using (claim_id)
left join lateral (
    select array_agg(ev.kind order by ev.event_id) as kinds, max(ev.known_at) as at,
           (array_agg(ev.reason order by ev.event_id desc))[1] as reason
    from ingest.claim_events ev
    where ev.claim_id = c.claim_id and ev.known_at > what_changed.since and ev.known_at <= what_changed.until
) heard on true
where c.added_at <= what_changed.until
  and (heard.kinds is not null
       or (before.state, before.stories, before.articles) is distinct from (after.state, after.stories, after.articles))
order by c.position, c.claim_id
$$;

comment on function analysis.what_changed is 'What we have learned between two moments, one row a claim that changed: its state before and now, what came in (negative where evidence was withdrawn), the events in the order we noticed, and the last one''s reason.';
