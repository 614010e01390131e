-- The pipeline's own tables. Analysts read schema analysis instead (sql/api).

comment on schema ingest is 'The pipeline''s tables; only the pipeline''s role touches them.';
comment on schema analysis is 'The analysts'' stable views and functions.';

-- Work -------------------------------------------------------------------------------------------------------

create table ingest.work (
    stage        text        not null check (stage in ('poll', 'fetch', 'extract', 'embed', 'match', 'track', 'notify')),
    item_id      bigint      not null,
    host         text        not null default '',
    due_at       timestamptz not null,
    lease_until  timestamptz,
    lease_token  uuid,
    attempts     integer     not null default 0,
    outcome      text,
    problem      text,
    primary key (stage, item_id)
);
create index work_due on ingest.work (stage, due_at);
create index work_host on ingest.work (stage, host, due_at, item_id);
comment on table ingest.work is 'What is still to be done, one row an item and stage. A row disappears in the transaction that stores its result.';
comment on column ingest.work.stage is 'The stage that will take the item.';
comment on column ingest.work.item_id is 'Feed for poll; article for fetch and extract; paragraph for embed and match; match for track; alert for notify.';
comment on column ingest.work.host is 'The host that the work goes to; batches take turns over hosts so that none starves the others.';
comment on column ingest.work.due_at is 'Not before this time.';
comment on column ingest.work.lease_until is 'Until then one process has the item; afterwards it is pending again.';
comment on column ingest.work.lease_token is 'Who has the item; a process whose token was replaced writes nothing.';
comment on column ingest.work.attempts is 'How often the item was taken so far.';
comment on column ingest.work.outcome is 'Outcome of the last attempt, where it has to be tried again.';
comment on column ingest.work.problem is 'The last attempt''s problem in plain words.';

create table ingest.runs (
    run_id       bigint generated always as identity primary key,
    stage        text        not null,
    started_at   timestamptz not null,
    finished_at  timestamptz,
    claimed      integer     not null default 0,
    outcomes     jsonb       not null default '{}',
    problem      text
);
create index runs_stage on ingest.runs (stage, started_at desc);
comment on table ingest.runs is 'One row a run of a stage: how many items it took and what became of each.';
comment on column ingest.runs.run_id is 'Number of the run.';
comment on column ingest.runs.stage is 'The stage that ran.';
comment on column ingest.runs.started_at is 'When it started, by the pipeline''s clock.';
comment on column ingest.runs.finished_at is 'When it ended; empty while it runs or after it was killed.';
comment on column ingest.runs.claimed is 'Items taken. The counts in outcomes add up to it.';
comment on column ingest.runs.outcomes is 'Outcome word to number of items.';
comment on column ingest.runs.problem is 'Why the run as a whole stopped early, if it did.';

create table ingest.outcomes (
    outcome_id   bigint generated always as identity primary key,
    run_id       bigint      not null references ingest.runs on delete cascade,
    stage        text        not null,
    item_id      bigint      not null,
    outcome      text        not null,
    problem      text        not null,
    at           timestamptz not null
);
create index outcomes_item on ingest.outcomes (stage, item_id);
create index outcomes_run on ingest.outcomes (run_id);
comment on table ingest.outcomes is 'Every item that did not simply succeed, with the reason.';
comment on column ingest.outcomes.outcome_id is 'Number of the row.';
comment on column ingest.outcomes.run_id is 'The run in which it happened.';
comment on column ingest.outcomes.stage is 'The stage.';
comment on column ingest.outcomes.item_id is 'The item; see ingest.work.item_id for what it counts.';
comment on column ingest.outcomes.outcome is 'A short stable word: timeout, not-a-feed, too-large, robots, ...';
comment on column ingest.outcomes.problem is 'The same in plain words.';
comment on column ingest.outcomes.at is 'When.';

-- Sources ----------------------------------------------------------------------------------------------------

create table ingest.publishers (
    publisher_id bigint generated always as identity primary key,
    name         text not null unique,
    family       text not null,
    country      text,
    language     text,
    kind         text
);
comment on table ingest.publishers is 'Who publishes. Publishers of one family have one owner and count as one voice.';
comment on column ingest.publishers.publisher_id is 'Number of the publisher.';
comment on column ingest.publishers.name is 'Its name, as readers know it.';
comment on column ingest.publishers.family is 'The owner; the publisher''s own name where none is known.';
comment on column ingest.publishers.country is 'Two-letter country code.';
comment on column ingest.publishers.language is 'Main language, two-letter code.';
comment on column ingest.publishers.kind is 'wire, newspaper, broadcaster, state, blog, think-tank or other.';

