-- function analysis.match_text
create or replace function analysis.match_text(match bigint)
returns table (match_id bigint, claim_id text, tier text, stance text, probability real, sentence text, text text,
               title text, language text, publisher text, country text, url text, published_at timestamptz,
               article_id bigint, version_id bigint, verdict text, reviewed_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
select m.match_id, m.claim_id, m.tier, m.stance, m.probability, m.sentence, p.text, v.title, v.language, pub.name,
       pub.country, a.url, v.published_at, a.article_id, v.version_id, said.verdict, said.at
from ingest.matches m
join ingest.paragraphs p using (paragraph_id)
join ingest.versions v on v.version_id = p.first_version_id
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
left join lateral (
    select r.verdict, r.at from ingest.reviews r
    where r.claim_id = m.claim_id and r.paragraph_id = m.paragraph_id
    order by r.review_id desc limit 1
) said on said.verdict <> 'withdrawn'
where m.match_id = match_text.match
$$;

comment on function analysis.match_text is 'A match by its number, as a mail may have quoted it long ago: the sentence in its paragraph, the article that had it first, and what reviewers say of it now.';
