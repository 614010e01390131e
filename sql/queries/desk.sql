-- alive --
-- Whether the database answers.
select 1 as alive

-- board --
-- Every claim with what is new since a moment.
select c.claim_id, c.statement, %(since)s::timestamptz as since from analysis.claims c
