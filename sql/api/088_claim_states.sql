-- function analysis.claim_states
create or replace function analysis.claim_states(as_of timestamptz default now(), known_at timestamptz default now(),
                                                 claims text[] default null, since timestamptz default null)
returns table (claim_id text, state text, stories bigint, articles bigint, publishers bigint, families bigint,
               supports bigint, refutes bigint, updates bigint, first_at timestamptz, last_at timestamptz,
               quiet_after interval, last_event text, last_event_at timestamptz, last_reason text, origins bigint,
               new_stories bigint, new_articles bigint, days integer[], latest_match bigint, latest_story bigint)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
with wanted as materialized (
    select c.claim_id, c.topic_id, c.position
    from ingest.claims c
    where claim_states.claims is null or c.claim_id = any(claim_states.claims)
), reviewed as materialized (
    -- What reviews had made of a match by then, and since when; nothing where they came later or were withdrawn.
    select r.claim_id, r.paragraph_id,
           (array_agg(case r.verdict when 'confirmed' then 'accepted' when 'rejected' then 'rejected' end
                      order by r.review_id desc) filter (where r.at <= claim_states.known_at))[1] as tier,
           max(r.at) filter (where r.at <= claim_states.known_at) as at
    from wanted w join ingest.reviews r using (claim_id)
    group by r.claim_id, r.paragraph_id
), standing as (
    -- Matches that nobody reviewed are as they always were; the others are few.
    select m.claim_id, m.paragraph_id, m.match_id, m.stance, m.probability, m.matched_at, m.superseded_at
    from wanted w join ingest.matches m using (claim_id)
    where m.tier = 'accepted'
      and not exists (select from reviewed r where r.claim_id = m.claim_id and r.paragraph_id = m.paragraph_id)
    union all
    select m.claim_id, m.paragraph_id, m.match_id, m.stance, m.probability,
           case when m.matcher_tier = 'suggested' then greatest(m.matched_at, r.at) else m.matched_at end, m.superseded_at
    from reviewed r join ingest.matches m using (claim_id, paragraph_id)
    where coalesce(r.tier, m.matcher_tier, m.tier) = 'accepted'
), found as materialized (
    select m.claim_id, a.story_id, a.article_id, a.publisher_id, m.stance, m.probability, m.match_id,
           v.published_at, v.version_id, ap.position, greatest(m.matched_at, v.known_at) as learned_at
    from standing m
    join ingest.appearances ap using (paragraph_id)
    join ingest.versions v using (version_id)
    join ingest.articles a using (article_id)
    where m.matched_at <= claim_states.known_at
      and (m.superseded_at is null or m.superseded_at > claim_states.known_at)
      and a.story_id is not null and v.published_at <= claim_states.as_of and v.known_at <= claim_states.known_at
), article as (
    select f.claim_id, f.article_id, f.publisher_id, min(f.learned_at) as learned_at
    from found f
    group by f.claim_id, f.article_id, f.publisher_id
), carried as (
    select a.claim_id, a.publisher_id, count(*) as articles, count(*) filter (where a.learned_at > claim_states.since) as fresh
    from article a
    group by a.claim_id, a.publisher_id
), counted as (
    select c.claim_id, sum(c.articles)::bigint as articles, count(*) as publishers,
           count(distinct p.family) as families, sum(c.fresh)::bigint as fresh
    from carried c join ingest.publishers p using (publisher_id)
    group by c.claim_id
), story as materialized (
    select f.claim_id, f.story_id, min(f.published_at) as at, min(f.learned_at) as learned_at,
           (array_agg(f.match_id order by f.probability desc, f.match_id))[1] as match_id,
           (array_agg(f.stance order by f.probability desc, f.match_id))[1] as stance
    from found f
    group by f.claim_id, f.story_id
), sided as (
    select s.claim_id, count(*) as stories, count(*) filter (where s.stance = 'supports') as supports,
           count(*) filter (where s.stance = 'refutes') as refutes,
           count(*) filter (where s.stance = 'updates') as updates, min(s.at) as first_at, max(s.at) as last_at,
           count(*) filter (where s.learned_at > claim_states.since) as fresh,
           ingest.quiet_time((array_agg(s.at order by s.at desc))[:21]) as quiet_after,  -- it looks at twenty gaps
           (array_agg(s.match_id order by s.at desc, s.story_id desc))[1] as match_id,
           (array_agg(s.story_id order by s.at desc, s.story_id desc))[1] as story_id
    from story s
    group by s.claim_id
), day as (
    select s.claim_id, (claim_states.as_of at time zone 'UTC')::date - (s.at at time zone 'UTC')::date as ago,
           count(*)::integer as stories
    from story s
    where s.at > claim_states.as_of - interval '60 days'
    group by s.claim_id, ago
), daily as (
    select w.claim_id, array_agg(coalesce(d.stories, 0) order by past.ago desc) as days
    from wanted w
    cross join generate_series(0, 59) as past (ago)
    left join day d using (claim_id, ago)
    group by w.claim_id
), voice as (
    -- Who published a story first speaks in it; copies and rewrites are no voices of their own.
    select f.claim_id, f.stance, (array_agg(f.publisher_id order by f.published_at, f.version_id))[1] as publisher_id
    from found f
    where f.stance <> 'updates'
    group by f.claim_id, f.story_id, f.stance
    having min(f.published_at) > claim_states.as_of - interval '30 days'
), dispute as (
    select v.claim_id
    from voice v join ingest.publishers p using (publisher_id)
    group by v.claim_id
    having count(distinct v.stance) = 2 and count(distinct p.family) > 1
), resting as (
    select o.claim_id, count(*) as origins
    from (
        select distinct f.claim_id, vo.origin_id
        from found f join ingest.version_origins vo on vo.version_id = f.version_id and vo.position = f.position
    ) o
    group by o.claim_id
)
select w.claim_id,
       case when s.stories is null then 'unseen'
            when silence.at > s.last_at then 'silent'
            when claim_states.as_of - s.last_at >= s.quiet_after then 'quiet'
            when d.claim_id is not null then 'contested'
            when claim_states.as_of - s.first_at < interval '7 days' then 'new'
            else 'active' end,
       coalesce(s.stories, 0), coalesce(n.articles, 0), coalesce(n.publishers, 0), coalesce(n.families, 0),
       coalesce(s.supports, 0), coalesce(s.refutes, 0), coalesce(s.updates, 0), s.first_at, s.last_at, s.quiet_after,
       last.kind, last.happened_at, last.reason, coalesce(o.origins, 0), coalesce(s.fresh, 0), coalesce(n.fresh, 0),
       t.days, s.match_id, s.story_id
from wanted w
left join sided s using (claim_id)
left join counted n using (claim_id)
left join daily t using (claim_id)
left join dispute d using (claim_id)
left join resting o using (claim_id)
left join lateral (
    select ev.kind, ev.happened_at, ev.reason
    from ingest.claim_events ev
    where ev.claim_id = w.claim_id and ev.happened_at <= claim_states.as_of and ev.known_at <= claim_states.known_at
    order by ev.happened_at desc, ev.kind
    limit 1
) last on true
left join lateral (
    select ev.happened_at as at
    from ingest.claim_events ev
    where ev.claim_id = w.claim_id and ev.kind = 'silence' and ev.happened_at <= claim_states.as_of
      and ev.known_at <= claim_states.known_at
    order by ev.happened_at desc
    limit 1
) silence on true
order by w.topic_id, w.position
$$;

comment on function analysis.claim_states is 'How all claims stood, or those that are named: one row a claim, by what was published by `as_of` and known to us by `known_at`; what the states mean stands at claim_state. new_stories and new_articles count what we learned of after `since`; days has the stories of the last sixty days (UTC), the day of `as_of` last; latest_match is the best match of the latest story.';
