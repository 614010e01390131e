-- function analysis.article_text
create or replace function analysis.article_text(article bigint, version bigint default null)
returns table ("position" integer, kind text, text text, claims text[], evidence jsonb, origins text[], change text,
               text_before text, paragraph_id bigint, version_id bigint)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
select ap.position, ap.kind, p.text, coalesce(held.claims, '{}'), coalesce(held.evidence, '[]'),
       coalesce(named.origins, '{}'), ch.kind, before.text, ap.paragraph_id, ap.version_id
from ingest.appearances ap
join ingest.paragraphs p using (paragraph_id)
left join lateral (
    select array_agg(m.claim_id order by c.position) filter (where m.tier = 'accepted') as claims,
           jsonb_agg(jsonb_build_object(
               'claim_id', m.claim_id, 'tier', m.tier, 'stance', m.stance, 'probability', round(m.probability::numeric, 3),
               'sentence', m.sentence, 'why', m.why, 'match_id', m.match_id,
               'review', case when m.matcher_tier is not null then case m.tier when 'rejected' then 'rejected' else 'confirmed' end end)
               order by m.tier = 'accepted' desc, m.probability desc, c.position) as evidence
    from ingest.matches m
    join ingest.claims c using (claim_id)
    where m.paragraph_id = ap.paragraph_id and m.superseded_at is null
) held on true
left join lateral (
    select array_agg(o.name order by vo.strength desc, o.name) as origins
    from ingest.version_origins vo join ingest.origins o using (origin_id)
    where vo.version_id = ap.version_id and vo.position = ap.position and vo.how <> 'inherited'
) named on true
left join ingest.version_changes ch on ch.version_id = ap.version_id and ch.after_position = ap.position
left join ingest.appearances stood on stood.version_id = ch.before_id and stood.position = ch.before_position
left join ingest.paragraphs before on before.paragraph_id = stood.paragraph_id
where ap.version_id = (
    select max(v.version_id) from ingest.versions v
    where v.article_id = article_text.article and (article_text.version is null or v.version_id = article_text.version))
order by ap.position
$$;

comment on function analysis.article_text is 'An article to read, paragraph by paragraph, with the evidence that each carries: its latest text, or the one whose number is given (analysis.versions). claims are those with accepted evidence there, evidence has every match with tier, stance, probability and sentence, the best first; origins are the authorities that the paragraph names; change and text_before say what is new in it since the text before.';
