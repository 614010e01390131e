-- subscribe --
-- Adds a subscription that counts as confirmed; one that is active already brings no row.
insert into ingest.subscriptions (
    email, channel, claim_id, topic_id, rhythm, hour, weekday, timezone, quiet_from, quiet_until, min_probability,
    languages, created_at, confirmed_at, next_digest_at)
values (
    %(email)s, %(channel)s, %(claim_id)s, %(topic_id)s, %(rhythm)s, %(hour)s, %(weekday)s, %(timezone)s, %(quiet_from)s,
    %(quiet_until)s, %(min_probability)s, %(languages)s::text[], %(now)s, %(now)s, %(next_digest_at)s)
on conflict (channel, lower(email), coalesce(claim_id, ''), coalesce(topic_id, ''), rhythm) where ended_at is null
    do nothing
returning subscription_id

-- unsubscribe_all --
-- Ends everything that a reader gets.
update ingest.subscriptions set ended_at = %(now)s
where lower(email) = lower(%(email)s) and ended_at is null
returning subscription_id

-- end --
-- Ends a subscription; false where it had ended.
select ingest.end_subscription(%(subscription_id)s, %(now)s) as ended

-- pause --
-- Nothing is sent for a subscription until a moment; without one it goes on.
select ingest.pause_subscription(%(subscription_id)s, %(until)s, %(now)s)

-- confirm --
-- The reader has said yes; false where they had before.
select ingest.confirm_subscription(%(subscription_id)s, %(now)s) as confirmed

-- end_unanswered --
-- Ends subscriptions that nobody has said yes to for long.
update ingest.subscriptions set ended_at = %(now)s
where confirmed_at is null and ended_at is null and created_at < %(before)s
returning subscription_id

-- subscriptions --
-- Subscriptions that have not ended.
select s.subscription_id, s.email, s.channel, s.claim_id, s.topic_id, s.rhythm, s.hour, s.weekday, s.timezone,
       s.quiet_from, s.quiet_until, s.min_probability, s.languages, s.confirmed_at, s.paused_until, s.next_digest_at,
       s.created_at
from ingest.subscriptions s
where s.ended_at is null
order by lower(s.email), s.claim_id, s.topic_id, s.subscription_id

-- subscription --
-- One that has not ended.
select s.subscription_id, s.email, s.channel, s.claim_id, s.topic_id, s.rhythm, s.hour, s.weekday, s.timezone,
       s.quiet_from, s.quiet_until, s.min_probability, s.languages, s.confirmed_at, s.paused_until, s.next_digest_at,
       s.created_at
from ingest.subscriptions s
where s.subscription_id = %(subscription_id)s and s.ended_at is null

-- instant --
-- Subscriptions that are told of a claim's events as they happen, the narrowest first.
select s.subscription_id, s.email, s.channel, s.rhythm, s.hour, s.weekday, s.timezone, s.quiet_from, s.quiet_until,
       s.min_probability, s.languages, s.paused_until
from ingest.subscriptions s
where s.ended_at is null and s.confirmed_at is not null and s.rhythm = 'instant'
  and (s.claim_id = %(claim_id)s or s.topic_id = %(topic_id)s or (s.claim_id is null and s.topic_id is null))
order by s.channel, lower(s.email), s.claim_id nulls last, s.topic_id nulls last, s.subscription_id

-- news --
-- Events as readers may be told of them, in the order in which they were noticed: with the probability of their story's
-- best evidence, and the languages that tell it.
select ev.event_id, ev.claim_id, c.topic_id, ev.kind, ev.event_key, ev.reason, ev.headline, ev.story_id, ev.happened_at,
       ev.known_at, best.probability, best.languages
from ingest.claim_events ev
join ingest.claims c using (claim_id)
left join lateral (
    select max(m.probability) as probability, array_agg(distinct v.language) filter (where v.language is not null) as languages
    from ingest.articles a
    join ingest.versions v using (article_id)
    join ingest.appearances ap using (version_id)
    join ingest.matches m using (paragraph_id)
    where a.story_id = ev.story_id and m.claim_id = ev.claim_id and m.tier = 'accepted' and m.superseded_at is null
) best on true
where ev.event_id = any(%(event_ids)s)
order by ev.known_at, ev.event_id

