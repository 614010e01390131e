-- view analysis.articles
create or replace view analysis.articles as
select a.article_id, v.version_id, v.title, a.url, pub.name as publisher, pub.family, pub.country, pub.kind as publisher_kind,
       v.language, v.author, v.published_at, a.first_seen_at, v.source as text_source, a.story_id,
       (select count(*) from ingest.versions o where o.article_id = a.article_id) as versions,
       v.date_precision, v.site_name, v.description, v.dateline, v.partial
from ingest.articles a
join ingest.publishers pub using (publisher_id)
join lateral (
    select * from ingest.versions v where v.article_id = a.article_id order by v.version_id desc limit 1
) v on true;

comment on view analysis.articles is 'Every article whose text we have, in its latest version.';
comment on column analysis.articles.article_id is 'Number of the article.';
comment on column analysis.articles.version_id is 'Number of its latest text.';
comment on column analysis.articles.title is 'Title.';
comment on column analysis.articles.url is 'Address.';
comment on column analysis.articles.publisher is 'Who published it.';
comment on column analysis.articles.family is 'The publisher''s owner; count these to count independent voices.';
comment on column analysis.articles.country is 'The publisher''s country, two letters.';
comment on column analysis.articles.publisher_kind is 'wire, newspaper, broadcaster, state, blog, think-tank or other.';
comment on column analysis.articles.language is 'Language of the text, two letters.';
comment on column analysis.articles.author is 'Author, where one is named.';
comment on column analysis.articles.published_at is 'When it was published, as it says; when we first saw it where it does not say or names the future.';
comment on column analysis.articles.first_seen_at is 'When a feed first showed it to us.';
comment on column analysis.articles.text_source is 'page, or entry where only the feed''s own text could be had.';
comment on column analysis.articles.story_id is 'Articles with one number are copies or rewrites of one report.';
comment on column analysis.articles.versions is 'How many different texts it has had.';
comment on column analysis.articles.date_precision is 'time, day where the page names only the day, or empty where it names none.';
comment on column analysis.articles.site_name is 'What the page calls its site.';
comment on column analysis.articles.description is 'The page''s own summary, where it gives one.';
comment on column analysis.articles.dateline is 'Place, date and agency that the text begins with.';
comment on column analysis.articles.partial is 'Whether only the beginning of the text could be had, because the site shows no more without a subscription.';
