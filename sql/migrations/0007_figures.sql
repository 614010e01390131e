-- The ledger of figures: how many, says who, as of when.

create table ingest.figures (
    figure_id    bigint generated always as identity primary key,
    claim_id     text        not null references ingest.claims,
    paragraph_id bigint      not null references ingest.paragraphs on delete cascade,
    version_id   bigint      not null references ingest.versions on delete cascade,
    role         text        not null,
    unit         text        not null,
    low          numeric     not null,
    high         numeric     not null check (high >= low),
    modality     text        not null check (modality in ('exact', 'about', 'at_least', 'up_to', 'over')),
    denied       boolean     not null default false,
    increment    boolean     not null default false,
    earlier      boolean     not null default false,
    origin_id    text        references ingest.origins,
    as_of        date        not null,
    begins       integer     not null,
    ends         integer     not null,
    span         text        not null,
    known_at     timestamptz not null,
    corrects     bigint      references ingest.figures on delete set null,
    corrected_at timestamptz,
    unique nulls not distinct (claim_id, version_id, paragraph_id, role, begins, origin_id)
);
create index figures_claim_role on ingest.figures (claim_id, role, as_of);
create index figures_paragraph on ingest.figures (paragraph_id);
create index figures_version on ingest.figures (version_id);
create index figures_origin on ingest.figures (origin_id);
create index figures_corrects on ingest.figures (corrects);
comment on table ingest.figures is 'Figures read from evidence: one row a claim, paragraph of an article, role, place in the text and authority. analysis.figures folds copies.';
comment on column ingest.figures.figure_id is 'Number of the figure.';
comment on column ingest.figures.claim_id is 'The claim whose evidence the paragraph is.';
comment on column ingest.figures.paragraph_id is 'The paragraph.';
comment on column ingest.figures.version_id is 'The text in which it stands, the first of its story.';
comment on column ingest.figures.role is 'What is counted: killed, deployed ... as the claims file names it.';
comment on column ingest.figures.unit is 'What it is counted in: people, or US dollars a month.';
comment on column ingest.figures.low is 'The figure, or the lower end of a range.';
comment on column ingest.figures.high is 'The figure, or the upper end of a range.';
comment on column ingest.figures.modality is 'exact, about, at_least, up_to or over.';
comment on column ingest.figures.denied is 'Whether the text denies the figure; the authority is then who it is said to be of.';
comment on column ingest.figures.increment is 'Whether it comes on top of others ("another 3,000") and is no total.';
comment on column ingest.figures.earlier is 'Whether it is told for comparison, as the figure of before.';
comment on column ingest.figures.origin_id is 'Whose figure it is, where the text says it.';
comment on column ingest.figures.as_of is 'The day that it is told of.';
comment on column ingest.figures.begins is 'Where it begins in the paragraph, in characters.';
comment on column ingest.figures.ends is 'Where it ends.';
comment on column ingest.figures.span is 'The words themselves.';
comment on column ingest.figures.known_at is 'When we read it.';
comment on column ingest.figures.corrects is 'The figure of the same article that a later text of it put right.';
comment on column ingest.figures.corrected_at is 'When a later text of the article gave another one in its place; from then on it is history.';

alter table ingest.claim_events drop constraint claim_events_kind_check;
alter table ingest.claim_events add constraint claim_events_kind_check check (
    kind in ('first_seen', 'fresh_coverage', 'new_story', 'archive', 'surge', 'contradiction', 'silence', 'edited',
             'new_maximum', 'new_minimum', 'first_official_figure', 'figures_disagree', 'figure_edited'));
comment on column ingest.claim_events.kind is 'first_seen: first evidence ever; fresh_coverage: a new story after a quiet time; new_story: a further story while coverage goes on; archive: older material was matched; surge: far more stories than usual; contradiction: the evidence turns; silence: expected coverage did not come; edited: a text that carried evidence was changed; new_maximum, new_minimum: a figure beyond all before it; first_official_figure: an authority of a state gives one for the first time; figures_disagree: two authorities'' figures can''t both be right; figure_edited: a later text of an article has another figure.';

-- What a figure can mean at least and at most. logic/ledger.bounds says the same; a test holds the two together.
create function ingest.figure_low(p_low numeric, p_modality text) returns numeric
language sql immutable
as $$
select case p_modality when 'up_to' then 0 when 'about' then p_low * 0.85 else p_low end
$$;
comment on function ingest.figure_low is 'The least that a figure can mean: "up to" leaves it open, "about" takes in 15 % below.';

create function ingest.figure_high(p_high numeric, p_modality text) returns numeric
language sql immutable
as $$
select case p_modality when 'at_least' then 'infinity' when 'over' then 'infinity' when 'about' then p_high * 1.15 else p_high end
$$;
comment on function ingest.figure_high is 'The most that a figure can mean: "at least" and "over" leave it open, "about" takes in 15 % above.';
