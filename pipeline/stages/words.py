"""The words of paragraphs for full text: stored with each new paragraph, made for older ones, counted now and then."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime

from pipeline.adapters.database import Connection, row, rows
from pipeline.logic.searchwords import VERSION, words

CHUNK = 2000  # paragraphs a transaction
MOST = 20_000  # different words of one paragraph: a tsvector holds no more than 1 MB
COUNTED_FROM = 20_000  # paragraphs; of fewer a search counts for itself
GROWTH = 0.1  # of the archive after which words are counted again
SAMPLE = 200_000  # paragraphs that are counted
RARE = 20  # words in fewer paragraphs are not listed


def store(conn: Connection, texts: Mapping[int, str]) -> None:
    """The words of paragraphs, {number: text}; in the transaction that stores these."""
    found = {number: " ".join(list(dict.fromkeys(words(text)))[:MOST]) for number, text in texts.items()}
    rows(conn, "words.store", paragraph_ids=list(found), words=list(found.values()), version=VERSION)


def fill(conn: Connection, seconds: float | None = None) -> int:
    """Make the words that are missing or were made by older rules, for some time at most; how many paragraphs."""
    begun, made, after = time.monotonic(), 0, 0
    while seconds is None or time.monotonic() - begun < seconds:
        due = rows(conn, "words.to_make", after=after, chunk=CHUNK, version=VERSION)
        if not due:
            break
        with conn.transaction():
            store(conn, {r.paragraph_id: r.text for r in due})
        made += len(due)
        after = due[-1].paragraph_id
    return made


def count(conn: Connection, now: datetime) -> bool:
    """Count how many paragraphs have each word, where the archive has changed enough; whether that was so."""
    size = row(conn, "words.size")
    if size.paragraphs < COUNTED_FROM:
        if size.counted is not None:
            rows(conn, "words.forget_counts")
        return False
    if size.counted is not None and abs(size.paragraphs - size.counted) <= GROWTH * size.counted:
        return False
    percent = min(100.0, round(100 * SAMPLE / size.paragraphs, 2))
    with conn.transaction():
        rows(conn, "words.forget_counts")
        rows(conn, "words.count", percent=percent, rare=RARE)
        rows(conn, "words.set_totals", percent=percent, paragraphs=size.paragraphs, now=now)
    return True
