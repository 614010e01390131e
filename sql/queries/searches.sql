-- waiting --
-- Searches without the vector of the model in use. Owners take turns, so that nobody's thousand keep the others waiting.
select s.search_id, s.text
from (
    select search_id, text, row_number() over (partition by owner order by created_at, search_id) as turn
    from ingest.searches
    where problem is null and model_id is distinct from %(model_id)s::integer
) s
order by s.turn, s.search_id
limit %(chunk)s

-- ready --
-- A search's vector and words, unless its text has changed meanwhile.
update ingest.searches
set model_id = %(model_id)s, embedding = %(embedding)s, terms = %(terms)s, embedded_at = clock_timestamp(), problem = null
where search_id = %(search_id)s and text = %(text)s

-- failed --
-- Why nothing can be made of a search's text.
update ingest.searches set problem = %(problem)s where search_id = %(search_id)s and text = %(text)s

-- listener --
-- Processes that wait for searches now.
select pid from pg_stat_activity where application_name = %(name)s and datname = current_database()

-- introduce --
-- What the server's list of connections shows of this one.
select set_config('application_name', %(name)s, false)

-- ask --
-- A search of one's own, for one moment.
insert into ingest.searches (name, text) values (%(name)s, %(text)s) returning search_id

-- answer --
-- What was made of it.
select embedding, terms, problem
from ingest.searches
where search_id = %(search_id)s and (problem is not null or model_id = (select model_id from ingest.models where active))

-- withdraw --
-- Takes it away.
delete from ingest.searches where search_id = %(search_id)s

-- withdraw_old --
-- Takes away what `claimwatch search` was killed before it could.
delete from ingest.searches where name like %(prefix)s || '%%' and created_at < clock_timestamp() - interval '1 hour'
