-- What a search finds names its article.

drop function ingest.earliest(bigint, timestamptz, timestamptz, text, text, text);
create function ingest.earliest(p_paragraph bigint, p_since timestamptz, p_until timestamptz, p_lang text,
                                p_country text, p_publisher text)
returns table (publisher text, language text, published_at timestamptz, title text, url text, story_id bigint,
              article_id bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
select pub.name, v.language, v.published_at, v.title, a.url, a.story_id, a.article_id
from ingest.appearances ap
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
where ap.paragraph_id = p_paragraph
  and (p_since is null or v.published_at >= p_since) and (p_until is null or v.published_at < p_until)
  and (p_lang is null or v.language = p_lang) and (p_country is null or pub.country = p_country)
  and (p_publisher is null or pub.name = p_publisher)
order by v.published_at, v.version_id
limit 1
$$;
comment on function ingest.earliest is 'The earliest article with a paragraph that passes the filters of a search.';
