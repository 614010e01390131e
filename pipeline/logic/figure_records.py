"""What reading figures gives and is given: figures, numbers that are none, and what stands around a paragraph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from pipeline.logic.speakers import NOBODY, Publisher


@dataclass(frozen=True)
class Figure:
    """`attributed_to` are ids of origins, none where nobody is named. `span` is text[start:end]. `of` is the whole of
    which a fraction was given; an `increment` comes on top of an earlier total; `earlier` is what was said before."""

    role: str
    low: float
    high: float
    modality: str
    unit: str
    denied: bool
    attributed_to: tuple[str, ...]
    as_of: date | None
    start: int
    end: int
    span: str
    increment: bool = False
    earlier: bool = False
    of: float | None = None


@dataclass(frozen=True)
class LeftOut:
    """A number that is no figure of the topic."""

    start: int
    end: int
    span: str
    reason: str


@dataclass(frozen=True)
class Context:
    """What stands around a paragraph. `main` are the article's origins, `last` those of the paragraph before, and
    `said` the last day that each origin's statement was dated to, `lead` the first that any was, `known` who was named
    last by each office, `role` that of the last figure."""

    title: str = ""
    before: Sequence[str] = ()
    published: datetime | date | None = None
    language: str | None = None
    publisher: Publisher = NOBODY
    main: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    said: Mapping[str, date] = field(default_factory=dict)
    lead: date | None = None
    known: Mapping[str, str] = field(default_factory=dict)
    role: str = ""

    def day(self) -> date | None:
        """The day of publication, in the zone it was given in."""
        return self.published.date() if isinstance(self.published, datetime) else self.published


@dataclass(frozen=True)
class Reading:
    """A paragraph's figures and other numbers; `last` and `said` are for the next paragraph's context."""

    figures: tuple[Figure, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    last: tuple[str, ...] = ()
    said: Mapping[str, date] = field(default_factory=dict)
    lead: date | None = None
    known: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
