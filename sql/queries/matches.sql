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
                            sentence, features, matched_at)
values (%(claim_id)s, %(claim_version_id)s, %(paragraph_id)s, %(model_id)s, %(matcher)s, %(probability)s, %(tier)s,
        %(stance)s, %(sentence)s, %(features)s, %(now)s)
on conflict (claim_version_id, paragraph_id, model_id) do nothing
returning match_id

-- to_track --
-- Matches with what tracking needs: every story in which the paragraph appears, and when it was published there
-- first. One row without a story where no article with the paragraph has been grouped yet.
select m.match_id, m.claim_id, m.claim_version_id, m.matched_at, found.published_at, found.story_id
from ingest.matches m
left join lateral (
    select a.story_id, min(v.published_at) as published_at
    from ingest.appearances ap
    join ingest.versions v using (version_id)
    join ingest.articles a using (article_id)
    where ap.paragraph_id = m.paragraph_id and a.story_id is not null
    group by a.story_id
) found on true
where m.match_id = any(%(match_ids)s)

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
