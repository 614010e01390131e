-- Origins: the authorities that reports rest on, and where each article names them.

create table ingest.origins (
    origin_id    text        primary key,
    name         text        not null unique,
    kind         text        not null,
    country      text,
    lexicon_hash bytea       not null,
    retired_at   timestamptz
);
comment on table ingest.origins is 'The authorities that the lexicon of origins knows (claims/origins.yaml).';
comment on column ingest.origins.origin_id is 'Short name, as in the lexicon, or made of role and country.';
comment on column ingest.origins.name is 'Name, as analysts know it.';
comment on column ingest.origins.kind is 'intelligence, military, government, organisation, state-media, wire, media, think-tank, analysis, witness, document or own.';
comment on column ingest.origins.country is 'Two-letter country code, where it has one.';
comment on column ingest.origins.lexicon_hash is 'SHA-256 of the lexicon that it was loaded from last.';
comment on column ingest.origins.retired_at is 'When it was taken out of the lexicon; what was found stays.';

create table ingest.version_origins (
    version_id bigint  not null references ingest.versions on delete cascade,
    position   integer,
    origin_id  text    not null references ingest.origins,
    sentence   text    not null,
    how        text    not null check (how in ('cue', 'headline', 'dateline', 'source', 'inherited')),
    strength   real    not null,
    unique nulls not distinct (version_id, position, origin_id)
);
create index version_origins_origin on ingest.version_origins (origin_id);
comment on table ingest.version_origins is 'Whom an article rests on, as a whole and by paragraph.';
comment on column ingest.version_origins.version_id is 'The version of the article.';
comment on column ingest.version_origins.position is 'The paragraph, as in ingest.appearances; 0 is the title, empty the article''s main origin.';
comment on column ingest.version_origins.origin_id is 'The authority.';
comment on column ingest.version_origins.sentence is 'The sentence that names it; the name itself where the feed''s source field or the publisher does.';
comment on column ingest.version_origins.how is 'cue: said, according to; headline; dateline; source: the feed''s source field or the publisher; inherited: the paragraph cites nobody, so the article''s main origin stands for it.';
comment on column ingest.version_origins.strength is 'How much the finding is worth: 1 for a cue, less for the others.';
