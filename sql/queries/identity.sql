-- lock_articles --
-- The articles that these addresses name, by their own address or a further one, and the given article. Locked in the
-- order of addresses, as storing entries does.
with named as (
    select article_id from ingest.articles where url = any(%(urls)s) or article_id = %(article_id)s
    union
    select article_id from ingest.article_urls where url = any(%(urls)s)
    union -- what turned out to be another article leads to that
    select u.article_id
    from ingest.articles a join ingest.article_urls u on u.url = a.url
    where a.url = any(%(urls)s) or a.article_id = %(article_id)s
)
select a.article_id, a.url
from ingest.articles a join named using (article_id)
order by a.url
for update of a

-- same_articles --
-- The articles that addresses stand for. `known_from` is empty where it is the article's own address. `folded_into` is
-- the article that it turned out to be.
select given.url, a.article_id, u.known_from, other.article_id as folded_into,
       exists (select from ingest.versions v where v.article_id = a.article_id) as has_text,
       (select e.title from ingest.entries e where e.article_id = a.article_id order by e.entry_id limit 1) as title
from unnest(%(urls)s::text[]) as given (url)
left join ingest.article_urls u on u.url = given.url
join ingest.articles a on a.article_id = u.article_id or u.article_id is null and a.url = given.url
left join ingest.article_urls other on other.url = a.url

-- add_url --
-- A further address of an article; one that is known already stays as it is.
insert into ingest.article_urls (url, article_id, known_from, first_seen_at)
values (%(url)s, %(article_id)s, %(known_from)s, %(now)s)
on conflict (url) do nothing

-- fold --
-- One article turned out to be another: its entries and further addresses are the other's now, and its own address
-- leads there. Its texts stay where they are, and nobody looks at it again.
with entry as (
    update ingest.entries set article_id = %(into)s where article_id = %(article_id)s
), further as (
    update ingest.article_urls set article_id = %(into)s where article_id = %(article_id)s
), own as (
    insert into ingest.article_urls (url, article_id, known_from, first_seen_at)
    select url, %(into)s, 'entry', %(now)s from ingest.articles where article_id = %(article_id)s
    on conflict (url) do update set article_id = excluded.article_id
), look as (
    delete from ingest.work where stage = 'fetch' and item_id = %(article_id)s
)
update ingest.articles set last_outcome = 'same-article', last_problem = %(problem)s where article_id = %(article_id)s