create table ingest.feeds (
    feed_id          bigint generated always as identity primary key,
    url              text        not null unique,
    publisher_id     bigint      not null references ingest.publishers,
    title            text,
    state            text        not null default 'active' check (state in ('active', 'paused', 'gone')),
    format           text,
    etag             text,
    last_modified    text,
    body_hash        bytea,
    poll_interval    interval    not null,
    failures         real        not null default 0,
    moved_to         text,
    moved_sightings  integer     not null default 0,
    added_at         timestamptz not null,
    last_polled_at   timestamptz,
    last_success_at  timestamptz,
    last_outcome     text,
    last_problem     text
);
create index feeds_publisher on ingest.feeds (publisher_id);
comment on table ingest.feeds is 'The feeds that are polled. When the next poll is due stands in ingest.work.';
comment on column ingest.feeds.feed_id is 'Number of the feed.';
comment on column ingest.feeds.url is 'Its address.';
comment on column ingest.feeds.publisher_id is 'Who publishes it.';
comment on column ingest.feeds.title is 'Its own title.';
comment on column ingest.feeds.state is 'active; paused by a person; gone when the server said so (410).';
comment on column ingest.feeds.format is 'rss, rdf, atom or json.';
comment on column ingest.feeds.etag is 'The server''s ETag of the last good answer, sent back as If-None-Match.';
comment on column ingest.feeds.last_modified is 'The server''s Last-Modified of the last good answer.';
comment on column ingest.feeds.body_hash is 'SHA-256 of the last good answer: some servers ignore ETags.';
comment on column ingest.feeds.poll_interval is 'Time between polls, adapted to how often the feed changes.';
comment on column ingest.feeds.failures is 'Weight of the failures in a row; 0 after a success.';
comment on column ingest.feeds.moved_to is 'Where a permanent redirect pointed last time.';
comment on column ingest.feeds.moved_sightings is 'How often in a row it pointed there; after two the address is changed.';
comment on column ingest.feeds.added_at is 'When the feed was added.';
comment on column ingest.feeds.last_polled_at is 'Last poll, whatever came of it.';
comment on column ingest.feeds.last_success_at is 'Last poll that was answered well (new items or not).';
comment on column ingest.feeds.last_outcome is 'Outcome word of the last poll.';
comment on column ingest.feeds.last_problem is 'Problem of the last poll in plain words.';

create table ingest.stories (
    story_id      bigint generated always as identity primary key,
    first_seen_at timestamptz not null
);
comment on table ingest.stories is 'Copies and rewrites of one report.';
comment on column ingest.stories.story_id is 'Number of the story.';
comment on column ingest.stories.first_seen_at is 'When its first article was seen.';

create table ingest.articles (
    article_id    bigint generated always as identity primary key,
    url           text        not null unique,
    publisher_id  bigint      not null references ingest.publishers,
    story_id      bigint      references ingest.stories,
    first_seen_at timestamptz not null,
    last_outcome  text,
    last_problem  text
);
create index articles_publisher on ingest.articles (publisher_id);
create index articles_story on ingest.articles (story_id);
create index articles_first_seen on ingest.articles (first_seen_at);
comment on table ingest.articles is 'One row a canonical address, however many feeds carry it.';
comment on column ingest.articles.article_id is 'Number of the article.';
comment on column ingest.articles.url is 'Canonical address (tracking parameters stripped), or urn:claimwatch:... for an entry without a link.';
comment on column ingest.articles.publisher_id is 'The publisher of the feed that brought it first.';
comment on column ingest.articles.story_id is 'The story that it tells; set with its first text.';
comment on column ingest.articles.first_seen_at is 'When a feed first showed it to us.';
comment on column ingest.articles.last_outcome is 'Outcome word of the last fetch or extraction.';
comment on column ingest.articles.last_problem is 'Its problem in plain words.';

