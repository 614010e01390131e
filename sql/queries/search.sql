-- similar --
-- The paragraphs nearest to a vector.
select * from analysis.similar(%(vector)s::halfvec, %(k)s, %(since)s, %(until)s, %(lang)s)

-- hybrid --
-- The paragraphs that fit best by meaning and words.
select *
from analysis.hybrid(%(vector)s::halfvec, %(words)s::text[], %(k)s, %(since)s, %(until)s, %(lang)s, %(country)s, %(outlet)s)

-- full_text --
-- The paragraphs that fit best by words.
select * from analysis.full_text(%(text)s, %(k)s, %(since)s, %(until)s, %(lang)s)
