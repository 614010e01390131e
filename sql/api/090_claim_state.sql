-- function analysis.claim_state
create or replace function analysis.claim_state(claim text, as_of timestamptz default now(),
                                                known_at timestamptz default now())
returns table (claim_id text, state text, stories bigint, articles bigint, publishers bigint, families bigint,
               supports bigint, refutes bigint, updates bigint, first_at timestamptz, last_at timestamptz,
               quiet_after interval, last_event text, last_event_at timestamptz, last_reason text, origins bigint)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
with found as (
    select a.story_id, a.article_id, pub.publisher_id, pub.family, m.stance, m.probability, m.match_id,
           v.published_at, v.version_id, ap.position
    from ingest.matches m
    join ingest.appearances ap using (paragraph_id)
    join ingest.versions v using (version_id)
    join ingest.articles a using (article_id)
    join ingest.publishers pub using (publisher_id)
    where m.claim_id = claim_state.claim and ingest.tier_known(m, claim_state.known_at) = 'accepted' and a.story_id is not null
      and m.matched_at <= claim_state.known_at
      and (m.superseded_at is null or m.superseded_at > claim_state.known_at)
      and v.published_at <= claim_state.as_of and v.known_at <= claim_state.known_at
), story as (
    select f.story_id, min(f.published_at) as at,
           (array_agg(f.stance order by f.probability desc, f.match_id))[1] as stance
    from found f
    group by f.story_id
), voice as (
    select distinct on (f.story_id, f.stance) f.family, f.stance, f.published_at
    from found f
    where f.stance <> 'updates'
    order by f.story_id, f.stance, f.published_at, f.version_id
), dispute as (
    select exists (
        select
        from voice s join voice r on r.stance = 'refutes' and r.family <> s.family
        where s.stance = 'supports' and least(s.published_at, r.published_at) > claim_state.as_of - interval '30 days'
    ) as open
), counted as (
    select count(distinct f.story_id) as stories, count(distinct f.article_id) as articles,
           count(distinct f.publisher_id) as publishers, count(distinct f.family) as families,
           min(f.published_at) as first_at
    from found f
), resting as (
    select count(distinct vo.origin_id) as origins
    from found f join ingest.version_origins vo on vo.version_id = f.version_id and vo.position = f.position
), sided as (
    select count(*) filter (where s.stance = 'supports') as supports,
           count(*) filter (where s.stance = 'refutes') as refutes,
           count(*) filter (where s.stance = 'updates') as updates, max(s.at) as last_at,
           ingest.quiet_time(array_agg(s.at)) as quiet_after
    from story s
), event as (
    select ev.kind, ev.happened_at, ev.reason
    from ingest.claim_events ev
    where ev.claim_id = claim_state.claim and ev.happened_at <= claim_state.as_of
      and ev.known_at <= claim_state.known_at
), silence as (
    select max(ev.happened_at) as at from event ev where ev.kind = 'silence'
)
select c.claim_id,
       case when n.stories = 0 then 'unseen'
            when silence.at > s.last_at then 'silent'
            when claim_state.as_of - s.last_at >= s.quiet_after then 'quiet'
            when dispute.open then 'contested'
            when claim_state.as_of - n.first_at < interval '7 days' then 'new'
            else 'active' end,
       n.stories, n.articles, n.publishers, n.families, s.supports, s.refutes, s.updates, n.first_at, s.last_at,
       case when n.stories > 0 then s.quiet_after end, last.kind, last.happened_at, last.reason,
       resting.origins
from ingest.claims c
cross join counted n
cross join resting
cross join sided s
cross join dispute
cross join silence
left join lateral (select * from event order by happened_at desc, kind limit 1) last on true
where c.claim_id = claim_state.claim
$$;

comment on function analysis.claim_state is 'How a claim stood: by what was published by `as_of` and known to us by `known_at`. State is unseen, new (first evidence within seven days), active, contested (families contradict each other within thirty days), quiet (longer without a story than `quiet_after`, from its own rhythm) or silent (expected coverage did not come). Stories count once each under supports, refutes or updates; origins are the authorities that the paragraphs with the evidence rest on, each once.';
