-- view analysis.claim_events
create or replace view analysis.claim_events as
select ev.event_id, ev.claim_id, ev.kind, ev.happened_at, ev.known_at, ev.story_id,
       coalesce(ev.reason, case ev.kind when 'first_seen' then 'the first report we have seen'
                                        when 'archive' then 'older than the freshness window when it was matched'
                                        else 'a further story' end) as reason,
       exists (select from ingest.alert_events ae where ae.event_id = ev.event_id) as mailed
from ingest.claim_events ev;

comment on view analysis.claim_events is 'What happened to the claims, in the order we noticed.';
comment on column analysis.claim_events.event_id is 'Number of the event.';
comment on column analysis.claim_events.claim_id is 'The claim.';
comment on column analysis.claim_events.kind is 'first_seen, fresh_coverage, new_story, archive, surge, contradiction, silence or edited; docs/tracking.md says what each means.';
comment on column analysis.claim_events.happened_at is 'When the report was published; for an edit, when we had the new text; for a silence, when it was found.';
comment on column analysis.claim_events.known_at is 'When we noticed.';
comment on column analysis.claim_events.story_id is 'The story; empty for a silence.';
comment on column analysis.claim_events.reason is 'Why it is an event, in plain words.';
comment on column analysis.claim_events.mailed is 'Whether anybody was told of it by mail.';
