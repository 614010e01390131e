-- view analysis.paragraphs
create or replace view analysis.paragraphs as
select p.paragraph_id, p.text, v.language, ap.kind, ap.position, a.article_id, v.version_id, v.title, a.url,
       pub.name as publisher, v.published_at, a.story_id
from ingest.paragraphs p
join ingest.appearances ap using (paragraph_id)
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id);

comment on view analysis.paragraphs is 'Every paragraph where it stands: one row an appearance, so a wire story''s paragraph has one row a paper, under one paragraph_id.';
comment on column analysis.paragraphs.paragraph_id is 'Number of the text; copies share it.';
comment on column analysis.paragraphs.text is 'The text.';
comment on column analysis.paragraphs.language is 'Language, two letters.';
comment on column analysis.paragraphs.kind is 'title or body.';
comment on column analysis.paragraphs.position is 'Place in the article; 0 is the title.';
comment on column analysis.paragraphs.article_id is 'The article it stands in.';
comment on column analysis.paragraphs.version_id is 'The version of that article.';
comment on column analysis.paragraphs.title is 'That article''s title.';
comment on column analysis.paragraphs.url is 'Its address.';
comment on column analysis.paragraphs.publisher is 'Who published it.';
comment on column analysis.paragraphs.published_at is 'When.';
comment on column analysis.paragraphs.story_id is 'Copies and rewrites of one report share it.';
