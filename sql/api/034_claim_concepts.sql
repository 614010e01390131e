-- view analysis.claim_concepts
create or replace view analysis.claim_concepts as
select c.claim_id, part.role as concept_group, part.name as concept, part.terms, cv.version
from ingest.claims c
join ingest.claim_versions cv on cv.claim_version_id = c.current_version_id
cross join lateral (
    select 1 as place, groups.role, concepts.name, array(select jsonb_array_elements_text(concepts.terms)) as terms
    from jsonb_each(cv.definition -> 'groups') as groups (role, alternatives)
    cross join lateral jsonb_each(groups.alternatives) as concepts (name, terms)
    union all
    select 2, null, cue.name, array(select jsonb_array_elements_text(cue.terms))
    from jsonb_each(cv.definition -> 'cues') as cue (name, terms)
) part
order by c.topic_id, c.position, part.place, part.role, part.name;

comment on view analysis.claim_concepts is 'The concepts that a claim is made of, and the terms that name each in any language. A text that names one concept of every group speaks of the claim''s subject; what it says of it is another matter.';
comment on column analysis.claim_concepts.claim_id is 'The claim.';
comment on column analysis.claim_concepts.concept_group is 'What the concept is in the claim: who, did, where ... Concepts of one group are alternatives. Empty for cues, which tell a denial or an announcement from a report.';
comment on column analysis.claim_concepts.concept is 'Name of the concept, as analysis.evidence has it under why.';
comment on column analysis.claim_concepts.terms is 'The terms; a star takes any ending, and of two parts joined by + both have to stand in the text.';
comment on column analysis.claim_concepts.version is 'The version of the claim that has it.';
