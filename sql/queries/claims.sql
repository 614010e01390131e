-- put_topic --
-- Adds a topic or renews its name.
insert into ingest.topics (topic_id, name, loaded_at) values (%(topic_id)s, %(name)s, %(now)s)
on conflict (topic_id) do update set name = excluded.name, loaded_at = excluded.loaded_at

-- put_claim --
-- Adds a claim, or takes a retired one back in.
insert into ingest.claims (claim_id, topic_id, position, title, added_at)
values (%(claim_id)s, %(topic_id)s, %(position)s, %(title)s, %(now)s)
on conflict (claim_id) do update
set topic_id = excluded.topic_id, position = excluded.position, title = excluded.title, retired_at = null

-- topic_of --
-- The topic that a claim belongs to.
select topic_id from ingest.claims where claim_id = %(claim_id)s

-- current --
-- The wording in force of a claim.
select v.claim_version_id, v.version, v.definition_hash
from ingest.claims c join ingest.claim_versions v on v.claim_version_id = c.current_version_id
where c.claim_id = %(claim_id)s

-- add_version --
-- A new wording, in force from now on.
with added as (
    insert into ingest.claim_versions (claim_id, version, statement, definition, definition_hash, loaded_at)
    select %(claim_id)s, coalesce(max(version), 0) + 1, %(statement)s, %(definition)s, %(definition_hash)s, %(now)s
    from ingest.claim_versions where claim_id = %(claim_id)s
    returning claim_version_id, claim_id
)
update ingest.claims c set current_version_id = added.claim_version_id
from added where c.claim_id = added.claim_id
returning added.claim_version_id

-- retire_others --
-- Claims of the topic that are no longer in its file.
update ingest.claims set retired_at = %(now)s
where topic_id = %(topic_id)s and retired_at is null and not (claim_id = any(%(kept)s))
returning claim_id

-- in_force --
-- Every claim that is followed, with its wording.
select c.claim_id, c.topic_id, v.claim_version_id, v.version, v.statement, v.definition
from ingest.claims c join ingest.claim_versions v on v.claim_version_id = c.current_version_id
where c.retired_at is null
order by c.topic_id, c.position

-- exists --
-- Whether a claim is followed.
select claim_id from ingest.claims where claim_id = %(claim_id)s and retired_at is null

-- rematch_all --
-- After a change of claims: every embedded paragraph is matched again. Only changed claims bring new rows.
insert into ingest.work (stage, item_id, due_at)
select 'match', paragraph_id, %(now)s from {embeddings}
on conflict (stage, item_id) do nothing

-- retire_topics_but --
-- In a replay with a claims file: nothing else is followed.
update ingest.claims set retired_at = %(now)s where retired_at is null and topic_id <> %(topic_id)s
returning claim_id
