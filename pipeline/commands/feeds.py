"""feeds: which feeds are followed. How they do is told by feed_reports.py."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import feed_reports
from pipeline.commands.common import opened
from pipeline.commands.feed_reports import FeedArgument
from pipeline.errors import ConfigurationError, PermanentError
from pipeline.terminal import console, show

if TYPE_CHECKING:
    from pipeline.logic.opml import Outline
    from pipeline.stages.feed_check import Checked
    from pipeline.stages.services import Services

feeds_app = typer.Typer(help="The feeds that are polled.", no_args_is_help=True)

NOTHING = ("", "none", "-")  # what clears an option of `feeds edit`

PublisherOption = Annotated[
    str | None, typer.Option(help="Who publishes it; the feed's title by default, else the host.")
]
FamilyOption = Annotated[
    str | None, typer.Option(help="The publisher's owner, where several share one: a family counts as one source.")
]
CountryOption = Annotated[str | None, typer.Option(help="Two-letter country code.")]
LanguageOption = Annotated[str | None, typer.Option(help="Two-letter language code.")]
KindOption = Annotated[str | None, typer.Option(help="wire, newspaper, broadcaster, state, blog, think-tank or other.")]
TagOption = Annotated[list[str] | None, typer.Option("--tag", help="A word to group feeds by; may be repeated.")]


@feeds_app.command("add")
def feeds_add(
    address: Annotated[
        str, typer.Argument(help="A feed's address, or that of a page or site whose feed is looked for.")
    ],
    publisher: PublisherOption = None,
    family: FamilyOption = None,
    country: CountryOption = None,
    language: LanguageOption = None,
    kind: KindOption = None,
    tag: TagOption = None,
    take: Annotated[int | None, typer.Option(help="Which one, where a page has several; else you are asked.")] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Ask the address first, or add it as it is.")
    ] = True,
) -> None:
    """Add a feed; it is polled at the next run. Of a page's address, the feeds that the page names are looked at, then
    the places where feeds stand by custom (/feed, /rss.xml ...).
    """
    from pipeline.logic import opml
    from pipeline.stages import sources

    details = {"publisher": publisher, "family": family, "country": country, "language": language, "kind": kind}
    feed = _edited(opml.Outline(""), {name: value for name, value in details.items() if value}, tag)
    with opened() as (services, conn):
        chosen = _looked_for(services, address, take) if check else None
        if chosen:
            feed = replace(feed, title=chosen.title or None, verified_at=services.clock.now())
        url = _address((chosen.moved_to or chosen.url) if chosen else address)
        added = sources.add(conn, services, replace(feed, url=url, publisher=publisher))
        console.print(f"added as feed {added}: {url}" if added else f"{url} is there already")


def _looked_for(services: Services, address: str, take: int | None) -> Checked:
    """The feed that is meant by an address."""
    from pipeline.logic import reasons
    from pipeline.stages import feed_check

    page = _address(address)
    found = feed_check.discover(services, page)
    good = [one for one in found if one.good]
    if not good:
        tried = "" if len(found) == 1 else f" {len(found) - 1} other places were tried in vain."
        what = reasons.explain(found[0].outcome, found[0].problem).what  # its advice is for feeds that were added
        raise PermanentError(f"no feed at {page}. {what}{tried} (--no-check adds it all the same.)")
    if len(good) > 1:
        columns = ["number", "feed", "title", "entries", "newest"]
        show(columns, [[n, one.url, one.title, one.entries, one.newest] for n, one in enumerate(good, 1)])
        if take is None and sys.stdin.isatty() and sys.stdout.isatty():
            take = typer.prompt("Which one", default=1, type=int)
        elif take is None:
            console.print("the first is taken; --take N takes another")
    if not 1 <= (take or 1) <= len(good):
        raise ConfigurationError(f"--take has to be between 1 and {len(good)}")
    chosen = good[(take or 1) - 1]
    how = {"given": "the address is a feed", "linked": "named by the page", "guessed": "found where feeds often stand"}
    console.print(f"{how[chosen.how]}: {chosen.url} ({chosen.format}, {chosen.entries} entries)")
    return chosen


def _address(text: str) -> str:
    """An address in its one spelling; https:// may be left out."""
    from pipeline.logic import urls

    url = urls.canonical(text if "://" in text else f"https://{text}")
    if url is None:
        raise PermanentError(f"{text!r} is not a web address (http:// or https://)", code="bad-url")
    return url


