"""`claimwatch score`: anyone's texts in, one line for every text and claim out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CLAIMS, BagOfWords, FakeEncoder, phrase_vectors, remember, run_command

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.logic import claimsfile
from pipeline.settings import EmbedSettings

KEYS = ["id", "claim", "probability", "tier", "stance", "sentence", "figures"]
TINY = """\
topic: {id: t, name: Dockers}
concepts:
  dockers: {en: [docker*]}
  strike: {en: [strike*]}
  denial: {en: [denies]}
claims:
  - id: dockers-strike
    statement: Dockers are on strike.
    phrasings: {en: ["Dock workers have walked out.", "A strike of dockers goes on."]}
    refutations: {en: ["No docker is on strike.", "The port denies that dockers strike."]}
    groups: {who: [dockers], did: [strike]}
  - id: strike-ends
    statement: The strike is over.
    phrasings: {en: ["Work resumes."]}
    groups: {did: [strike]}
"""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Encoder, "encode", lambda _self, texts: BagOfWords().encode(texts))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLAIMWATCH_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def score(home: Path, fake: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    (home / "claims.yaml").write_text(TINY, encoding="utf-8")

    def run(content: str | bytes | list[dict[str, Any]], status: int = 0) -> list[dict[str, Any]]:
        if isinstance(content, list):
            content = "".join(json.dumps(item) + "\n" for item in content)
        raw = content if isinstance(content, bytes) else content.encode()
        (home / "items.jsonl").write_bytes(raw)
        out = home / "scores.jsonl"
        given = ("score", home / "items.jsonl", "--out", out, "--claims", home / "claims.yaml")
        assert run_command(monkeypatch, *given) == status
        assert out.exists() == (status == 0)
        return [json.loads(line) for line in out.read_bytes().decode().splitlines()] if status == 0 else []

    return run


def test_one_line_for_every_item_and_claim(score: Any) -> None:
    items = [
        {
            "id": "a",
            "published": None,
            "source": None,
            "lang": "en",
            "url": None,
            "title": "Dockers",
            "text": "Hundreds strike at the port.",
        },
        {"id": 7, "title": "The port denies that dockers strike", "text": ""},
        {"id": "empty", "title": "", "text": ""},
        {"id": "bare"},
    ]
    lines = score(items)
    claims = ["dockers-strike", "strike-ends"]
    assert [(line["id"], line["claim"]) for line in lines] == [(item["id"], c) for item in items for c in claims]
    assert all(list(line) == KEYS for line in lines)
    assert all(0 <= line["probability"] <= 1 for line in lines)
    assert {line["tier"] for line in lines} <= {"accepted", "suggested", "none"}
    assert {line["stance"] for line in lines} <= {"supports", "refutes", "updates"}
    by_key = {(line["id"], line["claim"]): line for line in lines}
    assert by_key["a", "dockers-strike"]["sentence"] == "Hundreds strike at the port."
    assert by_key[7, "dockers-strike"]["sentence"] == "The port denies that dockers strike"
    assert by_key[7, "dockers-strike"]["stance"] == "refutes"
    for nothing in ("empty", "bare"):
        line = by_key[nothing, "strike-ends"]
        assert (line["probability"], line["tier"], line["sentence"]) == (0, "none", "")


def test_paragraphs_are_parted_by_newlines(score: Any) -> None:
    text = "The sun shone.\n\nDockers are on strike.\nThe fair opens."
    line = score([{"id": 1, "title": "News", "text": text}])[0]
    assert line["sentence"] == "Dockers are on strike."
    # The title is a context to every paragraph.
    line = score([{"id": 1, "title": "Dockers", "text": "The sun shone.\nA strike."}])[0]
    assert line["sentence"] == "A strike."


def test_the_same_result_in_any_company(score: Any) -> None:
    items = [{"id": n, "title": f"Dockers {n}", "text": f"A strike of {n} days. It rains."} for n in range(20)]
    together = score(items)
    alone = [line for item in items[:3] for line in score([item])]
    assert [{**line, "probability": 0} for line in together[: len(alone)]] == [
        {**line, "probability": 0} for line in alone
    ]
    assert [x["probability"] for x in together[: len(alone)]] == pytest.approx(
        [x["probability"] for x in alone], abs=1e-4
    )


def test_strange_characters_survive(score: Any) -> None:
    nul, half = "\\u0000", "\\ud83d"
    lines = score(
        f'{{"id": "{half}", "title": "Dockers{nul} strike{half}", "text": "{nul}"}}\n'
        '{"id": "북", "title": "\\u202eDockers\\u2028strike", "text": "\\ufeff"}\n'
    )
    assert [line["id"] for line in lines] == ["\ud83d", "\ud83d", "북", "북"]
    assert "\x00" not in "".join(line["sentence"] for line in lines)
    assert lines[0]["sentence"].startswith("Dockers strike")


def test_blank_lines_crlf_and_a_byte_order_mark(score: Any) -> None:
    assert len(score(b'\xef\xbb\xbf{"id": 1, "title": "x"}\r\n\r\n{"id": 2, "title": "y"}')) == 4
    assert score("") == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"id": 1, "n": ' + "9" * 5000 + "}", "not JSON"),
        ("[1]", 'an object with an "id"'),
        ('{"title": "x"}', 'an object with an "id"'),
        ('{"id": null}', 'an object with an "id"'),
        ('{"id": true}', 'an object with an "id"'),
        ('{"id": 1.5}', 'an object with an "id"'),
        ('{"id": 1, "title": ["x"]}', "'title' must be a text"),
        ('{"id": 1, "text": {"x": 1}}', "'text' must be a text"),
        (b'{"id": 1, "text": "\xff"}', "not UTF-8"),
    ],
)
def test_a_broken_line_is_named(
    line: str | bytes, reason: str, score: Any, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = line if isinstance(line, bytes) else line.encode()
    score(b'{"id": 0, "title": "good"}\n' + raw + b"\n", status=1)
    error = capsys.readouterr().err
    assert f"{home / 'items.jsonl'}:2: " in error
    assert reason in error
    assert "Traceback" not in error


def test_files_that_are_not_there(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    items, out = home / "items.jsonl", home / "out.jsonl"
    assert run_command(monkeypatch, "score", items, "--out", out) == 2
    assert "can't be read" in capsys.readouterr().err
    items.write_text('{"id": 1}\n', encoding="utf-8")
    assert run_command(monkeypatch, "score", items, "--out", home / "no" / "out.jsonl") == 2
    assert "can't be written" in capsys.readouterr().err
    assert run_command(monkeypatch, "score", items, "--out", out, "--claims", home / "no.yaml") == 2
    assert "no.yaml can't be read" in capsys.readouterr().err
    assert run_command(monkeypatch, "score", items) == 2  # --out is missing
    assert not out.exists()


def test_the_cache_of_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def encode(_self: Encoder, texts: list[str]) -> np.ndarray:
        asked.append(texts)
        return FakeEncoder().encode(texts)

    monkeypatch.setattr(Encoder, "encode", encode)
    first = CachedEncoder(Encoder(EmbedSettings()), tmp_path / "deep" / "v.sqlite")
    vectors = first.encode(["b", "a", "b"])
    assert asked == [["b", "a"]]
    assert vectors == pytest.approx(FakeEncoder().encode(["b", "a", "b"]), abs=1e-3)
    again = CachedEncoder(Encoder(EmbedSettings()), tmp_path / "deep" / "v.sqlite")
    assert (again.encode(["a", "b"]) == vectors[[1, 0]]).all()
    assert again.made == 0


@pytest.mark.model
def test_the_projects_claims_with_the_real_model(home: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    phrase_vectors(encoder)
    remember(encoder, home / "home")
    items = [
        {
            "id": "evidence",
            "title": "Losses",
            "text": "The sun shone.\nDozens of North Korean soldiers were killed in Kursk.",
        },
        {"id": "other", "title": "Rain in the south", "text": "Farmers are glad."},
    ]
    (home / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    out = home / "scores.jsonl"
    assert run_command(monkeypatch, "score", home / "items.jsonl", "--out", out) == 0
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    claims = claimsfile.parse(CLAIMS.read_text(encoding="utf-8"), "claims").claims
    assert len(lines) == 2 * len(claims) == 34
    best = max(lines, key=lambda line: line["probability"])
    assert (best["id"], best["tier"], best["stance"]) == ("evidence", "accepted", "supports")
    assert best["sentence"] == "Dozens of North Korean soldiers were killed in Kursk."
    assert {line["tier"] for line in lines if line["id"] == "other"} == {"none"}
