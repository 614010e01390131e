-- function analysis.end_subscription
create or replace function analysis.end_subscription(subscription_id bigint, as_of timestamptz default now())
returns boolean
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$ select ingest.end_subscription(end_subscription.subscription_id, end_subscription.as_of) $$;

comment on function analysis.end_subscription is 'Ends a subscription; false where it had ended. For the role claimwatch_reviewer.';
