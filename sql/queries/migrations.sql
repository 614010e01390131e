-- extension --
-- Vectors; pgvector marks itself trusted, so the database's owner may add it.
create extension if not exists vector

-- lock --
-- One migration at a time, in whatever process.
select pg_advisory_xact_lock(hashtext('claimwatch.migrate'))

-- schema --
-- Where the pipeline's tables live.
create schema if not exists ingest

-- analysis --
-- Where the analysts' views and functions live.
create schema if not exists analysis

-- bootstrap --
-- The table that remembers which migrations have run.
create table if not exists ingest.migrations (
    name       text        primary key,
    hash       bytea       not null,
    applied_at timestamptz not null
)

-- done --
-- The migrations that have run.
select name, hash from ingest.migrations order by name

-- record --
-- Remembers one.
insert into ingest.migrations (name, hash, applied_at) values (%(name)s, %(hash)s, %(now)s)

-- api_objects --
-- The views and functions that stand in schema analysis and are ours; a function with its arguments, for `drop`, and
-- with what changes whenever it is written.
select 'view' as kind, c.relname as name, null as arguments, c.oid::bigint as number, c.xmin::text as written
from pg_class c
where c.relnamespace = 'analysis'::regnamespace and c.relkind = 'v' and pg_has_role(c.relowner, 'usage')
union all
select 'function', p.proname, pg_get_function_identity_arguments(p.oid), p.oid::bigint, p.xmin::text
from pg_proc p
where p.pronamespace = 'analysis'::regnamespace and pg_has_role(p.proowner, 'usage')

-- any_data --
-- Whether anything is stored that a restore would replace.
select exists (select from ingest.feeds) or exists (select from ingest.claims) as found

-- drop_analysis --
-- Makes room for a restore.
drop schema if exists analysis cascade

-- drop_ingest --
-- Makes room for a restore.
drop schema if exists ingest cascade
