-- What happens to claims over time: more kinds of events with their reasons, and which judgement of a text counts.

alter table ingest.claim_events drop constraint claim_events_kind_check;
alter table ingest.claim_events add constraint claim_events_kind_check check (
    kind in ('first_seen', 'fresh_coverage', 'new_story', 'archive', 'surge', 'contradiction', 'silence', 'edited'));
alter table ingest.claim_events add column reason text;
create index claim_events_claim_time on ingest.claim_events (claim_id, happened_at);
create index claim_events_known on ingest.claim_events (known_at);
comment on column ingest.claim_events.kind is 'first_seen: first evidence ever; fresh_coverage: a new story after a quiet time; new_story: a further story while coverage goes on; archive: older material was matched; surge: far more stories than usual; contradiction: the evidence turns; silence: expected coverage did not come; edited: a text that carried evidence was changed.';
comment on column ingest.claim_events.event_key is 'What makes the event one of its kind: the story, the version that changed a text, or the turn of the evidence.';
comment on column ingest.claim_events.story_id is 'The story that brought it; empty for a silence.';
comment on column ingest.claim_events.happened_at is 'Publication time of the report; for an edit, when we had the new text; for a silence, when it was found.';
comment on column ingest.claim_events.reason is 'Why it is an event, in plain words; empty for events from before reasons were kept.';

alter table ingest.matches add column superseded_at timestamptz;
alter table ingest.matches add column tracked_at timestamptz;
update ingest.matches m set tracked_at = m.matched_at
where m.tier = 'accepted'
  and not exists (select from ingest.work w where w.stage = 'track' and w.item_id = m.match_id);
-- Wordings that are no longer in force: a match of theirs counts until the wording in force has judged its paragraph
-- anew. Where a claim's current wording has left matches at all, its whole archive was matched with it.
update ingest.matches m set superseded_at = v.loaded_at
from ingest.claims c join ingest.claim_versions v on v.claim_version_id = c.current_version_id
where c.claim_id = m.claim_id and m.claim_version_id < c.current_version_id
  and not exists (select from ingest.work w where w.stage = 'match' and w.item_id = m.paragraph_id)
  and exists (select from ingest.matches now_in_force where now_in_force.claim_version_id = c.current_version_id);
create index matches_standing on ingest.matches (claim_id, tier) where superseded_at is null;
comment on column ingest.matches.superseded_at is 'When a later wording of the claim, or a later model, judged the paragraph: from then on that judgement counts, and this one is history.';
comment on column ingest.matches.tracked_at is 'When tracking took the match into account; empty before, and for suggested ones.';

alter table ingest.articles add column reread_at timestamptz;
comment on column ingest.articles.reread_at is 'When the page was last asked for again, because evidence stands in it that may be edited.';

create table ingest.alert_events (
    alert_id bigint not null references ingest.alerts on delete cascade,
    event_id bigint not null references ingest.claim_events on delete cascade,
    primary key (alert_id, event_id)
);
create index alert_events_event on ingest.alert_events (event_id);
insert into ingest.alert_events (alert_id, event_id)
select alert_id, event_id from ingest.alerts where event_id is not null;
comment on table ingest.alert_events is 'Which events a mail tells: a story that brings two of them is told once.';
comment on column ingest.alert_events.alert_id is 'The mail.';
comment on column ingest.alert_events.event_id is 'An event that it tells.';
comment on table ingest.alerts is 'The outbox: one mail a story, claim and reader; see ingest.alert_events for what it tells.';
comment on column ingest.alerts.event_id is 'The claim event that made the mail; empty for a mail to the operator.';

-- How long a claim whose stories have these times has to be without one to be quiet: three times the median of its
-- last twenty gaps, within two and seven days; four days without three gaps. logic/tracking.quiet_time says why.
create function ingest.quiet_time(p_times timestamptz[]) returns interval
language sql immutable
as $$
select case
           when count(*) < 3 then interval '4 days'
           else make_interval(secs => least(greatest(
               3 * percentile_cont(0.5) within group (order by gap), 2 * 86400), 7 * 86400))
       end
from (
    select extract(epoch from at - lag(at) over (order by at))::double precision as gap,
           row_number() over (order by at desc) as number
    from unnest(p_times) as at
) gaps
where gap is not null and number <= 20
$$;
comment on function ingest.quiet_time is 'How long a claim with stories at these times has to be without one to be quiet.';
