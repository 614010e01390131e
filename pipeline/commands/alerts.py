"""alerts: what was sent and what was not; and what would have been. resend: what has failed, once more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from pipeline.adapters.database import rows
from pipeline.commands.common import FormatOption, opened
from pipeline.commands.subscriptions import Claim, Languages, MinProbability, Quiet, Topic, Zone, check_scope, wishes_of
from pipeline.commands.timeline import MOMENTS
from pipeline.errors import ConfigurationError
from pipeline.terminal import Format, console, show

NOBODY = "you"  # a subscription that is only thought of


def alerts(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="What would have been sent, and why not the rest. Sends nothing.")
    ] = False,
    since: Annotated[
        datetime | None, typer.Option(formats=MOMENTS, help="From when on (UTC). Default: the last 30 days.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="Until when (UTC). Default: now.")] = None,
    claim: Claim = None,
    topic: Topic = None,
    zone: Zone = "UTC",
    quiet: Quiet = None,
    min_probability: MinProbability = None,
    languages: Languages = None,
    form: FormatOption = Format.table,
) -> None:
    """Alerts and digests with their state: sent, pending, or failed and why.

    With --dry-run the events of a span of time are decided anew: for the subscriptions that there are, or, where
    --claim, --topic, --quiet, --min-probability or --languages is given, for one that is only thought of. Without it
    --claim and --topic choose what is shown.
    """
    from pipeline.stages import shadow

    with opened() as (services, conn):
        now = services.clock.now()
        begin = since.replace(tzinfo=UTC) if since else now - timedelta(days=30)
        end = until.replace(tzinfo=UTC) if until else now
        check_scope(conn, claim, topic)
        if not dry_run:
            found = rows(conn, "alerts.log", since=begin, until=end, claim_id=claim, topic_id=topic)
            columns = ["number", "created", "to", "kind", "claim", "state", "sent", "subject", "problem"]
            show(
                columns,
                [
                    [r.alert_id, r.created_at, r.email, r.kind, r.claim_id, r.state, r.sent_at, r.subject, r.problem]
                    for r in found
                ],
                form,
            )
            return
        if any((claim, topic, quiet, min_probability is not None, languages)):
            wishes = wishes_of("instant", 8, "monday", zone, quiet, min_probability, languages)
            who = [shadow.Reader(NOBODY, wishes, claim, topic)]
        else:
            who = shadow.readers(conn)
        if not who:
            raise ConfigurationError(
                "nobody is told of anything as it happens: add somebody (`claimwatch subscriptions add`), or think of "
                "a subscription with --claim, --topic, --quiet, --min-probability or --languages"
            )
        outcomes = shadow.run(conn, who, begin, end)
        columns = ["noticed", "reader", "claim", "event", "decision", "mail", "why", "news"]
        lines = [
            [
                o.noticed_at,
                o.reader,
                o.news.claim_id,
                o.news.event.kind,
                o.decision.decision,
                o.mail,
                o.decision.reason,
                o.news.event.headline or o.news.event.reason,
            ]
            for o in outcomes
        ]
        show(columns, lines, form)
        if form is Format.table:
            mails = len({o.mail for o in outcomes if o.mail})
            console.print(
                f"{mails} mails for {len(who)} readers would have told {sum(1 for o in outcomes if o.mail)} events"
            )


def resend(
    numbers: Annotated[list[int] | None, typer.Argument(help="As `claimwatch alerts` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that have failed.")] = False,
) -> None:
    """Put failed messages back into the outbox, once what kept them out is mended.

    They start anew, with as many attempts as any other. What the reader has ended stays failed, and so does a digest
    whose time a later one tells.
    """
    if bool(numbers) == everything:
        raise ConfigurationError("give the numbers of messages (`claimwatch alerts` shows them), or --all")
    with opened() as (services, conn):
        with conn.transaction():
            given = list(set(numbers)) if numbers else None
            queued = {r.alert_id for r in rows(conn, "alerts.again", alert_ids=given, now=services.clock.now())}
        for number in sorted(set(given or ()) - queued):
            console.print(f"{number} is not among the failed that somebody waits for", markup=False)
        console.print(f"queued {len(queued)}: the DAG alert sends them, or `claimwatch notify`")
