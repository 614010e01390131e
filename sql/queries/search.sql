-- similar --
-- The paragraphs nearest to a vector.
select * from analysis.similar(%(vector)s::halfvec, %(k)s, %(since)s, %(until)s, %(lang)s)
