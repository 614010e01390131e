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

-- Subscriptions by way of the reviewers' role: the desk, and the links in mails -------------------------------------

create function ingest.next_digest(p_rhythm text, p_hour integer, p_weekday integer, p_timezone text, p_after timestamptz)
returns timestamptz
language sql stable
as $$
select min(at) from (
    -- Of an hour that summer time has twice, the first.
    select case when (there.at - interval '1 hour') at time zone p_timezone = wall.at then there.at - interval '1 hour'
                else there.at end as at
    from generate_series(0, 8) ahead
    cross join lateral (
        select (p_after at time zone p_timezone)::date + ahead + make_time(p_hour, 0, 0) as at) wall
    cross join lateral (select wall.at at time zone p_timezone as at) there
    where p_rhythm = 'daily' or (p_rhythm = 'weekly' and extract(isodow from wall.at) = p_weekday)
) due
where at > p_after
$$;
comment on function ingest.next_digest is 'The first moment later than p_after at which a digest is due, by the reader''s clock; empty for instant mail.';

create function ingest.zone(p_name text) returns text
language plpgsql stable
as $$
declare
    v_name text;
begin
    select z.name into v_name from pg_timezone_names z
    where lower(z.name) = lower(trim(p_name)) and (z.name ~ '^[A-Z][A-Za-z]+/' or z.name in ('UTC', 'GMT'));
    if v_name is null then
        raise exception '% is not a time zone', coalesce(quote_literal(p_name), 'nothing')
            using hint = 'Write it like Europe/Berlin or Asia/Seoul.';
    end if;
    return v_name;
end
$$;
comment on function ingest.zone is 'A time zone''s name as the IANA spells it; raises where there is none.';

create function ingest.check_wishes(p_rhythm text, p_hour integer, p_weekday integer, p_quiet_from time,
                                    p_quiet_until time, p_min_probability real, p_languages text[])
returns void
language plpgsql immutable
as $$
begin
    if p_rhythm is null or p_rhythm not in ('instant', 'daily', 'weekly') then
        raise exception 'no rhythm is called %', coalesce(quote_literal(p_rhythm), 'nothing')
            using hint = 'It is instant, daily or weekly.';
    elsif p_hour is null or p_hour not between 0 and 23 then
        raise exception 'a day has no hour %', coalesce(p_hour::text, 'nothing')
            using hint = 'The hour of a digest is one from 0 to 23, on the reader''s clock.';
    elsif p_weekday is null or p_weekday not between 1 and 7 then
        raise exception 'a week has no day %', coalesce(p_weekday::text, 'nothing')
            using hint = 'Monday is 1, Sunday 7.';
    elsif (p_quiet_from is null) <> (p_quiet_until is null) then
        raise exception 'quiet hours have a beginning and an end' using hint = 'Give both, or neither.';
    elsif p_quiet_from = p_quiet_until then
        raise exception 'quiet hours would be the whole day' using hint = 'Pause the subscription instead.';
    elsif p_min_probability not between 0 and 1 then
        raise exception 'a probability is no %', p_min_probability using hint = 'It lies between 0 and 1.';
    elsif exists (select from unnest(p_languages) given (code) where code is null or code !~ '^[a-z]{2,3}$') then
        raise exception 'languages are named by two or three letters' using hint = 'Like ko, ru and en.';
    end if;
end
$$;
comment on function ingest.check_wishes is 'Raises where a subscription asks for what there is not.';

create function ingest.subscription(p_id bigint) returns ingest.subscriptions
language plpgsql
as $$
declare
    v_found ingest.subscriptions;
begin
    select * into v_found from ingest.subscriptions where subscription_id = p_id for update;
    if not found then
        raise exception 'no subscription has the number %', coalesce(p_id::text, 'nothing')
            using hint = 'Numbers stand in analysis.subscriptions.';
    end if;
    return v_found;
end
$$;
comment on function ingest.subscription is 'A subscription, held until the transaction ends; raises where there is none.';

create function ingest.subscribe(p_email text, p_claim text, p_topic text, p_rhythm text, p_hour integer,
                                 p_weekday integer, p_timezone text, p_quiet_from time, p_quiet_until time,
                                 p_min_probability real, p_languages text[], p_sender_domain text, p_now timestamptz)
returns bigint
language plpgsql
as $$
declare
    v_email text := trim(p_email);
    v_zone text := ingest.zone(p_timezone);
    v_id bigint;
    v_alert bigint;
