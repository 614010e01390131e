-- Reviews: what analysts say of matches. Replays: match and track run again in schemas of their own.

-- Reviews ----------------------------------------------------------------------------------------------------

create table ingest.reviews (
    review_id    bigint generated always as identity primary key,
    claim_id     text        not null references ingest.claims,
    paragraph_id bigint      not null references ingest.paragraphs on delete cascade,
    match_id     bigint      references ingest.matches on delete set null,
    verdict      text        not null check (verdict in ('confirmed', 'rejected', 'withdrawn')),
    stance       text        check (stance in ('supports', 'refutes', 'updates')),
    reviewer     text        not null check (reviewer <> ''),
    note         text,
    at           timestamptz not null,
    check (stance is null or verdict = 'confirmed')
);
create index reviews_pair on ingest.reviews (claim_id, paragraph_id, review_id desc);
create index reviews_paragraph on ingest.reviews (paragraph_id);
create index reviews_match on ingest.reviews (match_id);
comment on table ingest.reviews is 'What analysts said of matches, line by line; nothing is ever changed here. Of a claim and paragraph the latest line counts.';
comment on column ingest.reviews.review_id is 'Number of the review; a later one has a higher number.';
comment on column ingest.reviews.claim_id is 'The claim.';
comment on column ingest.reviews.paragraph_id is 'The paragraph.';
comment on column ingest.reviews.match_id is 'The match that the reviewer had before them. The review holds for later matches of the same claim and paragraph too.';
comment on column ingest.reviews.verdict is 'confirmed: it bears on the claim; rejected: it does not; withdrawn: the review before no longer counts.';
comment on column ingest.reviews.stance is 'The right stance, where the reviewer corrects the matcher''s.';
comment on column ingest.reviews.reviewer is 'Who: the database role, or the name given to `claimwatch review --as`.';
comment on column ingest.reviews.note is 'Why, in the reviewer''s words.';
comment on column ingest.reviews.at is 'When.';

create function ingest.keep_reviews() returns trigger
language plpgsql
as $$
begin
    raise exception 'reviews are never changed'
        using hint = 'Confirm, reject or withdraw again: the latest review counts.';
end
$$;
comment on function ingest.keep_reviews is 'Refuses to change or delete a review; those of a deleted paragraph go with it.';
create trigger keep before update or delete on ingest.reviews
    for each row when (pg_trigger_depth() = 0) execute function ingest.keep_reviews();

-- A match carries what counts, so that everything that reads matches needs to look at one column: the tier is what
-- the latest review makes of it, and what the matcher itself said stands beside it.
alter table ingest.matches add column matcher_tier text check (matcher_tier in ('accepted', 'suggested'));
alter table ingest.matches add column matcher_stance text check (matcher_stance in ('supports', 'refutes', 'updates'));
alter table ingest.matches drop constraint matches_tier_check;
alter table ingest.matches add constraint matches_tier_check check (tier in ('accepted', 'suggested', 'rejected'));
comment on column ingest.matches.tier is 'accepted: may alert; suggested: worth an analyst''s look; rejected: a reviewer said no, so it counts for nothing.';
comment on column ingest.matches.matcher_tier is 'The matcher''s own tier, where a review has taken its place.';
comment on column ingest.matches.matcher_stance is 'The matcher''s own stance, where a review has taken its place.';

create function ingest.apply_review() returns trigger
language plpgsql
as $$
declare
    v_review record;
begin
    select verdict, stance into v_review from ingest.reviews
    where claim_id = new.claim_id and paragraph_id = new.paragraph_id
    order by review_id desc limit 1;
    new.matcher_tier := null;
    new.matcher_stance := null;
    if v_review.verdict in ('confirmed', 'rejected') then
        new.matcher_tier := new.tier;
        new.matcher_stance := new.stance;
        new.tier := case v_review.verdict when 'confirmed' then 'accepted' else 'rejected' end;
        new.stance := coalesce(v_review.stance, new.stance);
    end if;
    return new;
end
$$;
comment on function ingest.apply_review is 'Gives a match that is stored or decided anew the tier and stance of its latest review.';
create trigger apply_review before insert or update of tier, stance on ingest.matches
    for each row execute function ingest.apply_review();

create function ingest.track_reviewed() returns trigger
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then  -- the stage that stores a match tracks those that it accepts itself
        if new.matcher_tier is distinct from 'suggested' then
            return null;
        end if;
    elsif old.tier = 'accepted' then
        return null;
    end if;
    -- Due since the match was made: a moment that every clock has passed, a demo's moved one too.
    insert into ingest.work (stage, item_id, due_at) values ('track', new.match_id, new.matched_at)
    on conflict (stage, item_id) do nothing;
    return null;
