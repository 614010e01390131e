-- claim --
-- A claim and how it stands.
select c.claim_id, c.topic, c.statement, c.version, c.retired_at, s.state, s.stories, s.articles, s.publishers, s.families,
       s.origins, s.supports, s.refutes, s.updates, s.first_at, s.last_at, s.last_event, s.last_event_at, s.last_reason
from analysis.claims c
cross join lateral analysis.claim_state(c.claim_id, %(as_of)s::timestamptz, %(known_at)s::timestamptz) s
where c.claim_id = %(claim)s

-- evidence --
-- Stories that bear on a claim, the latest first: accepted ones where no tier is named. A story passes by a language, a
-- country or a family where one of its articles has it. `total` counts all pages. No `most`: every row.
with shown as (
    select e.*, count(*) over () as total
    from analysis.evidence e
    where e.claim_id = %(claim)s and e.tier = coalesce(%(tier)s::text, 'accepted')
      and coalesce(e.first_at, e.published_at) >= coalesce(%(since)s::timestamptz, '-infinity')
      and coalesce(e.first_at, e.published_at) < coalesce(%(until)s::timestamptz, 'infinity')
      and (%(stance)s::text is null or e.stance = %(stance)s::text)
      and (%(lang)s::text is null or %(lang)s::text = any (e.languages || e.language))
      and (%(country)s::text is null or %(country)s::text = any (e.countries || e.country))
      and (%(origin)s::text is null or %(origin)s::text = any (e.origins))
      and (%(family)s::text is null or %(family)s::text = any (e.family_names || e.family))
    order by coalesce(e.first_at, e.published_at) desc, e.story_id desc
    limit %(most)s::bigint offset %(skipped)s::bigint
)
select s.claim_id, s.tier, s.stance, s.probability, s.sentence, p.text, s.publisher, s.family, s.country, s.language,
       s.title, s.url, s.published_at, s.articles, s.families, coalesce(s.first_at, s.published_at) as first_at,
       coalesce(s.last_at, s.published_at) as last_at, s.origins, s.review, s.why, s.precision, s.labels, s.matched_at,
       s.claim_version, s.story_id, s.article_id, s.version_id, p.position, s.paragraph_id, s.match_id, s.total
from shown s
cross join lateral (
    select p.text, p.position
    from analysis.paragraphs p
    where p.paragraph_id = s.paragraph_id and p.version_id = s.version_id
    order by p.position
    limit 1
) p
order by coalesce(s.first_at, s.published_at) desc, s.story_id desc

-- copies --
-- The articles that tell some stories, in order of publication; of each story the first so many.
select a.story_id, a.article_id, a.relation, a.title, a.publisher, a.country, a.language, a.published_at, a.url
from unnest(%(stories)s::bigint[]) as wanted (story_id)
cross join lateral (
    select * from analysis.story_articles a
    where a.story_id = wanted.story_id
    order by a.published_at, a.article_id
    limit %(most)s::bigint
) a
order by a.story_id, a.published_at, a.article_id

-- page --
-- The same evidence for a page of the desk, and in one pass what it can be filtered by: `choices` is an object of filters,
-- each with [value, stories]. Of tiers all stories are counted, of the others those of the tier shown. One row without a
-- story where nothing passes.
with every as materialized (
    select e.*, coalesce(e.first_at, e.published_at) as began_at from analysis.evidence e where e.claim_id = %(claim)s
), listed as materialized (
    select e.* from every e where e.tier = coalesce(%(tier)s::text, 'accepted')
), shown as (
    select e.*, count(*) over () as total
    from listed e
    where e.began_at >= coalesce(%(since)s::timestamptz, '-infinity')
      and e.began_at < coalesce(%(until)s::timestamptz, 'infinity')
      and (%(stance)s::text is null or e.stance = %(stance)s::text)
      and (%(lang)s::text is null or %(lang)s::text = any (e.languages || e.language))
      and (%(country)s::text is null or %(country)s::text = any (e.countries || e.country))
      and (%(origin)s::text is null or %(origin)s::text = any (e.origins))
      and (%(family)s::text is null or %(family)s::text = any (e.family_names || e.family))
    order by e.began_at desc, e.story_id desc
    limit %(most)s::bigint offset %(skipped)s::bigint
), choice (filter, value, stories) as (
    select 'tier', e.tier, count(*) from every e group by e.tier
    union all
    select 'stance', l.stance, count(*) from listed l group by l.stance
    union all
    select 'lang', v.value, count(*) from listed l cross join lateral unnest(l.languages) v (value) group by v.value
    union all
    select 'country', v.value, count(*) from listed l cross join lateral unnest(l.countries) v (value) group by v.value
    union all
    select 'family', v.value, count(*) from listed l cross join lateral unnest(l.family_names) v (value) group by v.value
    union all
    select 'origin', v.value, count(*) from listed l cross join lateral unnest(l.origins) v (value) group by v.value
), choices as (
    select jsonb_object_agg(c.filter, c.options) as choices
    from (
        select c.filter, jsonb_agg(jsonb_build_array(c.value, c.stories) order by c.stories desc, c.value) as options
        from choice c
        group by c.filter
    ) c
)
select s.claim_id, s.tier, s.stance, s.probability, s.sentence, p.text, s.publisher, s.family, s.country, s.language,
       s.title, s.url, s.published_at, s.articles, s.families, s.began_at as first_at, s.origins, s.review, s.why,
       s.matched_at, s.story_id, s.article_id, s.version_id, s.match_id, s.total, c.choices
from choices c
left join shown s on true
left join lateral (
    select p.text
    from analysis.paragraphs p
    where p.paragraph_id = s.paragraph_id and p.version_id = s.version_id
    order by p.position
    limit 1
) p on true
order by s.began_at desc, s.story_id desc

-- events --
-- What happened to a claim, the latest first.
select ev.event_id, ev.kind, ev.happened_at, ev.known_at, ev.story_id, ev.reason, ev.mailed
from analysis.claim_events ev
where ev.claim_id = %(claim)s
order by ev.happened_at desc, ev.event_id desc
limit %(most)s::bigint

-- verdicts --
-- Who said what of some matches, where it counts.
select r.match_id, r.verdict, r.stance, r.reviewer, r.note, r.at
from analysis.reviews r
where r.in_force and r.match_id = any (%(matches)s::bigint[])

-- figures --
-- The ledger of a claim, the latest figure of each role first.
select f.role, f.low, f.high, f.modality, f.authority, f.authority_kind, f.as_of, f.denied, f.increment, f.earlier,
       f.first_reported_at, f.known_at, f.articles, f.families, f.publisher, f.quote, f.url, f.story_id, f.revises_low,
       f.revises_high, f.corrected_at, f.unit
from analysis.figures f
where f.claim_id = %(claim)s
order by f.role, f.as_of desc, f.first_reported_at desc, f.authority nulls last, f.low

-- days --
-- Accepted stories of a claim by day, for its chart.
select t.day, t.supports, t.refutes, t.updates from analysis.claim_timeline t where t.claim_id = %(claim)s order by t.day

-- marks --
-- The events that a chart marks: what is more than one more story.
select ev.kind, ev.happened_at, ev.reason
from analysis.claim_events ev
where ev.claim_id = %(claim)s and ev.kind not in ('new_story', 'archive')
order by ev.happened_at, ev.event_id

-- why --
-- Why a match is one, in words.
select w.part, w.name, w.value, w.says from analysis.why(%(match)s::bigint) w
