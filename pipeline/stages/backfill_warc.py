"""Records of a web archive's files: which are articles' pages, and which of those are worth extracting.

The filters go from cheap to dear: what the headers say, then the page's text without its tree, a quick look whether a
term can be in it, its language, and the terms themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.adapters import warchttp
from pipeline.adapters.bodies import BadEncoding
from pipeline.adapters.database import Connection, rows
from pipeline.adapters.sourcefiles import LocalFile, RemoteFile
from pipeline.adapters.warcread import Damage, Place, Record, records
from pipeline.errors import ConfigurationError
from pipeline.logic import charsets, keyterms, language, terms, urls
from pipeline.logic.backfills import Options
from pipeline.logic.claimsfile import Claim
from pipeline.logic.keyterms import ClaimTerms, KeyTerms, Terms
from pipeline.stages.backfill_store import Entry, Found, Page

TYPES = ("text/html", "application/xhtml+xml")
HTML = (b"<html", b"<!doctype html", b"<head", b"<body")


@dataclass(frozen=True)
class Wanted:
    """What a page has to have to be stored."""

    options: Options
    terms: Terms | None  # None: any page will do
    max_body: int

    def block(self, headers: dict[str, str], length: int) -> bool:
        """Whether a record's block has to be read at all, by its headers."""
        return (
            headers.get("warc-type", "").lower() == "response"
            and length <= self.max_body + warchttp.HEAD
            and self.options.covers(moment(headers))
        )


def wanted(conn: Connection, options: Options, max_body: int) -> Wanted:
    """Raises ConfigurationError where the terms should be those of the claims and there are none."""
    return Wanted(options, _terms(conn, options), max_body)


def _terms(conn: Connection, options: Options) -> Terms | None:
    if options.anything:
        return None
    return KeyTerms(options.terms) if options.terms else ClaimTerms(followed(conn))


def followed(conn: Connection) -> list[Claim]:
    """The claims in force. Raises ConfigurationError where none of them has terms."""
    claims = [Claim.from_definition(r.claim_id, r.statement, r.definition) for r in rows(conn, "claims.in_force")]
    if not any(claim.groups for claim in claims):
        raise ConfigurationError(
            "there are no claims with terms to filter the pages by: load claims, or name terms, or take any page"
        )
    return claims


def moment(headers: dict[str, str]) -> datetime | None:
    """When the archive's crawler had the page."""
    try:
        found = datetime.fromisoformat(headers.get("warc-date", ""))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def entries(source: LocalFile | RemoteFile, place: Place, given: Wanted, store: Callable[[Entry], None]) -> None:
    """Judge every record of a file from a place on."""
    for item in records(source, place, given.block, given.max_body + warchttp.HEAD):
        store(_damage(item) if isinstance(item, Damage) else judge(item, given))


def _damage(item: Damage) -> Entry:
    return Entry("damaged", item.after, byte_offset=item.offset, problem=item.problem)


class _LeftOut(Exception):
    """Why a record brings no article; `problem` where it should have."""

    def __init__(self, outcome: str, problem: str | None = None) -> None:
        super().__init__(outcome)
        self.outcome, self.problem = outcome, problem


def judge(record: Record, given: Wanted) -> Entry:
    """What becomes of a record: an entry with an article, or one whose outcome says why not."""
    address = record.headers.get("warc-target-uri", "").strip("<>")
    try:
        _check_record(record, given)
        found = _article(record, address, given)
    except _LeftOut as left_out:
        return Entry(left_out.outcome, record.after, None, address, record.offset, left_out.problem)
    return Entry("stored", record.after, found, address, record.offset)


def _check_record(record: Record, given: Wanted) -> None:
    """What the record's own headers tell."""
    if record.kind != "response":
        raise _LeftOut("revisit" if record.kind == "revisit" else "no-response")
    if not given.options.covers(moment(record.headers)):
        raise _LeftOut("date")
    if not record.whole:
        raise _LeftOut("cut-off", "the file holds less of the record than the record says")
    if record.headers.get("warc-truncated", "").lower() not in ("", "length"):
        raise _LeftOut("cut-off")  # half an article would be taken for a whole one
    if not record.block:
        raise _LeftOut("too-large" if record.length else "no-response")


def _article(record: Record, address: str, given: Wanted) -> Found:
    url = urls.canonical(address)
    if url is None:
        # dns: and the like are no pages; an archive of web pages has them beside.
        wrong = address.lower().startswith(("http:", "https:"))
        raise _LeftOut("bad-url", f"{address[:200]!r} is no usable address" if wrong else None)
    answer = _answer(record, given)
    if answer.status != 200:
        raise _LeftOut("status")
    if not _is_html(answer):
        raise _LeftOut("no-html")
    _filter(answer, given)
    if not warchttp.digests_fit(record.headers, record.block, answer):
        raise _LeftOut("bad-digest", "the record is not what its digest says")
    at = moment(record.headers)
    page = Page(address, answer.status, answer.headers, answer.body, at)
    return Found(url, record.offset, published_at=at, page=page)


def _answer(record: Record, given: Wanted) -> warchttp.Answer:
    try:
        return warchttp.answer(record.block, given.max_body)
    except warchttp.NotHttp as error:
        raise _LeftOut("no-response", str(error)) from error
    except warchttp.TooLarge as error:
        raise _LeftOut("too-large") from error
    except BadEncoding as error:
        raise _LeftOut("bad-encoding", f"the body can't be decoded: {error}") from error


def _is_html(answer: warchttp.Answer) -> bool:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type:
        return media_type in TYPES
    return any(mark in answer.body[:2048].lower() for mark in HTML)


def _filter(answer: warchttp.Answer, given: Wanted) -> None:
    """By language and terms; the cheap looks come first."""
    languages = given.options.languages
    if not languages and given.terms is None:
        return
    shown = keyterms.visible(charsets.decode(answer.body, answer.headers.get("content-type")))
    if given.terms is not None and not given.terms.may_be_in(terms.normalise(shown)):
        raise _LeftOut("no-term")
    if languages and language.detect(" ".join(shown.split())) not in languages:
        raise _LeftOut("language")
    if given.terms is not None and not given.terms.named_in(shown):
        raise _LeftOut("no-term")
