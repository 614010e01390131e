-- lock_claim --
-- One tracker at a time for a claim, so that it is first seen once.
select claim_id from ingest.claims where claim_id = %(claim_id)s for update

-- past --
-- What is known of a claim before a story: whether it has had that story, whether readers have been told of it, its
-- last surge, and the key of the last turn of its evidence.
select exists (
           select from ingest.claim_events ev
           where ev.claim_id = c.claim_id and ev.story_id = %(story_id)s
             and ev.kind in ('first_seen', 'fresh_coverage', 'new_story', 'archive')) as story,
       exists (
           select from ingest.claim_events ev
           where ev.claim_id = c.claim_id and ev.kind in ('first_seen', 'fresh_coverage')) as told,
       (select max(ev.happened_at) from ingest.claim_events ev
        where ev.claim_id = c.claim_id and ev.kind = 'surge') as last_surge,
       (select ev.event_key from ingest.claim_events ev
        where ev.claim_id = c.claim_id and ev.kind = 'contradiction'
        order by ev.event_id desc limit 1) as turned
from ingest.claims c
where c.claim_id = %(claim_id)s

-- stories --
-- When a claim's stories were published, in order: the last thousand before a moment and the first hundred after it,
-- far more than any rhythm or rate is taken from.
select at, story_id
from (
    (select happened_at as at, story_id
     from ingest.claim_events
     where claim_id = %(claim_id)s and kind in ('first_seen', 'fresh_coverage', 'new_story', 'archive')
       and happened_at <= %(at)s
     order by happened_at desc
     limit 1000)
    union all
    (select happened_at, story_id
     from ingest.claim_events
     where claim_id = %(claim_id)s and kind in ('first_seen', 'fresh_coverage', 'new_story', 'archive')
       and happened_at > %(at)s
     order by happened_at
     limit 100)
) near
order by at, story_id

-- voices --
-- The publisher families that have taken a stance on a claim, and when last. A story counts once for each stance, as
-- the voice of who published it first: copies and rewrites are no voices of their own.
select family, stance, max(published_at) as last_at
from (
    select distinct on (a.story_id, m.stance) m.stance, pub.family, v.published_at
    from ingest.matches m
    join ingest.appearances ap using (paragraph_id)
    join ingest.versions v using (version_id)
    join ingest.articles a using (article_id)
    join ingest.publishers pub using (publisher_id)
    where m.claim_id = %(claim_id)s and m.tier = 'accepted' and m.stance <> 'updates' and m.superseded_at is null
      and m.tracked_at is not null and m.match_id <> %(match_id)s
    order by a.story_id, m.stance, v.published_at, v.version_id
) voice
group by family, stance
order by last_at, family, stance

-- new_origins --
-- Authorities of states that a match's paragraph rests on in the article that told a story first, and that no other
-- evidence tracked on its claim rests on. Left out are those that a paragraph only inherits from its article's beginning,
-- and officials without an office: every other report has some.
select o.origin_id, o.name
from ingest.matches m
join ingest.appearances ap using (paragraph_id)
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
join ingest.version_origins vo on vo.version_id = ap.version_id and vo.position = ap.position and vo.how <> 'inherited'
join ingest.origins o using (origin_id)
where m.match_id = %(match_id)s and a.story_id = %(story_id)s and m.stance <> 'updates'
  and o.kind in ('intelligence', 'military', 'government', 'organisation') and o.origin_id not like 'officials-%%'
  and a.article_id = (
      select fa.article_id
      from ingest.articles fa join ingest.versions fv using (article_id)
      where fa.story_id = a.story_id
      order by fv.published_at, fv.version_id
      limit 1)
  and not exists (
      select
      from ingest.matches earlier
      join ingest.appearances eap using (paragraph_id)
      join ingest.version_origins evo on evo.version_id = eap.version_id and evo.position = eap.position
      where earlier.claim_id = m.claim_id and earlier.tier = 'accepted' and earlier.superseded_at is null
        and earlier.tracked_at is not null and earlier.match_id <> m.match_id and evo.origin_id = o.origin_id)
group by o.origin_id, o.name
order by min(v.published_at), o.origin_id

-- edits --
-- Articles that carry a match's paragraph in one text and not in the next from the same source: that next text, with
-- its paragraphs. Where it came back later still, the last time that it went. A page that we only read anew is no edit.
select a.article_id, a.story_id, pub.name as publisher, gone.version_id, gone.known_at,
       (select array_agg(p.text order by ap.position)
        from ingest.appearances ap join ingest.paragraphs p using (paragraph_id)
        where ap.version_id = gone.version_id) as texts
from (
    select v.article_id, v.source, max(v.version_id) as version_id
    from ingest.matches m
    join ingest.appearances ap using (paragraph_id)
    join ingest.versions v using (version_id)
    where m.match_id = %(match_id)s
    group by v.article_id, v.source
) carried
join lateral (
    select v.version_id, v.known_at, v.reextracted
    from ingest.versions v
    where v.article_id = carried.article_id and v.source = carried.source and v.version_id > carried.version_id
    order by v.version_id
    limit 1
) gone on true
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
where a.story_id is not null and not gone.reextracted
order by gone.version_id

