-- view analysis.evidence_articles
create or replace view analysis.evidence_articles as
select distinct on (m.claim_id, a.article_id)
       m.claim_id, a.story_id, a.article_id, m.tier, m.stance, m.probability, m.sentence, v.title, pub.name as publisher,
       pub.family, pub.country, v.language, v.published_at, a.url, a.story_relation as relation, ap.position,
       v.version_id, m.paragraph_id, m.match_id
from ingest.matches m
join ingest.appearances ap using (paragraph_id)
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
where m.superseded_at is null
order by m.claim_id, a.article_id, (m.tier = 'accepted') desc, (m.tier = 'suggested') desc, m.probability desc, m.match_id,
         v.version_id;

comment on view analysis.evidence_articles is 'Who carries the evidence: one row a claim and article, copies included, with the article''s best paragraph. analysis.evidence has one row for all that tell one story.';
comment on column analysis.evidence_articles.claim_id is 'The claim.';
comment on column analysis.evidence_articles.story_id is 'The story that the article tells.';
comment on column analysis.evidence_articles.article_id is 'The article.';
comment on column analysis.evidence_articles.tier is 'accepted, suggested or rejected: the best that it has.';
comment on column analysis.evidence_articles.stance is 'supports, refutes or updates.';
comment on column analysis.evidence_articles.probability is 'Estimated probability that the sentence bears on the claim.';
comment on column analysis.evidence_articles.sentence is 'The sentence that carries it.';
comment on column analysis.evidence_articles.title is 'The article''s title.';
comment on column analysis.evidence_articles.publisher is 'Who published it.';
comment on column analysis.evidence_articles.family is 'The publisher''s owner: one family is one voice.';
comment on column analysis.evidence_articles.country is 'The publisher''s country.';
comment on column analysis.evidence_articles.language is 'Its language.';
comment on column analysis.evidence_articles.published_at is 'When it was published.';
comment on column analysis.evidence_articles.url is 'Its address.';
comment on column analysis.evidence_articles.relation is 'first, copy or rewrite: what it is in its story.';
comment on column analysis.evidence_articles.position is 'The paragraph''s place in it; 0 is the title.';
comment on column analysis.evidence_articles.version_id is 'The text that the paragraph stands in, the earliest of the article.';
comment on column analysis.evidence_articles.paragraph_id is 'Number of the paragraph.';
comment on column analysis.evidence_articles.match_id is 'The match behind the row.';
