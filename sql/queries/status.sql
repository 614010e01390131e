-- totals --
-- How much there is of everything.
select (select count(*) from ingest.feeds) as feeds,
       (select count(*) from ingest.feeds where state = 'active' and failures > 0) as feeds_failing,
       (select count(*) from ingest.entries) as entries,
       (select count(*) from ingest.articles) as articles,
       (select count(*) from ingest.stories) as stories,
       (select count(*) from ingest.versions) as versions,
       (select count(*) from ingest.paragraphs) as paragraphs,
       (select count(*) from ingest.appearances) as appearances,
       (select count(*) from ingest.claims where retired_at is null) as claims,
       (select count(*) from ingest.matches where tier = 'accepted' and superseded_at is null) as accepted,
       (select count(*) from ingest.matches where tier = 'suggested' and superseded_at is null) as suggested,
       (select count(*) from ingest.claim_events) as events

-- coverage --
-- How much evidence there is on all claims together.
select count(distinct art.story_id) as stories, count(distinct art.article_id) as articles,
       count(distinct pub.publisher_id) as publishers, count(distinct pub.family) as families,
       count(distinct vo.origin_id) as origins
from ingest.matches m
join ingest.appearances a using (paragraph_id)
join ingest.versions v using (version_id)
join ingest.articles art using (article_id)
join ingest.publishers pub using (publisher_id)
left join ingest.version_origins vo on vo.version_id = a.version_id and vo.position = a.position
where m.tier = 'accepted' and m.superseded_at is null
