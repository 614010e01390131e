-- function analysis.confirm_match
create or replace function analysis.confirm_match(match_id bigint, stance text default null, note text default null)
returns bigint
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$ select ingest.review(match_id, 'confirmed', stance, note, session_user::text, now()) $$;

comment on function analysis.confirm_match is 'Says that a match bears on its claim, with the right stance where the matcher has it wrong; returns the review''s number. A suggested match becomes accepted and is told like any other. For the role claimwatch_reviewer.';
