-- one --
-- An article in its latest text.
select article_id, version_id, title, url, publisher, family, country, publisher_kind, language, author, published_at,
       date_precision, first_seen_at, text_source, story_id, versions, site_name, description, dateline, partial
from analysis.articles
where article_id = %(article_id)s

-- at --
-- The article that stands under an address.
select article_id from analysis.articles where url = %(url)s

-- versions --
-- The texts of an article, oldest first.
select version_id, number, latest, title, language, published_at, known_at, text_source, made_by, changes, paragraphs,
       author, partial, capture_id
from analysis.versions
where article_id = %(article_id)s
order by version_id

-- version --
-- Whose text it is.
select v.version_id, v.article_id, v.number, v.title, v.language, v.published_at, v.known_at, v.publisher, v.url,
       v.made_by, v.story_id
from analysis.versions v
where v.version_id = %(version_id)s

-- text --
-- A text of an article, paragraph by paragraph, with what each bears on.
select t.position, t.kind, t.text, t.evidence, t.origins, t.change
from analysis.article_text(%(article_id)s, %(version_id)s) t
order by t.position

-- paragraphs --
-- A text alone, in reading order.
select position, text from analysis.paragraphs where version_id = %(version_id)s order by position

-- claims --
-- The claims by name.
select claim_id, statement from analysis.claims where claim_id = any(%(claim_ids)s)

-- origins --
-- Whom an article rests on: its main origin first, then those that it cites.
select origin, origin_id, kind, country, bool_or(position is null) as main,
       (array_agg(sentence order by position nulls last) filter (where sentence is not null and how <> 'inherited'))[1] as sentence
from analysis.article_origins
where article_id = %(article_id)s
group by origin, origin_id, kind, country
order by main desc, origin

-- captures --
-- The archive's records of an article's page, the newest first.
select capture_id, version_id, captured_at, kind, status, sha256, size, available, revisit_of
from analysis.captures
where article_id = %(article_id)s
order by capture_id desc
limit %(most)s

-- capture --
-- One record of the archive.
select capture_id, article_id, feed_id, version_id, captured_at, kind, url, final_url, status, sha256, size, warc_file,
       warc_offset, warc_length, available, revisit_of
from analysis.captures
where capture_id = %(capture_id)s
order by version_id desc nulls last
limit 1
