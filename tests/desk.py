"""A desk for tests of tracking: reports and matches put into the database as the stages before would have left them."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from claims_files import some_claims
from conftest import Bench, MovableClock
from psycopg.types.json import Jsonb

from pipeline.adapters.database import Connection, row, rows
from pipeline.logic.text import content_hash
from pipeline.stages import claims, notify, track
from pipeline.stages.subscriptions import add_subscription

CLAIM, OTHER = "killed-in-kursk", "desertion"
NOW = datetime(2024, 12, 20, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

# How a version's text was read, where a test does not care.
UNREAD = {
    "capture_id": None,
    "extractor": None,
    "reextracted": False,
}


class Desk:
    """Puts reports and matches into the database, and looks at what became of them."""

    def __init__(self, conn: Connection, bench: Bench, clock: MovableClock, folder: Path) -> None:
        self.conn, self.bench, self.clock = conn, bench, clock
        clock.at = NOW - 60 * DAY
        claims.load(conn, bench, some_claims(folder, CLAIM, OTHER))
        self.model = row(conn, "models.register", name="m", weights_hash="w", dimensions=8, now=clock.now()).model_id
        add_subscription(conn, "desk@example.org", clock.now())
        self.number = 0

    def one(self, query: str, *values: Any) -> Any:
        found = self.conn.execute(query, values).fetchone()
        return found[0] if found else None

    def story(self) -> int:
        return int(
            self.one("insert into ingest.stories (first_seen_at) values (%s) returning story_id", self.clock.now())
        )

    def article(
        self, at: datetime, family: str = "A", *, story: int | None = None, publisher: str | None = None
    ) -> int:
        self.number += 1
        name = publisher or f"The {family}"
        added = row(self.conn, "feeds.add_publisher", name=name, family=family, country="GB", language="en", kind=None)
        return int(
            self.one(
                "insert into ingest.articles (url, publisher_id, story_id, first_seen_at) values (%s, %s, %s, %s) "
                "returning article_id",
                f"http://{family.lower()}.example/{self.number}",
                added.publisher_id,
                story or self.story(),
                self.clock.now(),
            )
        )

    def version(
        self, article: int, at: datetime, *texts: str, source: str = "page", reextracted: bool = False
    ) -> list[int]:
        """A text of the article, and what extract queues for it; the paragraphs' numbers."""
        version = row(
            self.conn,
            "articles.add_version",
            article_id=article,
            version_hash=hashlib.sha256("\n".join(texts).encode()).digest(),
            source=source,
            title="t",
            author=None,
            **{**UNREAD, "reextracted": reextracted},
            language="en",
            published_at=at,
            now=self.clock.now(),
        ).version_id
        rows(
            self.conn,
            "articles.add_paragraphs",
            version_id=version,
            positions=list(range(1, len(texts) + 1)),
            hashes=[content_hash(text) for text in texts],
            texts=list(texts),
            language="en",
            now=self.clock.now(),
        )
        changed = rows(self.conn, "tracking.changed", article_id=article, version_id=version)
        rows(self.conn, "work.add_all", stage="track", item_ids=[r.match_id for r in changed], due_at=self.clock.now())
        placed = "select paragraph_id from ingest.appearances where version_id = %s order by position"
        return [r.paragraph_id for r in self.conn.execute(placed, [version])]

    def match(self, paragraph: int, claim: str = CLAIM, stance: str = "supports", tier: str = "accepted") -> int | None:
        text = self.one("select text from ingest.paragraphs where paragraph_id = %s", paragraph)
        stored = row(
            self.conn,
            "matches.store",
            claim_id=claim,
            claim_version_id=row(self.conn, "claims.current", claim_id=claim).claim_version_id,
            paragraph_id=paragraph,
            model_id=self.model,
            matcher="test",
            probability=0.9,
            tier=tier,
            stance=stance,
            sentence=text.split(". ")[0],
            features=Jsonb({}),
            why="sentence 1: killed",
            precision=0.8,
            labels=312,
            now=self.clock.now(),
        )
        if stored is None:
            return None
        if tier == "accepted":
            rows(self.conn, "work.add_all", stage="track", item_ids=[stored.match_id], due_at=self.clock.now())
        return int(stored.match_id)

    def report(
        self, at: datetime, family: str = "A", stance: str = "supports", claim: str = CLAIM, **where: Any
    ) -> int:
        """A new article with one paragraph that bears on the claim; its story."""
        article = self.article(at, family, **where)
        (paragraph,) = self.version(article, at, f"Report {self.number} by {family}, which {stance} it.")
        self.match(paragraph, claim, stance)
        return int(self.one("select story_id from ingest.articles where article_id = %s", article))

    def track(self, limit: int = 200) -> Counter[str]:
        total: Counter[str] = Counter()
        while True:
            report = track.run(self.conn, self.bench, limit)
            assert sum(report.outcomes.values()) == report.claimed
            total += report.outcomes
            if not report.claimed:
                return total

    def events(self, claim: str = CLAIM) -> list[tuple[str, datetime]]:
        found = self.conn.execute(
            "select kind, happened_at from ingest.claim_events where claim_id = %s order by happened_at, event_id",
            [claim],
        )
        return [(r.kind, r.happened_at) for r in found]

    def kinds(self, claim: str = CLAIM) -> list[str]:
        return [kind for kind, _ in self.events(claim)]

    def reason(self, kind: str) -> str:
        return str(self.one("select reason from analysis.claim_events where kind = %s order by event_id desc", kind))

    def mails(self) -> list[Any]:
        """What would be sent, and sends it."""
        sent: list[Any] = []

        class Keeping:
            def __enter__(self) -> Keeping:
                return self

            def __exit__(self, *_: object) -> None: ...

            def send(self, message: Any) -> None:
                sent.append(message)

        self.bench.mailer = Keeping  # type: ignore[assignment, method-assign]
        notify.run(self.conn, self.bench, 100)
        return sent

    def state(self, as_of: datetime | None = None, known_at: datetime | None = None, claim: str = CLAIM) -> Any:
        now = self.clock.now()
        return row(self.conn, "tracking.state", claim_id=claim, as_of=as_of or now, known_at=known_at or now)
