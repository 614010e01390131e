"""Reads every file of a corpus of feeds as the product does: outcomes, time, agreement with what the files expect.

    python benchmarks/feeds.py DATA/feeds [--json OUT.json] [--differ] [--not-kept]

DATA/feeds has feedparser/, miniflux/, reader/ and opml/. Each file is read in a child process under a time limit. The
expectations in feedparser's files are put to the product and to feedparser alone; those about fields that the product
does not keep are counted apart. Then one feed of 20 entries is read over and over, for the time it takes. The last line
is JSON.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from pipeline.evaluation.feed_corpus import Looked, Suite, files, look, suite_of, summary
from pipeline.local import guarded
from pipeline.terminal import Format, console, show

SECONDS = 20.0
COLUMNS = ["suite", "files", "read", "not a feed", "failed", "compared", "ours", "feedparser", "not kept", "slowest ms"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=Path(__file__).parents[2] / "shared" / "data" / "feeds")
    parser.add_argument("--json", type=Path, help="write one object a file there, as JSON Lines")
    parser.add_argument("--differ", action="store_true", help="print the expectations that the product does not meet")
    parser.add_argument("--not-kept", action="store_true", help="print the fields that it does not keep")
    arguments = parser.parse_args()
    begun = time.monotonic()
    looked = [_result(given, result) for given, result in guarded.each(look, files(arguments.data), seconds=SECONDS)]
    if arguments.json:
        lines = (json.dumps(asdict(one), ensure_ascii=False) for one in looked)
        arguments.json.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    suites = summary(looked)
    total = Suite()
    for one in looked:
        total.add(one)
    show(COLUMNS, [_row(name, suite) for name, suite in [*suites.items(), ("all", total)]], Format.table)
    if arguments.differ:
        for one in (o for o in looked if o.ours is False or o.outcome in ("timeout", "killed", "crashed")):
            console.print(f"{one.file}: {one.outcome}, {one.expected or one.problem}", markup=False)
    if arguments.not_kept:
        fields = Counter(one.not_kept for one in looked if one.not_kept)
        console.print(", ".join(f"{name} {count}" for name, count in fields.most_common()), markup=False)
    spent = speed()
    console.print("a feed of 20 entries: " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in spent.items()))
    figures = {name: _figures(suite) for name, suite in suites.items()}
    seconds = round(time.monotonic() - begun, 1)
    print(
        json.dumps({"benchmark": "feeds", "seconds": seconds, **_figures(total), "parse_ms": spent, "suites": figures})
    )


def speed(entries: int = 20, rounds: int = 60) -> dict[str, float]:
    """Processor time of one feed in milliseconds, the best of five goes."""
    import feedparser

    from pipeline.logic import feeds

    sentence = "The ministry said on Tuesday that talks about the bridge would go on as long as they were useful."
    html = f"&lt;p&gt;{sentence * 3} &amp;amp; &lt;a href=&quot;/x&quot;&gt;more&lt;/a&gt;.&lt;/p&gt;" * 2
    items = "".join(
        f"<item><title>{sentence[n:]}</title><link>https://paper.test/{n}</link><dc:creator>A. B</dc:creator>"
        f"<guid>https://paper.test/{n}</guid><pubDate>Fri, 01 Nov 2024 09:{n:02}:00 +0900</pubDate>"
        f"<category>World</category><description>{html}</description></item>"
        for n in range(entries)
    )
    space = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    body = f'<rss version="2.0" {space}><channel><title>Daily</title>{items}</channel></rss>'.encode()
    headers = {"content-type": "application/xml"}
    own = list(feedparser.api.PREFERRED_XML_PARSERS)

    def alone() -> None:
        feedparser.api.PREFERRED_XML_PARSERS[:] = own  # `feeds` names a faster one to it
        feedparser.parse(io.BytesIO(body), response_headers=headers)

    readers: dict[str, Callable[[], object]] = {
        "feedparser": alone,
        "ours": lambda: feeds.parse(body, "application/xml", "https://paper.test/rss"),
    }
    spent = dict.fromkeys(readers, float("inf"))
    for _ in range(5):
        for name, read in readers.items():
            begun = time.process_time()
            for _ in range(rounds // 5):
                read()
            spent[name] = min(spent[name], 1000 * (time.process_time() - begun) / (rounds // 5))
    return {name: round(ms, 2) for name, ms in spent.items()}


def _result(given: tuple[str, str], result: Looked | guarded.Failed) -> Looked:
    if isinstance(result, Looked):
        return result
    file = given[1]
    return Looked(file, suite_of(file), result.code, SECONDS, problem=result.message)


def _failed(suite: Suite) -> int:
    return sum(suite.outcomes[code] for code in ("timeout", "killed", "crashed"))


def _row(name: str, suite: Suite) -> list[object]:
    refused = suite.files - suite.outcomes["ok"] - _failed(suite)
    told = [suite.compared, suite.ours, suite.theirs, suite.not_kept + suite.by_decision]
    return [name, suite.files, suite.outcomes["ok"], refused, _failed(suite), *told, round(1000 * suite.slowest)]


def _figures(suite: Suite) -> dict[str, object]:
    return {
        "files": suite.files,
        "outcomes": dict(suite.outcomes),
        "compared": suite.compared,
        "agree": suite.ours,
        "feedparser_agree": suite.theirs,
        "not_kept": suite.not_kept,
        "by_decision": suite.by_decision,
        "slowest_ms": round(1000 * suite.slowest),
    }


if __name__ == "__main__":
    main()
