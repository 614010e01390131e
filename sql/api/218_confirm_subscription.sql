-- function analysis.confirm_subscription
create or replace function analysis.confirm_subscription(subscription_id bigint, as_of timestamptz default now())
returns boolean
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$ select ingest.confirm_subscription(confirm_subscription.subscription_id, confirm_subscription.as_of) $$;

comment on function analysis.confirm_subscription is 'Says yes for the reader, as the link in the mail that asks does; false where that was said before. For the role claimwatch_reviewer.';
