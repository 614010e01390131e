-- function analysis.reject_match
create or replace function analysis.reject_match(match_id bigint, note text default null)
returns bigint
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$ select ingest.review(match_id, 'rejected', null, note, session_user::text, now()) $$;

comment on function analysis.reject_match is 'Says that a match does not bear on its claim; returns the review''s number. It counts as evidence no more, and mail about it that has not gone out stays here. For the role claimwatch_reviewer.';
