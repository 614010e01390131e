-- all --
-- Subscriptions that have not ended, those still unanswered first; of a reader, where an address is given. `total` counts
-- all pages.
select s.*, count(*) over () as total
from analysis.subscriptions s
where s.ended_at is null
  and (%(reader)s::text is null
       or s.subscription_id in (select * from analysis.subscriptions_of(%(reader)s::text)))
order by s.confirmed_at is not null, lower(s.about), s.reader, s.subscription_id
limit %(most)s::bigint offset %(skipped)s::bigint

-- one --
-- A subscription, ended or not.
select s.* from analysis.subscriptions s where s.subscription_id = %(subscription)s::bigint

-- choices --
-- What there is to subscribe to: the claims that are followed, by topic.
select c.claim_id, c.topic, c.statement
from analysis.claims c
where c.retired_at is null
order by c.topic, c.statement

-- decisions --
-- What was decided for a subscription of late, and why.
select n.event_id, n.claim_id, n.kind, n.news, n.decision, n.reason, n.decided_at
from analysis.notices n
where n.subscription_id = %(subscription)s::bigint
order by n.decided_at desc, n.event_id desc
limit %(most)s::bigint

-- messages --
-- What was sent for a subscription of late, or waits.
select a.alert_id, a.kind, a.claim_id, a.subject, a.state, a.created_at, a.sent_at, a.problem
from analysis.alerts a
where a.subscription_id = %(subscription)s::bigint
order by a.alert_id desc
limit %(most)s::bigint

-- subscribe --
-- A subscription that a mail asks about first.
select analysis.subscribe(
    %(email)s::text, %(claim)s::text, %(topic)s::text, %(rhythm)s::text, %(hour)s::integer, %(weekday)s::integer,
    %(timezone)s::text, %(quiet_from)s::time, %(quiet_until)s::time, %(min_probability)s::double precision,
    %(languages)s::text[], %(sender_domain)s::text, %(now)s::timestamptz) as subscription_id

-- change --
-- Other wishes, all at once.
select analysis.change_subscription(
    %(subscription)s::bigint, %(rhythm)s::text, %(hour)s::integer, %(weekday)s::integer, %(timezone)s::text,
    %(quiet_from)s::time, %(quiet_until)s::time, %(min_probability)s::double precision, %(languages)s::text[],
    %(now)s::timestamptz) as subscription_id

-- pause --
-- Nothing until a moment; without one it goes on.
select analysis.pause_subscription(%(subscription)s::bigint, %(until)s::timestamptz, %(now)s::timestamptz) as until

-- end --
-- Nothing more is sent for it.
select analysis.end_subscription(%(subscription)s::bigint, %(now)s::timestamptz) as ended

-- confirm --
-- The reader says yes.
select analysis.confirm_subscription(%(subscription)s::bigint, %(now)s::timestamptz) as confirmed

-- match --
-- A match as a mail quoted it, with what reviewers say of it now.
select t.match_id, t.claim_id, c.statement, t.sentence, t.text, t.language, t.publisher, t.country, t.title, t.url,
       t.published_at, t.stance, t.verdict, t.reviewed_at
from analysis.match_text(%(match)s::bigint) t
join analysis.claims c using (claim_id)
