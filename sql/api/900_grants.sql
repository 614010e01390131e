-- Last: who may see all this. The analysts' role reads schema analysis and nothing else.
revoke all on all functions in schema analysis from public;
revoke all on all functions in schema ingest from public;
do $$
begin
    if exists (select from pg_roles where rolname = 'claimwatch_analyst') then
        grant usage on schema analysis to claimwatch_analyst;
        grant select on all tables in schema analysis to claimwatch_analyst;
        grant execute on all functions in schema analysis to claimwatch_analyst;
    end if;
end
$$;