-- changed --
-- Accepted matches whose paragraph stood in an article before and does not stand in this text of it.
select distinct m.match_id
from ingest.versions before
join ingest.appearances ap on ap.version_id = before.version_id
join ingest.matches m using (paragraph_id)
where before.article_id = %(article_id)s and before.version_id < %(version_id)s
  and m.tier = 'accepted' and m.superseded_at is null
  and not exists (
      select from ingest.appearances still
      where still.version_id = %(version_id)s and still.paragraph_id = ap.paragraph_id)

-- add_event --
-- An event; one with the same key brings no row.
insert into ingest.claim_events (claim_id, kind, event_key, story_id, happened_at, known_at, reason, headline)
values (%(claim_id)s, %(kind)s, %(event_key)s, %(story_id)s, %(happened_at)s, %(now)s, %(reason)s, %(headline)s)
on conflict (claim_id, kind, event_key) do nothing
returning event_id

-- tracked --
-- The match has been taken into account.
update ingest.matches set tracked_at = coalesce(tracked_at, %(now)s) where match_id = %(match_id)s

-- up_days --
-- Polls of each day since a moment, and how many of them were answered well.
select (r.started_at at time zone 'UTC')::date as day,
       sum(o.value::bigint) filter (where o.key in ('changed', 'unchanged'))::bigint as good,
       sum(o.value::bigint)::bigint as polls
from ingest.runs r
cross join jsonb_each_text(r.outcomes) as o (key, value)
where r.stage = 'poll' and r.started_at >= %(since)s and o.key not in ('released', 'deleted', 'lease-lost')
group by (r.started_at at time zone 'UTC')::date
order by day

-- sources --
-- Of each feed that has brought stories of a claim and is still polled, whether it answered since a moment.
select f.feed_id, coalesce(f.last_success_at >= %(since)s, false) as answered
from ingest.feeds f
where f.state <> 'paused'
  and exists (
      select
      from ingest.matches m
      join ingest.appearances ap using (paragraph_id)
      join ingest.versions v using (version_id)
      join ingest.entries e using (article_id)
      where m.claim_id = %(claim_id)s and m.tier = 'accepted' and m.superseded_at is null and e.feed_id = f.feed_id)
order by f.feed_id

-- to_reread --
-- Articles with evidence whose page is due to be read again: first after six hours, then whenever their age has
-- doubled, until they are eight days old. What a backfill brought is older than that, or nobody knows.
select a.article_id, a.url
from ingest.articles a
left join ingest.pages p using (article_id)
where a.first_seen_at <= %(now)s::timestamptz - interval '6 hours' and a.first_seen_at > %(now)s::timestamptz - interval '8 days'
  and (a.reread_at is null and p.checked_at is null
       or %(now)s::timestamptz - a.first_seen_at >= 2 * (greatest(a.reread_at, p.checked_at) - a.first_seen_at))
  and a.url like 'http%%'
  and not exists (select from ingest.backfill_articles b where b.article_id = a.article_id and b.brought)
  and exists (
      select
      from ingest.versions v
      join ingest.appearances ap using (version_id)
      join ingest.matches m using (paragraph_id)
      where v.article_id = a.article_id and v.source = 'page' and m.tier = 'accepted' and m.superseded_at is null)
order by a.article_id

-- rereading --
-- Notes that the page was asked for again.
update ingest.articles set reread_at = %(now)s where article_id = %(article_id)s

-- states --
-- How every claim that is followed stands, by what was published by one moment and known by another.
select c.claim_id, cv.version, cv.statement, s.state, s.stories, s.articles, s.publishers, s.families, s.origins,
       s.first_at, s.last_at, s.last_event, s.last_event_at, s.last_reason
from ingest.claims c
join ingest.claim_versions cv on cv.claim_version_id = c.current_version_id
cross join lateral analysis.claim_state(c.claim_id, %(as_of)s, %(known_at)s) s
where c.retired_at is null
order by c.topic_id, c.position

-- state --
-- How one claim stands, followed still or not, with its statement.
select s.*, cv.statement, c.retired_at
from ingest.claims c
join ingest.claim_versions cv on cv.claim_version_id = c.current_version_id
cross join lateral analysis.claim_state(c.claim_id, %(as_of)s, %(known_at)s) s
where c.claim_id = %(claim_id)s

-- timeline --
-- A claim's events in the order in which they happened, with who reported each first.
select ev.happened_at, ev.known_at, ev.kind, shown.publisher, ev.reason, ev.mailed, ev.story_id, shown.url
from analysis.claim_events ev
left join lateral (
    select pub.name as publisher, a.url
    from ingest.matches m
    join ingest.appearances ap using (paragraph_id)
    join ingest.versions v using (version_id)
    join ingest.articles a using (article_id)
    join ingest.publishers pub using (publisher_id)
    where m.claim_id = ev.claim_id and m.tier = 'accepted' and a.story_id = ev.story_id
    order by v.published_at, v.version_id
    limit 1
) shown on true
where ev.claim_id = %(claim_id)s and ev.happened_at <= %(as_of)s and ev.known_at <= %(known_at)s
order by ev.happened_at, ev.event_id
