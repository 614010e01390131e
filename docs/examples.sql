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

-- articles_of_a_claim --
-- Which articles carry a claim, copies included, and what does each say of it?
select article_id, story_id, stance, published_at, language, country, family
from analysis.article_evidence
where claim_id = 'killed-in-kursk'
order by published_at, article_id;

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

-- coverage_by_language --
-- The last four weeks by day and language, independent voices beside articles.
select day, language, count(distinct family) as families, sum(articles)::bigint as articles,
       sum(supports)::bigint as supports, sum(refutes)::bigint as refutes
from analysis.coverage_by_day
where claim_id = 'killed-in-kursk' and day > (now() at time zone 'UTC')::date - 28
group by day, language
order by day, families desc;

-- weeks_by_country --
-- Week by week, in how many countries and families a claim was carried.
select claim_id, week, count(distinct country) as countries, count(distinct family) as families,
       sum(articles)::bigint as articles
from analysis.coverage_by_week
group by claim_id, week
order by claim_id, week;

-- how_claims_stand --
-- Every claim's state now, with how much evidence it has.
select s.claim_id, s.state, s.stories, s.articles, s.publishers, s.families, s.supports, s.refutes, s.last_at,
       s.last_event, s.last_reason
from analysis.claims c
cross join lateral analysis.claim_state(c.claim_id) s
where c.retired_at is null
order by s.last_at desc nulls last;

-- the_board --
-- The desk's first page: every claim, what is new since yesterday, and the latest sentence, moved ones first.
select claim_id, state, new_stories, supports, refutes, updates, origins, last_fresh_at, latest_publisher, latest_sentence
from analysis.board(since => now() - interval '1 day')
order by new_stories desc, last_at desc nulls last;

-- states_a_month_ago --
-- Which claims stand otherwise than a month ago, by what was known then and now?
select claim_id, ago.state as a_month_ago, today.state as today, today.stories - ago.stories as stories_since
from analysis.claim_states(now() - interval '1 month', now() - interval '1 month') ago
join analysis.claim_states() today using (claim_id)
where ago.state <> today.state;

-- what_we_said_then --
-- One day as it was published, by what we knew that evening and by what we know now: late reports are the difference.
select 'known that evening' as by, early.*
from analysis.claim_state('killed-in-kursk', '2024-12-20 22:00+00', '2024-12-20 22:00+00') early
union all
select 'known today', later.*
from analysis.claim_state('killed-in-kursk', '2024-12-20 22:00+00', now()) later;

-- since_yesterday --
-- The morning's reading: which claims moved since yesterday, and why.
select claim_id, state_before, state, new_stories, new_families, supports, refutes, events, last_reason
from analysis.what_changed(now() - interval '1 day');

-- events_and_their_delay --
-- What happened to the claims this week and why, and how long after publication we noticed.
select claim_id, kind, happened_at, known_at - happened_at as delay, reason, mailed, story_id
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

-- my_searches --
-- What you search for by name. `insert into analysis.searches (name, text) values ('losses', 'killed')` stores one more.
select name, state, problem, text
from analysis.searches
order by created_at desc;

-- results_of_my_searches --
-- What each of your searches finds this month, by meaning and by words.
select s.name, r.rank, r.found_by, round(r.similarity::numeric, 3) as similarity, r.publisher, r.published_at, r.text
from analysis.searches s
cross join lateral analysis.search_results(s.name, 10, since => now() - interval '30 days') r
where s.state = 'ready'
order by s.name, r.rank;

-- words_in_any_language --
-- Where do these words stand, whatever their endings? Any language, no model.
select rank, language, publisher, published_at, text, url
from analysis.full_text('Курск солдаты', 20);

-- by_meaning_and_words --
-- One text's vector and some words of one's own choice, in the outlets of one country.
select rank, found_by, publisher, text
from analysis.hybrid(:'vector', array['kursk', 'курск'], 20, country => 'KR');

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
-- Feeds that bring nothing: in trouble, or silent by their own measure. Silence looks like "no evidence" elsewhere.
select publisher, url, health, reason, last_success_at, last_entry_at, silent_for, entries_missed
from analysis.feed_health
where health in ('gone', 'failing', 'silent')
order by entries_a_week desc nulls last, last_success_at nulls first;

-- voices_that_are_missing --
-- Of each language and kind of publisher, how many feeds are well, and how many of their entries a week are missing.
select language, kind, count(*) filter (where health = 'well') as well, count(*) as feeds,
       sum(entries_a_week) filter (where health in ('gone', 'failing', 'silent')) as entries_a_week_missing
from analysis.feed_health
group by language, kind
order by entries_a_week_missing desc nulls last, feeds desc;

-- work_of_the_last_day --
-- What the pipeline did in the last 24 hours: items by stage and outcome.
select stage, outcome, sum(items::bigint)::bigint as items
from analysis.run_log, jsonb_each_text(outcomes) as counted (outcome, items)
where started_at > now() - interval '24 hours'
group by stage, outcome
order by stage, items desc;

