"""One clock gives every stage its `now`; a demo or a replay moves it.

A moved clock is a small JSON file, {"offset_seconds": float}: now = real time + offset. Every process of a
demo (stages, newsroom, sink) reads the same file, so one write moves them all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, aware, in UTC."""


@dataclass(frozen=True)
class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """Stands still; for tests."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass
class SteppedClock:
    """Stands where it was put last; a replay goes from moment to moment with it."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class FileClock:
    """Real time plus the offset that `path` holds at this moment; no file means no offset."""

    path: Path

    def now(self) -> datetime:
        try:
            offset = float(json.loads(self.path.read_text())["offset_seconds"])
        except FileNotFoundError:
            offset = 0.0
        return datetime.now(UTC) + timedelta(seconds=offset)

    def move_to(self, when: datetime) -> None:
        """Make `when` the present. The file is replaced in one step, so no reader sees half of it."""
        offset = (when - datetime.now(UTC)).total_seconds()
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps({"offset_seconds": offset}))
        part.replace(self.path)
