-- view analysis.stories
create or replace view analysis.stories as
select s.story_id, opening.title as first_title, opening.url as first_url, opening.publisher as first_publisher,
       s.first_seen_at, told.first_published_at, told.last_published_at, told.articles, told.publishers, told.families,
       told.languages, told.copies_only
from ingest.stories s
join lateral (
    select count(*) as articles, count(distinct a.publisher_id) as publishers, count(distinct pub.family) as families,
           array_agg(distinct v.language order by v.language) filter (where v.language is not null) as languages,
           min(v.published_at) as first_published_at, max(v.published_at) as last_published_at,
           coalesce(bool_and(a.story_relation <> 'rewrite'), true) as copies_only
    from ingest.articles a
    join ingest.publishers pub using (publisher_id)
    join lateral (
        select * from ingest.versions v where v.article_id = a.article_id order by v.version_id desc limit 1
    ) v on true
    where a.story_id = s.story_id
) told on told.articles > 0
join lateral (
    select v.title, a.url, pub.name as publisher
    from ingest.articles a
    join ingest.publishers pub using (publisher_id)
    join lateral (
        select * from ingest.versions v where v.article_id = a.article_id order by v.version_id desc limit 1
    ) v on true
    where a.story_id = s.story_id
    order by v.published_at, a.article_id
    limit 1
) opening on true;

comment on view analysis.stories is 'What was reported, each report once: copies, translations and rewrites of it are one story. A later development is another.';
comment on column analysis.stories.story_id is 'Number of the story.';
comment on column analysis.stories.first_title is 'Title of the article of the story that was published first.';
comment on column analysis.stories.first_url is 'Its address.';
comment on column analysis.stories.first_publisher is 'Who published it.';
comment on column analysis.stories.first_seen_at is 'When the story was founded here.';
comment on column analysis.stories.first_published_at is 'When its first article was published.';
comment on column analysis.stories.last_published_at is 'When its last article so far was published.';
comment on column analysis.stories.articles is 'How many articles tell it.';
comment on column analysis.stories.publishers is 'How many publishers those are of.';
comment on column analysis.stories.families is 'How many publisher families: independent voices.';
comment on column analysis.stories.languages is 'The languages that it was told in.';
comment on column analysis.stories.copies_only is 'Whether nobody told it in words of their own: one article, or one and its copies.';
