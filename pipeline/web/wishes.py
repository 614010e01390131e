"""What a subscription asks for: as forms send it, as the database takes it, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, Field

from pipeline.stages import subscriptions
from pipeline.web.filters import _empty_is_none
from pipeline.web.render import counted, language_name

RHYTHMS = {"instant": "as it happens", "daily": "a digest a day", "weekly": "a digest a week"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PAUSES = {1: "a day", 7: "a week", 28: "four weeks", 91: "three months"}

_EMPTY = BeforeValidator(_empty_is_none)
Clock = Annotated[time | None, _EMPTY]


class Wished(BaseModel):
    """The fields of the form for wishes."""

    rhythm: Literal["instant", "daily", "weekly"] = "instant"
    hour: int = Field(default=8, ge=0, le=23)
    weekday: int = Field(default=1, ge=1, le=7)
    timezone: str = Field(default="UTC", max_length=64)
    quiet_from: Clock = None
    quiet_until: Clock = None
    least: Annotated[Annotated[float, Field(ge=0, le=100)] | None, _EMPTY] = None  # percent
    languages: list[Annotated[str, Field(max_length=8)]] = Field(default=[], max_length=200)

    def values(self) -> dict[str, Any]:
        """For the statements of desk_subscriptions. Raises ConfigurationError where the time zone is none."""
        return {
            "rhythm": self.rhythm,
            "hour": self.hour,
            "weekday": self.weekday,
            "timezone": subscriptions.zone(self.timezone.strip()),
            "quiet_from": self.quiet_from,
            "quiet_until": self.quiet_until,
            "min_probability": None if self.least is None else self.least / 100,
            "languages": self.languages or None,
        }

    @classmethod
    def of(cls, row: Any) -> Wished:
        """Those of a row of analysis.subscriptions."""
        return cls(
            rhythm=row.rhythm,
            hour=row.hour,
            weekday=row.weekday,
            timezone=row.timezone,
            quiet_from=row.quiet_from,
            quiet_until=row.quiet_until,
            least=None if row.min_probability is None else round(100 * row.min_probability, 2),
            languages=row.languages or [],
        )


@cache
def zones() -> list[str]:
    """Time zones to choose from, by name; others that the IANA knows are taken too."""
    regions = (
        "Africa/",
        "America/",
        "Antarctica/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    )
    return ["UTC", *sorted(zone for zone in available_timezones() if zone.startswith(regions))]


@dataclass(frozen=True)
class Line:
    """A subscription in words. `row` is one of analysis.subscriptions."""

    row: Any
    now: datetime

    @property
    def when(self) -> str:
        """ "Mondays at 8:00, Europe/Berlin" """
        row = self.row
        at = f"{row.hour}:00, {row.timezone}"
        if row.rhythm == "daily":
            return f"every day at {at}"
        if row.rhythm == "weekly":
            return f"{WEEKDAYS[row.weekday - 1]}s at {at}"
        if row.quiet_from is None:
            return "as it happens"
        return f"as it happens, but for {row.quiet_from:%H:%M} to {row.quiet_until:%H:%M}, {row.timezone}"

    @property
    def only(self) -> str:
        """What is left out, or nothing: "from 80 %, in Korean or Russian" """
        row, said = self.row, []
        if row.min_probability is not None:
            said.append(f"from {100 * row.min_probability:.3g} %")
        if row.languages:
            said.append("in " + " or ".join(map(language_name, row.languages)))
        return ", ".join(said)

    @property
    def paused(self) -> bool:
        return self.row.paused_until is not None and self.row.paused_until > self.now

    @property
    def state(self) -> str:
        """ended, unanswered, paused or active"""
        if self.row.ended_at is not None:
            return "ended"
        if self.row.confirmed_at is None:
            return "unanswered"
        return "paused" if self.paused else "active"

    @property
    def paused_until(self) -> str:
        """On the reader's own clock."""
        return self.local(self.row.paused_until)

    def local(self, at: datetime) -> str:
        return f"{at.astimezone(ZoneInfo(self.row.timezone)):%-d %b %Y, %H:%M} {self.row.timezone}"

    @property
    def messages(self) -> str:
        return counted(self.row.messages, "message")


def pause_end(days: int, now: datetime) -> datetime | None:
    """When a pause of so many days ends; of none: it goes on."""
    return now + timedelta(days=days) if days else None