@feeds_app.command("import")
def feeds_import(
    file: Annotated[Path, typer.Argument(help="An OPML file.")],
    tag: TagOption = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Set feeds that are there already up as the list says.")
    ] = False,
) -> None:
    """Add every feed of an OPML list; those that are there already stay as they are. Folders become tags."""
    from pipeline.logic import opml
    from pipeline.stages import sources

    outlines = read_list(file)
    added = known = unverified = 0
    with opened() as (services, conn):
        for given in outlines:
            feed = replace(given, tags=opml.tags([*given.tags, *(tag or ())]))
            try:
                new = sources.add(conn, services, feed)
            except PermanentError as error:
                console.print(f"left out: {error}")
                continue
            if new is None and renew:
                sources.renew(conn, services, sources.find(conn, feed.url), feed)
            added, known = added + (new is not None), known + (new is None)
            unverified += new is not None and feed.state == "unverified"
    console.print(f"{added} feeds added, {known} were there already, {len(outlines) - added - known} left out")
    if unverified:
        console.print(
            f"{unverified} of them are not polled until `claimwatch feeds check` has seen that they are feeds"
        )


def read_list(file: Path) -> list[Outline]:
    from pipeline.logic import opml

    try:
        return opml.parse(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file} can't be read: {error}") from error


@feeds_app.command("export")
def feeds_export(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; standard output by default.")] = None,
) -> None:
    """Write all feeds as an OPML list, with everything that `feeds import` takes back."""
    from pipeline.logic import opml
    from pipeline.stages import sources

    with opened() as (services, conn):
        found = sources.everything(conn)
        content = opml.write(found, "Feeds of claimwatch", services.clock.now())
    if file is None:
        sys.stdout.write(content.decode())
        return
    try:
        file.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(f"{file} can't be written: {error}") from error
    console.print(f"{len(found)} feeds written to {file}")


@feeds_app.command("edit")
def feeds_edit(
    feed: FeedArgument,
    url: Annotated[str | None, typer.Option(help="Another address.")] = None,
    publisher: PublisherOption = None,
    family: FamilyOption = None,
    country: CountryOption = None,
    language: LanguageOption = None,
    kind: KindOption = None,
    tag: TagOption = None,
    note: Annotated[str | None, typer.Option(help="Something to remember about it.")] = None,
    feed_language: Annotated[
        str | None, typer.Option(help="Language of its entries, where the feed names a wrong one.")
    ] = None,
    min_interval: Annotated[str | None, typer.Option(help="Shortest time between polls, in minutes.")] = None,
    max_interval: Annotated[str | None, typer.Option(help="Longest time between polls, in minutes.")] = None,
    pages: Annotated[
        bool | None, typer.Option("--pages/--no-pages", help="Fetch the pages, or use the feed's texts.")
    ] = None,
) -> None:
    """Change what is known of a feed. `none` clears an option; tags replace those there are. What is said of the
    publisher holds for all its feeds.
    """
    from pipeline.stages import sources

    given = {
        "publisher": publisher, "family": family, "country": country, "language": language, "kind": kind, "note": note,
        "feed_language": feed_language, "min_interval": min_interval, "max_interval": max_interval,
    }  # fmt: skip
    with opened() as (services, conn):
        found = sources.find(conn, feed)
        changed = _edited(sources.outline(found), {k: v for k, v in given.items() if v is not None}, tag)
        if url is not None:
            changed = replace(changed, url=_address(url))
        if pages is not None:
            changed = replace(changed, read_pages=pages)
        sources.update(conn, services, found, changed)
        console.print(f"feed {found.feed_id} changed: {changed.url}")


