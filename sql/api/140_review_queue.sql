-- view analysis.review_queue
create or replace view analysis.review_queue as
with point as (
    -- Where a matcher begins to accept, by what it has accepted; of a claim it accepted nothing on, by the others.
    select matcher, claim_id, min(probability) as accepted
    from ingest.matches
    where coalesce(matcher_tier, tier) = 'accepted'
    group by grouping sets ((matcher, claim_id), (matcher))
), open as (
    -- Narrow and in order, so that the texts are looked up for as many rows as are asked for.
    select distinct on (m.claim_id, a.story_id)
           m.claim_id, a.story_id, m.match_id, v.published_at,
           abs(m.probability - coalesce(own.accepted, every.accepted, 0.5))::real as distance
    from ingest.matches m
    join ingest.paragraphs p using (paragraph_id)
    join ingest.versions v on v.version_id = p.first_version_id
    join ingest.articles a using (article_id)
    left join point own on own.matcher = m.matcher and own.claim_id = m.claim_id
    left join point every on every.matcher = m.matcher and every.claim_id is null
    where m.tier = 'suggested' and m.superseded_at is null
    order by m.claim_id, a.story_id, distance, v.published_at desc, m.match_id desc
)
select m.match_id, o.claim_id, cv.statement, m.stance, m.probability, o.distance, m.sentence, m.why, p.text,
       v.title, v.language, pub.name as publisher, o.published_at, a.url, o.story_id, m.paragraph_id, m.matched_at,
       pub.country, a.article_id, v.version_id
from (select * from open order by distance, published_at desc, match_id desc) o
join ingest.matches m using (match_id)
join ingest.claim_versions cv using (claim_version_id)
join ingest.paragraphs p on p.paragraph_id = m.paragraph_id
join ingest.versions v on v.version_id = p.first_version_id
join ingest.articles a on a.article_id = v.article_id
join ingest.publishers pub using (publisher_id)
order by o.distance, o.published_at desc, o.match_id desc;

comment on view analysis.review_queue is 'Suggested matches that wait for a yes or no, one a claim and story, the most telling first: those nearest to the point where the matcher accepts, then the newest.';
comment on column analysis.review_queue.match_id is 'Number of the match, for analysis.confirm_match and analysis.reject_match.';
comment on column analysis.review_queue.claim_id is 'The claim.';
comment on column analysis.review_queue.statement is 'The claim in one sentence, as it was worded when it was matched.';
comment on column analysis.review_queue.stance is 'What the matcher takes it for: supports, refutes or updates.';
comment on column analysis.review_queue.probability is 'Estimated probability that the paragraph bears on the claim.';
comment on column analysis.review_queue.distance is 'How far that is from where the matcher begins to accept: a review of a near one teaches it most.';
comment on column analysis.review_queue.sentence is 'The sentence that the matcher went by.';
comment on column analysis.review_queue.why is 'In one line, why it is a match.';
comment on column analysis.review_queue.text is 'The paragraph.';
comment on column analysis.review_queue.title is 'Title of the article that had it first.';
comment on column analysis.review_queue.language is 'That article''s language.';
comment on column analysis.review_queue.publisher is 'Its publisher.';
comment on column analysis.review_queue.published_at is 'When it was published.';
comment on column analysis.review_queue.url is 'Its address.';
comment on column analysis.review_queue.story_id is 'The story that it tells.';
comment on column analysis.review_queue.paragraph_id is 'Number of the paragraph.';
comment on column analysis.review_queue.matched_at is 'When we found it.';
comment on column analysis.review_queue.country is 'The publisher''s country.';
comment on column analysis.review_queue.article_id is 'Number of that article.';
comment on column analysis.review_queue.version_id is 'Number of its text.';
