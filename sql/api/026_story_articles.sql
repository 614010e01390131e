-- view analysis.story_articles
create or replace view analysis.story_articles as
select a.story_id, a.article_id, a.story_relation as relation, a.story_similarity as similarity, v.title,
       pub.name as publisher, pub.family, v.language, v.published_at, a.first_seen_at, a.url, pub.country,
       pub.kind as publisher_kind,
       (select o.name from ingest.version_origins vo join ingest.origins o using (origin_id)
        where vo.version_id = v.version_id and vo.position is null order by vo.strength desc, o.name limit 1) as origin,
       v.version_id
from ingest.articles a
join ingest.publishers pub using (publisher_id)
join lateral (
    select * from ingest.versions v where v.article_id = a.article_id order by v.version_id desc limit 1
) v on true
where a.story_id is not null;

comment on view analysis.story_articles is 'Which articles tell a story, and what each is in it.';
comment on column analysis.story_articles.story_id is 'The story.';
comment on column analysis.story_articles.article_id is 'The article.';
comment on column analysis.story_articles.relation is 'first: the first that came to us; copy: the same text, or most of it; rewrite: the same report in other words or another language.';
comment on column analysis.story_articles.similarity is 'For a copy the share of its text that is the same, for a rewrite the probability that it tells the same; empty for the first.';
comment on column analysis.story_articles.title is 'Title.';
comment on column analysis.story_articles.publisher is 'Who published it.';
comment on column analysis.story_articles.family is 'The publisher''s owner.';
comment on column analysis.story_articles.language is 'Language, two letters.';
comment on column analysis.story_articles.published_at is 'When it was published.';
comment on column analysis.story_articles.first_seen_at is 'When a feed first showed it to us.';
comment on column analysis.story_articles.url is 'Address.';
comment on column analysis.story_articles.country is 'The publisher''s country.';
comment on column analysis.story_articles.publisher_kind is 'wire, newspaper, broadcaster, state, blog, think-tank or other.';
comment on column analysis.story_articles.origin is 'The authority that the article mainly rests on; empty where it names none.';
comment on column analysis.story_articles.version_id is 'Number of its latest text.';
