-- add --
-- A review by the command: the name given, else the database's role.
select ingest.review(%(match_id)s, %(verdict)s, %(stance)s, %(note)s, coalesce(%(reviewer)s, session_user::text),
                     %(now)s) as review_id

-- queue --
-- What waits for a review, the most telling first.
select q.match_id, q.claim_id, q.statement, q.probability, q.stance, q.sentence, q.why, q.language, q.publisher,
       q.published_at, q.url
from analysis.review_queue q
where %(claim_id)s::text is null or q.claim_id = %(claim_id)s
order by q.distance, q.published_at desc, q.match_id desc
limit %(limit)s

-- given --
-- Reviews in force, the latest first.
select r.match_id, r.claim_id, r.verdict, r.stance, r.reviewer, r.at, r.sentence, r.note
from analysis.reviews r
where r.in_force and (%(claim_id)s::text is null or r.claim_id = %(claim_id)s)
order by r.review_id desc
limit %(limit)s

-- match --
-- What a review of this match was about.
select m.match_id, m.claim_id, m.tier, m.stance, m.sentence from ingest.matches m where m.match_id = %(match_id)s

-- labels --
-- Reviews in force with their texts, in a form that other databases can tell apart.
select encode(p.content_hash, 'hex') as content_hash, r.claim_id, r.verdict, r.stance, r.text, r.title, r.language,
       r.published_at, r.publisher, r.url
from analysis.reviews r
join ingest.paragraphs p using (paragraph_id)
where r.in_force
order by r.published_at, p.content_hash, r.claim_id

-- claims --
-- Every claim there has been, so that those without a review of a text can be named as unknown.
select claim_id from ingest.claims order by claim_id
