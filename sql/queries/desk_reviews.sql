-- queue --
-- What waits for a yes or no, the most telling first; `total` counts all pages.
select q.match_id, q.claim_id, q.statement, q.stance, q.probability, q.distance, q.sentence, q.why, q.text, q.title,
       q.language, q.publisher, q.country, q.published_at, q.url, q.story_id, q.article_id, q.version_id, q.paragraph_id,
       q.matched_at, count(*) over () as total
from analysis.review_queue q
where (%(claim)s::text is null or q.claim_id = %(claim)s::text)
  and (%(lang)s::text is null or q.language = %(lang)s::text)
  and (%(stance)s::text is null or q.stance = %(stance)s::text)
  and q.published_at >= coalesce(%(since)s::timestamptz, '-infinity')
  and q.published_at < coalesce(%(until)s::timestamptz, 'infinity')
order by q.distance, q.published_at desc, q.match_id desc
limit %(most)s::bigint offset %(skipped)s::bigint

-- waiting --
-- How many wait, by claim.
select q.claim_id, q.statement, count(*) as matches
from analysis.review_queue q
group by q.claim_id, q.statement
order by matches desc, q.claim_id

-- given --
-- Reviews in force, the latest first.
select r.match_id, r.claim_id, r.verdict, r.stance, r.reviewer, r.note, r.at, r.sentence, r.language, r.publisher,
       r.published_at, r.url, r.story_id
from analysis.reviews r
where r.in_force and (%(claim)s::text is null or r.claim_id = %(claim)s::text)
order by r.review_id desc
limit %(most)s::bigint

-- confirm --
-- A match bears on its claim; the stance where the matcher has it wrong.
select analysis.confirm_match(%(match)s::bigint, %(stance)s::text, %(note)s::text) as review_id

-- reject --
-- A match does not bear on its claim.
select analysis.reject_match(%(match)s::bigint, %(note)s::text) as review_id

-- withdraw --
-- The review of a match no longer counts.
select analysis.withdraw_review(%(match)s::bigint, %(note)s::text) as review_id
