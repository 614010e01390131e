-- view analysis.backfills
create or replace view analysis.backfills as
select b.backfill_id, b.kind, b.source, pub.name as publisher, b.state, b.problem, b.added_at, b.finished_at,
       coalesce(f.files, 0) as files, coalesce(f.done, 0) as files_done, coalesce(f.records, 0)::bigint as records,
       a.articles, a.read, b.options
from ingest.backfills b
left join ingest.publishers pub using (publisher_id)
left join lateral (
    select count(*) as files, count(*) filter (where x.state in ('done', 'limited')) as done, sum(x.records) as records
    from ingest.backfill_files x where x.backfill_id = b.backfill_id
) f on true
cross join lateral (
    select count(*) as articles,
           count(*) filter (where exists (select from ingest.versions v where v.article_id = x.article_id)) as read
    from ingest.backfill_articles x where x.backfill_id = b.backfill_id and x.brought
) a;

comment on view analysis.backfills is 'Older material that was brought in: one row a list of addresses, sitemap or set of web-archive files, and how far it has come. What it brought can''t be fresh coverage.';
comment on column analysis.backfills.backfill_id is 'Number of the backfill.';
comment on column analysis.backfills.kind is 'urls, sitemap or warc.';
comment on column analysis.backfills.source is 'The file or address that it was made from.';
comment on column analysis.backfills.publisher is 'Who publishes what it brings, where one was named.';
comment on column analysis.backfills.state is 'listing: its files are being listed; running; done; failed: some of its files could not be read.';
comment on column analysis.backfills.problem is 'What went wrong, in plain words.';
comment on column analysis.backfills.added_at is 'When it was asked for.';
comment on column analysis.backfills.finished_at is 'When it ended.';
comment on column analysis.backfills.files is 'Files that it consists of.';
comment on column analysis.backfills.files_done is 'Files that are read.';
comment on column analysis.backfills.records is 'Records that were looked at.';
comment on column analysis.backfills.articles is 'Articles that we did not have before.';
comment on column analysis.backfills.read is 'Of these, the ones whose text we have by now.';
comment on column analysis.backfills.options is 'What was asked for: terms, languages, dates, limits.';
