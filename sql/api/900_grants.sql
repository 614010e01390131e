-- Last: who may see all this. The analysts' role reads schema analysis and keeps its own searches there, nothing else;
-- the reviewers' role may also confirm and reject, and look after subscriptions, whose addresses are personal.
revoke all on all functions in schema analysis from public;
revoke all on all functions in schema ingest from public;
do $$
declare
    v_role text;
begin
    for v_role in select rolname from pg_roles where rolname in ('claimwatch_analyst', 'claimwatch_reviewer') loop
        execute format('grant usage on schema analysis to %I', v_role);
        execute format('grant select on all tables in schema analysis to %I', v_role);
        execute format('grant execute on all functions in schema analysis to %I', v_role);
        execute format('grant insert (name, text), update (name, text), delete on analysis.searches to %I', v_role);
    end loop;
    if exists (select from pg_roles where rolname = 'claimwatch_analyst') then
        revoke execute on function analysis.confirm_match, analysis.reject_match, analysis.withdraw_review,
            analysis.subscribe, analysis.change_subscription, analysis.pause_subscription, analysis.end_subscription,
            analysis.confirm_subscription, analysis.subscriptions_of
            from claimwatch_analyst;
        revoke select on analysis.subscriptions from claimwatch_analyst;
    end if;
end
$$;