-- noticed --
-- Events of some kinds that were noticed in a span of time.
select ev.event_id
from ingest.claim_events ev
where ev.known_at >= %(since)s and ev.known_at < %(until)s and ev.kind = any(%(kinds)s)
order by ev.known_at, ev.event_id

-- told_last --
-- The latest thing that a reader has been told of a claim, or is about to be. A silence is no coverage: what ends it is
-- told.
select ev.happened_at
from ingest.alerts al
join ingest.alert_events ae using (alert_id)
join ingest.claim_events ev on ev.event_id = ae.event_id
where al.claim_id = %(claim_id)s and al.channel = %(channel)s and lower(al.email) = lower(%(email)s)
  and al.kind = 'alert' and al.state <> 'failed' and ev.kind <> 'silence'
order by ev.happened_at desc
limit 1

-- note --
-- What was decided on an event for a subscription, and why.
insert into ingest.notices (event_id, subscription_id, decision, reason, alert_id, decided_at)
values (%(event_id)s, %(subscription_id)s, %(decision)s, %(reason)s, %(alert_id)s, %(now)s)
on conflict (event_id, subscription_id) do nothing

-- add --
-- Puts a mail into the outbox; a delivery key that is there already brings no row.
with added as (
    insert into ingest.alerts (
        delivery_key, event_id, claim_id, subscription_id, kind, channel, email, subject, body, since, until, created_at,
        message_id)
    values (
        %(delivery_key)s, %(event_id)s, %(claim_id)s, %(subscription_id)s, %(kind)s, %(channel)s, %(email)s, %(subject)s,
        %(body)s, %(since)s, %(until)s, %(now)s, %(message_id)s)
    on conflict (delivery_key) do nothing
    returning alert_id, event_id
), told as (
    insert into ingest.alert_events (alert_id, event_id)
    select alert_id, event_id from added where event_id is not null
)
select alert_id from added

-- waiting_mail --
-- A reader's alert on a claim that nobody has tried to send yet: what may have gone out is not changed any more.
select al.alert_id
from ingest.alerts al
join ingest.work w on w.stage = 'notify' and w.item_id = al.alert_id
where al.claim_id = %(claim_id)s and al.channel = %(channel)s and lower(al.email) = lower(%(email)s)
  and al.kind = 'alert' and al.state = 'pending' and w.lease_until is null and al.tried_at is null
order by al.alert_id
limit 1
for update of w

-- tell_too --
-- A mail that waits tells one event more.
insert into ingest.alert_events (alert_id, event_id) values (%(alert_id)s, %(event_id)s)
on conflict do nothing

-- take_held --
-- What was held back on a claim for a reader goes into the mail that is sent now.
update ingest.notices n set alert_id = %(alert_id)s
from ingest.subscriptions s, ingest.claim_events ev
where s.subscription_id = n.subscription_id and ev.event_id = n.event_id and n.decision = 'held' and n.alert_id is null
  and ev.claim_id = %(claim_id)s and s.channel = %(channel)s and lower(s.email) = lower(%(email)s)

-- told --
-- The events that a mail tells.
select ev.kind, ev.event_key, ev.reason, ev.headline, ev.story_id, ev.happened_at
from ingest.alert_events ae join ingest.claim_events ev using (event_id)
where ae.alert_id = %(alert_id)s
order by ev.event_id

-- held --
-- What had been held back and is told beside them.
select distinct ev.event_id, ev.kind, ev.event_key, ev.reason, ev.headline, ev.happened_at
from ingest.notices n join ingest.claim_events ev using (event_id)
where n.alert_id = %(alert_id)s and n.decision = 'held'
order by ev.event_id

-- to_send --
-- Alerts with the claim that they are about.
select al.alert_id, al.kind, al.channel, al.email, al.message_id, al.subject, al.body, al.state, al.event_id, al.claim_id,
       al.subscription_id, al.since, al.until, al.created_at, cv.statement, c.title, s.rhythm, s.timezone
