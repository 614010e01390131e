-- view analysis.subscriptions
create or replace view analysis.subscriptions as
select s.subscription_id,
       case s.channel when 'mail' then regexp_replace(s.email, '^(.).*(@[^@]*)$', '\1…\2') else s.email end as reader,
       s.channel, s.claim_id, s.topic_id as topic,
       coalesce(c.title, upper(left(replace(s.claim_id, '-', ' '), 1)) || substr(replace(s.claim_id, '-', ' '), 2),
                t.name, 'All claims') as about,
       s.rhythm, s.hour, s.weekday, s.timezone, s.quiet_from, s.quiet_until, s.min_probability, s.languages,
       s.created_at, s.confirmed_at, s.paused_until, s.next_digest_at, s.ended_at, sent.last_at as last_sent_at,
       coalesce(sent.messages, 0) as messages
from ingest.subscriptions s
left join ingest.claims c on c.claim_id = s.claim_id
left join ingest.topics t on t.topic_id = s.topic_id
left join lateral (
    select max(al.sent_at) as last_at, count(*) as messages
    from ingest.alerts al
    where al.subscription_id = s.subscription_id and al.state = 'sent' and al.kind <> 'confirmation'
) sent on true;

comment on view analysis.subscriptions is 'Who is told of what, and how; those that have ended too. Addresses are personal: they are shown in part, and only to the role claimwatch_reviewer.';
comment on column analysis.subscriptions.subscription_id is 'Number of the subscription.';
comment on column analysis.subscriptions.reader is 'The mail address without its middle, a…@example.org; of another channel, the name of the service.';
comment on column analysis.subscriptions.channel is 'mail, or service: a chat or other service in the settings.';
comment on column analysis.subscriptions.claim_id is 'The claim that it is about; empty means every claim of the topic.';
comment on column analysis.subscriptions.topic is 'The topic that it is about; empty, with an empty claim, means everything.';
comment on column analysis.subscriptions.about is 'What it is about, in words.';
comment on column analysis.subscriptions.rhythm is 'instant: as it happens; daily or weekly: a digest.';
comment on column analysis.subscriptions.hour is 'Hour of the digest, on the reader''s clock.';
comment on column analysis.subscriptions.weekday is 'Day of a weekly digest: 1 is Monday.';
comment on column analysis.subscriptions.timezone is 'The reader''s time zone.';
comment on column analysis.subscriptions.quiet_from is 'From when on the reader''s clock mails wait; empty: they never do.';
comment on column analysis.subscriptions.quiet_until is 'Until when they wait.';
comment on column analysis.subscriptions.min_probability is 'Only what is at least so probable; empty: whatever is accepted as evidence.';
comment on column analysis.subscriptions.languages is 'Only what is reported in one of these languages; empty: any.';
comment on column analysis.subscriptions.created_at is 'Since when it is asked for. Events before it are not told.';
comment on column analysis.subscriptions.confirmed_at is 'When the reader said yes, or the operator for them; nothing is sent before.';
comment on column analysis.subscriptions.paused_until is 'Nothing is sent before this; empty: not paused.';
comment on column analysis.subscriptions.next_digest_at is 'When the next digest is due; empty for instant ones.';
comment on column analysis.subscriptions.ended_at is 'When it ended.';
comment on column analysis.subscriptions.last_sent_at is 'When the last message was sent for it.';
comment on column analysis.subscriptions.messages is 'How many were.';
