-- function analysis.claim_state
create or replace function analysis.claim_state(claim text, as_of timestamptz default now(),
                                                known_at timestamptz default now())
returns table (claim_id text, state text, stories bigint, articles bigint, publishers bigint, families bigint,
               supports bigint, refutes bigint, updates bigint, first_at timestamptz, last_at timestamptz,
               quiet_after interval, last_event text, last_event_at timestamptz, last_reason text, origins bigint)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
select s.claim_id, s.state, s.stories, s.articles, s.publishers, s.families, s.supports, s.refutes, s.updates,
       s.first_at, s.last_at, s.quiet_after, s.last_event, s.last_event_at, s.last_reason, s.origins
from analysis.claim_states(claim_state.as_of, claim_state.known_at, array[claim_state.claim]) s
$$;

comment on function analysis.claim_state is 'How a claim stood: by what was published by `as_of` and known to us by `known_at`. State is unseen, new (first evidence within seven days), active, contested (families contradict each other within thirty days), quiet (longer without a story than `quiet_after`, from its own rhythm) or silent (expected coverage did not come). Stories count once each under supports, refutes or updates; origins are the authorities that the paragraphs with the evidence rest on, each once.';
