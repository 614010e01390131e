-- Twenty questions of analysts. docs/cookbook.md is made of them by `make docs`, with the answers of the sample
-- newsroom; a test asks them again. First line: the question; further lines: what to mind. Dates are UTC.

-- who_reported_it_first --
-- Who reported it first?
-- One row a claim; the last two columns say how many outlets had followed by the end of the year, and who was second.
select claim_id, (array_agg(publisher order by published_at, article_id))[1] as first,
       (array_agg(language order by published_at, article_id))[1] as language, min(published_at) as at,
       count(distinct publisher) - 1 as followed,
       (array_agg(publisher order by published_at, article_id) filter (where publisher <> first_publisher))[1] as second
from (
    select e.*, first_value(e.publisher) over (partition by e.claim_id order by e.published_at, e.article_id) as first_publisher
    from analysis.article_evidence e
) e
group by claim_id
order by at, claim_id;

-- how_the_number_moved --
-- How has the number of dead and wounded moved, by source?
-- Totals only, each authority's in the order of the days they are told of. A denied figure is one that the text disputes.
select f.as_of, f.role, f.authority, f.modality, f.low, f.high, f.denied, f.publisher as first_told_by, f.articles, f.quote
from analysis.figures f
where f.claim_id = 'killed-in-kursk' and f.role in ('killed', 'wounded', 'casualties') and not f.increment and not f.earlier
order by f.as_of, f.role, f.low, f.high, f.authority, f.first_reported_at;

-- lowest_and_highest --
-- What did anybody put it at by the end of the year, and can all of them be right?
select r.role, r.low, r.low_modality, r.low_by, r.high, r.high_modality, r.high_by, r.authorities, r.agreed
from unnest(array['deployed', 'killed', 'wounded', 'casualties']) as role
cross join lateral analysis.figure_range(case role when 'deployed' then 'over-10000-troops' else 'killed-in-kursk' end, role,
                                         '2024-12-31', '2024-12-31 23:59+00') r;

-- russian_week_after --
-- What did Russian-language outlets say in the week after the report of 19 December?
-- Asked of the articles, copies included. A short list is an answer too: see the next question for who kept quiet.
select e.published_at, e.publisher, e.country, e.stance, e.sentence
from analysis.article_evidence e
where e.claim_id = 'killed-in-kursk' and e.language = 'ru'
  and e.published_at >= '2024-12-19 07:48+00' and e.published_at < timestamptz '2024-12-19 07:48+00' + interval '7 days'
order by e.published_at, e.article_id;

-- never_carried_the_denial --
-- Which outlets carried the claim and never the denial?
select p.publisher, p.country, count(*) as articles, min(e.published_at) as first_at
from analysis.article_evidence e
join analysis.publishers p using (publisher_id)
where e.claim_id = 'killed-in-kursk' and e.stance = 'supports'
  and not exists (
      select from analysis.article_evidence d
      where d.claim_id = e.claim_id and d.publisher_id = e.publisher_id and d.stance = 'refutes')
group by p.publisher, p.country
order by first_at, p.publisher;

-- what_we_knew --
-- What did we know on 1 December?
-- Both moments count: what was published by then, and what we had read and judged by then. Reviews that came later are not in it.
select claim_id, state, stories, articles, supports, refutes, updates, last_at, last_event
from analysis.claim_states(as_of => '2024-12-01', known_at => '2024-12-01')
where state <> 'unseen'
order by last_at desc, claim_id;

-- what_moved --
-- What has moved between the evenings of 18 and 20 December?
select claim_id, state_before, state, new_stories, new_articles, supports, refutes, events, last_reason
from analysis.what_changed('2024-12-18 23:59+00', '2024-12-20 23:59+00');

-- what_reached_us_late --
-- What had been out for half a day before we read it?
-- The newsroom is read once an evening; on live feeds this list is where to look for a feed that lags.
select a.publisher, a.title, a.published_at, a.first_seen_at, a.first_seen_at - a.published_at as delay
from analysis.articles a
where a.first_seen_at - a.published_at > interval '14 hours' and exists (
    select from analysis.article_evidence e where e.article_id = a.article_id)
order by delay desc, a.published_at, a.article_id
limit 10;

-- diary_of_a_claim --
-- What has happened to this claim, and what followed from what?
select happened_at, kind, reason
from analysis.claim_events
where claim_id = 'killed-in-kursk'
order by happened_at, kind, reason;

-- weeks_by_language --
-- How much was written on it week by week, in which languages?
select week, sum(articles)::bigint as articles, count(distinct family) as families,
       coalesce(sum(articles) filter (where language = 'en'), 0)::bigint as en,
       coalesce(sum(articles) filter (where language = 'ko'), 0)::bigint as ko,
       coalesce(sum(articles) filter (where language = 'ru'), 0)::bigint as ru,
       coalesce(sum(articles) filter (where language = 'uk'), 0)::bigint as uk,
       coalesce(sum(articles) filter (where language = 'ja'), 0)::bigint as ja
