-- view analysis.claim_events
create or replace view analysis.claim_events as
select ev.event_id, ev.claim_id, ev.kind, ev.happened_at, ev.known_at, ev.story_id
from ingest.claim_events ev;

comment on view analysis.claim_events is 'What happened to the claims, in the order we noticed.';
comment on column analysis.claim_events.event_id is 'Number of the event.';
comment on column analysis.claim_events.claim_id is 'The claim.';
comment on column analysis.claim_events.kind is 'first_seen, fresh_coverage, or archive (older material, not mailed).';
comment on column analysis.claim_events.happened_at is 'When the report was published.';
comment on column analysis.claim_events.known_at is 'When we noticed.';
comment on column analysis.claim_events.story_id is 'The story.';
