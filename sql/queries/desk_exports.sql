-- claim --
-- A claim, and how it stands at a moment, as we knew it at another.
select c.claim_id, c.topic, c.statement, c.version, c.added_at, c.loaded_at, c.retired_at, s.state, s.stories, s.articles,
       s.publishers, s.families, s.origins, s.supports, s.refutes, s.updates, s.first_at, s.last_at, s.quiet_after, s.last_event,
       s.last_event_at, s.last_reason
from analysis.claims c
cross join lateral analysis.claim_state(c.claim_id, %(as_of)s::timestamptz, %(known_at)s::timestamptz) s
where c.claim_id = %(claim)s

-- claims --
-- Every claim that is followed, as the board has it.
select b.claim_id, b.topic, b.statement, b.state, b.stories, b.articles, b.families, b.origins, b.supports, b.refutes, b.updates,
       b.first_at, b.last_at, b.last_fresh_at, b.days, b.last_day, b.new_stories, b.new_articles, b.new_events, b.last_event,
       b.last_event_at, b.last_reason, b.latest_sentence, b.latest_stance, b.latest_publisher, b.latest_country,
       b.latest_language, b.latest_title, b.latest_url, b.latest_article, b.latest_story, b.latest_match, b.waiting
from analysis.board(%(since)s::timestamptz, %(as_of)s::timestamptz) b
limit %(most)s::bigint offset %(skipped)s::bigint

-- phrasings --
-- The wordings by which a claim is looked for.
select p.claim_id, p.kind, p.language, p.text, p.number, p.version
from analysis.claim_phrasings p
where p.claim_id = %(claim)s
order by p.kind <> 'statement', p.kind, p.number
limit %(most)s::bigint offset %(skipped)s::bigint

-- events --
-- What happened to a claim, or to all of them, the latest that we noticed first, with the best sentence of each event's story.
with shown as (
    select ev.event_id, ev.claim_id, ev.kind, ev.happened_at, ev.known_at, ev.reason, ev.mailed, ev.story_id
    from analysis.claim_events ev
    where (%(claim)s::text is null or ev.claim_id = %(claim)s::text)
      and ev.happened_at >= coalesce(%(since)s::timestamptz, '-infinity')
      and ev.happened_at < coalesce(%(until)s::timestamptz, 'infinity')
    order by ev.known_at desc, ev.event_id desc
    limit %(most)s::bigint offset %(skipped)s::bigint
)
select s.event_id, s.claim_id, s.kind, s.happened_at, s.known_at, s.reason, s.mailed, s.story_id, e.sentence, e.stance, e.title,
       e.publisher, e.country, e.language, e.url, e.match_id
from shown s
left join lateral (
    select e.* from analysis.evidence e where e.claim_id = s.claim_id and e.story_id = s.story_id and e.tier <> 'rejected'
) e on true
order by s.known_at desc, s.event_id desc

-- figures --
-- A claim's ledger: how many, says who, as of when.
select f.claim_id, f.role, f.low, f.high, f.modality, f.unit, f.authority, f.authority_kind, f.origin_id, f.as_of, f.denied,
       f.increment, f.earlier, f.first_reported_at, f.known_at, f.articles, f.families, f.publisher, f.quote, f.url, f.story_id,
       f.paragraph_id, f.figure_id, f.revises_low, f.revises_high, f.corrects, f.corrected_at
from analysis.figures f
where f.claim_id = %(claim)s
  and f.as_of >= coalesce((%(since)s::timestamptz at time zone 'UTC')::date, '-infinity')
  and f.as_of < coalesce((%(until)s::timestamptz at time zone 'UTC')::date, 'infinity')
  and (%(origin)s::text is null or f.authority = %(origin)s::text)
order by f.role, f.as_of, f.first_reported_at, f.figure_id
limit %(most)s::bigint offset %(skipped)s::bigint

-- timeline --
-- A claim's stories by day.
select t.claim_id, t.day, t.stories, t.articles, t.supports, t.refutes, t.updates
from analysis.claim_timeline t
where t.claim_id = %(claim)s
  and t.day >= coalesce((%(since)s::timestamptz at time zone 'UTC')::date, '-infinity')
  and t.day < coalesce((%(until)s::timestamptz at time zone 'UTC')::date, 'infinity')
order by t.day
limit %(most)s::bigint offset %(skipped)s::bigint

-- coverage --
-- A claim's coverage by day, language, country and publisher family.
select c.claim_id, c.day, c.language, c.country, c.family, c.stories, c.articles, c.publishers, c.supports, c.refutes, c.updates
from analysis.coverage_by_day c
where c.claim_id = %(claim)s
  and c.day >= coalesce((%(since)s::timestamptz at time zone 'UTC')::date, '-infinity')
  and c.day < coalesce((%(until)s::timestamptz at time zone 'UTC')::date, 'infinity')
  and (%(lang)s::text is null or c.language = %(lang)s::text)
  and (%(country)s::text is null or c.country = %(country)s::text)
  and (%(family)s::text is null or c.family = %(family)s::text)
order by c.day, c.family, c.language, c.country
limit %(most)s::bigint offset %(skipped)s::bigint

