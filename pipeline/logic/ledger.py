"""What a new figure is to those that are known: the most so far, the least, the first of an official, a disagreement.

Pure: figures in, claim events out. The same figures give the same events in whatever batches they come, save for their
order: what is the most so far depends on what was known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.logic.tracking import Event

# What "about" takes in, below and above: Seoul's "about 11,000" and Washington's "about 12,000" of one week were one
# estimate told twice; 15 % lets such pairs overlap and keeps 3,000 and 4,000 apart.
ABOUT = 0.15
OPEN_ABOVE = ("at_least", "over")
# Figures of different times may differ because the thing itself has grown: in the autumn of 2024 the contingent doubled
# within five days.
SAME_TIME = timedelta(days=3)
# Authorities that speak for a state or a body of states.
OFFICIAL = frozenset({"intelligence", "military", "government", "organisation"})

# Names that take a plural verb.
MANY = frozenset({"analysts", "documents", "experts", "forces", "media", "officials", "soldiers", "sources"})

WORDS = {"exact": "", "about": "about ", "at_least": "at least ", "up_to": "up to ", "over": "over "}


@dataclass(frozen=True)
class Entry:
    """One figure of a claim. `authority` is an origin's id, "" where nobody is named; `name` and `kind` are its."""

    role: str
    low: float
    high: float
    modality: str
    as_of: date
    authority: str = ""
    name: str = ""
    kind: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        return bounds(self.low, self.high, self.modality)

    @property
    def told(self) -> str:
        """ "about 11,000 (NIS)" """
        return f"{self.number} ({self.name or 'nobody named'})"

    @property
    def number(self) -> str:
        """ "about 11,000" """
        return quantity(self.low, self.high, self.modality)


def bounds(low: float, high: float, modality: str) -> tuple[float, float]:
    """The least and the most that a figure can mean. ingest.figure_low and figure_high say the same."""
    least = {"up_to": 0.0, "about": low * (1 - ABOUT)}.get(modality, low)
    most = {"about": high * (1 + ABOUT)}.get(modality, math.inf if modality in OPEN_ABOVE else high)
    return least, most


def quantity(low: float, high: float, modality: str) -> str:
    """In words: "about 10,000 to 12,000"."""
    numbers = f"{low:,.10g}" if low == high else f"{low:,.10g} to {high:,.10g}"
    return WORDS[modality] + numbers


def events(new: Entry, known: Iterable[Entry]) -> list[Event]:
    """What a figure that a fresh report gives as a total brings. `known` are the totals before it, in any order.

    Figures of nobody in particular raise no event, and are none to compare with.
    """
    before = [entry for entry in known if entry.role == new.role and entry.authority]
    if not new.authority or new in before:
        return []
    found = []
    what = new.role.replace("_", " ")
    if new.kind in OFFICIAL and not any(entry.kind in OFFICIAL for entry in before):
        found.append(
            Event(
                "first_official_figure",
                new.role,
                f"{what}: {new.told}, the first of an official authority",
                f"first official figure, {new.number} {what} ({new.name})",
            )
        )
    if before:
        found += _extreme(new, before, what)
    for other in _latest(before):
        if other.authority != new.authority and _disagree(new, other):
            pair = "/".join(sorted((new.authority, other.authority)))
            found.append(Event("figures_disagree", f"{new.role}/{pair}", f"{what}: {new.told} against {other.told}"))
    return found


def key_of(role: str, number: float) -> str:
    """Key of a new maximum, and what that of a new minimum begins with."""
    return f"{role}/{number:g}"


def _extreme(new: Entry, before: Sequence[Entry], what: str) -> list[Event]:
    most = max(before, key=lambda entry: entry.high)
    if new.high > most.high:
        key = key_of(new.role, new.high)
        reason = f"{what}: {new.told}, more than any before; the most was {most.told}"
        return [Event("new_maximum", key, reason, _headline(new, before, most, "the most so far"))]
    # What is open above is no word against more. A figure of before is no word against what has grown since.
    current = [entry for entry in _latest(before) if entry.as_of <= new.as_of]
    if new.modality in OPEN_ABOVE or not current:
        return []
    least = min(current, key=lambda entry: entry.bounds[0])
    if new.bounds[1] < least.bounds[0]:
        key = f"{key_of(new.role, new.low)}/{new.as_of}"
        reason = f"{what}: {new.told}, less than any authority says; the least was {least.told}"
        return [Event("new_minimum", key, reason, _headline(new, current, least, "the least now"))]
    return []


def _headline(new: Entry, before: Sequence[Entry], other: Entry, place: str) -> str:
    """ "NIS now says about 600 killed, was about 300", or beside another authority's."""
    many = new.name.rpartition(" ")[2] in MANY
    says = f"{'say' if many else 'says'} {new.number} {new.role.replace('_', ' ')}"
    own = [entry for entry in _latest(before) if entry.authority == new.authority]
    if own:
        return f"{new.name} now {says}, was {own[0].number}"
    return f"{new.name} {says}, {place}; {other.name} said {other.number}"


def _latest(entries: Iterable[Entry]) -> list[Entry]:
    """Each authority's latest figure."""
    latest: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: entry.as_of):
        latest[entry.authority] = entry
    return list(latest.values())


def _disagree(one: Entry, other: Entry) -> bool:
    """Whether two figures of about one time can't both be right."""
    if abs(one.as_of - other.as_of) > SAME_TIME:
        return False
    (low, high), (least, most) = one.bounds, other.bounds
    return high < least or most < low


def replaces(new: Entry, old: Entry) -> int:
    """How likely a figure stands in a later text where the old one stood: 0 is likeliest, 2 says that it does not."""
    if (old.role, old.authority) == (new.role, new.authority):
        return 0
    same_number = (old.low, old.high) == (new.low, new.high)
    return 1 if same_number and (old.role == new.role or old.authority == new.authority) else 2


def edited(old: Entry, new: Entry, publisher: str, version_id: int, *, noted: bool) -> Event | None:
    """Whether a later text of an article changes a figure: how many, how open, of what, or says who."""

    def said(entry: Entry) -> tuple[object, ...]:
        return entry.role, entry.low, entry.high, entry.modality, entry.authority

    if said(old) == said(new):
        return None
    how = "saying so" if noted else "without saying so"
    before, after = (f"{entry.role.replace('_', ' ')}: {entry.told}" for entry in (old, new))
    key = f"{version_id}/{new.role}/{new.low:g}"
    headline = f"{publisher} changed its figure"
    return Event("figure_edited", key, f"{publisher} changed “{before}” to “{after}”, {how}", headline)