from ingest.alerts al
left join ingest.claims c using (claim_id)
left join ingest.claim_versions cv on cv.claim_version_id = c.current_version_id
left join ingest.subscriptions s using (subscription_id)
where al.alert_id = any(%(alert_ids)s)
order by al.alert_id

-- still_wanted --
-- The subscriptions that a message is sent for and that have not ended: its own, and for an alert those that are told
-- by it.
select s.subscription_id, s.rhythm, s.hour, s.weekday, s.timezone, s.quiet_from, s.quiet_until, s.min_probability,
       s.languages, s.paused_until
from ingest.alerts al
join ingest.subscriptions s on s.subscription_id = al.subscription_id
    or s.subscription_id in (select n.subscription_id from ingest.notices n where n.alert_id = al.alert_id and n.decision = 'told')
where al.alert_id = %(alert_id)s and s.ended_at is null

-- thread --
-- Message-IDs of what a reader got on a claim before, the first and the latest nine.
select message_id
from (
    select al.message_id, al.alert_id, row_number() over (order by al.alert_id) as first,
           row_number() over (order by al.alert_id desc) as latest
    from ingest.alerts al
    where al.claim_id = %(claim_id)s and lower(al.email) = lower(%(email)s) and al.channel = 'mail'
      and al.kind = 'alert' and al.alert_id < %(alert_id)s and al.state <> 'failed'
) before
where first = 1 or latest <= 9
order by alert_id

-- evidence --
-- What stories say on a claim, best first: the sentence in its paragraph, and every article that carries it, with whom
-- the paragraph rests on there, and the totals that it states: role, low, high.
select m.match_id, m.probability, m.stance, m.sentence, p.text as paragraph, v.title, v.language, v.published_at, v.source,
       art.url, art.article_id, v.version_id, art.story_id, pub.name as publisher, pub.family, pub.country, m.why,
       m.precision, m.labels, m.matcher_tier is not null as confirmed,
       array(select o.name from ingest.version_origins vo join ingest.origins o using (origin_id)
             where vo.version_id = a.version_id and vo.position = a.position
             order by vo.strength desc, o.name) as origins,
       array(select vo.origin_id from ingest.version_origins vo
             where vo.version_id = a.version_id and vo.position = a.position
             order by vo.strength desc, vo.origin_id) as origin_ids,
       (select coalesce(jsonb_agg(jsonb_build_array(f.role, f.low, f.high) order by f.figure_id), '[]')
        from ingest.figures f
        where f.claim_id = m.claim_id and f.paragraph_id = m.paragraph_id and f.version_id = a.version_id
          and not f.denied and not f.increment and not f.earlier) as figures
from ingest.matches m
join ingest.paragraphs p using (paragraph_id)
join ingest.appearances a on a.paragraph_id = p.paragraph_id
join ingest.versions v on v.version_id = a.version_id
join ingest.articles art on art.article_id = v.article_id
join ingest.publishers pub on pub.publisher_id = art.publisher_id
where m.claim_id = %(claim_id)s and m.tier = 'accepted' and m.superseded_at is null
  and art.story_id = any(%(story_ids)s)
order by array_position(%(story_ids)s, art.story_id), m.probability desc, m.paragraph_id, v.published_at, v.version_id

-- coverage --
-- How much evidence a claim has in all, but for some stories.
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
  and art.story_id <> all(%(without)s::bigint[])

-- standing --
-- Each authority's latest figure of each role on a claim, the highest first, and the other number it gave before that.
with figure as (
    select f.figure_id, f.role, f.origin_id, f.low, f.high, f.modality, f.as_of,
           row_number() over (partition by f.role, f.origin_id order by f.as_of desc, f.known_at desc, f.figure_id desc) as nth
    from ingest.figures f
    where f.claim_id = %(claim_id)s and f.origin_id is not null and not f.denied and not f.increment and not f.earlier
      and f.corrected_at is null
)
select latest.role, o.name, o.kind, latest.low, latest.high, latest.modality, latest.as_of,
       before.low as low_before, before.high as high_before, before.modality as modality_before
