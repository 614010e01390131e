-- Backfills: what was fetched or archived elsewhere before, brought in from lists of addresses, sitemaps and WARC files.

create table ingest.backfills (
    backfill_id  bigint generated always as identity primary key,
    kind         text        not null check (kind in ('urls', 'sitemap', 'warc')),
    source       text        not null,
    options      jsonb       not null,
    publisher_id bigint      references ingest.publishers,
    request_key  text        unique,
    state        text        not null default 'listing' check (state in ('listing', 'running', 'done', 'failed')),
    problem      text,
    added_at     timestamptz not null,
    finished_at  timestamptz
);
create index backfills_publisher on ingest.backfills (publisher_id);
comment on table ingest.backfills is 'Backfills: older material that was asked for once, beside the feeds.';
comment on column ingest.backfills.backfill_id is 'Number of the backfill.';
comment on column ingest.backfills.kind is 'urls: a list of addresses; sitemap: a site''s list of its pages; warc: files of a web archive.';
comment on column ingest.backfills.source is 'The file, folder, pattern, manifest or address that it was started with.';
comment on column ingest.backfills.options is 'Its filters: languages, terms, since, until, limit; and base, against which a manifest''s lines are read.';
comment on column ingest.backfills.publisher_id is 'The publisher of all its articles, where one was named; else each is found by the article''s site.';
comment on column ingest.backfills.request_key is 'Who asked, where asking twice has to mean the same backfill: the run of the DAG.';
comment on column ingest.backfills.state is 'listing: its files are being looked up; running; done; failed when a file could not be read to its end.';
comment on column ingest.backfills.problem is 'Why it failed, in plain words.';
comment on column ingest.backfills.added_at is 'When it was asked for.';
comment on column ingest.backfills.finished_at is 'When its last file was done.';

create table ingest.backfill_files (
    file_id     bigint generated always as identity primary key,
    backfill_id bigint      not null references ingest.backfills on delete cascade,
    position    integer     not null,
    location    text        not null,
    state       text        not null default 'waiting' check (state in ('waiting', 'done', 'limited', 'failed')),
    byte_offset bigint      not null default 0,
    skip        integer     not null default 0,
    validator   text,
    size        bigint,
    records     bigint      not null default 0,
    outcomes    jsonb       not null default '{}',
    problem     text,
    started_at  timestamptz,
    stored_at   timestamptz,
    finished_at timestamptz,
    unique (backfill_id, location)
);
comment on table ingest.backfill_files is 'The files of a backfill and how far each has been read. A killed run goes on from there.';
comment on column ingest.backfill_files.file_id is 'Number of the file.';
comment on column ingest.backfill_files.backfill_id is 'The backfill.';
comment on column ingest.backfill_files.position is 'Its place in the list, counted from 1.';
comment on column ingest.backfill_files.location is 'Path or address.';
comment on column ingest.backfill_files.state is 'waiting: not read to its end; done; limited: not read further because the limit was reached; failed: see problem.';
comment on column ingest.backfill_files.byte_offset is 'Where to go on: bytes into the file as it is stored.';
comment on column ingest.backfill_files.skip is 'Records to pass over from there, where one compressed block holds several.';
comment on column ingest.backfill_files.validator is 'ETag or date of a file on a server: it must be the same file when it is read on.';
comment on column ingest.backfill_files.size is 'Its size in bytes, where it is known.';
comment on column ingest.backfill_files.records is 'Records, lines or pages read so far. The counts in outcomes add up to it.';
comment on column ingest.backfill_files.outcomes is 'Outcome word to number of records; see docs/backfill.md.';
comment on column ingest.backfill_files.problem is 'Why it could not be read to its end, in plain words.';
comment on column ingest.backfill_files.started_at is 'When reading began.';
comment on column ingest.backfill_files.stored_at is 'When records were stored last.';
comment on column ingest.backfill_files.finished_at is 'When it was done.';

create table ingest.backfill_articles (
    backfill_id  bigint      not null references ingest.backfills on delete cascade,
    article_id   bigint      not null references ingest.articles on delete cascade,
    file_id      bigint      not null references ingest.backfill_files on delete cascade,
    byte_offset  bigint,
    brought      boolean     not null,
    title        text,
    language     text,
    published_at timestamptz,
    primary key (backfill_id, article_id)
);
create index backfill_articles_article on ingest.backfill_articles (article_id);
create index backfill_articles_file on ingest.backfill_articles (file_id);
comment on table ingest.backfill_articles is 'Which articles a backfill named, and what its source says of them.';
comment on column ingest.backfill_articles.backfill_id is 'The backfill.';
comment on column ingest.backfill_articles.article_id is 'The article.';
comment on column ingest.backfill_articles.file_id is 'The file that holds it.';
comment on column ingest.backfill_articles.byte_offset is 'Where its record begins in a WARC file: bytes into the file as it is stored.';
comment on column ingest.backfill_articles.brought is 'Whether the backfill was the first to show it; else it was known before.';
comment on column ingest.backfill_articles.title is 'Title that a sitemap gives it.';
comment on column ingest.backfill_articles.language is 'Language that a sitemap gives it, two letters.';
comment on column ingest.backfill_articles.published_at is 'The date in the sitemap, or when the archive''s crawler had the page: stands in where the page names no date.';

create table ingest.backfill_problems (
    problem_id  bigint generated always as identity primary key,
    file_id     bigint not null references ingest.backfill_files on delete cascade,
    record      bigint not null,
    byte_offset bigint,
    url         text,
    outcome     text   not null,
    problem     text   not null
);
create index backfill_problems_file on ingest.backfill_problems (file_id);
comment on table ingest.backfill_problems is 'Records that could not be used although they should have been: damaged ones, bad addresses. The first thousand a file.';
comment on column ingest.backfill_problems.problem_id is 'Number of the row.';
comment on column ingest.backfill_problems.file_id is 'The file.';
comment on column ingest.backfill_problems.record is 'Which record or line of it, counted from 1.';
comment on column ingest.backfill_problems.byte_offset is 'Where it begins: bytes into the file as it is stored.';
comment on column ingest.backfill_problems.url is 'Its address, as far as one could be read.';
comment on column ingest.backfill_problems.outcome is 'Outcome word.';
comment on column ingest.backfill_problems.problem is 'The same in plain words.';

comment on column ingest.articles.publisher_id is 'The publisher of the feed that brought it first; of a backfill''s article, the one of its site.';
comment on column ingest.articles.first_seen_at is 'When a feed or a backfill first showed it to us.';
