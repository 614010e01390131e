"""replay: what another matcher, other claims or other thresholds would have told, and when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from pipeline.adapters.database import Connection
from pipeline.commands.common import FormatOption, opened
from pipeline.errors import ConfigurationError
from pipeline.logic.replays import Comparison, Figures, RunView, compare, verdict
from pipeline.terminal import Format, console, show

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
TOLD = 0.1  # hours; a smaller lead is the rhythm's own

replay_app = typer.Typer(invoke_without_command=True, no_args_is_help=True)


@replay_app.callback()
def replay(
    context: typer.Context,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=FORMATS, help="Texts that came in then or later (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=FORMATS, help="Texts that came in before (UTC); all by default.")
    ] = None,
    claims: Annotated[
        Path | None, typer.Option("--claims", help="A claims file; the claims in force by default.")
    ] = None,
    matcher: Annotated[
        Path | None, typer.Option("--matcher", help="A matcher's file; the one in use by default.")
    ] = None,
    accepted: Annotated[float | None, typer.Option(help="Probability from which a match may alert.")] = None,
    suggested: Annotated[float | None, typer.Option(help="Probability from which a match is kept.")] = None,
    name: Annotated[str, typer.Option(help="What to call it; one of that name is replaced.")] = "last",
    rhythm: Annotated[
        float, typer.Option(help="Minutes between two rounds: what came in within them is matched together.")
    ] = 5,
) -> None:
    """Run match and track again over stored texts, beside the live state, and see what it would have told.

    The texts are taken in the order in which they came in, with the clock moved along, so that freshness and events
    are as they would have been. Everything is kept in a schema of its own: nothing live changes and nothing is sent.

        claimwatch replay --from 2025-03-01 --accepted 0.8 --name strict
        claimwatch replay compare strict
    """
    if context.invoked_subcommand is not None:
        return
    if since is None:
        raise ConfigurationError("--from says where the replay begins: claimwatch replay --from 2025-03-01")
    if rhythm <= 0:
        raise ConfigurationError("--rhythm has to be more than 0 minutes")
    from pipeline.stages import replay as stage

    with opened() as (services, _):
        plan = stage.Plan(
            name=name,
            since=since.replace(tzinfo=UTC),
            until=until.replace(tzinfo=UTC) if until else services.clock.now(),
            claims=claims,
            matcher=matcher,
            accepted=accepted,
            suggested=suggested,
            rhythm=timedelta(minutes=rhythm),
        )
        with Progress(console=console) as bar:
            task = bar.add_task("replaying", total=None)
            done = stage.run(services, plan, lambda at, total: bar.update(task, completed=at, total=total))
    console.print(f"{name}: {done.paragraphs} paragraphs, {done.events} events, {done.alerts} of them alerts")
    for waiting, count in done.waiting.items():
        console.print(f"[red]{count} items of {waiting} were put off and are not in it: see the log above[/]")


@replay_app.command("list")
def replay_list(form: FormatOption = Format.table) -> None:
    """The replays that are kept, and with what each was made."""
    from pipeline.stages import replay as stage

    columns = ["name", "from", "to", "state", "paragraphs", "matcher", "claims", "accepted", "suggested", "started"]
    with opened() as (_, conn):
        found = [
            [
                *(kept.name, kept.since, kept.until, kept.state, kept.paragraphs),
                kept.options["matcher_file"] or kept.options["matcher"],
                kept.options["claims_file"] or "in force",
                *(kept.options["accepted"], kept.options["suggested"], kept.started_at),
            ]
            for kept in stage.kept(conn)
        ]
    show(columns, found, form)


@replay_app.command("drop")
def replay_drop(names: Annotated[list[str], typer.Argument(help="Names of replays.")]) -> None:
    """Remove replays with all that they hold."""
    from pipeline.stages import replay as stage

    with opened() as (_, conn):
        for name in names:
            console.print(f"{name} dropped" if stage.drop(conn, name) else f"there is no replay called {name}")


@replay_app.command("compare")
def replay_compare(
    a: Annotated[str, typer.Argument(help="A replay.")],
    b: Annotated[str, typer.Argument(help="What it is measured by: another replay, or `live`.")] = "live",
    labels: Annotated[
        Path | None, typer.Option("--labels", help="A labelled folder that says which matches are right.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many lines of each kind, in a table.")] = 20,
    form: FormatOption = Format.table,
) -> None:
    """What the first has that the second has not, and the other way round.

    Alerts and accepted matches gained and lost; of alerts that both have, how many hours earlier the first one raised
    them; and how many of each one's accepted matches are right, as far as reviews, and a labelled set where one is
    given, know. Two replays are compared over the time that both cover.
    """
    from pipeline.stages import replay as stage

    with opened() as (_, conn):
        first = stage.finished(conn, a)
        second = first if b == stage.LIVE else stage.finished(conn, b)
        since, until = max(first.since, second.since), min(first.until, second.until)
        if since >= until:
            raise ConfigurationError(f"{a} and {b} have no time in common")
        known = _labels(labels) if labels else {}
        views = [_judged(stage.view(conn, name, since, until), known) for name in (a, b)]
        found = compare(views[0], views[1], until, _mailed(conn, since))
    if form is Format.table:
        _print(found, limit)
    else:
        columns = ["change", "what", "claim", "story", "title", "time", "hours", "probability", "sentence"]
        show(columns, _lines(found), form)


def _mailed(conn: Connection, since: datetime) -> set[str]:
    """Kinds of events that have been mailed live."""
    from pipeline.stages import replay as stage

    return {event.kind for event in stage.view(conn, stage.LIVE, since, since).events if event.mailed}


def _labels(folder: Path) -> dict[str, tuple[Collection[str], Collection[str]]]:
    """A labelled set by the texts' hashes: what an item's label says holds for its title and every paragraph."""
    from pipeline.evaluation import datasets
    from pipeline.logic.text import content_hash, paragraphs

    loaded = datasets.load(folder, "all")
    known: dict[str, tuple[Collection[str], Collection[str]]] = {}
    for item in loaded.items:
        texts = [item.title] if item.title and not item.title_is_context else []
        for text in (*texts, *paragraphs(item.text)):
            known[content_hash(text).hex()] = (loaded.direct.get(item.id, {}), loaded.left_out.get(item.id, ()))
    return known


def _judged(run: RunView, labels: dict[str, tuple[Collection[str], Collection[str]]]) -> RunView:
    """A review goes before a label."""
    matches = [
        m if m.verdict in ("confirmed", "rejected") else replace(m, verdict=verdict(m.claim, m.text_hash, labels))
        for m in run.matches
    ]
    return replace(run, matches=matches)


def _lines(found: Comparison) -> list[list[Any]]:
    lines: list[list[Any]] = []
    for change, events in (("gained", found.alerts_gained), ("lost", found.alerts_lost)):
        lines += [[change, "alert", e.claim, e.story, e.title, e.known_at, None, None, None] for e in events]
    for shared in found.alerts_shared:
        e, change = shared.event, "earlier" if shared.hours > 0 else "later" if shared.hours < 0 else "same"
        lines.append([change, "alert", e.claim, e.story, e.title, e.known_at, shared.hours, None, None])
    for change, matches in (("gained", found.matches_gained), ("lost", found.matches_lost)):
        lines += [
            [change, "match", m.claim, m.story, m.title, m.published_at, None, m.probability, m.sentence]
            for m in matches
        ]
    return lines


def _print(found: Comparison, limit: int) -> None:
    columns = ["run", "accepted", "suggested", "events", "alerts", "judged", "right", "precision"]
    show(columns, [_figures(found.a), _figures(found.b)])
    lines: list[list[Any]]
    for change, events in (("gained", found.alerts_gained), ("lost", found.alerts_lost)):
        lines = [[e.claim, e.story, e.kind, e.title, e.known_at] for e in events]
        _some(f"alerts {change}", ["claim", "story", "kind", "title", "time"], lines, limit)
    moved = [s for s in found.alerts_shared if abs(s.hours) >= TOLD]
    if found.lead_hours is not None:
        console.print(
            f"{len(found.alerts_shared)} alerts in both; {found.a.name} raised them {_lead(found.lead_hours)} in the "
            f"median, {len(moved)} of them at another time than {found.b.name}"
        )
    columns = ["claim", "story", "title", "time", "hours earlier"]
    moved.sort(key=lambda s: -abs(s.hours))
    lines = [[s.event.claim, s.event.story, s.event.title, s.event.known_at, s.hours] for s in moved]
    _some("alerts at another time", columns, lines, limit)
    for change, matches in (("gained", found.matches_gained), ("lost", found.matches_lost)):
        lines = [[m.claim, m.probability, m.verdict, m.sentence, m.title] for m in matches]
        _some(f"matches {change}", ["claim", "probability", "verdict", "sentence", "title"], lines, limit)


def _lead(hours: float) -> str:
    if abs(hours) < TOLD:
        return "at the same time"
    return f"{abs(hours):.1f} hours {'earlier' if hours > 0 else 'later'}"


def _figures(run: Figures) -> list[Any]:
    judged = run.right + run.wrong
    return [run.name, run.accepted, run.suggested, run.events, run.alerts, judged, run.right, run.precision]


def _some(title: str, columns: list[str], lines: list[list[Any]], limit: int) -> None:
    if not lines:
        console.print(f"no {title}")
        return
    shown = f", the first {limit}" if 0 < limit < len(lines) else ""
    if limit:
        show(columns, lines[:limit], title=f"{len(lines)} {title}{shown}")
    else:
        console.print(f"{len(lines)} {title}")
