-- view analysis.captures
create or replace view analysis.captures as
select c.capture_id, c.article_id, c.feed_id, v.version_id, c.captured_at, c.kind, c.url, c.final_url, c.status,
       encode(held.digest, 'hex') as sha256, held.size, held.warc_file, held.warc_offset, held.warc_length,
       held.expired_at is null as available, c.revisit_of
from ingest.captures c
join ingest.captures held on held.capture_id = coalesce(c.revisit_of, c.capture_id)
left join ingest.versions v on v.capture_id = held.capture_id;

comment on view analysis.captures is 'What proves a text: the server''s answer as the archive keeps it. One row an answer and text that was taken from its body; later answers that were the same body are rows too, and show how long it stood. `claimwatch archive get CAPTURE` prints the body.';
comment on column analysis.captures.capture_id is 'Number of the capture.';
comment on column analysis.captures.article_id is 'The article whose page it is; empty for a feed''s document.';
comment on column analysis.captures.feed_id is 'The feed whose document it is, for a text from a feed''s own entry.';
comment on column analysis.captures.version_id is 'The text that was taken from the body; empty where none was.';
comment on column analysis.captures.captured_at is 'When the server was asked.';
comment on column analysis.captures.kind is 'response: the whole answer; revisit: the body that we had already came again; not-modified: the server said that it had not changed; resource: the body alone, from before there was an archive.';
comment on column analysis.captures.url is 'The address that was asked.';
comment on column analysis.captures.final_url is 'The address that answered, where redirects led elsewhere.';
comment on column analysis.captures.status is 'HTTP status.';
comment on column analysis.captures.sha256 is 'SHA-256 of the body, in hexadecimal.';
comment on column analysis.captures.size is 'Bytes of the body.';
comment on column analysis.captures.warc_file is 'The WARC file with the body, below the archive''s folder.';
comment on column analysis.captures.warc_offset is 'Where in it the record begins, in bytes.';
comment on column analysis.captures.warc_length is 'Length of the record there.';
comment on column analysis.captures.available is 'Whether the record is still there; retention deletes records that no evidence rests on.';
comment on column analysis.captures.revisit_of is 'The capture that holds the body, for revisit and not-modified.';
