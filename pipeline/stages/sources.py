"""What people do with feeds: name one, set it up, import and export lists, pause, resume, remove."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.adapters.database import Connection, row, rows
from pipeline.errors import ConfigurationError
from pipeline.logic import schedule, urls
from pipeline.logic.opml import Outline
from pipeline.stages.poll import add_feed
from pipeline.stages.work import Deps, WebDeps

POLLED = ("active", "gone")  # the states in which a feed is polled at all
_SHOWN = 8  # of several feeds that a word may mean


def find(conn: Connection, word: str) -> Any:
    """The feed that a number, an address, or a part of address, title or publisher's name means, in full.

    Raises ConfigurationError where there is none, or more than one.
    """
    if word.isascii() and word.isdecimal():
        numbers = [int(word)]
    else:
        named = rows(conn, "feeds.named", word=urls.canonical(word) or word)
        numbers = [r.feed_id for r in named if r.exact] or [r.feed_id for r in named]
        if len(numbers) > 1:
            lines = [f"  {r.feed_id:>5}  {r.publisher}  {r.url}" for r in named[:_SHOWN]]
            more = [f"  and {len(named) - _SHOWN} more"] if len(named) > _SHOWN else []
            raise ConfigurationError("\n".join([f"{word!r} may mean {len(named)} feeds; name one:", *lines, *more]))
    found = rows(conn, "feeds.managed", feed_ids=numbers[:1]) if numbers and numbers[0] < 2**63 else []
    if not found:
        raise ConfigurationError(f"no feed is meant by {word!r}: see `claimwatch feeds list`")
    return found[0]


def outline(feed: Any) -> Outline:
    """A feed as lists have it."""
    return Outline(
        url=feed.url,
        title=feed.title,
        tags=tuple(feed.tags),
        publisher=feed.publisher,
        family=feed.family,
        country=feed.country,
        language=feed.publisher_language,
        kind=feed.kind,
        state=feed.state,
        verified_at=feed.verified_at,
        note=feed.note,
        feed_language=feed.language,
        min_interval=feed.min_interval,
        max_interval=feed.max_interval,
        read_pages=feed.read_pages,
    )


def add(conn: Connection, deps: WebDeps, given: Outline) -> int | None:
    """Add a feed with everything that is said of it; None where the address is known already.

    Raises PermanentError (bad-url).
    """
    about = {"family": given.family, "country": given.country, "language": given.language, "kind": given.kind}
    with conn.transaction():
        feed_id = add_feed(conn, deps, given.url, name=given.publisher or given.title, **about)
        if feed_id is not None:
            _set_up(conn, deps, rows(conn, "feeds.managed", feed_ids=[feed_id])[0], given)
        return feed_id


def update(conn: Connection, deps: Deps, feed: Any, given: Outline) -> None:
    """Set a known feed up as `given` says; its address may be another. What its polls have brought stays.

    What is said of its publisher is set as it is said; another publisher that is known keeps what is not said.
    """
    name = given.publisher or feed.publisher
    about = {"family": given.family, "country": given.country, "language": given.language, "kind": given.kind}
    with conn.transaction():
        statement = "feeds.set_publisher" if name == feed.publisher else "feeds.add_publisher"
        publisher_id = row(conn, statement, name=name, **about).publisher_id
        if given.url != feed.url:
            if row(conn, "feeds.url_taken", url=given.url, feed_id=feed.feed_id):
                raise ConfigurationError(f"{given.url} is the address of another feed")
            rows(conn, "feeds.readdress", feed_id=feed.feed_id, url=given.url)
        changed = feed._replace(publisher_id=publisher_id, url=given.url)
        _set_up(conn, deps, changed, given, soon=given.url != feed.url)


def renew(conn: Connection, deps: Deps, feed: Any, given: Outline) -> None:
    """`update` with what a list says; where it says nothing, all stays.

    Lists do not write what is usual, active and with pages; and whether a feed is one, or gone, is seen here.
    """
    known = outline(feed)
    said = {name: value for name, value in vars(given).items() if value not in (None, ())}
    if given.state != "paused":
        del said["state"]
    if given.read_pages:
        del said["read_pages"]
    if given.publisher not in (None, feed.publisher):
        known = replace(known, family=None, country=None, language=None, kind=None)
    update(conn, deps, feed, replace(known, **{**said, "url": feed.url}))


def _set_up(conn: Connection, deps: Deps, feed: Any, given: Outline, *, soon: bool = False) -> None:
    if given.min_interval and given.max_interval and given.min_interval > given.max_interval:
        raise ConfigurationError("the shortest interval is longer than the longest")
    rows(
        conn,
        "feeds.set_up",
        feed_id=feed.feed_id,
        publisher_id=feed.publisher_id,
        title=given.title,
        state=given.state,
        tags=list(given.tags),
        note=given.note,
        language=given.feed_language,
        min_interval=given.min_interval,
        max_interval=given.max_interval,
        read_pages=given.read_pages,
        verified_at=given.verified_at,
    )
    if given.state not in POLLED:
        rows(conn, "feeds.not_due", feed_id=feed.feed_id)
    elif soon or given.state != feed.state or feed.next_poll_at is None:
        wait = schedule.LONG_DELAY if given.state == "gone" else schedule.NOW
        poll_at(conn, deps, feed, wait)


def poll_at(conn: Connection, deps: Deps, feed: Any, wait: Any = schedule.NOW) -> None:
    """Queue the feed's next poll."""
    due_at = deps.clock.now() + wait
    rows(conn, "feeds.due", feed_id=feed.feed_id, host=urls.host(feed.url), due_at=due_at)


def set_state(conn: Connection, deps: Deps, feed: Any, state: str) -> None:
    """Pause or resume: what is paused is not polled, what is resumed is polled at the next run."""
    with conn.transaction():
        _set_up(conn, deps, feed, replace(outline(feed), state=state), soon=True)


def remove(conn: Connection, feed: Any) -> None:
    """Delete a feed with its entries; articles and their evidence stay."""
    with conn.transaction():
        rows(conn, "feeds.not_due", feed_id=feed.feed_id)
        rows(conn, "feeds.remove", feed_id=feed.feed_id)


def everything(conn: Connection) -> list[Outline]:
    """All feeds, as lists have them."""
    return [outline(feed) for feed in rows(conn, "feeds.managed", feed_ids=None)]
