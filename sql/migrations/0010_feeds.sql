-- Feeds as people look after them: tags, overrides, whether an address was checked, and what was learned of a feed.

alter table ingest.feeds drop constraint feeds_state_check;
alter table ingest.feeds add constraint feeds_state_check check (state in ('active', 'paused', 'unverified', 'gone'));
alter table ingest.feeds
    add column tags            text[]      not null default '{}',
    add column note            text,
    add column language        text,
    add column min_interval    interval    check (min_interval >= interval '1 minute'),
    add column max_interval    interval    check (max_interval >= interval '1 minute'),
    add column read_pages      boolean     not null default true,
    add column verified_at     timestamptz,
    add column last_reason     text,
    add column recent_outcomes text[]      not null default '{}',
    add column rhythm          real[]      not null default '{}' check (cardinality(rhythm) in (0, 24)),
    add column rhythm_since    timestamptz,
    add column ttl             interval,
    add column skip_hours      smallint[]  not null default '{}',
    add column skip_days       smallint[]  not null default '{}',
    add column children        jsonb       not null default '{}',
    add check (min_interval <= max_interval);
create index feeds_tags on ingest.feeds using gin (tags);
create index entries_feed_seen on ingest.entries (feed_id, first_seen_at);
comment on column ingest.feeds.state is 'active; paused by a person; unverified: added with a list and not polled until its address was checked; gone when the server said so (410), then asked once a month.';
comment on column ingest.feeds.format is 'rss, rdf, atom, json or sitemap.';
comment on column ingest.feeds.tags is 'Words to group feeds by.';
comment on column ingest.feeds.note is 'What somebody wanted to remember about it.';
comment on column ingest.feeds.language is 'Language of its entries, where what the feed says of itself is wrong or missing; two-letter code.';
comment on column ingest.feeds.min_interval is 'Shortest time between polls, where it is not the settings''.';
comment on column ingest.feeds.max_interval is 'Longest time between polls, where it is not the settings''.';
comment on column ingest.feeds.read_pages is 'Whether the pages that its entries announce are fetched; else the entries'' own texts are used.';
comment on column ingest.feeds.verified_at is 'When its address was first seen to be a feed.';
comment on column ingest.feeds.last_reason is 'What the last poll''s trouble means, and what can be done about it.';
comment on column ingest.feeds.recent_outcomes is 'Outcome words of the last 20 polls, the newest last.';
comment on column ingest.feeds.rhythm is 'New entries by hour of the day (UTC), from 0 h on; a count loses half its weight in two weeks.';
comment on column ingest.feeds.rhythm_since is 'When counting them began.';
comment on column ingest.feeds.ttl is 'How long the feed says it stays fresh.';
comment on column ingest.feeds.skip_hours is 'Hours (GMT) in which the feed asks to be left alone.';
comment on column ingest.feeds.skip_days is 'Days of the week (GMT, 0 is Monday) on which the feed asks to be left alone.';
comment on column ingest.feeds.children is 'Of a sitemap index: the sitemaps that are read for it, each with its ETag and Last-Modified.';

-- Feeds that have answered well before are known to be feeds.
update ingest.feeds set verified_at = last_success_at where last_success_at is not null;
-- A feed that is gone is asked once a month; before, it was never asked again.
insert into ingest.work (stage, item_id, host, due_at)
select 'poll', feed_id, coalesce(substring(url from '^https?://([^/:]+)'), ''), last_polled_at + interval '30 days'
from ingest.feeds
where state = 'gone' and last_polled_at is not null
on conflict (stage, item_id) do nothing;
