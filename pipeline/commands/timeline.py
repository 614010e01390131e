"""timeline, and the list of claims with their state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from pipeline.adapters.database import row, rows
from pipeline.commands.common import FormatOption, opened
from pipeline.errors import ConfigurationError
from pipeline.logic.coverage import Coverage
from pipeline.terminal import Format, console, show

MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
AsOf = Annotated[
    datetime | None, typer.Option("--as-of", formats=MOMENTS, help="By what was published by then (UTC); now.")
]
KnownAt = Annotated[
    datetime | None, typer.Option("--known-at", formats=MOMENTS, help="By what we knew then (UTC); now.")
]


def timeline(
    claim: Annotated[str, typer.Argument(help="A claim's short name: see `claimwatch claims list`.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    form: FormatOption = Format.table,
) -> None:
    """What happened to a claim: its state, how much evidence it has, and its events in order."""
    with opened() as (services, conn):
        moments = moments_of(services.clock.now(), as_of, known_at)
        state = row(conn, "tracking.state", claim_id=claim, **moments)
        if state is None:
            raise ConfigurationError(f"no claim is called {claim!r}: see `claimwatch claims list`")
        found = rows(conn, "tracking.timeline", claim_id=claim, **moments)
        if form is not Format.table:
            columns = ["happened_at", "known_at", "kind", "publisher", "reason", "mailed", "story_id", "url"]
            show(columns, [[getattr(r, c) for c in columns] for r in found], form)
            return
        console.print(f"{claim}: {state.statement}", markup=False)
        covered = _coverage(state)
        line = f"{state.state}; {covered.line()}"
        if state.stories:
            line += f"; {state.supports} support, {state.refutes} refute, {state.updates} update"
        console.print(line)
        show(
            ["published", "known", "event", "outlet", "why", "mailed"],
            [[r.happened_at, r.known_at, r.kind, r.publisher, r.reason, "yes" if r.mailed else ""] for r in found],
        )


def claims(as_of: AsOf = None, known_at: KnownAt = None, form: FormatOption = Format.table) -> None:
    """The claims that are followed, with how each stands."""
    with opened() as (services, conn):
        found = rows(conn, "tracking.states", **moments_of(services.clock.now(), as_of, known_at))
        if form is not Format.table:
            columns = ["version", "state", "stories", "articles", "publishers", "families", "origins", "first_at"]
            columns += ["last_at", "last_event", "last_event_at", "last_reason", "statement"]
            show(["claim", *columns], [[r.claim_id, *(getattr(r, c) for c in columns)] for r in found], form)
            return
        lines = [
            [
                r.claim_id,
                r.state,
                _coverage(r).line() if r.stories else "",
                r.last_at,
                f"{r.last_event}: {r.last_reason}" if r.last_event else "",
                r.statement,
            ]
            for r in found
        ]
        show(["claim", "state", "coverage", "last story", "last event", "statement"], lines)


def _coverage(state: Any) -> Coverage:
    return Coverage(state.stories, state.articles, state.publishers, state.families, state.origins)


def moments_of(now: datetime, as_of: datetime | None, known_at: datetime | None) -> dict[str, datetime]:
    """Both moments, aware; now, by the pipeline's clock, where none is given."""
    published = as_of.replace(tzinfo=UTC) if as_of else now
    known = known_at.replace(tzinfo=UTC) if known_at else now
    return {"as_of": published, "known_at": known}
