-- function analysis.similar_to_claim
create or replace function analysis.similar_to_claim(claim text, k integer default 20, since timestamptz default null,
                                                     until timestamptz default null, lang text default null)
returns table (similarity real, text text, publisher text, language text, published_at timestamptz, title text,
               url text, paragraph_id bigint, story_id bigint, article_id bigint)
language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    v_query halfvec;
begin
    if not exists (select from ingest.claims c where c.claim_id = claim) then
        raise exception 'no claim is called %', coalesce(quote_literal(claim), 'null')
            using hint = 'select claim_id from analysis.claims;';
    end if;
    select pe.embedding into v_query
    from ingest.claims c
    join ingest.claim_versions v on v.claim_version_id = c.current_version_id
    join ingest.phrase_embeddings pe on pe.content_hash = sha256(convert_to(v.statement, 'UTF8'))
    join ingest.models m on m.model_id = pe.model_id and m.active
    where c.claim_id = claim;
    if v_query is null then
        raise exception 'the claim % has no vector yet', quote_literal(claim)
            using hint = 'It gets one with the first match run after it was loaded: claimwatch match.';
    end if;
    return query select * from analysis.similar(v_query, k, since, until, lang);
end
$$;

comment on function analysis.similar_to_claim is 'The k paragraphs (1 to 1,000) nearest in meaning to a claim''s statement. Nearness is not evidence: see analysis.evidence for that.';
