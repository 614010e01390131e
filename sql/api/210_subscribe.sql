-- function analysis.subscribe
create or replace function analysis.subscribe(
    email text, claim text default null, topic text default null, rhythm text default 'instant', hour integer default 8,
    weekday integer default 1, timezone text default 'UTC', quiet_from time default null, quiet_until time default null,
    min_probability double precision default null, languages text[] default null, sender_domain text default 'localhost',
    as_of timestamptz default now())
returns bigint
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
select ingest.subscribe(
    subscribe.email, subscribe.claim, subscribe.topic, subscribe.rhythm, subscribe.hour, subscribe.weekday,
    subscribe.timezone, subscribe.quiet_from, subscribe.quiet_until, subscribe.min_probability::real, subscribe.languages,
    subscribe.sender_domain, subscribe.as_of)
$$;

comment on function analysis.subscribe is 'Asks for news of a claim, of a topic or, with neither, of everything; returns the subscription''s number. A mail asks whoever has the address, and nothing else is sent before they say yes. sender_domain is the domain that our mail comes from, as_of the pipeline''s time where its clock was moved. For the role claimwatch_reviewer.';
