"""HTTP answers with validators: ETag, Last-Modified, 304 and gzip (RFC 9110)."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response

WORTH_COMPRESSING = 500
"""Bytes; below this gzip saves nothing."""


def answer(
    request: Request,
    body: bytes,
    content_type: str,
    *,
    modified: datetime | None = None,
    max_age: int = 60,
    status: int = 200,
) -> Response:
    """`body` as the client may have it: not at all if it holds it already, compressed if it says it can.

    The ETag is strong, so the compressed form has one of its own. Only a 200 carries validators.
    """
    headers = {"vary": "Accept-Encoding"}
    zipped = len(body) >= WORTH_COMPRESSING and accepts_gzip(request.headers.get("accept-encoding", ""))
    if status == 200:
        digest = hashlib.sha256(body).hexdigest()[:24]
        headers["etag"] = f'"{digest}-gz"' if zipped else f'"{digest}"'
        headers["cache-control"] = f"public, max-age={max_age}"
        if modified is not None:
            headers["last-modified"] = format_datetime(modified.astimezone(UTC), usegmt=True)
        if is_unchanged(request, digest, modified):
            return Response(status_code=304, headers=headers)
    if zipped:
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body, mtime=0)
    # Set as a header, not as media_type: Starlette adds a charset of its own to that.
    return Response(body, status, headers={**headers, "content-type": content_type})


def is_unchanged(request: Request, digest: str, modified: datetime | None) -> bool:
    """Whether the client's copy is current. If-None-Match decides alone where it is given."""
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = {tag.strip().removeprefix("W/").strip('"').removesuffix("-gz") for tag in known.split(",")}
        return "*" in tags or digest in tags
    since = _date(request.headers.get("if-modified-since"))
    return since is not None and modified is not None and modified.replace(microsecond=0) <= since


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header allows gzip: named or by `*`, and not with weight 0."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        coding, _, parameter = part.partition(";")
        weight = parameter.strip().removeprefix("q=")
        try:
            weights[coding.strip()] = float(weight) if weight else 1.0
        except ValueError:
            weights[coding.strip()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _date(value: str | None) -> datetime | None:
    """An HTTP date; None where there is none or it can't be read, which HTTP says to ignore."""
    if value is None:
        return None
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
