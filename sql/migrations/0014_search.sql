-- Searches: free text that an analyst stores, and what the pipeline makes of it so that SQL alone can search.

create table ingest.searches (
    search_id   bigint generated always as identity primary key,
    name        text        not null check (name <> '' and length(name) <= 100),
    owner       text        not null default session_user,
    text        text        not null,
    created_at  timestamptz not null default clock_timestamp(),
    model_id    integer     references ingest.models,
    embedding   halfvec,
    terms       text[],
    embedded_at timestamptz,
    problem     text,
    unique (owner, name)
);
create index searches_model on ingest.searches (model_id);
comment on table ingest.searches is 'Free text that somebody searches for, by name. Analysts write it through analysis.searches; `claimwatch listen` makes its vector and its words.';
comment on column ingest.searches.search_id is 'Number of the search.';
comment on column ingest.searches.name is 'Its name, as analysis.search_results takes it; each owner has names of their own.';
comment on column ingest.searches.owner is 'The database role that stored it.';
comment on column ingest.searches.text is 'What is searched for, in any language.';
comment on column ingest.searches.created_at is 'When its text was stored, by the server''s clock.';
comment on column ingest.searches.model_id is 'The model that made its vector; empty until then.';
comment on column ingest.searches.embedding is 'Its vector, normalised; empty until it is made.';
comment on column ingest.searches.terms is 'The words of it that full text looks for; empty until the vector is made.';
comment on column ingest.searches.embedded_at is 'When vector and words were made.';
comment on column ingest.searches.problem is 'Why nothing could be made of the text.';
