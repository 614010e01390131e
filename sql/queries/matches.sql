-- to_match --
-- Paragraphs with their vector and their context: title and text of the version in which they appeared first.
with wanted as (
    select p.paragraph_id, p.text, p.language, e.embedding, p.first_version_id as version_id
    from ingest.paragraphs p
    join {embeddings} e using (paragraph_id)
    where p.paragraph_id = any(%(paragraph_ids)s)
), wholes as (
    select ap.version_id, left(string_agg(whole.text, E'\n' order by ap.position), %(characters)s) as article
    from (select distinct version_id from wanted) w
    join ingest.appearances ap using (version_id)
    join ingest.paragraphs whole using (paragraph_id)
    group by ap.version_id
)
select w.paragraph_id, w.text, w.language, w.embedding, v.title, coalesce(wholes.article, '') as article
from wanted w
join ingest.versions v using (version_id)
left join wholes using (version_id)
order by w.paragraph_id

-- store --
-- A match; the same wording, paragraph and model have one. One that another wording or model had superseded, and that
-- is made again, stands again.
insert into ingest.matches (claim_id, claim_version_id, paragraph_id, model_id, matcher, probability, tier, stance,
                            sentence, features, why, precision, labels, matched_at)
values (%(claim_id)s, %(claim_version_id)s, %(paragraph_id)s, %(model_id)s, %(matcher)s, %(probability)s, %(tier)s,
        %(stance)s, %(sentence)s, %(features)s, %(why)s, %(precision)s, %(labels)s, %(now)s)
on conflict (claim_version_id, paragraph_id, model_id) do update set superseded_at = null
    where matches.superseded_at is not null
returning match_id

-- stale_claims --
-- Claims whose newest accepted evidence was published before a time.
select m.claim_id
from ingest.matches m
join ingest.paragraphs p using (paragraph_id)
join ingest.versions v on v.version_id = p.first_version_id
where m.tier = 'accepted' and m.superseded_at is null
group by m.claim_id
having max(v.published_at) < %(since)s

-- supersede --
-- The paragraphs have been judged by these wordings and this model: what earlier wordings or other models had made of
-- them is history. A wording that is newer than the judge's own stays.
update ingest.matches m
set superseded_at = %(now)s
from ingest.claim_versions judge
where judge.claim_version_id = any(%(claim_version_ids)s) and m.claim_id = judge.claim_id
  and m.paragraph_id = any(%(paragraph_ids)s) and m.superseded_at is null
  and (m.claim_version_id < judge.claim_version_id
       or m.claim_version_id = judge.claim_version_id and m.model_id <> %(model_id)s)
returning m.match_id

-- to_track --
-- Matches with what tracking needs: one row a match and story in which its paragraph stands, with the first
-- publication there; `undated` where a backfill brought it and nothing tells its age; one row without a story where no article with it has been grouped yet. One that a reviewer accepted is as new as that; one that was rejected meanwhile is none.
select distinct on (m.match_id, a.story_id)
       m.match_id, m.claim_id, m.stance, m.sentence, m.tracked_at, v.published_at, a.story_id, a.article_id,
       pub.name as publisher, pub.family, v.reextracted,
       v.published_at = a.first_seen_at and exists (
            select from ingest.backfill_articles b where b.article_id = a.article_id and b.brought) as undated,
       case when m.matcher_tier = 'suggested' then (
           select max(r.at) from ingest.reviews r
           where r.claim_id = m.claim_id and r.paragraph_id = m.paragraph_id and r.verdict = 'confirmed'
       ) else m.matched_at end as matched_at
from ingest.matches m
join ingest.appearances ap using (paragraph_id)
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
where m.match_id = any(%(match_ids)s) and m.tier = 'accepted'
  and (a.story_id is not null or not exists (
      select from ingest.appearances o join ingest.versions ov using (version_id) join ingest.articles oa using (article_id)
      where o.paragraph_id = m.paragraph_id and oa.story_id is not null))
order by m.match_id, a.story_id, v.published_at, v.version_id
