-- What a match says of itself, for whoever reads it.

alter table ingest.matches add column why text;
alter table ingest.matches add column precision real;
alter table ingest.matches add column labels integer;
comment on column ingest.matches.why is 'In one line, why this is a match: where, which terms, how near.';
comment on column ingest.matches.precision is 'Of labelled pairs that were accepted as this one, the share that was right; empty for suggestions.';
comment on column ingest.matches.labels is 'How many labelled pairs that share rests on.';
