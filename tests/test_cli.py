"""The command line on a real database: what commands print, store and end with."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from conftest import CLAIMS, ROOT, Bench, FakeEncoder, MovableClock, make_settings, run_command
from typer.testing import CliRunner

from pipeline import __version__
from pipeline.adapters import database
from pipeline.adapters.database import Connection
from pipeline.adapters.encoder import Encoder
from pipeline.cli import app
from pipeline.newsroom.content import feed_urls
from pipeline.settings import Settings
from pipeline.stages.poll import add_feed
from pipeline.stages.services import STAGES

OPML = """\
<opml version="2.0"><body>
  <outline text="One" xmlUrl="https://one.example/feed"/>
  <outline text="Two" xmlUrl="https://two.example/feed?utm_source=x"/>
  <outline text="No feed" xmlUrl="ftp://three.example/feed"/>
</body></opml>
"""

Command = Callable[..., "Done"]


class Done:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err
        assert "Traceback" not in err

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(autouse=True)
def environment(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CLAIMWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLAIMWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLAIMWATCH_DATABASE__DSN", dsn)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: object) -> Done:
        capsys.readouterr()
        status = run_command(monkeypatch, *arguments)
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    return run


def all_commands() -> list[list[str]]:
    found: list[list[str]] = [[]]

    def walk(group: click.Command, path: list[str]) -> None:
        for name, inner in getattr(group, "commands", {}).items():
            found.append([*path, name])
            walk(inner, [*path, name])

    walk(typer.main.get_command(app), [])
    return found


@pytest.mark.parametrize("path", all_commands(), ids=" ".join)
def test_every_command_explains_itself(path: list[str]) -> None:
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    node = typer.main.get_command(app)
    for name in path:
        node = node.commands[name]  # type: ignore[attr-defined]
    assert node.help
    assert node.help.strip().splitlines()[0] in " ".join(result.output.replace("│", " ").split())
    for parameter in node.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.help, (path, parameter.name)


def test_version(command: Command) -> None:
    done = command("--version")
    assert (done.status, done.out) == (0, f"claimwatch {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["feeds", "nonsense"], ["feeds", "add"], ["status", "-f", "xml"], ["poll", "--limit", "x"]],
)
def test_a_wrong_call_ends_with_2(arguments: list[str], command: Command) -> None:
    done = command(*arguments)
    assert done.status == 2
    assert done.err


def test_home_is_an_option_too(command: Command, tmp_path: Path) -> None:
    shown = command("--home", tmp_path / "other", "config", "show")
    assert json.loads(shown.out)["home"] == str(tmp_path / "other")


def test_no_database(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMWATCH_DATABASE__DSN", "postgresql://u:hunter2@127.0.0.1:1/x")
    done = command("status")
    assert done.status == 2
    assert "no connection to the database" in done.err
    assert "hunter2" not in done.err


def test_init_and_migrate(command: Command, tmp_path: Path) -> None:
    done = command("init")
    assert done.status == 0, done.err
    file = tmp_path / "home" / "claimwatch.toml"
    assert file.stat().st_mode & 0o077 == 0
    file.write_text(file.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    again = command("init")
    assert again.status == 0
    assert "wrote" not in again.out
    assert file.read_text(encoding="utf-8").endswith("# mine\n")
    assert "nothing new" in command("migrate").out


def test_feeds(command: Command, tmp_path: Path) -> None:
    one = ("feeds", "add", "HTTPS://One.example/feed", "--no-check", "--publisher", "The One", "--country", "GB")
    added = command(*one)
    assert (added.status, added.out) == (0, "added as feed 1: https://one.example/feed\n")
    assert command(*one).out == "https://one.example/feed is there already\n"
    wrong = command("feeds", "add", "not an address")
    assert wrong.status == 1
    assert "is not a web address" in wrong.err

    (tmp_path / "list.opml").write_text(OPML, encoding="utf-8")
    imported = command("feeds", "import", tmp_path / "list.opml")
    assert imported.status == 0
    assert "1 feeds added, 1 were there already, 1 left out" in imported.out
    assert command("feeds", "import", tmp_path / "no.opml").status == 2
    (tmp_path / "bad.opml").write_text("hello", encoding="utf-8")
    assert command("feeds", "import", tmp_path / "bad.opml").status == 1

    listed = command("feeds", "list", "-f", "json").lines()
    assert [(r["publisher"], r["url"], r["state"]) for r in listed] == [
        ("The One", "https://one.example/feed", "active"),
        ("Two", "https://two.example/feed", "active"),
    ]
    csv = command("feeds", "list", "-f", "csv").out.splitlines()
    assert csv[0].startswith("feed_id,publisher,url,state,health")
    assert len(csv) == 3
    assert "https://two.example/feed" in command("feeds", "list").out


def test_claims_and_subscriptions(command: Command, tmp_path: Path) -> None:
    loaded = command("claims", "load", CLAIMS)
    assert loaded.status == 0
    assert "17 new, 0 changed, 0 unchanged, 0 retired" in " ".join(loaded.out.split())
    assert "0 new, 0 changed, 17 unchanged" in " ".join(command("claims", "load", CLAIMS).out.split())
    listed = command("claims", "list", "-f", "json").lines()
    assert len(listed) == 17
    assert listed[2]["claim"] == "killed-in-kursk"

    edited = tmp_path / "edited.yaml"
    edited.write_text(
        CLAIMS.read_text(encoding="utf-8").replace(
            "North Korean infantry went into combat", "Their infantry went into combat", 1
        ),
        encoding="utf-8",
    )
    assert "0 new, 1 changed, 16 unchanged" in " ".join(command("claims", "load", edited).out.split())
    edited.write_text("claims: []", encoding="utf-8")
    wrong = command("claims", "load", edited)
    assert wrong.status == 2
    assert f"{edited}:1: " in wrong.err
    assert command("claims", "load", tmp_path / "no.yaml").status == 2
    assert len(command("claims", "list", "-f", "json").lines()) == 17

    add = ("subscriptions", "add")
    assert command(*add, "desk@example.org", "--claim", "killed-in-kursk").out.startswith("desk@example.org hears of")
    assert "already" in command(*add, "Desk@example.org", "--claim", "killed-in-kursk").out
    weekly = ("--rhythm", "weekly", "--day", "Friday", "--hour", "7", "--time-zone", "asia/seoul")
    assert command(*add, "desk@example.org", *weekly).status == 0
    limits = ("--quiet", "22:00-7:00", "--min-probability", "0.9", "--languages", "ko,ru")
    assert command(*add, "chief@example.org", "--topic", "nk-russia", *limits).status == 0
    for arguments, reason in (
        (("desk",), "is not a mail address"),
        (("a@b.org", "--claim", "nothing"), "no claim is called 'nothing'"),
        (("a@b.org", "--topic", "nothing"), "no topic is called 'nothing'"),
        (("a@b.org", "--claim", "killed-in-kursk", "--topic", "nk-russia"), "not both"),
        (("a@b.org", "--time-zone", "Moon/Base"), "is not a time zone"),
        (("a@b.org", "--quiet", "late"), "write them like 22:00-07:00"),
        (("a@b.org", "--quiet", "07:00-07:00"), "the whole day"),
        (("a@b.org", "--languages", "ko,Русский"), "write languages as codes"),
        (("a@b.org", "--day", "someday"), "is not a day of the week"),
        (("team", "--service"), "no service is called 'team'"),
    ):
        refused = command(*add, *arguments)
        assert refused.status == 2, arguments
        assert reason in refused.err
    followed = {r["reader"] + " " + r["about"]: r for r in command("subscriptions", "list", "-f", "json").lines()}
    assert {key: (r["rhythm"], r["only"], r["state"]) for key, r in followed.items()} == {
        "desk@example.org killed-in-kursk": ("instant", "", "on"),
        "desk@example.org everything": ("weekly on Friday at 7:00 Asia/Seoul", "", "on"),
        "chief@example.org topic nk-russia": ("instant", "from 90 %; ko, ru; quiet 22:00-07:00 UTC", "on"),
    }
    number = str(followed["desk@example.org killed-in-kursk"]["number"])
    assert command("subscriptions", "pause", number, "--days", "3").out.startswith("paused until")
    assert "paused until" in command("subscriptions").out
    assert command("subscriptions", "resume", number).out == "goes on\n"
    assert command("subscriptions", "end", number).out == "ended\n"
    assert command("subscriptions", "end", number).out == "had ended before\n"
    assert "no subscription has the number" in command("subscriptions", "end", "99").err
    assert "has ended" in command("subscriptions", "resume", number).err
    assert command("subscriptions", "end", "DESK@example.org").out == "ended 1\n"
    assert "has no subscription" in command("subscriptions", "end", "desk@example.org").err
    assert command("alerts", "-f", "json").lines() == []
    assert command("resend", "--all").out.startswith("queued 0")
    assert "7 is not among the failed" in command("resend", "7").out
    assert "give the numbers" in command("resend").err
    assert command("alerts", "--dry-run", "--since", "2024-12-01", "-f", "json").lines() == []


def test_stages_and_status(
    command: Command,
    conn: Connection,
    clock: MovableClock,
    tmp_path: Path,
    dsn: str,
    newsroom: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each stage by its own command, on one outlet of the sample newsroom."""
    fake = FakeEncoder()
    for attribute in ("dimensions", "weights_hash"):
        monkeypatch.setattr(Encoder, attribute, getattr(fake, attribute))
    monkeypatch.setattr(Encoder, "encode", lambda _self, texts: fake.encode(texts))
    monkeypatch.setattr(Settings, "clock", lambda _self: clock)
    monkeypatch.setenv("CLAIMWATCH_FETCH__HOST_MAP", json.dumps({"*.example": f"127.0.0.1:{newsroom}"}))
    monkeypatch.setenv("CLAIMWATCH_FETCH__ALLOW_NETWORKS", '["127.0.0.0/8"]')
    monkeypatch.setenv("CLAIMWATCH_FETCH__HOST_DELAY", "0")
    command("claims", "load", CLAIMS)
    command("feeds", "add", next(iter(feed_urls()))[1])
    said = {stage: command(stage) for stage in STAGES}
    assert all(done.status == 0 for done in said.values()), {stage: done.err for stage, done in said.items()}
    assert said["poll"].out.startswith("poll: 1 items: 1 ")
    articles = conn.execute("select count(*) from ingest.articles").fetchone()[0]
    assert f"fetch: {articles} items: {articles} fetched" in said["fetch"].out
    assert said["notify"].out == "notify: 0 items\n"
    pending = command("status", "-f", "json").lines()
    assert [line["stage"] for line in pending] == list(STAGES)
    assert pending[1]["outcomes so far"] == f"{articles} fetched"
    table = command("status").out
    assert f"1 feeds (0 in trouble), {articles} articles" in " ".join(table.split())
    done = command("maintain")
    assert done.status == 0
    assert "leases freed: 0" in done.out
    # A limit is kept.
    conn.execute("update ingest.work set due_at = '2020-01-01'")
    add_feed(conn, Bench(make_settings(tmp_path, dsn), clock, fake), "https://halyardwire.example/x")  # type: ignore[arg-type]
    assert command("poll", "--limit", "1").out.startswith("poll: 1 items")


