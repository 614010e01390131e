"""Measures how fast a backfill goes through web-archive files: with the claims' terms, with a language, with none.

    python benchmarks/backfill.py [--data FOLDER] [--size MB] [--home FOLDER] [--pages N]

A WARC file of that many megabytes (as stored, one gzip member a record, requests beside responses as crawlers write
them) is made of the pages in the data and the newsroom's own of 2024, repeated under ever new addresses; `--pages`
says how many newsroom pages come among a thousand others. Each run reads the whole file into a database of its own on
an embedded server. Beside the runs: the reader alone, and warcio reading the same file.

The last line is one JSON object; `responses_per_s` counts pages, `records_per_s` requests too; `cpu_ms_a_page` is the
processor time of this process alone, which another load on the machine changes less.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.adapters.database import Connection
from pipeline.adapters.sourcefiles import LocalFile
from pipeline.adapters.warcread import Place, Record, records
from pipeline.local.prepare import prepare
from pipeline.logging import configure
from pipeline.logic.backfills import Options
from pipeline.newsroom import pages
from pipeline.newsroom.content import load
from pipeline.settings import Settings, root
from pipeline.stages import backfill, claims
from pipeline.stages.services import Services

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "extraction" / "scrapinghub" / "html"
CRAWLED = datetime(2024, 12, 1, 6, tzinfo=UTC)
SEED = 7
RUNS = {
    "terms": Options(),
    "terms_ko": Options(languages=("ko",)),
    "ko": Options(languages=("ko",), anything=True),
}


class Writer(WARCWriter):
    """Without temporary files."""

    _create_temp_file = staticmethod(io.BytesIO)


def sample(folder: Path) -> tuple[list[bytes], list[bytes]]:
    """The data's pages, about anything, and the newsroom's, most of them about the claims."""
    files = sorted(file for file in folder.iterdir() if file.name.endswith((".html", ".html.gz")))
    others = [gzip.decompress(f.read_bytes()) if f.name.endswith(".gz") else f.read_bytes() for f in files]
    content = load()
    own = [
        pages.article(content, shown, CRAWLED).body
        for outlet in content.outlets
        for shown in content.visible(CRAWLED, outlet)
    ]
    return others, own


def write(file: Path, megabytes: float, own_share: float, folder: Path) -> tuple[int, int]:
    """How many pages the file has, and how many of them are the newsroom's."""
    others, own = sample(folder)
    chance = random.Random(SEED)
    count = mine = 0
    with file.open("wb") as out:
        writer = Writer(out, gzip=True)
        while out.tell() < megabytes * 1e6:
            count += 1
            of_ours = chance.random() < own_share
            mine += of_ours
            url = f"http://site-{count % 400}.example/{count}"
            asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "x.example")], is_http_request=True)
            writer.write_record(writer.create_warc_record(url, "request", http_headers=asked))
            answer = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
            body = io.BytesIO(chance.choice(own if of_ours else others))
            writer.write_record(writer.create_warc_record(url, "response", body, http_headers=answer))
    return count, mine


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def ours_alone(file: Path) -> int:
    with LocalFile(str(file)) as source:
        found = records(source, Place(), lambda headers, _: headers.get("warc-type") == "response", 6 * 2**20)
        return sum(isinstance(record, Record) and bool(record.block) for record in found)


def warcio_alone(file: Path) -> int:
    with file.open("rb") as stream:
        kept = (record for record in ArchiveIterator(stream) if record.rec_type == "response")
        return sum(bool(record.content_stream().read()) for record in kept)


def run(conn: Connection, services: Services, file: Path, options: Options) -> tuple[float, float, dict[str, int]]:
    """One backfill of the file, on an empty database: seconds, seconds of this process's processor, outcomes."""
    conn.execute("truncate ingest.backfills, ingest.articles, ingest.work cascade")
    number = backfill.start(conn, services, "warc", str(file), options)

    def whole() -> None:
        for file_id in backfill.files(conn, services, number):
            backfill.read(conn, services, file_id)

    busy = time.process_time()
    seconds, _ = timed(whole)
    return seconds, time.process_time() - busy, backfill.finish(conn, services, number)["outcomes"]


@contextmanager
def somewhere(home: Path | None) -> Iterator[Path]:
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        yield home
        return
    folder = Path(tempfile.mkdtemp(prefix="claimwatch-backfill-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--size", type=float, default=200, help="of the file, in MB")
    parser.add_argument("--pages", type=float, default=20, help="newsroom pages among a thousand")
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    configure("json")
    with somewhere(given.home) as folder:
        file = folder / "crawl.warc.gz"
        count, mine = write(file, given.size, given.pages / 1000, given.data)
        print(f"{file.stat().st_size / 1e6:.0f} MB, {count} pages, {mine} of them the newsroom's", flush=True)
        result: dict[str, Any] = {"mb": round(file.stat().st_size / 1e6), "responses": count, "newsroom": mine}
        for name, read in (("reader", ours_alone), ("warcio", warcio_alone)):
            seconds, found = timed(lambda read=read: read(file))  # type: ignore[misc]
            assert found == count
            result[f"{name}_responses_per_s"] = round(count / seconds)
            print(f"{name} alone: {count / seconds:.0f} pages/s", flush=True)
        services = Services(Settings(home=folder / "home"))
        from pipeline.adapters.database import embedded_server

        server = embedded_server(services.settings)
        try:
            server.start()
            server.bootstrap()
            prepare(services.settings)
            with services.session() as conn:
                claims.load(conn, services, root() / "claims" / "nk-russia.yaml", match_archive=False)
                for name, options in {**RUNS, "any": Options(anything=True)}.items():
                    seconds, busy, outcomes = run(conn, services, file, options)
                    result[name] = {
                        "seconds": round(seconds, 1),
                        "responses_per_s": round(count / seconds),
                        "records_per_s": round(sum(outcomes.values()) / seconds),
                        "cpu_ms_a_page": round(1000 * busy / count, 2),
                        "mb_per_s": round(file.stat().st_size / 1e6 / seconds, 1),
                        "stored": outcomes.get("stored", 0),
                    }
                    print(f"{name}: {count / seconds:.0f} pages/s, {outcomes}", flush=True)
        finally:
            server.stop()
    result["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
