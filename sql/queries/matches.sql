-- to_match --
-- Paragraphs with their vector and their context: the title under which they appeared first.
select p.paragraph_id, p.text, p.language, e.embedding, v.title
from ingest.paragraphs p
join {embeddings} e using (paragraph_id)
join ingest.versions v on v.version_id = p.first_version_id
where p.paragraph_id = any(%(paragraph_ids)s)
order by p.paragraph_id

-- store --
-- A match; the same wording, paragraph and model have one.
insert into ingest.matches (claim_id, claim_version_id, paragraph_id, model_id, matcher, probability, tier, stance,
                            sentence, features, why, precision, labels, matched_at)
values (%(claim_id)s, %(claim_version_id)s, %(paragraph_id)s, %(model_id)s, %(matcher)s, %(probability)s, %(tier)s,
        %(stance)s, %(sentence)s, %(features)s, %(why)s, %(precision)s, %(labels)s, %(now)s)
on conflict (claim_version_id, paragraph_id, model_id) do nothing
returning match_id

-- stale_claims --
-- Claims whose newest accepted evidence was published before a time.
select m.claim_id
from ingest.matches m
join ingest.paragraphs p using (paragraph_id)
join ingest.versions v on v.version_id = p.first_version_id
where m.tier = 'accepted'
group by m.claim_id
having max(v.published_at) < %(since)s

-- to_track --
-- Matches with what tracking needs: the story and publication time of the paragraph's first appearance. One that a
-- reviewer accepted is as new as that; one that was rejected meanwhile is none.
select m.match_id, m.claim_id, m.claim_version_id, v.published_at, a.story_id,
       case when m.matcher_tier = 'suggested' then (
           select max(r.at) from ingest.reviews r
           where r.claim_id = m.claim_id and r.paragraph_id = m.paragraph_id and r.verdict = 'confirmed'
       ) else m.matched_at end as matched_at
from ingest.matches m
join ingest.paragraphs p using (paragraph_id)
join ingest.versions v on v.version_id = p.first_version_id
join ingest.articles a using (article_id)
where m.match_id = any(%(match_ids)s) and m.tier = 'accepted'

-- lock_claim --
-- One tracker at a time for a claim, so that it is first seen once.
select claim_id from ingest.claims where claim_id = %(claim_id)s for update

-- seen_before --
-- Whether the claim has had an event of evidence, and whether this story has brought one.
select exists (select from ingest.claim_events where claim_id = %(claim_id)s) as claim,
       exists (select from ingest.claim_events where claim_id = %(claim_id)s and story_id = %(story_id)s) as story

-- add_event --
-- An event; one with the same key brings no row.
insert into ingest.claim_events (claim_id, kind, event_key, story_id, happened_at, known_at)
values (%(claim_id)s, %(kind)s, %(event_key)s, %(story_id)s, %(happened_at)s, %(now)s)
on conflict (claim_id, kind, event_key) do nothing
returning event_id
