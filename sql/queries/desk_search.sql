-- hybrid --
-- Paragraphs by meaning and words, either of which may be missing; `total` counts those on all pages. The articles are
-- looked up for the rows that are shown alone.
select h.similarity, h.text, h.publisher, h.language, h.published_at, h.title, h.url, h.paragraph_id, h.story_id, h.rank,
       h.found_by, h.total, h.article_id, a.country, a.family
from (
    select f.*, count(*) over () as total
    from analysis.hybrid(%(vector)s::halfvec, %(terms)s::text[], %(k)s, %(since)s, %(until)s, %(lang)s, %(country)s,
                         %(publisher)s) f
    order by f.rank
    limit %(most)s offset %(skipped)s
) h
left join lateral (select country, family from analysis.articles where article_id = h.article_id) a on true
order by h.rank

-- model --
-- The model whose vectors are searched.
select model, weights_hash, dimensions from analysis.models where active

-- choices --
-- What can be searched in.
select array_agg(distinct language) filter (where language is not null) as languages,
       array_agg(distinct country) filter (where country is not null) as countries,
       (array_agg(publisher order by publisher))[:500] as publishers
from analysis.publishers
