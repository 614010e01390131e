-- due --
-- Subscriptions whose digest is due, with the end of what their last one told; what could not be delivered is told again.
select s.*, (select max(al.until) from ingest.alerts al
             where al.subscription_id = s.subscription_id and al.kind = 'digest' and al.state <> 'failed') as last_until
from ingest.subscriptions s
where s.ended_at is null and s.confirmed_at is not null and s.rhythm <> 'instant' and s.next_digest_at <= %(now)s
order by s.next_digest_at, s.subscription_id
for update of s skip locked

-- next --
-- When a subscription's next digest is due.
update ingest.subscriptions set next_digest_at = %(at)s where subscription_id = %(subscription_id)s

-- subscription --
-- A subscription, ended or not.
select * from ingest.subscriptions where subscription_id = %(subscription_id)s

-- scope --
-- What a claim or a topic is called.
select c.claim_id, c.title, null as name from ingest.claims c where c.claim_id = %(claim_id)s
union all
select null, null, t.name from ingest.topics t where t.topic_id = %(topic_id)s

-- claims --
-- The claims that a digest is about, in their file's order, and how many stories of each were noticed in its span.
select c.claim_id, c.title, cv.statement, row_number() over (order by c.topic_id, c.position)::integer as position,
       count(ev.event_id)::integer as new_stories
from ingest.claims c
join ingest.claim_versions cv on cv.claim_version_id = c.current_version_id
left join ingest.claim_events ev on ev.claim_id = c.claim_id and ev.known_at >= %(since)s and ev.known_at < %(until)s
    and ev.kind in ('first_seen', 'fresh_coverage', 'new_story')
where c.retired_at is null
  and (c.claim_id = %(claim_id)s::text or c.topic_id = %(topic_id)s::text
       or (%(claim_id)s::text is null and %(topic_id)s::text is null))
group by c.claim_id, c.title, cv.statement, c.topic_id, c.position
order by c.topic_id, c.position

-- down --
-- Feeds that have not answered well for some polls in a row, the one down longest first.
select coalesce(pub.name, f.title, f.url) as name, coalesce(f.last_success_at, f.added_at) as since
from ingest.feeds f
left join ingest.publishers pub using (publisher_id)
where f.state = 'active' and f.failures >= %(failures)s and f.added_at <= %(now)s
order by since, f.feed_id

-- waiting --
-- Stages with work that has been due for longer than that.
select w.stage, count(*)::bigint as items, min(w.due_at) as since
from ingest.work w
where w.due_at < %(since)s and w.lease_until is null
group by w.stage
order by since
