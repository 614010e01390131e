-- view analysis.figures
create or replace view analysis.figures as
with told as (
    select f.*, a.story_id, a.article_id, v.published_at, pub.name as publisher, pub.family, a.url, p.text
    from ingest.figures f
    join ingest.versions v using (version_id)
    join ingest.articles a using (article_id)
    join ingest.publishers pub using (publisher_id)
    join ingest.paragraphs p on p.paragraph_id = f.paragraph_id
    where exists (select from ingest.matches m
                  where m.claim_id = f.claim_id and m.paragraph_id = f.paragraph_id and m.tier = 'accepted'
                    and m.superseded_at is null)
), folded as (
    select t.claim_id, t.story_id, t.role, t.origin_id, t.low, t.high, t.modality, t.denied, t.increment, t.earlier,
           min(t.unit) as unit, min(t.as_of) as as_of, min(t.published_at) as first_reported_at,
           min(t.known_at) as known_at,
           case when bool_and(t.corrected_at is not null) then max(t.corrected_at) end as corrected_at,
           max(t.corrects) as corrects,
           (array_agg(t.figure_id order by t.published_at, t.version_id, t.figure_id))[1] as figure_id,
           (array_agg(t.publisher order by t.published_at, t.version_id, t.figure_id))[1] as publisher,
           (array_agg(t.url order by t.published_at, t.version_id, t.figure_id))[1] as url,
           (array_agg(t.span order by t.published_at, t.version_id, t.figure_id))[1] as quote,
           (array_agg(t.paragraph_id order by t.published_at, t.version_id, t.figure_id))[1] as paragraph_id
    from told t
    group by t.claim_id, t.story_id, t.role, t.origin_id, t.low, t.high, t.modality, t.denied, t.increment, t.earlier
), carried as (
    select f.figure_id, count(distinct a.article_id) as articles, count(distinct pub.family) as families
    from folded f
    join ingest.appearances ap on ap.paragraph_id = f.paragraph_id
    join ingest.versions v using (version_id)
    join ingest.articles a on a.article_id = v.article_id and a.story_id = f.story_id
    join ingest.publishers pub using (publisher_id)
    group by f.figure_id
)
select f.claim_id, f.role, f.low, f.high, f.modality, o.name as authority, o.kind as authority_kind, f.origin_id, f.as_of,
       f.first_reported_at, f.known_at, f.denied, f.increment, f.earlier, f.unit, f.quote, f.publisher, f.url,
       c.articles, c.families, f.story_id, f.paragraph_id, f.figure_id, before.low as revises_low, before.high as revises_high,
       f.corrects, f.corrected_at
from folded f
join carried c using (figure_id)
left join ingest.origins o using (origin_id)
left join lateral (
    select b.low, b.high
    from folded b
    where b.claim_id = f.claim_id and b.role = f.role and b.origin_id = f.origin_id and b.as_of < f.as_of
      and not (b.denied or b.increment or b.earlier or f.denied or f.increment or f.earlier)
    order by b.as_of desc, b.first_reported_at desc, b.figure_id
    limit 1
) before on (before.low, before.high) is distinct from (f.low, f.high);

comment on view analysis.figures is 'The ledger: how many, says who, as of when. One row a claim, story, role, authority and figure; copies are folded. From evidence that is accepted now.';
comment on column analysis.figures.claim_id is 'The claim.';
comment on column analysis.figures.role is 'What is counted: deployed, killed ... as the claims file names it.';
comment on column analysis.figures.low is 'The figure, or the lower end of a range.';
comment on column analysis.figures.high is 'The figure, or the upper end of a range.';
comment on column analysis.figures.modality is 'exact, about, at_least, up_to or over.';
comment on column analysis.figures.authority is 'Whose figure it is; empty where the text names nobody.';
comment on column analysis.figures.authority_kind is 'intelligence, military, government, organisation, state-media, media and so on.';
comment on column analysis.figures.origin_id is 'The authority''s short name.';
comment on column analysis.figures.as_of is 'The day that it is told of.';
comment on column analysis.figures.first_reported_at is 'When the story told it first.';
comment on column analysis.figures.known_at is 'When we read it first.';
comment on column analysis.figures.denied is 'Whether the text denies it.';
comment on column analysis.figures.increment is 'Whether it comes on top of others and is no total.';
comment on column analysis.figures.earlier is 'Whether it is told for comparison, as the figure of before.';
comment on column analysis.figures.unit is 'people, or usd_month: US dollars a month.';
comment on column analysis.figures.quote is 'The words themselves.';
comment on column analysis.figures.publisher is 'Who published it first.';
comment on column analysis.figures.url is 'That article.';
comment on column analysis.figures.articles is 'How many articles of the story carry the paragraph.';
comment on column analysis.figures.families is 'How many publisher families those are.';
comment on column analysis.figures.story_id is 'The story.';
comment on column analysis.figures.paragraph_id is 'The paragraph.';
comment on column analysis.figures.figure_id is 'Number of the figure.';
comment on column analysis.figures.revises_low is 'The lower end of the figure that the same authority had given before, where it was another.';
comment on column analysis.figures.revises_high is 'The upper end of that figure.';
comment on column analysis.figures.corrects is 'The figure that stood in an earlier text of the same article.';
comment on column analysis.figures.corrected_at is 'When a later text of the article had another figure in its place; empty for what stands.';
