-- register --
-- The model's number; a new one gets its table of embeddings.
select ingest.register_model(%(name)s, %(weights_hash)s, %(dimensions)s, %(now)s) as model_id

-- find --
-- The model's number, if it is registered.
select model_id, dimensions, active from ingest.models where name = %(name)s and weights_hash = %(weights_hash)s

-- active --
-- The model that searches and matching use.
select model_id, name, weights_hash, dimensions from ingest.models where active

-- activate --
-- Switches to a model whose embeddings are complete.
update ingest.models set active = true where model_id = %(model_id)s

-- texts --
-- The texts of paragraphs.
select paragraph_id, text from ingest.paragraphs where paragraph_id = any(%(paragraph_ids)s)

-- store --
-- A paragraph's vector.
insert into {embeddings} (paragraph_id, embedding) values (%(paragraph_id)s, %(embedding)s)
on conflict (paragraph_id) do nothing

-- missing --
-- Paragraphs without a vector of this model that are not queued for one.
select p.paragraph_id
from ingest.paragraphs p
where not exists (select from {embeddings} e where e.paragraph_id = p.paragraph_id)
  and not exists (select from ingest.work w where w.stage = 'embed' and w.item_id = p.paragraph_id)
order by p.paragraph_id

-- known_phrases --
-- The vectors of phrases that are there already.
select content_hash, embedding from ingest.phrase_embeddings
where model_id = %(model_id)s and content_hash = any(%(hashes)s)

-- store_phrase --
-- A phrase's vector.
insert into ingest.phrase_embeddings (model_id, content_hash, embedding)
values (%(model_id)s, %(content_hash)s, %(embedding)s)
on conflict do nothing

-- any --
-- Whether any model is registered.
select model_id from ingest.models limit 1

-- missing_count --
-- How many paragraphs have no vector of this model.
select count(*) as missing
from ingest.paragraphs p
where not exists (select from {embeddings} e where e.paragraph_id = p.paragraph_id)

-- is_active --
-- Whether the model is the one in use.
select model_id from ingest.models where model_id = %(model_id)s and active

-- deactivate --
-- No model is in use until the next statement of the transaction names one.
update ingest.models set active = false where active
