-- function analysis.search_results
create or replace function analysis.search_results(name text, k integer default 20, since timestamptz default null,
                                                   until timestamptz default null, lang text default null)
returns table (similarity real, text text, publisher text, language text, published_at timestamptz, title text,
               url text, paragraph_id bigint, story_id bigint, article_id bigint, rank bigint, found_by text)
language plpgsql volatile security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_search record;
begin
    select * into v_search from ingest.find_search(name);
    return query select h.* from analysis.hybrid(v_search.embedding, v_search.terms, k, since, until, lang) h;
end
$$;

comment on function analysis.search_results is 'What your search of that name (analysis.searches) finds: the k paragraphs that fit best by meaning and by words together, found_by says which. Waits up to five seconds for a search that was just stored.';
