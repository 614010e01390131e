-- alive --
-- Whether the database answers.
select 1 as alive

-- board --
-- Every claim with what is new since a moment.
select b.* from analysis.board(%(since)s::timestamptz, %(as_of)s::timestamptz) b
