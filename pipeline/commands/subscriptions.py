"""subscriptions: who is told of what, how soon, and how."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from pipeline.adapters.database import Connection, row, rows
from pipeline.commands.common import FormatOption, opened, said_by_the_database
from pipeline.errors import ConfigurationError
from pipeline.logic.news import Wishes
from pipeline.stages import subscriptions as stage
from pipeline.terminal import Format, console, show

subscriptions_app = typer.Typer()

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Rhythm(StrEnum):
    instant = "instant"
    daily = "daily"
    weekly = "weekly"


Claim = Annotated[str | None, typer.Option(help="Only this claim: see `claimwatch claims list`. Default: everything.")]
Topic = Annotated[str | None, typer.Option(help="Only the claims of this topic.")]
Number = Annotated[int, typer.Argument(help="Its number: see `claimwatch subscriptions`.")]
MinProbability = Annotated[
    float | None, typer.Option(min=0, max=1, help="Only what is at least so probable. Default: all that is accepted.")
]
Languages = Annotated[str | None, typer.Option(help="Only what is reported in one of these: ko,ru,en.")]
Quiet = Annotated[str | None, typer.Option(help="Hours in which mails wait, on the reader's clock: 22:00-07:00.")]
Zone = Annotated[str, typer.Option("--time-zone", help="The reader's, as in Asia/Seoul.")]


@subscriptions_app.callback(invoke_without_command=True)
def subscriptions(context: typer.Context) -> None:
    """Who is told of what; alone the same as `subscriptions list`."""
    if context.invoked_subcommand is None:
        listed()


@subscriptions_app.command("list")
def listed(form: FormatOption = Format.table) -> None:
    """Every subscription that has not ended."""
    with opened() as (services, conn):
        now = services.clock.now()
        found = [
            [r.subscription_id, r.email, _about(r), _rhythm(r), _limits(r), _state(r, now), r.created_at]
            for r in rows(conn, "alerts.subscriptions")
        ]
        show(["number", "reader", "about", "rhythm", "only", "state", "since"], found, form)


@subscriptions_app.command()
def add(
    reader: Annotated[str, typer.Argument(help="Mail address; with --service the name of one in [alerts.services].")],
    claim: Claim = None,
    topic: Topic = None,
    rhythm: Annotated[Rhythm, typer.Option(help="A mail as it happens, or a digest.")] = Rhythm.instant,
    hour: Annotated[int, typer.Option(min=0, max=23, help="Hour of the digest, on the reader's clock.")] = 8,
    day: Annotated[str, typer.Option(help="Day of a weekly digest.")] = "monday",
    zone: Zone = "UTC",
    quiet: Quiet = None,
    min_probability: MinProbability = None,
    languages: Languages = None,
    service: Annotated[
        bool, typer.Option("--service", help="Tell a chat or other service, not a mail address.")
    ] = False,
) -> None:
    """Tell somebody about a claim, a topic or everything, from now on. It counts as confirmed by the reader."""
    wishes = wishes_of(rhythm.value, hour, day, zone, quiet, min_probability, languages)
    channel = "service" if service else "mail"
    with opened() as (services, conn):
        stage.check_reader(services.settings, reader, channel)
        check_scope(conn, claim, topic)
        now = services.clock.now()
        number = stage.add_subscription(conn, reader, now, wishes, channel=channel, claim_id=claim, topic_id=topic)
        about = claim or topic or "everything"
        if number is None:
            console.print(f"{reader} hears of {about} already, with this rhythm", markup=False)
        else:
            console.print(f"{reader} hears of {about} from now on (subscription {number})", markup=False)


@subscriptions_app.command()
def pause(number: Number, days: Annotated[int, typer.Option(min=1, help="For how long.")] = 7) -> None:
    """Send nothing for a subscription for some days."""
    with opened() as (services, conn):
        until = services.clock.now() + timedelta(days=days)
        with said_by_the_database():
            row(conn, "alerts.pause", subscription_id=number, until=until, now=services.clock.now())
        console.print(f"paused until {until:%-d %B %Y, %H:%M} UTC")


@subscriptions_app.command()
def resume(number: Number) -> None:
    """Go on with a paused one."""
    with opened() as (services, conn), said_by_the_database():
        row(conn, "alerts.pause", subscription_id=number, until=None, now=services.clock.now())
        console.print("goes on")


@subscriptions_app.command()
def confirm(number: Number) -> None:
    """Say yes for a reader who was asked by mail and can't open the link."""
    with opened() as (services, conn), said_by_the_database():
        new = row(conn, "alerts.confirm", subscription_id=number, now=services.clock.now()).confirmed
        reader = row(conn, "alerts.subscription", subscription_id=number).email
        console.print(f"{reader} is subscribed{'' if new else ' already'}", markup=False)