create table ingest.entries (
    entry_id      bigint generated always as identity primary key,
    feed_id       bigint      not null references ingest.feeds on delete cascade,
    entry_key     text        not null,
    article_id    bigint      not null references ingest.articles on delete cascade,
    url           text,
    title         text        not null,
    summary       text        not null,
    content       text        not null,
    author        text,
    source        text,
    language      text,
    published_at  timestamptz,
    first_seen_at timestamptz not null,
    unique (feed_id, entry_key)
);
create index entries_article on ingest.entries (article_id);
comment on table ingest.entries is 'One row an item of a feed, as the feed had it.';
comment on column ingest.entries.entry_id is 'Number of the entry.';
comment on column ingest.entries.feed_id is 'The feed.';
comment on column ingest.entries.entry_key is 'The feed''s own id of the item, else its link, else a hash of its text.';
comment on column ingest.entries.article_id is 'The article that it announces.';
comment on column ingest.entries.url is 'The link as the feed gave it.';
comment on column ingest.entries.title is 'Title, plain text.';
comment on column ingest.entries.summary is 'Summary, plain text.';
comment on column ingest.entries.content is 'Full text, where the feed carries it, plain.';
comment on column ingest.entries.author is 'Author, as the feed names one.';
comment on column ingest.entries.source is 'True origin of a syndicated item (RSS source, dc:publisher).';
comment on column ingest.entries.language is 'Language that the feed declares.';
comment on column ingest.entries.published_at is 'Publication time that the feed declares.';
comment on column ingest.entries.first_seen_at is 'When we first saw it.';

create table ingest.pages (
    page_id       bigint generated always as identity primary key,
    article_id    bigint      not null unique references ingest.articles on delete cascade,
    fetched_at    timestamptz not null,
    status        integer     not null,
    url           text        not null,
    content_type  text,
    etag          text,
    last_modified text,
    body_hash     bytea       not null,
    body          bytea
);
comment on table ingest.pages is 'The page of an article as it was fetched last.';
comment on column ingest.pages.page_id is 'Number of the page.';
comment on column ingest.pages.article_id is 'The article.';
comment on column ingest.pages.fetched_at is 'When it was fetched.';
comment on column ingest.pages.status is 'HTTP status.';
comment on column ingest.pages.url is 'The address after redirects.';
comment on column ingest.pages.content_type is 'Content-Type as sent.';
comment on column ingest.pages.etag is 'ETag as sent.';
comment on column ingest.pages.last_modified is 'Last-Modified as sent.';
comment on column ingest.pages.body_hash is 'SHA-256 of the body.';
comment on column ingest.pages.body is 'The body, compressed with zlib; emptied by retention.';

-- Texts ------------------------------------------------------------------------------------------------------

create table ingest.versions (
    version_id    bigint generated always as identity primary key,
    article_id    bigint      not null references ingest.articles on delete cascade,
    version_hash  bytea       not null,
    source        text        not null check (source in ('page', 'entry')),
    title         text        not null,
    author        text,
    language      text,
    published_at  timestamptz not null,
    known_at      timestamptz not null,
    unique (article_id, version_hash)
);
comment on table ingest.versions is 'One row a text that an article has had.';
comment on column ingest.versions.version_id is 'Number of the version.';
comment on column ingest.versions.article_id is 'The article.';
comment on column ingest.versions.version_hash is 'SHA-256 over title and paragraphs.';
comment on column ingest.versions.source is 'page: extracted from the page; entry: the feed''s own title and text, where the page can''t be had.';
comment on column ingest.versions.title is 'Title.';
comment on column ingest.versions.author is 'Author.';
comment on column ingest.versions.language is 'Language, two-letter code.';
comment on column ingest.versions.published_at is 'Publication time; first seen where none is given or it lies in the future.';
comment on column ingest.versions.known_at is 'When we had this text.';

create table ingest.paragraphs (
    paragraph_id     bigint generated always as identity primary key,
    content_hash     bytea       not null unique,
    text             text        not null,
    language         text,
    first_version_id bigint      not null references ingest.versions on delete cascade,
    first_seen_at    timestamptz not null
);
create index paragraphs_first_version on ingest.paragraphs (first_version_id);
create index paragraphs_first_seen on ingest.paragraphs (first_seen_at);
comment on table ingest.paragraphs is 'Every text once: a wire story in forty papers is stored and embedded once.';
comment on column ingest.paragraphs.paragraph_id is 'Number of the paragraph.';
comment on column ingest.paragraphs.content_hash is 'SHA-256 of the normalised text.';
comment on column ingest.paragraphs.text is 'The text.';
comment on column ingest.paragraphs.language is 'Language, two-letter code.';
comment on column ingest.paragraphs.first_version_id is 'The version that showed it first; its title is the paragraph''s context.';
comment on column ingest.paragraphs.first_seen_at is 'When we first saw it.';

