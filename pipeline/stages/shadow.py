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
        Reader(r.email, announce.wishes(r), r.claim_id, r.topic_id)
        for r in rows(conn, "alerts.subscriptions")
        if r.rhythm == "instant" and r.confirmed_at is not None
    ]


def run(conn: Connection, who: Sequence[Reader], since: datetime, until: datetime) -> list[Outcome]:
    """Decide every event that was noticed in the span for each reader, in order, as if each had subscribed before."""
    found, mails = [], 0
    told: dict[tuple[str, str], Told] = {}
    waiting: dict[tuple[str, str], tuple[int, datetime]] = {}  # the mail that has not gone out, and when it does
    for r in rows(conn, "alerts.news_since", since=since, until=until, kinds=sorted(MAILED), claim_id=None):
        item = announce.news_of(r)
        stories = [s.at for s in rows(conn, "tracking.stories", claim_id=item.claim_id, at=item.happened_at)]
        for reader in who:
            if not reader.hears_of(item):
                continue
            key = (reader.name, item.claim_id)
            decision = news.decide(item, reader.wishes, told.get(key), stories, r.known_at)
            mail = None
            if decision.due_at is not None:
                mail, due_at = waiting.get(key, (0, r.known_at))
                if not mail or due_at < r.known_at:
                    mails += 1
                    mail, due_at = mails, decision.due_at
                waiting[key] = (mail, due_at)
                before = told.get(key)
                told[key] = Told(max(item.happened_at, before.happened_at if before else item.happened_at))
            found.append(Outcome(r.known_at, reader.name, item, decision, mail))
    return found
