-- view analysis.coverage_by_day
create or replace view analysis.coverage_by_day as
select claim_id, (published_at at time zone 'UTC')::date as day, language, country, family,
       count(distinct story_id) as stories, count(*) as articles, count(distinct publisher_id) as publishers,
       count(*) filter (where stance = 'supports') as supports,
       count(*) filter (where stance = 'refutes') as refutes,
       count(*) filter (where stance = 'updates') as updates
from analysis.article_evidence
group by claim_id, (published_at at time zone 'UTC')::date, language, country, family;

comment on view analysis.coverage_by_day is 'Accepted evidence by claim, day (UTC) of publication, language, country and publisher family; nothing has no row. Articles add up over rows; stories don''t, where several families carry one.';
comment on column analysis.coverage_by_day.claim_id is 'The claim.';
comment on column analysis.coverage_by_day.day is 'Day of publication.';
comment on column analysis.coverage_by_day.language is 'Language of the articles.';
comment on column analysis.coverage_by_day.country is 'The publisher''s country.';
comment on column analysis.coverage_by_day.family is 'The publisher family.';
comment on column analysis.coverage_by_day.stories is 'Stories that it carried that day.';
comment on column analysis.coverage_by_day.articles is 'Articles, copies counted.';
comment on column analysis.coverage_by_day.publishers is 'Publishers of the family that carried them.';
comment on column analysis.coverage_by_day.supports is 'Articles whose best evidence supports the claim.';
comment on column analysis.coverage_by_day.refutes is 'Articles whose best evidence refutes it.';
comment on column analysis.coverage_by_day.updates is 'Articles whose best evidence brings an update.';
