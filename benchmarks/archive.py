"""How much room the archive takes, and how long writing and reading take: real pages and the sample newsroom's.

    PYTHONPATH=. python benchmarks/archive.py [--pages ../shared/data/extraction/scrapinghub/html]

Each page is kept as its first answer, as the same body sent again, and as a 304, each on disk before the next; then all
are read back and checked. Prints one JSON line a set of pages: bytes before and after, milliseconds a record.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.adapters.warc import Archive, Original, Place, files
from pipeline.model import Exchange, Response
from pipeline.newsroom.content import load
from pipeline.newsroom.pages import article
from pipeline.settings import ArchiveSettings

NOW = datetime(2024, 12, 31, tzinfo=UTC)
URL = "https://www.example.org/world/2024/12/31/an-address-of-common-length-with-a-headline-in-it"
SENT = (
    ("Host", "www.example.org"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.1"),
    ("Accept-Encoding", "gzip, br, zstd"),
    ("User-Agent", "claimwatch/0.1.0 (+https://example.org/contact)"),
)
RECEIVED = (
    ("date", "Tue, 31 Dec 2024 12:00:00 GMT"),
    ("content-type", "text/html; charset=utf-8"),
    ("content-encoding", "gzip"),
    ("cache-control", "public, max-age=60"),
    ("etag", '"5f0c2a91b7d34c0e8f1a"'),
    ("last-modified", "Tue, 31 Dec 2024 11:58:00 GMT"),
    ("strict-transport-security", "max-age=31536000"),
    ("vary", "Accept-Encoding"),
    ("x-cache", "HIT, MISS"),
)


def answer(body: bytes, status: int = 200) -> Response:
    exchange = Exchange(NOW, "GET", URL[23:], SENT, "HTTP/2", status, "", RECEIVED, "192.0.2.7")
    return Response(status, URL, body, dict(RECEIVED), exchange=exchange)


def timed(times: list[float], work: Callable[[], Any]) -> Any:
    begun = time.perf_counter()
    result = work()
    times.append(1000 * (time.perf_counter() - begun))
    return result


def measure(name: str, pages: list[bytes], folder: Path) -> dict[str, Any]:
    archive = Archive(folder, ArchiveSettings())
    places: list[tuple[Place, bytes]] = []
    times: dict[str, list[float]] = {kind: [] for kind in ("write", "revisit", "read")}
    sizes = []
    for step in ("response", "revisit", "not-modified"):
        for body in pages:
            digest = hashlib.sha256(body).digest()
            original = Original(URL, NOW, digest)
            if step == "response":
                write = lambda body=body, digest=digest: archive.response(answer(body), NOW, NOW, digest=digest)  # noqa: E731
                places.append((timed(times["write"], write), digest))
            else:
                again = answer(body) if step == "revisit" else answer(b"", 304)
                timed(times["revisit"], lambda again=again, o=original: archive.revisit(again, NOW, NOW, original=o))
        sizes.append(sum(path.stat().st_size for path in files(folder)))
    for place, digest in places:
        timed(times["read"], lambda place=place, digest=digest: archive.body(place, digest))
    archive.close()
    count = len(pages)
    return {
        "set": name,
        "pages": count,
        "bytes_a_page": sum(map(len, pages)) // count,
        "warc_bytes_a_page": sizes[0] // count,
        "median_warc_bytes": int(statistics.median(place.length for place, _ in places)),
        "zlib_6_bytes_a_page": sum(len(zlib.compress(page, 6)) for page in pages) // count,
        "warc_bytes_a_revisit": (sizes[1] - sizes[0]) // count,
        "warc_bytes_a_304": (sizes[2] - sizes[1]) // count,
        **{f"{kind}_ms": round(statistics.median(found), 2) for kind, found in times.items()},
    }


def newsroom() -> Iterator[bytes]:
    """The sample outlets' pages of 2024."""
    content = load()
    for shown in content.visible(NOW):
        yield article(content, shown, NOW).body


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=Path, help="a folder of pages, .html or .html.gz")
    given = parser.parse_args()
    sets = {"newsroom": list(newsroom())}
    if given.pages:
        sets[given.pages.parent.name] = [
            gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            for path in sorted(given.pages.glob("*.html*"))
        ]
    for name, pages in sets.items():
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            print(json.dumps(measure(name, pages, Path(folder))))


if __name__ == "__main__":
    main()