from analysis.coverage_by_week
where claim_id in ('troops-fighting', 'over-10000-troops', 'killed-in-kursk')
group by week
order by week;

-- languages_in_turn --
-- How long does a claim take from one language to the next?
-- Counted from the first report in any language. Where a claim has one language only, nobody has taken it up elsewhere.
select claim_id, string_agg(format('%s +%s d', language, round(extract(epoch from at - first_at) / 86400)), ', ' order by at, language) as languages
from (
    select claim_id, language, min(published_at) as at, min(min(published_at)) over (partition by claim_id) as first_at
    from analysis.article_evidence
    group by claim_id, language
) first
group by claim_id
having count(*) > 1
order by claim_id;

-- who_carried_the_wire --
-- Who copied the wire's story, who rewrote it, and how fast?
select a.published_at, a.published_at - min(a.published_at) over () as after, a.publisher, a.country, a.relation, a.origin, a.title
from analysis.story_articles a
join analysis.stories s using (story_id)
where s.first_publisher = 'Halyard Wire' and s.first_title like 'At least 100 North Korean%'
order by a.published_at, a.publisher;

-- on_whose_word --
-- On whose word does it rest?
-- Ten papers that quote one service are one voice. Stories that are only suggested are left out.
select o.origin, o.kind, count(*) as stories, sum(o.articles)::bigint as articles, min(o.first_at) as first_at,
       (array_agg(o.sentence order by o.first_at, o.story_id))[1] as named_in
from analysis.evidence_origins o
join analysis.evidence e using (claim_id, story_id)
where o.claim_id = 'killed-in-kursk' and e.tier = 'accepted' and o.cited
group by o.origin, o.kind
order by articles desc, o.origin
limit 8;

-- both_sides --
-- Where do publishers contradict each other, and who stands on which side?
select claim_id, array_agg(distinct publisher) filter (where stance = 'supports') as support,
       array_agg(distinct publisher) filter (where stance = 'refutes') as deny
from analysis.article_evidence
group by claim_id
having count(distinct family) filter (where stance = 'refutes') > 0
   and count(distinct family) filter (where stance = 'supports') > 0
order by claim_id;

-- state_media --
-- Do state outlets tell it otherwise than the others?
select p.kind, p.country, count(distinct e.article_id) as articles,
       round(100.0 * count(*) filter (where e.stance = 'supports') / count(*)) as supports_percent,
       round(100.0 * count(*) filter (where e.stance = 'refutes') / count(*)) as refutes_percent
from analysis.article_evidence e
join analysis.publishers p using (publisher_id)
group by p.kind, p.country
order by refutes_percent desc, articles desc, p.kind, p.country;

-- longest_silence --
-- What was the longest silence on each claim, and who ended it?
select distinct on (claim_id) claim_id, before as quiet_from, published_at as until,
       (extract(epoch from published_at - before) / 86400)::integer as days, publisher, stance
from (
    select e.*, lag(e.first_at) over (partition by e.claim_id order by e.first_at, e.story_id) as before
    from analysis.evidence e
    where e.tier = 'accepted'
) e
where before is not null
order by claim_id, published_at - before desc, story_id;

-- changed_after_publication --
-- What was changed after publication, and does it touch a claim?
select ch.publisher, ch.changed_at, ch.kind, ch.text_before, ch.text_after,
       (select array_agg(e.claim_id order by e.claim_id) from analysis.article_evidence e where e.article_id = ch.article_id) as claims
from analysis.version_changes ch
where ch.made_by = 'publisher'
order by ch.changed_at, ch.number;

-- paragraph_by_paragraph --
-- What does this article say on which claim, paragraph by paragraph?
select t.position, t.claims, t.origins, left(t.text, 120) as begins
from analysis.articles a
cross join lateral analysis.article_text(a.article_id) t
where a.publisher = 'Печерський оглядач' and a.published_at::date = '2024-12-27'
order by t.position;

-- why_this_sentence --
-- Why was this taken for evidence?
-- The rest of its rows are the figures that the decision rests on (analysis.why).
select w.part, w.name, w.says
from analysis.evidence e
cross join lateral analysis.why(e.match_id) with ordinality w (part, name, value, says, place)
where e.claim_id = 'killed-in-kursk' and e.tier = 'accepted' and e.publisher = 'Kyiv Ledger' and w.part in ('sentence', 'concept group')
order by e.first_at, e.story_id, w.place;

-- proof_of_it --
-- Which archived answer of which server proves it?
-- `claimwatch archive get` prints the page as it was sent.
select e.published_at, e.publisher, c.captured_at, c.kind, c.status, left(c.sha256, 16) as sha256, c.final_url
from analysis.evidence e
join analysis.captures c using (version_id)
where e.claim_id = 'killed-in-kursk' and e.tier = 'accepted' and c.kind in ('response', 'resource')
order by e.published_at, c.captured_at, c.kind;