begin
    if v_email is null or v_email !~ '^[^\s@<>"'',;:[:cntrl:]]{1,64}@[^\s@<>"'',;:[:cntrl:]]{1,255}$' then
        raise exception '% is not a mail address', coalesce(quote_literal(left(v_email, 100)), 'nothing')
            using hint = 'Write it like name@example.org.';
    elsif p_claim is not null and p_topic is not null then
        raise exception 'a subscription is about a claim or about a topic' using hint = 'Make two.';
    elsif p_claim is not null and not exists (
            select from ingest.claims where claim_id = p_claim and retired_at is null) then
        raise exception 'no claim that is followed is called %', quote_literal(p_claim)
            using hint = 'select claim_id from analysis.claims where retired_at is null;';
    elsif p_topic is not null and not exists (select from ingest.topics where topic_id = p_topic) then
        raise exception 'no topic is called %', quote_literal(p_topic)
            using hint = 'select distinct topic from analysis.claims;';
    end if;
    perform ingest.check_wishes(p_rhythm, p_hour, p_weekday, p_quiet_from, p_quiet_until, p_min_probability, p_languages);
    -- One at a time of an address: whoever's it is need not be asked more often than anybody can mean it.
    perform pg_advisory_xact_lock(hashtextextended('subscribe ' || lower(v_email), 0));
    if (select count(*) from ingest.alerts
        where kind = 'confirmation' and lower(email) = lower(v_email) and created_at > p_now - interval '1 day') >= 5 then
        raise exception 'this address has been asked five times within a day'
            using hint = 'Wait for an answer, or let the operator add the subscription: claimwatch subscriptions add.';
    end if;
    insert into ingest.subscriptions (
        email, claim_id, topic_id, rhythm, hour, weekday, timezone, quiet_from, quiet_until, min_probability, languages,
        created_at, next_digest_at)
    values (
        v_email, p_claim, p_topic, p_rhythm, p_hour, p_weekday, v_zone, p_quiet_from, p_quiet_until, p_min_probability,
        (select array_agg(distinct code order by code) from unnest(p_languages) given (code)),
        p_now, ingest.next_digest(p_rhythm, p_hour, p_weekday, v_zone, p_now))
    on conflict (channel, lower(email), coalesce(claim_id, ''), coalesce(topic_id, ''), rhythm) where ended_at is null
        do nothing
    returning subscription_id into v_id;
    if v_id is null then
        raise exception 'this address has such a subscription, or was asked whether it wants one'
            using hint = 'Change the one there is, or end it first.';
    end if;
    -- The outbox's own way to name a mail: by its delivery key.
    insert into ingest.alerts (delivery_key, subscription_id, kind, email, created_at, message_id)
    values ('confirm/' || v_id, v_id, 'confirmation', v_email, p_now,
            '<' || left(encode(sha256(convert_to('confirm/' || v_id, 'UTF8')), 'hex'), 32) || '@'
                || regexp_replace(lower(coalesce(p_sender_domain, 'localhost')), '[^a-z0-9.-]', '', 'g') || '>')
    returning alert_id into v_alert;
    insert into ingest.work (stage, item_id, host, due_at)
    values ('notify', v_alert, lower(split_part(v_email, '@', 2)), p_now);
    return v_id;
end
$$;
comment on function ingest.subscribe is 'Adds a subscription that nobody has said yes to yet, and puts the mail that asks into the outbox; its number.';

create function ingest.change_subscription(p_id bigint, p_rhythm text, p_hour integer, p_weekday integer,
                                           p_timezone text, p_quiet_from time, p_quiet_until time,
                                           p_min_probability real, p_languages text[], p_now timestamptz)
returns bigint
language plpgsql
as $$
declare
    v_before ingest.subscriptions := ingest.subscription(p_id);
    v_zone text := ingest.zone(p_timezone);
begin
    perform ingest.check_wishes(p_rhythm, p_hour, p_weekday, p_quiet_from, p_quiet_until, p_min_probability, p_languages);
    if v_before.ended_at is not null then
        raise exception 'subscription % has ended', p_id using hint = 'Make a new one.';
    end if;
    update ingest.subscriptions
    set rhythm = p_rhythm, hour = p_hour, weekday = p_weekday, timezone = v_zone, quiet_from = p_quiet_from,
        quiet_until = p_quiet_until, min_probability = p_min_probability,
        languages = (select array_agg(distinct code order by code) from unnest(p_languages) given (code)),
        -- A digest that is due stays due; only another hour is another moment.
        next_digest_at = case
            when (rhythm, hour, weekday, timezone) = (p_rhythm, p_hour, p_weekday, v_zone) then next_digest_at
            else ingest.next_digest(p_rhythm, p_hour, p_weekday, v_zone, p_now) end
    where subscription_id = p_id;
    return p_id;
exception when unique_violation then
    raise exception 'the reader has another subscription to the same in this rhythm' using hint = 'End one of the two.';
end
$$;
comment on function ingest.change_subscription is 'Gives a subscription other wishes, all of them at once.';

create function ingest.end_subscription(p_id bigint, p_now timestamptz) returns boolean
language plpgsql
as $$
declare
    v_before ingest.subscriptions := ingest.subscription(p_id);
begin
    update ingest.subscriptions set ended_at = p_now where subscription_id = p_id and ended_at is null;
    return v_before.ended_at is null;
end
$$;
comment on function ingest.end_subscription is 'Ends a subscription; false where it had ended.';

create function ingest.pause_subscription(p_id bigint, p_until timestamptz, p_now timestamptz) returns timestamptz
language plpgsql
as $$
declare
    v_before ingest.subscriptions := ingest.subscription(p_id);
begin
    if v_before.ended_at is not null then
        raise exception 'subscription % has ended', p_id using hint = 'Make a new one.';
    elsif p_until is not null and (p_until <= p_now or p_until > p_now + interval '1 year') then
        raise exception 'a pause ends within a year from now' using hint = 'End the subscription to hear nothing more.';
    end if;
    update ingest.subscriptions set paused_until = p_until where subscription_id = p_id;
    return p_until;
end
$$;
comment on function ingest.pause_subscription is 'Nothing is sent for a subscription until a moment; without one it goes on.';

create function ingest.confirm_subscription(p_id bigint, p_now timestamptz) returns boolean
language plpgsql
as $$
declare
    v_before ingest.subscriptions := ingest.subscription(p_id);
begin
    if v_before.ended_at is not null then
        raise exception 'subscription % has ended', p_id using hint = 'Make a new one.';
    end if;
    update ingest.subscriptions
    set confirmed_at = p_now, next_digest_at = ingest.next_digest(rhythm, hour, weekday, timezone, p_now)
    where subscription_id = p_id and confirmed_at is null;
    return v_before.confirmed_at is null;
end
$$;
comment on function ingest.confirm_subscription is 'The reader has said yes; false where they had before.';
