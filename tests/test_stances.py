"""An entailment model judges stances: in matching, in scores and in evaluation alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claims_files import some_claims
from conftest import CLAIMS, Bench, make_settings, run_command
from tiny_nli import tiny_nli

from pipeline.adapters.database import Connection
from pipeline.adapters.encoder import Encoder
from pipeline.commands import quality
from pipeline.logic import claimsfile
from pipeline.logic.matching import Decision, Passage
from pipeline.logic.stances import FEATURES, judged
from pipeline.settings import Settings
from pipeline.stages import claims, materials

LABELS = ["neutral", "entailment", "contradiction"]
CLAIM = "killed-in-kursk"
EVIDENCE = "Dozens of North Korean soldiers were killed in Kursk."
DENIED = "No North Korean soldier was killed in Kursk, the ministry said."
TEXT = f"Snow fell in the night.\n{EVIDENCE} Their unit was withdrawn, an officer said.\n{DENIED}"


class Saying:
    """An entailment model that says what it is told to, and remembers what it was asked."""

    def __init__(self, *values: tuple[float, float, float]) -> None:
        self.values = values
        self.asked: list[tuple[str, str]] = []

    def predict(self, pairs: Sequence[tuple[str, str]]) -> Any:
        self.asked += pairs
        return np.array(self.values, np.float32)


@pytest.mark.parametrize(
    ("values", "stance"),
    [
        ((0.1, 0.6, 0.3), "refutes"),
        ((0.6, 0.1, 0.3), "supports"),
        ((0.1, 0.5, 0.4), "updates"),
        ((0.5, 0.1, 0.4), "updates"),
        ((0.1, 0.1, 0.8), "updates"),
    ],
)
def test_only_a_sure_model_changes_a_stance(values: tuple[float, float, float], stance: str) -> None:
    followed = claimsfile.parse(CLAIMS.read_text(encoding="utf-8"), "claims").claims
    passages = [Passage("First. Second.", "A title", np.zeros(1, np.float32)), Passage("Whole.", "", np.zeros(1))]
    model = Saying(values, (0.2, 0.2, 0.6))
    decisions = [
        Decision(0, 3, 0.8, "updates", "Second.", {"words": 0.5}, "why"),
        Decision(1, 0, 0.4, "refutes", "Whole.", {}, ""),
    ]
    found = judged(decisions, passages, followed, model)
    assert model.asked == [("Second. First. Second.", followed[3].statement), ("Whole.", followed[0].statement)]
    assert [d.stance for d in found] == [stance, "refutes"]
    assert found[0].features == pytest.approx({"words": 0.5, **dict(zip(FEATURES, values, strict=True))})
    assert (found[0].probability, found[0].sentence, found[0].why) == (0.8, "Second.", "why")
    assert judged(decisions, passages, followed, None) == decisions
    assert judged([], passages, followed, Saying()) == []


@pytest.fixture
def read(bench: Bench, conn: Connection, tmp_path: Path) -> None:
    """An article, with vectors, and two claims."""
    claims.load(conn, bench, some_claims(tmp_path, CLAIM, "troops-fighting"))
    now = bench.clock.now()
    conn.execute(
        """with p as (insert into ingest.publishers (name, family, country, kind)
                      values ('The Tide', 'The Tide', 'gb', 'newspaper') returning publisher_id),
                f as (insert into ingest.feeds (url, publisher_id, poll_interval, added_at)
                      select 'https://t.example/feed', publisher_id, '1h', %(now)s from p returning feed_id),
                a as (insert into ingest.articles (url, publisher_id, first_seen_at)
                      select 'https://t.example/1', publisher_id, %(now)s from p returning article_id),
                e as (insert into ingest.entries (feed_id, entry_key, article_id, title, summary, content,
                                                  first_seen_at)
                      select feed_id, '1', article_id, 'Losses', '', %(text)s, %(now)s from f, a)
           insert into ingest.work (stage, item_id, due_at) select 'extract', article_id, %(now)s from a""",
        {"now": now, "text": TEXT},
    )
    bench.run(conn, "extract", "embed")


def matched(conn: Connection, bench: Bench, nli: Path | None) -> dict[tuple[str, str], Any]:
    """What a run of match with this entailment model stores, by claim and sentence."""
    conn.execute("delete from ingest.work where stage in ('match', 'track')")
    conn.execute("delete from ingest.matches")
    conn.execute(
        "insert into ingest.work (stage, item_id, due_at) select 'match', paragraph_id, %s from ingest.paragraphs",
        [bench.clock.now()],
    )
    known = bench.settings
    settings = make_settings(known.home, known.database.dsn.get_secret_value(), match={"nli": nli and str(nli)})
    Bench(settings, bench.clock, bench.encoder).run(conn, "match")  # type: ignore[arg-type]
    found = conn.execute("select * from ingest.matches").fetchall()
    return {(m.claim_id, m.sentence): m for m in found}


def test_a_match_run(read: None, conn: Connection, bench: Bench, tmp_path: Path) -> None:
    plain = matched(conn, bench, None)
    assert {CLAIM} <= {claim for claim, _ in plain}
    assert plain[CLAIM, EVIDENCE].stance == "supports"
    assert not set(FEATURES) & plain[CLAIM, EVIDENCE].features.keys()
    leanings = {
        "contradiction": ("refutes", "nli_contradicts"),
        "entailment": ("supports", "nli_entails"),
        "neutral": (None, "nli_neutral"),
    }
    for leaning, (stance, name) in leanings.items():
        judged_by_it = matched(conn, bench, tiny_nli(tmp_path, LABELS, leaning))
        assert judged_by_it.keys() == plain.keys()
        for place, match in judged_by_it.items():
            rule = plain[place]
            assert match.stance == (stance or rule.stance)
            assert (match.tier, match.probability, match.why) == (rule.tier, rule.probability, rule.why)
            said = {feature: match.features.pop(feature) for feature in FEATURES}
            assert said[name] > 0.9
            assert sum(said.values()) == pytest.approx(1, abs=0.001)
            assert match.features == rule.features


def test_score_and_eval(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both commands judge what is at least suggested, and nothing else."""
    file = some_claims(tmp_path, CLAIM, "troops-fighting")
    matcher = materials.load(Settings(home=tmp_path)).matcher(materials.claims_of(file), encoder.encode)
    monkeypatch.setattr(quality, "_matcher", lambda *_: (matcher, encoder))
    monkeypatch.setenv("CLAIMWATCH_HOME", str(tmp_path))
    folder = tmp_path / "set"
    folder.mkdir()
    items = [{"id": "e", "title": "Losses", "text": TEXT}, {"id": "o", "title": "Rain", "text": "Farmers are glad."}]
    (folder / "items.jsonl").write_text("".join(json.dumps(i) + "\n" for i in items), encoding="utf-8")
    label = {"id": "e", "direct": {CLAIM: "refutes"}, "related": []}
    (folder / "labels.jsonl").write_text(json.dumps(label) + "\n", encoding="utf-8")

    def lines() -> dict[tuple[str, str], dict[str, Any]]:
        assert run_command(monkeypatch, "score", folder / "items.jsonl", "--out", tmp_path / "out.jsonl") == 0
        found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
        return {(line["id"], line["claim"]): line for line in found}

    plain = lines()
    for leaning, stance in (("contradiction", "refutes"), ("entailment", "supports")):
        monkeypatch.setenv("CLAIMWATCH_MATCH__NLI", str(tiny_nli(tmp_path, LABELS, leaning)))
        for place, line in lines().items():
            told = plain[place]["tier"] != "none"
            assert line == {**plain[place], "stance": stance if told else plain[place]["stance"]}
            assert told or place != ("e", CLAIM)
        assert run_command(monkeypatch, "eval", folder) == 0
        assert f"stance: accuracy {stance == 'refutes':.2f}" in capsys.readouterr().out
