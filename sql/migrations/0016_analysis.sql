-- From a text to every answer of a server that proves it, without reading the whole list of answers.
create index captures_held on ingest.captures (coalesce(revisit_of, capture_id));
