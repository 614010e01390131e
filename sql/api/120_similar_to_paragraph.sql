-- function analysis.similar_to_paragraph
create or replace function analysis.similar_to_paragraph(paragraph bigint, k integer default 20, since timestamptz default null,
                                                         until timestamptz default null, lang text default null)
returns table (similarity real, text text, publisher text, language text, published_at timestamptz, title text,
               url text, paragraph_id bigint, story_id bigint, article_id bigint)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    v_model integer;
    v_query halfvec;
    v_k integer := least(greatest(coalesce(k, 20), 1), 999);
begin
    if not exists (select from ingest.paragraphs p where p.paragraph_id = paragraph) then
        raise exception 'no paragraph has the number %', coalesce(paragraph::text, 'null')
            using hint = 'Numbers stand in analysis.paragraphs.';
    end if;
    select model_id into v_model from ingest.models where active;
    if v_model is not null then
        execute format('select embedding from ingest.embeddings_%s where paragraph_id = $1', v_model)
            into v_query using paragraph;
    end if;
    if v_query is null then
        raise exception 'paragraph % has no vector yet', paragraph
            using hint = 'A new paragraph gets its vector with the next embed run: claimwatch embed.';
    end if;
    return query
    select s.* from analysis.similar(v_query, v_k + 1, since, until, lang) s where s.paragraph_id <> paragraph limit v_k;
end
$$;

comment on function analysis.similar_to_paragraph is 'The k paragraphs (1 to 999) nearest in meaning to one of ours, itself left out.';
