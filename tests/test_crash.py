"""Killed with SIGKILL in the middle of any stage and started again, it ends in the same rows as an undisturbed run.

One undisturbed run is made a session; before each of its stages its database is copied. A test takes a copy, runs the
stage in a child process that kills itself at a given moment, lets the lease run out, runs the rest, and compares all
rows by their natural keys: no generated numbers, no times, no counts of attempts.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from claims_files import some_claims
from conftest import ROOT, Bench, Serving, clone, make_settings

from pipeline.adapters import database
from pipeline.adapters.database import rows
from pipeline.adapters.encoder import Encoder
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.warc import Place
from pipeline.clock import FileClock
from pipeline.newsroom.content import feed_urls
from pipeline.newsroom.server import create_app
from pipeline.newsroom.sink import read
from pipeline.settings import Settings
from pipeline.stages import claims, extract
from pipeline.stages.poll import add_feed
from pipeline.stages.services import STAGES
from pipeline.stages.subscriptions import add_subscription

pytestmark = pytest.mark.model

START = datetime(2024, 10, 19, tzinfo=UTC)  # seven articles are out by then, three of them copies
KILLED = START + timedelta(minutes=2)  # when the undisturbed run is long done
TAKEN_OVER = KILLED + timedelta(minutes=2)  # beyond the lease
LATER = KILLED + timedelta(minutes=4)  # beyond any lease, before the next poll
OUTLETS = {
    "Halyard Wire",
    "새마루일보",
    "Kyiv Ledger",
    "Печерський оглядач",
    "Агентство «Вестовой»",
    "The Continental Courier",
    "Harbour Road Herald",
}
LEASE = 60.0
FOLLOWED = ("over-10000-troops", "special-forces", "desertion")
READERS = (("desk@example.org", None), ("many@example.org", "over-10000-troops"))
SMALL = {"poll": 2, "embed": 10, "match": 10}  # stages that settle a whole batch at once

STORY = "(select min(s.url) from ingest.articles s where s.story_id = {0}.story_id)"
CONTENT = {
    "publishers": "select name, family, country, language, kind from ingest.publishers",
    "feeds": "select url, state, title, format, failures, last_outcome, last_problem, body_hash from ingest.feeds",
    "entries": "select f.url, e.entry_key, a.url, e.url, e.title, e.summary, e.content, e.author, e.source, "
    "e.language, e.published_at from ingest.entries e join ingest.feeds f using (feed_id) "
    "join ingest.articles a using (article_id)",
    "articles": f"select a.url, p.name, {STORY.format('a')}, a.last_outcome, a.last_problem "
    "from ingest.articles a join ingest.publishers p using (publisher_id)",
    "pages": "select a.url, p.status, p.url, p.content_type, p.body_hash, p.extractor, c.digest "
    "from ingest.pages p join ingest.articles a using (article_id) join ingest.captures c using (capture_id)",
    "captures": "select coalesce(a.url, f.url), c.kind, c.url, c.final_url, c.status, c.digest "
    "from ingest.captures c left join ingest.articles a using (article_id) left join ingest.feeds f using (feed_id)",
    "entry_captures": "select e.entry_key, c.digest from ingest.entries e join ingest.captures c using (capture_id)",
    "stories": "select count(*) from ingest.stories",
    "sketches": "select a.url, s.signature, s.shingles, s.names::text, s.figures::text from ingest.story_sketches s "
    "join ingest.articles a using (article_id)",
    "bands": "select a.url, b.band from ingest.story_bands b join ingest.articles a using (article_id)",
    "versions": "select a.url, v.version_hash, v.source, v.title, v.author, v.language, v.published_at, "
    "v.reextracted, c.digest from ingest.versions v join ingest.articles a using (article_id) "
    "join ingest.captures c using (capture_id)",
    "paragraphs": "select p.text, p.content_hash, p.language, a.url from ingest.paragraphs p "
    "join ingest.versions v on v.version_id = p.first_version_id join ingest.articles a using (article_id)",
    "appearances": "select a.url, v.version_hash, x.position, p.text, x.kind from ingest.appearances x "
    "join ingest.paragraphs p using (paragraph_id) join ingest.versions v using (version_id) "
    "join ingest.articles a using (article_id)",
    "models": "select name, weights_hash, dimensions, active from ingest.models",
    "phrase_embeddings": "select content_hash from ingest.phrase_embeddings",
    "claim_versions": "select c.claim_id, c.position, v.version, v.statement, "
    "v.claim_version_id = c.current_version_id from ingest.claims c join ingest.claim_versions v using (claim_id)",
    "matches": "select m.claim_id, c.version, p.text, m.matcher, m.tier, m.stance, m.sentence from ingest.matches m "
    "join ingest.claim_versions c using (claim_version_id) join ingest.paragraphs p using (paragraph_id)",
    "figures": "select claim_id, role, low, high, modality, denied, increment, earlier, origin_id, as_of, begins, span "
    "from ingest.figures",
    "claim_events": f"select e.claim_id, e.kind, {STORY.format('e')}, e.happened_at, e.reason "
    "from ingest.claim_events e",
    "alerts": f"select a.email, a.subject, a.body, a.state, a.problem, e.claim_id, e.kind, {STORY.format('e')} "
    "from ingest.alerts a join ingest.claim_events e using (event_id)",
    "work": "select stage, count(*) from ingest.work group by stage",
    "embeddings": "select p.text, e.embedding from ingest.embeddings_1 e join ingest.paragraphs p using (paragraph_id)",
    "probabilities": "select m.claim_id, p.text, m.probability "
    "from ingest.matches m join ingest.paragraphs p using (paragraph_id)",
}
NUMBERS = ("embeddings", "probabilities")  # compared with a tolerance
MAILED = ("From", "To", "Subject")


class Remembering:
    """The session's encoder, which encodes no text twice: the same few texts come in every test."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Any] = {}
        self.name, self.weights_hash, self.dimensions = encoder.name, encoder.weights_hash, encoder.dimensions

    def encode(self, texts: list[str]) -> Any:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else self._encoder.encode([])

    def write(self, file: Path) -> None:
        """For children: loading the model would take each of them several seconds."""
        np.savez(file, texts=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))


