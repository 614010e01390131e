-- sources --
-- What came in, by publisher.
select pub.name as publisher, pub.family, f.last_outcome,
       (select count(*) from ingest.entries e where e.feed_id = f.feed_id) as entries,
       (select count(distinct v.article_id) from ingest.entries e join ingest.versions v using (article_id)
        where e.feed_id = f.feed_id and v.source = 'page') as pages,
       (select count(distinct v.article_id) from ingest.entries e join ingest.versions v using (article_id)
        where e.feed_id = f.feed_id and v.source = 'entry') as from_feed,
       f.last_problem
from ingest.feeds f join ingest.publishers pub using (publisher_id)
order by f.feed_id

-- paragraphs --
-- How many places in articles hold a paragraph, and how many different texts those are.
select count(*) as places, count(distinct paragraph_id) as texts
from ingest.appearances where kind = 'body'

-- evidence --
-- Evidence, the best of each claim first.
select claim_id, tier, stance, probability, publisher, sentence, articles, published_at
from analysis.evidence
where tier = 'accepted'
order by claim_id, probability desc, story_id

-- mails --
-- What was mailed to whom.
select email, subject, state, sent_at, problem from ingest.alerts order by alert_id
