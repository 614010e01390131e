-- view analysis.notices
create or replace view analysis.notices as
select n.event_id, ev.claim_id, ev.kind, ev.happened_at, n.subscription_id, n.decision, n.reason, n.alert_id,
       n.decided_at, coalesce(ev.headline, ev.reason) as news
from ingest.notices n
join ingest.claim_events ev using (event_id);

comment on view analysis.notices is 'Whether a claim event was told to a subscription as it happened, and why not: one row an event and instant subscription.';
comment on column analysis.notices.event_id is 'The event.';
comment on column analysis.notices.claim_id is 'Its claim.';
comment on column analysis.notices.kind is 'Its kind.';
comment on column analysis.notices.happened_at is 'When it happened.';
comment on column analysis.notices.subscription_id is 'The subscription.';
comment on column analysis.notices.decision is 'told: in a mail; held: the next mail on the claim tells it too; skipped: not what the reader asked for.';
comment on column analysis.notices.reason is 'Why, in plain words.';
comment on column analysis.notices.alert_id is 'The message that tells it.';
comment on column analysis.notices.decided_at is 'When it was decided.';
comment on column analysis.notices.news is 'What the event says, in a few words.';