end
$$;
comment on function ingest.track_reviewed is 'Queues a match for track when a review makes it accepted.';
create trigger track_reviewed after insert or update of tier on ingest.matches
    for each row when (new.tier = 'accepted') execute function ingest.track_reviewed();

create function ingest.spread_review() returns trigger
language plpgsql
as $$
begin
    update ingest.matches
    set tier = coalesce(matcher_tier, tier), stance = coalesce(matcher_stance, stance)  -- apply_review does the rest
    where claim_id = new.claim_id and paragraph_id = new.paragraph_id;
    return null;
end
$$;
comment on function ingest.spread_review is 'Brings a new review to every match of its claim and paragraph.';
create trigger spread after insert on ingest.reviews for each row execute function ingest.spread_review();

create function ingest.review(p_match bigint, p_verdict text, p_stance text, p_note text, p_reviewer text,
                              p_now timestamptz)
returns bigint
language plpgsql
as $$
declare
    v_match record;
    v_latest text;
    v_review bigint;
begin
    if p_match is null then
        raise exception 'no match is named' using hint = 'select match_id from analysis.review_queue;';
    end if;
    if p_stance is not null and p_stance not in ('supports', 'refutes', 'updates') then
        raise exception 'no stance is called %', quote_literal(p_stance)
            using hint = 'It is supports, refutes or updates; left out, the matcher''s own stays.';
    end if;
    -- One review of a claim and paragraph at a time: the row is locked before the latest review is looked at.
    select m.claim_id, m.paragraph_id into v_match from ingest.matches m where m.match_id = p_match for update;
    if not found then
        raise exception 'no match has the number %', p_match
            using hint = 'Numbers stand in analysis.review_queue and analysis.evidence, column match_id.';
    end if;
    select r.verdict into v_latest from ingest.reviews r
    where r.claim_id = v_match.claim_id and r.paragraph_id = v_match.paragraph_id
    order by r.review_id desc limit 1;
    if p_verdict = 'withdrawn' and coalesce(v_latest, 'withdrawn') = 'withdrawn' then
        raise exception 'match % has no review to withdraw', p_match
            using hint = 'select * from analysis.reviews where in_force;';
    end if;
    insert into ingest.reviews (claim_id, paragraph_id, match_id, verdict, stance, reviewer, note, at)
    values (v_match.claim_id, v_match.paragraph_id, p_match, p_verdict, p_stance, p_reviewer, p_note, p_now)
    returning review_id into v_review;
    return v_review;
end
$$;
comment on function ingest.review is 'Stores a review of a match; its number. The analysts'' functions and the command both end here.';

create function ingest.tier_known(p_match ingest.matches, p_at timestamptz) returns text
language sql stable
as $$
select coalesce((
    select case r.verdict when 'confirmed' then 'accepted' when 'rejected' then 'rejected' end
    from ingest.reviews r
    where r.claim_id = p_match.claim_id and r.paragraph_id = p_match.paragraph_id and r.at <= p_at
    order by r.review_id desc limit 1
), p_match.matcher_tier, p_match.tier)
$$;
comment on function ingest.tier_known is 'The tier of a match as it counted at a moment: what reviewers had said by then, else what the matcher had.';

-- Replays ----------------------------------------------------------------------------------------------------

create function ingest.replay_schema(p_name text) returns text
language plpgsql immutable
as $$
begin
    if p_name !~ '^[a-z][a-z0-9_]{0,39}$' then
        raise exception 'a replay can''t be called %', quote_literal(p_name)
            using hint = 'Up to 40 small letters, digits and _, a letter first.';
    end if;
    return 'replay_' || p_name;
end
$$;
comment on function ingest.replay_schema is 'The schema of a replay, by its name.';

-- Tables of the same shape, without foreign keys and triggers: nothing that happens to them reaches schema ingest.
create function ingest.create_replay(p_name text, p_tables jsonb, p_from timestamptz, p_until timestamptz,
                                     p_options jsonb, p_now timestamptz)
returns void
language plpgsql
as $$
declare
    v_schema text := ingest.replay_schema(p_name);
    v_table text;
    v_rows text;
    v_columns text;
    v_identity text;
