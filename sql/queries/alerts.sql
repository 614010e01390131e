-- subscribe --
-- Adds a subscription; one that is active already brings no row.
insert into ingest.subscriptions (email, claim_id, created_at) values (%(email)s, %(claim_id)s, %(now)s)
on conflict (lower(email), coalesce(claim_id, '')) where ended_at is null do nothing
returning subscription_id

-- unsubscribe --
-- Ends a subscription.
update ingest.subscriptions set ended_at = %(now)s
where lower(email) = lower(%(email)s) and claim_id is not distinct from %(claim_id)s and ended_at is null
returning subscription_id

-- subscriptions --
-- Active subscriptions.
select email, claim_id, created_at from ingest.subscriptions where ended_at is null order by email, claim_id

-- readers --
-- Who is to hear of a claim: one row a reader, however many subscriptions cover it.
select min(email) as email
from ingest.subscriptions
where ended_at is null and (claim_id = %(claim_id)s or claim_id is null)
group by lower(email)
order by lower(email)

-- add --
-- Puts a mail into the outbox; a delivery key that is there already brings no row.
with added as (
    insert into ingest.alerts (delivery_key, event_id, email, subject, body, created_at, message_id)
    values (%(delivery_key)s, %(event_id)s, %(email)s, %(subject)s, %(body)s, %(now)s, %(message_id)s)
    on conflict (delivery_key) do nothing
    returning alert_id, event_id
), told as (
    insert into ingest.alert_events (alert_id, event_id)
    select alert_id, event_id from added where event_id is not null
)
select alert_id from added

-- waiting_mail --
-- A reader's mail on a claim and story that has not gone out and that no process is sending just now.
select al.alert_id
from ingest.claim_events ev
join ingest.alerts al using (event_id)
join ingest.work w on w.stage = 'notify' and w.item_id = al.alert_id
where ev.claim_id = %(claim_id)s and ev.story_id = %(story_id)s and lower(al.email) = lower(%(email)s)
  and al.state = 'pending' and (w.lease_until is null or w.lease_until <= %(now)s)
order by al.alert_id
limit 1
for update of w

-- tell_too --
-- A mail that waits tells one event more.
insert into ingest.alert_events (alert_id, event_id) values (%(alert_id)s, %(event_id)s)
on conflict do nothing

-- told --
-- The events that a mail tells.
select ev.kind, ev.event_key, ev.reason
from ingest.alert_events ae join ingest.claim_events ev using (event_id)
where ae.alert_id = %(alert_id)s
order by ev.event_id

-- to_send --
-- Alerts with the event they tell of.
select al.alert_id, al.email, al.message_id, al.subject, al.body, al.state, al.event_id, ev.kind, ev.claim_id,
       ev.story_id, ev.happened_at, cv.statement
from ingest.alerts al
left join ingest.claim_events ev using (event_id)
left join ingest.claims c using (claim_id)
left join ingest.claim_versions cv on cv.claim_version_id = c.current_version_id
where al.alert_id = any(%(alert_ids)s)

-- evidence_of_story --
-- What a story says on a claim, best first: the sentence in its paragraph, and every article that carries it, with
-- whom the paragraph rests on there.
select m.probability, m.stance, m.sentence, p.text as paragraph, v.title, v.language, v.published_at, v.source,
       art.url, pub.name as publisher, pub.family, pub.country, m.why, m.precision, m.labels,
       m.matcher_tier is not null as confirmed,
       array(select o.name from ingest.version_origins vo join ingest.origins o using (origin_id)
             where vo.version_id = a.version_id and vo.position = a.position
             order by vo.strength desc, o.name) as origins
from ingest.matches m
join ingest.paragraphs p using (paragraph_id)
join ingest.appearances a on a.paragraph_id = p.paragraph_id
join ingest.versions v on v.version_id = a.version_id
join ingest.articles art on art.article_id = v.article_id
join ingest.publishers pub on pub.publisher_id = art.publisher_id
where m.claim_id = %(claim_id)s and m.tier = 'accepted' and m.superseded_at is null and art.story_id = %(story_id)s
order by m.probability desc, m.paragraph_id, v.published_at, v.version_id

-- coverage --
-- How much evidence a claim has in all.
select count(distinct art.story_id) as stories, count(distinct art.article_id) as articles,
       count(distinct pub.publisher_id) as publishers, count(distinct pub.family) as families,
       count(distinct vo.origin_id) as origins, min(v.published_at) as first_at, max(v.published_at) as last_at
from ingest.matches m
join ingest.appearances a using (paragraph_id)
join ingest.versions v using (version_id)
join ingest.articles art using (article_id)
join ingest.publishers pub using (publisher_id)
left join ingest.version_origins vo on vo.version_id = a.version_id and vo.position = a.position
where m.claim_id = %(claim_id)s and m.tier = 'accepted' and m.superseded_at is null

-- sent --
-- The mail server took it.
update ingest.alerts set state = 'sent', sent_at = %(now)s, subject = %(subject)s, problem = null
where alert_id = %(alert_id)s

-- waiting --
-- It will be tried again.
update ingest.alerts set problem = %(problem)s where alert_id = %(alert_id)s

-- failed --
-- It won't be delivered.
update ingest.alerts set state = 'failed', problem = %(problem)s where alert_id = %(alert_id)s

-- states --
-- How many alerts stand where.
select state, count(*) as alerts from ingest.alerts group by state order by state
