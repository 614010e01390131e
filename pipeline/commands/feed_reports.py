"""How feeds do: list, show, health, and the check of their addresses."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress

from pipeline.adapters.database import rows
from pipeline.commands.common import FormatOption, opened
from pipeline.errors import ConfigurationError
from pipeline.terminal import Format, console, show

if TYPE_CHECKING:
    from pipeline.stages.feed_check import Checked

FeedArgument = Annotated[
    str, typer.Argument(help="A feed's number or address, or a part of address, title or publisher's name.")
]
TROUBLE = ("gone", "failing", "silent")
_OUTCOMES = 10  # troubles of a feed that are shown
_ENTRIES = 5


def feeds_list(
    tag: Annotated[str | None, typer.Option(help="Only feeds with this tag.")] = None,
    state: Annotated[str | None, typer.Option(help="Only active, paused, unverified or gone ones.")] = None,
    failing: Annotated[bool, typer.Option("--failing", help="Only those in trouble: failing, silent or gone.")] = False,
    form: FormatOption = Format.table,
) -> None:
    """Feeds, how they do and when their next poll is due."""
    columns = [
        "feed_id",
        "publisher",
        "url",
        "state",
        "health",
        "tags",
        "entries_a_week",
        "last_success_at",
        "next_poll_at",
    ]
    columns += ["last_outcome"]
    with opened() as (_, conn):
        found = _health(conn, tag=tag, state=state, trouble=failing)
        found.sort(key=lambda r: int(r.feed_id))
        show(columns, [[_plain(getattr(r, c)) for c in columns] for r in found], form)


def feeds_health(
    tag: Annotated[str | None, typer.Option(help="Only feeds with this tag.")] = None,
    check: Annotated[bool, typer.Option("--check", help="End with 1 where a feed fails, is silent or gone.")] = False,
    form: FormatOption = Format.table,
) -> None:
    """How all feeds do, and those in trouble with the reason, the worst first."""
    columns = ["feed_id", "publisher", "health", "last_success_at", "silent_for", "entries_a_week", "reason"]
    with opened() as (_, conn):
        found = _health(conn, tag=tag)
    bad = [r for r in found if r.health in TROUBLE]
    counts = Counter(r.health for r in found)
    if form is Format.table:
        console.print(", ".join(f"{number} {health}" for health, number in counts.most_common()) or "no feeds")
    if bad or form is not Format.table:
        told = [[_plain(_reason(r) if c == "reason" else getattr(r, c)) for c in columns] for r in bad]
        show(columns, told, form)
    if check and bad:
        raise typer.Exit(1)


def feeds_show(feed: FeedArgument, form: FormatOption = Format.table) -> None:
    """Everything about one feed: how it does, when its news come, its last polls and entries."""
    from pipeline.logic import rhythm
    from pipeline.model import Rhythm
    from pipeline.stages import sources

    with opened() as (services, conn):
        found = sources.find(conn, feed)
        now = services.clock.now()
        [health] = _health(conn, feed_id=found.feed_id)
        troubles = rows(conn, "feeds.outcomes", feed_id=found.feed_id, limit=_OUTCOMES)
        entries = rows(conn, "feeds.entries_of_late", feed_id=found.feed_id, limit=_ENTRIES)
    learned = Rhythm(tuple(found.rhythm), found.rhythm_since)
    facts: dict[str, Any] = {
        "feed": found.feed_id,
        "address": found.url,
        "title": found.title,
        "format": found.format,
        "publisher": found.publisher,
        "family": found.family,
        "country": found.country,
        "language": found.language or found.publisher_language,
        "kind": found.kind,
        "tags": ", ".join(found.tags),
        "note": found.note,
        "health": health.health,
        "reason": _reason(health),
        "added": found.added_at,
        "verified": found.verified_at,
        "last poll": found.last_polled_at,
        "last success": found.last_success_at,
        "last entry": health.last_entry_at,
        "next poll": found.next_poll_at,
        "asked every": _span(found.poll_interval),
        "own limits": _limits(found),
        "pages": "fetched" if found.read_pages else "not fetched: the feed's own texts are used",
        "entries a week": health.entries_a_week,
        "news by hour (UTC)": rhythm.sparkline(learned, now) or "not known yet",
        "moves to": found.moved_to,
        "last outcomes": _row(found.recent_outcomes),
    }
    shown = {name: _plain(value) for name, value in facts.items() if value not in (None, "")}
    if form is not Format.table:
        show(list(shown), [list(shown.values())], form)
        return
    show(["what", "is"], list(shown.items()))
    if troubles:
        show(["when", "outcome", "problem"], [[r.at, r.outcome, r.problem] for r in troubles], title="Last troubles")
    if entries:
        newest = [[r.first_seen_at, r.published_at, r.title] for r in entries]
        show(["seen", "published", "title"], newest, title="Newest entries")


def feeds_check(
    file: Annotated[Path | None, typer.Argument(help="An OPML file whose addresses are checked instead.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All feeds, not only the unverified ones.")] = False,
    form: FormatOption = Format.table,
) -> None:
    """Ask addresses whether they are feeds, without storing an entry. Unverified ones that are get polled from then on.

    Ends with 1 where one is not.
    """
    from pipeline.logic import urls
    from pipeline.stages import feed_check

    with opened() as (services, conn):
        addresses = _addresses(conn, file, everything)
        with Progress(console=console, disable=form is not Format.table, transient=True) as bar:
            task = bar.add_task("checking", total=len(addresses))
            unique = list(dict.fromkeys(urls.canonical(url) or url for url in addresses))
            checked = feed_check.check_all(services, unique, lambda _: bar.advance(task))
        activated = feed_check.record(conn, services, checked)
    columns = ["address", "result", "entries", "newest", "title", "moved to", "reason"]
    checked.sort(key=lambda one: one.good)
    show(columns, [_told(one) for one in checked], form)
    good = sum(one.good for one in checked)
    if form is Format.table:
        console.print(f"{good} of {len(checked)} are feeds; {activated} became active")
    if good < len(checked):
        raise typer.Exit(1)


def _addresses(conn: Any, file: Path | None, everything: bool) -> list[str]:
    from pipeline.logic import opml

    if file is None:
        known = rows(conn, "feeds.managed", feed_ids=None)
        return [feed.url for feed in known if everything or feed.state == "unverified"]
    try:
        return [one.url for one in opml.parse(file.read_bytes())]
    except OSError as error:
        raise ConfigurationError(f"{file} can't be read: {error}") from error


def _told(one: Checked) -> list[Any]:
    number = one.entries if one.good else None
    return [one.url, one.format if one.good else one.outcome, number, one.newest, one.title, one.moved_to, one.reason]


def _health(
    conn: Any,
    *,
    tag: str | None = None,
    state: str | None = None,
    trouble: bool = False,
    feed_id: int | None = None,
) -> list[Any]:
    from pipeline.logic import opml

    if state is not None and state not in opml.STATES:
        raise ConfigurationError(f"no state is called {state!r}; known are {', '.join(opml.STATES)}")
    return rows(conn, "feeds.health", tag=tag and opml.tag(tag), state=state, trouble=trouble, feed_id=feed_id)


def _reason(r: Any) -> str | None:
    if r.health == "silent":
        since = f" for {_span(r.silent_for)}" if r.silent_for else ""
        usual = f"; at its usual rate it would have had {r.entries_missed:.0f}" if r.entries_missed else ""
        return f"It answers, but has had nothing new{since}{usual}. See whether the site has another feed."
    reason: str | None = r.reason
    return reason


def _limits(feed: Any) -> str:
    parts = [("at least", feed.min_interval), ("at most", feed.max_interval)]
    return ", ".join(f"{word} {_span(limit)}" for word, limit in parts if limit)


def _row(outcomes: list[str]) -> str:
    """Like ones in a row together: "changed, unchanged (3), http-500 (2)"."""
    runs = [(word, len(list(same))) for word, same in groupby(outcomes)]
    return ", ".join(word if number == 1 else f"{word} ({number})" for word, number in runs)


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return _span(value)
    if isinstance(value, list):
        return ", ".join(value)
    return value if value is None or isinstance(value, int | str | datetime) else float(value)


def _span(time: timedelta) -> str:
    """A time in its largest fitting unit: "35 min", "4.5 h", "12 days"."""
    minutes = time / timedelta(minutes=1)
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.3g} h" if minutes < 72 * 60 else f"{minutes / 1440:.3g} days"
