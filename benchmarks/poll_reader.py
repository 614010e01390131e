"""lemon24/reader on the same feeds; run by benchmarks/poll.py with the Python of reader's own environment.

    python benchmarks/poll_reader.py DATABASE ADDRESSES WORKERS

ADDRESSES is a file with one feed's address a line. For every line on standard input it updates all feeds once and
prints {"seconds", "updated", "unchanged", "failed", "peak_mb"}.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from reader import make_reader  # type: ignore[import-not-found]


def main() -> None:
    database, addresses, workers = sys.argv[1], Path(sys.argv[2]).read_text().split(), int(sys.argv[3])
    reader = make_reader(database)
    known = {feed.url for feed in reader.get_feeds()}
    for address in addresses:
        if address not in known:
            reader.add_feed(address)
    print("ready", flush=True)
    for _ in sys.stdin:
        begun = time.monotonic()
        updated = unchanged = failed = 0
        for result in reader.update_feeds_iter(scheduled=False, workers=workers):
            if isinstance(result.value, Exception):
                failed += 1
            elif result.value is None:
                unchanged += 1
            else:
                updated += 1
        told = {
            "seconds": time.monotonic() - begun,
            "updated": updated,
            "unchanged": unchanged,
            "failed": failed,
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
