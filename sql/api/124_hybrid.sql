-- function analysis.hybrid
create or replace function analysis.hybrid(query halfvec, terms text[], k integer default 20,
                                           since timestamptz default null, until timestamptz default null,
                                           lang text default null, country text default null,
                                           outlet text default null)
returns table (similarity real, text text, publisher text, language text, published_at timestamptz, title text,
               url text, paragraph_id bigint, story_id bigint, article_id bigint, rank bigint, found_by text)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    c_depth constant integer := 100;  -- candidates of each kind, and the place whose similarity counts as none
    c_words constant real := 0.5;  -- what the best words are worth beside the best similarity
    v_k integer := least(greatest(coalesce(k, 20), 1), 1000);
begin
    return query
    with candidate as materialized (
        select c.* from ingest.search_candidates(query, terms, greatest(c_depth, v_k), since, until, lang, country,
                                                 outlet) c
    ), scale as (
        select max(c.similarity) as nearest, min(c.similarity) filter (where c.near_place <= c_depth) as far,
               max(c.score) as best
        from candidate c
    ), fused as (
        select c.*, row_number() over (
            order by coalesce((c.similarity - s.far) / nullif(s.nearest - s.far, 0), 0)
                     + c_words * coalesce(c.score / nullif(s.best, 0), 0) desc,
                     c.paragraph_id) as rank
        from candidate c cross join scale s
    )
    select f.similarity, p.text, shown.publisher, shown.language, shown.published_at, shown.title, shown.url,
           f.paragraph_id, shown.story_id, shown.article_id, f.rank,
           case when f.near_place is null then 'words' when f.word_place is null then 'meaning' else 'both' end
    from fused f
    join ingest.paragraphs p using (paragraph_id)
    cross join lateral ingest.earliest(f.paragraph_id, since, until, lang, country, outlet) shown
    where f.rank <= v_k
    order by f.rank;
end
$$;

comment on function analysis.hybrid is 'The k paragraphs that fit best by meaning (a vector) and by words (from ingest.words_of or `claimwatch search`) together; either may be null. Optionally between two times, in one language, of one country''s publishers or one publisher. found_by says which of both brought it: meaning, words or both.';
