"""track: matches -> claim events -> alerts in the outbox, in one transaction.

What is an event is decided by logic/tracking; here it is given a claim's past and stored. A story brings a claim one
event of coverage: its copies raise no second one. Only items published within the freshness window can alert; older
material that a new claim, feed or backfill brings is told as archive.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from pipeline.adapters.database import Connection, row, rows
from pipeline.logic import text, tracking
from pipeline.logic.tracking import Event, Past, Report, Voice
from pipeline.stages import ledger
from pipeline.stages.announce import announce
from pipeline.stages.work import Deps, Item, Run, StageReport, begin

KNOWN = "known-story"
STORY_WAIT = timedelta(minutes=1)  # for the article's story; grouping queues the match anyway when it has one


def run(conn: Connection, deps: Deps, limit: int) -> StageReport:
    """Track up to `limit` accepted matches, in the order of publication."""
    with begin(conn, deps, "track") as run:
        items = {item.item_id: item for item in run.claim(limit)}
        found = rows(conn, "matches.to_track", match_ids=list(items)) if items else []
        window = timedelta(days=deps.settings.match.freshness_days)
        for pairs in _by_match(found):
            item = items[pairs[0].match_id]
            with run.shield(item), run.settling(item):
                if pairs[0].story_id is None:
                    run.again(item, "waiting-for-story", deps.clock.now() + STORY_WAIT, fresh=True)
                else:
                    _track(run, deps, item, pairs, window)
        return run.report


def _by_match(found: Iterable[Any]) -> list[list[Any]]:
    """Rows of matches.to_track as lists, one a match with its stories; all in the order of publication."""
    matches = [
        sorted(same, key=lambda pair: (pair.published_at, pair.story_id or 0))
        for _, same in groupby(sorted(found, key=lambda pair: pair.match_id), key=lambda pair: pair.match_id)
    ]
    return sorted(matches, key=lambda pairs: (pairs[0].published_at, pairs[0].story_id or 0, pairs[0].match_id))


def _track(run: Run, deps: Deps, item: Item, pairs: list[Any], window: timedelta) -> None:
    now = deps.clock.now()
    rows(run.conn, "tracking.lock_claim", claim_id=pairs[0].claim_id)
    outcomes = [_story(run, deps, match, window) for match in pairs]
    for match in pairs:
        _figures(run, deps, match, window)
    _edits(run, deps, pairs[0], window)
    rows(run.conn, "tracking.tracked", match_id=item.item_id, now=now)
    run.done(item, next((outcome for outcome in outcomes if outcome != KNOWN), KNOWN))


def _story(run: Run, deps: Deps, match: Any, window: timedelta) -> str:
    """What a match brings in one of the stories that carry it."""
    before = row(run.conn, "tracking.past", claim_id=match.claim_id, story_id=match.story_id)
    fresh = _fresh(match, window)
    report = Report(match.story_id, match.published_at, fresh, match.stance, match.publisher, match.family)
    events: list[Event] = []
    says = fresh and match.tracked_at is None and match.stance != "updates"
    voices = rows(run.conn, "tracking.voices", claim_id=match.claim_id, match_id=match.match_id) if says else []
    known = [Voice(r.family, r.stance, r.last_at) for r in voices]
    if not before.story:
        moment = {"claim_id": match.claim_id, "at": match.published_at}
        stories = rows(run.conn, "tracking.stories", **moment) if fresh else []
        alike = max((v.last_at for v in known if v.stance == match.stance), default=None)
        past = Past([r.at for r in stories], before.told, before.last_surge, alike)
        events = tracking.of_new_story(report, past)
    if says:
        turn = tracking.contradiction(report, known, before.turned)
        events += [turn] if turn else []
    if fresh and before.told:
        found = rows(run.conn, "tracking.new_origins", match_id=match.match_id, story_id=match.story_id)
        events += tracking.new_origins([(r.origin_id, r.name) for r in found], match.publisher)
    for event in events:
        _raise(run, deps, match, event, match.published_at)
    return KNOWN if before.story else events[0].kind


def _fresh(match: Any, window: timedelta) -> bool:
    """Whether what the match rests on was published within the window. First seen stands in for a missing date, and
    says nothing of the age of what a backfill has dug up. What only a new reading of an old page has brought up is not
    fresh: readers are told of news, not of our mending.
    """
    in_window = bool(match.published_at >= match.matched_at - window)
    return in_window and not match.undated and not match.reextracted


def _figures(run: Run, deps: Deps, match: Any, window: timedelta) -> None:
    """The figures of a match's paragraph in one of the stories that carry it."""
    fresh = _fresh(match, window)
    now = deps.clock.now()
    for event in ledger.read(run.conn, deps.settings, match.match_id, match.story_id, now, fresh=fresh):
        _raise(run, deps, match, event, match.published_at)


def _edits(run: Run, deps: Deps, match: Any, window: timedelta) -> None:
    """Articles that no longer say what the match rests on. An old edit that a new claim finds is mailed to nobody."""
    for r in rows(run.conn, "tracking.edits", match_id=match.match_id):
        sentences = [t[begin:end] for t in r.texts or () for begin, end in text.sentences(t)]
        event = tracking.edited(match.sentence, sentences, r.version_id, r.publisher)
        if event is not None:
            fresh = r.known_at >= match.matched_at - window
            _raise(run, deps, match, event, r.known_at, story_id=r.story_id, mail=fresh)


def _raise(
    run: Run,
    deps: Deps,
    match: Any,
    event: Event,
    happened_at: datetime,
    *,
    story_id: int | None = None,
    mail: bool = True,
) -> None:
    """Store an event of the match's story, or of another one, and tell readers of it."""
    now = deps.clock.now()
    event_id = add_event(run.conn, match.claim_id, event, story_id or match.story_id, happened_at, now)
    if event_id is None:
        return
    run.report.counts[event.kind] += 1
    if event.mailed and mail:
        announce(run.conn, deps.settings, event_id, now)


def add_event(
    conn: Connection, claim_id: str, event: Event, story_id: int | None, happened_at: datetime, now: datetime
) -> int | None:
    """The event's number; None where the claim has had it."""
    added = row(
        conn,
        "tracking.add_event",
        claim_id=claim_id,
        kind=event.kind,
        event_key=event.key,
        story_id=story_id,
        happened_at=happened_at,
        now=now,
        reason=event.reason,
        headline=event.headline or None,
    )
    return None if added is None else int(added.event_id)
