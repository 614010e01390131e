-- function analysis.subscriptions_of
create or replace function analysis.subscriptions_of(email text) returns setof bigint
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
select s.subscription_id from ingest.subscriptions s
where lower(s.email) = lower(trim(subscriptions_of.email))
order by s.subscription_id
$$;

comment on function analysis.subscriptions_of is 'Numbers of the subscriptions of an address, for who knows it. For the role claimwatch_reviewer.';
