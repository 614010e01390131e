-- function analysis.similar
create or replace function analysis.similar(query halfvec, k integer default 20, since timestamptz default null,
                                            until timestamptz default null, lang text default null)
returns table (similarity real, text text, publisher text, language text, published_at timestamptz, title text,
               url text, paragraph_id bigint, story_id bigint, article_id bigint)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
set random_page_cost = 1.1
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    v_k integer := least(greatest(coalesce(k, 20), 1), 1000);
    v_filtered boolean := since is not null or until is not null or lang is not null;
    v_model integer;
    v_each real;
    v_all real;
    v_border real;
    v_versions integer;
    v_exact boolean;
    v_ids bigint[];
    v_near real[];
    v_search text[];
begin
    select model_id into v_model from ingest.models where active;
    if v_model is null then
        return;
    end if;
    -- Exact distances cost a step a paragraph that the filter leaves; the index costs some twenty-five steps for each
    -- that it passes, and it passes k times as many as the filter throws away of one that it leaves. Both cost the
    -- same where rows * rows = 25 * k * all. Exact ones also where they take no time to speak of.
    if v_filtered then
        select greatest(max(reltuples) filter (where oid = 'ingest.appearances'::regclass), 1)
               / greatest(max(reltuples) filter (where oid = 'ingest.versions'::regclass), 1),
               greatest(max(reltuples) filter (where relname = 'embeddings_' || v_model), 0)
        into v_each, v_all
        from pg_class where relnamespace = 'ingest'::regnamespace;
        v_border := greatest(sqrt(25.0 * v_k * v_all), 8000) / greatest(v_each, 1);
        execute 'select count(*) from (
                     select from ingest.versions v
                     where ($1 is null or v.published_at >= $1) and ($2 is null or v.published_at < $2)
                       and ($3 is null or v.language = $3)
                     limit $4) counted'
        into v_versions using since, until, lang, v_border::integer + 1;
    end if;
    v_exact := coalesce(v_versions <= v_border, false);
    if not v_exact then
        v_search := array[current_setting('hnsw.iterative_scan', true), current_setting('hnsw.ef_search', true),
                          current_setting('hnsw.max_scan_tuples', true)];
        perform set_config('hnsw.iterative_scan', 'relaxed_order', true);
        perform set_config('hnsw.ef_search', least(greatest(2 * v_k, 400), 1000)::text, true);
        perform set_config('hnsw.max_scan_tuples', '100000', true);
        -- Half as many again: in relaxed order the last ones of k are not yet the nearest.
        execute format(
            'select array_agg(paragraph_id), array_agg(similarity)
             from (
                 select paragraph_id, similarity
                 from (
                     select e.paragraph_id, -(e.embedding <#> $1) as similarity
                     from ingest.embeddings_%1$s e
                     -- Paragraph by paragraph: as a join it would be planned by what statistics say of the filter,
                     -- and go wrong by hours where they are old.
                     where ($3 is null and $4 is null and $5 is null) or exists (
                         select from ingest.appearances ap
                         where ap.paragraph_id = e.paragraph_id
                           and (select ($3 is null or v.published_at >= $3) and ($4 is null or v.published_at < $4)
                                       and ($5 is null or v.language = $5)
                                from ingest.versions v where v.version_id = ap.version_id)
                         offset 0)
                     order by e.embedding <#> $1
                     limit $2 + $2 / 2) passed
                 order by similarity desc, paragraph_id
                 limit $2) nearest', v_model)
        into v_ids, v_near using query, v_k, since, until, lang;
        -- Callers find the settings of their session as they were.
        perform set_config('hnsw.iterative_scan', coalesce(v_search[1], 'off'), true),
                set_config('hnsw.ef_search', coalesce(v_search[2], '40'), true),
                set_config('hnsw.max_scan_tuples', coalesce(v_search[3], '20000'), true);
        -- A filter that leaves few of those that are near: better slow than fewer than there are.
        v_exact := v_filtered and coalesce(cardinality(v_ids), 0) < v_k;
    end if;
    if v_exact then
        execute format(
            'select array_agg(paragraph_id), array_agg(similarity)
             from (
                 select paragraph_id, similarity
                 from (
                     select e.paragraph_id, -(e.embedding <#> $1) as similarity
                     from ingest.embeddings_%1$s e
                     where e.paragraph_id = any(array(
                         select ap.paragraph_id
                         from ingest.versions v join ingest.appearances ap using (version_id)
                         where ($3 is null or v.published_at >= $3) and ($4 is null or v.published_at < $4)
                           and ($5 is null or v.language = $5)))
                     offset 0) measured  -- a fence: never by the index of vectors
                 order by similarity desc, paragraph_id
                 limit $2) nearest', v_model)
        into v_ids, v_near using query, v_k, since, until, lang;
    end if;
    return query
    select near.similarity, p.text, shown.publisher, shown.language, shown.published_at, shown.title, shown.url,
           near.paragraph_id, shown.story_id, shown.article_id
    from unnest(v_ids, v_near) as near (paragraph_id, similarity)
    join ingest.paragraphs p using (paragraph_id)
    cross join lateral (
        select pub.name as publisher, v.language, v.published_at, v.title, a.url, a.story_id, a.article_id
        from ingest.appearances ap
        join ingest.versions v using (version_id)
        join ingest.articles a using (article_id)
        join ingest.publishers pub using (publisher_id)
        where ap.paragraph_id = near.paragraph_id
          and (since is null or v.published_at >= since) and (until is null or v.published_at < until)
          and (lang is null or v.language = lang)
        order by v.published_at, v.version_id
        limit 1
    ) shown
    order by near.similarity desc, near.paragraph_id;
end
$$;

comment on function analysis.similar(halfvec, integer, timestamptz, timestamptz, text) is 'The k paragraphs (1 to 1,000) nearest in meaning to a vector (from `claimwatch vector "text"`), optionally between two times and in one language. Each is one row however many articles carry it, with the earliest of those that pass the filter.';
