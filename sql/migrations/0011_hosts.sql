-- Hosts: one process at a time asks a host, however many run, and all of them keep its distances.

create table ingest.hosts (
    host          text primary key,
    holder        uuid,
    held_until    timestamptz,
    last_start_at timestamptz,
    spacing       interval    not null default '0' check (spacing >= '0'),
    paused_at     timestamptz,
    paused_until  timestamptz,
    pause_reason  text,
    taken_at      timestamptz not null,
    check ((holder is null) = (held_until is null)),
    check ((paused_until is null) = (paused_at is null))
);
create index hosts_taken on ingest.hosts (taken_at);
comment on table ingest.hosts is 'Every host that was asked for a feed or page: which run may ask it now, and when it may be asked next. All times are the database server''s own: a host is spared in real time, whatever clock the pipeline is given.';
comment on column ingest.hosts.host is 'Name of the host in lower case, without port.';
comment on column ingest.hosts.holder is 'The run that asks it now; no other does until it gives the host back or its time is over.';
comment on column ingest.hosts.held_until is 'When the holder''s time is over; it is prolonged while the run lives.';
comment on column ingest.hosts.last_start_at is 'When the last request to it began; after a run that was killed, the latest moment at which one may have begun.';
comment on column ingest.hosts.spacing is 'The distance that has to be kept after that request.';
comment on column ingest.hosts.paused_at is 'When the host asked for a pause (429).';
comment on column ingest.hosts.paused_until is 'Until then it is asked nothing.';
comment on column ingest.hosts.pause_reason is 'Why, in plain words.';
comment on column ingest.hosts.taken_at is 'When it was taken last.';

create table ingest.robots (
    origin            text primary key,
    host              text        not null references ingest.hosts on delete cascade,
    outcome           text        not null check (outcome in ('rules', 'none', 'unreadable')),
    problem           text,
    body              text,
    crawl_delay       double precision,
    read_at           timestamptz not null,
    expires_at        timestamptz not null check (expires_at > read_at),
    unreadable_since  timestamptz,
    check ((outcome = 'unreadable') = (unreadable_since is not null))
);
create index robots_host on ingest.robots (host);
comment on table ingest.robots is 'What sites'' robots.txt say, kept for a day (RFC 9309). Times are the database server''s own.';
comment on column ingest.robots.origin is 'Address of the robots.txt.';
comment on column ingest.robots.host is 'Its host.';
comment on column ingest.robots.outcome is 'rules: it was read; none: the site has none (a 4xx), so all may be fetched; unreadable: a 5xx or no answer, so nothing may.';
comment on column ingest.robots.problem is 'Why there is none or it can''t be read, in plain words.';
comment on column ingest.robots.body is 'Its text as last read.';
comment on column ingest.robots.crawl_delay is 'Seconds between two requests that it asks of us, as far as they are kept (120 at most).';
comment on column ingest.robots.read_at is 'When it was asked for last.';
comment on column ingest.robots.expires_at is 'When it will be asked for again.';
comment on column ingest.robots.unreadable_since is 'Since when it can''t be read. After 30 days the last text read counts again, or no rules where there is none.';

alter table ingest.feeds add column last_full_at timestamptz;
comment on column ingest.feeds.last_full_at is 'When the server last sent the whole feed. After a day of nothing but "not modified" it is asked without condition: some servers'' ETags never change.';
