-- view analysis.claims
create or replace view analysis.claims as
select c.claim_id, c.topic_id as topic, v.statement, v.version, v.loaded_at, c.added_at, c.retired_at,
       coalesce(e.stories, 0) as stories, coalesce(e.families, 0) as families, e.first_at, e.last_at,
       coalesce(e.articles, 0) as articles, coalesce(e.publishers, 0) as publishers,
       1 + (select coalesce(sum(jsonb_array_length(v.definition -> key)), 0)
            from unnest(array['phrasings', 'refutations', 'updates']) as key)::integer as phrasings
from ingest.claims c
join ingest.claim_versions v on v.claim_version_id = c.current_version_id
left join (
    select m.claim_id, count(distinct a.story_id) as stories, count(distinct pub.family) as families,
           count(distinct a.article_id) as articles, count(distinct pub.publisher_id) as publishers,
           min(ver.published_at) as first_at, max(ver.published_at) as last_at
    from ingest.matches m
    join ingest.appearances ap using (paragraph_id)
    join ingest.versions ver using (version_id)
    join ingest.articles a using (article_id)
    join ingest.publishers pub using (publisher_id)
    where m.tier = 'accepted' and m.superseded_at is null
    group by m.claim_id
) e on e.claim_id = c.claim_id;

comment on view analysis.claims is 'The claims that are followed, with how much evidence each has.';
comment on column analysis.claims.claim_id is 'Short name.';
comment on column analysis.claims.topic is 'Its topic.';
comment on column analysis.claims.statement is 'The claim in one sentence.';
comment on column analysis.claims.version is 'Which wording is in force; every edit of the claims file counts one up.';
comment on column analysis.claims.loaded_at is 'Since when.';
comment on column analysis.claims.added_at is 'When the claim was loaded first.';
comment on column analysis.claims.retired_at is 'When it was taken out of the file.';
comment on column analysis.claims.stories is 'Stories with accepted evidence.';
comment on column analysis.claims.families is 'Publisher families behind them: independent voices.';
comment on column analysis.claims.first_at is 'Publication of the earliest evidence.';
comment on column analysis.claims.last_at is 'Publication of the latest.';
comment on column analysis.claims.articles is 'Articles that carry it, copies counted.';
comment on column analysis.claims.publishers is 'Publishers behind these; several may belong to one family.';
comment on column analysis.claims.phrasings is 'Wordings by which it is looked for, in all languages, with the statement and with those that deny or update it.';
