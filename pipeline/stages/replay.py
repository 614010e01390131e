"""replay: match and track over stored paragraphs, as they came in, in a schema of their own.

    schema ingest    texts, vectors, models     read, never written
    schema replay_x  claims, matches, events,   written in place of ingest's tables of those names, by the very stages
                     alerts, work, ...          that run live (database.working_elsewhere)
    pg_temp          articles, versions, ...    what had come in by the replay's moment, so that it knows nothing later

A replay starts with the claims in force and with the matches and events from before it. Nothing is ever sent: the
stage that sends is not run, and the outbox is the schema's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb
from pydantic import ValidationError

from pipeline.adapters.database import READ_ONLY, Connection, row, rows, working_elsewhere
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.clock import SteppedClock
from pipeline.errors import ConfigurationError
from pipeline.logic.replays import Event, Match, RunView
from pipeline.settings import Settings
from pipeline.stages import claims, match, track
from pipeline.stages.match import tiers_of
from pipeline.stages.services import Services, batch_size
from pipeline.stages.subscriptions import add_subscription

if TYPE_CHECKING:
    from pipeline.adapters.encoder import Encoder

# The tables that a replay has of its own, and the rows each starts with: all, none, or those before the replay.
OWN = {
    "topics": "all",
    "claims": "all",
    "claim_versions": "all",
    "phrase_embeddings": "all",
    "matches": "matched_at",
    "figures": "known_at",
    "claim_events": "known_at",
    "subscriptions": "none",
    "alerts": "none",
    "alert_events": "none",
    "notices": "none",
    "work": "none",
    "runs": "none",
    "outcomes": "none",
}
PAST = ("articles", "entries", "versions", "appearances", "paragraphs")  # ingest.open_past makes these views
STAGES = {"match": match.run, "track": track.run}
READER = "replay@localhost"  # hears of every claim; nothing is sent
LIVE = "live"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Plan:
    """What to replay: paragraphs that came in from `since` up to `until`, and with what.

    `rhythm` is the time between two rounds of the pipeline: what came in within it is matched together.
    """

    name: str
    since: datetime
    until: datetime
    claims: Path | None = None
    matcher: Path | None = None
    accepted: float | None = None
    suggested: float | None = None
    rhythm: timedelta = timedelta(minutes=5)


@dataclass
class Replayed:
    paragraphs: int = 0
    events: int = 0
    alerts: int = 0
    waiting: dict[str, int] = field(default_factory=dict)  # items that a stage has put off, by stage


def run(services: Services, plan: Plan, progress: Callable[[int, int], None] | None = None) -> Replayed:
    """Carry the plan out. A replay of that name, whole or broken off, is replaced."""
    _check_name(plan.name)
    if plan.since >= plan.until:
        raise ConfigurationError("a replay has to end after it begins")
    settings = _settings(services.settings, plan)
    tiers = tiers_of(settings)
    accepted, suggested = tiers.accepted or tiers.model.accepted.probability, tiers.lowest
    if suggested > accepted:
        raise ConfigurationError(f"suggested ({suggested:g}) lies above accepted ({accepted:g})")
    options = {
        "matcher": tiers.model.version,
        "matcher_file": _text(plan.matcher),
        "claims_file": _text(plan.claims),
        "accepted": accepted,
        "suggested": suggested,
    }
    with services.session() as conn:  # a connection of its own: what is remembered by connection stays apart
        if not row(conn, "replay.lock", name=plan.name).got:
            raise ConfigurationError(f"the replay {plan.name} is running in another process")
        try:
            return _run(conn, services, plan, settings, options, progress)
        finally:
            if not conn.broken:  # else the server gives it back when it notices
                rows(conn, "replay.unlock", name=plan.name)


def _run(
    conn: Connection,
    services: Services,
    plan: Plan,
    settings: Settings,
    options: dict[str, Any],
    progress: Callable[[int, int], None] | None,
) -> Replayed:
    model_id = _model(conn, services)
    when = {"since": plan.since, "until": plan.until}
    begun = services.clock.now()
    rows(conn, "replay.create", name=plan.name, tables=Jsonb(OWN), options=Jsonb(options), now=begun, **when)
    moments = rows(conn, "replay.moments", model_id, rhythm=plan.rhythm, **when)
    stepped = _Replaying(settings, SteppedClock(plan.since), services)
    done = _play(conn, stepped, plan, moments, progress)
    rows(conn, "replay.finish", name=plan.name, paragraphs=done.paragraphs, now=services.clock.now())
    return done


class _Replaying(Services):
    """The services of the stages in a replay: its own settings and clock, and an encoder that remembers."""

    def __init__(self, settings: Settings, clock: SteppedClock, services: Services) -> None:
        super().__init__(settings)
        self.stepped = clock
        self.clock = clock
        self.encoder: Encoder = CachedEncoder(services.encoder, settings.home / "vectors.sqlite")  # type: ignore[assignment]


def _play(
    conn: Connection,
    services: _Replaying,
    plan: Plan,
    moments: list[Any],
    progress: Callable[[int, int], None] | None,
) -> Replayed:
    done, total = Replayed(), sum(len(moment.paragraph_ids) for moment in moments)
    rows(conn, "replay.set_moment", now=plan.since)
    rows(conn, "replay.open_past")
    with working_elsewhere(conn, tables(plan.name, past=True)):
        if plan.claims is not None:
            loaded = claims.load(conn, services, plan.claims, match_archive=False)
            rows(conn, "claims.retire_topics_but", topic_id=loaded.topic, now=plan.since)
        add_subscription(conn, READER, plan.since)
        for moment in moments:
            services.stepped.at = moment.at
            rows(conn, "replay.set_moment", now=moment.at)
            rows(conn, "work.add_all", stage="match", item_ids=moment.paragraph_ids, due_at=moment.at)
            for stage, run_batch in STAGES.items():
                while run_batch(conn, services, batch_size(services.settings, stage)).claimed:
                    pass
            rows(conn, "replay.mailed", now=moment.at)
            done.paragraphs += len(moment.paragraph_ids)
            if progress:
                progress(done.paragraphs, total)
        events = rows(conn, "replay.events", since=plan.since)
        done.events, done.alerts = len(events), sum(e.mailed for e in events)
        done.waiting = {r.stage: r.items for r in rows(conn, "replay.waiting")}
    return done


def tables(name: str, *, past: bool = False) -> dict[str, str]:
    """Which tables of schema ingest a replay has elsewhere; with `past`, the views of its moment too."""
    _check_name(name)
    found = dict.fromkeys(OWN, f"replay_{name}")
    return {**found, **dict.fromkeys(PAST, READ_ONLY)} if past else found


@dataclass(frozen=True)
class Kept:
    """A replay that is kept. `state` is finished, running or broken off."""

    name: str
    since: datetime
    until: datetime
    state: str
    started_at: datetime
    paragraphs: int
    options: dict[str, Any]


def kept(conn: Connection) -> list[Kept]:
    """The replays in this database, by name."""
    found = []
    for r in rows(conn, "replay.list"):
        state = "finished"
        if r.finished_at is None:
            idle = row(conn, "replay.lock", name=r.name).got
            state = "broken off" if idle else "running"
            if idle:
                rows(conn, "replay.unlock", name=r.name)
        found.append(Kept(r.name, r.from_at, r.until_at, state, r.started_at, r.paragraphs, r.options))
    return found


def finished(conn: Connection, name: str) -> Kept:
    """The replay of that name. Raises ConfigurationError where there is none, or where it did not get to its end."""
    known = {replay.name: replay for replay in kept(conn)}
    if name not in known:
        there = ", ".join(known) or "none yet"
        raise ConfigurationError(f"there is no replay called {name!r}; those kept: {there}")
    if known[name].state != "finished":
        raise ConfigurationError(f"the replay {name} is {known[name].state}: run it again under that name")
    return known[name]


def drop(conn: Connection, name: str) -> bool:
    """Remove a replay; False where there is none of that name."""
    _check_name(name)
    if not row(conn, "replay.lock", name=name).got:
        raise ConfigurationError(f"the replay {name} is running in another process")
    try:
        return bool(row(conn, "replay.drop", name=name).dropped)
    finally:
        rows(conn, "replay.unlock", name=name)


def view(conn: Connection, name: str, since: datetime, until: datetime) -> RunView:
    """What a replay, or the live state, has on the paragraphs and events of a time."""
    with _in(conn, name):
        events = [
            Event(r.claim_id, r.story_id, r.kind, r.happened_at, r.known_at, r.title, r.mailed)
            for r in rows(conn, "replay.events", since=since)
        ]
        matches = [
            Match(
                r.claim_id,
                r.paragraph_id,
                r.tier,
                r.probability,
                r.sentence,
                r.title,
                r.published_at,
                r.story_id,
                r.text_hash,
                r.verdict,
            )
            for r in rows(conn, "replay.matches", since=since, until=until)
        ]
    return RunView(name, events, matches)


@contextmanager
def _in(conn: Connection, name: str) -> Iterator[None]:
    with working_elsewhere(conn, {} if name == LIVE else tables(name)):
        yield


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name == LIVE:
        raise ConfigurationError(
            f"a replay can't be called {name!r}: up to 40 small letters, digits and _, a letter first, and not {LIVE}"
        )


def _settings(settings: Settings, plan: Plan) -> Settings:
    given = {"matcher": plan.matcher, "accepted": plan.accepted, "suggested": plan.suggested}
    changes = {key: value for key, value in given.items() if value is not None}
    try:
        match = type(settings.match).model_validate({**settings.match.model_dump(), **changes})
    except ValidationError as error:
        wrong = ", ".join(f"{e['loc'][0]}: {e['msg'].lower()}" for e in error.errors())
        raise ConfigurationError(wrong) from error
    return settings.model_copy(update={"match": match})


def _model(conn: Connection, services: Services) -> int:
    """The number of the settings' model, which has to be the one that the paragraphs have vectors of."""
    encoder = services.encoder
    known = row(conn, "models.find", name=encoder.name, weights_hash=encoder.weights_hash)
    if known is None:
        raise ConfigurationError(f"no paragraph has a vector of the model {encoder.name}: run `claimwatch embed` first")
    return int(known.model_id)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
