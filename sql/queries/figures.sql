-- context --
-- The text in which a story tells a match's paragraph first, whole, with what its feed and publisher say.
select v.version_id, v.article_id, v.title, v.language, v.published_at, v.reextracted, e.source, pub.name as publisher, pub.country,
       pub.kind, ap.position, m.claim_id, m.paragraph_id, cv.definition -> 'figures' as claimed,
       cv.definition -> 'roles' as roles,
       (select array_agg(body.position order by body.position)
        from ingest.appearances body where body.version_id = v.version_id and body.position > 0) as positions,
       (select array_agg(p.text order by body.position)
        from ingest.appearances body join ingest.paragraphs p using (paragraph_id)
        where body.version_id = v.version_id and body.position > 0) as texts
from ingest.matches m
join ingest.claim_versions cv using (claim_version_id)
join ingest.appearances ap using (paragraph_id)
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
left join lateral (
    select source from ingest.entries e where e.article_id = a.article_id order by e.entry_id limit 1
) e on true
where m.match_id = %(match_id)s and a.story_id = %(story_id)s
order by v.published_at, v.version_id
limit 1

-- add --
-- A figure; one that is there already brings no row.
insert into ingest.figures (claim_id, paragraph_id, version_id, role, unit, low, high, modality, denied, increment,
                            earlier, origin_id, as_of, begins, ends, span, known_at)
values (%(claim_id)s, %(paragraph_id)s, %(version_id)s, %(role)s, %(unit)s, %(low)s, %(high)s, %(modality)s, %(denied)s,
        %(increment)s, %(earlier)s, %(origin_id)s, %(as_of)s, %(begins)s, %(ends)s, %(span)s, %(now)s)
on conflict do nothing
returning figure_id

-- forget --
-- Figures of a paragraph in a text that it is no longer read to have, by newer rules for instance.
delete from ingest.figures f
where f.claim_id = %(claim_id)s and f.version_id = %(version_id)s and f.paragraph_id = %(paragraph_id)s
  and not exists (
      select
      from unnest(%(roles)s::text[], %(begins)s::integer[], %(origins)s::text[], %(lows)s::numeric[],
                  %(highs)s::numeric[], %(modalities)s::text[]) as now (role, begins, origin_id, low, high, modality)
      where (now.role, now.begins, now.low, now.high, now.modality) = (f.role, f.begins, f.low, f.high, f.modality)
        and now.origin_id is not distinct from f.origin_id)

-- known --
-- A claim's totals of one role in evidence that stands, read before one of them.
select f.low::float8, f.high::float8, f.modality, f.as_of, coalesce(f.origin_id, '') as authority, coalesce(o.name, '') as name,
       coalesce(o.kind, '') as kind
from ingest.figures f
left join ingest.origins o using (origin_id)
where f.claim_id = %(claim_id)s and f.role = %(role)s and not f.denied and not f.increment and not f.earlier
  and f.corrected_at is null and f.figure_id < %(figure_id)s
  and exists (select from ingest.matches m
              where m.claim_id = f.claim_id and m.paragraph_id = f.paragraph_id and m.tier = 'accepted'
                and m.superseded_at is null)
order by f.as_of, f.figure_id

-- authority --
-- Name and kind of origins.
select origin_id, name, kind from ingest.origins where origin_id = any(%(ids)s)

-- replaced --
-- Figures of an article's earlier texts whose paragraph this text no longer has.
select f.figure_id, f.role, f.low::float8, f.high::float8, f.modality, f.as_of, coalesce(f.origin_id, '') as authority,
       coalesce(o.name, '') as name, coalesce(o.kind, '') as kind
from ingest.figures f
join ingest.versions v using (version_id)
left join ingest.origins o using (origin_id)
where f.claim_id = %(claim_id)s and v.article_id = %(article_id)s and v.version_id < %(version_id)s
  and f.corrected_at is null and not f.denied and not f.increment and not f.earlier
  and not exists (select from ingest.appearances still
                  where still.version_id = %(version_id)s and still.paragraph_id = f.paragraph_id)
order by f.figure_id

-- correct --
-- The one figure puts the other right.
with corrected as (
    update ingest.figures set corrected_at = %(now)s where figure_id = %(old)s returning figure_id
)
update ingest.figures f set corrects = corrected.figure_id from corrected where f.figure_id = %(new)s

-- shown --
-- The ledger of a claim, as the command shows it.
select role, low, high, modality, authority, authority_kind, as_of, denied, increment, earlier, first_reported_at, known_at, articles,
       families, publisher, quote, url, story_id, revises_low, revises_high, corrected_at
from analysis.figures
where claim_id = %(claim_id)s and (%(role)s::text is null or role = %(role)s)
  and as_of <= %(as_of)s and known_at <= %(known_at)s
order by role, as_of, first_reported_at, authority nulls last, low

-- ranges --
-- What a claim's figures say at a moment, by role.
select r.*
from unnest(%(roles)s::text[]) as role
cross join lateral analysis.figure_range(%(claim_id)s, role, %(as_of)s, %(known_at)s) r
