-- function analysis.pause_subscription
create or replace function analysis.pause_subscription(
    subscription_id bigint, until timestamptz default null, as_of timestamptz default now())
returns timestamptz
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
select ingest.pause_subscription(
    pause_subscription.subscription_id, pause_subscription.until, pause_subscription.as_of)
$$;

comment on function analysis.pause_subscription is 'Nothing is sent for a subscription until a moment, at most a year from now; without one it goes on. For the role claimwatch_reviewer.';
