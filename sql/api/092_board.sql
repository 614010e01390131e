-- function analysis.board
create or replace function analysis.board(since timestamptz default now() - interval '1 day',
                                          as_of timestamptz default now())
returns table (claim_id text, topic text, statement text, state text, stories bigint, articles bigint, families bigint,
               origins bigint, supports bigint, refutes bigint, updates bigint, first_at timestamptz,
               last_at timestamptz, last_fresh_at timestamptz, days integer[], last_day date, new_stories bigint,
               new_articles bigint, new_events text[], last_event text, last_event_at timestamptz, last_reason text,
               latest_sentence text, latest_stance text, latest_publisher text, latest_country text,
               latest_language text, latest_title text, latest_url text, latest_article bigint, latest_story bigint,
               latest_match bigint, waiting bigint)
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
select c.claim_id, c.topic_id, cv.statement, s.state, s.stories, s.articles, s.families, s.origins, s.supports, s.refutes,
       s.updates, s.first_at, s.last_at, fresh.at, s.days, (board.as_of at time zone 'UTC')::date, s.new_stories,
       s.new_articles, coalesce(heard.kinds, '{}'), s.last_event, s.last_event_at, s.last_reason, m.sentence, m.stance,
       shown.publisher, shown.country, shown.language, shown.title, shown.url, shown.article_id, s.latest_story,
       s.latest_match, waiting.matches
from analysis.claim_states(board.as_of, board.as_of, null, board.since) s
join ingest.claims c using (claim_id)
join ingest.claim_versions cv on cv.claim_version_id = c.current_version_id
left join ingest.matches m on m.match_id = s.latest_match
left join lateral (
    select pub.name as publisher, pub.country, v.language, v.title, a.url, a.article_id
    from ingest.appearances ap
    join ingest.versions v using (version_id)
    join ingest.articles a using (article_id)
    join ingest.publishers pub using (publisher_id)
    where ap.paragraph_id = m.paragraph_id and a.story_id = s.latest_story
    order by v.published_at, v.version_id
    limit 1
) shown on true
left join lateral (
    select array_agg(ev.kind order by ev.event_id) as kinds
    from ingest.claim_events ev
    where ev.claim_id = c.claim_id and ev.known_at > board.since and ev.known_at <= board.as_of
) heard on true
left join lateral (
    select ev.happened_at as at
    from ingest.claim_events ev
    where ev.claim_id = c.claim_id and ev.kind in ('first_seen', 'fresh_coverage') and ev.happened_at <= board.as_of
      and ev.known_at <= board.as_of
    order by ev.happened_at desc
    limit 1
) fresh on true
cross join lateral (
    select count(*) as matches
    from ingest.matches w
    where w.claim_id = c.claim_id and w.tier = 'suggested' and w.superseded_at is null
) waiting
where c.retired_at is null
order by c.topic_id, c.position
$$;

comment on function analysis.board is 'Every claim that is followed, one row each, as the desk''s first page has it: its state, its balance, sixty days of stories, what we learned since you last looked, and the latest sentence. `as_of` shows the board of an earlier moment, as we knew it then. new_stories, new_articles and new_events are what we learned of after `since`; days has the stories of each of sixty days (UTC), last_day the last; last_fresh_at is when the last report was published that was told as fresh; supports, refutes and updates count stories; latest_... quote the latest story''s best sentence; waiting counts suggested matches without a verdict, by now.';
