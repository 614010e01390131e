"""A claim's evidence packet: one ZIP with what was said, where, the records that prove it, and how it was asked for.

The same evidence makes the same bytes: nothing of the moment of making goes in.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import IO, Any

from psycopg import IsolationLevel

from pipeline.adapters.database import Connection, rows, shown
from pipeline.adapters.warc import Archive, Place
from pipeline.errors import ClaimwatchError
from pipeline.logic import claimreview, csvtext, packets
from pipeline.logic.claimreview import Appearance, Standing
from pipeline.logic.packets import MANIFEST, About
from pipeline.logic.written import moment
from pipeline.stages import drawing

STORIES = 2_000  # the latest of them
ARTICLES = 20_000
LINES = 100_000  # of any other table
RECORDS = 256 << 20  # bytes of records
RECORD = 16 << 20  # bytes of one; a page's body ends at 5 MB
IN_MEMORY = 16 << 20
EVER = "infinity"

# File, statement.
TABLES = {
    "events.csv": "desk_exports.events",
    "figures.csv": "desk_exports.figures",
    "timeline.csv": "desk_exports.timeline",
    "phrasings.csv": "desk_exports.phrasings",
}
LINK_COLUMNS = (
    *("story_id", "article_id", "relation", "stance", "title", "publisher", "family", "country", "language"),
    *("published_at", "url", "sentence", "version_id", "capture_id", "captured_at", "final_url"),
)


@dataclass(frozen=True)
class Material:
    """What the database has on a claim, read in one snapshot."""

    claim: Any
    evidence: Sequence[Any]
    carriers: Sequence[Any]
    tables: Mapping[str, Sequence[Any]]
    marks: Sequence[Any]
    asked: Mapping[str, str]  # {what for: the SQL with its values}
    filters: Mapping[str, str]
    as_of: datetime
    left_out: list[str] = field(default_factory=list)


def load(conn: Connection, claim: str, values: Mapping[str, Any], filters: Mapping[str, str]) -> Material | None:
    """None where there is no such claim. `values` are those of desk_claims.evidence, `filters` the same for readers."""
    before = conn.isolation_level
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with conn.transaction():
            return _read(conn, claim, values, filters)
    finally:
        conn.isolation_level = before


def _read(conn: Connection, claim: str, values: Mapping[str, Any], filters: Mapping[str, str]) -> Material | None:
    asked: dict[str, str] = {}

    def ask(label: str, name: str, **given: Any) -> list[Any]:
        asked[label] = shown(conn, name, **given)
        return rows(conn, name, **given)

    known = rows(conn, "desk_exports.known_claim", claim=claim)
    if not known:
        return None
    all_of = {"claim": claim, "skipped": 0}
    evidence = ask("quotes.csv", "desk_claims.evidence", **{**values, **all_of, "most": STORIES + 1})
    left_out = [f"stories beyond the latest {STORIES:,}"] if len(evidence) > STORIES else []
    stories = [e.story_id for e in evidence[:STORIES]]
    carriers = ask("links.csv", "desk_exports.carriers", claim=claim, stories=stories, most=ARTICLES + 1)
    left_out += [f"articles beyond the first {ARTICLES:,}"] if len(carriers) > ARTICLES else []
    tables = {}
    for name, statement in TABLES.items():
        days = {} if name == "phrasings.csv" else {"since": values["since"], "until": values["until"]}
        origin = {"origin": values["origin"]} if name == "figures.csv" else {}
        found = ask(name, statement, **all_of, **days, **origin, most=LINES + 1)
        left_out += [f"rows of {name} beyond {LINES:,}"] if len(found) > LINES else []
        tables[name] = found[:LINES]
    marks = [e for e in reversed(tables["events.csv"]) if e.kind not in ("new_story", "archive")]
    moments = [known[0].added_at, known[0].loaded_at, *(e.matched_at for e in evidence)]
    moments += [row.known_at for name in ("events.csv", "figures.csv") for row in tables[name]]
    as_of = max(moments)
    state = ask("claim.json", "desk_exports.claim", claim=claim, as_of=as_of, known_at=EVER)[0]
    return Material(
        state, evidence[:STORIES], carriers[:ARTICLES], tables, marks, asked, dict(filters), as_of, left_out
    )


def build(material: Material, archive: Archive, public_url: str, version: str) -> IO[bytes]:
    """The packet as a temporary file, at its beginning. `version` is claimwatch's own."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the caller closes it
    try:
        _write(_Zip(file, material.claim.claim_id, material.as_of), material, archive, public_url, version)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _write(packet: _Zip, material: Material, archive: Archive, public_url: str, version: str) -> None:
    left_out = list(material.left_out)
    with tempfile.TemporaryFile() as records:
        links, kept = _records(material.carriers, archive, records, left_out)
        packet.add("links.csv", csvtext.table([*LINK_COLUMNS, *_RECORD_COLUMNS], links))
        if kept:
            packet.add_file("records.warc.gz", records)
    picture = _chart(material)
    if picture is not None:
        packet.add("chart.png", picture, stored=True)
    if material.evidence:
        columns = [column for column in material.evidence[0]._fields if column != "total"]
        packet.add("quotes.csv", csvtext.table(columns, ([getattr(e, c) for c in columns] for e in material.evidence)))
    for name, found in material.tables.items():
        if found:
            packet.add(name, csvtext.table(found[0]._fields, found))
    packet.add("claim.json", _json({**material.claim._asdict(), "as_of": material.as_of, "filters": material.filters}))
    packet.add("claimreview.jsonld", _json(_review(material, public_url)))
    packet.add("queries.sql", "".join(f"-- {name}\n{sql};\n\n" for name, sql in material.asked.items()))
    about = About(
        claim=material.claim,
        as_of=material.as_of,
        filters=material.filters,
        stories=len(material.evidence),
        articles=len(material.carriers),
        records=kept,
        left_out=left_out,
        version=version,
        address=f"{public_url}/claims/{material.claim.claim_id}",
    )
    by_story = defaultdict(list)
    for carrier in material.carriers:
        by_story[carrier.story_id].append(carrier)
    chart = "chart.png" if picture is not None else None
    packet.add("quotes.html", packets.quotes(about, material.evidence, by_story, chart))
    packet.add("README.txt", packets.readme(about, [name for name in packets.FILES if name in packet.digests]))
    packet.close()


