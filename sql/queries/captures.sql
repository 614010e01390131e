-- of_page --
-- The capture that holds an article's page as it was fetched last.
select c.capture_id, c.final_url, c.captured_at, c.digest
from ingest.pages p join ingest.captures c using (capture_id)
where p.article_id = %(article_id)s

-- with_digest --
-- An article's capture that holds this very body and is still there.
select capture_id, final_url, captured_at, digest
from ingest.captures
where article_id = %(article_id)s and digest = %(digest)s and kind in ('response', 'resource') and expired_at is null
order by capture_id
limit 1

-- add --
-- Records that are on disk; their numbers, in the order given.
with given as (
    select *, nextval(pg_get_serial_sequence('ingest.captures', 'capture_id')) as number
    from jsonb_to_recordset(%(records)s::jsonb) as g (
        position integer, article_id bigint, feed_id bigint, kind text, captured_at timestamptz, url text,
        final_url text, status integer, content_type text, digest text, size bigint, revisit_of bigint,
        warc_file text, warc_offset bigint, warc_length bigint)
), added as (
    insert into ingest.captures (capture_id, article_id, feed_id, kind, captured_at, url, final_url, status,
                                 content_type, digest, size, revisit_of, warc_file, warc_offset, warc_length)
    overriding system value
    select number, article_id, feed_id, kind, captured_at, url, final_url, status, content_type,
           decode(digest, 'hex'), size, revisit_of, warc_file, warc_offset, warc_length
    from given
)
select number as capture_id from given order by position

-- to_move --
-- Page bodies that still lie in the database.
select page_id, article_id, url, fetched_at, content_type, body_hash, body
from ingest.pages
where body is not null
order by page_id
limit %(chunk)s

-- moved --
-- A body has gone from the database to the archive.
update ingest.pages set capture_id = %(capture_id)s, body = null
where page_id = %(page_id)s and body is not null and body_hash = %(digest)s
returning page_id

-- expiring --
-- The records of a file, and which of them texts with matches rest on: those are kept.
select c.capture_id, c.warc_file, c.warc_offset, c.warc_length,
       exists (
           select from ingest.versions v
           join ingest.appearances ap using (version_id)
           join ingest.matches m using (paragraph_id)
           where v.capture_id = c.capture_id and m.tier <> 'rejected') as kept
from ingest.captures c
where c.warc_file = %(warc_file)s and c.expired_at is null
order by c.warc_offset

-- keep --
-- The record stands elsewhere now.
update ingest.captures set warc_file = %(warc_file)s, warc_offset = %(warc_offset)s, warc_length = %(warc_length)s
where capture_id = %(capture_id)s

-- expire --
-- A file's records are deleted: rows that texts rest on say so, the others go.
with forgotten as (
    delete from ingest.captures c
    where c.warc_file = %(warc_file)s
      and not exists (select from ingest.versions v where v.capture_id = c.capture_id)
      and not exists (select from ingest.pages p where p.capture_id = c.capture_id)
    returning c.capture_id
), told as (
    update ingest.captures c set expired_at = %(now)s
    where c.warc_file = %(warc_file)s and c.expired_at is null
      and (exists (select from ingest.versions v where v.capture_id = c.capture_id)
           or exists (select from ingest.pages p where p.capture_id = c.capture_id))
    returning c.capture_id
)
select (select count(*) from forgotten) + (select count(*) from told) as records

-- show --
-- The captures of one article or feed, the newest first.
select c.capture_id, c.captured_at, c.kind, c.status, c.size, encode(c.digest, 'hex') as digest, c.warc_file,
       c.warc_offset, c.warc_length, c.revisit_of, c.final_url, c.expired_at
from ingest.captures c
left join ingest.articles a using (article_id)
left join ingest.feeds f using (feed_id)
where a.article_id = %(article_id)s or a.url = any(%(urls)s) or f.url = any(%(urls)s)
order by c.capture_id desc

-- one --
-- A capture, and the one that holds its body.
select c.capture_id, c.url, c.content_type, held.warc_file, held.warc_offset, held.warc_length, held.digest, held.expired_at
from ingest.captures c
join ingest.captures held on held.capture_id = coalesce(c.revisit_of, c.capture_id)
where c.capture_id = %(capture_id)s

-- to_verify --
-- The next captures whose record is to be there.
select capture_id, warc_file, warc_offset, warc_length, case when kind in ('response', 'resource') then digest end as digest
from ingest.captures
where capture_id > %(after)s and expired_at is null and (%(since)s::timestamptz is null or captured_at >= %(since)s)
order by capture_id
limit %(chunk)s

-- total --
-- How many captures there are to verify.
select count(*) as captures
from ingest.captures
where expired_at is null and (%(since)s::timestamptz is null or captured_at >= %(since)s)

-- to_reextract --
-- Articles whose page is in the archive and is to be read again, or was never there when it was to be read.
select p.article_id
from ingest.pages p
join ingest.captures c using (capture_id)
where c.expired_at is null
  and (%(since)s::timestamptz is null or p.fetched_at >= %(since)s)
  and (%(extractor)s::text is null or p.extractor is distinct from %(extractor)s)
  and (%(article_id)s::bigint is null or p.article_id = %(article_id)s)
order by p.article_id
