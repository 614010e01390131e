-- view analysis.coverage_by_week
create or replace view analysis.coverage_by_week as
select claim_id, date_trunc('week', published_at at time zone 'UTC')::date as week, language, country, family,
       count(distinct story_id) as stories, count(*) as articles, count(distinct publisher_id) as publishers,
       count(*) filter (where stance = 'supports') as supports,
       count(*) filter (where stance = 'refutes') as refutes,
       count(*) filter (where stance = 'updates') as updates
from analysis.article_evidence
group by claim_id, date_trunc('week', published_at at time zone 'UTC')::date, language, country, family;

comment on view analysis.coverage_by_week is 'Accepted evidence by claim, week (UTC) of publication, language, country and publisher family; nothing has no row. Articles add up over rows; stories don''t, where several families carry one.';
comment on column analysis.coverage_by_week.claim_id is 'The claim.';
comment on column analysis.coverage_by_week.week is 'Monday of the week of publication.';
comment on column analysis.coverage_by_week.language is 'Language of the articles.';
comment on column analysis.coverage_by_week.country is 'The publisher''s country.';
comment on column analysis.coverage_by_week.family is 'The publisher family.';
comment on column analysis.coverage_by_week.stories is 'Stories that it carried that week.';
comment on column analysis.coverage_by_week.articles is 'Articles, copies counted.';
comment on column analysis.coverage_by_week.publishers is 'Publishers of the family that carried them.';
comment on column analysis.coverage_by_week.supports is 'Articles whose best evidence supports the claim.';
comment on column analysis.coverage_by_week.refutes is 'Articles whose best evidence refutes it.';
comment on column analysis.coverage_by_week.updates is 'Articles whose best evidence brings an update.';
