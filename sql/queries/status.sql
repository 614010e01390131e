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
       (select count(*) from ingest.matches where tier = 'accepted') as accepted,
       (select count(*) from ingest.matches where tier = 'suggested') as suggested,
       (select count(*) from ingest.claim_events) as events
