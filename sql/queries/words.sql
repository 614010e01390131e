-- store --
-- The words of paragraphs, parted by spaces.
insert into ingest.paragraph_words (paragraph_id, version, words)
select g.paragraph_id, %(version)s, array_to_tsvector(string_to_array(g.words, ' '))
from unnest(%(paragraph_ids)s::bigint[], %(words)s::text[]) as g (paragraph_id, words)
order by g.paragraph_id
on conflict (paragraph_id) do update set version = excluded.version, words = excluded.words

-- to_make --
-- Paragraphs behind a number that have no words, or those of older rules.
select p.paragraph_id, p.text
from ingest.paragraphs p
left join ingest.paragraph_words w using (paragraph_id)
where p.paragraph_id > %(after)s and w.version is distinct from %(version)s
order by p.paragraph_id
limit %(chunk)s

-- size --
-- How many paragraphs have words, and how many had when words were counted.
select (select count(*) from ingest.paragraph_words) as paragraphs,
       (select paragraphs from ingest.word_totals) as counted

-- forget_counts --
-- Takes the counts of words away.
with totals as (
    delete from ingest.word_totals
)
delete from ingest.word_counts

-- count --
-- Counts words over a sample of so many percent; those that are rare stay out.
with sample as (
    select format('select words from ingest.paragraph_words tablesample system (%%s) repeatable (1)',
                  %(percent)s::numeric) as of_words
)
insert into ingest.word_counts (word, paragraphs)
select word, round(ndoc * 100 / %(percent)s::numeric)
from sample cross join lateral ts_stat(sample.of_words)
where ndoc >= 3 and ndoc * 100 >= %(rare)s * %(percent)s::numeric

-- set_totals --
-- What was counted over.
insert into ingest.word_totals (paragraphs, mean_words, counted_at)
select %(paragraphs)s, coalesce(avg(length(few.words)), 1), %(now)s
from (select words from ingest.paragraph_words tablesample system (%(percent)s) repeatable (1) limit 20000) few
