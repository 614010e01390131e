-- view analysis.claim_timeline
create or replace view analysis.claim_timeline as
select claim_id, (at at time zone 'UTC')::date as day, count(*) as stories, sum(articles)::bigint as articles,
       count(*) filter (where stance = 'supports') as supports,
       count(*) filter (where stance = 'refutes') as refutes,
       count(*) filter (where stance = 'updates') as updates
from (
    select claim_id, story_id, min(published_at) as at, count(*) as articles,
           (array_agg(stance order by probability desc, match_id))[1] as stance
    from analysis.article_evidence
    group by claim_id, story_id
) story
group by claim_id, (at at time zone 'UTC')::date;

comment on view analysis.claim_timeline is 'Accepted evidence by claim and day (UTC); days without any have no row.';
comment on column analysis.claim_timeline.claim_id is 'The claim.';
comment on column analysis.claim_timeline.day is 'Day on which the story''s first article was published.';
comment on column analysis.claim_timeline.stories is 'Stories that day.';
comment on column analysis.claim_timeline.articles is 'Articles that carried them, copies counted.';
comment on column analysis.claim_timeline.supports is 'Stories that support the claim.';
comment on column analysis.claim_timeline.refutes is 'Stories that refute it.';
comment on column analysis.claim_timeline.updates is 'Stories that bring an update.';
