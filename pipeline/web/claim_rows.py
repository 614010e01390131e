"""Rows of claims: their evidence, events, figures, coverage and reviews."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from pydantic import Field

from pipeline.web.rows import Row, described


@described("claims")
class BoardClaim(Row):
    """A claim that is followed, as the board shows it."""

    claim_id: str
    topic: str
    statement: str
    state: str = Field(description="unseen, new, active, contested, quiet or silent.")
    stories: int
    articles: int
    families: int
    origins: int = Field(description="Authorities that the evidence rests on, each once.")
    supports: int = Field(description="Stories that support it.")
    refutes: int = Field(description="Stories that refute it.")
    updates: int = Field(description="Stories that bring an update.")
    first_at: datetime | None
    last_at: datetime | None
    last_fresh_at: datetime | None = Field(description="When the last report was published that was told as fresh.")
    days: list[int] = Field(description="Stories of each of sixty days (UTC), the last of them last_day.")
    last_day: date = Field(description="The last of these days.")
    new_stories: int = Field(description="Stories that we learned of after `since`.")
    new_articles: int = Field(description="Articles that we learned of after `since`.")
    new_events: list[str] = Field(description="Events that we noticed after `since`, by kind.")
    last_event: str | None = Field(description="The latest event's kind.")
    last_event_at: datetime | None = Field(description="When that happened.")
    last_reason: str | None = Field(description="Why it was one.")
    latest_sentence: str | None = Field(description="The best sentence of the latest story.")
    latest_stance: str | None = Field(description="Its stance.")
    latest_publisher: str | None = Field(description="Who published it.")
    latest_country: str | None = Field(description="That publisher's country.")
    latest_language: str | None = Field(description="Its language.")
    latest_title: str | None = Field(description="Its article's title.")
    latest_url: str | None = Field(description="Its article's address.")
    latest_article: int | None = Field(description="Number of that article.")
    latest_story: int | None = Field(description="Number of that story.")
    latest_match: int | None = Field(description="Number of the match.")
    waiting: int = Field(description="Suggested matches that wait for a verdict.")


@described("claims")
class Claim(Row):
    """A claim, and how it stood at a moment."""

    claim_id: str
    topic: str
    statement: str
    version: int
    added_at: datetime
    loaded_at: datetime
    retired_at: datetime | None
    state: str = Field(description="unseen, new, active, contested, quiet or silent, by the moment asked for.")
    stories: int
    articles: int
    publishers: int
    families: int
    origins: int = Field(description="Authorities that the evidence rests on, each once.")
    supports: int = Field(description="Stories that support it.")
    refutes: int = Field(description="Stories that refute it.")
    updates: int = Field(description="Stories that bring an update.")
    first_at: datetime | None
    last_at: datetime | None
    quiet_after: timedelta | None = Field(description="Longer without a story than this is quiet, by its own rhythm.")
    last_event: str | None = Field(description="The latest event's kind.")
    last_event_at: datetime | None = Field(description="When that happened.")
    last_reason: str | None = Field(description="Why it was one.")


@described("claim_phrasings")
class Phrasing(Row):
    """A wording by which a claim is looked for."""

    claim_id: str
    kind: str
    language: str | None
    text: str
    number: int
    version: int


@described("evidence paragraphs articles")
class Evidence(Row):
    """One row a claim and story, with its best sentence."""

    claim_id: str
    tier: str
    stance: str
    probability: float
    sentence: str
    text: str
    publisher: str
    family: str
    country: str | None
    language: str | None
    title: str
    url: str
    published_at: datetime
    articles: int
    families: int
    first_at: datetime
    last_at: datetime
    origins: list[str]
    review: str | None
    why: str | None
    precision: float | None
    labels: int | None
    matched_at: datetime
    claim_version: int
    story_id: int
    article_id: int | None
    version_id: int
    position: int
    paragraph_id: int
    match_id: int


@described("claim_events evidence")
class Event(Row):
    """What happened to a claim."""

    event_id: int
    claim_id: str
    kind: str
    happened_at: datetime
    known_at: datetime
    reason: str | None
    mailed: bool
    story_id: int | None
    sentence: str | None
    stance: str | None
    title: str | None
    publisher: str | None
    country: str | None
    language: str | None
    url: str | None
    match_id: int | None


@described("figures")
class Figure(Row):
    """How many, says who, as of when."""

    claim_id: str
    role: str
    low: float
    high: float
    modality: str
    unit: str
    authority: str | None
    authority_kind: str | None
    origin_id: str | None
    as_of: date
    denied: bool
    increment: bool
    earlier: bool
    first_reported_at: datetime
    known_at: datetime
    articles: int
    families: int
    publisher: str
    quote: str
    url: str
    story_id: int
    paragraph_id: int
    figure_id: int
    revises_low: float | None
    revises_high: float | None
    corrects: int | None
    corrected_at: datetime | None


@described("claim_timeline")
class Day(Row):
    """A claim's stories of one day."""

    claim_id: str
    day: date
    stories: int
    articles: int
    supports: int
    refutes: int
    updates: int


@described("coverage_by_day")
class CoverageDay(Row):
    """A claim's coverage of one day in one language, country and publisher family."""

    claim_id: str
    day: date
    language: str | None
    country: str | None
    family: str
    stories: int
    articles: int
    publishers: int
    supports: int
    refutes: int
    updates: int


@described("review_queue")
class Suggestion(Row):
    """A suggested match that waits for a yes or no."""

    match_id: int
    claim_id: str
    statement: str
    stance: str
    probability: float
    distance: float
    sentence: str | None
    why: str | None
    text: str
    title: str
    language: str | None
    publisher: str
    country: str | None
    published_at: datetime
    url: str
    story_id: int | None
    article_id: int | None
    version_id: int | None
    paragraph_id: int
    matched_at: datetime


@described("reviews")
class Review(Row):
    """What a reviewer said of a match."""

    review_id: int
    match_id: int | None
    claim_id: str
    verdict: str
    stance: str | None
    reviewer: str
    note: str | None
    at: datetime
    in_force: bool
    matcher_tier: str | None
    probability: float | None
    sentence: str | None
    text: str
    title: str
    language: str | None
    publisher: str
    published_at: datetime
    url: str
    story_id: int | None
    paragraph_id: int
