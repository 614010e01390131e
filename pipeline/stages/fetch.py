"""fetch: articles -> pages. Polite: robots.txt, delay and concurrency per host, caps, deadlines.

Where the page can't be had the article goes on all the same, with the feed's own title and text.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from pipeline.adapters.database import Connection, rows
from pipeline.adapters.gate import NotItsTurn
from pipeline.adapters.http import ARTICLE_ACCEPT, article_types
from pipeline.adapters.web import Web
from pipeline.errors import ClaimwatchError, TransientError
from pipeline.logic import schedule, versions
from pipeline.model import Response
from pipeline.stages import captures
from pipeline.stages.captures import Kept
from pipeline.stages.visits import polite, put_back, turns
from pipeline.stages.work import Item, Run, StageReport, WebDeps, begin

FIRST_RETRY = timedelta(minutes=5)
RETRY_FACTOR = 3  # 5, 15, 45, 135 minutes: an outage of two hours costs no article its text

log = structlog.get_logger()


@dataclass(frozen=True)
class Fetched:
    """One fetch's result. `transient` says that the same request may succeed later."""

    outcome: str
    response: Response | None = None
    problem: str | None = None
    transient: bool = False
    retry_after: float | None = None


def run(conn: Connection, deps: WebDeps, limit: int, *, shard: int = 0, shards: int = 1) -> StageReport:
    """Fetch up to `limit` due articles."""
    with begin(conn, deps, "fetch", shard=shard, shards=shards) as run:
        items = {item.item_id: item for item in run.claim(limit, turns(deps.settings.fetch.host_delay))}
        if items:
            deps.archive.ready()
            articles = rows(conn, "articles.to_fetch", article_ids=list(items))
            asyncio.run(_fetch_all(run, deps, [(items[a.article_id], a) for a in articles]))
        return run.report


async def _fetch_all(run: Run, deps: WebDeps, work: list[tuple[Item, Any]]) -> None:
    settings = deps.settings.fetch
    async with polite(run, deps, delay=settings.host_delay, robots=settings.respect_robots) as web:
        if web.robots is not None:
            web.robots.look_up([article.url for _, article in work])

        async def one(item: Item, article: Any) -> tuple[Item, Any, Fetched | NotItsTurn]:
            return item, article, await _fetch(web, deps, article)

        # Tasks in the order of the work: as_completed would start them in any, and a host is asked first come first.
        tasks = [asyncio.create_task(one(item, article)) for item, article in work]
        for task in asyncio.as_completed(tasks):
            item, article, fetched = await task
            with run.shield(item):
                if isinstance(fetched, NotItsTurn):
                    put_back(run, item, fetched)
                else:
                    _store(run, deps, item, article, fetched)


async def _fetch(web: Web, deps: WebDeps, article: Any) -> Fetched | NotItsTurn:
    try:
        response = await web.get(
            article.url,
            etag=article.etag,
            last_modified=article.last_modified,
            max_body=deps.settings.fetch.max_body,
            accept=ARTICLE_ACCEPT,
            content_types=article_types,
        )
    except NotItsTurn as error:
        return error
    except TransientError as error:
        return Fetched(error.code, problem=str(error), transient=True, retry_after=error.retry_after)
    except ClaimwatchError as error:
        return Fetched(error.code, problem=str(error))
    except Exception as error:  # one page must not take the other hosts' pages with it
        log.exception("crashed", article=article.url)
        return Fetched("crashed", problem=f"{type(error).__name__}: {error}")
    return _judge(web, article, response, deps.clock.now())


def _judge(web: Web, article: Any, response: Response, now: datetime) -> Fetched:
    if response.status == 304 and (article.etag or article.last_modified):
        return Fetched("unchanged", response)
    if 200 <= response.status < 300 and response.body:
        return Fetched("fetched", response)
    if 200 <= response.status < 300:
        return Fetched("empty", None, "the server sent an empty page", transient=True)
    problem = f"the server answered {response.status}"
    retry_after = schedule.retry_after(response.headers, now)
    if response.status == 429:
        web.pause(response, retry_after)
    # 304: nobody had asked whether it was modified
    transient = response.status in (304, 408, 425, 429) or response.status >= 500
    return Fetched(f"http-{response.status}", response, problem, transient, retry_after)


def _store(run: Run, deps: WebDeps, item: Item, article: Any, fetched: Fetched) -> None:
    now = deps.clock.now()
    if fetched.transient and item.attempts < deps.settings.fetch.max_attempts:
        with run.settling(item):
            _note(run, article.article_id, fetched.outcome, fetched.problem)
            run.again(item, fetched.outcome, _next_try(now, item.attempts, fetched.retry_after), fetched.problem)
        return
    response, seen = fetched.response, article.body_hash is not None
    kept = captures.page(run.conn, deps, article, response) if response is not None else None
    new = fetched.outcome == "fetched" and kept is not None and not (seen and bytes(article.body_hash) == kept.digest)
    outcome = "unchanged" if fetched.outcome == "fetched" and not new else fetched.outcome
    with run.settling(item):
        capture_id = captures.add(run.conn, kept) if kept is not None else None
        if response is not None and outcome in ("fetched", "unchanged"):
            _keep_page(run, article, response, kept, capture_id, now, new=new)
        if not (seen and outcome == "unchanged" and article.last_problem is None):
            _note(run, article.article_id, outcome, fetched.problem)
        if new or not seen:  # else its page was read before and is no other now
            run.queue("extract", [article.article_id])
        look = _next_look(deps, article, now) if seen or new else None
        if look is None:
            run.done(item, outcome, fetched.problem)
        else:
            run.again(item, outcome, look, fetched.problem, fresh=True, look=True)


def _keep_page(
    run: Run, article: Any, response: Response, kept: Kept | None, capture_id: int | None, now: datetime, *, new: bool
) -> None:
    headers = response.headers
    validators = {"etag": headers.get("etag"), "last_modified": headers.get("last-modified")}
    if not new or kept is None:
        rows(run.conn, "articles.checked_page", article_id=article.article_id, now=now, **validators)
        return
    rows(
        run.conn,
        "articles.store_page",
        article_id=article.article_id,
        now=now,
        status=response.status,
        url=response.url,
        content_type=headers.get("content-type"),
        body_hash=kept.digest,
        capture_id=capture_id,
        **validators,
    )


def _next_look(deps: WebDeps, article: Any, now: datetime) -> datetime | None:
    """When the page is asked for again, to see edits."""
    chosen = deps.settings.versions
    if not chosen.look_again:
        return None
    first, until = timedelta(seconds=chosen.first), timedelta(seconds=chosen.until)
    return versions.next_look(article.born_at, now, first=first, factor=chosen.factor, until=until)


def _note(run: Run, article_id: int, outcome: str, problem: str | None) -> None:
    rows(run.conn, "articles.set_outcome", article_id=article_id, outcome=outcome, problem=problem)


def _next_try(now: datetime, attempts: int, retry_after: float | None) -> datetime:
    wait: timedelta = FIRST_RETRY * RETRY_FACTOR ** (attempts - 1)
    return now + max(wait, timedelta(seconds=retry_after or 0))
