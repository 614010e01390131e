-- view analysis.versions
create or replace view analysis.versions as
select v.article_id, v.version_id,
       (select count(*) from ingest.versions e where e.article_id = v.article_id and e.version_id <= v.version_id) as number,
       not exists (select from ingest.versions l where l.article_id = v.article_id and l.version_id > v.version_id) as latest,
       v.title, pub.name as publisher, a.url, v.language, v.published_at, v.known_at, v.source as text_source,
       case when v.reextracted then 'us' else 'publisher' end as made_by,
       (select count(*) from ingest.version_changes ch where ch.version_id = v.version_id) as changes,
       (select count(*) from ingest.appearances ap where ap.version_id = v.version_id and ap.kind = 'body') as paragraphs,
       v.author, v.partial, v.capture_id, a.story_id
from ingest.versions v
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id);

comment on view analysis.versions is 'Every text that an article has had: one row a text, the first as it was published, then each that we found changed. What changed stands in analysis.version_changes, the text itself in analysis.article_text.';
comment on column analysis.versions.article_id is 'Number of the article.';
comment on column analysis.versions.version_id is 'Number of the text.';
comment on column analysis.versions.number is 'Which of the article''s texts it is, counted from 1.';
comment on column analysis.versions.latest is 'Whether it is the one that stands now.';
comment on column analysis.versions.title is 'Title.';
comment on column analysis.versions.publisher is 'Who published it.';
comment on column analysis.versions.url is 'Address of the article.';
comment on column analysis.versions.language is 'Language of the text, two letters.';
comment on column analysis.versions.published_at is 'When the article was published, as this text says.';
comment on column analysis.versions.known_at is 'When we had the text.';
comment on column analysis.versions.text_source is 'page, or entry where only the feed''s own text could be had.';
comment on column analysis.versions.made_by is 'publisher; or us, where the page is the same as before and only our reading of it is new.';
comment on column analysis.versions.changes is 'Paragraphs that were added, removed or reworded since the text before; 0 for the first.';
comment on column analysis.versions.paragraphs is 'Paragraphs below the title.';
comment on column analysis.versions.author is 'Author, where one is named.';
comment on column analysis.versions.partial is 'Whether only the beginning could be had, because the site shows no more without a subscription.';
comment on column analysis.versions.capture_id is 'The archived answer that it was read from, in analysis.captures.';
comment on column analysis.versions.story_id is 'Copies and rewrites of one report share it.';
