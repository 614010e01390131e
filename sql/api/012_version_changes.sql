-- view analysis.version_changes
create or replace view analysis.version_changes as
select a.article_id, ch.version_id, ch.number, v.known_at as changed_at, case when v.reextracted then 'us' else 'publisher' end as made_by,
       ch.kind, coalesce(ch.after_position, ch.before_position) as position, before.text as text_before,
       after.text as text_after, v.title, a.url, pub.name as publisher, ch.before_id as version_before
from ingest.version_changes ch
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
left join ingest.appearances stood on stood.version_id = ch.before_id and stood.position = ch.before_position
left join ingest.paragraphs before on before.paragraph_id = stood.paragraph_id
left join ingest.appearances stands on stands.version_id = ch.version_id and stands.position = ch.after_position
left join ingest.paragraphs after on after.paragraph_id = stands.paragraph_id;

comment on view analysis.version_changes is 'What was changed in articles after we had read them first: one row a paragraph that a later text added, removed or reworded.';
comment on column analysis.version_changes.article_id is 'Number of the article.';
comment on column analysis.version_changes.version_id is 'Number of the later text.';
comment on column analysis.version_changes.number is 'The change''s number in that text, in reading order.';
comment on column analysis.version_changes.changed_at is 'When we saw the later text.';
comment on column analysis.version_changes.made_by is 'publisher; or us, where the page is the same and only our reading of it is new.';
comment on column analysis.version_changes.kind is 'added, removed, or changed.';
comment on column analysis.version_changes.position is 'Place in the later text, or, for what was removed, in the one before; 0 is the title.';
comment on column analysis.version_changes.text_before is 'What stood there; empty for what was added.';
comment on column analysis.version_changes.text_after is 'What stands there now; empty for what was removed.';
comment on column analysis.version_changes.title is 'Title of the later text.';
comment on column analysis.version_changes.url is 'Address of the article.';
comment on column analysis.version_changes.publisher is 'Who published it.';
comment on column analysis.version_changes.version_before is 'Number of the text before, from the same source.';
