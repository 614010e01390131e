-- add_publisher --
-- Adds a publisher or renews what is known of it.
insert into ingest.publishers (name, family, country, language, kind)
values (%(name)s, coalesce(%(family)s, %(name)s), %(country)s, %(language)s, %(kind)s)
on conflict (name) do update
set family = coalesce(%(family)s, publishers.family),
    country = coalesce(excluded.country, publishers.country),
    language = coalesce(excluded.language, publishers.language),
    kind = coalesce(excluded.kind, publishers.kind)
returning publisher_id

-- add --
-- Adds a feed; an address that is known already brings no row.
insert into ingest.feeds (url, publisher_id, title, poll_interval, added_at)
values (%(url)s, %(publisher_id)s, %(title)s, %(interval)s, %(now)s)
on conflict (url) do nothing
returning feed_id

-- list --
-- All feeds with their publisher and next poll.
select f.feed_id, f.url, f.title, f.state, f.last_outcome, f.last_problem, f.last_success_at,
       p.name as publisher, p.family, p.country, w.due_at as next_poll_at
from ingest.feeds f
join ingest.publishers p using (publisher_id)
left join ingest.work w on w.stage = 'poll' and w.item_id = f.feed_id
order by f.feed_id

-- to_poll --
-- What a poll needs to know of its feeds.
select feed_id, url, publisher_id, state, etag, last_modified, body_hash, poll_interval, failures, moved_to,
       moved_sightings, last_full_at
from ingest.feeds
where feed_id = any(%(feed_ids)s)

-- polled --
-- What a poll left behind. A null etag, date, hash or title keeps the old one.
update ingest.feeds
set url = coalesce(%(new_url)s, url),
    state = %(state)s,
    title = coalesce(%(title)s, title),
    format = coalesce(%(format)s, format),
    etag = case when %(answered)s then %(etag)s else etag end,
    last_modified = case when %(answered)s then %(last_modified)s else last_modified end,
    body_hash = coalesce(%(body_hash)s, body_hash),
    poll_interval = %(interval)s,
    failures = %(failures)s,
    moved_to = %(moved_to)s,
    moved_sightings = %(moved_sightings)s,
    last_polled_at = %(now)s,
    last_full_at = case when %(full)s then %(now)s else last_full_at end,
    last_success_at = case when %(success)s then %(now)s else last_success_at end,
    last_outcome = %(outcome)s,
    last_problem = %(problem)s
where feed_id = %(feed_id)s

-- url_taken --
-- Whether another feed has that address already.
select feed_id from ingest.feeds where url = %(url)s and feed_id <> %(feed_id)s

-- known_keys --
-- Which of these entries are stored already. `entries` is a JSON list of feeds and keys.
select e.feed_id, e.entry_key
from jsonb_to_recordset(%(entries)s::jsonb) as g (feed_id bigint, entry_key text)
join ingest.entries e using (feed_id, entry_key)

-- add_entries --
-- Stores new entries and the articles they announce, and queues new articles for fetch, or for extract where there
-- is no page to fetch. `entries` is a JSON list; an article's address may stand there more than once, and is then of
-- the publisher that stands there first. An address that is known as another article's is that article.
with given as (
    select g.*, coalesce(main.url, g.address) as article_url
    from jsonb_to_recordset(%(entries)s::jsonb) as g (
        place integer, feed_id bigint, publisher_id bigint, capture_id bigint, entry_key text, address text, host text,
        fetchable boolean, url text, title text, summary text, content text, author text, source text,
        source_url text, language text, published_at timestamptz)
    left join ingest.article_urls u on u.url = g.address
    left join ingest.articles main on main.article_id = u.article_id
), article as (
    insert into ingest.articles (url, publisher_id, first_seen_at)
    select distinct on (article_url) article_url, publisher_id, %(now)s
    from given
    order by article_url, place
    on conflict (url) do update set url = excluded.url
    returning article_id, url, (xmax = 0) as is_new
), entry as (
    insert into ingest.entries (feed_id, entry_key, article_id, url, title, summary, content, author, source,
                                source_url, language, published_at, first_seen_at, capture_id)
    select g.feed_id, g.entry_key, a.article_id, g.url, g.title, g.summary, g.content, g.author, g.source,
           g.source_url, g.language, g.published_at, %(now)s, g.capture_id
    from given g join article a on a.url = g.article_url
    on conflict (feed_id, entry_key) do nothing
    returning entry_id
), work as (
    insert into ingest.work (stage, item_id, host, due_at)
    select distinct case when g.fetchable then 'fetch' else 'extract' end, a.article_id, g.host, %(now)s
    from given g join article a on a.url = g.article_url
    where a.is_new
    on conflict (stage, item_id) do nothing
    returning item_id
)
select (select count(*) from entry) as entries, (select count(*) from article where is_new) as articles
