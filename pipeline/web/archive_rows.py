"""Rows of stories, articles, feeds and who stands behind them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from pipeline.web.rows import Row, described


@described("stories")
class Story(Row):
    """What was reported, once: copies, translations and rewrites together."""

    story_id: int
    first_title: str | None
    first_url: str | None
    first_publisher: str | None
    first_seen_at: datetime
    first_published_at: datetime | None
    last_published_at: datetime | None
    articles: int
    publishers: int
    families: int
    languages: list[str] | None
    copies_only: bool


@described("story_articles")
class StoryArticle(Row):
    """An article of a story."""

    story_id: int
    article_id: int
    relation: str
    similarity: float | None
    title: str
    publisher: str
    family: str
    language: str | None
    published_at: datetime
    first_seen_at: datetime
    url: str
    country: str | None
    origin: str | None
    version_id: int


@described("articles")
class Article(Row):
    """An article in its latest text."""

    article_id: int
    version_id: int
    title: str
    url: str
    publisher: str
    family: str
    country: str | None
    publisher_kind: str | None
    language: str | None
    author: str | None
    published_at: datetime
    date_precision: str | None
    first_seen_at: datetime | None
    text_source: str
    story_id: int | None
    versions: int
    site_name: str | None
    description: str | None
    dateline: str | None
    partial: bool


@described("paragraphs")
class Paragraph(Row):
    """A paragraph of an article, with the evidence that it carries."""

    position: int = Field(description="Place in the article; 0 is the title.")
    kind: str
    text: str
    claims: list[str] = Field(description="Claims that the paragraph is accepted evidence on.")
    evidence: list[dict[str, Any]] = Field(
        description="Every match, the best first: claim_id, tier, stance, probability, sentence, why, match_id, review."
    )
    origins: list[str] = Field(description="The authorities that the paragraph names.")
    change: str | None = Field(description="What is new in it since the text before: added or changed.")
    text_before: str | None = Field(description="The paragraph as it stood in the text before.")
    paragraph_id: int
    version_id: int


@described("versions")
class Version(Row):
    """A text that an article has had."""

    article_id: int
    version_id: int
    number: int
    latest: bool
    title: str
    publisher: str
    url: str
    language: str | None
    published_at: datetime
    known_at: datetime
    text_source: str
    made_by: str
    changes: int
    paragraphs: int
    author: str | None
    partial: bool
    capture_id: int | None
    story_id: int | None


@described("captures")
class Capture(Row):
    """A server's answer as the archive keeps it."""

    capture_id: int
    article_id: int | None
    feed_id: int | None
    version_id: int | None
    captured_at: datetime
    kind: str
    url: str | None
    final_url: str | None
    status: int | None
    sha256: str | None
    size: int | None
    warc_file: str | None
    warc_offset: int | None
    warc_length: int | None
    available: bool | None
    revisit_of: int | None


@described("feed_health")
class Feed(Row):
    """How a feed is doing."""

    feed_id: int
    url: str
    title: str | None
    publisher: str
    family: str | None
    country: str | None
    language: str | None
    kind: str | None
    tags: list[str] | None
    state: str
    health: str
    reason: str | None
    failures: float | None
    last_outcome: str | None
    last_problem: str | None
    last_polled_at: datetime | None
    last_success_at: datetime | None
    next_poll_at: datetime | None
    poll_interval: timedelta | None
    entries: int | None
    last_entry_at: datetime | None
    entries_a_week: float | None
    silent_for: timedelta | None
    entries_missed: float | None
    verified_at: datetime | None


@described("feed_entries")
class FeedEntry(Row):
    """An item of a feed."""

    feed_id: int
    entry_id: int
    article_id: int
    title: str
    language: str | None
    published_at: datetime | None
    first_seen_at: datetime
    url: str | None
    has_text: bool
    last_outcome: str | None
    last_problem: str | None


@described("paragraphs articles")
class Hit(Row):
    """A paragraph that a search found, in the earliest article that carries it."""

    rank: int = Field(description="Its place, from 1.")
    found_by: str = Field(description="meaning, words or both.")
    similarity: float | None = Field(description="Nearness in meaning: 1 is the same; empty where no vector was there.")
    text: str
    title: str
    publisher: str
    country: str | None
    language: str | None
    published_at: datetime
    url: str
    article_id: int
    story_id: int | None
    paragraph_id: int


@described("publishers")
class Publisher(Row):
    """Who publishes."""

    publisher_id: int
    publisher: str
    family: str | None
    country: str | None
    language: str | None
    kind: str | None
    feeds: int
    articles: int
    articles_with_evidence: int
    claims: list[str]
    first_at: datetime | None
    last_at: datetime | None


@described("origins")
class Origin(Row):
    """An authority that reports rest on."""

    origin_id: str | None
    name: str
    kind: str | None
    country: str | None
    articles: int
    cited_in: int
    first_at: datetime | None
    last_at: datetime | None
    retired_at: datetime | None
