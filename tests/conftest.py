"""Real parts for the tests: a PostgreSQL server a session, a clone of a migrated database a test, the sample
newsroom over HTTP, a mail sink, the real model.

    PG_MAJOR=16 pytest      the same on the older server
"""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import structlog
import uvicorn

from pipeline.adapters import database, e5, packaged_models, vector_cache
from pipeline.adapters import encoder as encoder_module
from pipeline.adapters import migrate as migrations
from pipeline.adapters.encoder import Encoder
from pipeline.adapters.postgres import EmbeddedServer
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.clock import SystemClock
from pipeline.logic.matching import Matcher
from pipeline.newsroom.server import create_app
from pipeline.settings import EmbedSettings, Settings, package_data
from pipeline.stages import claims, materials
from pipeline.stages.services import STAGES, Services, run_stage

ROOT = Path(__file__).parents[1]
CLAIMS = ROOT / "claims" / "nk-russia.yaml"
SHARED = ROOT.parent / "shared"
PG_MAJOR = int(os.environ.get("PG_MAJOR", "18"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs the database: `make test` runs just that on the older server too."""
    for item in items:
        if "dsn" in getattr(item, "fixturenames", ()):
            item.add_marker("database")


class MovableClock:
    """A clock that stands where a test puts it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


class Bench(Services):
    """Services with a movable clock and the session's model."""

    def __init__(self, settings: Settings, clock: MovableClock, encoder: Encoder) -> None:
        super().__init__(settings)
        self.clock = clock  # type: ignore[assignment]
        self.encoder = self.phrases = encoder  # type: ignore[assignment]

    def run(self, conn: database.Connection, *stages: str) -> dict[str, Any]:
        """Run the stages in order, each until nothing is due; their reports by name."""
        return {stage: run_stage(conn, self, stage) for stage in stages or STAGES}


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A command that ran inside a test has set the log to that test's own standard error."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _no_memory_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands in for the encoder in a test, the user's own cache gets none of it."""
    monkeypatch.setattr(vector_cache, "of_phrases", lambda encoder: encoder)


@pytest.fixture(scope="session")
def pg() -> Iterator[EmbeddedServer]:
    """The embedded server, in memory where the machine lets us."""
    shm = Path("/dev/shm")
    base = shm if shm.is_dir() and shutil.disk_usage(shm).free > 2**30 else None
    with tempfile.TemporaryDirectory(prefix="cw-pg-", dir=base) as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer(Path(folder) / "h", PG_MAJOR, shared_buffers="64MB", maintenance_work_mem="64MB")
        server.start()
        server.bootstrap()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def template(pg: EmbeddedServer) -> str:
    """Name of a database that is migrated and otherwise empty."""
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        admin.execute("alter role claimwatch createdb")
        admin.execute("create database cw_template owner claimwatch")
    with psycopg.connect(pg.dsn("postgres", "cw_template"), autocommit=True) as admin:
        admin.execute("create extension vector")
    with psycopg.connect(
        pg.dsn("claimwatch", "cw_template"), autocommit=True, row_factory=psycopg.rows.namedtuple_row
    ) as conn:
        migrations.migrate(conn, SystemClock())
    return "cw_template"


def clone(admin: psycopg.Connection[Any], name: str, template: str) -> None:
    """A database like another one. Copying its files takes a seventh of the time that writing them to the log does."""
    admin.execute(f"create database {name} template {template} owner claimwatch strategy file_copy")


@pytest.fixture
def dsn(pg: EmbeddedServer, template: str) -> Iterator[str]:
    """A clone of the template, dropped after the test."""
    name = f"t_{time.monotonic_ns()}"
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        clone(admin, name, template)
        yield pg.dsn("claimwatch", name)
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    return make_settings(tmp_path, dsn)


def make_settings(home: Path, dsn: str, **sections: Any) -> Settings:
    """Settings for tests: loopback is allowed, delays are short."""
    fetch = {"host_delay": 0.0, "allow_networks": ["127.0.0.0/8", "::1/128"], "total_timeout": 10.0}
    sections["fetch"] = {**fetch, **sections.get("fetch", {})}
    sections["poll"] = {"host_delay": 0.0, **sections.get("poll", {})}
    return Settings(home=home, database={"dsn": dsn}, **sections)


def desk_settings(pg: EmbeddedServer, dsn: str, home: Path, **web: Any) -> Settings:
    """Settings for the desk on a clone: it connects as the analysts' roles."""
    roles = {
        f"{role}_dsn": clone_dsn(dsn, f"claimwatch_{role}", pg.password(f"claimwatch_{role}"))
        for role in ("analyst", "reviewer")
    }
    return Settings(home=home, database={"dsn": dsn, **roles}, web=web)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime(2024, 12, 20, 22, tzinfo=UTC))


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The real model, with a memory beside it that later runs and other workers share: a Matcher alone is made of
    thousands of texts. It begins anew with every change of the encoder's source.
    """
    sources = b"".join(Path(inspect.getfile(module)).read_bytes() for module in (e5, encoder_module, packaged_models))
    name = f"tests-{hashlib.sha256(sources).hexdigest()[:12]}.sqlite"
    return CachedEncoder(Encoder(EmbedSettings()), packaged_models.cache_folder() / name)  # type: ignore[return-value]


def remember(encoder: Encoder, home: Path) -> None:
    """Give a home's own cache of vectors what the session's encoder knows, for commands that make their encoder."""
    home.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(home / "vectors.sqlite")) as store:
        encoder._store.backup(store)  # type: ignore[attr-defined]


@pytest.fixture
def bench(settings: Settings, clock: MovableClock, encoder: Encoder) -> Bench:
    return Bench(settings, clock, encoder)


@pytest.fixture
def conn(settings: Settings) -> Iterator[database.Connection]:
    with database.session(settings) as conn:
        yield conn


@cache
def phrase_vectors(encoder: Encoder) -> dict[str, Any]:
    """Vectors of every text that a Matcher of the project's claims is made of."""
    texts = packaged_materials().texts(materials.claims_of(CLAIMS))
    return dict(zip(texts, encoder.encode(texts), strict=True))


def packaged_materials() -> materials.Materials:
    """Those of the packaged decision model."""
    return materials.of_model(package_data("matcher.json"))


@cache
def project_matcher(encoder: Encoder) -> Matcher:
    """The project's claims with the packaged model, as every home has them at first."""
    vectors = phrase_vectors(encoder)
    return packaged_materials().matcher(materials.claims_of(CLAIMS), lambda texts: [vectors[text] for text in texts])


@pytest.fixture
def with_claims(bench: Bench, conn: database.Connection) -> None:
    """The claims of the project, loaded, with their vectors."""
    from pipeline.logic.text import content_hash
    from pipeline.stages import embed

    claims.load(conn, bench, CLAIMS)
    model_id = embed.model(conn, bench)
    vectors = phrase_vectors(bench.encoder)
    values = [
        {"model_id": model_id, "content_hash": content_hash(text), "embedding": embed.half(vector)}
        for text, vector in vectors.items()
    ]
    database.execute_many(conn, "models.store_phrase", values)


@pytest.fixture(scope="session")
def newsroom_2024(
    pg: EmbeddedServer, template: str, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Name of a database with some evenings of the newsroom, matched against four claims and tracked. For copies."""
    from newsroom_archive import FOLLOWED, play, some_claims

    folder, name = tmp_path_factory.mktemp("newsroom"), "t_newsroom_2024"
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        clone(admin, name, template)
        settings = make_settings(folder, pg.dsn("claimwatch", name))
        clock = MovableClock(datetime(2024, 10, 1, tzinfo=UTC))
        with database.session(settings) as conn:
            bench = Bench(settings, clock, encoder)
            claims.load(conn, bench, some_claims(folder, *FOLLOWED))
            play(conn, bench, clock)
        yield name
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def newsroom_copy(pg: EmbeddedServer, newsroom_2024: str) -> Iterator[str]:
    """A copy of that database, dropped after the test; a test file takes it for its `dsn`."""
    name = f"t_{time.monotonic_ns()}"
    with psycopg.connect(pg.dsn("postgres", "postgres"), autocommit=True) as admin:
        clone(admin, name, newsroom_2024)
        yield pg.dsn("claimwatch", name)
        admin.execute(f"drop database {name} with (force)")


class Serving:
    """An ASGI app on a free loopback port, in a thread."""

    def __init__(self, app: Any) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off", access_log=False)
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture
def newsroom(clock: MovableClock) -> Iterator[int]:
    """The sample newsroom at the test's clock; its port."""
    with Serving(create_app(clock)) as port:
        yield port


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The mail sink in a process of its own: (port, mbox)."""
    mbox = tmp_path / "mail.mbox"
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.newsroom.sink", "--port", "0", "--mbox", str(mbox)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        yield int(line.split("127.0.0.1:")[1].split(",")[0]), mbox
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def shared() -> Path:
    """The developers' data; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared")
    return SHARED


def clone_dsn(dsn: str, role: str, password: str) -> str:
    """The same database as another role."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return f"postgresql://{role}:{quote(password)}@/{parts['dbname']}?host={quote(str(parts['host']), safe='')}"


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """`claimwatch ...` as the shell runs it; its exit status."""
    from pipeline import cli

    monkeypatch.setattr("sys.argv", ["claimwatch", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


class FakeEncoder:
    """Vectors that follow from the text alone, for tests of everything around the model."""

    name = "fake"
    weights_hash = "fake"
    dimensions = 8

    def encode(self, texts: list[str]) -> Any:
        import numpy as np

        rows = [np.random.default_rng(list(text.encode())).normal(size=self.dimensions) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(-1, self.dimensions)


class BagOfWords(FakeEncoder):
    """Texts that share words are near each other: enough meaning for the whole of matching and training."""

    name = weights_hash = "words"
    dimensions = 64

    def encode(self, texts: list[str]) -> Any:
        import numpy as np

        from pipeline.logic.fulltext import tokens

        bags = [list(dict.fromkeys(tokens(text))) or [text] for text in texts]
        sums = [
            sum(np.random.default_rng(list(word.encode())).normal(size=self.dimensions) for word in b) for b in bags
        ]
        return np.array([row / np.linalg.norm(row) for row in sums], np.float32).reshape(-1, self.dimensions)


@pytest.fixture
def command(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command on the test's database, in this process: (exit status, output, errors)."""
    monkeypatch.setenv("CLAIMWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLAIMWATCH_DATABASE__DSN", dsn)
    monkeypatch.setenv("COLUMNS", "250")

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run_command(monkeypatch, *arguments)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return status, said.out, said.err

    return run
