-- claim --
-- Takes up to `limit` due items under a lease. Hosts take turns, so that one host can't fill a batch, and at most
-- `a_host` of one come into it; what is only looked at again comes after all that was never fetched. A host that
-- another run asks at the moment (hosts.take) is left out: its turn comes later. Mail is another matter: that goes by
-- domain, and to our own server.
with due as (
    select item_id, due_at, again,
           row_number() over (partition by host order by again, due_at, item_id) as turn
    from ingest.work
    where stage = %(stage)s
      and due_at <= %(now)s
      and (lease_until is null or lease_until <= %(now)s)
      and (hashtext(host) & 2147483647) %% %(shards)s = %(shard)s
      and (stage = 'notify' or host not in (select host from ingest.hosts where held_until > clock_timestamp()))
), chosen as (
    select w.item_id
    from due join ingest.work w on w.stage = %(stage)s and w.item_id = due.item_id
    where (w.lease_until is null or w.lease_until <= %(now)s)
      and (%(a_host)s::integer is null or due.turn <= %(a_host)s)
    order by due.again, due.turn, due.due_at, w.item_id
    limit %(limit)s
    for update of w skip locked
)
update ingest.work w
set lease_until = %(now)s + %(lease)s, lease_token = %(token)s, attempts = attempts + 1
from chosen
where w.stage = %(stage)s and w.item_id = chosen.item_id
returning w.item_id, w.attempts, w.host

-- claim_plain --
-- The same for stages that go to no host: what was never done first, the oldest before the others.
with chosen as (
    select item_id
    from ingest.work
    where stage = %(stage)s
      and due_at <= %(now)s
      and (lease_until is null or lease_until <= %(now)s)
    order by again, due_at, item_id
    limit %(limit)s
    for update skip locked
)
update ingest.work w
set lease_until = %(now)s + %(lease)s, lease_token = %(token)s, attempts = attempts + 1
from chosen
where w.stage = %(stage)s and w.item_id = chosen.item_id
returning w.item_id, w.attempts, w.host

-- claim_matches --
-- The same for matches that are to be tracked: in the order of publication, so that what is told does not depend on
-- how many are taken at a time.
with chosen as (
    select w.item_id
    from ingest.work w
    left join ingest.matches m on m.match_id = w.item_id
    left join ingest.paragraphs p using (paragraph_id)
    left join ingest.versions v on v.version_id = p.first_version_id
    where w.stage = %(stage)s
      and w.due_at <= %(now)s
      and (w.lease_until is null or w.lease_until <= %(now)s)
    order by v.published_at, w.item_id
    limit %(limit)s
    for update of w skip locked
)
update ingest.work w
set lease_until = %(now)s + %(lease)s, lease_token = %(token)s, attempts = attempts + 1
from chosen
where w.stage = %(stage)s and w.item_id = chosen.item_id
returning w.item_id, w.attempts, w.host

-- add --
-- Queues an item; one that is queued already stays as it is.
insert into ingest.work (stage, item_id, host, due_at)
values (%(stage)s, %(item_id)s, %(host)s, %(due_at)s)
on conflict (stage, item_id) do nothing

-- add_all --
-- Queues many items of a stage that goes to no host; one that was only to be done again no longer gives way.
insert into ingest.work (stage, item_id, due_at)
select %(stage)s, unnest(%(item_ids)s::bigint[]), %(due_at)s
on conflict (stage, item_id) do update set again = false where work.again

-- look_again --
-- Queues an item that was done before; one that is queued for later comes forward.
insert into ingest.work (stage, item_id, host, due_at, again)
values (%(stage)s, %(item_id)s, %(host)s, %(due_at)s, true)
on conflict (stage, item_id) do update set due_at = least(work.due_at, excluded.due_at)

-- do_again --
-- Queues many items of a stage that goes to no host, behind all that was never done.
insert into ingest.work (stage, item_id, due_at, again)
select %(stage)s, unnest(%(item_ids)s::bigint[]), %(due_at)s, true
on conflict (stage, item_id) do nothing

-- settle --
-- The item is done; nothing comes back where another process has taken it over.
delete from ingest.work
where stage = %(stage)s and item_id = any(%(item_ids)s) and lease_token = %(token)s
returning item_id

-- settle_rest --
-- What a run that went through has left: items that are no longer there.
delete from ingest.work where stage = %(stage)s and lease_token = %(token)s
returning item_id

-- postpone --
-- The items are to be taken again when they are due; one that another process has taken over does not come back.
update ingest.work w
set due_at = g.due_at, lease_until = null, lease_token = null, outcome = g.outcome, problem = g.problem,
    attempts = case when g.fresh then 0 else w.attempts end, again = w.again or g.look
from jsonb_to_recordset(%(items)s::jsonb) as g (
    item_id bigint, due_at timestamptz, outcome text, problem text, fresh boolean, look boolean)
where w.stage = %(stage)s and w.item_id = g.item_id and w.lease_token = %(token)s
returning w.item_id

-- renew --
-- Prolongs a lease; one that another process has taken over does not come back.
update ingest.work set lease_until = greatest(lease_until, %(until)s)
where stage = %(stage)s and item_id = %(item_id)s and lease_token = %(token)s
returning item_id

-- release --
-- A run that broke off gives back what it had taken; that was no attempt of theirs.
update ingest.work set lease_until = null, lease_token = null, attempts = greatest(attempts - 1, 0)
where stage = %(stage)s and lease_token = %(token)s
returning item_id

-- free_expired --
-- Leases that ran out; the items are pending again anyway, this only makes it visible.
update ingest.work set lease_until = null, lease_token = null
where lease_until <= %(now)s
returning stage, item_id

-- pending --
-- Per stage: due now, in work, and waiting for later.
select stage,
       count(*) filter (where due_at <= %(now)s and (lease_until is null or lease_until <= %(now)s)) as due,
       count(*) filter (where lease_until > %(now)s) as in_work,
       count(*) filter (where due_at > %(now)s and (lease_until is null or lease_until <= %(now)s)) as later,
       min(due_at) filter (where due_at <= %(now)s and (lease_until is null or lease_until <= %(now)s)) as oldest_due
from ingest.work
group by stage

-- start_run --
-- A run of a stage begins.
insert into ingest.runs (stage, started_at) values (%(stage)s, %(now)s) returning run_id

-- count_claimed --
-- Noted before the work is done, so that a killed run shows what it had taken.
update ingest.runs set claimed = %(claimed)s where run_id = %(run_id)s

-- finish_run --
-- A run of a stage ends.
update ingest.runs
set finished_at = %(now)s, outcomes = %(outcomes)s, problem = %(problem)s
where run_id = %(run_id)s

-- drop_run --
-- A run that found nothing to do leaves no row.
delete from ingest.runs where run_id = %(run_id)s

-- record_outcome --
-- Why an item did not simply succeed.
insert into ingest.outcomes (run_id, stage, item_id, outcome, problem, at)
values (%(run_id)s, %(stage)s, %(item_id)s, %(outcome)s, %(problem)s, %(now)s)

-- last_runs --
-- The last run of every stage, for `status`.
select distinct on (stage) stage, started_at, finished_at, claimed, outcomes, problem
from ingest.runs
order by stage, started_at desc

-- outcome_counts --
-- What became of all items so far, by stage.
select stage, key as outcome, sum(value::integer)::bigint as items
from ingest.runs, jsonb_each_text(outcomes)
where key not in ('not-its-turn', 'released')
group by stage, key
order by stage, key

-- last_moment --
-- The latest moment that a run of any stage has noted.
select max(greatest(started_at, finished_at)) as at from ingest.runs
