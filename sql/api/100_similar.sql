-- function analysis.similar
create or replace function analysis.similar(query halfvec, k integer default 20, since timestamptz default null,
                                            until timestamptz default null, lang text default null)
returns table (similarity real, text text, publisher text, language text, published_at timestamptz, title text,
               url text, paragraph_id bigint, story_id bigint)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    v_model integer;
    v_k integer := least(greatest(coalesce(k, 20), 1), 1000);
    v_narrow bigint;
begin
    select model_id into v_model from ingest.models where active;
    if v_model is null then
        return;
    end if;
    -- Few rows left by the filter: exact distances over just those. Otherwise the index, read on until k rows pass.
    if since is not null or until is not null or lang is not null then
        select count(*) into v_narrow from (
            select from ingest.versions v
            where (since is null or v.published_at >= since) and (until is null or v.published_at < until)
              and (lang is null or v.language = lang)
            limit 2001) few;
    end if;
    if v_narrow <= 2000 then
        return query execute format(
            'with candidate as materialized (
                 select distinct ap.paragraph_id
                 from ingest.versions v join ingest.appearances ap using (version_id)
                 where ($3 is null or v.published_at >= $3) and ($4 is null or v.published_at < $4)
                   and ($5 is null or v.language = $5)
             ), near as (
                 select c.paragraph_id, -(e.embedding <#> $1) as similarity
                 from candidate c join ingest.embeddings_%1$s e using (paragraph_id)
                 order by e.embedding <#> $1, c.paragraph_id
                 limit $2)
             %2$s', v_model, ingest.similar_shown())
        using query, v_k, since, until, lang;
    else
        perform set_config('hnsw.iterative_scan', 'relaxed_order', true);
        perform set_config('hnsw.ef_search', least(greatest(2 * v_k, 40), 1000)::text, true);
        return query execute format(
            'with near as materialized (
                 select e.paragraph_id, -(e.embedding <#> $1) as similarity
                 from ingest.embeddings_%1$s e
                 where ($3 is null and $4 is null and $5 is null) or exists (
                     select from ingest.appearances ap join ingest.versions v using (version_id)
                     where ap.paragraph_id = e.paragraph_id
                       and ($3 is null or v.published_at >= $3) and ($4 is null or v.published_at < $4)
                       and ($5 is null or v.language = $5))
                 order by e.embedding <#> $1
                 limit $2)
             %2$s', v_model, ingest.similar_shown())
        using query, v_k, since, until, lang;
    end if;
end
$$;

comment on function analysis.similar is 'The k paragraphs nearest in meaning to a vector (from `claimwatch vector "text"`), each with the earliest article that carries it, optionally between two times and in one language.';
