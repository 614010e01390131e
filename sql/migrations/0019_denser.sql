-- Vector search: a denser index, which finds more of the nearest in less time.

create function ingest.index_vectors(p_model integer) returns void
language plpgsql
as $$
begin
    -- Measured on a million paragraphs: docs/performance.md.
    execute format(
        'create index embeddings_%1$s_hnsw on ingest.embeddings_%1$s using hnsw (embedding halfvec_ip_ops)
         with (m = 32, ef_construction = 200)', p_model);
end
$$;
comment on function ingest.index_vectors is 'Makes the index by which a model''s vectors are searched.';

create or replace function ingest.register_model(p_name text, p_weights_hash text, p_dimensions integer, p_now timestamptz)
returns integer
language plpgsql
as $$
declare
    v_model integer;
begin
    perform pg_advisory_xact_lock(hashtext('ingest.register_model'));
    select model_id into v_model from ingest.models where name = p_name and weights_hash = p_weights_hash;
    if found then
        return v_model;
    end if;
    insert into ingest.models (name, weights_hash, dimensions, active, registered_at)
    values (p_name, p_weights_hash, p_dimensions, not exists (select from ingest.models where active), p_now)
    returning model_id into v_model;
    execute format(
        'create table ingest.embeddings_%s (
            paragraph_id bigint primary key references ingest.paragraphs on delete cascade,
            embedding halfvec(%s) not null)', v_model, p_dimensions);
    perform ingest.index_vectors(v_model);
    execute format('comment on table ingest.embeddings_%s is %L', v_model,
        'Vectors of the paragraphs by model ' || p_name || '.');
    execute format('comment on column ingest.embeddings_%s.paragraph_id is %L', v_model, 'The paragraph.');
    execute format('comment on column ingest.embeddings_%s.embedding is %L', v_model,
        'Its vector, normalised, in half precision.');
    return v_model;
end
$$;

-- Indexes that are there: new vectors are placed with more care from now on; REINDEX rebuilds the rest, where an
-- archive is large enough for it to matter.
do $$
declare
    v_index text;
begin
    for v_index in
        select i.indexrelid::regclass::text
        from ingest.models m
        join pg_index i on i.indrelid = to_regclass(format('ingest.embeddings_%s', m.model_id))
        join pg_class c on c.oid = i.indexrelid
        join pg_am am on am.oid = c.relam and am.amname = 'hnsw'
    loop
        execute format('alter index %s set (m = 32, ef_construction = 200)', v_index);
    end loop;
end
$$;
