-- view analysis.evidence
create or replace view analysis.evidence as
with story as (
    -- One pass over what the claim has, for both the best match of each story and what it is spread over.
    select m.claim_id, a.story_id,
           (array_agg(m.match_id order by (m.tier = 'accepted') desc, (m.tier = 'suggested') desc, m.probability desc,
                                          ver.published_at, ver.version_id, m.match_id))[1] as match_id,
           (array_agg(ver.version_id order by (m.tier = 'accepted') desc, (m.tier = 'suggested') desc, m.probability desc,
                                              ver.published_at, ver.version_id, m.match_id))[1] as version_id,
           count(distinct a.article_id) filter (where m.tier <> 'rejected') as articles,
           count(distinct pub.family) filter (where m.tier <> 'rejected') as families,
           min(ver.published_at) filter (where m.tier <> 'rejected') as first_at,
           max(ver.published_at) filter (where m.tier <> 'rejected') as last_at,
           count(distinct a.publisher_id) filter (where m.tier <> 'rejected') as publishers,
           array_agg(distinct ver.language) filter (where ver.language is not null and m.tier <> 'rejected') as languages,
           array_agg(distinct pub.country) filter (where pub.country is not null and m.tier <> 'rejected') as countries,
           array_agg(distinct pub.family) filter (where pub.family is not null and m.tier <> 'rejected') as family_names,
           array_agg(distinct o.name) filter (where o.name is not null and m.tier <> 'rejected') as origins
    from ingest.matches m
    join ingest.appearances ap using (paragraph_id)
    join ingest.versions ver using (version_id)
    join ingest.articles a using (article_id)
    join ingest.publishers pub using (publisher_id)
    left join ingest.version_origins vo on vo.version_id = ap.version_id and vo.position = ap.position
    left join ingest.origins o using (origin_id)
    where m.superseded_at is null
    group by m.claim_id, a.story_id
)
select s.claim_id, m.tier, m.stance, m.probability, m.sentence, pub.name as publisher, pub.country, ver.language, ver.title,
       a.url, ver.published_at, s.articles, s.families, s.first_at, s.last_at, s.story_id, m.paragraph_id, m.match_id,
       v.version as claim_version, m.matched_at, coalesce(s.origins, '{}') as origins,
       case when m.matcher_tier is null then null when m.tier = 'rejected' then 'rejected' else 'confirmed' end as review,
       m.why, m.precision, m.labels, pub.family, s.publishers, coalesce(s.languages, '{}') as languages,
       coalesce(s.countries, '{}') as countries, a.article_id, ver.version_id,
       coalesce(s.family_names, '{}') as family_names
from story s
join ingest.matches m on m.match_id = s.match_id
join ingest.claim_versions v using (claim_version_id)
join ingest.versions ver on ver.version_id = s.version_id
join ingest.articles a on a.article_id = ver.article_id
join ingest.publishers pub on pub.publisher_id = a.publisher_id;

comment on view analysis.evidence is 'What bears on a claim: one row a claim and story, with its best sentence. Forty copies are one row. What an earlier wording of the claim had found counts until the wording in force has judged the same paragraph.';
comment on column analysis.evidence.claim_id is 'The claim.';
comment on column analysis.evidence.tier is 'accepted: counted and mailed; suggested: worth a look; rejected: a reviewer said no to all the story has on the claim, so it counts nowhere.';
comment on column analysis.evidence.stance is 'supports, refutes or updates.';
comment on column analysis.evidence.probability is 'Estimated probability that the sentence bears on the claim.';
comment on column analysis.evidence.sentence is 'The sentence that carries it.';
comment on column analysis.evidence.publisher is 'Who published the article quoted: the earliest that carries the sentence.';
comment on column analysis.evidence.country is 'That publisher''s country.';
comment on column analysis.evidence.language is 'Language of the article.';
comment on column analysis.evidence.title is 'Its title.';
comment on column analysis.evidence.url is 'Its address.';
comment on column analysis.evidence.published_at is 'When it was published.';
comment on column analysis.evidence.articles is 'How many articles of the story carry evidence on the claim.';
comment on column analysis.evidence.families is 'How many publisher families those are.';
comment on column analysis.evidence.first_at is 'When the first of them was published.';
comment on column analysis.evidence.last_at is 'When the last of them was published.';
comment on column analysis.evidence.story_id is 'The story.';
comment on column analysis.evidence.paragraph_id is 'The paragraph with the sentence.';
comment on column analysis.evidence.match_id is 'The match behind the row.';
comment on column analysis.evidence.claim_version is 'The wording of the claim that made the match.';
comment on column analysis.evidence.matched_at is 'When we found it.';
comment on column analysis.evidence.origins is 'The authorities that the evidence rests on, by name: two of them are two voices, however many papers carry it.';
comment on column analysis.evidence.review is 'confirmed or rejected by a reviewer; empty where nobody has looked. Who, when and why stands in analysis.reviews.';
comment on column analysis.evidence.why is 'In one line, why it is a match: where, which terms, how near.';
comment on column analysis.evidence.precision is 'Of labelled pairs that were accepted at this setting, the share that was right; empty for suggestions.';
comment on column analysis.evidence.labels is 'How many labelled pairs that share rests on.';
comment on column analysis.evidence.family is 'The owner of the publisher quoted.';
comment on column analysis.evidence.publishers is 'How many publishers carry evidence of the story on the claim; several may belong to one family.';
comment on column analysis.evidence.languages is 'The languages in which they carry it.';
comment on column analysis.evidence.countries is 'The countries where they publish.';
comment on column analysis.evidence.article_id is 'Number of the article quoted.';
comment on column analysis.evidence.version_id is 'Number of the text of it that is quoted; analysis.captures has the archived record behind it.';
comment on column analysis.evidence.family_names is 'The publisher families that carry it: independent voices, by name.';
