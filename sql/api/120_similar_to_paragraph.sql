-- function analysis.similar_to_paragraph
create or replace function analysis.similar_to_paragraph(paragraph bigint, k integer default 20, since timestamptz default null,
                                                         until timestamptz default null, lang text default null)
returns table (similarity real, text text, publisher text, language text, published_at timestamptz, title text,
               url text, paragraph_id bigint, story_id bigint)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    v_model integer;
    v_query halfvec;
begin
    select model_id into v_model from ingest.models where active;
    if v_model is not null then
        execute format('select embedding from ingest.embeddings_%s where paragraph_id = $1', v_model)
            into v_query using paragraph;
    end if;
    if v_query is null then
        raise exception 'no paragraph % with a vector', paragraph
            using hint = 'Numbers stand in analysis.paragraphs; a new paragraph gets its vector with the next embed run.';
    end if;
    return query
    select s.* from analysis.similar(v_query, k + 1, since, until, lang) s where s.paragraph_id <> paragraph limit k;
end
$$;

comment on function analysis.similar_to_paragraph is 'The k paragraphs nearest in meaning to one of ours.';