create table ingest.appearances (
    version_id    bigint   not null references ingest.versions on delete cascade,
    position      integer  not null,
    paragraph_id  bigint   not null references ingest.paragraphs on delete cascade,
    kind          text     not null check (kind in ('title', 'body')),
    primary key (version_id, position)
);
create index appearances_paragraph on ingest.appearances (paragraph_id);
comment on table ingest.appearances is 'Where a paragraph stands: version and position, 0 being the title.';
comment on column ingest.appearances.version_id is 'The version.';
comment on column ingest.appearances.position is 'Position in the text, counted from 1; 0 is the title.';
comment on column ingest.appearances.paragraph_id is 'The paragraph.';
comment on column ingest.appearances.kind is 'title or body.';

-- Models -----------------------------------------------------------------------------------------------------

create table ingest.models (
    model_id      integer generated always as identity primary key,
    name          text        not null,
    weights_hash  text        not null,
    dimensions    integer     not null,
    active        boolean     not null default false,
    registered_at timestamptz not null,
    unique (name, weights_hash)
);
create unique index models_one_active on ingest.models (active) where active;
comment on table ingest.models is 'The embedding models in use. Each has its own table ingest.embeddings_<model_id>.';
comment on column ingest.models.model_id is 'Number of the model.';
comment on column ingest.models.name is 'Name or path, as in the settings.';
comment on column ingest.models.weights_hash is 'SHA-256 of the weights: the same name with other weights is another model.';
comment on column ingest.models.dimensions is 'Length of its vectors.';
comment on column ingest.models.active is 'The one that searches and matching use.';
comment on column ingest.models.registered_at is 'When it was registered.';

create table ingest.phrase_embeddings (
    model_id      integer not null references ingest.models,
    content_hash  bytea   not null,
    embedding     halfvec not null,
    primary key (model_id, content_hash)
);
comment on table ingest.phrase_embeddings is 'Vectors of the claims'' phrasings and decoys.';
comment on column ingest.phrase_embeddings.model_id is 'The model that made it.';
comment on column ingest.phrase_embeddings.content_hash is 'SHA-256 of the phrase.';
comment on column ingest.phrase_embeddings.embedding is 'Normalised vector.';

-- One table a model, with its own HNSW index: a shared one with a model column would be scanned whole under
-- generic plans. m and ef_construction are pgvector's defaults.
create function ingest.register_model(p_name text, p_weights_hash text, p_dimensions integer, p_now timestamptz)
returns integer
language plpgsql
as $$
declare
    v_model integer;
begin
    perform pg_advisory_xact_lock(hashtext('ingest.register_model'));
    select model_id into v_model from ingest.models where name = p_name and weights_hash = p_weights_hash;
    if found then
        return v_model;
    end if;
    insert into ingest.models (name, weights_hash, dimensions, active, registered_at)
    values (p_name, p_weights_hash, p_dimensions, not exists (select from ingest.models where active), p_now)
    returning model_id into v_model;
    execute format(
        'create table ingest.embeddings_%s (
            paragraph_id bigint primary key references ingest.paragraphs on delete cascade,
            embedding halfvec(%s) not null)', v_model, p_dimensions);
    execute format(
        'create index embeddings_%1$s_hnsw on ingest.embeddings_%1$s using hnsw (embedding halfvec_ip_ops)', v_model);
    execute format('comment on table ingest.embeddings_%s is %L', v_model,
        'Vectors of the paragraphs by model ' || p_name || '.');
    execute format('comment on column ingest.embeddings_%s.paragraph_id is %L', v_model, 'The paragraph.');
    execute format('comment on column ingest.embeddings_%s.embedding is %L', v_model,
        'Its vector, normalised, in half precision.');
    return v_model;
end
$$;
comment on function ingest.register_model is 'Adds a model and its table of embeddings; returns its number. The first one becomes active.';

-- Claims -----------------------------------------------------------------------------------------------------

