-- function analysis.figure_range
create or replace function analysis.figure_range(claim text, role text, as_of date default current_date,
                                                 known_at timestamptz default now())
returns table (claim_id text, role text, low numeric, low_by text, low_modality text, low_as_of date, high numeric,
               high_by text, high_modality text, high_as_of date, authorities bigint, agreed boolean)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
with latest as (
    select distinct on (f.origin_id) f.origin_id, o.name, f.low, f.high, f.modality, f.as_of
    from ingest.figures f
    join ingest.versions v using (version_id)
    join ingest.origins o using (origin_id)
    where f.claim_id = figure_range.claim and f.role = figure_range.role and f.as_of <= figure_range.as_of
      and f.known_at <= figure_range.known_at and not f.denied and not f.increment and not f.earlier
      and (f.corrected_at is null or f.corrected_at > figure_range.known_at)
      and exists (select from ingest.matches m
                  where m.claim_id = f.claim_id and m.paragraph_id = f.paragraph_id and m.matched_at <= figure_range.known_at
                    and ingest.tier_known(m, figure_range.known_at) = 'accepted'
                    and (m.superseded_at is null or m.superseded_at > figure_range.known_at))
    order by f.origin_id, f.as_of desc, v.published_at desc, f.figure_id desc
), current as (
    select * from latest where latest.as_of > (select max(l.as_of) from latest l) - 90
), least_one as (
    select * from current order by low, as_of desc, origin_id limit 1
), most_one as (
    select * from current order by high desc, as_of desc, origin_id limit 1
)
select figure_range.claim, figure_range.role, l.low, l.name, l.modality, l.as_of, h.high, h.name, h.modality, h.as_of,
       (select count(*) from current),
       (select max(ingest.figure_low(low, modality)) <= min(ingest.figure_high(high, modality)) from current)
from least_one l cross join most_one h
$$;

comment on function analysis.figure_range is 'The lowest and the highest figure that an authority stands behind, each authority with its latest, none older than 90 days beside the newest: as of a day, as we knew it at a moment. `agreed`: all of them can be right at once ("about" taken as 15 % either way). No row where nobody has given one.';