@subscriptions_app.command()
def end(
    reader: Annotated[str, typer.Argument(help="A subscription's number, or a reader: all of their subscriptions.")],
) -> None:
    """End a subscription, or all of a reader's."""
    with opened() as (services, conn):
        now = services.clock.now()
        if reader.isdigit():
            with said_by_the_database():
                ended = row(conn, "alerts.end", subscription_id=int(reader), now=now).ended
            console.print("ended" if ended else "had ended before")
            return
        theirs = rows(conn, "alerts.unsubscribe_all", email=reader, now=now)
        if not theirs:
            raise ConfigurationError(f"{reader!r} has no subscription: see `claimwatch subscriptions`")
        console.print(f"ended {len(theirs)}")


def wishes_of(
    rhythm: str,
    hour: int,
    day: str,
    zone: str,
    quiet: str | None,
    min_probability: float | None,
    languages: str | None,
) -> Wishes:
    """What the options ask for. Raises ConfigurationError."""
    if day.lower() not in DAYS:
        raise ConfigurationError(f"{day!r} is not a day of the week")
    spoken = frozenset(word.strip().lower() for word in (languages or "").split(",") if word.strip())
    wrong = [word for word in spoken if not (word.isascii() and word.isalpha() and len(word) in (2, 3))]
    if wrong:
        raise ConfigurationError(f"{', '.join(sorted(wrong))}: write languages as codes, ko,ru,en")
    begin, until = stage.quiet_hours(quiet) if quiet else (None, None)
    weekday = DAYS.index(day.lower()) + 1
    return Wishes(rhythm, hour, weekday, stage.zone(zone), begin, until, min_probability, spoken or None)


def check_scope(conn: Connection, claim: str | None, topic: str | None) -> None:
    """Raises ConfigurationError where there is no such claim or topic."""
    if claim and topic:
        raise ConfigurationError("a claim or a topic, not both")
    if claim and row(conn, "claims.exists", claim_id=claim) is None:
        raise ConfigurationError(f"no claim is called {claim!r}: see `claimwatch claims list`")
    if topic and row(conn, "digests.scope", claim_id=None, topic_id=topic) is None:
        raise ConfigurationError(f"no topic is called {topic!r}")


def _about(r: Any) -> str:
    return r.claim_id or (f"topic {r.topic_id}" if r.topic_id else "everything")


def _rhythm(r: Any) -> str:
    if r.rhythm == "instant":
        return "instant" if r.channel == "mail" else "instant, service"
    day = f" on {DAYS[r.weekday - 1].capitalize()}" if r.rhythm == "weekly" else ""
    return f"{r.rhythm}{day} at {r.hour}:00 {r.timezone}"


def _limits(r: Any) -> str:
    limits = []
    if r.min_probability is not None:
        limits.append(f"from {100 * r.min_probability:.0f} %")
    if r.languages:
        limits.append(", ".join(r.languages))
    if r.quiet_from is not None:
        limits.append(f"quiet {r.quiet_from:%H:%M}-{r.quiet_until:%H:%M} {r.timezone}")
    return "; ".join(limits)


def _state(r: Any, now: datetime) -> str:
    if r.confirmed_at is None:
        return "waits for the reader's yes"
    if r.paused_until is not None and r.paused_until > now:
        return f"paused until {r.paused_until:%Y-%m-%d %H:%M}"
    return "on"
