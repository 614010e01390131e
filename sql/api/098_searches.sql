-- view analysis.searches
create or replace view analysis.searches as
select s.name, s.text,
       case when s.problem is not null then 'failed'
            when s.model_id = (select m.model_id from ingest.models m where m.active) then 'ready'
            else 'waiting' end as state,
       s.problem, s.created_at, s.embedded_at, s.owner
from ingest.searches s
where s.owner = session_user
with cascaded check option;

comment on view analysis.searches is 'Your searches: insert a name and a text, and within two seconds analysis.search_results(name) finds what is like it. Yours to update and delete.';
comment on column analysis.searches.name is 'Its name, of your choice; each role has names of its own.';
comment on column analysis.searches.text is 'What to look for, in any language: a sentence, a headline, some words. 5,000 characters at most, of which the model reads about the first 2,000.';
comment on column analysis.searches.state is 'waiting: until it has its vector; ready; failed: see problem.';
comment on column analysis.searches.problem is 'Why nothing could be made of the text.';
comment on column analysis.searches.created_at is 'When its text was stored.';
comment on column analysis.searches.embedded_at is 'When it became ready.';
comment on column analysis.searches.owner is 'The role that stored it: you.';
