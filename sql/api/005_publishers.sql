-- view analysis.publishers
create or replace view analysis.publishers as
select pub.publisher_id, pub.name as publisher, pub.family, pub.country, pub.language, pub.kind,
       (select count(*) from ingest.feeds f where f.publisher_id = pub.publisher_id) as feeds,
       (select count(*) from ingest.articles a where a.publisher_id = pub.publisher_id) as articles,
       coalesce(e.articles, 0) as articles_with_evidence, coalesce(e.claims, '{}') as claims, e.first_at, e.last_at
from ingest.publishers pub
left join (
    select a.publisher_id, count(distinct a.article_id) as articles, array_agg(distinct m.claim_id) as claims,
           min(v.published_at) as first_at, max(v.published_at) as last_at
    from ingest.matches m
    join ingest.appearances ap using (paragraph_id)
    join ingest.versions v using (version_id)
    join ingest.articles a using (article_id)
    where m.tier = 'accepted' and m.superseded_at is null
    group by a.publisher_id
) e using (publisher_id);

comment on view analysis.publishers is 'Who publishes: every outlet that we read, with what it has carried.';
comment on column analysis.publishers.publisher_id is 'Number of the publisher.';
comment on column analysis.publishers.publisher is 'Name.';
comment on column analysis.publishers.family is 'Its owner; count these to count independent voices.';
comment on column analysis.publishers.country is 'Country, two letters.';
comment on column analysis.publishers.language is 'Main language, two letters.';
comment on column analysis.publishers.kind is 'wire, newspaper, broadcaster, state, blog, think-tank or other.';
comment on column analysis.publishers.feeds is 'How many feeds of it we poll.';
comment on column analysis.publishers.articles is 'Articles that we know of.';
comment on column analysis.publishers.articles_with_evidence is 'Articles with accepted evidence on any claim, copies counted.';
comment on column analysis.publishers.claims is 'The claims on which it has carried evidence.';
comment on column analysis.publishers.first_at is 'Publication of the first such article.';
comment on column analysis.publishers.last_at is 'Publication of the latest.';
