-- view analysis.alerts
create or replace view analysis.alerts as
select al.alert_id, al.kind, al.channel, al.claim_id, al.subscription_id,
       array(select ae.event_id from ingest.alert_events ae where ae.alert_id = al.alert_id order by ae.event_id) as events,
       regexp_replace(al.subject, '[^\s<>()"'',;:]+@[^\s<>()"'',;:]+', '(address)', 'g') as subject, al.state,
       al.created_at, al.sent_at,
       regexp_replace(al.problem, '[^\s<>()"'',;:]+@[^\s<>()"'',;:]+', '(address)', 'g') as problem, al.since, al.until
from ingest.alerts al;

comment on view analysis.alerts is 'The outbox without its addresses: what was sent or will be, when, and about which events.';
comment on column analysis.alerts.alert_id is 'Number of the message.';
comment on column analysis.alerts.kind is 'alert, digest, confirmation (asks whether a subscription is wanted) or operator (to whoever runs this).';
comment on column analysis.alerts.channel is 'mail, or service: a chat or other service in the settings.';
comment on column analysis.alerts.claim_id is 'The claim that an alert is about.';
comment on column analysis.alerts.subscription_id is 'The subscription that it is sent for.';
comment on column analysis.alerts.events is 'Numbers of the claim events that an alert tells; a digest tells those of its span.';
comment on column analysis.alerts.subject is 'Its subject; known once it was sent.';
comment on column analysis.alerts.state is 'pending, sent, or failed for good: problem says why.';
comment on column analysis.alerts.created_at is 'When it was put into the outbox.';
comment on column analysis.alerts.sent_at is 'When the mail server, or the service, took it.';
comment on column analysis.alerts.problem is 'Why it failed or waits, mail addresses left out.';
comment on column analysis.alerts.since is 'A digest tells what was noticed from here on.';
comment on column analysis.alerts.until is 'A digest tells what was noticed before this.';
