-- lock --
-- One article at a time finds its story: two that come together would found two stories for one report.
select pg_advisory_xact_lock(hashtext('ingest.group'))

-- to_group --
-- Articles in their latest version, whether all its texts have vectors, and whether they have been grouped.
select a.article_id, a.story_id, v.version_id, v.language, v.published_at,
       not exists (
           select from ingest.appearances ap
           where ap.version_id = v.version_id
             and not exists (select from {embeddings} e where e.paragraph_id = ap.paragraph_id)) as embedded,
       exists (select from ingest.story_sketches s where s.article_id = a.article_id) as sketched
from ingest.articles a
join lateral (
    select * from ingest.versions v where v.article_id = a.article_id order by v.version_id desc limit 1
) v on true
where a.article_id = any(%(article_ids)s)
order by v.published_at, a.article_id

-- texts --
-- Title (position 0) and paragraphs of a version.
select ap.position, p.text
from ingest.appearances ap join ingest.paragraphs p using (paragraph_id)
where ap.version_id = %(version_id)s
order by ap.position

-- bound_search --
-- The look-ups in the vectors' index read this much of it and no more, however many rows a filter drops.
select set_config('hnsw.iterative_scan', 'relaxed_order', true) as mode,
       set_config('hnsw.ef_search', %(ef_search)s, true) as ef_search,
       set_config('hnsw.max_scan_tuples', %(max_scan_tuples)s, true) as max_scan_tuples

-- near --
-- Grouped articles that begin with something near in meaning to a text, published between two moments. Of a text
-- that stands in many articles the latest are looked at. The limit in the condition keeps the planner from turning it
-- into a join over everything that was published then.
with near as materialized (
    select e.paragraph_id
    from {embeddings} e
    where (
        select true
        from (
            select ap.version_id, ap.position
            from ingest.appearances ap
            where ap.paragraph_id = e.paragraph_id
            order by ap.version_id desc
            limit %(latest)s
        ) stands
        join ingest.versions v using (version_id)
        join ingest.articles a using (article_id)
        where stands.position <= %(head)s and a.story_id is not null
          and v.published_at >= %(since)s and v.published_at <= %(until)s
        limit 1)
    order by e.embedding <#> %(vector)s
    limit %(k)s
)
select distinct shown.article_id
from near
cross join lateral (
    select v.article_id
    from (
        select ap.version_id, ap.position
        from ingest.appearances ap
        where ap.paragraph_id = near.paragraph_id
        order by ap.version_id desc
        limit %(latest)s
    ) stands
    join ingest.versions v using (version_id)
    join ingest.articles a using (article_id)
    where stands.position <= %(head)s and a.story_id is not null
      and v.published_at >= %(since)s and v.published_at <= %(until)s
    order by stands.version_id desc
    limit %(each)s
) shown

-- same_bands --
-- Articles whose texts may be nearly the same: the latest of each band, those that share the most first.
select found.article_id
from unnest(%(bands)s::bigint[]) as g (band)
cross join lateral (
    select b.article_id
    from ingest.story_bands b
    where b.band = g.band and b.article_id <> %(article_id)s
    order by b.article_id desc
    limit %(each)s
) found
group by found.article_id
order by count(*) desc, found.article_id
limit %(k)s

-- sharing --
-- Articles that have paragraphs of this version word for word: which share of its text that is.
with own as (
    select distinct ap.paragraph_id, length(p.text) as size
    from ingest.appearances ap join ingest.paragraphs p using (paragraph_id)
    where ap.version_id = %(version_id)s and ap.kind = 'body'
), pairs as (
    select distinct own.paragraph_id, own.size, found.article_id
    from own
    cross join lateral (
        select v.article_id
        from ingest.appearances ap
        join ingest.versions v using (version_id)
        where ap.paragraph_id = own.paragraph_id and v.article_id <> %(article_id)s
        order by ap.version_id desc
        limit %(each)s
    ) found
)
select article_id, sum(size)::float8 / (select sum(size) from own) as share
from pairs
group by article_id
order by share desc, article_id
limit %(k)s

-- candidates --
-- What grouping knows of articles that have a story.
select a.article_id, a.story_id, s.version_id, s.signature, s.shingles, s.names, s.figures, v.language, v.published_at
from ingest.articles a
join ingest.story_sketches s using (article_id)
join ingest.versions v on v.version_id = s.version_id
where a.article_id = any(%(article_ids)s) and a.story_id is not null
order by a.article_id

-- vectors --
-- The vectors of the beginnings of versions: title and first paragraphs.
select ap.version_id, ap.position, e.embedding
from ingest.appearances ap
join {embeddings} e using (paragraph_id)
where ap.version_id = any(%(version_ids)s) and ap.position <= %(head)s
order by ap.version_id, ap.position

-- add --
-- A new story.
insert into ingest.stories (first_seen_at) values (%(now)s) returning story_id

-- set --
-- The article tells that story.
update ingest.articles
set story_id = %(story_id)s, story_relation = %(relation)s, story_similarity = %(similarity)s
where article_id = %(article_id)s and story_id is null

-- keep_sketch --
-- What later articles are compared with.
insert into ingest.story_sketches (article_id, version_id, signature, shingles, names, figures)
values (%(article_id)s, %(version_id)s, %(signature)s, %(shingles)s, %(names)s, %(figures)s)
on conflict (article_id) do nothing

-- keep_bands --
-- Where later copies find it.
insert into ingest.story_bands (band, article_id)
select distinct unnest(%(bands)s::bigint[]), %(article_id)s::bigint
on conflict do nothing

-- queue_embedded --
-- Queues articles for grouping whose last text has got its vector just now.
insert into ingest.work (stage, item_id, due_at)
select distinct 'group', a.article_id, %(now)s::timestamptz
from ingest.appearances ap
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
where ap.paragraph_id = any(%(paragraph_ids)s) and a.story_id is null
  and not exists (
      select from ingest.appearances other
      where other.version_id = v.version_id
        and not exists (select from {embeddings} e where e.paragraph_id = other.paragraph_id))
on conflict (stage, item_id) do nothing

-- lock_embedding --
-- Articles without a story that these paragraphs belong to: of two processes with parts of one, the later one sees
-- what the earlier one stored.
select a.article_id
from ingest.articles a
where a.story_id is null
  and a.article_id in (
      select v.article_id
      from ingest.appearances ap join ingest.versions v using (version_id)
      where ap.paragraph_id = any(%(paragraph_ids)s))
order by a.article_id
for no key update

-- queue_track --
-- An article that has got its story brings it to the matches of its paragraphs. One that is being tracked just now is
-- taken back: its tracker has not seen the story.
insert into ingest.work (stage, item_id, due_at)
select distinct 'track', m.match_id, %(now)s::timestamptz
from ingest.versions v
join ingest.appearances ap using (version_id)
join ingest.matches m using (paragraph_id)
where v.article_id = %(article_id)s and m.tier = 'accepted'
on conflict (stage, item_id) do update
set due_at = least(work.due_at, excluded.due_at), lease_until = null, lease_token = null
