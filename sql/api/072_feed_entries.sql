-- view analysis.feed_entries
create or replace view analysis.feed_entries as
select e.feed_id, e.entry_id, e.first_seen_at, e.published_at, e.title, coalesce(e.language, f.language) as language,
       e.article_id, e.url, v.version_id is not null as has_text, a.last_outcome, a.last_problem
from ingest.entries e
join ingest.feeds f using (feed_id)
join ingest.articles a using (article_id)
left join lateral (
    select v.version_id from ingest.versions v where v.article_id = e.article_id limit 1
) v on true;

comment on view analysis.feed_entries is 'What the feeds brought: one row an item of a feed, with the article that it names and what became of that.';
comment on column analysis.feed_entries.feed_id is 'The feed.';
comment on column analysis.feed_entries.entry_id is 'Number of the item.';
comment on column analysis.feed_entries.first_seen_at is 'When a poll first brought it.';
comment on column analysis.feed_entries.published_at is 'When it was published, as the feed says.';
comment on column analysis.feed_entries.title is 'Its title in the feed.';
comment on column analysis.feed_entries.language is 'Its language, as the feed says.';
comment on column analysis.feed_entries.article_id is 'The article; several feeds may name one.';
comment on column analysis.feed_entries.url is 'The address that the feed gives.';
comment on column analysis.feed_entries.has_text is 'Whether we have a text of the article.';
comment on column analysis.feed_entries.last_outcome is 'How the last try to get the article''s text went, in a word.';
comment on column analysis.feed_entries.last_problem is 'What was wrong with it, in plain words.';
