-- view analysis.article_evidence
create or replace view analysis.article_evidence as
select distinct on (m.claim_id, a.article_id)
       m.claim_id, a.article_id, a.story_id, m.stance, v.published_at, v.language, pub.country, pub.family,
       pub.publisher_id, pub.name as publisher, v.title, a.url, m.probability, m.sentence, m.match_id, v.version_id
from ingest.matches m
join ingest.appearances ap using (paragraph_id)
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
where m.tier = 'accepted' and m.superseded_at is null
order by m.claim_id, a.article_id, m.probability desc, m.match_id, v.version_id;

comment on view analysis.article_evidence is 'Accepted evidence article by article, copies included: one row a claim and article, with the stance of its best paragraph. Coverage is counted from it.';
comment on column analysis.article_evidence.claim_id is 'The claim.';
comment on column analysis.article_evidence.article_id is 'The article.';
comment on column analysis.article_evidence.story_id is 'The story that it tells.';
comment on column analysis.article_evidence.stance is 'supports, refutes or updates.';
comment on column analysis.article_evidence.published_at is 'When it was published.';
comment on column analysis.article_evidence.language is 'Its language.';
comment on column analysis.article_evidence.country is 'The publisher''s country.';
comment on column analysis.article_evidence.family is 'The publisher''s family.';
comment on column analysis.article_evidence.publisher_id is 'Number of the publisher.';
comment on column analysis.article_evidence.publisher is 'Who published it.';
comment on column analysis.article_evidence.title is 'Its title.';
comment on column analysis.article_evidence.url is 'Its address.';
comment on column analysis.article_evidence.probability is 'Estimated probability that its best paragraph bears on the claim.';
comment on column analysis.article_evidence.sentence is 'The sentence of that paragraph that carries it.';
comment on column analysis.article_evidence.match_id is 'The match behind the row.';
comment on column analysis.article_evidence.version_id is 'The first text of the article that carries it.';
