-- view analysis.origins
create or replace view analysis.origins as
select o.origin_id, o.name, o.kind, o.country, coalesce(f.articles, 0) as articles,
       coalesce(f.cited_in, 0) as cited_in, f.first_at, f.last_at, o.retired_at
from ingest.origins o
left join (
    select vo.origin_id, count(distinct v.article_id) filter (where vo.position is null) as articles,
           count(distinct v.article_id) filter (where vo.how <> 'inherited') as cited_in,
           min(v.published_at) as first_at, max(v.published_at) as last_at
    from ingest.version_origins vo join ingest.versions v using (version_id)
    group by vo.origin_id
) f using (origin_id);

comment on view analysis.origins is 'The authorities that reports rest on, with how often each is cited.';
comment on column analysis.origins.origin_id is 'Short name.';
comment on column analysis.origins.name is 'Name.';
comment on column analysis.origins.kind is 'intelligence, military, government, organisation, state-media, wire, media, think-tank, analysis, witness, document or own.';
comment on column analysis.origins.country is 'Two-letter country code, where it has one.';
comment on column analysis.origins.articles is 'Articles whose main origin it is.';
comment on column analysis.origins.cited_in is 'Articles that cite it anywhere.';
comment on column analysis.origins.first_at is 'Publication of the first article that rests on it or cites it.';
comment on column analysis.origins.last_at is 'Publication of the latest.';
comment on column analysis.origins.retired_at is 'When it was taken out of the lexicon.';
