"""Origins from the extract stage to the analysts' views, and after edits of the lexicon."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Bench, MovableClock, make_settings, run_command

from pipeline.adapters import database
from pipeline.adapters.database import Connection, rows
from pipeline.errors import ConfigurationError
from pipeline.local.prepare import prepare
from pipeline.logic.coverage import Coverage
from pipeline.settings import Settings
from pipeline.stages import origins
from pipeline.stages.services import Services, run_stage

LEXICON = ROOT / "claims" / "origins.yaml"
TEXTS = {
    "https://a.example/1": (
        "More soldiers leave",
        "Another 2,000 men have left, South Korea's spy agency said on Friday.\nFew of them have seen a front.",
    ),
    "https://b.example/1": ("Moscow answers", "The Kremlin has denied the reports.\nIt was cold that day."),
}


@pytest.fixture
def read(bench: Bench, conn: Connection) -> dict[str, int]:
    """Two articles whose text came with the feed, extracted: article by address."""
    now = bench.clock.now()
    found = {}
    for number, (url, (title, content)) in enumerate(TEXTS.items()):
        publisher = conn.execute(
            "insert into ingest.publishers (name, family, country, kind) values (%s, %s, 'gb', 'newspaper')"
            " returning publisher_id",
            [f"Post {number}", f"Post {number}"],
        ).fetchone()[0]
        feed = conn.execute(
            "insert into ingest.feeds (url, publisher_id, poll_interval, added_at) values (%s, %s, '1h', %s)"
            " returning feed_id",
            [f"{url}/feed", publisher, now],
        ).fetchone()[0]
        article = conn.execute(
            "insert into ingest.articles (url, publisher_id, first_seen_at) values (%s, %s, %s) returning article_id",
            [url, publisher, now],
        ).fetchone()[0]
        conn.execute(
            "insert into ingest.entries (feed_id, entry_key, article_id, title, summary, content, first_seen_at)"
            " values (%s, %s, %s, %s, '', %s, %s)",
            [feed, url, article, title, content, now],
        )
        conn.execute("insert into ingest.work (stage, item_id, due_at) values ('extract', %s, %s)", [article, now])
        found[url] = article
    bench.run(conn, "extract")
    return found


def of_article(conn: Connection, article: int) -> list[tuple[Any, ...]]:
    return [
        tuple(line)
        for line in conn.execute(
            "select position, origin, how from analysis.article_origins where article_id = %s"
            " order by position nulls first, origin",
            [article],
        )
    ]


def test_the_extract_stage_stores_them(read: dict[str, int], conn: Connection) -> None:
    assert of_article(conn, read["https://a.example/1"]) == [
        (None, "NIS", "cue"),
        (0, "NIS", "inherited"),
        (1, "NIS", "cue"),
        (2, "NIS", "inherited"),
    ]
    assert of_article(conn, read["https://b.example/1"])[0] == (None, "Kremlin", "cue")
    counted = conn.execute("select name, articles, cited_in from analysis.origins where cited_in > 0 order by name")
    assert [tuple(line) for line in counted] == [("Kremlin", 1, 1), ("NIS", 1, 1)]


def test_evidence_names_them(read: dict[str, int], with_claims: None, bench: Bench, conn: Connection) -> None:
    """One story told by two articles, whose evidence rests on two authorities."""
    story = database.row(conn, "stories.add", now=bench.clock.now()).story_id
    conn.execute("update ingest.articles set story_id = %s", [story])
    version = conn.execute("select claim_version_id, claim_id from ingest.claim_versions limit 1").fetchone()
    first, second = bench.clock.now(), bench.clock.now() + timedelta(days=1)
    for at, paragraph in zip(
        (first, second),
        conn.execute("select paragraph_id from ingest.appearances where position = 1 order by paragraph_id").fetchall(),
        strict=True,
    ):
        conn.execute(
            "insert into ingest.matches (claim_id, claim_version_id, paragraph_id, model_id, matcher, probability,"
            " tier, stance, sentence, features, matched_at)"
            " select %s, %s, %s, model_id, 'm', 0.9, 'accepted', 'supports', 's', '{}', %s from ingest.models",
            [version.claim_id, version.claim_version_id, paragraph[0], at],
        )
    told = conn.execute("select articles, families, origins from analysis.evidence").fetchall()
    assert [tuple(line) for line in told] == [(2, 2, ["Kremlin", "NIS"])]
    each = conn.execute("select origin, articles, cited, sentence from analysis.evidence_origins order by origin")
    assert [(o, n, cited, sentence[:11]) for o, n, cited, sentence in each] == [
        ("Kremlin", 1, True, "The Kremlin"),
        ("NIS", 1, True, "Another 2,0"),
    ]
    line = "1 story, 2 families: 2 articles, 2 publishers, 2 origins"
    assert Coverage(*database.row(conn, "alerts.coverage", claim_id=version.claim_id, without=[])).line() == line
    assert Coverage(*database.row(conn, "status.coverage")).line() == line
    state = "select origins from analysis.claim_state(%s, as_of => %s, known_at => %s)"
    for known, number in ((first - timedelta(days=1), 0), (first, 1), (second, 2)):
        assert conn.execute(state, [version.claim_id, second, known]).fetchone()[0] == number
    # What is rejected or superseded rests on nobody.
    conn.execute("update ingest.matches set superseded_at = %s where matched_at = %s", [second, first])
    assert conn.execute("select count(*) from analysis.evidence_origins").fetchone()[0] == 1
    assert database.row(conn, "status.coverage").origins == 1
    conn.execute(
        "update ingest.matches set tier = 'rejected', matcher_tier = 'accepted' where matched_at = %s", [second]
    )
    assert conn.execute("select count(*) from analysis.evidence_origins").fetchone()[0] == 0


def test_an_edited_lexicon(read: dict[str, int], conn: Connection, settings: Settings, tmp_path: Path) -> None:
    """Names change places, an origin goes, and `renew` looks at everything again."""
    own = tmp_path / "own.yaml"
    content = LEXICON.read_text(encoding="utf-8")
    edited = content.replace("name: NIS\n", "name: Swapped\n").replace("name: GUR\n", "name: NIS\n")
    edited = edited.replace("name: Swapped\n", "name: GUR\n").replace(
        "  - {id: kbs, name: KBS,", "  - {id: kbs2, name: KBS,"
    )
    own.write_text(edited, encoding="utf-8")
    services = Services(make_settings(settings.home, settings.database.dsn.get_secret_value(), origins=str(own)))
    assert origins.renew(conn, services) == 2
    assert of_article(conn, read["https://a.example/1"])[0] == (None, "GUR", "cue")
    retired = conn.execute("select origin_id from analysis.origins where retired_at is not null").fetchall()
    assert [line[0] for line in retired] == ["kbs"]
    # ... and back: the old file is the one in force again.
    assert origins.renew(conn, Services(settings)) == 2
    assert of_article(conn, read["https://a.example/1"])[0] == (None, "NIS", "cue")
    assert conn.execute("select name from analysis.origins where origin_id = 'kbs'").fetchone()[0] == "KBS"
    assert conn.execute("select retired_at from analysis.origins where origin_id = 'kbs'").fetchone()[0] is None


def test_renewing_finds_what_extracting_found(read: dict[str, int], bench: Bench, conn: Connection) -> None:
    query = "select * from ingest.version_origins order by version_id, position nulls first, origin_id"
    before = conn.execute(query).fetchall()
    assert before
    origins.renew(conn, bench)
    assert conn.execute(query).fetchall() == before


def test_preparing_loads_the_lexicon_once(settings: Settings, conn: Connection, clock: MovableClock) -> None:
    prepare(settings)
    named = rows(conn, "origins.loaded", lexicon_hash=origins.lexicon(settings).digest)
    assert named
    count = conn.execute("select count(*) as known, count(retired_at) as retired from analysis.origins").fetchone()
    assert tuple(count) == (len(origins.lexicon(settings).finder.origins), 0)
    origins.sync(conn, settings, clock)
    assert conn.execute("select count(*) from analysis.origins").fetchone()[0] == count[0]


def test_a_lexicon_with_a_mistake_stops_before_anything_is_read(
    bench: Bench, conn: Connection, settings: Settings, tmp_path: Path
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("countries: {}\n", encoding="utf-8")
    services = Services(make_settings(settings.home, settings.database.dsn.get_secret_value(), origins=str(own)))
    conn.execute("insert into ingest.work (stage, item_id, due_at) values ('extract', 1, %s)", [bench.clock.now()])
    with pytest.raises(ConfigurationError, match=r"own\.yaml:1: the file lacks 'roles'"):
        run_stage(conn, services, "extract")
    with pytest.raises(ConfigurationError, match="can't be read"):
        origins.lexicon(make_settings(tmp_path, "postgresql://x", origins=str(tmp_path / "none.yaml")))


# The command


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLAIMWATCH_HOME", str(tmp_path))
    return tmp_path


def test_the_list(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run_command(monkeypatch, "origins", "--format", "json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    nis = next(line for line in lines if line["origin"] == "nis")
    assert nis == {
        "origin": "nis",
        "name": "NIS",
        "kind": "intelligence",
        "country": "KR",
        "languages": "en ko ru uk ja zh fr",
    }
    assert not any(line["origin"] == "officials-ua" for line in lines)
    run_command(monkeypatch, "origins", "--all", "--format", "csv")
    assert "officials-ua,Ukrainian officials,government,UA," in capsys.readouterr().out


def test_check(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = "Losses grow\nThe losses grow, GUR said.\n\nThe defence ministry denied it.\n"
    (home / "t.txt").write_text(text, encoding="utf-8")
    assert run_command(monkeypatch, "origins", "check", home / "t.txt", "--country", "ru", "--format", "json") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(f["position"], f["origin"], f["how"]) for f in found] == [
        (None, "GUR", "cue"),
        (0, "GUR", "inherited"),
        (1, "GUR", "cue"),
        (2, "Russian MoD", "cue"),
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("Lions\nTwo lions have moved."))
    assert run_command(monkeypatch, "origins", "check", "-") == 0
    assert "no origin found" in capsys.readouterr().out
    assert run_command(monkeypatch, "origins", "check", home / "none.txt") == 2
    assert "can't be read" in capsys.readouterr().err
