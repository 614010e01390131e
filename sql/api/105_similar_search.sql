-- function analysis.similar
create or replace function analysis.similar(search text, k integer default 20, since timestamptz default null,
                                            until timestamptz default null, lang text default null)
returns table (similarity real, text text, publisher text, language text, published_at timestamptz, title text,
               url text, paragraph_id bigint, story_id bigint, article_id bigint)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    v_found record;
begin
    if search is null then
        raise exception 'nothing to search for'
            using hint = 'Give a vector, or the name of a row in analysis.searches.';
    end if;
    -- A vector in quotes comes here too: SQL takes a literal of unknown type for text.
    if search ~ '^\s*\[' then
        return query select * from analysis.similar(search::halfvec, k, since, until, lang);
        return;
    end if;
    -- One's own search before another's of the same name.
    select s.owner, s.embedding, s.problem, m.active into v_found
    from ingest.searches s left join ingest.models m using (model_id)
    where s.name = search
    order by s.owner = session_user desc, s.search_id desc
    limit 1;
    if not found then
        raise exception 'no search is called %', quote_literal(search)
            using hint = 'insert into analysis.searches (name, text) values (...), or give a vector from `claimwatch vector "text"`.';
    elsif v_found.problem is not null then
        raise exception 'the search % can''t be used: %', quote_literal(search), v_found.problem
            using hint = 'update analysis.searches set text = ... where name = ...';
    elsif v_found.embedding is null or not coalesce(v_found.active, false) then
        raise exception 'the search % has no vector yet', quote_literal(search)
            using hint = 'It gets one within seconds while `claimwatch listen` runs; `claimwatch up` runs it.';
    end if;
    return query select * from analysis.similar(v_found.embedding, k, since, until, lang);
end
$$;

comment on function analysis.similar(text, integer, timestamptz, timestamptz, text) is 'The same for a search that stands in analysis.searches, by its name: yours before a colleague''s of that name. A vector in quotes is taken as such.';
