"""A record of the archive: what proves a text. Read again and checked whenever somebody looks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from pipeline.adapters.warc import Archive, Place, RecordDamaged, RecordMissing
from pipeline.adapters.warc_files import ArchiveUnavailable
from pipeline.web.desk import Desk
from pipeline.web.pages.common import DeskOf
from pipeline.web.pages.stories import Number
from pipeline.web.render import page

router = APIRouter(include_in_schema=False)


@router.get("/captures/{capture_id}")
def capture(request: Request, desk: DeskOf, capture_id: Number) -> Response:
    found = _found(desk, capture_id)
    return page(request, "capture.html", capture=found, checked=checked(desk, found))


@router.get("/captures/{capture_id}/record")
def record(desk: DeskOf, capture_id: Number) -> Response:
    """The WARC record with the body, as it stands in the archive, to take away."""
    found = _found(desk, capture_id)
    if not found.available:
        raise HTTPException(410, "retention has deleted this record; its hash is still known")
    try:
        content = _archive(desk).raw(_place(found))
    except (RecordMissing, RecordDamaged, ArchiveUnavailable) as error:
        raise HTTPException(404, f"the record can't be read here: {error}") from error
    return Response(
        content,
        media_type="application/warc",
        headers={
            "Content-Disposition": f'attachment; filename="claimwatch-capture-{capture_id}.warc"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def checked(desk: Desk, found: Any) -> tuple[str, str]:
    """Whether the record is what it was, just now: (good, bad or away; in words)."""
    if not found.available:
        return "away", "Retention has deleted the record. Its hash is still known: whoever has the page can compare."
    if found.sha256 is None:
        return "away", "The server said that nothing had changed, and of what is not known any more."
    try:
        _archive(desk).body(_place(found), bytes.fromhex(found.sha256))
    except ArchiveUnavailable:
        return "away", "The desk can't read the archive's folder from here, so the record was not checked."
    except (RecordMissing, RecordDamaged) as error:
        return "bad", f"The record is not what was written: {error}"
    return "good", "Read just now: the body has the SHA-256 that was noted when it was fetched."


def _found(desk: Desk, capture_id: int) -> Any:
    found = desk.row("desk_articles.capture", capture_id=capture_id)
    if found is None:
        raise HTTPException(404, f"there is no capture {capture_id}")
    return found


def _archive(desk: Desk) -> Archive:
    return Archive(desk.settings.archive_folder, desk.settings.archive)


def _place(found: Any) -> Place:
    return Place(found.warc_file, found.warc_offset, found.warc_length)
