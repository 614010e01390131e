-- one --
-- A story by its number.
select story_id, first_title, first_url, first_publisher, first_seen_at, first_published_at, last_published_at, articles,
       publishers, families, languages, copies_only
from analysis.stories
where story_id = %(story_id)s

-- articles --
-- Who carried a story, in order of publication; `total` counts those on all pages. Each can be compared with its model:
-- what somebody told in words of their own last before it in its language, else the first in that language.
select *, coalesce(told[cardinality(told)], first_told) as model, coalesce(told_by[cardinality(told)], first_told_by) as model_of,
       count(*) over () as total
from (
    select a.story_id, a.article_id, a.relation, a.similarity, a.title, a.publisher, a.family, a.country, a.language, a.published_at,
           a.first_seen_at, a.url, a.origin, a.version_id,
           min(a.published_at) over () as story_at,
           first_value(a.version_id) over (order by a.published_at, a.article_id) as earliest,
           first_value(a.version_id) over same_language as first_told,
           first_value(a.publisher) over same_language as first_told_by,
           array_agg(a.version_id) filter (where a.relation <> 'copy') over before as told,
           array_agg(a.publisher) filter (where a.relation <> 'copy') over before as told_by
    from analysis.story_articles a
    where a.story_id = %(story_id)s
    window same_language as (partition by a.language order by a.published_at, a.article_id),
           before as (same_language rows between unbounded preceding and 1 preceding)
) a
where (%(since)s::timestamptz is null or a.published_at >= %(since)s)
  and (%(until)s::timestamptz is null or a.published_at < %(until)s)
  and (%(lang)s::text is null or a.language = %(lang)s)
  and (%(country)s::text is null or a.country = %(country)s)
  and (%(family)s::text is null or a.family = %(family)s)
  and (%(origin)s::text is null or a.origin = %(origin)s)
order by a.published_at, a.article_id
limit %(most)s::bigint offset %(skipped)s::bigint

-- spread --
-- When and how often a story was told, for the strip above the list; the earliest ones where it was told very often.
select article_id, published_at, relation, publisher, language
from analysis.story_articles
where story_id = %(story_id)s
order by published_at, article_id
limit %(most)s

-- filters --
-- What the articles of a story can be filtered by.
select array_agg(distinct language) filter (where language is not null) as languages,
       array_agg(distinct country) filter (where country is not null) as countries,
       array_agg(distinct family) as families, array_agg(distinct origin) filter (where origin is not null) as origins
from analysis.story_articles
where story_id = %(story_id)s

-- evidence --
-- Which claims a story bears on, with its best sentence on each.
select e.claim_id, c.statement, e.tier, e.stance, e.probability, e.sentence, e.publisher, e.language, e.review,
       e.match_id, e.origins, e.articles
from analysis.evidence e
join analysis.claims c using (claim_id)
where e.story_id = %(story_id)s
order by e.tier = 'accepted' desc, e.tier = 'suggested' desc, e.probability desc, e.claim_id
