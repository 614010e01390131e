"""extract: pages -> versions and paragraphs. A text is stored once, however often it comes."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pipeline.adapters.database import Connection, row, rows
from pipeline.errors import PermanentError
from pipeline.logic import extraction, language, pagebody, pagekinds, pagenames, text
from pipeline.logic.origins import Found
from pipeline.model import Document
from pipeline.stages import origins
from pipeline.stages.work import Deps, Item, Run, StageReport, begin

SHORT_TEXT = 600  # characters; with less than this the page's text may be a teaser,
LONGER = 2  # and the feed's is taken if it is as many times as long
PAGE_ATTEMPTS = 3  # a page that kills its reader is not read for ever


@dataclass(frozen=True)
class Read:
    """An article's text: from its `page`, or from the feed's `entry`, or none at all."""

    source: str
    document: Document
    outcome: str
    problem: str | None = None


def run(conn: Connection, deps: Deps, limit: int) -> StageReport:
    """Extract up to `limit` articles."""
    with begin(conn, deps, "extract") as run:
        items = {item.item_id: item for item in run.claim(limit)}
        if not items:
            return run.report
        known = origins.sync(conn, deps.settings, deps.clock)
        for article in rows(conn, "articles.to_extract", article_ids=list(items)):
            item = items[article.article_id]
            with run.shield(item):
                read = _read(article, item.attempts, deps.clock.now())
                rests_on = _origins(known, article, read.document)
                with run.settling(item):
                    _store(run, item, article, read, rests_on, deps.clock.now())
        return run.report


def _read(article: Any, attempts: int, now: datetime) -> Read:
    problem, outcome = None, "entry"
    if article.body is not None and attempts > PAGE_ATTEMPTS:
        outcome, problem = (
            "given-up",
            f"the page ended {PAGE_ATTEMPTS} attempts to read it; the feed's own text is used",
        )
    elif article.body is not None:
        try:
            body = zlib.decompress(article.body)
            document = extraction.extract(body, article.content_type, article.page_url, now)
        except PermanentError as error:
            outcome, problem = error.code, str(error)
        else:
            return _better(document, article)
    return Read("entry", _from_entry(article), outcome, problem)


def _better(document: Document, article: Any) -> Read:
    """The page's text, or the feed's where the page shows less of the article than the feed does."""
    entry = _from_entry(article)
    fed, shown = sum(map(len, entry.paragraphs)), sum(map(len, document.paragraphs))
    if not document.partial:
        if shown < SHORT_TEXT and fed > LONGER * shown:
            problem = f"the page has {shown} characters of text, the feed {fed}; the feed's text is used"
            return Read("entry", _with_head(entry, document), "entry", problem)
        return Read("page", document, "extracted")
    problem = f"{article.page_url}: {pagekinds.PROBLEMS['paywall']}"
    if fed > shown:
        return Read("entry", _with_head(entry, document), "paywall", f"{problem}; the feed's text is used")
    return Read("page", document, "paywall", f"{problem}; its beginning is used")


def _with_head(entry: Document, page: Document) -> Document:
    """The feed's text under what the page says of the article."""
    return replace(page, paragraphs=entry.paragraphs, language=entry.language, setting="entry", partial=False)


def _from_entry(article: Any) -> Document:
    body = article.content if len(article.content or "") > len(article.summary or "") else article.summary
    title = text.clean(article.title or "")
    given = text.paragraphs(body or "")
    paragraphs = tuple(pagebody.site_lines_out(given, [title])) or given
    sample = " ".join((article.title or "", *paragraphs))
    return Document(
        title=title,
        paragraphs=paragraphs,
        authors=pagenames.names_of([article.author or ""], article.publisher),
        published=article.published_at,
        precision="time" if article.published_at else None,
        language=language.detect(sample, article.language),
        setting="entry",
    )


def _origins(known: origins.Lexicon, article: Any, document: Document) -> Found:
    about = {"publisher": article.publisher, "country": article.country, "kind": article.kind}
    return origins.of_version(known, document.title, document.paragraphs, source=article.source, **about)


def _store(run: Run, item: Item, article: Any, read: Read, rests_on: Found, now: datetime) -> None:
    document = read.document
    texts = [document.title, *document.paragraphs]
    if not any(texts):
        problem = read.problem or "neither the page nor the feed's entry has a text"
        rows(run.conn, "articles.set_outcome", article_id=article.article_id, outcome="empty", problem=problem)
        run.done(item, "empty", problem)
        return
    published = document.published or article.published_at
    precision = document.precision if document.published else "time"
    if published is None or published > now:
        published, precision = article.first_seen_at, None
    version = row(
        run.conn,
        "articles.add_version",
        article_id=article.article_id,
        version_hash=hashlib.sha256("\n".join(texts).encode()).digest(),
        source=read.source,
        title=document.title,
        author=", ".join(document.authors or _from_entry(article).authors) or None,
        language=document.language,
        published_at=published,
        now=now,
    )
    if version is None:
        run.done(item, "same-text", read.problem)
        return
    rows(
        run.conn,
        "articles.describe_version",
        version_id=version.version_id,
        date_precision=precision,
        site_name=document.site_name,
        description=document.description,
        dateline=document.dateline,
        setting=document.setting,
        extractor=extraction.VERSION,
        partial=document.partial,
    )
    new = _add_paragraphs(run, version.version_id, texts, document.language, now)
    origins.store(run.conn, {version.version_id: rests_on})
    changed = rows(run.conn, "tracking.changed", article_id=article.article_id, version_id=version.version_id)
    run.queue("embed", new)
    if not new:  # otherwise `embed` queues it, when all its texts have vectors
        run.queue("group", [article.article_id])
    run.queue("track", [r.match_id for r in changed])  # evidence that this text no longer has
    run.report.counts["paragraphs_new"] += len(new)
    run.report.counts["paragraphs_known"] += sum(1 for t in texts if t) - len(new)
    if article.body is not None:
        told = {"outcome": read.outcome, "problem": read.problem}
        rows(run.conn, "articles.set_outcome", article_id=article.article_id, **told)
    run.done(item, read.outcome, read.problem)


def _add_paragraphs(run: Run, version_id: int, texts: list[str], language: str | None, now: datetime) -> list[int]:
    """Store title and paragraphs; the ids of those never seen before."""
    placed = [(position, t) for position, t in enumerate(texts) if t]
    added = rows(
        run.conn,
        "articles.add_paragraphs",
        version_id=version_id,
        positions=[position for position, _ in placed],
        hashes=[text.content_hash(t) for _, t in placed],
        texts=[t for _, t in placed],
        language=language,
        now=now,
    )
    return [r.paragraph_id for r in added if r.is_new]
