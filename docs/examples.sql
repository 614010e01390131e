-- Queries to start from. docs/sql.md shows each below the view or function that it asks first; a test runs them all.
-- Times are in UTC. :'vector' is psql's: claimwatch psql -- --set=vector="$(claimwatch vector 'your text')"

-- claims_by_coverage --
-- All claims, the best covered first. Families count independent voices: forty copies by one owner are one.
select claim_id, statement, stories, families, first_at, last_at
from analysis.claims
where retired_at is null
order by families desc, stories desc, claim_id;

-- evidence_of_the_last_day --
-- What came in during the last 24 hours, as the alerts had it.
select claim_id, stance, round(probability::numeric, 2) as probability, publisher, sentence, url
from analysis.evidence
where tier = 'accepted' and matched_at > now() - interval '24 hours'
order by claim_id, probability desc;

-- suggestions_to_review --
-- This week's near-misses, the most likely first: worth a look, never mailed.
select claim_id, round(probability::numeric, 2) as probability, language, publisher, sentence, url
from analysis.evidence
where tier = 'suggested' and last_at > now() - interval '7 days'
order by probability desc
limit 50;

-- denials --
-- Reports that refute a claim, beside how many stories support it.
select e.claim_id, e.published_at, e.publisher, e.sentence,
       (select count(*) from analysis.evidence o
        where o.claim_id = e.claim_id and o.tier = 'accepted' and o.stance = 'supports') as supporting_stories
from analysis.evidence e
where e.tier = 'accepted' and e.stance = 'refutes'
order by e.published_at desc;

-- evidence_by_country --
-- Which countries' press carries a claim, in which languages, since when.
select claim_id, country, array_agg(distinct language) as languages, count(distinct story_id) as stories,
       min(published_at) as since
from analysis.evidence
where tier = 'accepted'
group by claim_id, country
order by claim_id, stories desc;

-- days_without_gaps --
-- A claim's last thirty days, days without evidence included: ready for a chart.
select d.day, coalesce(t.stories, 0) as stories, coalesce(t.articles, 0) as articles
from (select (now() at time zone 'UTC')::date - ago as day from generate_series(29, 0, -1) as ago) d
left join analysis.claim_timeline t on t.day = d.day and t.claim_id = 'killed-in-kursk'
order by d.day;

-- events_and_their_delay --
-- What happened to the claims this week, and how long after publication we noticed.
select claim_id, kind, happened_at, known_at - happened_at as delay, story_id
from analysis.claim_events
where known_at > now() - interval '7 days'
order by known_at desc;

-- copies_of_a_story --
-- Stories that several papers carry: who had it first, who copied, within what time.
select story_id, count(*) as articles, count(distinct family) as families,
       (array_agg(publisher order by published_at, article_id))[1] as first_publisher,
       min(published_at) as first_at, max(published_at) - min(published_at) as spread
from analysis.articles
where first_seen_at > now() - interval '7 days'
group by story_id
having count(*) > 1
order by articles desc
limit 20;

-- paragraphs_with_a_word --
-- Paragraphs of the last month with certain words, in any of the languages they are written in.
select published_at, publisher, language, text, url
from analysis.paragraphs
where published_at > now() - interval '30 days' and text ~* '(kursk|курс(к|ь)|쿠르스크)'
order by published_at desc
limit 50;

-- similar_to_a_text --
-- The paragraphs nearest in meaning to a text of yours, in any language.
select round(similarity::numeric, 3) as similarity, language, publisher, published_at, text, url
from analysis.similar(:'vector', 20, since => now() - interval '30 days');

-- similar_to_every_claim --
-- For each claim the five nearest paragraphs of the week: a look beside what the matcher accepted.
select c.claim_id, round(s.similarity::numeric, 3) as similarity, s.language, s.publisher, s.text
from analysis.claims c
cross join lateral analysis.similar_to_claim(c.claim_id, 5, since => now() - interval '7 days') s
where c.retired_at is null
order by c.claim_id, s.similarity desc;

-- more_like_this_evidence --
-- What else is told like the latest evidence: rewrites and other languages of the same report.
select e.claim_id, e.sentence, s.publisher, s.language, s.published_at, s.text
from (select * from analysis.evidence where tier = 'accepted' order by matched_at desc limit 1) e
cross join lateral analysis.similar_to_paragraph(e.paragraph_id, 10) s;

-- feeds_in_trouble --
-- Feeds that bring nothing: in trouble, or silent for a week. Silence looks like "no evidence" elsewhere.
select publisher, url, state, last_outcome, last_problem, last_success_at, last_entry_at
from analysis.feed_health
where state <> 'active' or last_problem is not null
   or coalesce(last_entry_at, '-infinity') < now() - interval '7 days'
order by last_entry_at nulls first;

-- work_of_the_last_day --
-- What the pipeline did in the last 24 hours: items by stage and outcome.
select stage, outcome, sum(items::bigint)::bigint as items
from analysis.run_log, jsonb_each_text(outcomes) as counted (outcome, items)
where started_at > now() - interval '24 hours'
group by stage, outcome
order by stage, items desc;

-- stories_told_in_own_words --
-- This week's stories that were not only copied: independent reports of one event, the widest first.
select story_id, first_title, first_publisher, articles, families, languages, first_published_at
from analysis.stories
where first_published_at > now() - interval '7 days' and not copies_only
order by families desc, articles desc, story_id
limit 20;

-- who_copied_whom --
-- How each article of the latest large stories came into its story.
select a.story_id, a.relation, round(a.similarity::numeric, 2) as similarity, a.publisher, a.language, a.published_at, a.title
from analysis.story_articles a
join analysis.stories s using (story_id)
where s.articles > 1 and s.first_published_at > now() - interval '2 days'
order by a.story_id, a.published_at, a.article_id;