begin
    perform ingest.drop_replay(p_name);
    execute format('create schema %I', v_schema);
    execute format('comment on schema %I is %L', v_schema,
        'A replay: match and track over stored texts, beside the live state. claimwatch replay list shows it.');
    execute format(
        'create table %1$I.run (
            from_at timestamptz not null, until_at timestamptz not null, options jsonb not null,
            started_at timestamptz not null, finished_at timestamptz, paragraphs bigint not null default 0)', v_schema);
    execute format('insert into %I.run (from_at, until_at, options, started_at) values ($1, $2, $3, $4)', v_schema)
        using p_from, p_until, p_options, p_now;
    for v_table, v_rows in select key, value from jsonb_each_text(p_tables) loop
        execute format('create table %I.%I (like ingest.%2$I including all)', v_schema, v_table);
        if v_rows <> 'none' then
            select string_agg(quote_ident(a.attname), ', ' order by a.attnum) into v_columns
            from pg_attribute a
            where a.attrelid = format('ingest.%I', v_table)::regclass and a.attnum > 0 and not a.attisdropped
              and a.attgenerated = '';
            execute format('insert into %1$I.%2$I (%3$s) overriding system value select %3$s from ingest.%2$I%4$s',
                v_schema, v_table, v_columns,
                case when v_rows <> 'all' then format(' where %I < $1', v_rows) end) using p_from;
        end if;
        -- New rows get numbers that no row in schema ingest has, so that the two are never taken for one another.
        select a.attname into v_identity from pg_attribute a
        where a.attrelid = format('ingest.%I', v_table)::regclass and a.attidentity <> '';
        if found then
            execute format('select setval(pg_get_serial_sequence(%L, %L), coalesce(max(%I), 0) + 1, false) from ingest.%I',
                format('%I.%I', v_schema, v_table), v_identity, v_identity, v_table);
        end if;
    end loop;
end
$$;
comment on function ingest.create_replay is 'Makes a replay''s schema anew, with tables shaped like ours: p_tables says of each whether it starts with all rows, none, or those whose named column lies before the replay.';

create function ingest.finish_replay(p_name text, p_paragraphs bigint, p_now timestamptz) returns void
language plpgsql
as $$
begin
    execute format('update %I.run set finished_at = $1, paragraphs = $2', ingest.replay_schema(p_name))
    using p_now, p_paragraphs;
end
$$;
comment on function ingest.finish_replay is 'Notes that a replay went through.';

create function ingest.drop_replay(p_name text) returns boolean
language plpgsql
as $$
declare
    v_schema text := ingest.replay_schema(p_name);
begin
    if to_regnamespace(quote_ident(v_schema)) is null then
        return false;
    end if;
    set local client_min_messages = warning;  -- not a line for every table that goes with it
    execute format('drop schema %I cascade', v_schema);
    return true;
end
$$;
comment on function ingest.drop_replay is 'Removes a replay with everything in it; false where there is none of that name.';

create function ingest.replays()
returns table (name text, from_at timestamptz, until_at timestamptz, options jsonb, started_at timestamptz,
               finished_at timestamptz, paragraphs bigint)
language plpgsql stable
as $$
declare
    v_schema text;
begin
    for v_schema in
        select n.nspname from pg_namespace n
        where n.nspname like 'replay\_%' and to_regclass(format('%I.run', n.nspname)) is not null
        order by n.nspname
    loop
        return query execute format(
            'select %L::text, from_at, until_at, options, started_at, finished_at, paragraphs from %I.run',
            substr(v_schema, 8), v_schema);
    end loop;
end
$$;
comment on function ingest.replays is 'The replays that are kept, finished or not.';

-- Temporary views: they go with the session, and no replay that is kept stands in the way of a later migration.
create function ingest.open_past() returns void
language plpgsql
as $$
begin
    set local client_min_messages = warning;
    create or replace temporary view versions as
    select * from ingest.versions where known_at <= current_setting('claimwatch.replay_now')::timestamptz;
    create or replace temporary view appearances as
    select ap.* from ingest.appearances ap
    where exists (select from ingest.versions v where v.version_id = ap.version_id
                  and v.known_at <= current_setting('claimwatch.replay_now')::timestamptz);
    create or replace temporary view articles as
    select * from ingest.articles where first_seen_at <= current_setting('claimwatch.replay_now')::timestamptz;
    create or replace temporary view entries as
    select * from ingest.entries where first_seen_at <= current_setting('claimwatch.replay_now')::timestamptz;
    create or replace temporary view paragraphs as
    select * from ingest.paragraphs where first_seen_at <= current_setting('claimwatch.replay_now')::timestamptz;
end
$$;
comment on function ingest.open_past is 'Gives the session views of what had come in by the moment in claimwatch.replay_now, so that a replay knows nothing later.';
