-- view analysis.models
create or replace view analysis.models as
select m.model_id, m.name as model, m.weights_hash, m.dimensions, m.active, m.registered_at
from ingest.models m;

comment on view analysis.models is 'The embedding models that the archive has vectors of; those of the active one are searched.';
comment on column analysis.models.model_id is 'Number of the model.';
comment on column analysis.models.model is 'Its name in the settings.';
comment on column analysis.models.weights_hash is 'SHA-256 of its weights: whoever makes a query''s vector has to use these very ones.';
comment on column analysis.models.dimensions is 'Numbers in a vector.';
comment on column analysis.models.active is 'Whether search goes over its vectors.';
comment on column analysis.models.registered_at is 'When it was first used here.';