_RECORD_COLUMNS = ("body_sha256", "record_offset", "record_length", "record_sha256", "record_missing")


def _records(
    carriers: Sequence[Any], archive: Archive, out: IO[bytes], left_out: list[str]
) -> tuple[list[list[Any]], int]:
    """Writes the articles' records one after another, each once; the lines of links.csv and how many there are."""
    places: dict[tuple[str, int], tuple[Any, ...]] = {}
    lines, kept = [], 0
    for c in carriers:
        told: tuple[Any, ...] = (None, None, None, _why_none(c))
        if told[-1] is None:
            place = Place(c.warc_file, c.warc_offset, c.warc_length)
            if (place.file, place.offset) not in places:
                places[place.file, place.offset] = _record(archive, place, bytes.fromhex(c.sha256), out)
                kept += places[place.file, place.offset][-1] is None
            told = places[place.file, place.offset]
        if told[-1] is not None and c.capture_id is not None:
            left_out.append(f"the record of capture {c.capture_id}, article {c.article_id}: {told[-1]}")
        lines.append([*(getattr(c, column) for column in LINK_COLUMNS), c.sha256, *told])
    return lines, kept


def _why_none(c: Any) -> str | None:
    if c.capture_id is None:
        return "the text was read from no archived answer"
    if not c.available or c.warc_file is None or c.sha256 is None:
        return "retention has deleted the record"
    return "the record is too large" if c.warc_length > RECORD else None


def _record(archive: Archive, place: Place, digest: bytes, out: IO[bytes]) -> tuple[Any, ...]:
    """(offset, length, SHA-256, None), or three Nones and what is wrong with the record."""
    begins = out.tell()
    if begins + place.length > RECORDS:
        return None, None, None, "the packet's records have reached their limit"
    try:
        data = archive.member(place, digest)
    except ClaimwatchError as error:
        return None, None, None, getattr(error, "code", None) or "the archive can't be read"
    out.write(data)
    return begins, len(data), hashlib.sha256(data).hexdigest(), None


def _chart(material: Material) -> bytes | None:
    days, ends = material.tables["timeline.csv"], material.as_of.astimezone(UTC).date()
    last: date = max([ends, *(d.day for d in days)])
    return drawing.image("png", drawing.timeline, tuple(days), tuple(material.marks), last, material.claim.statement)


def _review(material: Material, public_url: str) -> Any:
    claim = material.claim
    standing = Standing(
        claim.claim_id, claim.statement, claim.state, claim.supports, claim.refutes, claim.updates, material.as_of
    )
    appearances = [
        Appearance(c.url, c.title, c.publisher, c.published_at, c.language, c.stance) for c in material.carriers
    ]
    origins = sorted({origin for e in material.evidence if e.stance == "supports" for origin in e.origins})
    return claimreview.document(standing, appearances, origins, public_url)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    return moment(value) if isinstance(value, datetime) else csvtext.cell(value)


class _Zip:
    """A ZIP of one folder, whose files have one fixed time, and the digests of what is in it."""

    def __init__(self, file: IO[bytes], folder: str, at: datetime) -> None:
        self.folder = csvtext.file_name(folder)
        self.digests: dict[str, str] = {}
        self._zip = zipfile.ZipFile(file, "w")
        self._at = (max(at.year, 1980), at.month, at.day, at.hour, at.minute, at.second // 2 * 2)

    def add(self, name: str, content: str | bytes, *, stored: bool = False) -> None:
        data = content.encode() if isinstance(content, str) else content
        self.digests[name] = hashlib.sha256(data).hexdigest()
        self._zip.writestr(self._info(name, stored), data)

    def add_file(self, name: str, file: IO[bytes]) -> None:
        """A file that is compressed already."""
        digest = hashlib.sha256()
        file.seek(0)
        with self._zip.open(self._info(name, stored=True), "w", force_zip64=True) as out:
            while piece := file.read(1 << 20):
                digest.update(piece)
                out.write(piece)
        self.digests[name] = digest.hexdigest()

    def close(self) -> None:
        with closing(self._zip):
            self.add(MANIFEST, packets.manifest(dict(self.digests)))

    def _info(self, name: str, stored: bool = False) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(f"{self.folder}/{name}", self._at)
        info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        info.create_system, info.external_attr = 3, 0o100644 << 16
        return info
