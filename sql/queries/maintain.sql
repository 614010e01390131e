-- expire_runs --
-- Forgets old runs and their outcomes.
delete from ingest.runs
where run_id in (select run_id from ingest.runs where started_at < %(before)s limit %(chunk)s)
returning run_id

-- expire_articles --
-- Forgets old articles that are evidence for nothing and whose texts nobody else's evidence rests on.
delete from ingest.articles
where article_id in (
    select a.article_id
    from ingest.articles a
    where a.first_seen_at < %(before)s
      and not exists (
          select from ingest.versions v
          join ingest.appearances ap using (version_id)
          join ingest.matches m using (paragraph_id)
          where v.article_id = a.article_id)
      and not exists (
          select from ingest.versions v
          join ingest.paragraphs p on p.first_version_id = v.version_id
          join ingest.appearances ap on ap.paragraph_id = p.paragraph_id
          join ingest.versions other on other.version_id = ap.version_id
          where v.article_id = a.article_id and other.article_id <> a.article_id)
    order by a.article_id
    limit %(chunk)s)
returning article_id

-- broken_indexes --
-- Indexes that a failed build left invalid, and vector tables without their HNSW index.
select i.indexrelid::regclass::text as name
from pg_index i
join pg_class c on c.oid = i.indexrelid
where c.relnamespace = 'ingest'::regnamespace and not (i.indisvalid and i.indisready)
union all
select format('ingest.embeddings_%%s_hnsw (missing)', m.model_id)
from ingest.models m
where not exists (
    select
    from pg_index i
    join pg_class c on c.oid = i.indexrelid
    join pg_am am on am.oid = c.relam and am.amname = 'hnsw'
    where i.indrelid = to_regclass(format('ingest.embeddings_%%s', m.model_id)))

-- expire_hosts --
-- Forgets hosts, with their robots.txt, that have not been asked for long. By the server's clock, as hosts are.
delete from ingest.hosts
where host in (
    select host from ingest.hosts
    where taken_at < clock_timestamp() - %(kept)s::interval
      and coalesce(held_until, '-infinity') < clock_timestamp()
      and coalesce(paused_until, '-infinity') < clock_timestamp()
    limit %(chunk)s)
returning host