class Scene:
    """The newsroom, the sink, the clock that all processes share, and the databases."""

    def __init__(self, folder: Path, pg: EmbeddedServer, encoder: Encoder, ports: tuple[int, int]) -> None:
        self.folder, self.pg, self.encoder = folder, pg, Remembering(encoder)
        self.clock = FileClock(folder / "clock.json")
        self.newsroom, self.sink = ports
        self.mbox = folder / "mail.mbox"
        self.content: dict[str, Any] = {}
        self.mails: list[Any] = []
        self.number = 0

    def values(self, name: str) -> dict[str, Any]:
        """What Settings are made of, as plain data that a child process can be handed."""
        settings = make_settings(
            self.folder,
            self.pg.dsn("claimwatch", name),
            fetch={"host_map": {"*.example": f"127.0.0.1:{self.newsroom}"}, "contact": "test"},
            mail={
                "host": "127.0.0.1",
                "port": self.sink,
                "sender": "watch@example.org",
                "timeout": 2.0,  # what a conversation may last at most is shorter than the lease
                "answer_timeout": 10.0,
            },
            lease=LEASE,
            clock_file=self.folder / "clock.json",
        )
        return {**settings.model_dump(mode="json"), "database": {"dsn": self.pg.dsn("claimwatch", name)}}

    def bench(self, name: str) -> Bench:
        return Bench(Settings(**self.values(name)), self.clock, self.encoder)  # type: ignore[arg-type]

    def copy(self, source: str, name: str) -> None:
        with psycopg.connect(self.pg.dsn("postgres", "postgres"), autocommit=True) as admin:
            clone(admin, name, source)

    def drop(self, name: str) -> None:
        with psycopg.connect(self.pg.dsn("postgres", "postgres"), autocommit=True) as admin:
            admin.execute(f"drop database if exists {name} with (force)")

    @contextmanager
    def clone(self, stage: str) -> Iterator[Case]:
        """The reference run's database as it stood before `stage`."""
        self.number += 1
        name = f"crash_{self.number}"
        self.copy(f"ref_{stage}", name)
        self.clock.move_to(KILLED)
        try:
            yield Case(self, name, stage)
        finally:
            self.drop(name)