-- origins_of_a_claim --
-- Coverage of each story by articles, publisher families and origins: many papers may carry one authority's word.
select e.claim_id, e.sentence, e.articles, e.families, cardinality(e.origins) as origins, e.origins as which
from analysis.evidence e
where e.tier = 'accepted'
order by e.last_at desc
limit 50;

-- most_cited_authorities --
-- On whom the reports rest: main origins of articles, and how often each is cited at all.
select name, kind, country, articles, cited_in, last_at
from analysis.origins
where cited_in > 0
order by articles desc, cited_in desc
limit 40;

-- whom_an_article_cites --
-- This week's articles that rest on an intelligence service, with the sentence that says so.
select published_at, publisher, origin, sentence, url
from analysis.article_origins
where position is null and kind = 'intelligence' and published_at > now() - interval '7 days'
order by published_at desc;

-- claims_resting_on_one_authority --
-- Claims whose evidence goes back to a single authority.
select claim_id, min(origin) as only_origin, sum(articles) as articles
from analysis.evidence_origins
group by claim_id
having count(distinct origin_id) = 1
order by articles desc;

-- waiting_for_a_verdict --
-- What a yes or no would teach the matcher most, of one claim.
select match_id, round(probability::numeric, 2) as probability, language, publisher, sentence, url
from analysis.review_queue
where claim_id = 'killed-in-kursk'
limit 20;

-- verdicts_by_reviewer --
-- How often reviewers agree with the matcher, by what it had said.
select reviewer, matcher_tier, count(*) filter (where verdict = 'confirmed') as confirmed,
       count(*) filter (where verdict = 'rejected') as rejected
from analysis.reviews
where in_force
group by reviewer, matcher_tier
order by reviewer, matcher_tier;

-- confirm --
-- Yes, and it is a denial: as claimwatch_reviewer, here for a sentence that the queue shows.
select analysis.confirm_match(match_id, stance => 'refutes', note => 'Moscow denies it')
from analysis.review_queue
where claim_id = 'killed-in-kursk' and sentence like '%denied%';

-- reject --
-- No, to all that one outlet's column has brought in.
select match_id, analysis.reject_match(match_id, 'opinion, no report')
from analysis.review_queue
where url like 'https://example.org/opinion/%';

-- withdraw --
-- What I rejected in the last hour was a mistake.
select match_id, analysis.withdraw_review(match_id)
from analysis.reviews
where in_force and verdict = 'rejected' and reviewer = session_user and at > now() - interval '1 hour';

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

-- how_many_says_who --
-- How have the numbers of those sent and killed moved, by whose official word? Totals alone, each beside the same authority's last.
select as_of, role, authority, low, high, modality, revises_high as was, articles, families, first_reported_at, quote
from analysis.figures
where claim_id in ('over-10000-troops', 'killed-in-kursk') and role in ('shipped', 'deployed', 'killed')
  and authority_kind in ('intelligence', 'military', 'government', 'organisation')
  and not (denied or increment or earlier)
order by role, as_of, first_reported_at;

-- lowest_and_highest --
-- What did anybody put the number of dead at on 31 December, as we knew it that day, and could all of them be right?
select low, low_modality, low_by, high, high_modality, high_by, authorities, agreed
from analysis.figure_range('killed-in-kursk', 'killed', '2024-12-31', '2024-12-31 23:59+00');

-- figures_that_changed --
-- Which figures did an outlet change after publication, and what had stood there?
select now.publisher, before.low as low_before, before.high as high_before, now.low, now.high, now.authority, before.corrected_at
from analysis.figures now
join analysis.figures before on before.figure_id = now.corrects
order by before.corrected_at;

-- proof_of_evidence --
-- Which answer of which server proves a sentence, and where does it stand in the archive? `claimwatch archive get CAPTURE` prints it.
select e.claim_id, e.publisher, e.sentence, c.capture_id, c.captured_at, c.final_url, c.sha256, c.warc_file, c.warc_offset
from analysis.captures c
join analysis.paragraphs p using (version_id)
join analysis.evidence e on e.paragraph_id = p.paragraph_id and e.url = p.url
where e.tier = 'accepted' and c.kind in ('response', 'resource')
order by e.claim_id, e.first_at;

-- how_long_it_stood --
-- Over which time did the server send the same page? Each look at it is a capture.
select article_id, version_id, min(captured_at) as first_seen, max(captured_at) as last_seen, count(*) as looks
from analysis.captures
where article_id is not null and status < 400
group by article_id, version_id
order by last_seen desc
limit 20;

-- edits_of_the_week --
-- What did publishers change after publication in articles that carry evidence?
select ch.publisher, ch.changed_at, ch.kind, ch.text_before, ch.text_after, ch.url
from analysis.version_changes ch
where ch.made_by = 'publisher' and ch.changed_at > now() - interval '7 days'
  and exists (select from analysis.article_evidence e where e.article_id = ch.article_id)
order by ch.changed_at desc, ch.article_id, ch.number;

-- texts_of_an_article --
-- Which articles had more than one text this week, and who changed them?
select publisher, title, number, made_by, changes, known_at, version_id, article_id
from analysis.versions
where article_id in (select article_id from analysis.versions where number > 1 and known_at > now() - interval '7 days')
order by article_id, number;

