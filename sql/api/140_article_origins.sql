-- view analysis.article_origins
create or replace view analysis.article_origins as
select a.article_id, vo.position, o.name as origin, o.kind, o.country, vo.how, vo.sentence, v.title, a.url,
       pub.name as publisher, v.language, v.published_at, a.story_id, v.version_id, o.origin_id
from ingest.version_origins vo
join ingest.origins o using (origin_id)
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
where v.version_id = (select max(l.version_id) from ingest.versions l where l.article_id = a.article_id);

comment on view analysis.article_origins is 'Whom each article rests on, in its latest version: one row for the article''s main origin (position empty), and one for each origin of a paragraph.';
comment on column analysis.article_origins.article_id is 'The article.';
comment on column analysis.article_origins.position is 'The paragraph; 0 is the title, empty stands for the whole article.';
comment on column analysis.article_origins.origin is 'The authority.';
comment on column analysis.article_origins.kind is 'intelligence, military, government, organisation, state-media, wire, media, think-tank, analysis, witness, document or own.';
comment on column analysis.article_origins.country is 'The authority''s country.';
comment on column analysis.article_origins.how is 'cue: said, according to; headline; dateline; source: the feed''s source field or the publisher; inherited: the paragraph cites nobody, so the main origin stands for it.';
comment on column analysis.article_origins.sentence is 'The sentence that names it.';
comment on column analysis.article_origins.title is 'The article''s title.';
comment on column analysis.article_origins.url is 'Its address.';
comment on column analysis.article_origins.publisher is 'Who published it.';
comment on column analysis.article_origins.language is 'Its language.';
comment on column analysis.article_origins.published_at is 'When.';
comment on column analysis.article_origins.story_id is 'Copies of one report share it.';
comment on column analysis.article_origins.version_id is 'Number of the text.';
comment on column analysis.article_origins.origin_id is 'Short name of the origin.';