class Case:
    """One test's database."""

    def __init__(self, scene: Scene, name: str, stage: str) -> None:
        self.scene, self.name, self.stage = scene, name, stage
        self.bench = scene.bench(name)
        self.mails_before = len(read(scene.mbox))

    def child(self, **task: Any) -> subprocess.Popen[str]:
        vectors = str(self.scene.folder / "vectors.npz")
        task = {"settings": self.scene.values(self.name), "stage": self.stage, "vectors": vectors, **task}
        return subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "killed_stage.py"), json.dumps(task)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def kill(self, moment: str, times: int) -> None:
        """Run the stage in a child that kills itself then."""
        process = self.child(kill=[moment, times], batch=SMALL.get(self.stage))
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        self._wait_for_the_server()

    def _wait_for_the_server(self) -> None:
        """Until it has noticed that the child is gone, the child's locks stand."""
        with psycopg.connect(self.scene.pg.dsn("postgres", "postgres"), autocommit=True) as admin:
            for _ in range(200):
                query = "select count(*) from pg_stat_activity where datname = %s"
                if admin.execute(query, [self.name]).fetchone()[0] == 0:  # type: ignore[index]
                    return
                time.sleep(0.02)
        raise AssertionError("the killed process is still connected")

    def waiting(self) -> tuple[int, int]:
        """Items of the stage that are not settled, and how many of these are leased."""
        with database.session(self.bench.settings) as conn:
            query = "select count(*) as left, count(lease_token) as leased from ingest.work where stage = %s"
            return conn.execute(query + " and due_at < %s", [self.stage, LATER]).fetchone()

    def run(self, *stages: str) -> dict[str, Any]:
        with database.session(self.bench.settings) as conn:
            return self.bench.run(conn, *stages)

    def finish(self) -> dict[str, Any]:
        """After the lease: the stage again and everything after it."""
        self.scene.clock.move_to(LATER)
        with database.session(self.bench.settings) as conn:  # hosts are held in real time: half a minute passes
            conn.execute("update ingest.hosts set held_until = now() where holder is not null")
        reports = self.run(*STAGES[STAGES.index(self.stage) :])
        for report in reports.values():
            assert sum(report.outcomes.values()) == report.claimed, report
            assert not {"crashed", "lease-lost"} & set(report.outcomes), report
        return reports

    def mails(self) -> list[Any]:
        return read(self.scene.mbox)[self.mails_before :]

    def content(self) -> dict[str, Any]:
        with database.session(self.bench.settings) as conn:
            return {table: [tuple(r) for r in _plain(conn, query)] for table, query in CONTENT.items()}


