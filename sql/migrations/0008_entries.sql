-- Where an item came from, and the other addresses under which an article is known.

alter table ingest.entries add column source_url text;
comment on column ingest.entries.source_url is 'Address of the true origin, where the feed names one.';
comment on column ingest.feeds.format is 'rss, rdf, atom, json or sitemap.';

create table ingest.article_urls (
    url           text        primary key,
    article_id    bigint      not null references ingest.articles on delete cascade,
    known_from    text        not null check (known_from in ('entry', 'redirect', 'canonical')),
    first_seen_at timestamptz not null
);
create index article_urls_article on ingest.article_urls (article_id);
comment on table ingest.article_urls is 'Further addresses of articles. An entry that names one of them belongs to that article; its main address stands in ingest.articles.';
comment on column ingest.article_urls.url is 'The address, in its one spelling.';
comment on column ingest.article_urls.article_id is 'The article that is found there.';
comment on column ingest.article_urls.known_from is 'redirect: its page was found there after redirects; canonical: its page names it as its own address, on the same site; entry: the main address of an article that turned out to be the same one.';
comment on column ingest.article_urls.first_seen_at is 'Since when we know.';
