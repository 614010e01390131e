-- open --
-- A backfill is asked for; one that the same request has made already brings no row.
insert into ingest.backfills (kind, source, options, publisher_id, request_key, added_at)
values (%(kind)s, %(source)s, %(options)s, %(publisher_id)s, %(request_key)s, %(now)s)
on conflict (request_key) do nothing
returning backfill_id

-- of_request --
-- The backfill that a request has made.
select backfill_id from ingest.backfills where request_key = %(request_key)s

-- add_files --
-- The files of a backfill, in order; one that is listed already stays as it is.
insert into ingest.backfill_files (backfill_id, position, location)
select %(backfill_id)s, place, location
from unnest(%(locations)s::text[]) with ordinality as given (location, place)
on conflict (backfill_id, location) do nothing

-- listed --
-- All files of a backfill are listed.
update ingest.backfills set state = 'running', problem = null where backfill_id = %(backfill_id)s

-- reopen --
-- Files that failed are to be tried again from where they stopped; the numbers of all that are not done.
with again as (
    update ingest.backfill_files set state = 'waiting', problem = null
    where backfill_id = %(backfill_id)s and state = 'failed'
    returning file_id
), going as (
    update ingest.backfills set state = 'running', problem = null, finished_at = null
    where backfill_id = %(backfill_id)s and exists (
        select from ingest.backfill_files f where f.backfill_id = %(backfill_id)s and f.state in ('waiting', 'failed'))
)
select file_id from again
union
select file_id from ingest.backfill_files where backfill_id = %(backfill_id)s and state = 'waiting'
order by file_id

-- get --
-- One backfill.
select b.backfill_id, b.kind, b.source, b.options, b.publisher_id, pub.name as publisher, b.state, b.problem, b.added_at,
       b.finished_at
from ingest.backfills b left join ingest.publishers pub using (publisher_id)
where b.backfill_id = %(backfill_id)s

-- list --
-- All backfills with what they have done so far, the newest first.
select b.backfill_id, b.kind, b.source, b.state, b.added_at, b.finished_at, coalesce(f.files, 0)::bigint as files,
       coalesce(f.done, 0)::bigint as done, coalesce(f.records, 0)::bigint as records,
       (select count(*) from ingest.backfill_articles a where a.backfill_id = b.backfill_id and a.brought) as articles
from ingest.backfills b
left join lateral (
    select count(*) as files, count(*) filter (where x.state in ('done', 'limited')) as done, sum(x.records) as records
    from ingest.backfill_files x where x.backfill_id = b.backfill_id
) f on true
order by b.backfill_id desc

-- file --
-- One file of a backfill, and what its backfill asks for.
select f.file_id, f.backfill_id, f.position, f.location, f.state, f.byte_offset, f.skip, f.validator, f.records,
       b.kind, b.options, b.publisher_id
from ingest.backfill_files f join ingest.backfills b using (backfill_id)
where f.file_id = %(file_id)s

-- files --
-- The files of a backfill.
select file_id, position, location, state, records, byte_offset, size, outcomes, problem, stored_at
from ingest.backfill_files
where backfill_id = %(backfill_id)s
order by position, file_id

-- problems --
-- Records of a backfill that could not be used.
select f.location, p.record, p.url, p.outcome, p.problem
from ingest.backfill_problems p join ingest.backfill_files f using (file_id)
where f.backfill_id = %(backfill_id)s
order by f.position, p.problem_id
limit %(limit)s

-- outcomes --
-- What became of all records of a backfill.
select key as outcome, sum(value::bigint)::bigint as records
from ingest.backfill_files f, jsonb_each_text(f.outcomes)
where f.backfill_id = %(backfill_id)s
group by key
order by records desc, key

-- downstream --
-- How far a backfill's new articles have come.
select count(*) as articles,
       count(*) filter (where exists (
           select from ingest.work w where w.stage = 'fetch' and w.item_id = a.article_id)) as to_fetch,
       count(*) filter (where exists (
           select from ingest.work w where w.stage = 'extract' and w.item_id = a.article_id)) as to_extract,
       count(*) filter (where exists (
           select from ingest.versions v where v.article_id = a.article_id)) as with_text,
       count(*) filter (where exists (
           select from ingest.versions v join ingest.appearances ap using (version_id)
           join ingest.matches m using (paragraph_id)
           where v.article_id = a.article_id and m.tier = 'accepted' and m.superseded_at is null)) as with_evidence
from ingest.backfill_articles a
where a.backfill_id = %(backfill_id)s and a.brought

-- lock --
-- Takes a file for this session; false while another session has it. Ends with the session, however that ends.
select pg_try_advisory_lock(hashtext('ingest.backfill_files'), %(file_id)s::integer) as taken

-- unlock --
-- Gives a file back.
select pg_advisory_unlock(hashtext('ingest.backfill_files'), %(file_id)s::integer)

-- started --
-- Reading of a file begins or goes on.
update ingest.backfill_files
set started_at = coalesce(started_at, %(now)s), validator = coalesce(%(validator)s, validator),
    size = coalesce(%(size)s, size), state = 'waiting', problem = null
where file_id = %(file_id)s

