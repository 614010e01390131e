"""extract: pages -> versions and paragraphs. A text is stored once, however often it comes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.metadata import version as installed
from typing import Any

from pipeline.adapters.database import Connection, row, rows
from pipeline.errors import PermanentError
from pipeline.logic import extraction, language, pagebody, pagekinds, pagenames, text, versions
from pipeline.logic.origins import Found
from pipeline.model import Document
from pipeline.stages import captures, identity, origins, words
from pipeline.stages.work import ArchiveDeps, Item, Run, StageReport, begin

UNREAD = frozenset({"record-missing", "record-damaged", "expired"})  # the page was not there to be read
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


@cache
def extractor() -> str:
    """What a page is read with today; the same page read with another may give another text."""
    return f"claimwatch {extraction.VERSION}, trafilatura {installed('trafilatura')}"


def run(conn: Connection, deps: ArchiveDeps, limit: int) -> StageReport:
    """Extract up to `limit` articles."""
    with begin(conn, deps, "extract") as run:
        items = {item.item_id: item for item in run.claim(limit)}
        if not items:
            return run.report
        known = origins.sync(conn, deps.settings, deps.clock)
        for article in rows(conn, "articles.to_extract", article_ids=list(items)):
            item = items[article.article_id]
            with run.shield(item):
                read = _read(deps, article, item.attempts)
                rests_on = _origins(known, article, read.document)
                with run.settling(item):
                    _store(run, item, article, read, rests_on, deps.clock.now())
        return run.report


def _read(deps: ArchiveDeps, article: Any, attempts: int) -> Read:
    problem, outcome = None, "entry"
    if article.body_hash is not None and attempts > PAGE_ATTEMPTS:
        outcome, problem = (
            "given-up",
            f"the page ended {PAGE_ATTEMPTS} attempts to read it; the feed's own text is used",
        )
    elif article.body_hash is not None:
        try:
            body = captures.body(deps, article)
            if body is None:
                raise PermanentError("its page is no longer in the archive", code="expired")
            document = extraction.extract(body, article.content_type, article.page_url, deps.clock.now())
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
    if same := identity.settle(run.conn, article, document.canonical_url, now):
        run.done(item, identity.SAME_ARTICLE, same)
        return
    texts = [document.title, *document.paragraphs]
    again = article.extractor is not None  # this very page has been read before: what is new is our reading
    if article.body_hash is not None:
        told = {"body_hash": article.body_hash, "extractor": None if read.outcome in UNREAD else extractor()}
        if not rows(run.conn, "articles.page_read", article_id=article.article_id, **told):
            run.again(item, "page-changed", now, fresh=True)  # fetched anew while this one was read
            return
    if again and read.source != "page":  # what an earlier extractor had made of it stands
        run.done(item, read.outcome, read.problem)
        return
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
        capture_id=article.capture_id if read.source == "page" else article.entry_capture_id,
        extractor=extractor() if read.source == "page" else None,
        reextracted=again,
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
        partial=document.partial,
    )
    new = _add_paragraphs(run, version.version_id, texts, document.language, now)
    _add_changes(run, article.article_id, version.version_id, read.source, texts)
    origins.store(run.conn, {version.version_id: rests_on})
    run.queue("embed", new)
    if not new:  # otherwise `embed` queues it, when all its texts have vectors
        run.queue("group", [article.article_id])
    if not again:  # evidence that this text no longer has: the publisher took it out
        changed = rows(run.conn, "tracking.changed", article_id=article.article_id, version_id=version.version_id)
        run.queue("track", [r.match_id for r in changed])
    run.report.counts["paragraphs_new"] += len(new)
    run.report.counts["paragraphs_known"] += sum(1 for t in texts if t) - len(new)
    if article.body_hash is not None:
        ended = {"outcome": read.outcome, "problem": read.problem}
        rows(run.conn, "articles.set_outcome", article_id=article.article_id, **ended)
    run.done(item, read.outcome, read.problem)


def _add_changes(run: Run, article_id: int, version_id: int, source: str, texts: list[str]) -> None:
    """Store what this text has that the one before it had not, and the other way round."""
    found = rows(run.conn, "versions.before", article_id=article_id, version_id=version_id, source=source)
    if not found:
        return
    stood = {r.position: r.text for r in found if r.position is not None}
    before = [stood.get(position, "") for position in range(max(stood, default=0) + 1)]
    changes = versions.changes(before, texts)
    rows(
        run.conn,
        "versions.add_changes",
        version_id=version_id,
        before_id=found[0].version_id,
        kinds=[change.kind for change in changes],
        befores=[change.before for change in changes],
        afters=[change.after for change in changes],
    )


def _add_paragraphs(run: Run, version_id: int, texts: list[str], language: str | None, now: datetime) -> list[int]:
    """Store title and paragraphs, with the words of those never seen before; the ids of these."""
    placed = [(position, t) for position, t in enumerate(texts) if t]
    by_hash = {text.content_hash(t): t for _, t in placed}
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
    new = {r.paragraph_id: by_hash[bytes(r.content_hash)] for r in added if r.is_new}
    words.store(run.conn, new)
    return list(new)
