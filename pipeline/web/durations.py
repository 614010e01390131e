"""Times and sizes in few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

LONG_AGO = timedelta(days=60)
UNITS = ("bytes", "KB", "MB", "GB")


def span(length: timedelta | None) -> str:
    """ "2 h 14 min", "3 d 4 h", "40 s"; nothing for None."""
    if length is None:
        return ""
    seconds = max(int(length.total_seconds()), 0)
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h" if hours and days < 7 else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def since(at: datetime | None, now: datetime) -> str:
    """ "5 min ago", "in 2 h", "never"; the day where it is long ago."""
    if at is None:
        return "never"
    if now - at > LONG_AGO:
        return f"{at.astimezone(UTC):%-d %b %Y}"
    if abs(now - at) < timedelta(seconds=45):
        return "now"
    return f"in {span(at - now)}" if at > now else f"{span(now - at)} ago"


def size(count: int | None) -> str:
    """Bytes as "12.4 KB"."""
    if count is None:
        return ""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {UNITS[unit]}" if unit == 0 or value >= 100 else f"{value:.1f} {UNITS[unit]}"
