-- function analysis.full_text
create or replace function analysis.full_text(query text, k integer default 20, since timestamptz default null,
                                              until timestamptz default null, lang text default null)
returns table (score real, text text, publisher text, language text, published_at timestamptz, title text,
               url text, paragraph_id bigint, story_id bigint, article_id bigint, rank bigint)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    v_k integer := least(greatest(coalesce(k, 20), 1), 1000);
    v_plan record;
begin
    select * into v_plan from ingest.word_plan(ingest.words_of(left(query, 5000)));
    return query
    select found.score, p.text, shown.publisher, shown.language, shown.published_at, shown.title, shown.url,
           found.paragraph_id, shown.story_id, shown.article_id,
           row_number() over (order by found.score desc, found.paragraph_id) as rank
    from ingest.word_search(v_plan.queries, v_plan.weights, v_plan.mean_words, v_plan.finder, v_k, since, until, lang,
                            null, null) found
    join ingest.paragraphs p using (paragraph_id)
    cross join lateral ingest.earliest(found.paragraph_id, since, until, lang, null, null) shown
    order by rank;
end
$$;

comment on function analysis.full_text is 'The k paragraphs with the most and rarest of the given words, in any language: inflected forms count, Korean, Japanese and Chinese are found by pairs of characters. Needs no vector.';
