"""What of a claim is taken away: its events as an Atom feed, its evidence as a packet."""

from __future__ import annotations

import hashlib
from typing import IO, Any

from fastapi import APIRouter, HTTPException, Request, Response

from pipeline import __version__
from pipeline.adapters.warc import Archive
from pipeline.logic import atom
from pipeline.stages import packet
from pipeline.web.lists import PIECE, sent
from pipeline.web.pages.common import DeskOf
from pipeline.web.parameters import Claim, FiltersOf, evidence_values
from pipeline.web.render import direction
from pipeline.web.security import FEED

router = APIRouter(include_in_schema=False)

ENTRIES = 100  # events of a feed


@router.get("/claims/{claim}/" + FEED)
def events(request: Request, desk: DeskOf, claim: Claim) -> Response:
    """The latest events, for feed readers: they ask often, so an unchanged feed is not sent again."""
    known = desk.row("desk_exports.known_claim", claim=claim)
    if known is None:
        raise HTTPException(404, f"no claim is called {claim!r}")
    found = desk.rows("desk_exports.events", claim=claim, since=None, until=None, most=ENTRIES, skipped=0)
    feed = atom.Feed(known.claim_id, known.statement, known.added_at, [_entry(row) for row in found])
    # Without the reader's key: the address that a feed calls its own is shown to others.
    body = atom.document(feed, desk.public_url, request.url.path)
    tag = _tag(hashlib.sha256(body).hexdigest())
    headers = {
        "ETag": tag,
        "Last-Modified": feed.updated.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "Cache-Control": "private, no-cache",
    }
    if _has(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=f"{atom.MEDIA_TYPE}; charset=utf-8", headers=headers)


@router.get("/claims/{claim}/packet.zip")
def evidence_packet(request: Request, desk: DeskOf, claim: Claim, filters: FiltersOf) -> Response:
    """The claim's evidence at the page's filters, with the records that prove it."""
    with desk.analyst() as conn:
        material = packet.load(conn, claim, evidence_values(filters), filters.given)
    if material is None:
        raise HTTPException(404, f"no claim is called {claim!r}")
    settings = desk.settings
    file = packet.build(material, Archive(settings.archive_folder, settings.archive), desk.public_url, __version__)
    tag = _tag(_digest(file))
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if _has(request, tag):
        file.close()
        return Response(status_code=304, headers=headers)
    answer = sent(file, "application/zip", f"{claim}-{material.as_of:%Y%m%d-%H%M%S}.zip")
    answer.headers.update(headers)
    return answer


def _entry(row: Any) -> atom.Entry:
    return atom.Entry(
        event_id=row.event_id,
        kind=row.kind,
        happened_at=row.happened_at,
        known_at=row.known_at,
        reason=row.reason,
        sentence=row.sentence,
        language=row.language,
        direction=direction(row.language),
        stance=row.stance,
        title=row.title,
        publisher=row.publisher,
        country=row.country,
        url=row.url,
    )


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _tag(digest: str) -> str:
    return f'"{digest[:32]}"'


def _has(request: Request, tag: str) -> bool:
    """Whether the reader says that it has this already; a proxy may have made the tag a weak one."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or tag in [part.strip().removeprefix("W/") for part in given.split(",")]