create table ingest.topics (
    topic_id      text        primary key,
    name          text        not null,
    loaded_at     timestamptz not null
);
comment on table ingest.topics is 'A set of claims that an analyst keeps in one file.';
comment on column ingest.topics.topic_id is 'Short name.';
comment on column ingest.topics.name is 'Name.';
comment on column ingest.topics.loaded_at is 'When its file was loaded last.';

create table ingest.claims (
    claim_id           text        primary key,
    topic_id           text        not null references ingest.topics,
    position           integer     not null,
    current_version_id bigint,
    added_at           timestamptz not null,
    retired_at         timestamptz
);
create index claims_topic on ingest.claims (topic_id);
comment on table ingest.claims is 'The claims that are followed.';
comment on column ingest.claims.claim_id is 'Short name, as in the claims file.';
comment on column ingest.claims.topic_id is 'Its topic.';
comment on column ingest.claims.position is 'Place in the file.';
comment on column ingest.claims.current_version_id is 'The wording in force.';
comment on column ingest.claims.added_at is 'When it was loaded first.';
comment on column ingest.claims.retired_at is 'When it was taken out of the file; its history stays.';

create table ingest.claim_versions (
    claim_version_id bigint generated always as identity primary key,
    claim_id         text        not null references ingest.claims,
    version          integer     not null,
    statement        text        not null,
    definition       jsonb       not null,
    definition_hash  bytea       not null,
    loaded_at        timestamptz not null,
    unique (claim_id, version)
);
alter table ingest.claims add constraint claims_current_version
    foreign key (current_version_id) references ingest.claim_versions deferrable initially deferred;
create index claims_current on ingest.claims (current_version_id);
comment on table ingest.claim_versions is 'Every wording that a claim has had; a match names the one that made it.';
comment on column ingest.claim_versions.claim_version_id is 'Number of the version.';
comment on column ingest.claim_versions.claim_id is 'The claim.';
comment on column ingest.claim_versions.version is '1, 2, 3, ... within the claim.';
comment on column ingest.claim_versions.statement is 'The claim in one sentence.';
comment on column ingest.claim_versions.definition is 'Phrasings, decoys and concept groups with their terms, complete.';
comment on column ingest.claim_versions.definition_hash is 'SHA-256 of statement and definition; loading an unchanged claim does nothing.';
comment on column ingest.claim_versions.loaded_at is 'When it was loaded.';

create table ingest.matches (
    match_id         bigint generated always as identity primary key,
    claim_id         text        not null references ingest.claims,
    claim_version_id bigint      not null references ingest.claim_versions,
    paragraph_id     bigint      not null references ingest.paragraphs on delete cascade,
    model_id         integer     not null references ingest.models,
    matcher          text        not null,
    probability      real        not null,
    tier             text        not null check (tier in ('accepted', 'suggested')),
    stance           text        not null check (stance in ('supports', 'refutes', 'updates')),
    sentence         text        not null,
    features         jsonb       not null,
    matched_at       timestamptz not null,
    unique (claim_version_id, paragraph_id, model_id)
);
create index matches_paragraph on ingest.matches (paragraph_id);
create index matches_claim on ingest.matches (claim_id, tier);
create index matches_model on ingest.matches (model_id);
comment on table ingest.matches is 'Which paragraphs bear on which claims.';
comment on column ingest.matches.match_id is 'Number of the match.';
comment on column ingest.matches.claim_id is 'The claim.';
comment on column ingest.matches.claim_version_id is 'The wording that made the match.';
comment on column ingest.matches.paragraph_id is 'The paragraph.';
comment on column ingest.matches.model_id is 'The embedding model.';
comment on column ingest.matches.matcher is 'Version of the decision model.';
comment on column ingest.matches.probability is 'Estimated probability that the paragraph bears on the claim.';
comment on column ingest.matches.tier is 'accepted: may alert; suggested: worth an analyst''s look.';
comment on column ingest.matches.stance is 'supports, refutes or updates.';
comment on column ingest.matches.sentence is 'The sentence that carries it.';
comment on column ingest.matches.features is 'What the decision rests on.';
comment on column ingest.matches.matched_at is 'When.';

-- Events and alerts --------------------------------------------------------------------------------------------

