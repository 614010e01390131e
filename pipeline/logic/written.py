"""What is written into files and feeds that others read: times, addresses, texts of bounded length."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit


def moment(at: datetime) -> str:
    """ISO 8601 in UTC, with a Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def is_link(url: str | None) -> bool:
    """Whether an address may be followed without care: no javascript:, no data:."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def short(text: str, most: int) -> str:
    """On one line and no longer than that; a hostile page's title may have a million characters."""
    text = " ".join(text[: 4 * most].split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
