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

-- set_publisher --
-- Sets what is known of a publisher, also to nothing.
update ingest.publishers
set family = coalesce(%(family)s, name), country = %(country)s, language = %(language)s, kind = %(kind)s
where name = %(name)s
returning publisher_id

-- add --
-- Adds a feed; an address that is known already brings no row.
insert into ingest.feeds (url, publisher_id, title, poll_interval, added_at)
values (%(url)s, %(publisher_id)s, %(title)s, %(interval)s, %(now)s)
on conflict (url) do nothing
returning feed_id

-- set_up --
-- Everything that people decide about a feed.
update ingest.feeds
set publisher_id = %(publisher_id)s, title = coalesce(%(title)s, title), state = %(state)s, tags = %(tags)s, note = %(note)s, language = %(language)s,
    min_interval = %(min_interval)s, max_interval = %(max_interval)s, read_pages = %(read_pages)s,
    verified_at = coalesce(verified_at, %(verified_at)s)
where feed_id = %(feed_id)s
returning feed_id

-- managed --
-- The feeds with everything that people decide about them, and what their polls brought; all, or the named ones.
select f.*, p.name as publisher, p.family, p.country, p.language as publisher_language, p.kind, w.due_at as next_poll_at
from ingest.feeds f
join ingest.publishers p using (publisher_id)
left join ingest.work w on w.stage = 'poll' and w.item_id = f.feed_id
where %(feed_ids)s::bigint[] is null or f.feed_id = any(%(feed_ids)s)
order by f.feed_id

-- health --
-- How feeds do, the worst first. A null filter leaves all in.
select feed_id, publisher, url, state, health, tags, entries_a_week, silent_for, entries_missed, last_success_at,
       last_entry_at, next_poll_at, last_outcome, reason
from analysis.feed_health
where (%(feed_id)s::bigint is null or feed_id = %(feed_id)s) and (%(state)s::text is null or state = %(state)s)
  and (%(tag)s::text is null or %(tag)s = any(tags))
  and (not %(trouble)s or health in ('failing', 'silent', 'gone'))
order by array_position(array['gone', 'failing', 'silent', 'unverified', 'paused', 'new', 'well'], health),
         failures desc, last_success_at nulls first, feed_id

-- named --
-- The feeds that a word may mean: an address, or a part of address, title or publisher's name.
select f.feed_id, f.url, p.name as publisher,
       f.url = %(word)s as exact
from ingest.feeds f join ingest.publishers p using (publisher_id)
where f.url = %(word)s or strpos(lower(f.url), lower(%(word)s)) > 0 or strpos(lower(p.name), lower(%(word)s)) > 0
   or strpos(lower(coalesce(f.title, '')), lower(%(word)s)) > 0
order by f.feed_id

-- outcomes --
-- The last polls of a feed that did not simply succeed.
select at, outcome, problem
from ingest.outcomes
where stage = 'poll' and item_id = %(feed_id)s
order by at desc, outcome_id desc
limit %(limit)s

-- entries_of_late --
-- A feed's newest entries.
select title, url, published_at, first_seen_at
from ingest.entries
where feed_id = %(feed_id)s
order by first_seen_at desc, entry_id desc
limit %(limit)s

-- readdress --
-- A person has corrected the address: what the old one's server said of its answers is of no use any more.
update ingest.feeds
set url = %(url)s, etag = null, last_modified = null, body_hash = null, moved_to = null, moved_sightings = 0,
    failures = 0, children = '{}'
where feed_id = %(feed_id)s

-- due --
-- Queues the next poll of a feed; one that stands in the queue gets the new time.
insert into ingest.work (stage, item_id, host, due_at)
values ('poll', %(feed_id)s, %(host)s, %(due_at)s)
on conflict (stage, item_id) do update set due_at = excluded.due_at

-- not_due --
-- The feed is not polled any more.
delete from ingest.work where stage = 'poll' and item_id = %(feed_id)s
returning item_id

-- remove --
-- Deletes a feed with its entries; the articles stay.
delete from ingest.feeds where feed_id = %(feed_id)s
returning feed_id

-- verified --
-- A check has read the feed; one that was unverified becomes active.
update ingest.feeds
set verified_at = coalesce(verified_at, %(now)s), title = coalesce(title, %(title)s), format = coalesce(format, %(format)s),
    state = case when state = 'unverified' then 'active' else state end
where feed_id = %(feed_id)s
returning state

-- checked_badly --
-- What a check found wrong with a feed that has never been polled.
update ingest.feeds
set last_outcome = %(outcome)s, last_problem = %(problem)s, last_reason = %(reason)s
where feed_id = %(feed_id)s and last_polled_at is null

-- to_poll --
-- What a poll needs to know of its feeds.
select feed_id, url, publisher_id, state, etag, last_modified, body_hash, poll_interval, failures, moved_to,
       moved_sightings, last_success_at, last_full_at, rhythm, rhythm_since, ttl, skip_hours, skip_days, children,
       min_interval, max_interval, read_pages, language
from ingest.feeds
where feed_id = any(%(feed_ids)s)

-- polled --
-- What a poll left behind. A null title, format or hash keeps the old one.
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
    rhythm = %(rhythm)s,
    rhythm_since = %(rhythm_since)s,
    ttl = %(ttl)s,
    skip_hours = %(skip_hours)s,
    skip_days = %(skip_days)s,
    children = %(children)s,
    last_polled_at = %(now)s,
    last_full_at = case when %(full)s then %(now)s else last_full_at end,
    last_success_at = case when %(success)s then %(now)s else last_success_at end,
    verified_at = case when %(success)s then coalesce(verified_at, %(now)s) else verified_at end,
    last_outcome = %(outcome)s,
    last_problem = %(problem)s,
    last_reason = %(reason)s,
    recent_outcomes = recent_outcomes[greatest(1, cardinality(recent_outcomes) - 18):] || %(outcome)s::text
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
