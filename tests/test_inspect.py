"""parse-feed and extract on files: what a person sees who debugs a source."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Serving
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pipeline.local import guarded

RSS = b"""<rss version="2.0"><channel><title>Daily</title><link>https://paper.test/</link><skipHours><hour>3</hour>
</skipHours><item><title>Troops leave</title><link>/1</link><description>One.</description>
<pubDate>Fri, 01 Nov 2024 09:00:00 KST</pubDate><source url="https://wire.test/rss">Wire</source></item></channel></rss>"""
TEXT = "The minister told reporters on Tuesday that the talks would go on for as long as they were useful to both. "
MORE = "Officials from three countries are expected to meet again in the capital before the end of the year. "
PAGE = f"""<html lang="en"><head><title>Troops leave</title><meta name="author" content="Anna Writer"></head>
<body><article><h1>Troops leave</h1><p>{TEXT * 2}</p><p>{MORE * 2}</p></article></body></html>""".encode()


def run(*arguments: object, stdin: bytes = b"", home: Path | None = None, **env: str) -> tuple[int, bytes, str]:
    keep = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *map(os.fspath, arguments)],  # type: ignore[arg-type]
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={**keep, "PYTHONPATH": str(ROOT), "CLAIMWATCH_HOME": str(home or "/nonexistent/home"), **env},
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.xml"
    path.write_bytes(RSS)
    return path


def test_one_feed(feed: Path) -> None:
    status, output, errors = run("parse-feed", feed)
    shown = json.loads(output)
    assert (status, errors) == (0, "")
    assert (shown["title"], shown["format"], shown["problem"]) == ("Daily", "rss", None)
    assert (shown["site_url"], shown["skip_hours"]) == ("https://paper.test/", [3])
    assert shown["entries"] == [
        {
            "key": "https://paper.test/1",
            "url": "https://paper.test/1",
            "title": "Troops leave",
            "summary": "One.",
            "content": "",
            "author": None,
            "published": "2024-11-01T00:00:00+00:00",
            "source": "Wire",
            "language": None,
            "source_url": "https://wire.test/rss",
        }
    ]


def test_standard_input_and_the_address_it_came_from() -> None:
    body = RSS.replace(b"<link>https://paper.test/</link>", b"")
    status, output, _ = run("parse-feed", "-", "--url", "https://other.test/feeds/rss", stdin=body)
    assert status == 0
    assert json.loads(output)["entries"][0]["url"] == "https://other.test/1"


def test_one_that_is_no_feed_says_why(tmp_path: Path) -> None:
    page = tmp_path / "page.xml"
    page.write_bytes(PAGE)
    for name, told in (
        (page, "web page"),
        (tmp_path / "missing", "can't be read"),
        (tmp_path / "x\ny", "can't be read"),
    ):
        status, output, errors = run("parse-feed", name)
        assert (status, output) == (1, b"")
        assert told in errors
        assert "Traceback" not in errors


def test_many_are_lines_and_a_bad_one_keeps_nobody(tmp_path: Path, feed: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/odd \xff [name].xml"
    Path(os.fsdecode(odd)).write_bytes(RSS)
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(70):
        (folder / f"{number:03}.xml").write_bytes(RSS.replace(b"Daily", str(number).encode()))
    status, output, errors = run("parse-feed", feed, os.fsdecode(odd), tmp_path / "missing", folder)
    found = lines(output)
    assert status == 0
    assert [each.get("title", "?") for each in found] == ["Daily", "Daily", "?", *map(str, range(70))]
    assert os.fsencode(found[1]["file"]) == odd
    assert found[2] == {
        "file": str(tmp_path / "missing"),
        "error": {"code": "unreadable", "message": f"{tmp_path / 'missing'} can't be read: No such file or directory"},
    }
    assert "73/73" in errors


def test_pages(tmp_path: Path) -> None:
    page, packed, empty = tmp_path / "a.html", tmp_path / "b.html.gz", tmp_path / "c.html"
    page.write_bytes(PAGE)
    packed.write_bytes(gzip.compress(PAGE))
    empty.write_bytes(b"<html><body></body></html>")
    status, output, errors = run("extract", page, "--url", "https://paper.test/1")
    shown = json.loads(output)
    assert (status, errors) == (0, "")
    assert (shown["title"], shown["language"], shown["date"]) == ("Troops leave", "en", None)
    assert shown["authors"] == ["Anna Writer"]
    assert len(shown["paragraphs"]) == 2
    status, output, _ = run("extract", page, packed, empty)
    found = lines(output)
    assert (status, len(found)) == (0, 3)
    assert found[0]["paragraphs"] == found[1]["paragraphs"] == shown["paragraphs"]
    assert found[2]["error"]["code"] == "no-text"
    assert str(empty) in found[2]["error"]["message"]


def test_extract_with_a_limit_is_the_stage(tmp_path: Path) -> None:
    status, _, errors = run("extract", tmp_path / "a.html", "--limit", "3")
    assert status == 2
    assert "stage" in errors


@pytest.fixture
def server() -> Iterator[str]:
    def answer(_: object) -> Response:
        return Response(RSS, headers={"content-type": "application/rss+xml", "content-language": "ko"})

    with Serving(Starlette(routes=[Route("/rss", answer)])) as port:
        yield f"http://127.0.0.1:{port}"


def test_an_address_is_fetched_under_the_settings(server: str, tmp_path: Path) -> None:
    status, _, errors = run("parse-feed", server + "/rss", home=tmp_path)
    assert status == 1
    assert "127.0.0.1" in errors
    allowed = {"CLAIMWATCH_FETCH__ALLOW_NETWORKS": '["127.0.0.0/8"]'}
    status, output, _ = run("parse-feed", server + "/rss", home=tmp_path, **allowed)
    assert status == 0
    assert json.loads(output)["language"] == "ko"
    status, output, _ = run("parse-feed", server + "/rss", server + "/none", home=tmp_path, **allowed)
    assert [each.get("error", {}).get("code") for each in lines(output)] == [None, "http-404"]


# The guard ------------------------------------------------------------------------------------------------------


def misbehave(what: str) -> str:
    if what == "hang":
        time.sleep(60)
    if what == "die":
        os._exit(9)
    if what == "raise":
        raise ValueError("no")
    if what == "eat":
        return "x" * 2**40
    return what


def test_one_that_hangs_dies_or_raises_costs_itself_alone() -> None:
    given = ["a", "hang", "die", "b", "raise", "eat", "die", "c"]
    # The first item of a process has time for its start beside its own.
    found = list(guarded.each(misbehave, iter(["warm", "up", *given]), seconds=1.0))[2:]
    assert [item for item, _ in found] == given
    told = [result.code if isinstance(result, guarded.Failed) else result for _, result in found]
    assert told == ["a", "timeout", "killed", "b", "crashed", "crashed", "killed", "c"]


def test_results_are_not_heaped_up() -> None:
    taken = 0

    def items() -> Iterator[str]:
        nonlocal taken
        for _ in range(200):
            taken += 1
            yield "a"

    results = guarded.each(misbehave, items(), seconds=5.0)
    next(results)
    time.sleep(0.2)
    assert taken < 60
    results.close()  # type: ignore[attr-defined]
