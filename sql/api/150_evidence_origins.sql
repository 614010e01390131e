-- view analysis.evidence_origins
create or replace view analysis.evidence_origins as
select m.claim_id, a.story_id, o.name as origin, o.kind, o.country, count(distinct a.article_id) as articles,
       count(distinct pub.family) as families, bool_or(vo.how <> 'inherited') as cited,
       min(v.published_at) as first_at,
       (array_agg(vo.sentence order by (vo.how = 'inherited'), v.published_at, v.version_id, vo.position))[1] as sentence, o.origin_id
from ingest.matches m
join ingest.appearances ap using (paragraph_id)
join ingest.version_origins vo on vo.version_id = ap.version_id and vo.position = ap.position
join ingest.origins o using (origin_id)
join ingest.versions v on v.version_id = ap.version_id
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
where m.superseded_at is null and m.tier <> 'rejected'
group by m.claim_id, a.story_id, o.origin_id, o.name, o.kind, o.country;

comment on view analysis.evidence_origins is 'Whom the evidence on a claim rests on: one row a claim, story and origin. Count the rows of a story for "41 articles, 2 origins"; ten papers that quote one service are one voice.';
comment on column analysis.evidence_origins.claim_id is 'The claim.';
comment on column analysis.evidence_origins.story_id is 'The story.';
comment on column analysis.evidence_origins.origin is 'The authority.';
comment on column analysis.evidence_origins.kind is 'intelligence, military, government, organisation, state-media, wire, media, think-tank, analysis, witness, document or own.';
comment on column analysis.evidence_origins.country is 'The authority''s country.';
comment on column analysis.evidence_origins.articles is 'Articles of the story whose evidence rests on it.';
comment on column analysis.evidence_origins.families is 'Publisher families behind those articles.';
comment on column analysis.evidence_origins.cited is 'Whether a paragraph with evidence names it; if not, it is only the main origin of the article around.';
comment on column analysis.evidence_origins.first_at is 'Publication of the first of those articles.';
comment on column analysis.evidence_origins.sentence is 'The sentence that names it.';
comment on column analysis.evidence_origins.origin_id is 'Short name of the origin.';
