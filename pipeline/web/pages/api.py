"""The API: every list of the desk at the same filters, as JSON, CSV or JSON Lines, and a page that documents it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from pipeline.web import archive_rows, claim_rows
from pipeline.web.apidoc import described_operations
from pipeline.web.desk import Desk
from pipeline.web.filters import SearchFilters
from pipeline.web.lists import OF_LIST, Asked
from pipeline.web.pages import search as search_page
from pipeline.web.pages.common import DeskOf
from pipeline.web.parameters import (
    Claim,
    Country,
    DaysOf,
    FiltersOf,
    Health,
    Lang,
    Number,
    OneClaim,
    Origin,
    Publisher,
    Stance,
    VoicesOf,
    Way,
    days_values,
    evidence_values,
    voices_values,
)
from pipeline.web.render import page
from pipeline.web.rows import Listed, Problem, Row

DAY = timedelta(days=1)
EVER = "infinity"  # all that we know, reviews dated by the database's clock included

router = APIRouter(
    prefix="/api",
    responses={
        401: {"model": Problem, "description": "Log in, or send the header Authorization: Bearer TOKEN."},
        404: {"model": Problem, "description": "There is no such claim, story or article."},
        422: {"model": Problem, "description": "A parameter can't be read; the message says which."},
        503: {"model": Problem, "description": "The database does not answer, or not in time."},
    },
)
One = TypeVar("One", bound=Row)
AskedFor = Annotated[Asked, Depends()]
CLAIMS, ARCHIVE, REVIEWS, FEEDS = "Claims", "Stories and articles", "Reviews", "Feeds, publishers and origins"


@router.get("", include_in_schema=False)
def documentation(request: Request, desk: DeskOf) -> Response:
    groups = described_operations(request.app.openapi())
    first = desk.row("desk_exports.any_claim")
    claim = first.claim_id if first else "CLAIM"
    return page(request, "api.html", groups=groups, public_url=desk.public_url, claim=claim)


@router.get("/claims", tags=[CLAIMS], responses=OF_LIST, summary="Every claim that is followed, as the board has it")
def claims(
    desk: DeskOf,
    asked: AskedFor,
    since: Annotated[datetime | None, Query(description="What is new is new since then; else since a day ago.")] = None,
) -> Listed[claim_rows.BoardClaim]:
    now = desk.now()
    return asked.answer(
        desk, claim_rows.BoardClaim, "desk_exports.claims", "claims", since=since or now - DAY, as_of=now
    )


@router.get("/claims/{claim}", tags=[CLAIMS], summary="A claim, and how it stood at a moment")
def claim(
    desk: DeskOf,
    claim: Claim,
    as_of: Annotated[datetime | None, Query(description="By what was published by then; else by now.")] = None,
    known_at: Annotated[datetime | None, Query(description="By what we knew then; else by what we know now.")] = None,
) -> claim_rows.Claim:
    found = desk.row("desk_exports.claim", claim=claim, as_of=as_of or desk.now(), known_at=known_at or EVER)
    return _found(found, claim_rows.Claim, f"no claim is called {claim!r}")


@router.get("/claims/{claim}/evidence", tags=[CLAIMS], responses=OF_LIST, summary="Stories that bear on a claim")
def evidence(desk: DeskOf, claim: Claim, filters: FiltersOf, asked: AskedFor) -> Listed[claim_rows.Evidence]:
    return _of_claim(desk, asked, claim_rows.Evidence, "desk_claims.evidence", claim, **evidence_values(filters))


@router.get("/claims/{claim}/events", tags=[CLAIMS], responses=OF_LIST, summary="What happened to a claim")
def events(desk: DeskOf, claim: Claim, days: DaysOf, asked: AskedFor) -> Listed[claim_rows.Event]:
    return _of_claim(desk, asked, claim_rows.Event, "desk_exports.events", claim, **days_values(days))


@router.get("/claims/{claim}/figures", tags=[CLAIMS], responses=OF_LIST, summary="How many, says who, as of when")
def figures(
    desk: DeskOf, claim: Claim, days: DaysOf, asked: AskedFor, origin: Origin = None
) -> Listed[claim_rows.Figure]:
    return _of_claim(desk, asked, claim_rows.Figure, "desk_exports.figures", claim, **days_values(days), origin=origin)


@router.get("/claims/{claim}/timeline", tags=[CLAIMS], responses=OF_LIST, summary="A claim's stories by day")
def timeline(desk: DeskOf, claim: Claim, days: DaysOf, asked: AskedFor) -> Listed[claim_rows.Day]:
    return _of_claim(desk, asked, claim_rows.Day, "desk_exports.timeline", claim, **days_values(days))


@router.get(
    "/claims/{claim}/coverage",
    tags=[CLAIMS],
    responses=OF_LIST,
    summary="A claim's coverage by day, language, country and publisher family",
)
def coverage(
    desk: DeskOf, claim: Claim, days: DaysOf, voices: VoicesOf, asked: AskedFor
) -> Listed[claim_rows.CoverageDay]:
    return _of_claim(
        desk,
        asked,
        claim_rows.CoverageDay,
        "desk_exports.coverage",
        claim,
        **days_values(days),
        **voices_values(voices),
    )


@router.get("/claims/{claim}/phrasings", tags=[CLAIMS], responses=OF_LIST, summary="Wordings it is looked for by")
def phrasings(desk: DeskOf, claim: Claim, asked: AskedFor) -> Listed[claim_rows.Phrasing]:
    return _of_claim(desk, asked, claim_rows.Phrasing, "desk_exports.phrasings", claim)


@router.get("/events", tags=[CLAIMS], responses=OF_LIST, summary="What happened to all claims")
def all_events(desk: DeskOf, days: DaysOf, asked: AskedFor) -> Listed[claim_rows.Event]:
    return asked.answer(desk, claim_rows.Event, "desk_exports.events", "events", claim=None, **days_values(days))


@router.get("/stories/{story}", tags=[ARCHIVE], summary="A story")
def story(desk: DeskOf, story: Number) -> archive_rows.Story:
    return _found(desk.row("desk_exports.story", story=story), archive_rows.Story, f"there is no story {story}")


@router.get(
    "/stories/{story}/articles", tags=[ARCHIVE], responses=OF_LIST, summary="Who told a story, in order of time"
)
def story_articles(
    desk: DeskOf, story: Number, days: DaysOf, voices: VoicesOf, asked: AskedFor, origin: Origin = None
) -> Listed[archive_rows.StoryArticle]:
    values = {"story_id": story, "origin": origin, **days_values(days), **voices_values(voices)}
    return asked.answer(desk, archive_rows.StoryArticle, "desk_stories.articles", f"story-{story}-articles", **values)


@router.get("/articles/{article}", tags=[ARCHIVE], summary="An article in its latest text")
def article(desk: DeskOf, article: Number) -> archive_rows.Article:
    found = desk.row("desk_exports.article", article=article)
    return _found(found, archive_rows.Article, f"there is no article {article}")


@router.get(
    "/articles/{article}/text", tags=[ARCHIVE], responses=OF_LIST, summary="Its paragraphs, with their evidence"
)
def article_text(
    desk: DeskOf,
    article: Number,
    asked: AskedFor,
    version: Annotated[
        int | None, Query(ge=1, le=2**63 - 1, description="Which text, by its number; else the latest.")
    ] = None,
) -> Listed[archive_rows.Paragraph]:
    name = f"article-{article}-text"
    return asked.answer(
        desk, archive_rows.Paragraph, "desk_exports.article_text", name, article=article, version=version
    )


@router.get("/articles/{article}/versions", tags=[ARCHIVE], responses=OF_LIST, summary="The texts that it has had")
def versions(desk: DeskOf, article: Number, asked: AskedFor) -> Listed[archive_rows.Version]:
    return asked.answer(
        desk, archive_rows.Version, "desk_exports.versions", f"article-{article}-versions", article=article
    )


@router.get("/articles/{article}/captures", tags=[ARCHIVE], responses=OF_LIST, summary="The archived records of it")
def captures(desk: DeskOf, article: Number, asked: AskedFor) -> Listed[archive_rows.Capture]:
    return asked.answer(
        desk, archive_rows.Capture, "desk_exports.captures", f"article-{article}-captures", article=article
    )


@router.get("/search", tags=[ARCHIVE], responses=OF_LIST, summary="The paragraphs that a text finds, the best first")
def search(
    request: Request,
    desk: DeskOf,
    q: Annotated[str, Query(min_length=1, max_length=1000, description="What to look for, in any language.")],
    days: DaysOf,
    asked: AskedFor,
    lang: Lang = None,
    country: Country = None,
    publisher: Publisher = None,
    way: Way = None,
) -> Listed[archive_rows.Hit]:
    """A hundred at most. Where the desk has no embedding model they are found by words alone; found_by tells."""
    given = SearchFilters(days.since, days.until, lang, country, publisher, q, way)
    values, asked.note = search_page.asked(desk, request.app.state.meaning, given)
    return asked.answer(desk, archive_rows.Hit, "desk_search.hybrid", "search", **values)


@router.get("/reviews", tags=[REVIEWS], responses=OF_LIST, summary="Suggested matches, the most telling first")
def review_queue(
    desk: DeskOf,
    days: DaysOf,
    asked: AskedFor,
    claim: OneClaim = None,
    lang: Lang = None,
    country: Country = None,
    stance: Stance = None,
) -> Listed[claim_rows.Suggestion]:
    values = {"claim": claim, "lang": lang, "country": country, "stance": stance, **days_values(days)}
    return asked.answer(desk, claim_rows.Suggestion, "desk_reviews.queue", "review-queue", **values)


@router.get("/reviews/done", tags=[REVIEWS], responses=OF_LIST, summary="What reviewers said, the latest first")
def reviews(desk: DeskOf, asked: AskedFor, claim: OneClaim = None) -> Listed[claim_rows.Review]:
    return asked.answer(desk, claim_rows.Review, "desk_exports.reviews", "reviews", claim=claim)


@router.get("/feeds", tags=[FEEDS], responses=OF_LIST, summary="How every feed is doing")
def feeds(desk: DeskOf, voices: VoicesOf, asked: AskedFor, health: Health = None) -> Listed[archive_rows.Feed]:
    return asked.answer(desk, archive_rows.Feed, "desk_exports.feeds", "feeds", health=health, **voices_values(voices))


@router.get("/feeds/{feed}/entries", tags=[FEEDS], responses=OF_LIST, summary="What a feed brought, the latest first")
def feed_entries(desk: DeskOf, feed: Number, asked: AskedFor) -> Listed[archive_rows.FeedEntry]:
    return asked.answer(desk, archive_rows.FeedEntry, "desk_feeds.entries", f"feed-{feed}-entries", feed_id=feed)


@router.get("/publishers", tags=[FEEDS], responses=OF_LIST, summary="Who publishes, and how much of it is evidence")
def publishers(desk: DeskOf, voices: VoicesOf, asked: AskedFor) -> Listed[archive_rows.Publisher]:
    return asked.answer(desk, archive_rows.Publisher, "desk_exports.publishers", "publishers", **voices_values(voices))


@router.get("/origins", tags=[FEEDS], responses=OF_LIST, summary="The authorities that reports rest on")
def origins(desk: DeskOf, asked: AskedFor, country: Country = None) -> Listed[archive_rows.Origin]:
    return asked.answer(desk, archive_rows.Origin, "desk_exports.origins", "origins", country=country)


def known_claim(desk: Desk, claim: str) -> None:
    """Raises 404 where there is none: an empty list would say that it has nothing yet."""
    if desk.row("desk_exports.known_claim", claim=claim) is None:
        raise HTTPException(404, f"no claim is called {claim!r}")


def _of_claim(desk: Desk, asked: Asked, model: type[One], statement: str, claim: str, **values: Any) -> Listed[One]:
    known_claim(desk, claim)
    return asked.answer(desk, model, statement, f"{claim}-{statement.partition('.')[2]}", claim=claim, **values)


def _found(row: Any, model: type[One], missing: str) -> One:
    if row is None:
        raise HTTPException(404, missing)
    return model.model_validate(row)
