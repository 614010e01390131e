-- loaded --
-- Whether the origins of this lexicon are those in force.
select 1 as found from ingest.origins where lexicon_hash = %(lexicon_hash)s and retired_at is null limit 1

-- rename --
-- Makes room for the names of a lexicon: what is called otherwise now gives its name up first.
update ingest.origins o set name = o.origin_id || ' (' || o.name || ')'
from unnest(%(ids)s::text[], %(names)s::text[]) as g (origin_id, name)
where o.name = g.name and o.origin_id <> g.origin_id

-- put --
-- Adds the lexicon's origins or renews them.
insert into ingest.origins (origin_id, name, kind, country, lexicon_hash)
select g.origin_id, g.name, g.kind, g.country, %(lexicon_hash)s
from unnest(%(ids)s::text[], %(names)s::text[], %(kinds)s::text[], %(countries)s::text[])
     as g (origin_id, name, kind, country)
order by g.origin_id
on conflict (origin_id) do update
set name = excluded.name, kind = excluded.kind, country = excluded.country, lexicon_hash = excluded.lexicon_hash,
    retired_at = null

-- retire_others --
-- Origins that are no longer in the lexicon.
update ingest.origins set retired_at = %(now)s where retired_at is null and lexicon_hash <> %(lexicon_hash)s

-- store --
-- What was found in versions, one row a finding.
insert into ingest.version_origins (version_id, position, origin_id, sentence, how, strength)
select g.version_id, g.position, g.origin_id, g.sentence, g.how, g.strength
from unnest(%(versions)s::bigint[], %(positions)s::integer[], %(origins)s::text[], %(sentences)s::text[],
            %(hows)s::text[], %(strengths)s::real[]) as g (version_id, position, origin_id, sentence, how, strength)
on conflict do nothing

-- forget --
-- Findings of versions that are about to be looked at again.
delete from ingest.version_origins where version_id = any(%(versions)s)

-- to_renew --
-- The next versions after a number, with their texts and what their feed and publisher say.
select v.version_id, v.title, e.source, pub.name as publisher, pub.country, pub.kind,
       (select array_agg(ap.position order by ap.position)
        from ingest.appearances ap where ap.version_id = v.version_id and ap.position > 0) as positions,
       (select array_agg(p.text order by ap.position)
        from ingest.appearances ap join ingest.paragraphs p using (paragraph_id)
        where ap.version_id = v.version_id and ap.position > 0) as texts
from ingest.versions v
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
left join lateral (
    select source from ingest.entries e where e.article_id = a.article_id order by e.entry_id limit 1
) e on true
where v.version_id > %(after)s
order by v.version_id
limit %(batch)s

-- lock --
-- One process at a time brings a lexicon in.
select pg_advisory_xact_lock(hashtext('ingest.origins'))