-- read_an_article --
-- The latest article with evidence, paragraph by paragraph, and what each bears on.
select t.position, t.claims, t.origins, t.change, t.text
from (select article_id from analysis.evidence where tier = 'accepted' order by matched_at desc limit 1) e
cross join lateral analysis.article_text(e.article_id) t;

-- why_it_matched --
-- Why was the latest evidence accepted? Which groups of concepts it names, and the figures behind the decision.
select w.part, w.name, w.value, w.says
from (select match_id from analysis.evidence where tier = 'accepted' order by matched_at desc limit 1) e
cross join lateral analysis.why(e.match_id) w;

-- who_carries_what --
-- Outlets by country, with the claims that they have carried; those that have carried none last.
select country, publisher, family, kind, feeds, articles, articles_with_evidence, claims
from analysis.publishers
order by country, articles_with_evidence desc, publisher;

-- wordings_by_language --
-- In which languages is each claim looked for, with how many wordings, and how many decoys hold it in check?
select claim_id, language, count(*) filter (where kind in ('phrasing', 'refutation', 'update')) as wordings,
       count(*) filter (where kind = 'decoy') as decoys
from analysis.claim_phrasings
where language is not null
group by claim_id, language
order by claim_id, wordings desc;

-- terms_of_a_claim --
-- The concepts that a report on a claim has to name, with some of the terms for each.
select concept_group, concept, cardinality(terms) as terms, terms[:5] as some
from analysis.claim_concepts
where claim_id = 'killed-in-kursk' and concept_group is not null;

-- backfills_under_way --
-- Older material that is being brought in, and what has come of it.
select backfill_id, kind, source, state, files_done, files, articles, read, problem
from analysis.backfills
order by added_at desc;

-- items_without_a_text --
-- What did the feeds bring this week whose article could not be read, and why?
select f.publisher, e.first_seen_at, e.title, e.last_outcome, e.last_problem, e.url
from analysis.feed_entries e
join analysis.feed_health f using (feed_id)
where not e.has_text and e.first_seen_at > now() - interval '7 days'
order by e.first_seen_at desc
limit 50;

-- feeds_in_trouble_of_late --
-- Which feeds failed most often in the last week, and how?
select f.publisher, p.outcome, count(*) as polls, max(p.at) as last_at, (array_agg(p.problem order by p.at desc))[1] as problem
from analysis.feed_problems p
join analysis.feed_health f using (feed_id)
where p.at > now() - interval '7 days'
group by f.publisher, p.outcome
order by polls desc;

-- models --
-- Whose vectors are searched?
select model, dimensions, active, registered_at, weights_hash from analysis.models order by model_id;

-- mails_that_did_not_go_out --
-- Which messages wait or were given up, and why?
select alert_id, kind, claim_id, state, created_at, problem
from analysis.alerts
where state <> 'sent'
order by created_at desc;

-- why_nobody_was_told --
-- What happened lately that was not mailed at once, and why not?
select decided_at, claim_id, kind, news, decision, reason
from analysis.notices
where decision <> 'told'
order by decided_at desc
limit 50;

-- who_is_told --
-- Who gets what, as claimwatch_reviewer: addresses are shown in part.
select subscription_id, reader, about, rhythm, confirmed_at, paused_until, last_sent_at, messages
from analysis.subscriptions
where ended_at is null
order by about, reader;

-- whose --
-- The subscriptions of somebody whose address you know, as claimwatch_reviewer.
select subscription_id from analysis.subscriptions_of('ada@example.org') subscription_id;

-- ask_for_a_digest --
-- A daily digest of everything at seven in the morning in Berlin, as claimwatch_reviewer; a mail asks Ada first.
select analysis.subscribe('ada@example.org', rhythm => 'daily', hour => 7, timezone => 'Europe/Berlin');

-- let_it_rest_at_night --
-- Mails of one subscription wait until the morning, as claimwatch_reviewer.
select analysis.change_subscription(s.subscription_id, timezone => 'Asia/Seoul', quiet_from => '22:00', quiet_until => '07:00')
from analysis.subscriptions s
where s.subscription_id = 17;

-- away_for_two_weeks --
-- Nothing for a fortnight, as claimwatch_reviewer.
select analysis.pause_subscription(s.subscription_id, until => now() + interval '14 days')
from analysis.subscriptions s
where s.subscription_id = 17;

-- no_more_of_a_claim --
-- Ends all subscriptions to a claim, as claimwatch_reviewer.
select analysis.end_subscription(s.subscription_id)
from analysis.subscriptions s
where s.claim_id = 'desertion' and s.ended_at is null;

-- yes_for_a_reader --
-- For somebody who has said yes in person, as claimwatch_reviewer.
select analysis.confirm_subscription(s.subscription_id)
from analysis.subscriptions s
where s.subscription_id = 17;

-- what_a_mail_quoted --
-- The sentence behind the latest match, and what reviewers say of it now.
select t.sentence, t.publisher, t.published_at, t.verdict
from (select max(match_id) as match_id from analysis.article_evidence) e
cross join lateral analysis.match_text(e.match_id) t;
