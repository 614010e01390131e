"""Compares two runs of match and track over the same texts: a replay with another one, or with the live state.

`a` is the run in question, `b` what it is measured by: gained is what a has and b has not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

# Kinds of claim events that are mailed whether or not somebody was subscribed at the time.
MAILED = frozenset({"first_seen", "fresh_coverage"})
# Kinds that come of what a replay has no part in: pages that are read again, feeds that are silent.
NOT_REPLAYED = frozenset({"edited", "silence"})
CONFIRMED, REJECTED = "confirmed", "rejected"

Pair = tuple[str, int]  # claim, paragraph
Alert = tuple[str, int]  # claim, story


@dataclass(frozen=True)
class Event:
    """Something that happened to a claim. `mailed` where alerts came of it."""

    claim: str
    story: int | None
    kind: str
    happened_at: datetime
    known_at: datetime
    title: str | None
    mailed: bool


@dataclass(frozen=True)
class Match:
    """A decision of a matcher. `verdict` is a reviewer's or a label's, None where nobody has looked."""

    claim: str
    paragraph: int
    tier: str
    probability: float
    sentence: str
    title: str
    published_at: datetime
    story: int | None
    text_hash: str
    verdict: str | None

    @property
    def pair(self) -> Pair:
        return self.claim, self.paragraph


@dataclass(frozen=True)
class RunView:
    """What a run came to."""

    name: str
    events: Sequence[Event]
    matches: Sequence[Match]


@dataclass(frozen=True)
class Shared:
    """An alert of both runs; `hours` is how much earlier a raised it, negative where it was later."""

    event: Event
    hours: float


@dataclass
class Figures:
    """One run in numbers. `right` and `wrong` count its accepted matches that somebody has judged."""

    name: str
    accepted: int
    suggested: int
    events: int
    alerts: int
    right: int
    wrong: int

    @property
    def precision(self) -> float | None:
        judged = self.right + self.wrong
        return self.right / judged if judged else None


@dataclass
class Comparison:
    a: Figures
    b: Figures
    alerts_gained: list[Event] = field(default_factory=list)
    alerts_lost: list[Event] = field(default_factory=list)
    alerts_shared: list[Shared] = field(default_factory=list)
    matches_gained: list[Match] = field(default_factory=list)
    matches_lost: list[Match] = field(default_factory=list)

    @property
    def lead_hours(self) -> float | None:
        """The median of the shared alerts' lead."""
        return median(s.hours for s in self.alerts_shared) if self.alerts_shared else None


def compare(a: RunView, b: RunView, until: datetime, mailed: Collection[str] = ()) -> Comparison:
    """Alerts and accepted matches that only one run has, and the lead of those that both have.

    An alert is the first mailed event of a claim and story; `mailed` adds kinds of events that are known to be mailed.
    What is noticed from `until` on counts as shared, but not as gained or lost: the other run had not come so far.
    """
    kinds = {*MAILED, *mailed, *(e.kind for run in (a, b) for e in run.events if e.mailed)} - NOT_REPLAYED
    ours, theirs = _alerts(a, kinds), _alerts(b, kinds)
    pairs_a, pairs_b = _accepted(a), _accepted(b)
    return Comparison(
        a=_figures(a, ours, pairs_a, until),
        b=_figures(b, theirs, pairs_b, until),
        alerts_gained=[e for key, e in ours.items() if key not in theirs and e.known_at < until],
        alerts_lost=[e for key, e in theirs.items() if key not in ours and e.known_at < until],
        alerts_shared=[
            Shared(e, (theirs[key].known_at - e.known_at).total_seconds() / 3600)
            for key, e in ours.items()
            if key in theirs
        ],
        matches_gained=[m for pair, m in pairs_a.items() if pair not in pairs_b],
        matches_lost=[m for pair, m in pairs_b.items() if pair not in pairs_a],
    )


def verdict(
    match_claim: str, text_hash: str, labels: Mapping[str, tuple[Collection[str], Collection[str]]]
) -> str | None:
    """What a labelled set says of a claim and text; `labels` has (direct, left out) claims by the text's hash."""
    if text_hash not in labels:
        return None
    direct, left_out = labels[text_hash]
    if match_claim in direct:
        return CONFIRMED
    return None if match_claim in left_out else REJECTED


def _alerts(run: RunView, kinds: Collection[str]) -> dict[Alert, Event]:
    """The first mailed event of each claim and story, in the order of time."""
    found: dict[Alert, Event] = {}
    for event in sorted(run.events, key=lambda e: (e.known_at, e.happened_at)):
        if event.kind in kinds and event.story is not None:
            found.setdefault((event.claim, event.story), event)
    return found


def _accepted(run: RunView) -> dict[Pair, Match]:
    found = [m for m in run.matches if m.tier == "accepted"]
    return {m.pair: m for m in sorted(found, key=lambda m: (m.published_at, m.claim, m.paragraph))}


def _figures(run: RunView, alerts: Mapping[Alert, Event], accepted: Mapping[Pair, Match], until: datetime) -> Figures:
    verdicts = [m.verdict for m in accepted.values()]
    return Figures(
        name=run.name,
        accepted=len(accepted),
        suggested=sum(m.tier == "suggested" for m in run.matches),
        events=sum(event.known_at < until for event in run.events),
        alerts=sum(event.known_at < until for event in alerts.values()),
        right=verdicts.count(CONFIRMED),
        wrong=verdicts.count(REJECTED),
    )