from figure latest
join ingest.origins o using (origin_id)
left join lateral (
    select b.low, b.high, b.modality
    from figure b
    where b.role = latest.role and b.origin_id = latest.origin_id
      and (b.low, b.high) is distinct from (latest.low, latest.high)
    order by b.nth
    limit 1
) before on true
where latest.nth = 1
order by latest.as_of desc, latest.high desc, latest.role, o.name
limit 12

-- take_turn --
-- Senders who are about to mail to a domain ask one after the other.
select pg_advisory_xact_lock(hashtext('claimwatch.mail'), hashtext(%(domain)s))

-- domain_free --
-- When the domain may have one mail more, after `ahead` others that wait for the same; no row: at once. Both moments of
-- a mail count, when it was offered and when it was taken, and those of a clock that was put back since don't.
select greatest(al.tried_at, al.sent_at) + interval '1 minute' as at
from ingest.alerts al
where (al.tried_at > %(now)s::timestamptz - interval '1 minute' or al.sent_at > %(now)s::timestamptz - interval '1 minute')
  and greatest(al.tried_at, al.sent_at) <= %(now)s
  and lower(substring(al.email from '[^@]*$')) = %(domain)s
order by greatest(al.tried_at, al.sent_at) desc
offset greatest(%(rate)s::integer - 1 - %(ahead)s::integer, 0)
limit 1

-- tried --
-- The mail server is about to be asked.
update ingest.alerts set tried_at = %(now)s, tries = tries + 1 where alert_id = %(alert_id)s
returning tries

-- untried --
-- It could not even be offered, for a reason that is no fault of the mail.
update ingest.alerts set tries = greatest(tries - 1, 0), problem = %(problem)s where alert_id = %(alert_id)s

-- sent --
-- It was taken: noted, and its work done, in one statement. What has gone out has gone out, so this holds also where
-- another run has taken the item over meanwhile.
with done as (
    delete from ingest.work where stage = 'notify' and item_id = %(alert_id)s
)
update ingest.alerts set state = 'sent', sent_at = %(now)s, subject = %(subject)s, problem = null
where alert_id = %(alert_id)s
returning alert_id

-- waiting --
-- It will be tried again.
update ingest.alerts set problem = %(problem)s where alert_id = %(alert_id)s

-- failed --
-- It won't be delivered.
update ingest.alerts set state = 'failed', problem = %(problem)s where alert_id = %(alert_id)s

-- again --
-- Failed messages, all or those of some numbers, as if they had just been put there: but for a digest whose span a later
-- one tells, and what its reader has ended.
with again as (
    update ingest.alerts al set state = 'pending', tries = 0, problem = null
    where al.state = 'failed' and (%(alert_ids)s::bigint[] is null or al.alert_id = any(%(alert_ids)s))
      and not exists (select from ingest.alerts later
                      where al.kind = 'digest' and later.kind = 'digest' and later.subscription_id = al.subscription_id
                        and later.alert_id > al.alert_id)
      and not exists (select from ingest.subscriptions s
                      where s.subscription_id = al.subscription_id and s.ended_at is not null)
    returning al.alert_id, al.email
)
insert into ingest.work (stage, item_id, host, due_at)
select 'notify', alert_id, lower(substring(email from '[^@]*$')), %(now)s
from again
on conflict do nothing
returning item_id as alert_id

-- states --
-- How many alerts stand where.
select state, count(*) as alerts from ingest.alerts group by state order by state

-- log --
-- What stands in the outbox or left it, put there in a span of time, the latest first.
select al.alert_id, al.created_at, al.email, al.kind, al.claim_id, al.state, al.sent_at, al.subject, al.problem, w.due_at, w.attempts
from ingest.alerts al
left join ingest.claims c using (claim_id)
left join ingest.work w on w.stage = 'notify' and w.item_id = al.alert_id
where al.created_at >= %(since)s and al.created_at <= %(until)s
  and (%(claim_id)s::text is null or al.claim_id = %(claim_id)s) and (%(topic_id)s::text is null or c.topic_id = %(topic_id)s)
order by al.created_at desc, al.alert_id desc
