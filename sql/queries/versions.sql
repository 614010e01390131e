-- before --
-- The paragraphs of an article's text before this one, from the same source.
select before.version_id, ap.position, p.text
from (
    select version_id
    from ingest.versions
    where article_id = %(article_id)s and source = %(source)s and version_id < %(version_id)s
    order by version_id desc
    limit 1
) before
left join ingest.appearances ap using (version_id)
left join ingest.paragraphs p using (paragraph_id)
order by ap.position

-- add_changes --
-- What a text has that the one before it had not, and the other way round.
insert into ingest.version_changes (version_id, number, kind, before_id, before_position, after_position)
select %(version_id)s, number, kind, %(before_id)s, before_position, after_position
from unnest(%(kinds)s::text[], %(befores)s::integer[], %(afters)s::integer[])
     with ordinality as g (kind, before_position, after_position, number)

-- article --
-- An article by its number or address.
select a.article_id, a.url, a.first_seen_at, a.last_outcome, a.last_problem, pub.name as publisher
from ingest.articles a join ingest.publishers pub using (publisher_id)
where a.article_id = %(article_id)s or a.url = any(%(urls)s)

-- list --
-- The texts of an article, oldest first, with how many paragraphs each changed.
select v.version_id, v.known_at, v.source, v.reextracted, v.title, v.capture_id,
       (select count(*) from ingest.appearances ap where ap.version_id = v.version_id and ap.position > 0) as paragraphs,
       ch.added, ch.removed, ch.changed
from ingest.versions v
cross join lateral (
    select count(*) filter (where kind = 'added') as added, count(*) filter (where kind = 'removed') as removed,
           count(*) filter (where kind = 'changed') as changed
    from ingest.version_changes
    where version_id = v.version_id
) ch
where v.article_id = %(article_id)s
order by v.version_id

-- changes --
-- What changed between the texts of an article, in reading order.
select version_id, kind, text_before, text_after
from analysis.version_changes
where article_id = %(article_id)s
order by version_id, number