-- progress --
-- How far a file has been read, in the transaction that stores what was read. Nothing comes back where another process
-- has read on from the same place meanwhile.
update ingest.backfill_files
set byte_offset = %(byte_offset)s, skip = %(skip)s, records = %(before)s + %(read)s, stored_at = %(now)s,
    outcomes = (
        select coalesce(jsonb_object_agg(key, total), '{}')
        from (select key, sum(value::bigint) as total
              from (select * from jsonb_each_text(outcomes)
                    union all select * from jsonb_each_text(%(outcomes)s::jsonb)) as both_counts (key, value)
              group by key) as added)
where file_id = %(file_id)s and records = %(before)s
returning file_id

-- ended --
-- A file was read to its end, or can't be.
update ingest.backfill_files
set state = %(state)s, problem = %(problem)s, finished_at = %(now)s
where file_id = %(file_id)s

-- finish --
-- A backfill is done when all its files are; its state afterwards.
update ingest.backfills b
set state = case when f.failed > 0 then 'failed' when f.waiting > 0 then 'running' else 'done' end,
    problem = case when f.failed > 0 then f.failed || ' of ' || f.files || ' files could not be read to their end' end,
    finished_at = case when f.waiting = 0 then %(now)s::timestamptz end
from (select count(*) as files, count(*) filter (where state = 'failed') as failed,
             count(*) filter (where state = 'waiting') as waiting
      from ingest.backfill_files where backfill_id = %(backfill_id)s) f
where b.backfill_id = %(backfill_id)s
returning b.state, f.files, f.failed, f.waiting

-- failed --
-- A backfill's files could not be listed.
update ingest.backfills set state = 'failed', problem = %(problem)s, finished_at = %(now)s
where backfill_id = %(backfill_id)s

-- room --
-- How many articles a backfill with a limit has brought or named; others that store for it wait until this is over.
select (select count(*) from ingest.backfill_articles a where a.backfill_id = b.backfill_id) as articles
from ingest.backfills b where b.backfill_id = %(backfill_id)s
for update of b

-- known --
-- Which of these addresses this backfill has named already.
select a.url
from ingest.backfill_articles b join ingest.articles a using (article_id)
where b.backfill_id = %(backfill_id)s and a.url = any(%(urls)s)

-- add_articles --
-- Stores what a backfill names: new articles, and which of them it brought. An address that is known as another
-- article's is that article. `has_text`: there is a page or a text of it already; one without is queued for fetch where
-- `fetched` says so.
with given as (
    select g.*, coalesce(main.url, g.url) as main_url
    from jsonb_to_recordset(%(articles)s::jsonb) as g (
        url text, host text, publisher_id bigint, byte_offset bigint, title text, language text,
        published_at timestamptz)
    left join ingest.article_urls u on u.url = g.url
    left join ingest.articles main on main.article_id = u.article_id
), article as (
    insert into ingest.articles (url, publisher_id, first_seen_at)
    select distinct on (main_url) main_url, publisher_id, %(now)s from given order by main_url, url
    on conflict (url) do update set url = excluded.url
    returning article_id, url, (xmax = 0) as is_new
), standing as (
    select g.url, g.host, g.byte_offset, g.title, g.language, g.published_at, a.article_id, a.is_new,
           exists (select from ingest.pages p where p.article_id = a.article_id)
           or exists (select from ingest.versions v where v.article_id = a.article_id) as has_text
    from given g join article a on a.url = g.main_url
), named as (
    insert into ingest.backfill_articles (backfill_id, article_id, file_id, byte_offset, brought, title, language,
                                          published_at)
    select distinct on (article_id) %(backfill_id)s, article_id, %(file_id)s, byte_offset, is_new, title, language,
           published_at
    from standing
    order by article_id, url
    on conflict (backfill_id, article_id) do nothing
), work as (
    insert into ingest.work (stage, item_id, host, due_at)
    select distinct on (article_id) 'fetch', article_id, host, %(now)s
    from standing
    where not has_text and %(fetched)s
    order by article_id, url
    on conflict (stage, item_id) do nothing
)
select url, article_id, has_text from standing

-- add_problems --
-- Records that could not be used, as long as a file has no more than `most` of them.
insert into ingest.backfill_problems (file_id, record, byte_offset, url, outcome, problem)
select %(file_id)s, g.record, g.byte_offset, g.url, g.outcome, g.problem
from jsonb_to_recordset(%(problems)s::jsonb) as g (record bigint, byte_offset bigint, url text, outcome text, problem text)
order by g.record
limit greatest(%(most)s - (select count(*) from ingest.backfill_problems p where p.file_id = %(file_id)s), 0)

-- feed_publishers --
-- Which publishers have feeds, and where.
select f.url, f.publisher_id from ingest.feeds f order by f.feed_id

-- publisher_of_site --
-- The publisher of a site that has no feed; made where there is none of that name.
with made as (
    insert into ingest.publishers (name, family) values (%(name)s, %(family)s)
    on conflict (name) do nothing
    returning publisher_id
)
select publisher_id from made
union all
select publisher_id from ingest.publishers where name = %(name)s
limit 1
