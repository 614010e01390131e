-- What was fetched is kept in WARC files; the database says where. And what changed between an article's texts.

create table ingest.captures (
    capture_id   bigint generated always as identity primary key,
    article_id   bigint      references ingest.articles on delete cascade,
    feed_id      bigint      references ingest.feeds on delete cascade,
    kind         text        not null check (kind in ('response', 'resource', 'revisit', 'not-modified')),
    captured_at  timestamptz not null,
    url          text        not null,
    final_url    text        not null,
    status       integer,
    content_type text,
    digest       bytea,
    size         bigint,
    revisit_of   bigint      references ingest.captures on delete set null,
    warc_file    text        not null,
    warc_offset  bigint      not null,
    warc_length  bigint      not null,
    expired_at   timestamptz,
    check (num_nonnulls(article_id, feed_id) = 1)
);
create index captures_article on ingest.captures (article_id, capture_id);
create index captures_feed on ingest.captures (feed_id);
create index captures_original on ingest.captures (revisit_of);
create index captures_file on ingest.captures (warc_file);
comment on table ingest.captures is 'What servers answered, one row an answer: which record of which WARC file has it. The record is on disk before its row is stored.';
comment on column ingest.captures.capture_id is 'Number of the capture.';
comment on column ingest.captures.article_id is 'The article whose page it is.';
comment on column ingest.captures.feed_id is 'The feed whose document it is.';
comment on column ingest.captures.kind is 'response: the whole answer; revisit: the server sent the body that we have already; not-modified: it said so (304); resource: the body alone, fetched before there was an archive.';
comment on column ingest.captures.captured_at is 'When the server was asked (WARC-Date).';
comment on column ingest.captures.url is 'The address that was asked.';
comment on column ingest.captures.final_url is 'The address that answered, where redirects led elsewhere.';
comment on column ingest.captures.status is 'HTTP status; empty for a resource.';
comment on column ingest.captures.content_type is 'Content-Type as sent.';
comment on column ingest.captures.digest is 'SHA-256 of the body; empty where none was sent.';
comment on column ingest.captures.size is 'Bytes of the body, decompressed.';
comment on column ingest.captures.revisit_of is 'The capture that holds the body.';
comment on column ingest.captures.warc_file is 'The WARC file, below the archive''s folder.';
comment on column ingest.captures.warc_offset is 'Where in the file the record begins, in bytes.';
comment on column ingest.captures.warc_length is 'Length of the record in the file, in bytes.';
comment on column ingest.captures.expired_at is 'When retention deleted the record; empty while it is there.';

alter table ingest.pages add column capture_id bigint references ingest.captures on delete set null;
alter table ingest.pages add column checked_at timestamptz;
alter table ingest.pages add column extractor text;
create index pages_capture on ingest.pages (capture_id);
create index pages_to_archive on ingest.pages (page_id) where body is not null;
update ingest.pages p set checked_at = fetched_at,
    extractor = case when exists (select from ingest.versions v where v.article_id = p.article_id)
                      and not exists (select from ingest.work w where w.stage = 'extract' and w.item_id = p.article_id)
                     then 'an earlier one' end;
comment on column ingest.pages.body is 'The body, compressed with zlib, until `claimwatch maintain` has moved it to the archive; new ones go there at once.';
comment on column ingest.pages.capture_id is 'The capture that holds the body.';
comment on column ingest.pages.checked_at is 'When the server was last asked for it, changed or not.';
comment on column ingest.pages.extractor is 'What read this body last; empty while nothing has.';

alter table ingest.entries add column capture_id bigint references ingest.captures on delete set null;
create index entries_capture on ingest.entries (capture_id);
comment on column ingest.entries.capture_id is 'The capture of the feed''s document in which it came.';

alter table ingest.versions add column capture_id bigint references ingest.captures on delete set null;
alter table ingest.versions add column reextracted boolean not null default false;
create index versions_capture on ingest.versions (capture_id);
comment on column ingest.versions.capture_id is 'The capture that the text was taken from: the page''s, or the feed''s for a text from its entry.';
comment on column ingest.versions.reextracted is 'Whether the page is the one of an earlier text and only our reading of it is new: no edit by the publisher.';

alter table ingest.work add column again boolean not null default false;
comment on column ingest.work.again is 'Whether it was done before and is only looked at again: such work waits until nothing new is due.';
create index work_turn on ingest.work (stage, again, due_at, item_id);
create index work_turn_of_host on ingest.work (stage, host, again, due_at, item_id);
drop index ingest.work_due;
drop index ingest.work_host;

create table ingest.version_changes (
    version_id      bigint  not null references ingest.versions on delete cascade,
    number          integer not null,
    kind            text    not null check (kind in ('added', 'removed', 'changed')),
    before_id       bigint  not null references ingest.versions on delete cascade,
    before_position integer,
    after_position  integer,
    primary key (version_id, number),
    check ((before_position is null) = (kind = 'added') and (after_position is null) = (kind = 'removed'))
);
create index version_changes_before on ingest.version_changes (before_id);
comment on table ingest.version_changes is 'What an article''s text has that the one before it had not, paragraph by paragraph, and the other way round.';
comment on column ingest.version_changes.version_id is 'The later text.';
comment on column ingest.version_changes.number is 'The change''s number, in reading order.';
comment on column ingest.version_changes.kind is 'added, removed, or changed: another wording in the place of one.';
comment on column ingest.version_changes.before_id is 'The text before it, from the same source.';
comment on column ingest.version_changes.before_position is 'The paragraph''s place in the text before; 0 is the title, empty for one that was added.';
comment on column ingest.version_changes.after_position is 'Its place in the later text; empty for one that was removed.';

-- The texts that there are already, without finding out which paragraph took which one's place.
insert into ingest.version_changes (version_id, number, kind, before_id, before_position, after_position)
select version_id, row_number() over (partition by version_id order by position, kind desc), kind, before_id,
       case kind when 'removed' then position end, case kind when 'added' then position end
from (
    select v.version_id, v.before_id, 'added' as kind, ap.position
    from (
        select version_id, lag(version_id) over (partition by article_id, source order by version_id) as before_id
        from ingest.versions
    ) v
    join ingest.appearances ap using (version_id)
    where v.before_id is not null
      and not exists (select from ingest.appearances o where o.version_id = v.before_id and o.paragraph_id = ap.paragraph_id)
    union all
    select v.version_id, v.before_id, 'removed', ap.position
    from (
        select version_id, lag(version_id) over (partition by article_id, source order by version_id) as before_id
        from ingest.versions
    ) v
    join ingest.appearances ap on ap.version_id = v.before_id
    where not exists (select from ingest.appearances o where o.version_id = v.version_id and o.paragraph_id = ap.paragraph_id)
) changes;
