-- Alerts that people keep switched on: what a reader asked for, why they were told or not, digests, other channels.

alter table ingest.claims add column title text;
comment on column ingest.claims.title is 'Its name in a few words, as subjects of mails call it; empty: its short name, written out.';

alter table ingest.claim_events drop constraint claim_events_kind_check;
alter table ingest.claim_events add constraint claim_events_kind_check check (
    kind in ('first_seen', 'fresh_coverage', 'new_story', 'archive', 'surge', 'contradiction', 'silence', 'edited',
             'new_origin', 'first_official_figure', 'new_maximum', 'new_minimum', 'figures_disagree', 'figure_edited'));
alter table ingest.claim_events add column headline text;
comment on column ingest.claim_events.headline is 'The news in a few words, as a subject tells it ("NIS now says about 600, was 300"); empty: what the kind is called.';

alter table ingest.subscriptions
    add column topic_id text references ingest.topics,
    add column channel text not null default 'mail' check (channel in ('mail', 'service')),
    add column rhythm text not null default 'instant' check (rhythm in ('instant', 'daily', 'weekly')),
    add column hour smallint not null default 8 check (hour between 0 and 23),
    add column weekday smallint not null default 1 check (weekday between 1 and 7),
    add column timezone text not null default 'UTC',
    add column quiet_from time,
    add column quiet_until time,
    add column min_probability real check (min_probability between 0 and 1),
    add column languages text[],
    add column confirmed_at timestamptz,
    add column paused_until timestamptz,
    add column next_digest_at timestamptz,
    add check (claim_id is null or topic_id is null),
    add check ((quiet_from is null) = (quiet_until is null));
update ingest.subscriptions set confirmed_at = created_at;
drop index ingest.subscriptions_active;
create unique index subscriptions_active on ingest.subscriptions
    (channel, lower(email), coalesce(claim_id, ''), coalesce(topic_id, ''), rhythm) where ended_at is null;
create index subscriptions_topic on ingest.subscriptions (topic_id);
create index subscriptions_digest on ingest.subscriptions (next_digest_at) where ended_at is null;
comment on table ingest.subscriptions is 'Who is told of what, how soon and how.';
comment on column ingest.subscriptions.email is 'Mail address; for channel service, the name of one in the settings ([alerts.services]).';
comment on column ingest.subscriptions.claim_id is 'The claim; empty means every claim of the topic.';
comment on column ingest.subscriptions.topic_id is 'The topic; empty, with an empty claim, means everything.';
comment on column ingest.subscriptions.channel is 'mail, or service: a chat or other service in the settings.';
comment on column ingest.subscriptions.rhythm is 'instant: a mail as it happens; daily or weekly: a digest.';
comment on column ingest.subscriptions.hour is 'Hour of the digest, on the reader''s clock.';
comment on column ingest.subscriptions.weekday is 'Day of a weekly digest: 1 is Monday.';
comment on column ingest.subscriptions.timezone is 'The reader''s time zone, as the IANA calls it: Europe/Berlin.';
comment on column ingest.subscriptions.quiet_from is 'From when on the reader''s clock mails wait; empty: they never do.';
comment on column ingest.subscriptions.quiet_until is 'Until when they wait.';
comment on column ingest.subscriptions.min_probability is 'Only what is at least so probable; empty: whatever is accepted as evidence.';
comment on column ingest.subscriptions.languages is 'Only what is reported in one of these languages; empty: any.';
comment on column ingest.subscriptions.confirmed_at is 'When the reader said yes, or the operator for them; nothing is sent before.';
comment on column ingest.subscriptions.paused_until is 'Nothing is sent before this; empty: not paused.';
comment on column ingest.subscriptions.next_digest_at is 'When the next digest is due; empty for instant ones.';

alter table ingest.alerts
    add column kind text not null default 'alert' check (kind in ('alert', 'digest', 'confirmation', 'operator')),
    add column claim_id text references ingest.claims,
    add column subscription_id bigint references ingest.subscriptions,
    add column channel text not null default 'mail' check (channel in ('mail', 'service')),
    add column since timestamptz,
    add column until timestamptz,
    add column tries integer not null default 0,
    add column tried_at timestamptz;
update ingest.alerts set kind = 'operator' where event_id is null;
update ingest.alerts al set claim_id = ev.claim_id from ingest.claim_events ev where ev.event_id = al.event_id;
create index alerts_claim on ingest.alerts (claim_id, lower(email));
create index alerts_subscription on ingest.alerts (subscription_id);
create index alerts_sent on ingest.alerts (sent_at);
create index alerts_tried on ingest.alerts (tried_at);
comment on table ingest.alerts is 'The outbox: mails and other messages; ingest.alert_events says which events each tells.';
comment on column ingest.alerts.event_id is 'The claim event that made the mail; empty for digests and what is no alert.';
comment on column ingest.alerts.kind is 'alert, digest, confirmation (asks whether a subscription is wanted) or operator (to whoever runs this).';
comment on column ingest.alerts.claim_id is 'The claim that an alert is about.';
comment on column ingest.alerts.subscription_id is 'The subscription that it is sent for.';
comment on column ingest.alerts.channel is 'mail or service, as the subscription has it.';
comment on column ingest.alerts.since is 'A digest tells what was noticed from here on.';
comment on column ingest.alerts.until is 'A digest tells what was noticed before this.';
comment on column ingest.alerts.tries is 'How often the mail server or service was asked to take it.';
comment on column ingest.alerts.tried_at is 'When the mail server or service was last asked to take it.';
comment on column ingest.alerts.state is 'pending, sent, or failed for good: problem says why.';

create table ingest.notices (
    event_id        bigint      not null references ingest.claim_events on delete cascade,
    subscription_id bigint      not null references ingest.subscriptions on delete cascade,
    decision        text        not null check (decision in ('told', 'held', 'skipped')),
    reason          text        not null,
    alert_id        bigint      references ingest.alerts on delete set null,
    decided_at      timestamptz not null,
    primary key (event_id, subscription_id)
);
create index notices_subscription on ingest.notices (subscription_id);
create index notices_alert on ingest.notices (alert_id);
comment on table ingest.notices is 'Whether a claim event was told to a subscription as it happened, and why not.';
comment on column ingest.notices.event_id is 'The event.';
comment on column ingest.notices.subscription_id is 'The subscription.';
comment on column ingest.notices.decision is 'told: in a mail; held: the next mail on the claim tells it too; skipped: not what the reader asked for.';
comment on column ingest.notices.reason is 'Why, in plain words.';
comment on column ingest.notices.alert_id is 'The mail that tells it.';
comment on column ingest.notices.decided_at is 'When it was decided.';