create table ingest.claim_events (
    event_id     bigint generated always as identity primary key,
    claim_id     text        not null references ingest.claims,
    kind         text        not null check (kind in ('first_seen', 'fresh_coverage', 'archive')),
    event_key    text        not null,
    story_id     bigint      references ingest.stories,
    happened_at  timestamptz not null,
    known_at     timestamptz not null,
    unique (claim_id, kind, event_key)
);
create index claim_events_story on ingest.claim_events (story_id);
comment on table ingest.claim_events is 'Something happened to a claim.';
comment on column ingest.claim_events.event_id is 'Number of the event.';
comment on column ingest.claim_events.claim_id is 'The claim.';
comment on column ingest.claim_events.kind is 'first_seen: first evidence ever; fresh_coverage: a further story; archive: older material was matched, told without a mail.';
comment on column ingest.claim_events.event_key is 'What makes the event one of its kind: a copy of the story raises no second one.';
comment on column ingest.claim_events.story_id is 'The story that brought it.';
comment on column ingest.claim_events.happened_at is 'Publication time of the report.';
comment on column ingest.claim_events.known_at is 'When we noticed.';

create table ingest.subscriptions (
    subscription_id bigint generated always as identity primary key,
    email           text        not null,
    claim_id        text        references ingest.claims,
    created_at      timestamptz not null,
    ended_at        timestamptz
);
create unique index subscriptions_active on ingest.subscriptions (lower(email), coalesce(claim_id, '')) where ended_at is null;
create index subscriptions_claim on ingest.subscriptions (claim_id);
comment on table ingest.subscriptions is 'Who gets mail about what.';
comment on column ingest.subscriptions.subscription_id is 'Number of the subscription.';
comment on column ingest.subscriptions.email is 'Address.';
comment on column ingest.subscriptions.claim_id is 'The claim; empty means all.';
comment on column ingest.subscriptions.created_at is 'Since when. Events before it are not mailed.';
comment on column ingest.subscriptions.ended_at is 'Until when.';

create table ingest.alerts (
    alert_id      bigint generated always as identity primary key,
    delivery_key  text        not null unique,
    event_id      bigint      references ingest.claim_events,
    email         text        not null,
    subject       text,
    body          text,
    state         text        not null default 'pending' check (state in ('pending', 'sent', 'failed')),
    created_at    timestamptz not null,
    sent_at       timestamptz,
    message_id    text        not null unique,
    problem       text
);
create index alerts_event on ingest.alerts (event_id);
comment on table ingest.alerts is 'The outbox: one mail an event and reader.';
comment on column ingest.alerts.alert_id is 'Number of the alert.';
comment on column ingest.alerts.delivery_key is 'What makes it one mail: event and reader. A second alert with the key can''t be stored.';
comment on column ingest.alerts.event_id is 'The claim event; empty for a mail to the operator.';
comment on column ingest.alerts.email is 'To whom.';
comment on column ingest.alerts.subject is 'Subject as sent; given from the start for a mail to the operator.';
comment on column ingest.alerts.body is 'Text of a mail to the operator.';
comment on column ingest.alerts.state is 'pending, sent, or failed for good.';
comment on column ingest.alerts.created_at is 'When it was put into the outbox.';
comment on column ingest.alerts.sent_at is 'When the mail server took it.';
comment on column ingest.alerts.message_id is 'The mail''s Message-ID, the same at every attempt.';
comment on column ingest.alerts.problem is 'Why it failed or waits.';

comment on table ingest.migrations is 'The files of sql/migrations that have run.';
comment on column ingest.migrations.name is 'File name.';
comment on column ingest.migrations.hash is 'SHA-256 of the file as it ran.';
comment on column ingest.migrations.applied_at is 'When it ran.';

-- What analysis.similar shows of the paragraphs in `near`: the earliest article that carries each.
create function ingest.similar_shown() returns text
language sql immutable
as $$
select 'select near.similarity::real, p.text, shown.publisher, shown.language, shown.published_at, shown.title,
               shown.url, near.paragraph_id, shown.story_id
        from near
        join ingest.paragraphs p using (paragraph_id)
        cross join lateral (
            select pub.name as publisher, v.language, v.published_at, v.title, a.url, a.story_id
            from ingest.appearances ap
            join ingest.versions v using (version_id)
            join ingest.articles a using (article_id)
            join ingest.publishers pub using (publisher_id)
            where ap.paragraph_id = near.paragraph_id
            order by v.published_at, v.version_id
            limit 1
        ) shown
        order by near.similarity desc, near.paragraph_id'
$$;
comment on function ingest.similar_shown is 'The second half of the statements in analysis.similar.';
