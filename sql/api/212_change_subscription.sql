-- function analysis.change_subscription
create or replace function analysis.change_subscription(
    subscription_id bigint, rhythm text default 'instant', hour integer default 8, weekday integer default 1,
    timezone text default 'UTC', quiet_from time default null, quiet_until time default null,
    min_probability double precision default null, languages text[] default null, as_of timestamptz default now())
returns bigint
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
select ingest.change_subscription(
    change_subscription.subscription_id, change_subscription.rhythm, change_subscription.hour,
    change_subscription.weekday, change_subscription.timezone, change_subscription.quiet_from,
    change_subscription.quiet_until, change_subscription.min_probability::real, change_subscription.languages,
    change_subscription.as_of)
$$;

comment on function analysis.change_subscription is 'Gives a subscription other wishes, all of them at once: what is left out goes back to its default. Returns its number. For the role claimwatch_reviewer.';