def test_psql_is_the_analysts(dsn: str, tmp_path: Path) -> None:
    """On one's own server it connects as the DSN says, with schema analysis in the search path."""
    code = "from pipeline.cli import main; import sys; sys.argv[0] = 'claimwatch'; main()"
    statement = ["--", "-Atc", "select count(*) from evidence; show search_path"]
    done = subprocess.run(
        [os.sys.executable, "-c", code, "psql", "--pipeline", *statement],  # type: ignore[attr-defined]
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout.split("\n") == ["0", "analysis,public", ""]


@pytest.mark.model
def test_search_and_vector(command: Command, conn: Connection, bench: Bench) -> None:
    now = bench.clock.now()
    texts = [
        "Soldiers were killed near the border.",
        "The summer fair opens in the harbour.",
        "국경 근처에서 군인들이 숨졌다.",
    ]
    conn.execute("insert into ingest.publishers (name, family) values ('The One', 'One')")
    from pipeline.logic.text import content_hash
    from pipeline.stages import embed, words

    model_id = embed.model(conn, bench)
    for n, (text, vector) in enumerate(zip(texts, bench.encoder.encode(texts), strict=True), 1):
        language, digest = "ko" if n == 3 else "en", content_hash(text)
        conn.execute("insert into ingest.stories (first_seen_at) values (%s)", [now])
        conn.execute(
            "insert into ingest.articles (url, publisher_id, story_id, first_seen_at) values (%s, 1, %s, %s)",
            [f"https://one.example/{n}", n, now],
        )
        conn.execute(
            "insert into ingest.versions (article_id, version_hash, source, title, language, published_at, known_at) "
            "values (%s, %s, 'page', 't', %s, %s, %s)",
            [n, digest, language, now, now],
        )
        conn.execute(
            "insert into ingest.paragraphs (content_hash, text, first_version_id, first_seen_at) "
            "values (%s, %s, %s, %s)",
            [digest, text, n, now],
        )
        conn.execute("insert into ingest.appearances values (%s, 1, %s, 'body')", [n, n])
        database.execute_many(conn, "models.store", [{"paragraph_id": n, "embedding": embed.half(vector)}], model_id)

    found = command("search", "troops died", "-f", "json", "-k", 2).lines()
    assert {line["text"] for line in found} == {texts[0], texts[2]}
    shown = ["similarity", "published_at", "publisher", "language", "text", "url"]
    assert list(found[0]) == ["rank", "found_by", *shown]
    assert [line["found_by"] for line in found] == ["meaning", "meaning"]  # nobody has made their words yet
    found = command("search", "troops died", "-f", "json", "-k", 2, "--vectors").lines()
    assert list(found[0]) == ["rank", *shown]
    assert found[0]["similarity"] >= found[1]["similarity"]
    assert command("search", "SOLDIER killed", "--words", "-f", "json").lines() == []
    words.fill(conn)
    (only,) = command("search", "SOLDIER killed", "--words", "-f", "json").lines()
    assert only["text"] == texts[0]
    assert list(only) == ["rank", *shown[1:]]
    found = command("search", "troops killed", "-f", "json", "-k", 2).lines()
    assert [(line["text"], line["found_by"]) for line in found] == [(texts[0], "both"), (texts[2], "meaning")]
    assert command("search", "killed", "-f", "json", "--words", "--country", "KR").lines() == []
    assert command("search", "x", "--words", "--vectors").status == 2
    (only,) = command("search", "troops died", "-f", "json", "--lang", "ko").lines()
    assert only["text"] == texts[2]
    assert command("search", "troops died", "-f", "json", "--until", "2000-01-01").lines() == []
    assert command("search", "troops died", "--since", "yesterday").status == 2
    # The vector goes into SQL as it is printed.
    vector_text = command("vector", "troops died").out.strip()
    best = conn.execute(f"select text from analysis.similar('{vector_text}', 1)").fetchone()[0]
    assert best == found[0]["text"]


def test_whoever_has_no_contact_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(2):
        command("feeds", "add", f"http://127.0.0.{n + 1}/feed", "--no-check")
    polled = command("poll")
    assert polled.out.startswith("poll: 2 items: 2 address-refused")
    assert polled.err.count("no contact") == 1
    assert "no contact address is set" in command("status").out
    monkeypatch.setenv("CLAIMWATCH_FETCH__CONTACT", "https://example.org/about")
    command("feeds", "add", "http://127.0.0.3/feed")
    assert "no contact" not in command("poll").err
    assert "no contact" not in command("status").out