-- carriers --
-- The articles that carry a claim's evidence, copies included, each with the archived answer that its text was read from. Of a
-- story without accepted evidence it is the one that is quoted.
with carrying as (
    select e.story_id, e.article_id, e.version_id, e.stance, e.probability, e.sentence, e.title, e.publisher, e.family, e.country,
           e.language, e.published_at, e.url, e.match_id
    from analysis.article_evidence e
    where e.claim_id = %(claim)s and e.story_id = any(%(stories)s::bigint[])
    union all
    select e.story_id, e.article_id, e.version_id, e.stance, e.probability, e.sentence, e.title, e.publisher, e.family, e.country,
           e.language, e.published_at, e.url, e.match_id
    from analysis.evidence e
    where e.claim_id = %(claim)s and e.story_id = any(%(stories)s::bigint[]) and e.tier <> 'accepted'
)
select t.story_id, t.article_id, s.relation, t.stance, t.probability, t.sentence, t.title, t.publisher, t.family, t.country,
       t.language, t.published_at, t.url, t.version_id, t.match_id, c.capture_id, c.captured_at, c.final_url, c.sha256, c.size,
       c.warc_file, c.warc_offset, c.warc_length, coalesce(c.available, false) as available
from carrying t
left join analysis.story_articles s on s.article_id = t.article_id
left join analysis.versions v on v.version_id = t.version_id
left join analysis.captures c on c.capture_id = v.capture_id and c.version_id = v.version_id
order by t.story_id desc, t.published_at, t.article_id
limit %(most)s::bigint

-- story --
-- A story by its number.
select s.story_id, s.first_title, s.first_url, s.first_publisher, s.first_seen_at, s.first_published_at, s.last_published_at,
       s.articles, s.publishers, s.families, s.languages, s.copies_only
from analysis.stories s
where s.story_id = %(story)s

-- article --
-- An article in its latest text.
select a.article_id, a.version_id, a.title, a.url, a.publisher, a.family, a.country, a.publisher_kind, a.language, a.author,
       a.published_at, a.date_precision, a.first_seen_at, a.text_source, a.story_id, a.versions, a.site_name, a.description,
       a.dateline, a.partial
from analysis.articles a
where a.article_id = %(article)s

-- article_text --
-- An article's paragraphs, with the evidence that each carries; its latest text where no version is named.
select t.position, t.kind, t.text, t.claims, t.evidence, t.origins, t.change, t.text_before, t.paragraph_id, t.version_id
from analysis.article_text(%(article)s, %(version)s) t
order by t.position
limit %(most)s::bigint offset %(skipped)s::bigint

-- versions --
-- The texts that an article has had.
select v.article_id, v.version_id, v.number, v.latest, v.title, v.publisher, v.url, v.language, v.published_at, v.known_at,
       v.text_source, v.made_by, v.changes, v.paragraphs, v.author, v.partial, v.capture_id, v.story_id
from analysis.versions v
where v.article_id = %(article)s
order by v.version_id
limit %(most)s::bigint offset %(skipped)s::bigint

-- captures --
-- What proves an article's texts: the server's answers as the archive keeps them.
select c.capture_id, c.article_id, c.feed_id, c.version_id, c.captured_at, c.kind, c.url, c.final_url, c.status, c.sha256, c.size,
       c.warc_file, c.warc_offset, c.warc_length, c.available, c.revisit_of
from analysis.captures c
where c.article_id = %(article)s
order by c.captured_at, c.capture_id, c.version_id
limit %(most)s::bigint offset %(skipped)s::bigint

-- reviews --
-- What reviewers said, the latest first.
select r.review_id, r.match_id, r.claim_id, r.verdict, r.stance, r.reviewer, r.note, r.at, r.in_force, r.matcher_tier, r.probability,
       r.sentence, r.text, r.title, r.language, r.publisher, r.published_at, r.url, r.story_id, r.paragraph_id
from analysis.reviews r
where (%(claim)s::text is null or r.claim_id = %(claim)s::text)
order by r.at desc, r.review_id desc
limit %(most)s::bigint offset %(skipped)s::bigint

-- feeds --
-- How every feed is doing, those in trouble first.
select f.feed_id, f.url, f.title, f.publisher, f.family, f.country, f.language, f.kind, f.tags, f.state, f.health, f.reason,
       f.failures, f.last_outcome, f.last_problem, f.last_polled_at, f.last_success_at, f.next_poll_at, f.poll_interval, f.entries,
       f.last_entry_at, f.entries_a_week, f.silent_for, f.entries_missed, f.verified_at
from analysis.feed_health f
where (%(country)s::text is null or f.country = %(country)s::text)
  and (%(family)s::text is null or f.family = %(family)s::text)
  and (%(lang)s::text is null or f.language = %(lang)s::text)
  and (%(health)s::text is null or f.health = %(health)s::text)
order by array_position(array['gone', 'failing', 'silent', 'unverified', 'new', 'paused', 'well'], f.health), f.failures desc,
         f.publisher, f.feed_id
limit %(most)s::bigint offset %(skipped)s::bigint

-- publishers --
-- Who publishes, and how much of it bears on a claim.
select p.publisher_id, p.publisher, p.family, p.country, p.language, p.kind, p.feeds, p.articles, p.articles_with_evidence, p.claims,
       p.first_at, p.last_at
from analysis.publishers p
where (%(country)s::text is null or p.country = %(country)s::text)
  and (%(family)s::text is null or p.family = %(family)s::text)
  and (%(lang)s::text is null or p.language = %(lang)s::text)
order by p.publisher, p.publisher_id
limit %(most)s::bigint offset %(skipped)s::bigint

-- origins --
-- The authorities that reports rest on.
select o.origin_id, o.name, o.kind, o.country, o.articles, o.cited_in, o.first_at, o.last_at, o.retired_at
from analysis.origins o
where %(country)s::text is null or o.country = %(country)s::text
order by o.name, o.origin_id
limit %(most)s::bigint offset %(skipped)s::bigint

-- known_claim --
-- Whether there is such a claim.
select c.claim_id, c.statement, c.added_at, c.loaded_at, c.version from analysis.claims c where c.claim_id = %(claim)s

-- any_claim --
-- A claim that is followed, for an example.
select c.claim_id from analysis.claims c where c.retired_at is null order by c.topic, c.claim_id limit 1
