-- all --
-- The feeds, those in trouble first; `total` counts those on all pages.
select feed_id, url, title, publisher, family, country, language, kind, tags, health, reason, last_outcome, last_problem,
       failures, last_polled_at, last_success_at, last_entry_at, next_poll_at, poll_interval, entries, entries_a_week,
       entries_missed, count(*) over () as total
from analysis.feed_health
where (%(health)s::text is null or health = %(health)s)
  and (%(lang)s::text is null or language = %(lang)s)
  and (%(country)s::text is null or country = %(country)s)
  and (%(family)s::text is null or family = %(family)s)
order by array_position(array['gone', 'failing', 'silent', 'unverified', 'new', 'paused', 'well'], health),
         failures desc, publisher, feed_id
limit %(most)s offset %(skipped)s

-- summary --
-- How many feeds are how, and what they can be filtered by.
select count(*) as feeds, count(*) filter (where health = 'well') as well,
       count(*) filter (where health = 'failing') as failing, count(*) filter (where health = 'silent') as silent,
       count(*) filter (where health = 'new') as new, count(*) filter (where health = 'unverified') as unverified,
       count(*) filter (where health = 'paused') as paused, count(*) filter (where health = 'gone') as gone,
       array_agg(distinct language) filter (where language is not null) as languages,
       array_agg(distinct country) filter (where country is not null) as countries, array_agg(distinct family) as families,
       max(last_success_at) as last_success_at, min(next_poll_at) as next_poll_at
from analysis.feed_health

-- one --
-- A feed by its number.
select feed_id, url, title, publisher, family, country, language, kind, tags, state, health, reason, last_outcome,
       last_problem, failures, last_polled_at, last_success_at, last_entry_at, next_poll_at, poll_interval, entries,
       entries_a_week, entries_missed, silent_for, verified_at
from analysis.feed_health
where feed_id = %(feed_id)s

-- entries --
-- What a feed brought, the latest first.
select feed_id, entry_id, article_id, title, language, published_at, first_seen_at, url, has_text, last_outcome,
       last_problem
from analysis.feed_entries
where feed_id = %(feed_id)s
order by first_seen_at desc, entry_id desc
limit %(most)s::bigint offset %(skipped)s::bigint

-- days --
-- Items a day over the last weeks, oldest first.
select array_agg(coalesce(e.entries, 0) order by d.day)::integer[] as counts
from generate_series(0, %(days)s - 1) as d (day)
left join (
    select %(days)s - 1 - ((%(today)s::date - (first_seen_at at time zone 'UTC')::date)) as day, count(*) as entries
    from analysis.feed_entries
    where feed_id = %(feed_id)s
      and first_seen_at >= ((%(today)s::date - %(days)s + 1)::timestamp at time zone 'UTC')
    group by 1
) e on e.day = d.day

-- problems --
-- The polls of a feed that went wrong, the latest first.
select at, outcome, problem
from analysis.feed_problems
where feed_id = %(feed_id)s
order by at desc
limit %(most)s
