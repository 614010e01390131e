-- view analysis.claim_phrasings
create or replace view analysis.claim_phrasings as
select c.claim_id, said.kind, said.language, said.text, said.number, cv.version
from ingest.claims c
join ingest.claim_versions cv on cv.claim_version_id = c.current_version_id
cross join lateral (
    select 1 as place, 'statement' as kind, null::text as language, cv.statement as text, 1 as number
    union all
    select part.place, part.kind, one.pair ->> 0, one.pair ->> 1, one.number::integer
    from (values (2, 'phrasings', 'phrasing'), (3, 'refutations', 'refutation'), (4, 'updates', 'update'),
                 (5, 'decoys', 'decoy'), (6, 'topic_decoys', 'topic decoy')) as part (place, key, kind)
    cross join lateral jsonb_array_elements(cv.definition -> part.key) with ordinality as one (pair, number)
) said
order by c.topic_id, c.position, said.place, said.number;

comment on view analysis.claim_phrasings is 'The words by which each claim is looked for, one row a wording, as the claims file in force has them; and the decoys, which are near to it and don''t bear on it.';
comment on column analysis.claim_phrasings.claim_id is 'The claim.';
comment on column analysis.claim_phrasings.kind is 'statement; phrasing: says the same; refutation: denies it; update: tells what became of it; decoy: near to this claim, and something else; topic decoy: near to all claims of the topic.';
comment on column analysis.claim_phrasings.language is 'Language, two letters; empty for the statement, which is in the language of the claims file.';
comment on column analysis.claim_phrasings.text is 'The wording.';
comment on column analysis.claim_phrasings.number is 'Its number among those of its kind, in the file''s order.';
comment on column analysis.claim_phrasings.version is 'The version of the claim that has it.';
