-- evidence --
-- Stories that bear on a claim, the latest first: accepted ones where no tier is named. A story passes by language,
-- country and family where one of its articles has them all. `total` counts all pages. No `most`: every row.
with carried as (
    select distinct a.story_id
    from analysis.evidence_articles a
    where a.claim_id = %(claim)s and a.tier = coalesce(%(tier)s::text, 'accepted')
      and (%(lang)s::text is null or a.language = %(lang)s::text)
      and (%(country)s::text is null or a.country = %(country)s::text)
      and (%(family)s::text is null or a.family = %(family)s::text)
), shown as (
    select e.*, count(*) over () as total
    from analysis.evidence e
    where e.claim_id = %(claim)s and e.tier = coalesce(%(tier)s::text, 'accepted')
      and coalesce(e.first_at, e.published_at) >= coalesce(%(since)s::timestamptz, '-infinity')
      and coalesce(e.first_at, e.published_at) < coalesce(%(until)s::timestamptz, 'infinity')
      and (%(stance)s::text is null or e.stance = %(stance)s::text)
      and (%(origin)s::text is null or %(origin)s::text = any (e.origins))
      and (coalesce(%(lang)s::text, %(country)s::text, %(family)s::text) is null
           or e.story_id in (select c.story_id from carried c))
    order by coalesce(e.first_at, e.published_at) desc, e.story_id desc
    limit %(most)s::bigint offset %(skipped)s::bigint
)
select s.claim_id, s.tier, s.stance, s.probability, s.sentence, p.text, s.publisher, f.family, s.country, s.language,
       s.title, s.url, s.published_at, s.articles, s.families, coalesce(s.first_at, s.published_at) as first_at,
       coalesce(s.last_at, s.published_at) as last_at, s.origins, s.review, s.why, s.precision, s.labels, s.matched_at,
       s.claim_version, s.story_id, p.article_id, p.version_id, p.position, s.paragraph_id, s.match_id, s.total
from shown s
cross join lateral (
    select p.text, p.article_id, p.version_id, p.position
    from analysis.paragraphs p
    where p.paragraph_id = s.paragraph_id and p.url = s.url
    order by p.version_id, p.position
    limit 1
) p
cross join lateral (select a.family from analysis.articles a where a.article_id = p.article_id) f
order by first_at desc, s.story_id desc
