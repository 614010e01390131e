"""Tables for people: how things stand, and what the demo has brought."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from pipeline.adapters.database import Connection, row, rows
from pipeline.logic.coverage import Coverage
from pipeline.stages.services import NO_CONTACT, STAGES, Services
from pipeline.terminal import console, show

SHOWN = 3  # rows of evidence a claim


def pending(conn: Connection, services: Services) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows: what waits in each stage, and what became of all items so far."""
    waiting = {r.stage: r for r in rows(conn, "work.pending", now=services.clock.now())}
    became: dict[str, list[str]] = {}
    for r in rows(conn, "work.outcome_counts"):
        became.setdefault(r.stage, []).append(f"{r.items} {r.outcome}")
    last = {r.stage: r.started_at for r in rows(conn, "work.last_runs")}
    found: list[list[Any]] = []
    for stage in STAGES:
        w = waiting.get(stage)
        numbers = [w.due, w.in_work, w.later] if w else [0, 0, 0]
        found.append([stage, *numbers, last.get(stage), ", ".join(became.get(stage, []))])
    return ["stage", "due", "in work", "later", "last run", "outcomes so far"], found


def status(conn: Connection, services: Services) -> None:
    totals = row(conn, "status.totals")
    console.print(
        f"{totals.feeds} feeds ({totals.feeds_failing} in trouble), {totals.articles} articles of {totals.stories} "
        f"stories, {totals.paragraphs} paragraphs, {totals.claims} claims, {totals.accepted} accepted and "
        f"{totals.suggested} suggested matches, {totals.events} claim events"
    )
    console.print(f"evidence on the claims, {Coverage(*row(conn, 'status.coverage')).line()}")
    show(*pending(conn, services), title="Stages")
    counted = ", ".join(f"{r.alerts} {r.state}" for r in rows(conn, "alerts.states")) or "none"
    console.print(f"alerts: {counted}")
    for r in rows(conn, "hosts.paused"):
        console.print(f"{r.host} is left alone until {r.paused_until:%Y-%m-%d %H:%M} UTC: {r.pause_reason}")
    if not services.settings.fetch.contact:
        console.print(f"[yellow]no contact address is set[/]: {NO_CONTACT}")


def demo(conn: Connection) -> None:
    """What came in, what it said, and who was told."""
    sources = [
        [r.publisher, r.family, r.entries, r.pages, r.from_feed, r.last_outcome, r.last_problem]
        for r in rows(conn, "report.sources")
    ]
    columns = ["publisher", "owner", "entries", "pages read", "feed's own text", "last poll", "problem"]
    show(columns, sources, title="What came in")
    p = row(conn, "report.paragraphs")
    console.print(f"Paragraphs: {p.places} read, {p.texts} new, {p.places - p.texts} known copies.\n")
    evidence: list[list[Any]] = []
    for claim, group in groupby(rows(conn, "report.evidence"), key=lambda r: r.claim_id):
        best = list(group)
        for r in best[:SHOWN]:
            copies = f"{r.articles}" if r.articles > 1 else ""
            evidence.append([claim, r.stance, r.probability, r.publisher, r.sentence, copies])
        if len(best) > SHOWN:
            evidence.append([claim, "", None, "", f"... and {len(best) - SHOWN} more stories", ""])
    show(
        ["claim", "stance", "score", "outlet", "sentence", "articles"],
        evidence,
        title="Evidence on the claims",
    )
    mails = [[r.email, r.subject, r.state, r.problem] for r in rows(conn, "report.mails")]
    show(["to", "subject", "state", "problem"], mails, title="Mail")
