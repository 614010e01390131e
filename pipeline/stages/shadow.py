"""shadow: what would have been mailed, and why not the rest. Nothing is written, nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.adapters.database import Connection, rows
from pipeline.logic import news
from pipeline.logic.news import Decision, News, Told, Wishes
from pipeline.logic.tracking import MAILED
from pipeline.stages import announce


@dataclass(frozen=True)
class Reader:
    """A subscription, real or only thought of."""

    name: str
    wishes: Wishes
    claim_id: str | None = None
    topic_id: str | None = None
    channel: str = "mail"

    @property
    def key(self) -> tuple[str, str]:
        """Whose it is: one reader may have several."""
        return self.channel, self.name.lower()

    def hears_of(self, item: News) -> bool:
        if self.claim_id is not None:
            return item.claim_id == self.claim_id
        return self.topic_id in (None, item.topic_id)


@dataclass(frozen=True)
class Outcome:
    """One event and reader. `mail` numbers the mails: events that one mail tells have the same number."""

    noticed_at: datetime
    reader: str
    news: News
    decision: Decision
    mail: int | None


def readers(conn: Connection) -> list[Reader]:
    """Everybody who is told of things as they happen."""
    return [
        Reader(r.email, announce.wishes(r), r.claim_id, r.topic_id, r.channel)
        for r in rows(conn, "alerts.subscriptions")
        if r.rhythm == "instant" and r.confirmed_at is not None
    ]


def run(conn: Connection, who: Sequence[Reader], since: datetime, until: datetime) -> list[Outcome]:
    """Decide every event that was noticed in the span for each reader, in order, as if each had subscribed before."""
    found, mails = [], 0
    told: dict[tuple[tuple[str, str], str], Told] = {}
    waiting: dict[tuple[tuple[str, str], str], tuple[int, datetime]] = {}  # the mail that waits, and until when
    for r in announce.noticed(conn, since, until, MAILED):
        item = announce.news_of(r)
        stories = [s.at for s in rows(conn, "tracking.stories", claim_id=item.claim_id, at=item.happened_at)]
        hearing = [reader for reader in who if reader.hears_of(item)]
        # All of a reader's subscriptions are decided by what the reader knew before.
        decided = [
            (reader, news.decide(item, reader.wishes, told.get((reader.key, item.claim_id)), stories, r.known_at))
            for reader in hearing
        ]
        for reader, decision in decided:
            key, mail = (reader.key, item.claim_id), None
            if decision.due_at is not None:
                mail, due_at = waiting.get(key, (0, r.known_at))
                if not mail or due_at < r.known_at:
                    mails += 1
                    mail, due_at = mails, decision.due_at
                waiting[key] = (mail, due_at)
                if item.event.kind != "silence":  # no coverage: what ends it is told
                    told[key] = Told(max(item.happened_at, told.get(key, Told(item.happened_at)).happened_at))
            found.append(Outcome(r.known_at, reader.name, item, decision, mail))
    return found
