-- take --
-- Takes hosts for a run: those that nobody holds, or whose holder's time is over. After a holder that never gave back,
-- a request may have begun up to the end of its time. Times that lie further ahead than they can were set by a clock
-- that has been put back since; they count for nothing. Returns ages and waits in seconds.
insert into ingest.hosts as h (host, holder, held_until, taken_at)
select host, %(holder)s, clock_timestamp() + %(hold)s, clock_timestamp()
from unnest(%(hosts)s::text[]) as host
order by host
on conflict (host) do update
set holder = excluded.holder,
    held_until = clock_timestamp() + %(hold)s,
    last_start_at = case
        when h.holder is not null and h.holder <> excluded.holder then greatest(h.last_start_at, h.held_until)
        else h.last_start_at
    end,
    spacing = case
        when h.holder is not null and h.holder <> excluded.holder then greatest(h.spacing, %(spacing)s)
        else h.spacing
    end,
    taken_at = excluded.taken_at
where h.holder is null
   or h.holder = excluded.holder
   or h.held_until <= clock_timestamp()
   or h.held_until > clock_timestamp() + 2 * %(hold)s::interval
returning h.host,
          case when h.last_start_at is not null
               then extract(epoch from clock_timestamp() - least(h.last_start_at, clock_timestamp()))::float8 end as since_start,
          extract(epoch from h.spacing)::float8 as spacing,
          case when h.paused_at <= clock_timestamp() and h.paused_until > clock_timestamp()
               then extract(epoch from h.paused_until - clock_timestamp())::float8 else 0 end as pause

-- renew --
-- Prolongs the holder's time; hosts that another run has taken over are not returned.
update ingest.hosts set held_until = clock_timestamp() + %(hold)s
where host in (select host from ingest.hosts where host = any(%(hosts)s) and holder = %(holder)s order by host for update)
returning host

-- give_back --
-- Gives hosts back, with how long ago the last request to each began (null: none was made) and the distance after it.
update ingest.hosts h
set holder = null, held_until = null,
    last_start_at = coalesce(clock_timestamp() - g.age * interval '1 second', h.last_start_at),
    spacing = case when g.age is null then h.spacing else g.spacing * interval '1 second' end
from unnest(%(hosts)s::text[], %(ages)s::float8[], %(spacings)s::float8[]) as g (host, age, spacing)
where h.host = g.host
  and h.host in (select host from ingest.hosts where host = any(%(hosts)s) and holder = %(holder)s order by host for update)
returning h.host

-- pause --
-- The host is asked nothing for some seconds, by nobody.
insert into ingest.hosts as h (host, taken_at, paused_at, paused_until, pause_reason)
values (%(host)s, clock_timestamp(), clock_timestamp(), clock_timestamp() + %(pause)s, %(reason)s)
on conflict (host) do update
set paused_at = excluded.paused_at, paused_until = excluded.paused_until, pause_reason = excluded.pause_reason
where h.paused_until is null or h.paused_until < excluded.paused_until or h.paused_at > excluded.paused_at

-- robots --
-- What is known of these robots.txt; one from the future is not.
select origin, outcome, problem, body,
       extract(epoch from expires_at - clock_timestamp())::float8 as fresh_for,
       extract(epoch from clock_timestamp() - unreadable_since)::float8 as unreadable_for
from ingest.robots
where origin = any(%(origins)s) and read_at <= clock_timestamp()

-- keep_robots --
-- Keeps what a robots.txt said. Its text outlives a time in which it can't be read.
insert into ingest.robots as r (origin, host, outcome, problem, body, crawl_delay, read_at, expires_at, unreadable_since)
select %(origin)s, %(host)s, %(outcome)s, %(problem)s, %(body)s, %(crawl_delay)s, clock_timestamp(),
       clock_timestamp() + %(fresh)s,
       case when %(outcome)s = 'unreadable' then clock_timestamp() - %(unreadable)s::interval end
from ingest.hosts
where host = %(host)s
on conflict (origin) do update
set outcome = excluded.outcome, problem = excluded.problem, body = excluded.body, crawl_delay = excluded.crawl_delay,
    read_at = excluded.read_at, expires_at = excluded.expires_at, unreadable_since = excluded.unreadable_since

-- paused --
-- Hosts that asked to be left alone for a while.
select host, paused_until, pause_reason
from ingest.hosts
where paused_at <= clock_timestamp() and paused_until > clock_timestamp()
order by paused_until desc
limit 20