def _plain(conn: database.Connection, query: str) -> list[Any]:
    with conn.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        return cursor.execute(query).fetchall()


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Every row once, and none that should not be there."""
    for table, content in found.items():
        if table not in NUMBERS:
            assert Counter(content) == Counter(expected[table]), table
    vectors = dict(found["embeddings"])
    assert len(vectors) == len(found["embeddings"]) == len(expected["embeddings"])
    for text, vector in expected["embeddings"]:
        assert float(vectors[text].to_numpy().astype(np.float32) @ vector.to_numpy().astype(np.float32)) > 0.99
    probabilities = {tuple(key): value for *key, value in found["probabilities"]}
    assert probabilities == pytest.approx({tuple(key): v for *key, v in expected["probabilities"]}, abs=0.01)


def told(mails: list[Any]) -> Counter[tuple[str, ...]]:
    """Mails by what their readers see, but for the last digits of the reason: a vector's depend on its batch (they are
    compared in `same`). The Message-ID holds a generated number.
    """

    def seen(mail: Any) -> str:
        return re.sub(r"-?\d+\.\d+|\d+ ?%", "N", mail.get_body(("plain",)).get_content())

    return Counter((*(m[name] for name in MAILED), seen(m)) for m in mails)


@pytest.fixture(scope="session")
def scene(
    pg: EmbeddedServer, template: str, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """The undisturbed run, with a copy of its database before each stage."""
    folder = tmp_path_factory.mktemp("crash")
    with ExitStack() as stack:
        newsroom = stack.enter_context(Serving(create_app(FileClock(folder / "clock.json"))))
        command = [sys.executable, "-m", "pipeline.newsroom.sink", "--port", "0", "--mbox", str(folder / "mail.mbox")]
        sink = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT))
        stack.callback(sink.terminate)
        assert sink.stdout is not None
        port = int(sink.stdout.readline().split("127.0.0.1:")[1].split(",")[0])
        scene = Scene(folder, pg, encoder, (newsroom, port))
        scene.clock.move_to(START)
        scene.copy(template, "ref_poll")
        stack.callback(scene.drop, "ref_poll")
        bench = scene.bench("ref_poll")
        with database.session(bench.settings) as conn:
            for name, url, publisher in feed_urls():
                if name in OUTLETS:
                    add_feed(conn, bench, url, **{key: publisher[key] for key in ("name", "family", "country", "kind")})
            claims.load(conn, bench, some_claims(folder, *FOLLOWED))
            for mail, claim in READERS:
                add_subscription(conn, mail, START, claim_id=claim)
        last = "ref_poll"
        for stage in STAGES:
            after = f"ref_{(*STAGES, 'end')[STAGES.index(stage) + 1]}"
            scene.copy(last, after)
            stack.callback(scene.drop, after)
            with database.session(scene.bench(after).settings) as conn:
                scene.bench(after).run(conn, stage)
            last = after
        scene.encoder.write(folder / "vectors.npz")
        case = Case(scene, "ref_end", "notify")
        scene.content, scene.mails = case.content(), read(scene.mbox)
        yield scene


def test_the_undisturbed_run_is_worth_comparing_with(scene: Scene) -> None:
    counts = {table: len(found) for table, found in scene.content.items()}
    assert counts["articles"] == counts["pages"] == 7
    assert counts["paragraphs"] < counts["appearances"]  # copies
    assert scene.content["stories"][0][0] < 7
    assert {"first_seen", "new_story"} <= {kind for _, kind, *_ in scene.content["claim_events"]}
    assert len(scene.mails) == counts["alerts"] >= 3


ITEMWISE = [
    (stage, moment, times)
    for stage in ("fetch", "extract", "group", "track")
    for moment, times in (("claimed", 1), ("before-commit", 3), ("after-commit", 3))
]
BATCHWISE = [
    (stage, moment, times)
    for stage in ("poll", "embed", "match")
    for moment, times in (("claimed", 1), ("before-commit", 2), ("after-commit", 2))
]


@pytest.mark.parametrize(("stage", "moment", "times"), ITEMWISE + BATCHWISE)
def test_killed(scene: Scene, stage: str, moment: str, times: int) -> None:
    with scene.clone(stage) as case:
        total, _ = case.waiting()
        case.kill(moment, times)
        left, leased = case.waiting()
        settled = times * SMALL.get(stage, 1) if moment == "after-commit" else (times - 1) * SMALL.get(stage, 1)
        assert total - left == settled
        assert leased == 0 if moment == "after-commit" and stage in SMALL else leased > 0
        case.finish()
        same(case.content(), scene.content)
        assert told(case.mails()) == told(scene.mails)
        with database.session(case.bench.settings) as conn:
            assert conn.execute("select count(*) from ingest.runs where finished_at is null").fetchone()[0] == 1


@pytest.mark.parametrize("moment", ["within-record", "recorded"])
@pytest.mark.parametrize("stage", ["poll", "fetch"])
def test_killed_around_a_record(scene: Scene, stage: str, moment: str) -> None:
    """A record without a row harms nobody, half a record neither, and no row is without its record."""
    with scene.clone(stage) as case:
        total, _ = case.waiting()
        case.kill(moment, 3)
        left, leased = case.waiting()
        assert total - left == 2
        assert leased > 0
        case.finish()
        same(case.content(), scene.content)
        archive = case.bench.archive
        with database.session(case.bench.settings) as conn:
            stored = rows(conn, "captures.to_verify", after=0, since=None, chunk=1000)
            assert len(stored) == len(scene.content["captures"])
            for r in stored:
                archive.check(Place(r.warc_file, r.warc_offset, r.warc_length), r.digest)


@pytest.mark.parametrize(
    ("moment", "doubled"),
    [("claimed", 0), ("before-send", 0), ("after-send", 1), ("before-commit", 1), ("after-commit", 0)],
)
def test_killed_while_sending(scene: Scene, moment: str, doubled: int) -> None:
    """No mail is lost. Between the server's 250 and our commit nobody can know: that one mail comes twice, with the
    same Message-ID, by which readers' programs fold the pair.
    """
    with scene.clone("notify") as case:
        # The first transaction of a mail takes its turn, the second says that it was sent.
        case.kill(moment, 1 if moment == "claimed" else 2)
        case.finish()
        same(case.content(), scene.content)
        mails = case.mails()
        ids = Counter(m["Message-ID"] for m in mails)
        assert sum(ids.values()) - len(ids) == doubled
        assert told(list({m["Message-ID"]: m for m in mails}.values())) == told(scene.mails)


def test_a_lease_holds_until_it_runs_out(scene: Scene) -> None:
    """What a killed process had is nobody's before, and anybody's after."""
    with scene.clone("extract") as case:
        case.kill("claimed", 1)
        assert case.run("extract")["extract"].claimed == 0
        assert case.finish()["extract"].claimed == 7
        same(case.content(), scene.content)


@pytest.mark.parametrize("stage", ["fetch", "track"])
def test_two_at_a_time(scene: Scene, stage: str) -> None:
    """Two processes take items in turn: each item once, no deadlock, the same rows."""
    with scene.clone(stage) as case:
        total, _ = case.waiting()
        pair = [case.child(batch=1, wait=True) for _ in range(2)]
        for process in pair:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in pair:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        reports = [json.loads(process.communicate(timeout=60)[0]) for process in pair]
        assert [process.returncode for process in pair] == [0, 0]
        assert sum(report["claimed"] for report in reports) == total
        assert all(report["claimed"] for report in reports)
        for report in reports:
            assert sum(report["outcomes"].values()) == report["claimed"]
            assert not {"lease-lost", "crashed"} & set(report["outcomes"])
        case.finish()
        found, expected = case.content(), dict(scene.content)
        if stage == "track":  # which of a claim's stories is told first depends on who comes first
            firsts = Counter(claim for claim, kind, *_ in found["claim_events"] if kind == "first_seen")
            assert set(firsts.values()) == {1}
            for content in (found, expected):
                content["claim_events"] = [(claim, story) for claim, _, story, *_ in content["claim_events"]]
                content["alerts"] = [
                    (mail, state, claim, story) for mail, _, _, state, _, claim, _, story in content["alerts"]
                ]
        else:
            assert told(case.mails()) == told(scene.mails)
        same(found, expected)
        assert len(case.mails()) == len(scene.mails)


def test_lease_lost(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is slower than its lease finds its items taken over, and writes nothing."""
    real, taken_over = extract.extraction.extract, []

    with scene.clone("extract") as case:

        def slow(*arguments: Any) -> Any:
            if not taken_over:
                scene.clock.move_to(TAKEN_OVER)
                process = case.child()
                taken_over.append(json.loads(process.communicate(timeout=60)[0]))
            return real(*arguments)

        monkeypatch.setattr(extract.extraction, "extract", slow)
        with database.session(case.bench.settings) as conn:
            report = extract.run(conn, case.bench, 100)
        assert taken_over == [{"claimed": 7, "outcomes": {"extracted": 7}}]
        assert report.outcomes == {"lease-lost": 7}
        assert not report.counts
        case.finish()
        same(case.content(), scene.content)
        assert told(case.mails()) == told(scene.mails)
