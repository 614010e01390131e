"""One extractor over the pages of a set, in a process of its own: python extract_one.py NAME SET OUT

Writes {"texts": {id: text}, "seconds": {id: s}, "peak_mb": m, "base_mb": m, "version": v}. Imports nothing of the
product unless NAME is ours, so that the peers' virtual environment needs nothing but the peers.
"""

from __future__ import annotations

import gzip
import json
import logging
import resource
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

Extractor = Callable[[str, str], str]


def claimwatch() -> tuple[Extractor, str]:
    from datetime import UTC, datetime

    from pipeline.errors import PermanentError
    from pipeline.logic.extraction import VERSION, extract

    def text(html: str, url: str) -> str:
        try:
            return "\n".join(extract(html.encode(), "text/html; charset=utf-8", url, datetime.now(UTC)).paragraphs)
        except PermanentError as error:
            print(f"{url}: {error.code}", file=sys.stderr)
            return ""

    return text, str(VERSION)


def trafilatura() -> tuple[Extractor, str]:
    from trafilatura import extract

    return (lambda html, url: extract(html, url=url, include_comments=False) or ""), version("trafilatura")


def newspaper4k() -> tuple[Extractor, str]:
    import newspaper

    def text(html: str, url: str) -> str:
        article = newspaper.Article(url, fetch_images=False)
        article.download(input_html=html)
        article.parse()
        return str(article.text)

    return text, version("newspaper4k")


def news_please() -> tuple[Extractor, str]:
    from newsplease import NewsPlease

    def text(html: str, url: str) -> str:
        return NewsPlease.from_html(html, url=url, fetch_images=False).maintext or ""

    return text, version("news-please")


def main() -> None:
    name, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    truth = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    pages = {key: gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes()).decode() for key in sorted(truth)}
    made = {f.__name__: f for f in (claimwatch, trafilatura, newspaper4k, news_please)}
    extractor, release = made[name]()
    base = _peak()
    texts, seconds = {}, {}
    for key, html in pages.items():
        begun = time.perf_counter()
        try:
            texts[key] = extractor(html, truth[key]["url"])
        except Exception as error:  # a peer's failure is an empty text, told; ours is a bug
            if name == "claimwatch":
                raise
            print(f"{key[:12]}: {error!r}"[:200], file=sys.stderr)
            texts[key] = ""
        seconds[key] = time.perf_counter() - begun
    told = {"texts": texts, "seconds": seconds, "base_mb": base, "peak_mb": _peak(), "version": release}
    out.write_text(json.dumps(told), encoding="utf-8")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
