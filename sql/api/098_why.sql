-- function analysis.why
create or replace function analysis.why(match bigint)
returns table (part text, name text, value real, says text)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
with one as (
    select m.*, cv.version, cv.definition,
           -- "sentence 2 of 3: killed + kursk; 100% of its groups ...", as the matcher wrote it
           split_part(m.why, ': ', 1) as place,
           string_to_array(split_part(split_part(m.why, ': ', 2), '; ', 1), ' + ') as named
    from ingest.matches m
    join ingest.claim_versions cv using (claim_version_id)
    where m.match_id = why.match
), review as (
    select r.verdict, r.reviewer, r.at
    from one join ingest.reviews r using (claim_id, paragraph_id)
    order by r.review_id desc
    limit 1
), concept as (
    select g.role, g.place, array_agg(c.name order by c.name) as all_of,
           array_agg(c.name order by c.name) filter (where c.name = any(one.named)) as named
    from one
    cross join lateral jsonb_each(one.definition -> 'groups') with ordinality as g (role, concepts, place)
    cross join lateral jsonb_object_keys(g.concepts) as c (name)
    group by g.role, g.place
), told (name, place, form, says) as (
    values
    ('probe', 1, 'number', 'from 0 (like the claim''s decoys) to 1 (like its wordings) the paragraph reads %s'),
    ('probe_context', 2, 'number', 'with what its title names, %s'),
    ('probe_margin', 3, 'number', 'ahead of the next claim by %s; below 0, another claim is nearer'),
    ('cosine_sentence', 4, 'number', 'the best sentence is %s standard deviations nearer to a wording than unrelated texts are'),
    ('words', 5, 'number', 'it shares words worth %s with the best wording; rare words are worth more'),
    ('groups_sentence', 6, 'share', 'one sentence names %s of the claim''s concept groups'),
    ('groups_context', 7, 'share', 'paragraph and title name %s of them'),
    ('groups_article', 8, 'share', 'the whole article names %s of them'),
    ('groups_topic', 9, 'share', 'the article names %s of the groups of the claim that it comes nearest to'),
    ('core', 10, 'whether', 'does the article name whom the claims are about: %s')
)
select part, name, value, says
from (
    select 1 as block, 0::bigint as place, 'decision' as part, 'tier' as name, one.probability as value,
           format('%s, at a probability of %s %%', coalesce(one.matcher_tier, one.tier), round(one.probability::numeric * 100))
           || case when one.labels is null then ''
                   else format('; of %s labelled pairs accepted at this setting %s %% were right', one.labels,
                               round(one.precision::numeric * 100)) end as says
    from one
    union all
    select 1, 1, 'decision', 'stance', null, coalesce(one.matcher_stance, one.stance) from one
    union all
    select 1, 2, 'decision', 'review', null,
           format('%s by %s on %s', review.verdict, review.reviewer, (review.at at time zone 'UTC')::date) from review
    union all
    select 1, 3, 'decision', 'wording', one.version, format('judged by wording %s of the claim, by matcher %s', one.version, one.matcher)
           || case when one.superseded_at is not null then '; a later wording has judged the paragraph since' else '' end
    from one
    union all
    select 2, 0, 'sentence', coalesce(nullif(one.place, ''), 'sentence'), null, one.sentence from one
    union all
    select 3, coalesce(array_position(array['who', 'did', 'where'], c.role), 3 + c.place), 'concept group', c.role, (c.named is not null)::integer,
           case when c.named is not null then 'the sentence names ' || array_to_string(c.named, ', ')
                else 'the sentence names none of ' || array_to_string(c.all_of, ', ') end
    from concept c
    union all
    select 4, coalesce(t.place, 99), 'feature', f.key, f.value::real,
           format(coalesce(t.says, '%s'),
                  case t.form when 'share' then round(f.value::numeric * 100) || ' %'
                              when 'whether' then case when f.value::real > 0 then 'yes' else 'no' end
                              else round(f.value::numeric, 2)::text end)
    from one
    cross join lateral jsonb_each_text(one.features) as f (key, value)
    left join told t on t.name = f.key
) answer
order by block, place, name
$$;

comment on function analysis.why is 'Why a match is one, in words: what was decided, by which sentence, which of the claim''s concept groups that sentence names, and each figure that the decision rests on. One row an answer; `value` is the figure, 1 and 0 for a concept group that is named or not.';
