-- function analysis.withdraw_review
create or replace function analysis.withdraw_review(match_id bigint, note text default null)
returns bigint
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$ select ingest.review(match_id, 'withdrawn', null, note, session_user::text, now()) $$;

comment on function analysis.withdraw_review is 'Takes the review of a match back: the matcher''s own word counts again, and the pair is no label. Returns the number of the withdrawal. For the role claimwatch_reviewer.';
