-- Stories: a stage of its own groups articles, by bounded look-ups.

alter table ingest.work drop constraint work_stage_check;
alter table ingest.work add constraint work_stage_check
    check (stage in ('poll', 'fetch', 'extract', 'embed', 'group', 'match', 'track', 'notify'));
comment on column ingest.work.item_id is 'Feed for poll; article for fetch, extract and group; paragraph for embed and match; match for track; alert for notify.';

comment on table ingest.stories is 'Copies, translations and rewrites of one report. A later development is another story.';

alter table ingest.articles add column story_relation text check (story_relation in ('first', 'copy', 'rewrite'));
alter table ingest.articles add column story_similarity real;
comment on column ingest.articles.story_id is 'The story that it tells; set once, when its first text was grouped.';
comment on column ingest.articles.story_relation is 'What it is in its story: first, copy (the same text, or most of it) or rewrite (the same report in other words or another language).';
comment on column ingest.articles.story_similarity is 'For a copy the share of its text that is the same, for a rewrite the probability that it tells the same; empty for the first, and for those that were grouped before 0.2.';

-- Until now only copies were grouped.
update ingest.articles a
set story_relation = case when a.article_id = s.first_id then 'first' else 'copy' end
from (select story_id, min(article_id) as first_id from ingest.articles where story_id is not null group by story_id) s
where s.story_id = a.story_id;

create table ingest.story_sketches (
    article_id    bigint      primary key references ingest.articles on delete cascade,
    version_id    bigint      not null references ingest.versions on delete cascade,
    signature     bytea       not null,
    shingles      integer     not null,
    names         text[]      not null,
    figures       text[]      not null
);
create index story_sketches_version on ingest.story_sketches (version_id);
comment on table ingest.story_sketches is 'What grouping keeps of an article, so that later ones can be compared with it.';
comment on column ingest.story_sketches.article_id is 'The article.';
comment on column ingest.story_sketches.version_id is 'The text that was grouped.';
comment on column ingest.story_sketches.signature is 'MinHash of the text: 128 numbers of four bytes.';
comment on column ingest.story_sketches.shingles is 'How many different runs of words (or characters) the text has.';
comment on column ingest.story_sketches.names is 'Words of its beginning that look like names.';
comment on column ingest.story_sketches.figures is 'Figures of its beginning, written out.';

create table ingest.story_bands (
    band          bigint      not null,
    article_id    bigint      not null references ingest.articles on delete cascade,
    primary key (band, article_id)
);
create index story_bands_article on ingest.story_bands (article_id);
comment on table ingest.story_bands is 'Finds near-identical texts: articles that share a band may be copies of each other.';
comment on column ingest.story_bands.band is 'Hash of one part of a MinHash.';
comment on column ingest.story_bands.article_id is 'The article.';

-- The latest appearances of a paragraph, however many there are of a boilerplate text, are a few steps in an index.
create index appearances_paragraph_version on ingest.appearances (paragraph_id, version_id);
drop index ingest.appearances_paragraph;

-- What is there already: it gets its sketch, and its story where it has none.
insert into ingest.work (stage, item_id, due_at)
select 'group', a.article_id, now()
from ingest.articles a
where exists (select from ingest.versions v where v.article_id = a.article_id);