def _edited(feed: Outline, given: dict[str, str], tags: Sequence[str] | None) -> Outline:
    """The feed with the options that were given, checked."""
    from pipeline.logic import opml

    for name, value in given.items():
        cleared = value.strip().lower() in NOTHING
        changed: object = None if cleared else value.strip()
        if name in ("publisher", "family") and cleared:
            raise ConfigurationError(f"--{name} can't be empty")
        if name == "country" and not cleared:
            changed = opml.country_code(value)
        elif name in ("language", "feed_language") and not cleared:
            changed = opml.language_code(value)
        elif name == "kind" and not cleared:
            changed = value if value in opml.KINDS else None
        elif name.endswith("_interval") and not cleared:
            changed = _interval(value)
        if changed is None and not cleared:
            known = f"; known are {', '.join(opml.KINDS)}" if name == "kind" else ""
            raise ConfigurationError(f"--{name.replace('_', '-')}: {value!r} is not usable{known}")
        if name == "publisher" and changed != feed.publisher:  # what is known of the former one is not said of this
            feed = replace(feed, family=None, country=None, language=None, kind=None)
        feed = replace(feed, **{name: changed})  # type: ignore[arg-type]
    if tags is not None:
        feed = replace(feed, tags=() if [t.strip().lower() for t in tags] == ["none"] else opml.tags(tags))
    return feed


def _interval(minutes: str) -> timedelta | None:
    from pipeline.logic import opml

    try:
        interval = timedelta(minutes=float(minutes))
    except (ValueError, OverflowError):
        return None
    return interval if opml.SHORTEST <= interval <= opml.LONGEST else None


@feeds_app.command("pause")
def feeds_pause(feed: FeedArgument) -> None:
    """Poll a feed no more until `feeds resume`."""
    _set_state(feed, "paused", "is not polled any more")


@feeds_app.command("resume")
def feeds_resume(feed: FeedArgument) -> None:
    """Poll a paused, unverified or gone feed again, from the next run on."""
    _set_state(feed, "active", "is polled at the next run")


def _set_state(feed: str, state: str, what: str) -> None:
    from pipeline.stages import sources

    with opened() as (services, conn):
        found = sources.find(conn, feed)
        sources.set_state(conn, services, found, state)
        console.print(f"feed {found.feed_id} {what}: {found.url}")


@feeds_app.command("remove")
def feeds_remove(
    feed: FeedArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Delete a feed and its entries. Articles and evidence that came through it stay; to keep all, pause it."""
    from pipeline.stages import sources

    with opened() as (_, conn):
        found = sources.find(conn, feed)
        if not yes:
            typer.confirm(f"Delete feed {found.feed_id} of {found.publisher}, {found.url}?", abort=True)
        sources.remove(conn, found)
        console.print(f"feed {found.feed_id} deleted: {found.url}")


@feeds_app.command("poll")
def feeds_poll(feed: FeedArgument) -> None:
    """Poll a feed at the next run, whatever its schedule says."""
    from pipeline.stages import sources

    with opened() as (services, conn):
        found = sources.find(conn, feed)
        if found.state not in sources.POLLED:
            raise ConfigurationError(f"feed {found.feed_id} is {found.state}: `claimwatch feeds resume` it first")
        sources.poll_at(conn, services, found)
        console.print(f"feed {found.feed_id} is polled at the next run (`claimwatch poll` is one): {found.url}")


feeds_app.command("list")(feed_reports.feeds_list)
feeds_app.command("show")(feed_reports.feeds_show)
feeds_app.command("health")(feed_reports.feeds_health)
feeds_app.command("check")(feed_reports.feeds_check)
