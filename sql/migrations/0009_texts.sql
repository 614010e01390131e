-- What a text says of itself, and how it was read from its page.

alter table ingest.versions add column date_precision text check (date_precision in ('time', 'day'));
alter table ingest.versions add column site_name text;
alter table ingest.versions add column description text;
alter table ingest.versions add column dateline text;
alter table ingest.versions add column setting text check (setting in ('precise', 'wide', 'json-ld', 'entry'));
alter table ingest.versions add column extractor text;
alter table ingest.versions add column partial boolean not null default false;
comment on column ingest.versions.date_precision is 'time: published_at has a time of day; day: only the day was given, midnight UTC stands for it; empty: none was given, published_at is when we first saw it.';
comment on column ingest.versions.site_name is 'What the page calls its site.';
comment on column ingest.versions.description is 'The page''s own one-sentence summary, where it gives one.';
comment on column ingest.versions.dateline is 'Place, date and agency that the text begins with, such as "SEOUL, Oct 18 (Agency)"; they stand in the text, too.';
comment on column ingest.versions.setting is 'How the text was found: precise; wide, where that found too little; json-ld, the text that the page gives for search engines; entry, the feed''s own. Empty for texts from before this was kept.';
comment on column ingest.versions.extractor is 'Version of the extraction that read the page: older ones can be read again. Empty for texts from before this was kept.';
comment on column ingest.versions.partial is 'Whether the site shows only the beginning to those who don''t subscribe, and no longer text was to be had.';
