-- create --
-- Makes a replay's schema anew; `tables` says with which rows of ours each of its tables starts.
select ingest.create_replay(%(name)s, %(tables)s, %(since)s, %(until)s, %(options)s, %(now)s)

-- finish --
-- The replay went through.
select ingest.finish_replay(%(name)s, %(paragraphs)s, %(now)s)

-- drop --
-- Removes a replay.
select ingest.drop_replay(%(name)s) as dropped

-- list --
-- The replays that are kept, finished or not.
select name, from_at, until_at, options, started_at, finished_at, paragraphs from ingest.replays()

-- lock --
-- One process at a time for a name; held until the session ends.
select pg_try_advisory_lock(hashtext('claimwatch.replay'), hashtext(%(name)s)) as got

-- unlock --
-- Gives it back.
select pg_advisory_unlock(hashtext('claimwatch.replay'), hashtext(%(name)s))

-- open_past --
-- Views of what had come in by the replay's moment.
select ingest.open_past()

-- set_moment --
-- The replay's moment.
select set_config('claimwatch.replay_now', %(now)s::timestamptz::text, false)

-- moments --
-- Paragraphs with a vector in the order in which they came in, those of one round of the pipeline together.
select max(p.first_seen_at) as at, array_agg(p.paragraph_id order by p.paragraph_id) as paragraph_ids
from ingest.paragraphs p
join {embeddings} e using (paragraph_id)
where p.first_seen_at >= %(since)s and p.first_seen_at < %(until)s
group by date_bin(%(rhythm)s, p.first_seen_at, '2000-01-01 00:00+00')
order by at

-- mailed --
-- In a replay every mail goes out at once: what comes later is told in another.
update ingest.alerts set state = 'sent', tried_at = %(now)s, sent_at = %(now)s where state = 'pending'

-- events --
-- What happened to the claims from a moment on, with the title of the story's first article.
select ev.claim_id, ev.story_id, ev.kind, ev.event_key, ev.happened_at, ev.known_at, told.title,
       exists (select from ingest.alerts al where al.event_id = ev.event_id) as mailed
from ingest.claim_events ev
left join lateral (
    select v.title
    from ingest.articles a
    join ingest.versions v using (article_id)
    where a.story_id = ev.story_id
    order by v.published_at, v.version_id
    limit 1
) told on true
where ev.known_at >= %(since)s
order by ev.known_at, ev.event_id

-- matches --
-- The matcher's own decisions on the paragraphs of a time, the latest of each claim and paragraph, with what
-- reviewers say of the pair.
select distinct on (m.claim_id, m.paragraph_id)
       m.claim_id, m.paragraph_id, coalesce(m.matcher_tier, m.tier) as tier, m.probability, m.sentence, v.title,
       v.published_at, a.story_id, encode(p.content_hash, 'hex') as text_hash,
       (select r.verdict from ingest.reviews r
        where r.claim_id = m.claim_id and r.paragraph_id = m.paragraph_id
        order by r.review_id desc limit 1) as verdict
from ingest.matches m
join ingest.paragraphs p using (paragraph_id)
join ingest.versions v on v.version_id = p.first_version_id
join ingest.articles a using (article_id)
where p.first_seen_at >= %(since)s and p.first_seen_at < %(until)s
order by m.claim_id, m.paragraph_id, m.match_id desc

-- waiting --
-- What a replay has left undone.
select stage, count(*) as items from ingest.work where stage in ('match', 'track') group by stage order by stage
