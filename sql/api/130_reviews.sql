-- view analysis.reviews
create or replace view analysis.reviews as
select r.review_id, r.match_id, r.claim_id, r.verdict, coalesce(r.stance, m.matcher_stance, m.stance) as stance,
       r.reviewer, r.note, r.at,
       r.verdict <> 'withdrawn' and not exists (
           select from ingest.reviews later
           where later.claim_id = r.claim_id and later.paragraph_id = r.paragraph_id and later.review_id > r.review_id
       ) as in_force,
       coalesce(m.matcher_tier, m.tier) as matcher_tier, m.probability, m.sentence, p.text, v.title, v.language,
       pub.name as publisher, v.published_at, a.url, a.story_id, r.paragraph_id
from ingest.reviews r
join ingest.paragraphs p using (paragraph_id)
join ingest.versions v on v.version_id = p.first_version_id
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
left join ingest.matches m using (match_id);

comment on view analysis.reviews is 'What reviewers said of matches, every word of it; in_force marks what counts now.';
comment on column analysis.reviews.review_id is 'Number of the review.';
comment on column analysis.reviews.match_id is 'The match that the reviewer had before them.';
comment on column analysis.reviews.claim_id is 'The claim.';
comment on column analysis.reviews.verdict is 'confirmed: the paragraph bears on the claim; rejected: it does not; withdrawn: the review before no longer counts.';
comment on column analysis.reviews.stance is 'supports, refutes or updates: the reviewer''s correction, else the matcher''s.';
comment on column analysis.reviews.reviewer is 'Who.';
comment on column analysis.reviews.note is 'Why, in the reviewer''s words.';
comment on column analysis.reviews.at is 'When. Before that moment the matcher''s own word counted.';
comment on column analysis.reviews.in_force is 'Whether this is the latest word on the claim and paragraph, and not withdrawn.';
comment on column analysis.reviews.matcher_tier is 'What the matcher itself said: accepted or suggested.';
comment on column analysis.reviews.probability is 'Its estimated probability.';
comment on column analysis.reviews.sentence is 'The sentence that it went by.';
comment on column analysis.reviews.text is 'The paragraph.';
comment on column analysis.reviews.title is 'Title of the article that had it first.';
comment on column analysis.reviews.language is 'That article''s language.';
comment on column analysis.reviews.publisher is 'Its publisher.';
comment on column analysis.reviews.published_at is 'When it was published.';
comment on column analysis.reviews.url is 'Its address.';
comment on column analysis.reviews.story_id is 'The story that it tells.';
comment on column analysis.reviews.paragraph_id is 'Number of the paragraph.';
