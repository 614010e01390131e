-- to_fetch --
-- What a fetch needs to know of its articles, and the age of each: from its publication, or from when it was first seen.
-- Those that were never fetched come first.
select a.article_id, a.url, a.last_problem, p.etag, p.last_modified, p.body_hash,
       least(a.first_seen_at, (select min(e.published_at) from ingest.entries e where e.article_id = a.article_id)) as born_at
from ingest.articles a left join ingest.pages p using (article_id)
where a.article_id = any(%(article_ids)s)
order by p.body_hash is not null, a.article_id

-- store_page --
-- A page with a body that is new; it takes the place of the one before.
insert into ingest.pages (article_id, fetched_at, checked_at, status, url, content_type, etag, last_modified, body_hash,
                          capture_id)
values (%(article_id)s, %(now)s, %(now)s, %(status)s, %(url)s, %(content_type)s, %(etag)s, %(last_modified)s,
        %(body_hash)s, %(capture_id)s)
on conflict (article_id) do update
set fetched_at = excluded.fetched_at, checked_at = excluded.checked_at, status = excluded.status, url = excluded.url,
    content_type = excluded.content_type, etag = excluded.etag, last_modified = excluded.last_modified,
    body_hash = excluded.body_hash, capture_id = excluded.capture_id, body = null, extractor = null

-- checked_page --
-- The page was asked for and is as it was.
update ingest.pages
set checked_at = %(now)s, etag = coalesce(%(etag)s, etag), last_modified = coalesce(%(last_modified)s, last_modified)
where article_id = %(article_id)s

-- page_read --
-- What has read an article's page; no row where another body has taken its place meanwhile.
update ingest.pages set extractor = coalesce(%(extractor)s, extractor)
where article_id = %(article_id)s and body_hash = %(body_hash)s
returning article_id

-- set_outcome --
-- How the last fetch or extraction of an article went.
update ingest.articles set last_outcome = %(outcome)s, last_problem = %(problem)s where article_id = %(article_id)s

-- to_extract --
-- An article's page, if it has one, and the entry that announced it first, or what a backfill's source says of it. In
-- the order of publication, whatever the order in which the feeds answered: a text's first version is its oldest.
select a.article_id, a.url, a.first_seen_at, p.body_hash, p.body, p.content_type, p.url as page_url, p.extractor,
       p.capture_id, c.warc_file, c.warc_offset, c.warc_length, e.capture_id as entry_capture_id,
       coalesce(e.title, b.title) as title, e.summary, e.content, e.author, coalesce(e.language, b.language) as language,
       coalesce(e.published_at, b.published_at) as published_at, e.source, pub.name as publisher, pub.country, pub.kind
from ingest.articles a
join ingest.publishers pub using (publisher_id)
left join ingest.pages p using (article_id)
left join ingest.captures c on c.capture_id = p.capture_id and c.expired_at is null
left join lateral (
    select * from ingest.entries e where e.article_id = a.article_id order by e.entry_id limit 1
) e on true
left join lateral (
    select * from ingest.backfill_articles b where b.article_id = a.article_id order by b.backfill_id limit 1
) b on true
where a.article_id = any(%(article_ids)s)
order by coalesce(e.published_at, b.published_at), a.article_id

-- add_version --
-- A text of an article; one that it has had already brings no row.
insert into ingest.versions (article_id, version_hash, source, title, author, language, published_at, known_at,
                             capture_id, extractor, reextracted)
values (%(article_id)s, %(version_hash)s, %(source)s, %(title)s, %(author)s, %(language)s, %(published_at)s, %(now)s,
        %(capture_id)s, %(extractor)s, %(reextracted)s)
on conflict (article_id, version_hash) do nothing
returning version_id

-- describe_version --
-- How a new text was read, and what its page says of itself.
update ingest.versions
set date_precision = %(date_precision)s, site_name = %(site_name)s, description = %(description)s,
    dateline = %(dateline)s, setting = %(setting)s, partial = %(partial)s
where version_id = %(version_id)s

-- add_paragraphs --
-- Stores the texts that are new, and where each of them stands. The order of insertion is that of the hashes, so
-- that two processes with the same texts wait for each other instead of deadlocking.
with given as (
    select *
    from unnest(%(positions)s::integer[], %(hashes)s::bytea[], %(texts)s::text[]) as g (position, content_hash, text)
), added as (
    insert into ingest.paragraphs (content_hash, text, language, first_version_id, first_seen_at)
    select content_hash, min(text), %(language)s, %(version_id)s, %(now)s
    from given
    group by content_hash
    order by content_hash
    on conflict (content_hash) do update set content_hash = excluded.content_hash
    returning paragraph_id, content_hash, (xmax = 0) as is_new
), stand as (
    insert into ingest.appearances (version_id, position, paragraph_id, kind)
    select %(version_id)s, g.position, a.paragraph_id, case when g.position = 0 then 'title' else 'body' end
    from given g join added a using (content_hash)
)
select paragraph_id, is_new, content_hash from added
